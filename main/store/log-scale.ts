/** The logarithmic latency scale of the charts: equal steps of ln between the smallest and the largest latency of the selection. */

export interface LogScale {
  /** Edges in ns, steps + 1. */
  readonly edgesNs: Float64Array;
  readonly lnMin: number;
  readonly lnStep: number;
}

/** The scale between two latencies; never empty, whatever they are. */
export function logScale(
  bounds: { readonly minNs: number | null; readonly maxNs: number | null },
  steps: number,
): LogScale {
  const lnMin = Math.log(Math.max(1, bounds.minNs ?? 1));
  const lnMax = Math.log(Math.max(1, bounds.maxNs ?? 1) + 1);
  const lnStep = Math.max((lnMax - lnMin) / steps, 1e-12);
  const edgesNs = Float64Array.from({ length: steps + 1 }, (_v, i) => Math.exp(lnMin + i * lnStep));
  return { edgesNs, lnMin, lnStep };
}

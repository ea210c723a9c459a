/** A part of a run on a time axis: zooming and panning within the run, and round ticks. Whole nanoseconds throughout. */

export interface TimeRange {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Nothing that is modelled takes less. @assume a tenth of a microsecond is wide enough for any screen */
export const MIN_WIDTH_NS = 100;

const widthOf = ({ fromNs, toNs }: TimeRange): number => toNs - fromNs;

/** A range of this width that lies within the whole, moved as little as possible. */
function within(fromNs: number, widthNs: number, whole: TimeRange): TimeRange {
  const width = Math.min(Math.max(Math.round(widthNs), MIN_WIDTH_NS), widthOf(whole));
  const from = Math.min(Math.max(Math.round(fromNs), whole.fromNs), whole.toNs - width);
  return { fromNs: from, toNs: from + width };
}

/** `factor` times as wide, with the instant `atNs` where it was. */
export function zoomed(range: TimeRange, factor: number, atNs: number, whole: TimeRange): TimeRange {
  const width = Math.min(Math.max(widthOf(range) * factor, MIN_WIDTH_NS), widthOf(whole));
  const place = (atNs - range.fromNs) / widthOf(range);
  return within(atNs - place * width, width, whole);
}

/** Moved by a share of its width. */
export function panned(range: TimeRange, share: number, whole: TimeRange): TimeRange {
  return within(range.fromNs + widthOf(range) * share, widthOf(range), whole);
}

/** From one instant to another, in either order. */
export function between(aNs: number, bNs: number, whole: TimeRange): TimeRange {
  return within(Math.min(aNs, bNs), Math.abs(bNs - aNs), whole);
}

export interface Tick {
  readonly atNs: number;
  readonly text: string;
}

const UNITS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
  [1, 'ns'],
] as const;

/** Round instants in a range, about `wanted` of them, written in one unit with as many decimals as tell them apart. */
export function ticksOf({ fromNs, toNs }: TimeRange, wanted: number): readonly Tick[] {
  const stepNs = roundStep((toNs - fromNs) / Math.max(1, wanted));
  const [unitNs, unit] = UNITS.find(([size]) => toNs >= size) ?? UNITS[UNITS.length - 1];
  const decimals = Math.max(0, Math.ceil(Math.log10(unitNs / stepNs) - 1e-9));
  const first = Math.ceil(fromNs / stepNs);
  const count = Math.floor(toNs / stepNs) - first + 1;
  return Array.from({ length: count }, (_v, i) => {
    const atNs = (first + i) * stepNs;
    return { atNs, text: atNs === 0 ? '0' : `${(atNs / unitNs).toFixed(decimals)} ${unit}` };
  });
}

/** The next of 1, 2 and 5 times a power of ten, at least 1. */
function roundStep(ns: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ns)));
  return power * ([1, 2, 5].find((round) => round * power >= ns) ?? 10);
}

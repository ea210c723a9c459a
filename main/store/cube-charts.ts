/** The charts of a very long run, answered from its cube (chart-cube.ts). */
import type { HistogramData, LatencyOverTime, StageBands, StageShare } from '../../core/contract/api.ts';
import { coarseEdgeNs, CUBE_SHAPE, fineEdgeNs, type CubeData } from './chart-cube.ts';
import { logScale } from './log-scale.ts';

const { fineBuckets, coarseBuckets, columns: cubeColumns } = CUBE_SHAPE;

export function cubeHistogram(cube: CubeData, bins: number): HistogramData {
  const { edgesNs } = logScale(cube, bins);
  return { edgesNs, counts: rebin(cube.counts, fineEdgeNs, edgesNs), n: cube.n };
}

/** Merges whole columns of the cube: as many as asked for, or fewer when the cube is coarser. */
export function cubeOverTime(cube: CubeData, request: { columns: number; rows: number }): LatencyOverTime {
  const { rows } = request;
  const first = Math.floor(cube.fromNs / cube.columnNs);
  const used = Math.min(cubeColumns, Math.floor(cube.toNs / cube.columnNs) + 1) - first;
  const merged = Math.ceil(used / request.columns);
  const columns = Math.ceil(used / merged);
  const { edgesNs } = logScale(cube, rows);
  const counts = new Float64Array(columns * rows);
  const p50Ns = new Float64Array(columns);
  const p99Ns = new Float64Array(columns);
  for (let x = 0; x < columns; x++) {
    const column = new Float64Array(coarseBuckets);
    for (let c = first + x * merged; c < Math.min(first + (x + 1) * merged, cubeColumns); c++)
      for (let b = 0; b < coarseBuckets; b++) column[b] += cube.grid[c * coarseBuckets + b];
    rebin(column, coarseEdgeNs, edgesNs).forEach((n, y) => (counts[y * columns + x] = n));
    p50Ns[x] = quantile(column, coarseEdgeNs, 0.5);
    p99Ns[x] = quantile(column, coarseEdgeNs, 0.99);
  }
  const fromNs = first * cube.columnNs;
  return {
    columns,
    rows,
    fromNs,
    toNs: fromNs + columns * merged * cube.columnNs,
    edgesNs,
    counts,
    p50Ns,
    p99Ns,
    n: cube.n,
  };
}

export function cubeStages(cube: CubeData): StageBands {
  const tailFrom = tailBucket(cube.counts, cube.n);
  const all = shares(cube, 0);
  const tail = shares(cube, tailFrom);
  return { all: all.shares, tail: tail.shares, n: all.n, tailN: tail.n };
}

function shares(cube: CubeData, from: number): { shares: readonly StageShare[]; n: number } {
  const n = sum(cube.counts, from);
  const sums = cube.stageNs.map((stage) => sum(stage, from));
  const totalNs = sums.reduce((a, b) => a + b, 0);
  const list = cube.stages.map((stage, i) => ({
    stage,
    meanNs: n === 0 ? 0 : sums[i] / n,
    share: totalNs === 0 ? 0 : sums[i] / totalNs,
  }));
  return { shares: list, n };
}

function sum(values: Float64Array, from: number): number {
  let total = 0;
  for (let i = from; i < values.length; i++) total += values[i];
  return total;
}

/** The first bucket of the slowest hundredth. */
function tailBucket(counts: Float64Array, n: number): number {
  let above = 0;
  for (let bucket = fineBuckets - 1; bucket > 0; bucket--) {
    above += counts[bucket];
    if (above >= n / 100) return bucket;
  }
  return 0;
}

/** Spreads buckets over bins in proportion to their overlap on the logarithmic scale, in whole numbers that keep the sum. */
function rebin(counts: Float64Array, edgeNs: (bucket: number) => number, edgesNs: Float64Array): Float64Array {
  const bins = edgesNs.length - 1;
  const exact = new Float64Array(bins);
  const lnFirst = Math.log(edgesNs[0]);
  const lnStep = (Math.log(edgesNs[bins]) - lnFirst) / bins;
  counts.forEach((n, bucket) => {
    if (n === 0) return;
    const from = clamp((Math.log(edgeNs(bucket)) - lnFirst) / lnStep, bins);
    const to = clamp((Math.log(edgeNs(bucket + 1)) - lnFirst) / lnStep, bins);
    if (to - from < 1e-9) exact[Math.min(bins - 1, Math.floor(from))] += n;
    else
      for (let bin = Math.floor(from); bin < Math.min(bins, Math.ceil(to)); bin++)
        exact[bin] += (n * (Math.min(to, bin + 1) - Math.max(from, bin))) / (to - from);
  });
  return roundKeepingSum(exact);
}

function roundKeepingSum(exact: Float64Array): Float64Array {
  let sumSoFar = 0;
  let given = 0;
  return exact.map((value) => {
    sumSoFar += value;
    const whole = Math.round(sumSoFar) - given;
    given += whole;
    return whole;
  });
}

function clamp(value: number, max: number): number {
  return Math.min(max, Math.max(0, value));
}

/** A quantile of bucket counts, interpolated within its bucket; NaN when there is nothing. */
function quantile(counts: Float64Array, edgeNs: (bucket: number) => number, q: number): number {
  const n = sum(counts, 0);
  if (n === 0) return NaN;
  let below = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    if (below + counts[bucket] >= q * n) {
      const part = counts[bucket] === 0 ? 0 : (q * n - below) / counts[bucket];
      return edgeNs(bucket + part);
    }
    below += counts[bucket];
  }
  return edgeNs(counts.length);
}

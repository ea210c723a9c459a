/** Percentiles as order statistics (nearest rank), and when there are too few samples to name one. */

/** Samples that must lie beyond a percentile before it is shown. @source workbench conventions, results */
const BEYOND_MIN = 10;

/** Can this percentile be told of `n` samples? */
export function hasEnoughBeyond(n: number, percent: number): boolean {
  return n >= samplesNeeded(percent);
}

/** 99.9 → 10 000. */
export function samplesNeeded(percent: number): number {
  // in thousandths of a percent, which are whole numbers for every percentile that is shown
  return Math.ceil((BEYOND_MIN * 100_000) / (100_000 - Math.round(percent * 1000)));
}

/** Index of the percentile in the sorted samples, from 0. */
export function rankOf(n: number, percent: number): number {
  return Math.max(0, Math.ceil((n * Math.round(percent * 1000)) / 100_000) - 1);
}

/**
 * Which percentiles a summary shows, what they are called, and when there are too few samples to show one.
 *
 * Rule: a percentile needs at least ten samples beyond it, or it says more about luck than about the system. p99 needs 1,000 samples, p99.99 needs 100,000.
 *
 * @assume ten: the relative standard error of a tail count k is about 1/sqrt(k), so with ten the rank is known to about a third
 */
import type { Histogram } from './histogram.ts';

/** The percentiles of a summary, by the key they have in it (design, section 8). */
export const SUMMARY_PERCENTILES = { p50: 50, p90: 90, p95: 95, p99: 99, p99_9: 99.9, p99_99: 99.99 } as const;

export type PercentileKey = keyof typeof SUMMARY_PERCENTILES;

export const PERCENTILE_KEYS = Object.keys(SUMMARY_PERCENTILES) as PercentileKey[];

const SAMPLES_BEYOND = 10;

/** Samples that percentile `p` (0 to 100) needs. */
export function samplesNeeded(p: number): number {
  return Math.ceil(Number(((SAMPLES_BEYOND * 100) / (100 - p)).toFixed(6)));
}

/** True when `count` samples are enough for percentile `p`. */
export function hasEnoughSamples(p: number, count: number): boolean {
  return count >= samplesNeeded(p);
}

/** Statistics of a distribution. Percentiles are always there; those in `tooFew` rest on too few samples to be shown as facts. */
export interface DistributionSummary extends Readonly<Record<PercentileKey, number>> {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly stddev: number;
  readonly tooFew: readonly PercentileKey[];
}

/** The summary of a histogram; all zero (and every percentile in `tooFew`) without samples. */
export function summarizeDistribution(histogram: Histogram): DistributionSummary {
  const count = histogram.count;
  const orZero = (value: number): number => (count === 0 ? 0 : value);
  const percentiles = Object.fromEntries(
    PERCENTILE_KEYS.map((key) => [key, orZero(histogram.percentile(SUMMARY_PERCENTILES[key]))]),
  ) as Record<PercentileKey, number>;
  return {
    count,
    min: orZero(histogram.min),
    mean: orZero(histogram.mean()),
    max: orZero(histogram.max),
    stddev: orZero(histogram.stddev()),
    ...percentiles,
    tooFew: PERCENTILE_KEYS.filter((key) => !hasEnoughSamples(SUMMARY_PERCENTILES[key], count)),
  };
}

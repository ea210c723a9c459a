/**
 * Confidence intervals of repeats: a mean of a few runs with different seeds, and the difference of two variants that ran with the same seeds.
 *
 * Two-sided 95 %, by Student's t, which assumes that run means are about normal. They are means over many I/Os, so that holds well
 * unless a run is dominated by one rare event.
 */

/**
 * Quantiles of Student's t for a two-sided 95 % interval, by degrees of freedom 1..30.
 * @source NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975
 */
const T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/** The same for an infinite number. @source same table */
const T_975_NORMAL = 1.96;

/** t for `degreesOfFreedom` ≥ 1. Beyond the table it is interpolated in 1/df, which is right to 0.001. */
export function tQuantile975(degreesOfFreedom: number): number {
  if (degreesOfFreedom <= T_975.length) return T_975[degreesOfFreedom - 1];
  const atEnd = T_975[T_975.length - 1];
  return T_975_NORMAL + (atEnd - T_975_NORMAL) * (T_975.length / degreesOfFreedom);
}

export interface Interval {
  readonly count: number;
  readonly mean: number;
  /** The true mean lies within mean ± halfWidth with 95 % confidence; Infinity for fewer than two values. */
  readonly halfWidth: number;
}

/** Mean and 95 % interval of independent repeats. NaN mean for no values. */
export function confidence95(values: readonly number[]): Interval {
  const n = values.length;
  const mean = values.reduce((sum, v) => sum + v, 0) / n;
  if (n < 2) return { count: n, mean, halfWidth: Infinity };
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / (n - 1) / n);
  return { count: n, mean, halfWidth: tQuantile975(n - 1) * standardError };
}

/**
 * The mean of `b[i] - a[i]` with its interval: repeat i of both variants ran with the same seed, so that what the seed does to both cancels out.
 * Throws a RangeError when the lists differ in length.
 */
export function pairedDifference95(a: readonly number[], b: readonly number[]): Interval {
  if (a.length !== b.length) throw new RangeError(`paired comparison of ${a.length} with ${b.length} repeats`);
  return confidence95(a.map((value, i) => b[i] - value));
}

/** True when the interval does not contain zero: the difference is more than chance at the 95 % level. */
export function isSignificant(difference: Interval): boolean {
  return Math.abs(difference.mean) > difference.halfWidth;
}

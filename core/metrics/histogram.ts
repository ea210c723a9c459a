/**
 * A log-linear histogram of non-negative integers (latencies in ns, sizes in bytes), after the idea of HdrHistogram and of fio's latency
 * buckets: 128 equal buckets per power of two.
 *
 * Error bound: values below 256 are kept exactly. Above, a bucket is at most 1/128 of its lowest value wide, and a percentile returns the middle of its bucket,
 * so it is off by at most 1/256 (0.4 %) of the true sample. Count, sum, min, max and mean are exact; they are kept beside
 * the buckets. The standard deviation is computed from deviations from the first sample, which loses nothing when samples are large and close together.
 *
 * @source hdrhistogram.github.io/HdrHistogram (idea: sub-buckets per octave); bucket arithmetic is our own
 */

const SUB_BITS = 7;
/** Buckets per power of two. */
const SUB_BUCKETS = 1 << SUB_BITS;
/** Highest exponent of a safe integer. */
const MAX_EXPONENT = 52;
/** Number of buckets: all safe integers have one. */
export const BUCKETS = (MAX_EXPONENT - SUB_BITS + 2) * SUB_BUCKETS;

const SUM_LIMB = 2 ** 52;
/** Values from here on are scaled down by 2^22 before the 32-bit bucket arithmetic. */
const TWO_POW_31 = 2 ** 31;
const SCALE_BITS = 22;
const SCALE = 2 ** SCALE_BITS;

/** The bucket that `value` (an integer from 0 to 2^53 - 1) falls into. */
export function bucketOf(value: number): number {
  if (value >= TWO_POW_31) return smallBucketOf(Math.floor(value / SCALE)) + SCALE_BITS * SUB_BUCKETS;
  return smallBucketOf(value);
}

function smallBucketOf(value: number): number {
  const shift = 31 - SUB_BITS - Math.clz32(value | SUB_BUCKETS);
  return (shift << SUB_BITS) + (value >>> shift);
}

/** Lowest value of a bucket. */
export function bucketLow(bucket: number): number {
  const shift = Math.max((bucket >> SUB_BITS) - 1, 0);
  return (bucket - (shift << SUB_BITS)) * 2 ** shift;
}

/** One more than the highest value of a bucket. */
export function bucketEnd(bucket: number): number {
  return bucketLow(bucket) + 2 ** Math.max((bucket >> SUB_BITS) - 1, 0);
}

/** A histogram as plain data: only buckets with samples, in ascending order. */
export interface HistogramData {
  readonly buckets: Int32Array<ArrayBuffer>;
  readonly counts: Float64Array<ArrayBuffer>;
  /** count, min, max, sum (low and high limb), pivot, sum and sum of squares of the deviations from it. */
  readonly moments: Float64Array<ArrayBuffer>;
}

export class Histogram {
  /** Samples recorded. */
  count = 0;
  /** Smallest sample; Infinity while there is none. */
  min = Infinity;
  /** Largest sample; -Infinity while there is none. */
  max = -Infinity;

  private readonly counts = new Float64Array(BUCKETS);
  // The sum in limbs of 2^52: exact beyond 2^53.
  private sumLow = 0;
  private sumHigh = 0;
  /** The first sample; deviations are taken from it. */
  private pivot = 0;
  private deviationSum = 0;
  private deviationSquares = 0;

  /** Records one sample: an integer from 0 to 2^53 - 1. */
  record(value: number): void {
    this.counts[value < TWO_POW_31 ? smallBucketOf(value) : bucketOf(value)]++;
    if (this.count++ === 0) this.pivot = value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const over = value - (SUM_LIMB - this.sumLow); // in this order, all steps are exact
    if (over < 0) this.sumLow += value;
    else this.carry(over);
    const deviation = value - this.pivot;
    this.deviationSum += deviation;
    this.deviationSquares += deviation * deviation;
  }

  /** Records the same sample `n` times. */
  recordMany(value: number, n: number): void {
    if (n === 0) return;
    this.counts[bucketOf(value)] += n;
    if (this.count === 0) this.pivot = value;
    this.count += n;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const grown = this.sumLow + value * n;
    if (grown < SUM_LIMB) this.sumLow = grown;
    else this.setSum(this.sum() + BigInt(value) * BigInt(n));
    const deviation = value - this.pivot;
    this.deviationSum += deviation * n;
    this.deviationSquares += deviation * deviation * n;
  }

  /**
   * Records `values[from]` to `values[to - 1]` for percentiles alone (sum, mean and deviation know nothing of them) and returns their sum. For hot paths, which
   * gather samples and keep their own sums; a histogram takes its samples either all this way or none.
   */
  tally(values: Float64Array, from: number, to: number): number {
    if (from === to) return 0;
    const { counts } = this;
    let { min, max } = this;
    let sum = 0;
    let value = values[from];
    let times = 0;
    for (let i = from; i <= to; i++) {
      const next = i < to ? values[i] : NaN; // what ends the last run
      if (next === value) {
        times++; // many stages last as long as they did the time before
        continue;
      }
      counts[value < TWO_POW_31 ? smallBucketOf(value) : bucketOf(value)] += times;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value * times;
      value = next;
      times = 1;
    }
    this.count += to - from;
    this.min = min;
    this.max = max;
    return sum;
  }

  /** The exact sum of all samples. */
  sum(): bigint {
    return BigInt(this.sumHigh) * BigInt(SUM_LIMB) + BigInt(this.sumLow);
  }

  /** Mean; NaN without samples. */
  mean(): number {
    return (this.sumHigh * SUM_LIMB + this.sumLow) / this.count;
  }

  /** Standard deviation of the samples (divisor n); NaN without samples. */
  stddev(): number {
    const offset = this.deviationSum / this.count;
    return Math.sqrt(Math.max(this.deviationSquares / this.count - offset * offset, 0));
  }

  /**
   * The sample at percentile `p` (0 to 100) by nearest rank: the smallest value that at least p % of the samples do not exceed. Off by at most
   * 1/256 of it (see above); p = 0 and p = 100 are exact. NaN without samples.
   */
  percentile(p: number): number {
    if (this.count === 0) return NaN;
    // Rounded first: 99.9 % of 1000 must be rank 999, not 999.0000000001 rounded up.
    const rank = Math.min(Math.max(Math.ceil(Number(((p * this.count) / 100).toFixed(6))), 1), this.count);
    if (rank === 1) return this.min;
    if (rank === this.count) return this.max;
    let seen = 0;
    let bucket = -1;
    while (seen < rank) seen += this.counts[++bucket];
    const middle = Math.floor((bucketLow(bucket) + bucketEnd(bucket) - 1) / 2);
    return Math.min(Math.max(middle, this.min), this.max);
  }

  /** Samples in a bucket. */
  countIn(bucket: number): number {
    return this.counts[bucket];
  }

  /** Adds all samples of another histogram. */
  merge(other: Histogram): void {
    if (other.count === 0) return;
    if (this.count === 0) this.pivot = other.pivot;
    for (let b = 0; b < BUCKETS; b++) this.counts[b] += other.counts[b];
    const shift = other.pivot - this.pivot;
    this.deviationSquares += other.deviationSquares + 2 * shift * other.deviationSum + other.count * shift * shift;
    this.deviationSum += other.deviationSum + other.count * shift;
    this.count += other.count;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.setSum(this.sum() + other.sum());
  }

  /** Forgets everything (the end of a warm-up). */
  clear(): void {
    this.counts.fill(0);
    this.count = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.sumLow = 0;
    this.sumHigh = 0;
    this.deviationSum = 0;
    this.deviationSquares = 0;
  }

  /** A copy of the content as plain data, to store or to send. */
  toArrays(): HistogramData {
    const buckets: number[] = [];
    for (let b = 0; b < BUCKETS; b++) if (this.counts[b] > 0) buckets.push(b);
    return {
      buckets: Int32Array.from(buckets),
      counts: Float64Array.from(buckets, (b) => this.counts[b]),
      moments: Float64Array.of(
        this.count,
        this.min,
        this.max,
        this.sumLow,
        this.sumHigh,
        this.pivot,
        this.deviationSum,
        this.deviationSquares,
      ),
    };
  }

  /** The histogram that `toArrays` described. */
  static fromArrays(data: HistogramData): Histogram {
    const histogram = new Histogram();
    data.buckets.forEach((b, i) => (histogram.counts[b] = data.counts[i]));
    [
      histogram.count,
      histogram.min,
      histogram.max,
      histogram.sumLow,
      histogram.sumHigh,
      histogram.pivot,
      histogram.deviationSum,
      histogram.deviationSquares,
    ] = data.moments;
    return histogram;
  }

  /** The low limb overflowed by `over`, which may be more than a limb. */
  private carry(over: number): void {
    const limbs = over >= SUM_LIMB ? 1 : 0;
    this.sumHigh += 1 + limbs;
    this.sumLow = over - limbs * SUM_LIMB;
  }

  private setSum(sum: bigint): void {
    this.sumHigh = Number(sum / BigInt(SUM_LIMB));
    this.sumLow = Number(sum % BigInt(SUM_LIMB));
  }
}

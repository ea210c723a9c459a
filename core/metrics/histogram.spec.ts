import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { BUCKETS, bucketEnd, bucketLow, bucketOf, Histogram } from './histogram.ts';

function filled(samples: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const s of samples) histogram.record(s);
  return histogram;
}

/** Log-uniform integers up to 2^bits. */
function logUniform(n: number, bits: number, name = 'samples'): number[] {
  const random = new RandomStream(7, name);
  return Array.from({ length: n }, () => Math.floor(2 ** (random.unit() * bits)));
}

function nearestRank(sorted: readonly number[], p: number): number {
  return sorted[Math.max(Math.ceil(Number(((p * sorted.length) / 100).toFixed(6))), 1) - 1];
}

describe('the buckets', () => {
  it('cover every safe integer without gap or overlap', () => {
    expect(bucketLow(0)).toBe(0);
    for (let b = 0; b + 1 < BUCKETS; b++) expect(bucketEnd(b)).toBe(bucketLow(b + 1));
    expect(bucketEnd(BUCKETS - 1)).toBe(2 ** 53);
  });

  it('contain the values that are put into them, at both edges', () => {
    for (let b = 0; b < BUCKETS; b++) {
      expect(bucketOf(bucketLow(b))).toBe(b);
      expect(bucketOf(bucketEnd(b) - 1)).toBe(b);
    }
  });

  it('are one wide below 256 and at most 1/128 of their lowest value above', () => {
    for (let b = 0; b < BUCKETS; b++) {
      const width = bucketEnd(b) - bucketLow(b);
      if (bucketLow(b) < 256) expect(width).toBe(1);
      else expect(width / bucketLow(b)).toBeLessThanOrEqual(1 / 128);
    }
  });
});

describe('a histogram', () => {
  it('returns percentiles within 1/256 of the true sample, for all magnitudes', () => {
    for (const bits of [7, 20, 32, 40, 52]) {
      const samples = logUniform(20_000, bits, `bits${bits}`);
      const histogram = filled(samples);
      const sorted = samples.toSorted((a, b) => a - b);
      for (const p of [0, 1, 10, 50, 90, 99, 99.9, 99.99, 100]) {
        const truth = nearestRank(sorted, p);
        expect(Math.abs(histogram.percentile(p) - truth)).toBeLessThanOrEqual(truth / 256);
      }
    }
  });

  it('takes rank 999 of 1000 for p99.9, and is exact for small values', () => {
    const histogram = filled(Array.from({ length: 200 }, (_, i) => i));
    expect(histogram.percentile(50)).toBe(99);
    expect(histogram.percentile(99.5)).toBe(198);
    const thousand = filled([...new Array<number>(999).fill(5), 77]);
    expect(thousand.percentile(99.9)).toBe(5);
    expect(thousand.percentile(99.91)).toBe(77);
  });

  it('keeps min, max and mean exact and the deviation of large close samples', () => {
    const base = 10 ** 12;
    const histogram = filled([base, base + 1, base + 2, base + 3]);
    expect([histogram.count, histogram.min, histogram.max, histogram.mean()]).toEqual([4, base, base + 3, base + 1.5]);
    expect(histogram.stddev()).toBeCloseTo(Math.sqrt(1.25), 12);
  });

  it('keeps the sum exact beyond 2^53', () => {
    const largest = 2 ** 53 - 1;
    const histogram = filled([largest, largest, largest, 1]);
    histogram.recordMany(largest, 1000);
    expect(histogram.sum()).toBe(BigInt(largest) * 1003n + 1n);
  });

  it('is the same after recordMany as after as many records', () => {
    const one = filled([5, 900, 900, 900, 70_000]);
    const many = new Histogram();
    many.record(5);
    many.recordMany(900, 3);
    many.recordMany(70_000, 1);
    many.recordMany(3, 0);
    expect(many.toArrays()).toEqual(one.toArrays());
  });

  it('is the same merged from parts as recorded in one, and merging an empty one changes nothing', () => {
    const samples = logUniform(3000, 40);
    const whole = filled(samples);
    const merged = new Histogram();
    merged.merge(filled(samples.slice(0, 1000)));
    merged.merge(new Histogram());
    merged.merge(filled(samples.slice(1000)));
    expect(merged.toArrays().counts).toEqual(whole.toArrays().counts);
    expect([merged.count, merged.min, merged.max, merged.sum()]).toEqual([
      whole.count,
      whole.min,
      whole.max,
      whole.sum(),
    ]);
    expect(merged.stddev() / whole.stddev()).toBeCloseTo(1, 10);
  });

  it('survives storage', () => {
    const histogram = filled(logUniform(1000, 45));
    const copy = Histogram.fromArrays(histogram.toArrays());
    expect(copy.toArrays()).toEqual(histogram.toArrays());
    expect(copy.percentile(99)).toBe(histogram.percentile(99));
    copy.record(1);
    expect(copy.count).toBe(1001);
  });

  it('has no statistics without samples, also after clear', () => {
    const histogram = filled([1, 2, 3]);
    histogram.clear();
    expect(histogram.toArrays().buckets).toHaveLength(0);
    expect([histogram.count, histogram.percentile(50), histogram.mean()]).toEqual([0, NaN, NaN]);
    histogram.record(9);
    expect([histogram.min, histogram.max, histogram.mean(), histogram.stddev()]).toEqual([9, 9, 9, 0]);
  });

  it('tallies samples for percentiles as if each had been recorded', () => {
    const recorded = new Histogram();
    const tallied = new Histogram();
    const samples = Float64Array.of(9, 3, 3, 70_000, 70_000, 70_000, 70_000, 70_000, 5_000_000_000, 9);
    for (const value of samples.subarray(1, 9)) recorded.record(value);
    expect(tallied.tally(samples, 1, 9)).toBe(Number(recorded.sum()));
    for (const p of [0, 25, 50, 90, 100]) expect(tallied.percentile(p)).toBe(recorded.percentile(p));
    expect(tallied.count).toBe(8);
  });
});

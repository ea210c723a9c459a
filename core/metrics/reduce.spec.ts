import { describe, expect, it } from 'vitest';
import { confidence95, isSignificant, pairedDifference95, tQuantile975 } from './confidence.ts';
import { TimeWeightedGauge } from './gauge.ts';
import { Histogram } from './histogram.ts';
import { hasEnoughSamples, PERCENTILE_KEYS, samplesNeeded, summarizeDistribution } from './percentiles.ts';

describe('a time-weighted gauge', () => {
  it('weights each value by how long it held', () => {
    const gauge = new TimeWeightedGauge();
    gauge.set(100, 4);
    gauge.add(300, -3);
    expect(gauge.mean(400)).toBe((0 * 100 + 4 * 200 + 1 * 100) / 400);
    expect([gauge.min, gauge.max, gauge.last]).toEqual([0, 4, 1]);
  });

  it('counts a change at the same instant for its extremes but not for its mean', () => {
    const gauge = new TimeWeightedGauge();
    gauge.set(50, 9);
    gauge.set(50, 2);
    expect([gauge.mean(100), gauge.max]).toEqual([1, 9]);
  });

  it('forgets the warm-up and goes on with its value', () => {
    const gauge = new TimeWeightedGauge(8);
    gauge.restart(1000);
    expect([gauge.mean(1000), gauge.min]).toEqual([8, 8]);
    gauge.set(1500, 0);
    expect(gauge.mean(2000)).toBe(4);
  });
});

describe('percentiles of a summary', () => {
  it('need ten samples beyond them', () => {
    expect([50, 90, 99, 99.9, 99.99].map(samplesNeeded)).toEqual([20, 100, 1000, 10_000, 100_000]);
    expect(hasEnoughSamples(99.9, 9_999)).toBe(false);
    expect(hasEnoughSamples(99.9, 10_000)).toBe(true);
  });

  it('are named as in the summary object, and the doubtful ones are listed', () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 1000; i++) histogram.record(i % 200);
    const summary = summarizeDistribution(histogram);
    expect(summary).toMatchObject({ count: 1000, min: 0, max: 199, mean: 99.5, p50: 99, p90: 179, p95: 189, p99: 197 });
    expect(summary.tooFew).toEqual(['p99_9', 'p99_99']);
  });

  it('are zero and all doubtful without samples', () => {
    expect(summarizeDistribution(new Histogram())).toMatchObject({
      count: 0,
      mean: 0,
      p99: 0,
      tooFew: PERCENTILE_KEYS,
    });
  });
});

describe('confidence intervals', () => {
  it('reproduce a textbook sample: 5 values, t = 2.776', () => {
    const { mean, halfWidth } = confidence95([10, 12, 14, 16, 18]);
    expect(mean).toBe(14);
    expect(halfWidth).toBeCloseTo((2.776 * Math.sqrt(10)) / Math.sqrt(5), 10);
  });

  it('use t quantiles that fall towards the normal one (NIST table: 40 gives 2.021, 60 gives 2.000, 120 gives 1.980)', () => {
    expect(tQuantile975(1)).toBe(12.706);
    expect(tQuantile975(30)).toBe(2.042);
    for (const [df, t] of [
      [40, 2.021],
      [60, 2.0],
      [120, 1.98],
    ]) {
      expect(Math.abs(tQuantile975(df) - t)).toBeLessThan(0.0015);
    }
  });

  it('are unbounded for a single repeat', () => {
    expect(confidence95([3])).toEqual({ count: 1, mean: 3, halfWidth: Infinity });
  });

  it('see through what the seed does to both variants alike', () => {
    const base = [100, 140, 80, 120, 60];
    const faster = base.map((v, i) => v - 5 + (i % 2) * 0.5);
    expect(isSignificant(pairedDifference95(base, faster))).toBe(true);
    expect(pairedDifference95(base, faster).mean).toBeCloseTo(-4.8, 10);
    expect(isSignificant(pairedDifference95([1, 2, 3], [2, 1, 3]))).toBe(false);
    expect(() => pairedDifference95([1], [1, 2])).toThrow(RangeError);
  });
});

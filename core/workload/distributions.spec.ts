/** Statistics of the random distributions, against the formulas that fio's are made by (blk-mq-and-formats.md 2.5.3, check 43). */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { blockDraw } from './distributions.ts';
import type { Distribution } from './fio/job.ts';

const DRAWS = 200_000;

/** How often each block was drawn. */
function hits(
  distribution: Distribution,
  blocks: number,
  { blockBytes = 4096, scatters = true, seed = 1 } = {},
): number[] {
  const draw = blockDraw(distribution, blocks, blockBytes, 0, new RandomStream(seed, 'draws'), scatters);
  const counts = Array.from({ length: blocks }, () => 0);
  for (let i = 0; i < DRAWS; i++) counts[draw()]++;
  return counts;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Share of the draws that went to blocks `from..to-1`. */
function share(counts: readonly number[], from: number, to: number): number {
  return sumOf(counts.slice(from, to)) / DRAWS;
}

describe('zipf', () => {
  it.each([0.6, 0.9, 1.1, 1.4])('gives rank k of theta %f its share of the zeta sum', (theta) => {
    const blocks = 1000;
    const counts = hits({ kind: 'zipf', parameter: theta, center: 0 }, blocks, { scatters: false });
    const weights = counts.map((_, rank) => (rank + 1) ** -theta);
    const whole = sumOf(weights);
    expect(share(counts, 0, 1)).toBeCloseTo(weights[0] / whole, 2);
    expect(share(counts, 1, 2)).toBeCloseTo(weights[1] / whole, 2);
    // Gray's approximation of the higher ranks is good to a few percent of all draws
    for (const top of [10, 100, 500]) {
      expect(Math.abs(share(counts, 0, top) - sumOf(weights.slice(0, top)) / whole)).toBeLessThan(0.04);
    }
  });

  it('puts the hottest block at the centre and scatters the others', () => {
    const counts = hits({ kind: 'zipf', parameter: 1.2, center: 0.5 }, 100);
    expect(counts.indexOf(Math.max(...counts))).toBe(50);
    const second = [...counts].sort((a, b) => b - a)[1];
    expect(Math.abs(counts.indexOf(second) - 50)).toBeGreaterThan(1);
  });

  it('draws blocks of a large file too, all of them inside', () => {
    const blocks = 50_000_000;
    const draw = blockDraw(
      { kind: 'zipf', parameter: 0.9, center: undefined },
      blocks,
      4096,
      0,
      new RandomStream(3, 'x'),
    );
    for (let i = 0; i < 20_000; i++) {
      const block = draw();
      expect(Number.isInteger(block) && block >= 0 && block < blocks).toBe(true);
    }
  });

  it('is no problem for a file of one block', () => {
    expect(hits({ kind: 'zipf', parameter: 1.2, center: undefined }, 1)).toEqual([DRAWS]);
  });
});

describe('pareto', () => {
  it.each([0.1, 0.2, 0.5])('sends 1 - h of the draws to the first h of the ranks (h = %f)', (h) => {
    const counts = hits({ kind: 'pareto', parameter: h, center: 0 }, 1000, { scatters: false });
    expect(share(counts, 0, 1000 * h)).toBeCloseTo(1 - h, 2);
  });
});

describe('normal', () => {
  it('keeps about 68 percent of the draws within one deviation of the middle rank', () => {
    const counts = hits({ kind: 'normal', parameter: 10, center: 0.5 }, 1000, { scatters: false });
    expect(share(counts, 400, 600)).toBeCloseTo(0.683, 2);
    expect(share(counts, 300, 700)).toBeCloseTo(0.954, 2);
  });
});

describe('zoned', () => {
  const zones = (unit: 'percent' | 'bytes', ...pairs: readonly (readonly [number, number])[]): Distribution => ({
    kind: unit === 'percent' ? 'zoned' : 'zoned_abs',
    zones: [pairs.map(([accessPercent, value]) => ({ accessPercent, size: { unit, value } }))],
  });

  it('gives each zone its share of the accesses, spread evenly (60/10:30/20:8/30:2/40)', () => {
    const counts = hits(zones('percent', [60, 10], [30, 20], [8, 30], [2, 40]), 1000);
    expect(share(counts, 0, 100)).toBeCloseTo(0.6, 2);
    expect(share(counts, 100, 300)).toBeCloseTo(0.3, 2);
    expect(share(counts, 300, 600)).toBeCloseTo(0.08, 2);
    expect(share(counts, 600, 1000)).toBeCloseTo(0.02, 2);
    expect(share(counts, 0, 50)).toBeCloseTo(0.3, 2);
  });

  it('never goes beyond the last zone', () => {
    const counts = hits(zones('percent', [60, 10], [40, 20]), 1000);
    expect(share(counts, 300, 1000)).toBe(0);
  });

  it('takes zone sizes in bytes', () => {
    const counts = hits(zones('bytes', [90, 40_960], [10, 40_960]), 100);
    expect(share(counts, 0, 10)).toBeCloseTo(0.9, 2);
    expect(share(counts, 10, 20)).toBeCloseTo(0.1, 2);
  });
});

describe('uniform', () => {
  it('favours no block (chi-square below its 99.9 percent point)', () => {
    const counts = hits({ kind: 'random' }, 100);
    const expected = DRAWS / 100;
    const chi2 = sumOf(counts.map((n) => (n - expected) ** 2 / expected));
    expect(chi2).toBeLessThan(148.2);
  });
});

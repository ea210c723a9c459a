/** Block sizes (blk-mq-and-formats.md 2.5.3 "bsrange", "bssplit"; check 43). */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import type { BlockSizes } from './fio/job.ts';
import { sizeDraw } from './sizes.ts';

const K = 1024;

function counts(sizes: BlockSizes, roomBytes: number, draws = 100_000, isUnaligned = false): Map<number, number> {
  const draw = sizeDraw(sizes, isUnaligned, new RandomStream(5, 'sizes'));
  const found = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const size = draw(roomBytes);
    found.set(size, (found.get(size) ?? 0) + 1);
  }
  return found;
}

const split = (...pairs: readonly (readonly [number, number])[]): BlockSizes => ({
  kind: 'split',
  entries: pairs.map(([sizeBytes, percent]) => ({ sizeBytes, percent })),
});

describe('fixed size', () => {
  it('is drawn as long as it fits', () => {
    expect(counts({ kind: 'fixed', sizeBytes: 4 * K }, 4 * K, 10)).toEqual(new Map([[4 * K, 10]]));
    expect(counts({ kind: 'fixed', sizeBytes: 4 * K }, 4 * K - 1, 10)).toEqual(new Map([[0, 10]]));
  });
});

describe('range of sizes', () => {
  const range: BlockSizes = { kind: 'range', minBytes: 4 * K, maxBytes: 16 * K };

  it('draws every multiple of the smallest size, evenly', () => {
    const found = counts(range, 1 << 20);
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([4 * K, 8 * K, 12 * K, 16 * K]);
    for (const n of found.values()) expect(n / 100_000).toBeCloseTo(0.25, 2);
  });

  it('draws only what fits near the end of the file', () => {
    const found = counts(range, 9 * K);
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([4 * K, 8 * K]);
    expect(counts(range, 3 * K, 10)).toEqual(new Map([[0, 10]]));
  });

  it('is not rounded with bs_unaligned, and never above the largest', () => {
    const found = [...counts(range, 1 << 20, 10_000, true).keys()];
    expect(found.some((size) => size % (4 * K) !== 0)).toBe(true);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(4 * K);
    expect(Math.max(...found)).toBeLessThanOrEqual(16 * K);
    expect(Math.max(...counts(range, 10 * K, 10_000, true).keys())).toBeLessThanOrEqual(10 * K);
  });

  it('rounds to multiples of a smallest size that is no power of two', () => {
    const found = counts({ kind: 'range', minBytes: 3 * K, maxBytes: 9 * K }, 1 << 20, 1000);
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([3 * K, 6 * K, 9 * K]);
  });
});

describe('split of sizes', () => {
  it('gives each size its percentage (chi-square below its 99.9 percent point)', () => {
    const found = counts(split([16 * K, 10], [64 * K, 30], [4 * K, 60]), 1 << 20);
    const chi2 = [
      [16, 0.1],
      [64, 0.3],
      [4, 0.6],
    ].reduce((sum, [size, p]) => sum + ((found.get(size * K) ?? 0) - p * 100_000) ** 2 / (p * 100_000), 0);
    expect(chi2).toBeLessThan(13.8);
  });

  it('gives the last size what is missing to 100 percent', () => {
    const found = counts(split([4 * K, 10], [8 * K, 20]), 1 << 20);
    expect((found.get(8 * K) ?? 0) / 100_000).toBeCloseTo(0.9, 2);
  });

  it('draws only sizes that fit near the end of the file', () => {
    const found = counts(split([4 * K, 20], [8 * K, 20], [64 * K, 60]), 8 * K);
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([4 * K, 8 * K]);
    expect((found.get(4 * K) ?? 0) / 100_000).toBeCloseTo(0.5, 2);
    expect(counts(split([4 * K, 50], [8 * K, 50]), 2 * K, 10)).toEqual(new Map([[0, 10]]));
  });

  it('falls back to the smallest that fits where only sizes without a share would', () => {
    expect(counts(split([4 * K, 0], [64 * K, 100]), 8 * K, 10)).toEqual(new Map([[4 * K, 10]]));
  });
});

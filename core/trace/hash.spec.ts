import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { TraceHash } from './hash.ts';

const digest = (...numbers: number[]): string => {
  const hash = new TraceHash();
  for (const n of numbers) hash.add(n);
  return hash.hex();
};

describe('the trace hash', () => {
  it('is the same 16 hex digits for the same numbers', () => {
    expect(digest(1, 2, 3)).toBe(digest(1, 2, 3));
    expect(digest(1, 2, 3)).toMatch(/^[0-9a-f]{16}$/);
  });

  it('keeps its value between versions, so that stored hashes stay comparable', () => {
    expect([digest(), digest(0), digest(1, 2, 3), digest(2 ** 53 - 1, -(2 ** 53))]).toMatchInlineSnapshot(`
      [
        "2fbbfa18bcf51837",
        "5c45c3e29fc4b9ca",
        "b8395638ce940f6c",
        "a0baae397a4bd7df",
      ]
    `);
  });

  it('depends on the order', () => {
    expect(digest(1, 2)).not.toBe(digest(2, 1));
  });

  it('depends on how many numbers there were, even zeros', () => {
    const digests = [digest(), digest(0), digest(0, 0), digest(0, 0, 0)];
    expect(new Set(digests).size).toBe(4);
  });

  it('tells numbers apart that are equal modulo 2^32, and a missing value from every number', () => {
    const numbers = [
      0,
      2 ** 32,
      2 ** 33,
      -(2 ** 32),
      2 ** 52,
      -1,
      2 ** 32 - 1,
      2 ** 53 - 1,
      -(2 ** 53),
      NaN,
      2 ** 31,
      -(2 ** 31),
    ];
    expect(new Set(numbers.map((n) => digest(n))).size).toBe(numbers.length);
  });

  it('has no collision in either half of the digest beyond chance over 50,000 near-equal sequences', () => {
    const halves: [Set<string>, Set<string>] = [new Set(), new Set()];
    const n = 50_000;
    for (let i = 0; i < n; i++) {
      const hex = digest(1_000_000 + i, 4096, i * 4096, 7);
      halves[0].add(hex.slice(0, 8));
      halves[1].add(hex.slice(8));
    }
    // Birthday bound: n² / 2^33 ≈ 0.29 expected collisions of a 32-bit half.
    expect(n - halves[0].size).toBeLessThan(6);
    expect(n - halves[1].size).toBeLessThan(6);
  });

  it('changes about half of the digest bits when one input bit flips', () => {
    const random = new RandomStream(1, 'flip');
    let flipped = 0;
    const trials = 2000;
    for (let i = 0; i < trials; i++) {
      const n = random.below(2 ** 52);
      const bit = random.below(52);
      const other = Math.floor(n / 2 ** bit) % 2 === 0 ? n + 2 ** bit : n - 2 ** bit;
      const difference = BigInt(`0x${digest(n, 5)}`) ^ BigInt(`0x${digest(other, 5)}`);
      flipped += difference.toString(2).replaceAll('0', '').length;
    }
    expect(flipped / trials / 64).toBeGreaterThan(0.47);
    expect(flipped / trials / 64).toBeLessThan(0.53);
  });

  it('gives a column and a text the digest of their numbers in order', () => {
    const column = new TraceHash();
    column.addColumn(Float64Array.of(5, 6, 7, 8), 3);
    expect(column.hex()).toBe(digest(5, 6, 7));
    const text = new TraceHash();
    text.addText('ab');
    expect(text.hex()).toBe(digest(2, 97, 98));
  });

  it('can be read in the middle without disturbing the rest', () => {
    const hash = new TraceHash();
    hash.add(1);
    expect(hash.hex()).toBe(digest(1));
    hash.add(2);
    expect(hash.hex()).toBe(digest(1, 2));
  });
});

import { expect, it } from 'vitest';
import { hasEnoughBeyond, rankOf, samplesNeeded } from './percentile.ts';

it.each([
  [50, 20],
  [90, 100],
  [99, 1000],
  [99.9, 10_000],
  [99.99, 100_000],
])('p%d needs %d samples: ten must lie beyond it', (percent, n) => {
  expect(samplesNeeded(percent)).toBe(n);
  expect(hasEnoughBeyond(n, percent)).toBe(true);
  expect(hasEnoughBeyond(n - 1, percent)).toBe(false);
});

it.each([
  [100, 50, 49],
  [1000, 99, 989],
  [1001, 99, 990],
  [10_000, 99.9, 9989],
  [1, 99.9, 0],
])('of %d samples p%d is the one at index %d (nearest rank)', (n, percent, index) => {
  expect(rankOf(n, percent)).toBe(index);
});

import { describe, expect, it } from 'vitest';
import { Engine } from './engine.ts';
import { RandomStream } from './random.ts';

const draws = (stream: RandomStream, n: number): number[] => Array.from({ length: n }, () => stream.u32());

/** Chi-square statistic of counts against a uniform expectation. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, c) => sum + (c - expected) ** 2 / expected, 0);
}

describe('a random stream', () => {
  it('is determined by seed and name', () => {
    expect(draws(new RandomStream(5, 'media/tR'), 20)).toEqual(draws(new RandomStream(5, 'media/tR'), 20));
    expect(draws(new Engine(5).stream('media/tR'), 20)).toEqual(draws(new RandomStream(5, 'media/tR'), 20));
  });

  it('keeps its values between versions, so that stored runs can be repeated', () => {
    expect(draws(new RandomStream(1, 'workload/job0/offset'), 4)).toMatchInlineSnapshot(`
      [
        52129966,
        2535804742,
        415431500,
        1956033137,
      ]
    `);
  });

  it('differs for every seed, also beyond 32 bits, and for every name', () => {
    const firsts = new Set<string>();
    for (const seed of [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 52]) {
      for (const name of ['', 'a', 'b', 'ab', 'ba', 'workload/app.0/offset', 'workload/app.1/offset']) {
        firsts.add(draws(new RandomStream(seed, name), 2).join());
      }
    }
    expect(firsts.size).toBe(49);
  });

  it('is uncorrelated with the streams of neighbouring names and seeds', () => {
    const n = 20_000;
    const reference = new RandomStream(1, 'job.0');
    const others = [new RandomStream(1, 'job.1'), new RandomStream(2, 'job.0')];
    const sums = [0, 0];
    for (let i = 0; i < n; i++) {
      const r = reference.unit() - 0.5;
      others.forEach((other, k) => (sums[k] += r * (other.unit() - 0.5)));
    }
    // The product of two independent centred uniforms has deviation 1/12: five deviations of the mean.
    for (const sum of sums) expect(Math.abs(sum / n)).toBeLessThan(5 / 12 / Math.sqrt(n));
  });

  it('draws integers below n evenly and never n itself, for small and large n', () => {
    for (const n of [1, 2, 7, 64, 2 ** 20, 2 ** 32, 2 ** 40, 2 ** 53]) {
      const stream = new RandomStream(9, `below ${n}`);
      const buckets = Math.min(n, 64);
      const counts = new Array<number>(buckets).fill(0);
      let outside = 0;
      for (let i = 0; i < 64_000; i++) {
        const value = stream.below(n);
        if (!Number.isInteger(value) || value < 0 || value >= n) outside++;
        counts[Math.floor((value / n) * buckets)]++;
      }
      expect(outside).toBe(0);
      // 63 degrees of freedom: 117 is the 0.00005 quantile of the tail.
      expect(chiSquare(counts)).toBeLessThan(117);
    }
  });

  it('gives every value of a large range the same chance, to one in a million', () => {
    // With n = 3·2^30, scaling a 32-bit draw down would give every third value twice the weight of the others.
    const n = 3 * 2 ** 30;
    const stream = new RandomStream(2, 'bias');
    const residues = [0, 0, 0];
    for (let i = 0; i < 90_000; i++) residues[stream.below(n) % 3]++;
    expect(chiSquare(residues)).toBeLessThan(24);
  });

  it('draws exponentially with the right mean and deviation', () => {
    const stream = new RandomStream(4, 'exponential');
    const n = 200_000;
    let sum = 0;
    let squares = 0;
    let least = Infinity;
    for (let i = 0; i < n; i++) {
      const value = stream.exponential(100);
      least = Math.min(least, value);
      sum += value;
      squares += value * value;
    }
    expect(least).toBeGreaterThanOrEqual(0);
    expect(Math.abs(sum / n - 100)).toBeLessThan((5 * 100) / Math.sqrt(n));
    expect(Math.abs(squares / n - 20_000)).toBeLessThan((5 * 44_721) / Math.sqrt(n));
  });

  it('has bits that are set half of the time, each one', () => {
    const stream = new RandomStream(6, 'bits');
    const ones = new Array<number>(32).fill(0);
    const n = 50_000;
    for (let i = 0; i < n; i++) {
      const value = stream.u32();
      for (let b = 0; b < 32; b++) ones[b] += (value >>> b) & 1;
    }
    for (const count of ones) expect(Math.abs(count - n / 2)).toBeLessThan(5 * Math.sqrt(n / 4));
  });
});

/**
 * Random distributions over the blocks of a file: which block the next random I/O goes to.
 *
 * Zipf after Gray et al., "Quickly generating billion-record synthetic databases" (SIGMOD 1994); pareto as a power of a uniform draw; normal by summing twelve uniform
 * draws. As in fio, the ranks of zipf, pareto and normal are scattered over the file by a hash, so neighbours in rank are not neighbours on the device; a centre only moves the
 * whole picture so that the hottest block of zipf and pareto lies there. The numbers are not fio's own (another generator), their statistics are.
 *
 * @source fio 3.33 HOWTO "random_distribution"; scattering with and without a centre observed with `--write_iolog`
 */
import type { RandomStream } from '../engine/random.ts';
import type { Distribution, ZoneEntry } from './fio/job.ts';

/** Draws block numbers in 0..blocks-1. */
export type BlockDraw = () => number;

/** Terms of the zeta sum that are added one by one; the rest is an integral. @assume good to six digits for theta up to 2 */
const ZETA_TERMS = 100_000;

/** The draw of a distribution over `blocks` blocks of `blockBytes` for direction `ddir`; `scatters`: ranks are hashed over the blocks. */
export function blockDraw(
  distribution: Distribution,
  blocks: number,
  blockBytes: number,
  ddir: number,
  stream: RandomStream,
  scatters = true,
): BlockDraw {
  switch (distribution.kind) {
    case 'random':
      return () => stream.below(blocks);
    case 'zipf':
      return placed(
        zipf(blocks, distribution.parameter, stream),
        blocks,
        distribution.center ?? stream.unit(),
        scatters,
      );
    case 'pareto':
      return placed(
        pareto(blocks, distribution.parameter, stream),
        blocks,
        distribution.center ?? stream.unit(),
        scatters,
      );
    case 'normal':
      return placed(
        normal(blocks, distribution.parameter, stream),
        blocks,
        (distribution.center ?? 0.5) - 0.5,
        scatters,
      );
    case 'zoned':
    case 'zoned_abs':
      return zoned(distribution.zones[ddir] ?? distribution.zones[0], blocks, blockBytes, stream);
  }
}

function zipf(blocks: number, theta: number, stream: RandomStream): BlockDraw {
  const zetaN = zeta(blocks, theta);
  const zeta2 = zeta(Math.min(2, blocks), theta);
  const alpha = 1 / (1 - theta);
  const eta = (1 - (2 / blocks) ** (1 - theta)) / (1 - zeta2 / zetaN);
  return () => {
    const u = stream.unit();
    const uz = u * zetaN;
    if (uz < 1 || blocks === 1) return 0;
    if (uz < 1 + 0.5 ** theta) return 1;
    return Math.min(blocks - 1, Math.floor(blocks * (eta * u - eta + 1) ** alpha));
  };
}

/** Sum of i^-theta for i = 1..n: the first terms exactly, the rest by the integral with the midpoint rule. */
function zeta(n: number, theta: number): number {
  const exact = Math.min(n, ZETA_TERMS);
  let sum = 0;
  for (let i = exact; i >= 1; i--) sum += i ** -theta;
  if (n > exact) sum += ((n + 0.5) ** (1 - theta) - (exact + 0.5) ** (1 - theta)) / (1 - theta);
  return sum;
}

function pareto(blocks: number, h: number, stream: RandomStream): BlockDraw {
  const power = Math.log(h) / Math.log(1 - h);
  return () => Math.min(blocks - 1, Math.floor(blocks * stream.unit() ** power));
}

/** Around the middle of the ranks. */
function normal(blocks: number, deviationPercent: number, stream: RandomStream): BlockDraw {
  const deviation = (blocks * deviationPercent) / 100;
  const middle = Math.floor(blocks / 2);
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += stream.unit();
    return modulo(middle + Math.floor(sum * deviation), blocks);
  };
}

/** Spreads ranks over the file, counted from `base` (a share of the file); rank 0 stays at the base. */
function placed(rank: BlockDraw, blocks: number, base: number, scatters: boolean): BlockDraw {
  const baseBlock = modulo(Math.floor(base * blocks), blocks);
  return scatters ? () => (scatter(rank()) + baseBlock) % blocks : () => (rank() + baseBlock) % blocks;
}

/** A 53-bit hash of a rank, 0 for 0: two rounds of 32-bit mixing (finaliser of MurmurHash3). */
function scatter(rank: number): number {
  if (rank === 0) return 0;
  const low = mix(rank | 0);
  const high = mix((Math.floor(rank / 0x1_0000_0000) ^ low) + 0x9e3779b9) & 0x1fffff;
  return high * 0x1_0000_0000 + (low >>> 0);
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Zones in order: `accessPercent` of the I/Os go to a zone, uniformly within it. */
function zoned(zones: readonly ZoneEntry[], blocks: number, blockBytes: number, stream: RandomStream): BlockDraw {
  const ends: number[] = [];
  let end = 0;
  for (const zone of zones) {
    const zoneBlocks =
      zone.size.unit === 'percent' ? (blocks * zone.size.value) / 100 : Math.floor(zone.size.value / blockBytes);
    end = Math.min(blocks, end + zoneBlocks);
    ends.push(Math.round(end));
  }
  return () => {
    const percent = stream.unit() * 100;
    let upTo = 0;
    let zone = zones.findIndex((z) => percent < (upTo += z.accessPercent));
    if (zone < 0) zone = zones.length - 1;
    const from = zone === 0 ? 0 : ends[zone - 1];
    return Math.min(blocks - 1, from + stream.below(Math.max(1, ends[zone] - from)));
  };
}

function modulo(value: number, n: number): number {
  return ((value % n) + n) % n;
}

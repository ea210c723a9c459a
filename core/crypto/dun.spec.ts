import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import * as dun from './dun.ts';

const MAX = dun.DUN_END - 1n;

/** DUNs where carries happen, and some where nothing does. */
const EDGES = [
  0n,
  1n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 64n - 1n,
  2n ** 64n,
  2n ** 96n - 3n,
  2n ** 128n - 1n,
  2n ** 192n - 1n,
  2n ** 255n,
  MAX - 1n,
  MAX,
];
const STEPS = [0, 1, 2, 8, 2 ** 20, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, 2 ** 53 - 2 ** 32 - 1];

function randomDun(random: RandomStream): bigint {
  let value = 0n;
  const words = 1 + random.below(8);
  for (let i = 0; i < words; i++) {
    const word = random.below(3) === 0 ? 0xffffffffn : BigInt(random.below(2 ** 32));
    value = (value << 32n) | word;
  }
  return value;
}

const row = (value: bigint): Uint32Array => {
  const words = new Uint32Array(dun.DUN_WORDS);
  dun.storeDun(words, 0, value);
  return words;
};

describe('limbs and IV bytes (inline-crypto 1.3, 8.1)', () => {
  it('split into four limbs of 64 bits, least significant first, and merge again', () => {
    const value = (4n << 192n) | (3n << 128n) | (2n << 64n) | (2n ** 64n - 1n);
    expect(dun.splitDun(value)).toEqual([2n ** 64n - 1n, 2n, 3n, 4n]);
    expect(dun.mergeDun(dun.splitDun(value))).toBe(value);
    expect(dun.mergeDun([7n])).toBe(7n);
    expect(dun.mergeDun([0n, 1n])).toBe(2n ** 64n);
  });

  it('the IV is the limbs little-endian one after another, cut to the mode’s IV', () => {
    const value = 0x0102030405060708_1112131415161718n;
    expect(Buffer.from(dun.ivOf(value, 16)).toString('hex')).toBe('18171615141312110807060504030201');
    expect(Buffer.from(dun.ivOf(value, 8)).toString('hex')).toBe('1817161514131211');
    expect(Buffer.from(dun.ivOf(value << 128n, 32)).toString('hex')).toBe(
      '0000000000000000000000000000000018171615141312110807060504030201',
    );
    expect(dun.dunOfIv(dun.ivOf(value, 32))).toBe(value);
    expect(() => dun.ivOf(0n, 33)).toThrow(RangeError);
  });
});

describe('arithmetic on bigint DUNs', () => {
  it('carries into the next limb and drops the carry out of the last', () => {
    expect(dun.splitDun(dun.incrementDun(2n ** 64n - 1n, 1))).toEqual([0n, 1n, 0n, 0n]);
    expect(dun.splitDun(dun.incrementDun(2n ** 128n - 1n, 3))).toEqual([2n, 0n, 1n, 0n]);
    expect(dun.incrementDun(MAX, 1)).toBe(0n);
  });

  it('advances by whole data units and ignores what is left of one', () => {
    expect(dun.advanceDun(10n, 8192, 12)).toBe(12n);
    expect(dun.advanceDun(10n, 8191, 12)).toBe(11n);
    expect(dun.advanceDun(10n, 2 ** 33, 9)).toBe(10n + 2n ** 24n);
  });

  it('runs on where the next DUN is the next number over all limbs', () => {
    expect(dun.isContiguous(5n, 4096, 12, 6n)).toBe(true);
    expect(dun.isContiguous(5n, 4096, 12, 5n)).toBe(false);
    expect(dun.isContiguous(2n ** 32n - 1n, 512, 9, 2n ** 32n)).toBe(true);
    expect(dun.isContiguous(2n ** 64n - 1n, 512, 9, 2n ** 64n)).toBe(true);
    expect(dun.isContiguous(2n ** 64n - 1n, 512, 9, 0n)).toBe(false);
    expect(dun.isContiguous(2n ** 128n + 5n, 512, 9, 6n)).toBe(false);
  });

  it('I-20: a range that wraps through zero at the full width never runs on', () => {
    expect(dun.isContiguous(MAX, 512, 9, 0n)).toBe(false);
    expect(dun.isContiguous(MAX - 1n, 512, 9, MAX)).toBe(true);
    expect(dun.rowsAreContiguous(row(MAX), 0, 512, 9, row(0n), 0)).toBe(false);
    expect(dun.rowsAreContiguous(row(MAX - 1n), 0, 512, 9, row(MAX), 0)).toBe(true);
  });

  it('a 32-bit DUN that wraps is not protected: 2^32 - 1 runs on with 2^32, not with 0', () => {
    expect(dun.isContiguous(2n ** 32n - 1n, 4096, 12, 0n)).toBe(false);
    expect(dun.wrapDun(2n ** 32n - 1n, 1, 4)).toBe(0n);
    expect(dun.wrapDun(2n ** 32n - 1n, 1, 8)).toBe(2n ** 32n);
    expect(dun.wrapDun(MAX, 2n, 32)).toBe(1n);
  });
});

describe('widths', () => {
  it('I-18: a DUN fits its width or it does not', () => {
    expect(dun.fitsDunBytes(255n, 1)).toBe(true);
    expect(dun.fitsDunBytes(256n, 1)).toBe(false);
    expect(dun.fitsDunBytes(2n ** 64n - 1n, 8)).toBe(true);
    expect(dun.fitsDunBytes(2n ** 64n, 8)).toBe(false);
    expect(dun.fitsDunBytes(MAX, 32)).toBe(true);
  });

  it('I-17: the last unit of a range must fit too (I-16)', () => {
    expect(dun.rangeFitsDunBytes(2n ** 32n - 2n, 2, 4)).toBe(true);
    expect(dun.rangeFitsDunBytes(2n ** 32n - 2n, 3, 4)).toBe(false);
    expect(dun.rangeFitsDunBytes(2n ** 64n - 1n, 1, 8)).toBe(true);
    expect(dun.rangeFitsDunBytes(2n ** 64n - 1n, 2, 8)).toBe(false);
  });

  it('I-18: rows fit as their DUNs do, at every width and just beyond it', () => {
    const words = new Uint32Array(dun.DUN_WORDS);
    for (const bytes of [1, 3, 4, 6, 7, 8, 9, 16, 31, 32]) {
      for (const less of [0n, 1n, 2n, 5n, 2n ** 20n, 2n ** BigInt(8 * bytes - 1)]) {
        const first = 2n ** BigInt(8 * bytes) - less;
        if (first > MAX || first < 0n) continue;
        dun.storeDun(words, 0, first);
        for (const units of [1, 2, 3, 5, 6]) {
          const fits = dun.rangeFitsDunBytes(first, units, bytes);
          expect([first, units, bytes, dun.rowFitsDunBytes(words, 0, units, bytes)]).toEqual([
            first,
            units,
            bytes,
            fits,
          ]);
        }
      }
    }
  });

  it('tells how many units are left before a narrow DUN wraps', () => {
    expect(dun.unitsBeforeWrap(2n ** 32n - 3n, 4, 256)).toBe(3);
    expect(dun.unitsBeforeWrap(0n, 4, 256)).toBe(256);
    expect(dun.unitsBeforeWrap(5n, 32, 2 ** 40)).toBe(2 ** 40);
  });

  it('tells which DUNs are exact as plain numbers', () => {
    expect(dun.isNarrowDun(2n ** 53n - 1n)).toBe(true);
    expect(dun.isNarrowDun(2n ** 53n - 1n, 1)).toBe(false);
    expect(dun.narrowDunsRunOn(7, 8192, 12, 9)).toBe(true);
    expect(dun.narrowDunsRunOn(7, 8192, 12, 8)).toBe(false);
  });
});

describe('rows of words', () => {
  it('hold every DUN', () => {
    const words = new Uint32Array(EDGES.length * dun.DUN_WORDS);
    EDGES.forEach((value, i) => dun.storeDun(words, i, value));
    expect(EDGES.map((_, i) => dun.loadDun(words, i))).toEqual(EDGES);
    expect(EDGES.map((_, i) => dun.loadDunAsNumber(words, i))).toEqual(EDGES.map(Number));
    dun.storeNarrowDun(words, 2, 2 ** 53 - 1);
    expect(dun.loadDun(words, 2)).toBe(2n ** 53n - 1n);
    dun.copyDun(words, 12, words, 1);
    expect(dun.loadDun(words, 1)).toBe(MAX);
  });

  it('increment as bigints do, over every carry', () => {
    for (const value of EDGES) {
      for (const units of STEPS) {
        const words = row(value);
        dun.incrementRow(words, 0, units);
        expect(dun.loadDun(words, 0)).toBe(dun.incrementDun(value, units));
      }
    }
  });

  it('agree with bigints on random DUNs: advance, contiguity with the true and with wrong neighbours', () => {
    const random = new RandomStream(1, 'spec/dun');
    for (let i = 0; i < 5000; i++) {
      const first = randomDun(random);
      const unitBits = 9 + random.below(4);
      const bytes = random.below(2 ** 30);
      const next = dun.advanceDun(first, bytes, unitBits);
      const words = new Uint32Array(3 * dun.DUN_WORDS);
      dun.storeDun(words, 0, first);
      dun.storeDun(words, 1, first);
      dun.advanceRow(words, 1, bytes, unitBits);
      expect(dun.loadDun(words, 1)).toBe(next);
      const wrong = next ^ (1n << BigInt(random.below(256)));
      dun.storeDun(words, 2, wrong);
      expect(dun.rowsAreContiguous(words, 0, bytes, unitBits, words, 1)).toBe(
        dun.isContiguous(first, bytes, unitBits, next),
      );
      expect(dun.rowsAreContiguous(words, 0, bytes, unitBits, words, 2)).toBe(false);
      expect(dun.isContiguous(first, bytes, unitBits, wrong)).toBe(false);
    }
  });

  it('I-21: after a split the second DUN is the first plus the first part’s units', () => {
    const random = new RandomStream(2, 'spec/dun');
    for (let i = 0; i < 200; i++) {
      const first = randomDun(random);
      const front = 4096 * (1 + random.below(64));
      const second = dun.advanceDun(first, front, 12);
      expect(second).toBe((first + BigInt(front / 4096)) % dun.DUN_END);
      expect(dun.isContiguous(first, front, 12, second)).toBe(second > first);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { nh, NH_KEY_BYTES } from './nh.ts';
import { Poly1305 } from './poly1305.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const number = (data: Uint8Array): bigint => data.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** The authenticator of RFC 8439: the hash plus s. */
function tagOf(r: string, s: string, message: string): string {
  const poly = new Poly1305(bytes(r.padEnd(32, '0')));
  const sum = bytes(s.padEnd(32, '0'));
  poly.update(bytes(message));
  poly.addTo(sum);
  return hex(sum);
}

const tag = (start: string): string => start.padEnd(32, '0');
const block = (start: string): string => start.padEnd(32, '0');

describe('Poly1305', () => {
  it.each([
    ['1: zeroes', '00', '', block('').repeat(4), tag('')],
    ['7: wraps past 2^130 - 5', '02', '', 'ff'.repeat(16), tag('03')],
    ['8: s carries out of 2^128', '02', 'ff'.repeat(16), block('02'), tag('03')],
    ['9: sums to 2^130 exactly', '01', '', `${'ff'.repeat(16)}f0${'ff'.repeat(15)}${block('11')}`, tag('05')],
    ['10: zero modulo p', '01', '', `${'ff'.repeat(16)}fb${'fe'.repeat(15)}${'01'.repeat(16)}`, tag('')],
    ['11: 2^130 - 6 stays', '02', '', `fd${'ff'.repeat(15)}`, `fa${'ff'.repeat(15)}`],
    [
      '12: 64-bit halves',
      '01000000000000000400000000000000',
      '',
      `${block('e33594d7505e43b9')}${block('3394d7505e4379cd01')}${block('')}${block('01')}`,
      tag('14000000000000005500000000000000'),
    ],
    [
      '13: the same without the last block',
      '01000000000000000400000000000000',
      '',
      `${block('e33594d7505e43b9')}${block('3394d7505e4379cd01')}${block('')}`,
      tag('13'),
    ],
  ])('gives the tag of RFC 8439 A.3 vector %s', (_, r, s, message, want) => {
    expect(tagOf(r, s, message)).toBe(want);
  });

  it('is the polynomial of its definition for random points and messages', () => {
    const random = new RandomStream(1, 'spec/poly1305');
    const draw = (length: number): Uint8Array =>
      Uint8Array.from({ length }, () => (random.below(4) === 0 ? 0xff : random.below(256)));
    for (let i = 0; i < 500; i++) {
      const r = draw(16);
      const message = draw(16 * random.below(20));
      const point = number(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
      let h = 0n;
      for (let at = 0; at < message.length; at += 16) {
        h = ((h + number(message.subarray(at, at + 16)) + (1n << 128n)) * point) % ((1n << 130n) - 5n);
      }
      const poly = new Poly1305(r);
      poly.update(draw(32));
      poly.reset();
      poly.update(message);
      const sum = new Uint8Array(16);
      poly.addTo(sum);
      expect(number(sum)).toBe(BigInt.asUintN(128, h));
    }
  });
});

describe('NH', () => {
  /** The definition with bigints: four passes, words two apart multiplied, keys four words further each pass. */
  function plainNh(key: Uint32Array, words: Uint32Array): bigint[] {
    return [0, 1, 2, 3].map((pass) => {
      let sum = 0n;
      for (let i = 0; i < words.length; i += 4) {
        const term = (j: number): bigint => BigInt((words[i + j] + key[4 * pass + i + j]) >>> 0);
        sum += term(0) * term(2) + term(1) * term(3);
      }
      return BigInt.asUintN(64, sum);
    });
  }

  it('is its definition, at every length and with the largest words', () => {
    const random = new RandomStream(1, 'spec/nh');
    for (let i = 0; i < 130; i++) {
      const length = 4 * (i < 64 ? i + 1 : 1 + random.below(64));
      const word = i % 3 === 0 ? () => 0xffffffff : () => random.below(2 ** 32);
      const key = Uint32Array.from({ length: NH_KEY_BYTES / 4 }, i % 6 === 0 ? () => 0 : word);
      const message = Uint32Array.from({ length: 8 + length }, word);
      const out = new Uint32Array(8);
      nh(key, message, 8, 8 + length, out);
      const got = [0, 1, 2, 3].map((pass) => (BigInt(out[2 * pass + 1]) << 32n) | BigInt(out[2 * pass]));
      expect(got).toEqual(plainNh(key, message.subarray(8)));
    }
  });
});

/**
 * SM4, the block cipher of GB/T 32907-2016, in TypeScript: 128-bit blocks and keys, 32 rounds of an unbalanced Feistel network.
 *
 * The S-box is computed from its algebraic description (inversion between two equal affine maps), the round's substitution and diffusion come
 * from four 256-word tables. Not constant time. No runtime's cipher is asked: SM4 is absent from BoringSSL.
 *
 * @source GB/T 32907-2016 (draft-ribose-cfrg-sm4 in English): 6 algorithm, 7 key expansion; the algebraic form of the S-box:
 *   F. Liu et al., "Analysis of the SMS4 Block Cipher", ACISP 2007
 */
import type { BlockCipher } from '../ports.ts';
import { gfInverses, rotateByte, rotatedTable } from './galois.ts';

/** @source ACISP 2007, the field of SM4's S-box: x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1 */
const POLYNOMIAL = 0x1f5;
/** @source ACISP 2007, the constant of the affine map */
const AFFINE = 0xd3;
const ROUNDS = 32;

/** The affine map on both sides of the inversion. @source ACISP 2007: circulant matrix with the first row 11100101, here as sum of rotations */
function affine(byte: number): number {
  return byte ^ rotateByte(byte, 1) ^ rotateByte(byte, 3) ^ rotateByte(byte, 6) ^ rotateByte(byte, 7) ^ AFFINE;
}

function makeSbox(): Uint8Array {
  const inverses = gfInverses(POLYNOMIAL);
  return Uint8Array.from({ length: 256 }, (_, byte) => affine(inverses[affine(byte)]));
}

export const SM4_SBOX = makeSbox();

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** S-box in the highest byte, then the diffusion L of the rounds. @source GB/T 32907 6.2.2 */
const T0 = Uint32Array.from(SM4_SBOX, (value) => {
  const word = value << 24;
  return word ^ rotate(word, 2) ^ rotate(word, 10) ^ rotate(word, 18) ^ rotate(word, 24);
});
const T1 = rotatedTable(T0, 8);
const T2 = rotatedTable(T0, 16);
const T3 = rotatedTable(T0, 24);

/** @source GB/T 32907 7.3 system parameter FK */
const FK = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];

/** Fixed parameter of round i: byte j is (4i + j) * 7 mod 256. @source GB/T 32907 7.3 CK */
function ck(round: number): number {
  let word = 0;
  for (let j = 0; j < 4; j++) word = (word << 8) | (((4 * round + j) * 7) & 0xff);
  return word;
}

function subWord(word: number): number {
  const box = SM4_SBOX;
  return (
    (box[word >>> 24] << 24) | (box[(word >>> 16) & 0xff] << 16) | (box[(word >>> 8) & 0xff] << 8) | box[word & 0xff]
  );
}

function load(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

function store(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function expandKey(key: Uint8Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(4 + ROUNDS);
  for (let i = 0; i < 4; i++) words[i] = load(key, 4 * i) ^ FK[i];
  for (let i = 0; i < ROUNDS; i++) {
    const mixed = subWord(words[i + 1] ^ words[i + 2] ^ words[i + 3] ^ ck(i));
    words[i + 4] = words[i] ^ mixed ^ rotate(mixed, 13) ^ rotate(mixed, 23); // @source GB/T 32907 7.3 L'
  }
  const schedule = words.slice(4);
  words.fill(0);
  return schedule;
}

/** The round function without the XOR of the fourth word. */
function round(word: number): number {
  return T0[word >>> 24] ^ T1[(word >>> 16) & 0xff] ^ T2[(word >>> 8) & 0xff] ^ T3[word & 0xff];
}

/** 32 rounds, four to a turn; the result's words come out in reverse order. */
function crypt(k: Uint32Array, bytes: Uint8Array, at: number): void {
  let a = load(bytes, at);
  let b = load(bytes, at + 4);
  let c = load(bytes, at + 8);
  let d = load(bytes, at + 12);
  for (let i = 0; i < ROUNDS; i += 4) {
    a ^= round(b ^ c ^ d ^ k[i]);
    b ^= round(c ^ d ^ a ^ k[i + 1]);
    c ^= round(d ^ a ^ b ^ k[i + 2]);
    d ^= round(a ^ b ^ c ^ k[i + 3]);
  }
  store(bytes, at, d);
  store(bytes, at + 4, c);
  store(bytes, at + 8, b);
  store(bytes, at + 12, a);
}

/** SM4 under one key. Works in place and returns what it was given. */
export class Sm4 implements BlockCipher {
  private readonly schedule: Uint32Array;
  private readonly inverseSchedule: Uint32Array;

  /** @throws RangeError unless the key has 16 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 16) throw new RangeError(`an SM4 key has 16 bytes, not ${key.length}`);
    this.schedule = expandKey(key);
    this.inverseSchedule = this.schedule.toReversed();
  }

  encrypt(blocks: Uint8Array): Uint8Array {
    for (let at = 0; at < blocks.length; at += 16) crypt(this.schedule, blocks, at);
    return blocks;
  }

  decrypt(blocks: Uint8Array): Uint8Array {
    for (let at = 0; at < blocks.length; at += 16) crypt(this.inverseSchedule, blocks, at);
    return blocks;
  }

  wipe(): void {
    this.schedule.fill(0);
    this.inverseSchedule.fill(0);
  }
}

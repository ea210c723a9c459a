/**
 * AES-128 and AES-256 in TypeScript, as reference for the native ports and for cores that have none.
 *
 * The usual form with four 256-word tables per direction (SubBytes, ShiftRows and MixColumns of a column in four look-ups); the tables are
 * computed at load from the definition of the S-box. Decryption is the equivalent inverse cipher, with InvMixColumns applied to the round keys.
 * Deliberately not: constant time. Table look-ups leak the key through the cache; the keys here are those of an emulation.
 *
 * @source FIPS 197 (5.1 cipher, 5.2 key expansion, 5.3.5 equivalent inverse cipher)
 */
import type { BlockCipher } from '../ports.ts';
import { gfInverses, gfMultiply, rotateByte, rotatedTable } from './galois.ts';

/** @source FIPS 197 4.2: x^8 + x^4 + x^3 + x + 1 */
const POLYNOMIAL = 0x11b;
/** @source FIPS 197 5.1.1, the constant of the affine transformation */
const AFFINE = 0x63;

const SBOX = gfInverses(POLYNOMIAL).map(
  (b) => b ^ rotateByte(b, 1) ^ rotateByte(b, 2) ^ rotateByte(b, 3) ^ rotateByte(b, 4) ^ AFFINE,
);
const INVERSE_SBOX = new Uint8Array(256);
SBOX.forEach((value, byte) => (INVERSE_SBOX[value] = byte));

/** One byte through a substitution and one column of a MixColumns matrix, as a big-endian word. */
function columnTable(box: Uint8Array, column: readonly number[]): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: 256 }, (_, byte) =>
    column.reduce((word, factor) => (word << 8) | gfMultiply(box[byte], factor, POLYNOMIAL), 0),
  );
}

// The first columns of the MixColumns matrices. @source FIPS 197 5.1.3, 5.3.3
const T0 = columnTable(SBOX, [2, 1, 1, 3]);
const T1 = rotatedTable(T0, 8);
const T2 = rotatedTable(T0, 16);
const T3 = rotatedTable(T0, 24);
const D0 = columnTable(INVERSE_SBOX, [14, 9, 13, 11]);
const D1 = rotatedTable(D0, 8);
const D2 = rotatedTable(D0, 16);
const D3 = rotatedTable(D0, 24);

function subWord(word: number): number {
  return (
    (SBOX[word >>> 24] << 24) |
    (SBOX[(word >>> 16) & 0xff] << 16) |
    (SBOX[(word >>> 8) & 0xff] << 8) |
    SBOX[word & 0xff]
  );
}

/** The round keys as big-endian words, four per round. @source FIPS 197 5.2 */
function expandKey(key: Uint8Array): Uint32Array<ArrayBuffer> {
  const keyWords = key.length / 4;
  const schedule = new Uint32Array(4 * (keyWords + 7));
  for (let i = 0; i < keyWords; i++) {
    schedule[i] = (key[4 * i] << 24) | (key[4 * i + 1] << 16) | (key[4 * i + 2] << 8) | key[4 * i + 3];
  }
  let roundConstant = 1;
  for (let i = keyWords; i < schedule.length; i++) {
    let word = schedule[i - 1];
    if (i % keyWords === 0) {
      word = subWord((word << 8) | (word >>> 24)) ^ (roundConstant << 24);
      roundConstant = gfMultiply(roundConstant, 2, POLYNOMIAL);
    } else if (keyWords > 6 && i % keyWords === 4) {
      word = subWord(word);
    }
    schedule[i] = schedule[i - keyWords] ^ word;
  }
  return schedule;
}

/** The schedule backwards, round by round, with InvMixColumns on all but the outer rounds. @source FIPS 197 5.3.5 */
function invertSchedule(schedule: Uint32Array): Uint32Array<ArrayBuffer> {
  const inverse = new Uint32Array(schedule.length);
  const last = schedule.length - 4;
  for (let i = 0; i < schedule.length; i += 4) {
    for (let j = 0; j < 4; j++) {
      const word = schedule[last - i + j];
      inverse[i + j] =
        i === 0 || i === last
          ? word
          : D0[SBOX[word >>> 24]] ^
            D1[SBOX[(word >>> 16) & 0xff]] ^
            D2[SBOX[(word >>> 8) & 0xff]] ^
            D3[SBOX[word & 0xff]];
    }
  }
  return inverse;
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

/** The last round has no MixColumns: bytes of four columns through a substitution. */
function lastColumn(box: Uint8Array, a: number, b: number, c: number, d: number): number {
  return (box[a >>> 24] << 24) | (box[(b >>> 16) & 0xff] << 16) | (box[(c >>> 8) & 0xff] << 8) | box[d & 0xff];
}

function encryptBlock(k: Uint32Array, bytes: Uint8Array, at: number): void {
  let a = load(bytes, at) ^ k[0];
  let b = load(bytes, at + 4) ^ k[1];
  let c = load(bytes, at + 8) ^ k[2];
  let d = load(bytes, at + 12) ^ k[3];
  const last = k.length - 4;
  for (let i = 4; i < last; i += 4) {
    const e = T0[a >>> 24] ^ T1[(b >>> 16) & 0xff] ^ T2[(c >>> 8) & 0xff] ^ T3[d & 0xff] ^ k[i];
    const f = T0[b >>> 24] ^ T1[(c >>> 16) & 0xff] ^ T2[(d >>> 8) & 0xff] ^ T3[a & 0xff] ^ k[i + 1];
    const g = T0[c >>> 24] ^ T1[(d >>> 16) & 0xff] ^ T2[(a >>> 8) & 0xff] ^ T3[b & 0xff] ^ k[i + 2];
    d = T0[d >>> 24] ^ T1[(a >>> 16) & 0xff] ^ T2[(b >>> 8) & 0xff] ^ T3[c & 0xff] ^ k[i + 3];
    a = e;
    b = f;
    c = g;
  }
  store(bytes, at, lastColumn(SBOX, a, b, c, d) ^ k[last]);
  store(bytes, at + 4, lastColumn(SBOX, b, c, d, a) ^ k[last + 1]);
  store(bytes, at + 8, lastColumn(SBOX, c, d, a, b) ^ k[last + 2]);
  store(bytes, at + 12, lastColumn(SBOX, d, a, b, c) ^ k[last + 3]);
}

function decryptBlock(k: Uint32Array, bytes: Uint8Array, at: number): void {
  let a = load(bytes, at) ^ k[0];
  let b = load(bytes, at + 4) ^ k[1];
  let c = load(bytes, at + 8) ^ k[2];
  let d = load(bytes, at + 12) ^ k[3];
  const last = k.length - 4;
  for (let i = 4; i < last; i += 4) {
    const e = D0[a >>> 24] ^ D1[(d >>> 16) & 0xff] ^ D2[(c >>> 8) & 0xff] ^ D3[b & 0xff] ^ k[i];
    const f = D0[b >>> 24] ^ D1[(a >>> 16) & 0xff] ^ D2[(d >>> 8) & 0xff] ^ D3[c & 0xff] ^ k[i + 1];
    const g = D0[c >>> 24] ^ D1[(b >>> 16) & 0xff] ^ D2[(a >>> 8) & 0xff] ^ D3[d & 0xff] ^ k[i + 2];
    d = D0[d >>> 24] ^ D1[(c >>> 16) & 0xff] ^ D2[(b >>> 8) & 0xff] ^ D3[a & 0xff] ^ k[i + 3];
    a = e;
    b = f;
    c = g;
  }
  store(bytes, at, lastColumn(INVERSE_SBOX, a, d, c, b) ^ k[last]);
  store(bytes, at + 4, lastColumn(INVERSE_SBOX, b, a, d, c) ^ k[last + 1]);
  store(bytes, at + 8, lastColumn(INVERSE_SBOX, c, b, a, d) ^ k[last + 2]);
  store(bytes, at + 12, lastColumn(INVERSE_SBOX, d, c, b, a) ^ k[last + 3]);
}

/** AES under one key. Works in place and returns what it was given. */
export class Aes implements BlockCipher {
  private readonly schedule: Uint32Array;
  private readonly inverseSchedule: Uint32Array;

  /** @throws RangeError unless the key has 16, 24 or 32 bytes */
  constructor(key: Uint8Array) {
    if (![16, 24, 32].includes(key.length))
      throw new RangeError(`an AES key has 16, 24 or 32 bytes, not ${key.length}`);
    this.schedule = expandKey(key);
    this.inverseSchedule = invertSchedule(this.schedule);
  }

  encrypt(blocks: Uint8Array): Uint8Array {
    for (let at = 0; at < blocks.length; at += 16) encryptBlock(this.schedule, blocks, at);
    return blocks;
  }

  decrypt(blocks: Uint8Array): Uint8Array {
    for (let at = 0; at < blocks.length; at += 16) decryptBlock(this.inverseSchedule, blocks, at);
    return blocks;
  }

  wipe(): void {
    this.schedule.fill(0);
    this.inverseSchedule.fill(0);
  }
}

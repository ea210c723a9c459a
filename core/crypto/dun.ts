/**
 * Data unit numbers: an unsigned integer of four 64-bit limbs, the IV of the first data unit of a bio or request; each next unit has DUN + 1.
 *
 * Three forms of the same number. A `bigint` at the edges (definitions, descriptors, ciphers). A row of eight little-endian 32-bit words in a
 * `Uint32Array` where tables keep many of them (`row` counts DUNs, not words): exact at every width, no allocation. A plain number where the
 * owner knows that DUNs stay below 2^53, as the block layer's columns do. Nothing here checks a DUN against `dun_bytes` unless its name
 * says so: the kernel does not either, the promise is the key owner's.
 *
 * @kernel v6.12 block/blk-crypto.c (bio_crypt_dun_increment, bio_crypt_dun_is_contiguous, __bio_crypt_advance), block/blk-crypto-fallback.c
 */
import { MAX_IV_BYTES } from './mode.ts';

export const DUN_LIMBS = 4;
/** 32-bit words of one row. */
export const DUN_WORDS = 8;
/** The first number that is no DUN any more. */
export const DUN_END = 1n << 256n;

const LIMB_BITS = 64n;
const LIMB_MASK = (1n << LIMB_BITS) - 1n;
const WORD_MASK = 0xffffffffn;
const WORD_SPAN = 2 ** 32;
/** Numbers that a DUN of so many bytes can have. */
const SPANS = Float64Array.from({ length: MAX_IV_BYTES + 1 }, (_, bytes) => 256 ** bytes);

// ------------------------------------------------------------------------------------------------ bigint

/** The four limbs of a DUN, limb 0 (least significant) first. */
export function splitDun(dun: bigint): [bigint, bigint, bigint, bigint] {
  return [
    dun & LIMB_MASK,
    (dun >> LIMB_BITS) & LIMB_MASK,
    (dun >> (2n * LIMB_BITS)) & LIMB_MASK,
    (dun >> (3n * LIMB_BITS)) & LIMB_MASK,
  ];
}

/** The DUN of up to four limbs, limb 0 first; limbs that are not given are 0. */
export function mergeDun(limbs: readonly bigint[]): bigint {
  return limbs.reduceRight((dun, limb) => (dun << LIMB_BITS) | (limb & LIMB_MASK), 0n);
}

/** DUN + units; a carry out of the last limb is dropped. */
export function incrementDun(dun: bigint, units: number | bigint): bigint {
  return (dun + BigInt(units)) & (DUN_END - 1n);
}

/** The DUN `bytes` further on. Part of a data unit counts as nothing: alignment must be guaranteed elsewhere. */
export function advanceDun(dun: bigint, bytes: number, unitBits: number): bigint {
  return incrementDun(dun, unitsOf(bytes, unitBits));
}

/**
 * Whether data of `bytes` at `first` is continued by data at `second`. All four limbs count, whatever the device supports, and a range
 * that wraps through zero at the full width never runs on.
 */
export function isContiguous(first: bigint, bytes: number, unitBits: number, second: bigint): boolean {
  return first + BigInt(unitsOf(bytes, unitBits)) === second && second < DUN_END;
}

/** Whether the DUN needs no more than `dunBytes` bytes (I-18). */
export function fitsDunBytes(dun: bigint, dunBytes: number): boolean {
  return dun >> BigInt(8 * dunBytes) === 0n;
}

/** Whether all of `units` (at least one) data units from `dun` on have DUNs of `dunBytes` bytes (I-16, I-17). */
export function rangeFitsDunBytes(dun: bigint, units: number, dunBytes: number): boolean {
  return fitsDunBytes(dun + BigInt(units - 1), dunBytes);
}

/** What a counter of `dunBytes` bytes shows `units` after `dun`: a 32-bit engine goes from 2^32 - 1 to 0. */
export function wrapDun(dun: bigint, units: number | bigint, dunBytes: number): bigint {
  return BigInt.asUintN(8 * dunBytes, dun + BigInt(units));
}

/**
 * Data units from `dun` up to where a DUN of `dunBytes` bytes wraps; a bio must end there (IV_INO_LBLK_32).
 * @returns at most `limit`, so that wide DUNs stay exact numbers
 */
export function unitsBeforeWrap(dun: bigint, dunBytes: number, limit: number): number {
  const left = (1n << BigInt(8 * dunBytes)) - BigInt.asUintN(8 * dunBytes, dun);
  return left < BigInt(limit) ? Number(left) : limit;
}

/** The IV of a data unit: the limbs little-endian one after another, cut to `ivBytes`. */
export function ivOf(dun: bigint, ivBytes: number): Uint8Array<ArrayBuffer> {
  if (ivBytes < 1 || ivBytes > MAX_IV_BYTES) throw new RangeError(`an IV has 1 to ${MAX_IV_BYTES} bytes`);
  const iv = new Uint8Array(ivBytes);
  let rest = dun;
  for (let i = 0; i < ivBytes && rest > 0n; i++, rest >>= 8n) iv[i] = Number(rest & 0xffn);
  return iv;
}

/** The DUN whose IV these bytes are: the inverse of `ivOf`. */
export function dunOfIv(iv: Uint8Array): bigint {
  return iv.reduceRight((dun, byte) => (dun << 8n) | BigInt(byte), 0n);
}

// ------------------------------------------------------------------------------------------------ rows of words

/** Writes a DUN into a row. */
export function storeDun(words: Uint32Array, row: number, dun: bigint): void {
  if (dun <= Number.MAX_SAFE_INTEGER) {
    storeNarrowDun(words, row, Number(dun));
    return;
  }
  const at = row * DUN_WORDS;
  let rest = dun;
  for (let i = 0; i < DUN_WORDS; i++, rest >>= 32n) words[at + i] = Number(rest & WORD_MASK);
}

/** Writes a DUN below 2^53 into a row, without a bigint. */
export function storeNarrowDun(words: Uint32Array, row: number, dun: number): void {
  const at = row * DUN_WORDS;
  words[at] = dun; // the store keeps the low 32 bits
  words[at + 1] = dun / WORD_SPAN;
  for (let i = at + 2; i < at + DUN_WORDS; i++) words[i] = 0;
}

/** Reads a DUN from a row. */
export function loadDun(words: Uint32Array, row: number): bigint {
  let dun = 0n;
  for (let i = DUN_WORDS - 1; i >= 0; i--) dun = (dun << 32n) | BigInt(words[row * DUN_WORDS + i]);
  return dun;
}

/** Reads a DUN from a row as a plain number: exact below 2^53, the nearest one above. Makes no bigint for DUNs below 2^53. */
export function loadDunAsNumber(words: Uint32Array, row: number): number {
  const at = row * DUN_WORDS;
  for (let i = at + 2; i < at + DUN_WORDS; i++) {
    if (words[i] !== 0) return Number(loadDun(words, row));
  }
  return words[at] + words[at + 1] * WORD_SPAN;
}

/** Copies a row, also between tables. */
export function copyDun(from: Uint32Array, fromRow: number, to: Uint32Array, toRow: number): void {
  for (let i = 0; i < DUN_WORDS; i++) to[toRow * DUN_WORDS + i] = from[fromRow * DUN_WORDS + i];
}

/** Adds `units` (an integer below 2^53 - 2^32, so that sums are exact) to a row, with carry; a carry out of the last word is dropped. */
export function incrementRow(words: Uint32Array, row: number, units: number): void {
  const at = row * DUN_WORDS;
  let carry = units;
  for (let i = at; carry !== 0 && i < at + DUN_WORDS; i++) {
    const sum = words[i] + carry;
    words[i] = sum; // the store keeps the low 32 bits
    carry = sum < WORD_SPAN ? 0 : Math.floor(sum / WORD_SPAN);
  }
}

/** `advanceDun` on a row. */
export function advanceRow(words: Uint32Array, row: number, bytes: number, unitBits: number): void {
  incrementRow(words, row, unitsOf(bytes, unitBits));
}

/** `isContiguous` between two rows, of one table or of two. */
export function rowsAreContiguous(
  words: Uint32Array,
  row: number,
  bytes: number,
  unitBits: number,
  nextWords: Uint32Array,
  nextRow: number,
): boolean {
  const at = row * DUN_WORDS;
  const nextAt = nextRow * DUN_WORDS;
  let carry = unitsOf(bytes, unitBits);
  let i = 0;
  for (; carry !== 0 && i < DUN_WORDS; i++) {
    const sum = words[at + i] + carry;
    if (sum >>> 0 !== nextWords[nextAt + i]) return false;
    carry = sum < WORD_SPAN ? 0 : Math.floor(sum / WORD_SPAN);
  }
  for (; i < DUN_WORDS; i++) {
    if (words[at + i] !== nextWords[nextAt + i]) return false;
  }
  return carry === 0;
}

/** The same as rangeFitsDunBytes for a row (I-18). Hot path: exact as numbers where the DUN is small enough. */
export function rowFitsDunBytes(words: Uint32Array, row: number, units: number, dunBytes: number): boolean {
  const at = row * DUN_WORDS;
  let wider = words[at + 1] >>> 20; // beyond 2^52
  for (let w = 2; w < DUN_WORDS; w++) wider |= words[at + w];
  if (wider !== 0) return rangeFitsDunBytes(loadDun(words, row), units, dunBytes);
  return words[at + 1] * 0x1_0000_0000 + words[at] + units <= SPANS[dunBytes];
}

// ------------------------------------------------------------------------------------------------ plain numbers

/** Whole data units in `bytes`. */
export function unitsOf(bytes: number, unitBits: number): number {
  return bytes < WORD_SPAN ? bytes >>> unitBits : Math.floor(bytes / 2 ** unitBits);
}

/** `isContiguous` for DUNs below 2^53. */
export function narrowDunsRunOn(first: number, bytes: number, unitBits: number, second: number): boolean {
  return first + unitsOf(bytes, unitBits) === second;
}

/** Whether a DUN and `units` more stay exact as plain numbers. */
export function isNarrowDun(dun: bigint, units = 0): boolean {
  return dun + BigInt(units) <= BigInt(Number.MAX_SAFE_INTEGER);
}

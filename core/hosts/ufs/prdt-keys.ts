/**
 * PRDT entries that carry keys, as the Exynos flash memory protector takes them: 128 bytes, the ordinary entry in front, then IV, data key and tweak key with their bytes
 * reversed. One entry per data unit of 4 KiB, so no keyslots exist; the driver zeroes the table when a command is over.
 *
 * Not modelled: the disk encryption half of an entry (a second IV), other algorithms.
 *
 * @kernel v6.12 drivers/ufs/host/ufs-exynos.c (facts: layout, bits, byte order); inline-crypto.md 3.14
 */
import { swap32 } from '../memory.ts';

export const ENTRY_BYTES = 128;
/** An entry describes one data unit. @source inline-crypto.md 3.14 */
export const PRDT_DATA_UNIT = 4096;
export const ENTRY_WORDS = ENTRY_BYTES / 4;
/** Algorithm mode AES-XTS and key length 256 in the count word. @source ufs-exynos.c: mode 2 at bit 28, length 1 at bit 26 */
const ALGORITHM = (2 << 28) | (1 << 26);
const ALGORITHM_MASK = 0x3c000000;
const COUNT_MASK = 0x3ffff;
// Words of an entry.
const COUNT = 3;
const IV = 4;
const IV_WORDS = 4;
const DATA_KEY = 8;
const KEY_WORDS = 8;
const TWEAK_KEY = 16;

/** The byte count of an entry's word 3 as an ordinary entry has it. */
export function countOf(word: number): number {
  return (word & ~ALGORITHM_MASK) >>> 0;
}

/** Bytes that a table of such entries describes, or -1 when an entry breaks a rule. */
export function prdtBytes(words: Uint32Array, at: number, entries: number): number {
  let sum = 0;
  for (let i = 0; i < entries; i++) {
    const count = countOf(words[at + i * ENTRY_WORDS + COUNT]);
    if ((count & 3) !== 3 || count > COUNT_MASK) return -1;
    sum += count + 1;
  }
  return sum;
}

/** True when the first entry asks for encryption. */
export function hasKeys(words: Uint32Array, at: number): boolean {
  return (words[at + COUNT] & ALGORITHM_MASK) === ALGORITHM;
}

/** Word `i` of the first entry's IV, least significant first. */
export function ivWord(words: Uint32Array, at: number, i: number): number {
  return swap32(words[at + IV + IV_WORDS - 1 - i]);
}

/** The IV of an entry as a number. */
export function ivOf(words: Uint32Array, at: number): bigint {
  let iv = 0n;
  for (let i = IV_WORDS - 1; i >= 0; i--) iv = (iv << 32n) | BigInt(ivWord(words, at, i));
  return iv;
}

/** The key of an entry as software knows it: data key, then tweak key. For who moves real bytes. */
export function keyOf(words: Uint32Array, at: number): Uint8Array {
  const key = new Uint32Array(2 * KEY_WORDS);
  for (let i = 0; i < KEY_WORDS; i++) {
    key[i] = swap32(words[at + DATA_KEY + KEY_WORDS - 1 - i]);
    key[KEY_WORDS + i] = swap32(words[at + TWEAK_KEY + KEY_WORDS - 1 - i]);
  }
  return new Uint8Array(key.buffer);
}

/** Writes key and IVs into `entries` entries, one data unit each, from the DUN of four words at `dun[dunAt]` on. */
export function writeKeys(
  words: Uint32Array,
  at: number,
  entries: number,
  key: Uint8Array,
  dun: Uint32Array,
  dunAt: number,
): void {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  for (let i = 0; i < entries; i++) {
    const e = at + i * ENTRY_WORDS;
    words[e + COUNT] |= ALGORITHM;
    let carry = i;
    for (let w = 0; w < IV_WORDS; w++) {
      const sum = dun[dunAt + w] + carry;
      words[e + IV + IV_WORDS - 1 - w] = swap32(sum >>> 0);
      carry = sum > 0xffffffff ? 1 : 0;
    }
    for (let k = 0; k < KEY_WORDS; k++) {
      words[e + DATA_KEY + k] = view.getUint32(4 * (KEY_WORDS - 1 - k));
      words[e + TWEAK_KEY + k] = view.getUint32(4 * (2 * KEY_WORDS - 1 - k));
    }
  }
}

/** Zeroes a table that held keys. */
export function clear(words: Uint32Array, at: number, entries: number): void {
  words.fill(0, at, at + entries * ENTRY_WORDS);
}

/**
 * NH, the fast almost-universal hash that Adiantum puts before Poly1305: 1024 bytes in, four passes of 64 bits out.
 *
 * A pass adds key words to message words modulo 2^32, multiplies the sums in pairs two words apart and adds the products modulo 2^64; each pass
 * uses the key four words further on. A 32 x 32-bit product is taken apart at bit 16 of one factor: both halves and their sums stay below
 * 2^53, so doubles carry them exactly, 32 products (16 strides) at a time.
 *
 * @source Crowley, Biggers: "Adiantum: length-preserving encryption for entry-level processors", 2018, section 2 and table of parameters
 */

/** Bytes that one NH hash takes in at most. @source Adiantum paper: 1024-byte message units */
export const NH_MESSAGE_BYTES = 1024;
/** @source Adiantum paper: four passes, a forgery chance of 2^-128 */
export const NH_PASSES = 4;
/** Bytes of one hash. */
export const NH_HASH_BYTES = 8 * NH_PASSES;
const STRIDE_WORDS = 4;
/** Bytes of key: one message and one stride more for every pass after the first. */
export const NH_KEY_BYTES = NH_MESSAGE_BYTES + 4 * STRIDE_WORDS * (NH_PASSES - 1);

const WORD_SPAN = 2 ** 32;
const HALF_SPAN = 2 ** 16;
/** Strides whose products' halves add up exactly: two products each, below 2^48, 32 of them below 2^53. */
const EXACT_WORDS = 16 * STRIDE_WORDS;

/**
 * One pass over `words` (a multiple of four of them), the 64-bit result as two words into `out` at `outAt`.
 * @param keyAt first key word of the pass
 */
function nhPass(
  key: Uint32Array,
  keyAt: number,
  words: Uint32Array,
  from: number,
  to: number,
  out: Uint32Array,
  outAt: number,
): void {
  let low = 0; // of 2^0, below 2^32 after every fold
  let high = 0; // of 2^32, below 2^32 after every fold
  for (let start = from; start < to; start += EXACT_WORDS) {
    const end = Math.min(to, start + EXACT_WORDS);
    let lower = 0;
    let upper = 0;
    for (let i = start; i < end; i += STRIDE_WORDS) {
      const k = keyAt + i - from;
      const a = (words[i] + key[k]) >>> 0;
      const b = (words[i + 1] + key[k + 1]) >>> 0;
      const c = (words[i + 2] + key[k + 2]) >>> 0;
      const d = (words[i + 3] + key[k + 3]) >>> 0;
      lower += (a & 0xffff) * c + (b & 0xffff) * d;
      upper += (a >>> 16) * c + (b >>> 16) * d;
    }
    // sum = lower + upper * 2^16; upper = upperHigh * 2^16 + upperLow
    const upperHigh = Math.floor(upper / HALF_SPAN);
    low += (lower % WORD_SPAN) + (upper - upperHigh * HALF_SPAN) * HALF_SPAN;
    high += Math.floor(lower / WORD_SPAN) + upperHigh + Math.floor(low / WORD_SPAN);
    low %= WORD_SPAN;
    high %= WORD_SPAN;
  }
  out[outAt] = low;
  out[outAt + 1] = high;
}

/**
 * Hashes words `from` to `to` (a multiple of four words, at most 256) of a message.
 * @param key `NH_KEY_BYTES` as words
 * @param out 8 words: four 64-bit numbers, little-endian
 */
export function nh(key: Uint32Array, words: Uint32Array, from: number, to: number, out: Uint32Array): void {
  for (let pass = 0; pass < NH_PASSES; pass++) nhPass(key, pass * STRIDE_WORDS, words, from, to, out, 2 * pass);
}

/**
 * ChaCha and XChaCha with 8, 12 or 20 rounds: the stream cipher of Adiantum (12 rounds).
 *
 * ChaCha in its original form, with a 64-bit counter and a 64-bit nonce; XChaCha hashes the key with the first 16 bytes of a 24-byte nonce and
 * uses the result with the other 8. The permutation is checked against RFC 8439, whose 32-bit counter and 96-bit nonce are the same 16 bytes.
 *
 * @source D. J. Bernstein, "ChaCha, a variant of Salsa20"; RFC 8439 2.1-2.3; draft-irtf-cfrg-xchacha-03 2.2-2.3
 */
import { isWordAligned, wordsIn, wordsOver } from './words.ts';

/** "expand 32-byte k" as little-endian words. @source RFC 8439 2.3 */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
const BLOCK_BYTES = 64;

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/**
 * The permutation: `rounds` rounds over 16 words, without adding the input. The words live in local variables, because that is several times
 * as fast as in an array; a double round is four column and four diagonal quarter rounds written out.
 */
export function permute(state: Uint32Array, out: Uint32Array, rounds: number): void {
  let a0 = state[0] | 0;
  let a1 = state[1] | 0;
  let a2 = state[2] | 0;
  let a3 = state[3] | 0;
  let b0 = state[4] | 0;
  let b1 = state[5] | 0;
  let b2 = state[6] | 0;
  let b3 = state[7] | 0;
  let c0 = state[8] | 0;
  let c1 = state[9] | 0;
  let c2 = state[10] | 0;
  let c3 = state[11] | 0;
  let d0 = state[12] | 0;
  let d1 = state[13] | 0;
  let d2 = state[14] | 0;
  let d3 = state[15] | 0;
  for (let i = 0; i < rounds; i += 2) {
    a0 = (a0 + b0) | 0;
    d0 = rotate(d0 ^ a0, 16);
    c0 = (c0 + d0) | 0;
    b0 = rotate(b0 ^ c0, 12);
    a0 = (a0 + b0) | 0;
    d0 = rotate(d0 ^ a0, 8);
    c0 = (c0 + d0) | 0;
    b0 = rotate(b0 ^ c0, 7);
    a1 = (a1 + b1) | 0;
    d1 = rotate(d1 ^ a1, 16);
    c1 = (c1 + d1) | 0;
    b1 = rotate(b1 ^ c1, 12);
    a1 = (a1 + b1) | 0;
    d1 = rotate(d1 ^ a1, 8);
    c1 = (c1 + d1) | 0;
    b1 = rotate(b1 ^ c1, 7);
    a2 = (a2 + b2) | 0;
    d2 = rotate(d2 ^ a2, 16);
    c2 = (c2 + d2) | 0;
    b2 = rotate(b2 ^ c2, 12);
    a2 = (a2 + b2) | 0;
    d2 = rotate(d2 ^ a2, 8);
    c2 = (c2 + d2) | 0;
    b2 = rotate(b2 ^ c2, 7);
    a3 = (a3 + b3) | 0;
    d3 = rotate(d3 ^ a3, 16);
    c3 = (c3 + d3) | 0;
    b3 = rotate(b3 ^ c3, 12);
    a3 = (a3 + b3) | 0;
    d3 = rotate(d3 ^ a3, 8);
    c3 = (c3 + d3) | 0;
    b3 = rotate(b3 ^ c3, 7);
    a0 = (a0 + b1) | 0;
    d3 = rotate(d3 ^ a0, 16);
    c2 = (c2 + d3) | 0;
    b1 = rotate(b1 ^ c2, 12);
    a0 = (a0 + b1) | 0;
    d3 = rotate(d3 ^ a0, 8);
    c2 = (c2 + d3) | 0;
    b1 = rotate(b1 ^ c2, 7);
    a1 = (a1 + b2) | 0;
    d0 = rotate(d0 ^ a1, 16);
    c3 = (c3 + d0) | 0;
    b2 = rotate(b2 ^ c3, 12);
    a1 = (a1 + b2) | 0;
    d0 = rotate(d0 ^ a1, 8);
    c3 = (c3 + d0) | 0;
    b2 = rotate(b2 ^ c3, 7);
    a2 = (a2 + b3) | 0;
    d1 = rotate(d1 ^ a2, 16);
    c0 = (c0 + d1) | 0;
    b3 = rotate(b3 ^ c0, 12);
    a2 = (a2 + b3) | 0;
    d1 = rotate(d1 ^ a2, 8);
    c0 = (c0 + d1) | 0;
    b3 = rotate(b3 ^ c0, 7);
    a3 = (a3 + b0) | 0;
    d2 = rotate(d2 ^ a3, 16);
    c1 = (c1 + d2) | 0;
    b0 = rotate(b0 ^ c1, 12);
    a3 = (a3 + b0) | 0;
    d2 = rotate(d2 ^ a3, 8);
    c1 = (c1 + d2) | 0;
    b0 = rotate(b0 ^ c1, 7);
  }
  out[0] = a0;
  out[1] = a1;
  out[2] = a2;
  out[3] = a3;
  out[4] = b0;
  out[5] = b1;
  out[6] = b2;
  out[7] = b3;
  out[8] = c0;
  out[9] = c1;
  out[10] = c2;
  out[11] = c3;
  out[12] = d0;
  out[13] = d1;
  out[14] = d2;
  out[15] = d3;
}

/** The subkey of XChaCha: the outer rows of the permuted state, without adding the input. @source draft-irtf-cfrg-xchacha-03 2.2 */
export function hchacha(key: Uint32Array, nonce: Uint32Array, rounds: number): Uint32Array<ArrayBuffer> {
  const state = Uint32Array.of(...SIGMA, ...key, ...nonce);
  permute(state, state, rounds);
  const subkey = new Uint32Array(8);
  subkey.set(state.subarray(0, 4));
  subkey.set(state.subarray(12), 4);
  return subkey;
}

/** One keystream after another from scratch memory that is made once. */
export class ChaCha {
  private readonly rounds: number;
  private readonly state = new Uint32Array(16);
  private readonly block = new Uint32Array(16);
  private readonly blockBytes = new Uint8Array(this.block.buffer);

  constructor(rounds: number) {
    this.rounds = rounds;
  }

  /**
   * XORs the keystream onto `data`, from the block that the counter names.
   * @param key 8 words
   * @param counterAndNonce 4 words: the 64-bit counter, then the nonce (RFC 8439: a 32-bit counter, then a longer nonce)
   */
  xor(key: Uint32Array, counterAndNonce: Uint32Array, data: Uint8Array): void {
    this.state.set(SIGMA);
    this.state.set(key, 4);
    this.state.set(counterAndNonce, 12);
    const whole = isWordAligned(data) ? data.length - (data.length % BLOCK_BYTES) : 0;
    const words = isWordAligned(data) ? wordsOver(data) : this.block;
    for (let at = 0; at < whole; at += BLOCK_BYTES) {
      this.nextBlock();
      for (let i = 0; i < 16; i++) words[(at >>> 2) + i] ^= this.block[i];
    }
    for (let at = whole; at < data.length; at++) {
      const inBlock = (at - whole) % BLOCK_BYTES;
      if (inBlock === 0) this.nextBlock();
      data[at] ^= this.blockBytes[inBlock];
    }
  }

  /** The next 64 bytes of keystream into `block`; the counter goes on, with carry into its upper word. */
  private nextBlock(): void {
    const { state, block } = this;
    permute(state, block, this.rounds);
    for (let i = 0; i < 16; i++) block[i] += state[i];
    state[12]++;
    if (state[12] === 0) state[13]++;
  }
}

/** XChaCha under one key, counting from 0 for every nonce. */
export class XChaCha {
  private readonly key: Uint32Array;
  private readonly rounds: number;
  private readonly stream: ChaCha;
  private readonly counterAndNonce = new Uint32Array(4);

  /** @param key 32 bytes, copied */
  constructor(key: Uint8Array, rounds: number) {
    this.key = wordsIn(key);
    this.rounds = rounds;
    this.stream = new ChaCha(rounds);
  }

  /** XORs the keystream of a nonce (6 words, 24 bytes) onto `data`. */
  xor(nonce: Uint32Array, data: Uint8Array): void {
    const subkey = hchacha(this.key, nonce.subarray(0, 4), this.rounds);
    this.counterAndNonce[2] = nonce[4];
    this.counterAndNonce[3] = nonce[5];
    this.stream.xor(subkey, this.counterAndNonce, data);
  }

  wipe(): void {
    this.key.fill(0);
  }
}

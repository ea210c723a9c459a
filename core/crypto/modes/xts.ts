/**
 * XTS over any block cipher in ECB: AES-256-XTS (and AES-128-XTS) and SM4-XTS.
 *
 * Many data units go through two ECB calls: one encrypts all their IVs under the tweak key, one all their blocks under the data key; before and
 * after it each block is XORed with its tweak. A native cipher is called once per 64 KiB, not per unit. The tweaks, doublings in GF(2^128),
 * are computed in both passes: that costs no more than keeping them. (64-bit words would halve the passes as long as V8 keeps bigints out of
 * the heap, which it does not always: then they are ten times slower.)
 * Not modelled: ciphertext stealing (data units are multiples of 16 bytes). Equal key halves are taken, as hardware takes them.
 *
 * @source IEEE 1619-2007 5.1-5.4
 */
import { isWordAligned, wordsIn, wordsOver } from '../ciphers/words.ts';
import type { BlockCipher } from '../ports.ts';
import type { DataUnitCipher } from './units.ts';
import { BLOCK_BYTES, countUnits, IvSequence } from './units.ts';

/** Bytes per ECB call, unless one data unit is larger. @assume large enough to make calls cheap, small enough for the second-level cache */
const BATCH_BYTES = 65536;
const IV_WORDS = 4;
/** x^128 = x^7 + x^2 + x + 1. @source IEEE 1619-2007 5.2 */
const REDUCTION = 0x87;

type Direction = 'encrypt' | 'decrypt';

/** The bytes as words: over the same memory if it is aligned, else in a copy. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return isWordAligned(bytes) ? wordsOver(bytes) : wordsIn(bytes);
}

/** to = from, each block XORed with its tweak: the unit's first tweak for its first block, then its doublings. */
function xorTweaks(to: Uint32Array, from: Uint32Array, firstTweaks: Uint32Array, unitWords: number): void {
  let at = 0;
  for (let unit = 0; at < from.length; unit += IV_WORDS) {
    let t0 = firstTweaks[unit] | 0;
    let t1 = firstTweaks[unit + 1] | 0;
    let t2 = firstTweaks[unit + 2] | 0;
    let t3 = firstTweaks[unit + 3] | 0;
    for (const end = at + unitWords; at < end; at += 4) {
      to[at] = from[at] ^ t0;
      to[at + 1] = from[at + 1] ^ t1;
      to[at + 2] = from[at + 2] ^ t2;
      to[at + 3] = from[at + 3] ^ t3;
      const reduction = (t3 >> 31) & REDUCTION;
      t3 = (t3 << 1) | (t2 >>> 31);
      t2 = (t2 << 1) | (t1 >>> 31);
      t1 = (t1 << 1) | (t0 >>> 31);
      t0 = (t0 << 1) ^ reduction;
    }
  }
}

export class Xts implements DataUnitCipher {
  private readonly dataCipher: BlockCipher;
  private readonly tweakCipher: BlockCipher;
  private readonly sequence = new IvSequence();
  /** IVs of the current batch, one per unit, and the same as words. */
  private ivs = new Uint8Array(0);
  private ivWords = wordsOver(this.ivs);
  /** The data of the current batch with each block XORed with its tweak, and the same as words. */
  private masked = new Uint8Array(0);
  private maskedWords = wordsOver(this.masked);

  constructor(dataCipher: BlockCipher, tweakCipher: BlockCipher) {
    this.dataCipher = dataCipher;
    this.tweakCipher = tweakCipher;
  }

  encryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void {
    this.cryptUnits('encrypt', data, unitBytes, dun);
  }

  decryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void {
    this.cryptUnits('decrypt', data, unitBytes, dun);
  }

  wipe(): void {
    this.dataCipher.wipe();
    this.tweakCipher.wipe();
    new Uint8Array(this.masked.buffer).fill(0);
  }

  private cryptUnits(direction: Direction, data: Uint8Array, unitBytes: number, dun: bigint): void {
    const units = countUnits(data, unitBytes);
    const unitsPerBatch = Math.max(1, Math.floor(BATCH_BYTES / unitBytes));
    this.sequence.start(dun);
    if (units <= unitsPerBatch) {
      this.cryptBatch(direction, data, units, unitBytes);
      return;
    }
    for (let first = 0; first < units; first += unitsPerBatch) {
      const batch = data.subarray(first * unitBytes, (first + unitsPerBatch) * unitBytes);
      this.cryptBatch(direction, batch, batch.length / unitBytes, unitBytes);
    }
  }

  /** Cuts the scratch memory to a batch; typed-array views cost as much as a small batch, so they are kept while sizes stay. */
  private size(ivBytes: number, dataBytes: number): void {
    if (this.ivs.length !== ivBytes) {
      const isRoomy = this.ivs.buffer.byteLength >= ivBytes;
      this.ivs = isRoomy ? new Uint8Array(this.ivs.buffer, 0, ivBytes) : new Uint8Array(ivBytes);
      this.ivWords = wordsOver(this.ivs);
    }
    if (this.masked.length !== dataBytes) {
      const isRoomy = this.masked.buffer.byteLength >= dataBytes;
      this.masked = isRoomy ? new Uint8Array(this.masked.buffer, 0, dataBytes) : new Uint8Array(dataBytes);
      this.maskedWords = wordsOver(this.masked);
    }
  }

  private cryptBatch(direction: Direction, data: Uint8Array, units: number, unitBytes: number): void {
    this.size(units * BLOCK_BYTES, data.length);
    const { masked } = this;
    const unitWords = unitBytes / 4;
    const tweaks = this.firstTweaks(units);
    const words = wordsOf(data);
    xorTweaks(this.maskedWords, words, tweaks, unitWords);
    const done = direction === 'encrypt' ? this.dataCipher.encrypt(masked) : this.dataCipher.decrypt(masked);
    xorTweaks(words, wordsOf(done), tweaks, unitWords);
    if (!isWordAligned(data)) data.set(new Uint8Array(words.buffer)); // `words` are a copy
  }

  /** The encrypted IVs of the next units: each the tweak of its unit's first block. */
  private firstTweaks(units: number): Uint32Array {
    for (let unit = 0; unit < units; unit++) this.sequence.next(this.ivWords, unit * IV_WORDS, IV_WORDS);
    return wordsOf(this.tweakCipher.encrypt(this.ivs));
  }
}

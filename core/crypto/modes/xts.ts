/**
 * XTS over any block cipher in ECB: AES-256-XTS (and AES-128-XTS) and SM4-XTS.
 *
 * Many data units go through two ECB calls: one encrypts all their IVs under the tweak key, one all their blocks under the data key; between
 * them the tweaks of all blocks are doubled in GF(2^128) and XORed on and off. A native cipher is called once per 64 KiB, not per unit.
 * Not modelled: ciphertext stealing (data units are multiples of 16 bytes). Equal key halves are taken, as hardware takes them.
 *
 * @source IEEE 1619-2007 5.1-5.4
 */
import { isWordAligned, wordsOver } from '../ciphers/words.ts';
import type { BlockCipher } from '../ports.ts';
import type { DataUnitCipher } from './units.ts';
import { countUnits, IvSequence } from './units.ts';

/** Bytes per ECB call, unless one data unit is larger. @assume large enough to make calls cheap, small enough for the second-level cache */
const BATCH_BYTES = 65536;
const IV_WORDS = 4;
/** x^128 = x^7 + x^2 + x + 1. @source IEEE 1619-2007 5.2 */
const REDUCTION = 0x87;

type Direction = 'encrypt' | 'decrypt';

export class Xts implements DataUnitCipher {
  private readonly dataCipher: BlockCipher;
  private readonly tweakCipher: BlockCipher;
  private readonly ivs = new IvSequence();
  private ivBytes = new Uint8Array(0);
  private ivWords: Uint32Array = new Uint32Array(0);
  /** Tweaks of all blocks of a batch. */
  private tweaks = new Uint32Array(0);
  /** A batch of data with each block XORed with its tweak. */
  private masked = new Uint8Array(0);
  private maskedWords: Uint32Array = new Uint32Array(0);

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
    this.ivWords.fill(0);
    this.tweaks.fill(0);
    this.maskedWords.fill(0);
  }

  private cryptUnits(direction: Direction, data: Uint8Array, unitBytes: number, dun: bigint): void {
    const units = countUnits(data, unitBytes);
    const unitsPerBatch = Math.max(1, Math.floor(BATCH_BYTES / unitBytes));
    this.reserve(Math.min(units, unitsPerBatch), unitBytes);
    this.ivs.start(dun);
    for (let first = 0; first < units; first += unitsPerBatch) {
      const end = Math.min(units, first + unitsPerBatch);
      this.cryptBatch(direction, data.subarray(first * unitBytes, end * unitBytes), unitBytes);
    }
  }

  private reserve(units: number, unitBytes: number): void {
    if (this.ivBytes.length < units * 16) {
      this.ivBytes = new Uint8Array(units * 16);
      this.ivWords = wordsOver(this.ivBytes);
    }
    if (this.masked.length < units * unitBytes) {
      this.masked = new Uint8Array(units * unitBytes);
      this.maskedWords = wordsOver(this.masked);
      this.tweaks = new Uint32Array(this.maskedWords.length);
    }
  }

  private cryptBatch(direction: Direction, data: Uint8Array, unitBytes: number): void {
    const from = isWordAligned(data) ? wordsOver(data) : wordsOver(Uint8Array.from(data));
    this.mask(from, this.firstTweaks(data.length / unitBytes), unitBytes / 4);
    const blocks = this.masked.subarray(0, data.length);
    const done = direction === 'encrypt' ? this.dataCipher.encrypt(blocks) : this.dataCipher.decrypt(blocks);
    const words = isWordAligned(done) ? wordsOver(done) : wordsOver(Uint8Array.from(done));
    if (isWordAligned(data)) {
      this.unmask(words, from);
    } else {
      this.unmask(words, words);
      data.set(new Uint8Array(words.buffer, words.byteOffset, data.length));
    }
  }

  /** The IVs of the next units, encrypted: each the tweak of its unit's first block. */
  private firstTweaks(units: number): Uint32Array {
    for (let unit = 0; unit < units; unit++) this.ivs.next(this.ivWords, unit * IV_WORDS, IV_WORDS);
    const tweaks = this.tweakCipher.encrypt(this.ivBytes.subarray(0, units * 16));
    return isWordAligned(tweaks) ? wordsOver(tweaks) : wordsOver(Uint8Array.from(tweaks));
  }

  /** masked = from XOR tweaks, the tweaks of a unit doubling from its first. */
  private mask(from: Uint32Array, firstTweaks: Uint32Array, unitWords: number): void {
    const { tweaks, maskedWords } = this;
    let at = 0;
    for (let first = 0; at < from.length; first += 4) {
      let t0 = firstTweaks[first] | 0;
      let t1 = firstTweaks[first + 1] | 0;
      let t2 = firstTweaks[first + 2] | 0;
      let t3 = firstTweaks[first + 3] | 0;
      for (const end = at + unitWords; at < end; at += 4) {
        tweaks[at] = t0;
        tweaks[at + 1] = t1;
        tweaks[at + 2] = t2;
        tweaks[at + 3] = t3;
        maskedWords[at] = from[at] ^ t0;
        maskedWords[at + 1] = from[at + 1] ^ t1;
        maskedWords[at + 2] = from[at + 2] ^ t2;
        maskedWords[at + 3] = from[at + 3] ^ t3;
        const carriedOut = (t3 >> 31) & REDUCTION;
        t3 = (t3 << 1) | (t2 >>> 31);
        t2 = (t2 << 1) | (t1 >>> 31);
        t1 = (t1 << 1) | (t0 >>> 31);
        t0 = (t0 << 1) ^ carriedOut;
      }
    }
  }

  private unmask(from: Uint32Array, to: Uint32Array): void {
    const { tweaks } = this;
    for (let i = 0; i < to.length; i++) to[i] = from[i] ^ tweaks[i];
  }
}

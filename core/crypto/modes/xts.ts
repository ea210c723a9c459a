/**
 * XTS over any block cipher in ECB: AES-256-XTS (and AES-128-XTS) and SM4-XTS.
 *
 * Many data units go through two ECB calls: one encrypts all their IVs under the tweak key, one all their blocks under the data key; between
 * them the tweaks of all blocks are doubled in GF(2^128) and XORed on and off. A native cipher is called once per 64 KiB, not per unit.
 * Not modelled: ciphertext stealing (data units are multiples of 16 bytes). Equal key halves are taken, as hardware takes them.
 *
 * The loops work on `BigUint64Array`: V8 turns 64-bit operations into machine instructions where every result is stored or cut to 64 bits at
 * once, which took 22 µs per 64 KiB against 37 µs with 32-bit words. A bigint that lives on in a variable of a loop would undo that.
 *
 * @source IEEE 1619-2007 5.1-5.4
 */
import { isLongAligned, longsOver, wordsOver } from '../ciphers/words.ts';
import type { BlockCipher } from '../ports.ts';
import type { DataUnitCipher } from './units.ts';
import { BLOCK_BYTES, countUnits, IvSequence } from './units.ts';

/** Bytes per ECB call, unless one data unit is larger. @assume large enough to make calls cheap, small enough for the second-level cache */
const BATCH_BYTES = 65536;
const IV_WORDS = 4;
/** x^128 = x^7 + x^2 + x + 1. @source IEEE 1619-2007 5.2 */
const REDUCTION = 0x87n;

type Direction = 'encrypt' | 'decrypt';

/** The bytes as 64-bit words: over the same memory if it is aligned, else in a copy. */
function longsOf(bytes: Uint8Array): BigUint64Array {
  return longsOver(isLongAligned(bytes) ? bytes : Uint8Array.from(bytes));
}

/** Fills `tweaks` from `at` to `end` with the doublings of the tweak at `at`. */
function doubleTweaks(tweaks: BigUint64Array, at: number, end: number): void {
  for (let i = at + 2; i < end; i += 2) {
    const low = tweaks[i - 2];
    const high = tweaks[i - 1];
    const reduction = BigInt.asUintN(64, BigInt.asUintN(64, high >> 63n) * REDUCTION);
    tweaks[i] = BigInt.asUintN(64, BigInt.asUintN(64, low << 1n) ^ reduction);
    tweaks[i + 1] = BigInt.asUintN(64, BigInt.asUintN(64, high << 1n) | BigInt.asUintN(64, low >> 63n));
  }
}

/** to = from XOR tweaks, over whole blocks. */
function xorTweaks(to: BigUint64Array, from: BigUint64Array, tweaks: BigUint64Array, longs: number): void {
  for (let i = 0; i < longs; i += 2) {
    to[i] = from[i] ^ tweaks[i];
    to[i + 1] = from[i + 1] ^ tweaks[i + 1];
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
  private maskedLongs = longsOver(this.masked);
  /** Tweaks of all blocks of the largest batch so far. */
  private tweaks = new BigUint64Array(0);

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
    this.tweaks.fill(0n);
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
      this.maskedLongs = longsOver(this.masked);
    }
    if (this.tweaks.length < this.maskedLongs.length) this.tweaks = new BigUint64Array(this.maskedLongs.length);
  }

  private cryptBatch(direction: Direction, data: Uint8Array, units: number, unitBytes: number): void {
    this.size(units * BLOCK_BYTES, data.length);
    const { masked, maskedLongs, tweaks } = this;
    this.makeTweaks(units, unitBytes / 8);
    const words = longsOf(data);
    xorTweaks(maskedLongs, words, tweaks, words.length);
    const done = direction === 'encrypt' ? this.dataCipher.encrypt(masked) : this.dataCipher.decrypt(masked);
    xorTweaks(words, longsOf(done), tweaks, words.length);
    if (!isLongAligned(data)) data.set(new Uint8Array(words.buffer)); // `words` are a copy
  }

  /** The tweaks of the next units: the encrypted IV for the first block of each, then its doublings. */
  private makeTweaks(units: number, unitLongs: number): void {
    const { ivs, ivWords, tweaks } = this;
    for (let unit = 0; unit < units; unit++) this.sequence.next(ivWords, unit * IV_WORDS, IV_WORDS);
    const first = longsOf(this.tweakCipher.encrypt(ivs));
    for (let unit = 0, at = 0; unit < units; unit++, at += unitLongs) {
      tweaks[at] = first[2 * unit];
      tweaks[at + 1] = first[2 * unit + 1];
      doubleTweaks(tweaks, at, at + unitLongs);
    }
  }
}

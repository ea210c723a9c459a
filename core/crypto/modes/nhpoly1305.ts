/**
 * NHPoly1305, Adiantum's hash of the bulk of a data unit: NH shortens every 1024 bytes to 32, Poly1305 takes in what is left.
 *
 * Bulks here are multiples of 16 bytes, so the padding that the definition has for a last part never occurs.
 *
 * @source Crowley, Biggers: "Adiantum", 2018, section 2 (hash function)
 */
import { nh, NH_HASH_BYTES, NH_MESSAGE_BYTES } from '../ciphers/nh.ts';
import { Poly1305 } from '../ciphers/poly1305.ts';
import { isWordAligned, wordsIn, wordsOver } from '../ciphers/words.ts';

export class NhPoly1305 {
  private readonly poly: Poly1305;
  private readonly nhKey: Uint32Array;
  private readonly hash = new Uint8Array(NH_HASH_BYTES);
  private readonly hashWords = wordsOver(this.hash);

  /**
   * @param polyKey 16 bytes
   * @param nhKey `NH_KEY_BYTES` as words; kept
   */
  constructor(polyKey: Uint8Array, nhKey: Uint32Array) {
    this.poly = new Poly1305(polyKey);
    this.nhKey = nhKey;
  }

  /** Adds the hash of `bulk` (a multiple of 16 bytes) to the 16 bytes of `sum`, modulo 2^128. */
  addTo(bulk: Uint8Array, sum: Uint8Array): void {
    const words = isWordAligned(bulk) ? wordsOver(bulk) : wordsIn(bulk);
    this.poly.reset();
    for (let at = 0; at < words.length; at += NH_MESSAGE_BYTES / 4) {
      nh(this.nhKey, words, at, Math.min(words.length, at + NH_MESSAGE_BYTES / 4), this.hashWords);
      this.poly.update(this.hash);
    }
    this.poly.addTo(sum);
  }

  wipe(): void {
    this.poly.wipe();
    this.nhKey.fill(0);
    this.hash.fill(0);
  }
}

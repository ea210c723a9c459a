/**
 * AES-128-CBC-ESSIV: every data unit in CBC under the key, from an IV that is the DUN encrypted with AES-256 under the SHA-256 of the key.
 *
 * Encryption is a chain, so a unit is one call of the CBC port; decryption of all units is one ECB call and an XOR with the ciphertext before.
 *
 * @kernel v6.12 crypto/essiv.c (the hash of the key as key of the IV cipher)
 * @source NIST SP 800-38A 6.2 (CBC)
 */
import { wordsOver } from '../ciphers/words.ts';
import type { BlockCipher, CbcEncryptor } from '../ports.ts';
import type { DataUnitCipher } from './units.ts';
import { BLOCK_BYTES, countUnits, IvSequence } from './units.ts';

const IV_WORDS = 4;

export class CbcEssiv implements DataUnitCipher {
  private readonly cbc: CbcEncryptor;
  private readonly ecb: BlockCipher;
  private readonly ivCipher: BlockCipher;
  private readonly sequence = new IvSequence();

  /**
   * @param cbc AES-128 in CBC under the key
   * @param ecb AES-128 in ECB under the key
   * @param ivCipher AES-256 in ECB under the SHA-256 of the key
   */
  constructor(cbc: CbcEncryptor, ecb: BlockCipher, ivCipher: BlockCipher) {
    this.cbc = cbc;
    this.ecb = ecb;
    this.ivCipher = ivCipher;
  }

  encryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void {
    const ivs = this.ivsOf(countUnits(data, unitBytes), dun);
    for (let at = 0, iv = 0; at < data.length; at += unitBytes, iv += BLOCK_BYTES) {
      this.cbc.encrypt(ivs.subarray(iv, iv + BLOCK_BYTES), data.subarray(at, at + unitBytes));
    }
  }

  decryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void {
    const ivs = this.ivsOf(countUnits(data, unitBytes), dun);
    const plain = this.ecb.decrypt(Uint8Array.from(data));
    for (let unit = data.length - unitBytes; unit >= 0; unit -= unitBytes) {
      const iv = (unit / unitBytes) * BLOCK_BYTES;
      // Backwards, because the ciphertext before a block is needed until the block is done.
      for (let i = unit + unitBytes - 1; i >= unit + BLOCK_BYTES; i--) data[i] = plain[i] ^ data[i - BLOCK_BYTES];
      for (let i = 0; i < BLOCK_BYTES; i++) data[unit + i] = plain[unit + i] ^ ivs[iv + i];
    }
  }

  wipe(): void {
    this.cbc.wipe();
    this.ecb.wipe();
    this.ivCipher.wipe();
  }

  /** The CBC IVs of consecutive data units, 16 bytes each. */
  private ivsOf(units: number, dun: bigint): Uint8Array {
    const ivs = new Uint8Array(units * BLOCK_BYTES);
    const words = wordsOver(ivs);
    this.sequence.start(dun);
    for (let unit = 0; unit < units; unit++) this.sequence.next(words, unit * IV_WORDS, IV_WORDS);
    return this.ivCipher.encrypt(ivs);
  }
}

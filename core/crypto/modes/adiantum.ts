/**
 * Adiantum with XChaCha12 and AES-256: a wide-block mode for processors without AES instructions. The whole data unit is one block: a changed bit
 * anywhere changes all of it.
 *
 * A unit is its bulk and its last 16 bytes. The hash of (tweak, bulk) is added to the last block, which AES encrypts; the result is the nonce
 * of the stream that encrypts the bulk; the hash of the new bulk is subtracted again. The tweak is the 32-byte IV.
 *
 * @source Crowley, Biggers: "Adiantum: length-preserving encryption for entry-level processors", IACR ToSC 2018(4), section 2
 */
import { NH_KEY_BYTES } from '../ciphers/nh.ts';
import { Poly1305 } from '../ciphers/poly1305.ts';
import { wordsIn, wordsOver } from '../ciphers/words.ts';
import { XChaCha } from '../ciphers/chacha.ts';
import type { AesEcbPort, BlockCipher } from '../ports.ts';
import { NhPoly1305 } from './nhpoly1305.ts';
import type { DataUnitCipher } from './units.ts';
import { BLOCK_BYTES, countUnits, IvSequence } from './units.ts';

/** @source Adiantum paper: XChaCha12 */
const ROUNDS = 12;
const TWEAK_WORDS = 8;
/** Keys derived from the cipher's key: AES-256, Poly1305 over lengths and tweak, Poly1305 over NH hashes, NH. */
const DERIVED_BYTES = 32 + 16 + 16 + NH_KEY_BYTES;

/** sum = sum - number, both 16 bytes little-endian, modulo 2^128. */
function subtract128(sum: Uint8Array, number: Uint8Array): void {
  let borrow = 0;
  for (let i = 0; i < 16; i++) {
    const difference = sum[i] - number[i] - borrow;
    sum[i] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
}

export class Adiantum implements DataUnitCipher {
  private readonly stream: XChaCha;
  private readonly blockCipher: BlockCipher;
  private readonly headerHash: Poly1305;
  private readonly bulkHash: NhPoly1305;
  private readonly sequence = new IvSequence();
  /** What the header hash takes in: bits of the bulk as a 64-bit number, 8 zero bytes, the tweak. */
  private readonly header = new Uint8Array(16 + 4 * TWEAK_WORDS);
  private readonly headerWords = wordsOver(this.header);
  private readonly headerDigest = new Uint8Array(16);
  private readonly digest = new Uint8Array(16);
  /** The middle block, then 1 and zeroes: the nonce of the stream. */
  private readonly nonce = new Uint32Array(6);
  private readonly middle = new Uint8Array(this.nonce.buffer, 0, 16);

  /** @param key 32 bytes */
  constructor(key: Uint8Array, aes: AesEcbPort) {
    this.stream = new XChaCha(key, ROUNDS);
    const derived = new Uint8Array(DERIVED_BYTES);
    this.stream.xor(Uint32Array.of(1, 0, 0, 0, 0, 0), derived); // no unit's nonce: theirs has its 1 in byte 16
    this.blockCipher = aes.open(derived.slice(0, 32));
    this.headerHash = new Poly1305(derived.subarray(32, 48));
    this.bulkHash = new NhPoly1305(derived.subarray(48, 64), wordsIn(derived.subarray(64)));
    derived.fill(0);
    this.nonce[4] = 1;
  }

  encryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void {
    countUnits(data, unitBytes);
    this.sequence.start(dun);
    for (let at = 0; at < data.length; at += unitBytes) {
      const { bulk, last } = this.startUnit(data.subarray(at, at + unitBytes));
      this.hash(bulk);
      this.addDigest(last);
      this.middle.set(this.blockCipher.encrypt(last.slice()));
      this.stream.xor(this.nonce, bulk);
      last.set(this.middle);
      this.hash(bulk);
      subtract128(last, this.digest);
    }
  }

  decryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void {
    countUnits(data, unitBytes);
    this.sequence.start(dun);
    for (let at = 0; at < data.length; at += unitBytes) {
      const { bulk, last } = this.startUnit(data.subarray(at, at + unitBytes));
      this.hash(bulk);
      this.addDigest(last);
      this.middle.set(last);
      this.stream.xor(this.nonce, bulk);
      last.set(this.blockCipher.decrypt(last.slice()));
      this.hash(bulk);
      subtract128(last, this.digest);
    }
  }

  wipe(): void {
    this.stream.wipe();
    this.blockCipher.wipe();
    this.headerHash.wipe();
    this.bulkHash.wipe();
    this.nonce.fill(0);
  }

  /** Takes a unit apart and hashes its header, which is the same before and after. */
  private startUnit(unit: Uint8Array): { bulk: Uint8Array; last: Uint8Array } {
    const bulk = unit.subarray(0, unit.length - BLOCK_BYTES);
    this.headerWords[0] = bulk.length * 8;
    this.headerWords[1] = Math.floor(bulk.length / 2 ** 29);
    this.sequence.next(this.headerWords, 4, TWEAK_WORDS);
    this.headerHash.reset();
    this.headerHash.update(this.header);
    this.headerDigest.fill(0);
    this.headerHash.addTo(this.headerDigest);
    return { bulk, last: unit.subarray(unit.length - BLOCK_BYTES) };
  }

  /** digest = hash of header + hash of bulk, modulo 2^128. */
  private hash(bulk: Uint8Array): void {
    this.digest.set(this.headerDigest);
    this.bulkHash.addTo(bulk, this.digest);
  }

  private addDigest(block: Uint8Array): void {
    let carry = 0;
    for (let i = 0; i < 16; i++) {
      carry += block[i] + this.digest[i];
      block[i] = carry;
      carry >>>= 8;
    }
  }
}

/**
 * What every mode shares: the interface of a cipher over data units, the check of a call's sizes, and the IVs of consecutive units.
 */
import { DUN_WORDS, incrementRow, storeDun } from '../dun.ts';

/** Bytes of a block of AES and SM4. */
export const BLOCK_BYTES = 16;

/** A mode under one key. Data units are independent: unit i of a call is processed with DUN + i, with carry over limbs (I-14). */
export interface DataUnitCipher {
  /**
   * Encrypts whole data units in place. Context: any; takes no virtual time.
   * @param data any number of data units, one after another
   * @param unitBytes the data unit size: a multiple of 16 (all modes of blk-crypto have power-of-two units, so nothing is ever stolen)
   * @param dun DUN of the first unit; what exceeds the mode's IV is cut off
   * @throws RangeError if the sizes do not fit
   */
  encryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void;
  /** Decrypts; as `encryptUnits`. */
  decryptUnits(data: Uint8Array, unitBytes: number, dun: bigint): void;
  /** Overwrites what was derived from the key. The cipher is not used afterwards. */
  wipe(): void;
}

/** @returns the number of data units in `data` */
export function countUnits(data: Uint8Array, unitBytes: number): number {
  if (!Number.isInteger(unitBytes) || unitBytes < BLOCK_BYTES || unitBytes % BLOCK_BYTES !== 0) {
    throw new RangeError(`a data unit is a multiple of ${BLOCK_BYTES} bytes, not ${unitBytes}`);
  }
  if (data.length % unitBytes !== 0) {
    throw new RangeError(`${data.length} bytes are no whole number of data units of ${unitBytes} bytes`);
  }
  return data.length / unitBytes;
}

/** The IVs of consecutive data units, without a bigint per unit. */
export class IvSequence {
  private readonly row = new Uint32Array(DUN_WORDS);

  /** Sets the DUN of the next unit. */
  start(dun: bigint): void {
    storeDun(this.row, 0, dun);
  }

  /** Writes the next unit's IV of `words` 32-bit words into `out` at `at`, and goes on to the unit after it. */
  next(out: Uint32Array, at: number, words: number): void {
    for (let i = 0; i < words; i++) out[at + i] = this.row[i];
    incrementRow(this.row, 0, 1);
  }
}

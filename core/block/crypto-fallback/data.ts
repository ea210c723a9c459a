/**
 * The bytes of the fallback, in data runs: the cipher object of each slot, bounce buffers for the ciphertext of writes, decryption of reads where they lie.
 *
 * The source of a write is only read (I-24). A slot's cipher is made of the key when it is programmed, as the kernel's transforms are, and forgotten when it is evicted.
 *
 * @kernel v6.16 block/blk-crypto-fallback.c
 */
import { loadDun } from '../../crypto/dun.ts';
import type { KeyTable } from '../../crypto/key.ts';
import { createDataUnitCipher } from '../../crypto/modes/create.ts';
import type { DataUnitCipher } from '../../crypto/modes/units.ts';
import type { CryptoPorts } from '../../crypto/ports.ts';
import type { BioTable } from '../bio.ts';
import type { BufferPool } from '../buffers.ts';

export interface FallbackDataParts {
  readonly buffers: BufferPool;
  readonly ports: CryptoPorts;
}

export class FallbackData {
  private readonly bios: BioTable;
  private readonly keys: KeyTable;
  private readonly buffers: BufferPool;
  private readonly ports: CryptoPorts;
  private readonly ciphers: (DataUnitCipher | undefined)[] = [];

  constructor(bios: BioTable, keys: KeyTable, { buffers, ports }: FallbackDataParts) {
    this.bios = bios;
    this.keys = keys;
    this.buffers = buffers;
    this.ports = ports;
  }

  /** The slot holds a key from now on. */
  programmed(slot: number, keyId: number): void {
    this.evicted(slot);
    this.ciphers[slot] = createDataUnitCipher(this.keys.mode[keyId], this.keys.bytes(keyId), this.ports);
  }

  evicted(slot: number): void {
    this.ciphers[slot]?.wipe();
    this.ciphers[slot] = undefined;
  }

  /** Encrypts the next `sizeBytes` of a bio into a bounce buffer, which is returned. */
  encrypt(source: number, sizeBytes: number, slot: number): number {
    const { bios, buffers } = this;
    const sector = bios.sector[source];
    const bounce = buffers.take(sizeBytes, sector);
    const data = buffers.bytes(bounce, sector, sizeBytes);
    data.set(buffers.bytes(bios.buffer[source], sector, sizeBytes));
    this.cipher(slot).encryptUnits(data, bios.dataUnitSize[source], loadDun(bios.dun, source));
    return bounce;
  }

  /** Gives the bounce buffer of an encrypted bio back. */
  release(part: number): void {
    this.buffers.put(this.bios.buffer[part]);
  }

  /** Decrypts what a bio has read. */
  decrypt(bio: number, slot: number): void {
    const { bios, buffers } = this;
    this.cipher(slot).decryptUnits(buffers.ofBio(bios, bio), bios.dataUnitSize[bio], loadDun(bios.dun, bio));
  }

  private cipher(slot: number): DataUnitCipher {
    const cipher = this.ciphers[slot];
    if (cipher === undefined) throw new Error(`crypto fallback: slot ${slot} has no key`);
    return cipher;
  }
}

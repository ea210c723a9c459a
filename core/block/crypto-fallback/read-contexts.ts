/**
 * Reads of the fallback while they are below: what their bios had before the encryption context was taken off, as columns under a pooled handle.
 *
 * The extent is kept too, because a bio is changed on its way down when it is split. Not modelled: the 128 preallocated contexts as a limit.
 *
 * @kernel v6.16 block/blk-crypto-fallback.c struct bio_fallback_crypt_ctx, blk_crypto_fallback_decrypt_endio
 */
import { copyDun, DUN_WORDS } from '../../crypto/dun.ts';
import type { BioTable } from '../bio.ts';
import { widerFloat64, widerInt32, widerUint32 } from '../columns.ts';

const NONE = -1;
const FIRST_CAPACITY = 32;

export class ReadContexts {
  inUse = 0;
  bio = new Int32Array(FIRST_CAPACITY);
  keyId = new Int32Array(FIRST_CAPACITY);
  /** The worker that decrypts it. */
  x = new Int32Array(FIRST_CAPACITY);
  bytes = new Float64Array(FIRST_CAPACITY);
  private sector = new Float64Array(FIRST_CAPACITY);
  private segments = new Int32Array(FIRST_CAPACITY);
  private dataUnitSize = new Int32Array(FIRST_CAPACITY);
  private dun = new Uint32Array(FIRST_CAPACITY * DUN_WORDS);
  private endKind = new Int32Array(FIRST_CAPACITY);
  private endArg = new Int32Array(FIRST_CAPACITY);
  private readonly free: number[] = [];
  private fresh = 0;

  /** Takes the context off the bio, which then ends at `endKind` with the handle as its argument. */
  strip(bios: BioTable, bio: number, endKind: number): number {
    const at = this.free.pop() ?? this.fresh++;
    if (at === this.bio.length) this.grow(2 * at);
    this.inUse++;
    this.bio[at] = bio;
    this.keyId[at] = bios.keyId[bio];
    this.bytes[at] = bios.bytes[bio];
    this.sector[at] = bios.sector[bio];
    this.segments[at] = bios.segments[bio];
    this.dataUnitSize[at] = bios.dataUnitSize[bio];
    copyDun(bios.dun, bio, this.dun, at);
    this.endKind[at] = bios.endKind[bio];
    this.endArg[at] = bios.endArg[bio];
    bios.keyId[bio] = NONE;
    bios.dataUnitSize[bio] = 0;
    bios.endKind[bio] = endKind;
    bios.endArg[bio] = at;
    return at;
  }

  /** The bio as it was submitted. */
  restore(bios: BioTable, at: number): void {
    const bio = this.bio[at];
    bios.keyId[bio] = this.keyId[at];
    bios.bytes[bio] = this.bytes[at];
    bios.sector[bio] = this.sector[at];
    bios.segments[bio] = this.segments[at];
    bios.dataUnitSize[bio] = this.dataUnitSize[at];
    copyDun(this.dun, at, bios.dun, bio);
    bios.endKind[bio] = this.endKind[at];
    bios.endArg[bio] = this.endArg[at];
  }

  release(at: number): void {
    this.free.push(at);
    this.inUse--;
  }

  private grow(n: number): void {
    this.bio = widerInt32(this.bio, n);
    this.keyId = widerInt32(this.keyId, n);
    this.x = widerInt32(this.x, n);
    this.bytes = widerFloat64(this.bytes, n);
    this.sector = widerFloat64(this.sector, n);
    this.segments = widerInt32(this.segments, n);
    this.dataUnitSize = widerInt32(this.dataUnitSize, n);
    this.dun = widerUint32(this.dun, n * DUN_WORDS);
    this.endKind = widerInt32(this.endKind, n);
    this.endArg = widerInt32(this.endArg, n);
  }
}

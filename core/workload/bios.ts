/**
 * From I/O to bios and back: what the direct I/O path of the kernel does for one I/O. An I/O of more than 256 segments becomes several bios.
 *
 * `@assume` User buffers are runs of physically contiguous pages of 64 KiB each (large folios), so a segment is that long at most.
 *
 * @kernel v6.12 block/fops.c, include/linux/bio.h BIO_MAX_VECS
 */
import type { Block } from '../block/block.ts';
import {
  OP_DISCARD,
  OP_READ,
  OP_WRITE,
  REQ_IDLE,
  REQ_PREFLUSH,
  REQ_SYNC,
  SECTOR_BYTES,
  STS_OK,
} from '../block/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { ST_SUBMIT } from '../trace/stages.ts';
import type { DataCheck } from './data/check.ts';
import type { IoKeys } from './encryption.ts';
import { DDIR_READ, DDIR_SYNC, DDIR_TRIM, DDIR_WRITE, type IoTable } from './io.ts';

const BIO_MAX_VECS = 256;
const PAGE_BYTES = 4096;
const OP_OF_DDIR: readonly number[] = [OP_READ, OP_WRITE, OP_DISCARD, OP_WRITE];
const FLAGS_OF_DDIR: readonly number[] = [0, REQ_SYNC | REQ_IDLE, REQ_SYNC, REQ_SYNC | REQ_PREFLUSH];

export class BioFactory {
  private readonly engine: Engine;
  private readonly block: Block;
  private readonly ios: IoTable;
  private readonly segmentBytes: number;
  /** Largest I/O that one bio carries. */
  readonly maxBioBytes: number;
  private readonly endKind: number;
  private readonly queuedKind: number;
  private readonly machine: Machine;
  private readonly keys: IoKeys | undefined;
  private readonly data: DataCheck | undefined;

  /** `onIoEnd(io)` is called, in the completing context, when the last bio of an I/O has ended. */
  constructor(
    env: { readonly engine: Engine; readonly machine: Machine; readonly block: Block },
    ios: IoTable,
    segmentBytes: number,
    { keys, data }: { readonly keys: IoKeys | undefined; readonly data: DataCheck | undefined },
    onIoEnd: (io: number) => void,
  ) {
    const { engine, block } = env;
    this.keys = keys;
    this.data = data;
    this.machine = env.machine;
    this.engine = engine;
    this.block = block;
    this.ios = ios;
    this.segmentBytes = segmentBytes;
    this.maxBioBytes = segmentBytes * BIO_MAX_VECS;
    this.endKind = engine.register('workload.bio-end', (bio) => {
      this.bioEnded(bio, onIoEnd);
    });
    this.queuedKind = engine.register('workload.bio-queued', (bio) => {
      this.bioQueued(bio);
    });
  }

  /** Bios that this I/O will need. */
  biosOf(io: number): number {
    const ddir = this.ios.ddir[io];
    if (ddir === DDIR_SYNC || ddir === DDIR_TRIM) return 1;
    const size = this.ios.sizeBytes[io];
    const cut = this.cutOf(io);
    if (cut > 0) return Math.ceil(cut / this.maxBioBytes) + Math.ceil((size - cut) / this.maxBioBytes);
    return Math.max(1, Math.ceil(size / this.maxBioBytes));
  }

  /** Where data unit numbers wrap inside the I/O: the file system ends a bio there. 0: nowhere. @kernel v6.12 fs/crypto/inline_crypt.c fscrypt_limit_io_blocks */
  private cutOf(io: number): number {
    return this.ios.keyId[io] < 0 || this.keys === undefined ? 0 : this.keys.bytesToWrap(io, this.ios.sizeBytes[io]);
  }

  /** First byte of the `n`-th bio of an I/O that is cut at `cut`. */
  private startOf(n: number, cut: number): number {
    const before = cut === 0 ? Infinity : Math.ceil(cut / this.maxBioBytes);
    return n < before ? n * this.maxBioBytes : cut + (n - before) * this.maxBioBytes;
  }

  /** Pages that have to be pinned for this I/O. */
  pagesOf(io: number): number {
    const ddir = this.ios.ddir[io];
    return ddir === DDIR_READ || ddir === DDIR_WRITE ? Math.ceil(this.ios.sizeBytes[io] / PAGE_BYTES) : 0;
  }

  /** Makes the `n`-th bio of an I/O, at the instant at which it is submitted (Q). */
  make(io: number, n: number, ioprio: number): number {
    const bio = this.compose(io, n, ioprio);
    const nowNs = this.engine.now;
    this.ios.rows.mark(io, ST_SUBMIT, nowNs);
    this.block.bios.rows.start(bio, nowNs);
    return bio;
  }

  private compose(io: number, n: number, ioprio: number): number {
    const { bios } = this.block;
    const { ios } = this;
    const ddir = ios.ddir[io];
    const bio = bios.alloc();
    const cut = this.cutOf(io);
    const offset = this.startOf(n, cut);
    const end = offset < cut ? cut : ios.sizeBytes[io];
    const bytes = ddir === DDIR_TRIM ? ios.sizeBytes[io] : Math.min(this.maxBioBytes, end - offset);
    bios.op[bio] = OP_OF_DDIR[ddir];
    bios.flags[bio] = FLAGS_OF_DDIR[ddir] | ios.flags[io];
    bios.sector[bio] = ddir === DDIR_SYNC ? 0 : (ios.offsetBytes[io] + offset) / SECTOR_BYTES;
    bios.bytes[bio] = bytes;
    bios.segments[bio] = ddir === DDIR_READ || ddir === DDIR_WRITE ? Math.ceil(bytes / this.segmentBytes) : 0;
    bios.ioprio[bio] = ioprio;
    bios.io[bio] = io;
    bios.endKind[bio] = this.endKind;
    if (ios.keyId[io] >= 0) this.keys?.dress(bios, bio, io, offset);
    if (this.data !== undefined) bios.buffer[bio] = this.data.bufferOf(io);
    return bio;
  }

  /**
   * Makes the only bio of an I/O whose preparation (lap 0) and system call (lap 1) are burnt in one burst with the submission itself: the I/O begins when lap 0 is
   * over, the bio is queued when lap 1 is.
   */
  makeAhead(io: number, ioprio: number): number {
    const bio = this.compose(io, 0, ioprio);
    this.block.bios.queuedKind[bio] = this.queuedKind;
    return bio;
  }

  private bioQueued(bio: number): void {
    const { bios } = this.block;
    const { ios, machine } = this;
    const io = bios.io[bio];
    const x = machine.current;
    const submitNs = machine.lapEndNs(x, 0);
    const queuedNs = machine.lapEndNs(x, 1);
    ios.submitNs[io] = submitNs;
    ios.rows.start(io, submitNs);
    ios.rows.mark(io, ST_SUBMIT, queuedNs);
    bios.rows.start(bio, queuedNs);
  }

  private bioEnded(bio: number, onIoEnd: (io: number) => void): void {
    const { bios } = this.block;
    const { ios } = this;
    const io = bios.io[bio];
    const status = bios.status[bio];
    if (status !== STS_OK) ios.status[io] = status;
    const left = --ios.biosLeft[io];
    if (left === 0) ios.rows.adopt(io, bios.rows, bio, ST_SUBMIT);
    bios.release(bio);
    if (left === 0) onIoEnd(io);
  }
}

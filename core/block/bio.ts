/**
 * The bio: one extent that somebody submitted, as a row of typed-array columns under a pooled integer handle.
 *
 * Modelled: operation, flags, extent, segment count, ioprio, write hint, crypto context, status, end_io, chaining of split parts, and the stage
 * accounting of every bio, in data runs its memory (buffers.ts). Not modelled: bio_vecs (a bio knows how many segments it has, and takes them to be of equal size),
 * page references, cgroups, integrity payloads.
 *
 * @kernel v6.12 include/linux/blk_types.h struct bio
 */
import { copyDun, DUN_WORDS, storeDun } from '../crypto/dun.ts';
import { StageRows } from '../trace/stages.ts';
import { widerFloat64, widerInt32, widerUint32 } from './columns.ts';
import { STS_OK } from './types.ts';

const NONE = -1;
const FIRST_CAPACITY = 256;

/**
 * All bios. `alloc()` hands out a row with defaults; the owner fills the columns, starts the accounting row (`rows.start(bio, engine.now)`, at the
 * instant of the submission: Q) and submits. When the bio ends, `engine.call(endKind, bio)` runs in the completing context; the owner frees it.
 *
 * The column arrays are replaced when the table grows: read them through the table, never keep one across a call.
 */
export class BioTable {
  capacity = FIRST_CAPACITY;
  /** Rows handed out and not yet freed. */
  inUse = 0;
  /** Stage accounting, from Q to the end of the bio. */
  readonly rows = new StageRows(FIRST_CAPACITY);

  /** Unique number of the bio within the run (handles are reused), given at Q. */
  serial = new Float64Array(FIRST_CAPACITY);
  /** OP_*. */
  op = new Int32Array(FIRST_CAPACITY);
  /** REQ_*. */
  flags = new Int32Array(FIRST_CAPACITY);
  /** First sector (512 B units); moves on when a front part is split off. */
  sector = new Float64Array(FIRST_CAPACITY);
  /** Length in bytes; shrinks when a front part is split off. */
  bytes = new Float64Array(FIRST_CAPACITY);
  /** Number of equally sized memory segments; 0 for an operation without data. */
  segments = new Int32Array(FIRST_CAPACITY);
  ioprio = new Int32Array(FIRST_CAPACITY);
  writeHint = new Int32Array(FIRST_CAPACITY);
  /** STS_*, valid once the bio has ended; the first error of a split bio wins. */
  status = new Int32Array(FIRST_CAPACITY);
  /** Handler called with the bio when it ends. It must be instantaneous: charge, wake, raise; neither run() nor sleep(). */
  endKind = new Int32Array(FIRST_CAPACITY);
  /**
   * Handler called with the bio at the instant of its Q, or soon after in the same burst: for submitters that put laps before the submission (machine.lap), so that
   * Q lies ahead when they call. It starts the accounting row at Q. -1: the row is started already.
   */
  queuedKind = new Int32Array(FIRST_CAPACITY);
  /** Free for the owner (what its end handler needs). */
  endArg = new Int32Array(FIRST_CAPACITY);
  /** Handle of the submitter's I/O, or -1. */
  io = new Int32Array(FIRST_CAPACITY);
  /** Submitting CPU, set at Q. */
  cpu = new Int32Array(FIRST_CAPACITY);
  /** Inline-encryption key, or -1. */
  keyId = new Int32Array(FIRST_CAPACITY);
  /** First data unit number: rows of core/crypto/dun.ts, valid with a key. */
  dun = new Uint32Array(FIRST_CAPACITY * DUN_WORDS);
  dataUnitSize = new Int32Array(FIRST_CAPACITY);
  /** Its memory (a handle of buffers.ts); valid for reads and writes of data runs. */
  buffer = new Int32Array(FIRST_CAPACITY);
  /** When the bio was queued (ns): Q. */
  queuedNs = new Float64Array(FIRST_CAPACITY);
  /** Next bio of the same request (or of any list its holder keeps), or -1. */
  next = new Int32Array(FIRST_CAPACITY);
  /** The submitted bio that this split-off front part belongs to, or -1. */
  parent = new Int32Array(FIRST_CAPACITY);
  /** Parts still to end before the bio ends: its own and those split off. */
  remaining = new Int32Array(FIRST_CAPACITY);

  private free = NONE;
  private fresh = 0;

  /** A row with default columns. Nothing is started. */
  alloc(): number {
    let bio = this.free;
    if (bio !== NONE) this.free = this.next[bio];
    else {
      if (this.fresh === this.capacity) this.grow();
      bio = this.fresh++;
    }
    this.inUse++;
    this.serial[bio] = NONE;
    this.op[bio] = 0;
    this.flags[bio] = 0;
    this.sector[bio] = 0;
    this.bytes[bio] = 0;
    this.segments[bio] = 0;
    this.ioprio[bio] = 0;
    this.writeHint[bio] = 0;
    this.status[bio] = STS_OK;
    this.endKind[bio] = NONE;
    this.queuedKind[bio] = NONE;
    this.endArg[bio] = NONE;
    this.io[bio] = NONE;
    this.cpu[bio] = 0;
    this.keyId[bio] = NONE;
    this.dataUnitSize[bio] = 0;
    this.queuedNs[bio] = 0;
    this.next[bio] = NONE;
    this.parent[bio] = NONE;
    this.remaining[bio] = 1;
    return bio;
  }

  /** Gives the bio an encryption context (bio_crypt_set_ctx). */
  setCrypt(bio: number, keyId: number, dun: bigint, dataUnitSize: number): void {
    this.keyId[bio] = keyId;
    this.dataUnitSize[bio] = dataUnitSize;
    storeDun(this.dun, bio, dun);
  }

  /** Gives the bio a copy of another's encryption context, or of its lack of one (bio_crypt_clone). */
  copyCrypt(bio: number, from: number): void {
    this.keyId[bio] = this.keyId[from];
    this.dataUnitSize[bio] = this.dataUnitSize[from];
    if (this.keyId[from] >= 0) copyDun(this.dun, from, this.dun, bio);
  }

  /** Gives the row back. */
  release(bio: number): void {
    this.next[bio] = this.free;
    this.free = bio;
    this.inUse--;
  }

  private grow(): void {
    const n = this.capacity * 2;
    this.rows.grow(n);
    this.serial = widerFloat64(this.serial, n);
    this.op = widerInt32(this.op, n);
    this.flags = widerInt32(this.flags, n);
    this.sector = widerFloat64(this.sector, n);
    this.bytes = widerFloat64(this.bytes, n);
    this.segments = widerInt32(this.segments, n);
    this.ioprio = widerInt32(this.ioprio, n);
    this.writeHint = widerInt32(this.writeHint, n);
    this.status = widerInt32(this.status, n);
    this.endKind = widerInt32(this.endKind, n);
    this.queuedKind = widerInt32(this.queuedKind, n);
    this.endArg = widerInt32(this.endArg, n);
    this.io = widerInt32(this.io, n);
    this.cpu = widerInt32(this.cpu, n);
    this.keyId = widerInt32(this.keyId, n);
    this.dun = widerUint32(this.dun, n * DUN_WORDS);
    this.dataUnitSize = widerInt32(this.dataUnitSize, n);
    this.buffer = widerInt32(this.buffer, n);
    this.queuedNs = widerFloat64(this.queuedNs, n);
    this.next = widerInt32(this.next, n);
    this.parent = widerInt32(this.parent, n);
    this.remaining = widerInt32(this.remaining, n);
    this.capacity = n;
  }
}

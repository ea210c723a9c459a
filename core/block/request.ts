/**
 * The request: what holds a tag and goes to the driver, as a row of typed-array columns under a pooled integer handle.
 *
 * Modelled: the extent and its bios, driver tag and scheduler tag, state, deadline, flush sequence, every stamp of the `request` trace table, and the
 * stage accounting. Not modelled: the driver's private area behind a request (a driver keeps its own columns by handle or by tag).
 *
 * @kernel v6.12 include/linux/blk-mq.h struct request
 */
import { DUN_WORDS } from '../crypto/dun.ts';
import { StageRows } from '../trace/stages.ts';
import { widerFloat64, widerInt32, widerUint32, widerUint8 } from './columns.ts';

const NONE = -1;
const FIRST_CAPACITY = 128;

/** MQ_RQ_*. */
export const RQ_IDLE = 0;
export const RQ_IN_FLIGHT = 1;
export const RQ_COMPLETE = 2;

/**
 * All requests. The column arrays are replaced when the table grows: read them through the table, never keep one across a call.
 *
 * A driver reads op, flags, sector, bytes, segments, hctx, tag, keyId, dun, dataUnitSize, keyslot, and may write deviceNs and dontprep.
 * A scheduler may use elvA..elvD and fifoTimeNs as it likes between insert and dispatch, `next`/`prev` only while the request is its own.
 */
export class RequestTable {
  capacity = FIRST_CAPACITY;
  /** Rows handed out and not yet freed. */
  inUse = 0;
  /** Stage accounting: a copy of the first bio's row from Q on. */
  readonly rows = new StageRows(FIRST_CAPACITY);

  /** Unique number of the request within the run (handles are reused): `request_id`. */
  serial = new Float64Array(FIRST_CAPACITY);
  /** OP_*. */
  op = new Int32Array(FIRST_CAPACITY);
  /** REQ_*. */
  flags = new Int32Array(FIRST_CAPACITY);
  sector = new Float64Array(FIRST_CAPACITY);
  /** Bytes still to transfer; shrinks on partial completion. */
  bytes = new Float64Array(FIRST_CAPACITY);
  /** Bytes of all its bios: `size_bytes`. */
  totalBytes = new Float64Array(FIRST_CAPACITY);
  segments = new Int32Array(FIRST_CAPACITY);
  ioprio = new Int32Array(FIRST_CAPACITY);
  writeHint = new Int32Array(FIRST_CAPACITY);
  /** Submitting CPU. */
  cpu = new Int32Array(FIRST_CAPACITY);
  hctx = new Int32Array(FIRST_CAPACITY);
  /** Driver tag, or -1 while it has none. */
  tag = new Int32Array(FIRST_CAPACITY);
  /** The last driver tag it had, for the trace (the tag itself may be gone when the request is reported). */
  lastTag = new Int32Array(FIRST_CAPACITY);
  /** Scheduler ("internal") tag, or -1. */
  schedTag = new Int32Array(FIRST_CAPACITY);
  /** Keyslot it holds, or -1. */
  keyslot = new Int32Array(FIRST_CAPACITY);
  /** The last keyslot it had, for the trace, as with `lastTag`. */
  lastKeyslot = new Int32Array(FIRST_CAPACITY);
  /** Its place among those held for want of a slot at dispatch, given when first held; Infinity before. */
  heldAs = new Float64Array(FIRST_CAPACITY);
  /** When it got that slot. */
  keyslotNs = new Float64Array(FIRST_CAPACITY);
  keyId = new Int32Array(FIRST_CAPACITY);
  /** First data unit number: rows of core/crypto/dun.ts, valid with a key. */
  dun = new Uint32Array(FIRST_CAPACITY * DUN_WORDS);
  dataUnitSize = new Int32Array(FIRST_CAPACITY);
  /** Number of bios in it. */
  bios = new Int32Array(FIRST_CAPACITY);
  /** How often it was issued to the driver (D). */
  attempts = new Int32Array(FIRST_CAPACITY);
  /** STS_*. */
  status = new Int32Array(FIRST_CAPACITY);
  /** Handle of the I/O whose bio it was made for, or -1; of merged requests the earlier one's, as with the stamps. */
  io = new Int32Array(FIRST_CAPACITY);

  // stamps, absolute ns; NaN when the phase did not occur
  queuedNs = new Float64Array(FIRST_CAPACITY);
  gotNs = new Float64Array(FIRST_CAPACITY);
  insertedNs = new Float64Array(FIRST_CAPACITY);
  /** The last issue (D). */
  issuedNs = new Float64Array(FIRST_CAPACITY);
  /** When the device got it; the driver's to set. */
  deviceNs = new Float64Array(FIRST_CAPACITY);
  completedNs = new Float64Array(FIRST_CAPACITY);
  /** When it times out; Infinity while not in flight. */
  deadlineNs = new Float64Array(FIRST_CAPACITY);

  /** RQ_*. */
  state = new Uint8Array(FIRST_CAPACITY);
  /** Its timeout handler ran and took over. */
  timedOut = new Uint8Array(FIRST_CAPACITY);
  /** RQF_DONTPREP: the driver keeps private state, so a requeue goes to the dispatch list and nothing merges into it. */
  dontprep = new Uint8Array(FIRST_CAPACITY);
  /** The scheduler handled it (RQF_USE_SCHED): its hooks run for it. */
  useSched = new Uint8Array(FIRST_CAPACITY);
  /** Steps of the flush sequence done so far (FSEQ_* of flush.ts); 0: not in a sequence. */
  flushSeq = new Uint8Array(FIRST_CAPACITY);
  /** 1: the dedicated flush request of a hardware queue. */
  isFlushRq = new Uint8Array(FIRST_CAPACITY);
  /** Bytes that the driver reported done. */
  doneBytes = new Float64Array(FIRST_CAPACITY);

  /** First and last bio. */
  bio = new Int32Array(FIRST_CAPACITY);
  biotail = new Int32Array(FIRST_CAPACITY);
  /** The bio whose accounting row the request's is a copy of; all others have joined. */
  ownerBio = new Int32Array(FIRST_CAPACITY);
  /** Links of the one list the request is on (plug, ctx, dispatch, requeue, scheduler). */
  next = new Int32Array(FIRST_CAPACITY);
  prev = new Int32Array(FIRST_CAPACITY);

  // the scheduler's own; -1 (fifoTimeNs 0) in a new request: `finish` may come for one that was never inserted
  elvA = new Int32Array(FIRST_CAPACITY);
  elvB = new Int32Array(FIRST_CAPACITY);
  elvC = new Int32Array(FIRST_CAPACITY);
  elvD = new Int32Array(FIRST_CAPACITY);
  fifoTimeNs = new Float64Array(FIRST_CAPACITY);

  private free = NONE;
  private fresh = 0;
  private nextSerial = 1;

  /** A row with default columns and the next serial number. */
  alloc(): number {
    let rq = this.free;
    if (rq !== NONE) this.free = this.next[rq];
    else {
      if (this.fresh === this.capacity) this.grow();
      rq = this.fresh++;
    }
    this.inUse++;
    this.clear(rq);
    return rq;
  }

  /** Gives the row back. */
  release(rq: number): void {
    this.next[rq] = this.free;
    this.free = rq;
    this.inUse--;
  }

  /** Makes the row that of a new request, with a serial number of its own. */
  clear(rq: number): void {
    this.serial[rq] = this.nextSerial++;
    this.flags[rq] = 0;
    this.tag[rq] = NONE;
    this.lastTag[rq] = NONE;
    this.schedTag[rq] = NONE;
    this.keyslot[rq] = NONE;
    this.lastKeyslot[rq] = NONE;
    this.heldAs[rq] = Infinity;
    this.attempts[rq] = 0;
    this.status[rq] = 0;
    this.insertedNs[rq] = NaN;
    this.issuedNs[rq] = NaN;
    this.deviceNs[rq] = NaN;
    this.completedNs[rq] = NaN;
    this.deadlineNs[rq] = Infinity;
    this.state[rq] = RQ_IDLE;
    this.timedOut[rq] = 0;
    this.dontprep[rq] = 0;
    this.useSched[rq] = 0;
    this.flushSeq[rq] = 0;
    this.isFlushRq[rq] = 0;
    this.doneBytes[rq] = 0;
    this.next[rq] = NONE;
    this.prev[rq] = NONE;
    this.elvA[rq] = NONE;
    this.elvB[rq] = NONE;
    this.elvC[rq] = NONE;
    this.elvD[rq] = NONE;
    this.fifoTimeNs[rq] = 0;
  }

  /** One past the highest handle ever handed out: the range to scan for all requests in flight. */
  get highWater(): number {
    return this.fresh;
  }

  private grow(): void {
    const n = this.capacity * 2;
    this.rows.grow(n);
    this.growExtents(n);
    this.growStamps(n);
    this.growLinks(n);
    this.capacity = n;
  }

  private growExtents(n: number): void {
    this.serial = widerFloat64(this.serial, n);
    this.op = widerInt32(this.op, n);
    this.flags = widerInt32(this.flags, n);
    this.sector = widerFloat64(this.sector, n);
    this.bytes = widerFloat64(this.bytes, n);
    this.totalBytes = widerFloat64(this.totalBytes, n);
    this.segments = widerInt32(this.segments, n);
    this.ioprio = widerInt32(this.ioprio, n);
    this.writeHint = widerInt32(this.writeHint, n);
    this.cpu = widerInt32(this.cpu, n);
    this.hctx = widerInt32(this.hctx, n);
    this.tag = widerInt32(this.tag, n);
    this.lastTag = widerInt32(this.lastTag, n);
    this.schedTag = widerInt32(this.schedTag, n);
    this.keyslot = widerInt32(this.keyslot, n);
    this.lastKeyslot = widerInt32(this.lastKeyslot, n);
    this.heldAs = widerFloat64(this.heldAs, n);
    this.keyslotNs = widerFloat64(this.keyslotNs, n);
    this.keyId = widerInt32(this.keyId, n);
    this.dun = widerUint32(this.dun, n * DUN_WORDS);
    this.dataUnitSize = widerInt32(this.dataUnitSize, n);
    this.bios = widerInt32(this.bios, n);
    this.attempts = widerInt32(this.attempts, n);
    this.status = widerInt32(this.status, n);
    this.io = widerInt32(this.io, n);
  }

  private growStamps(n: number): void {
    this.queuedNs = widerFloat64(this.queuedNs, n);
    this.gotNs = widerFloat64(this.gotNs, n);
    this.insertedNs = widerFloat64(this.insertedNs, n);
    this.issuedNs = widerFloat64(this.issuedNs, n);
    this.deviceNs = widerFloat64(this.deviceNs, n);
    this.completedNs = widerFloat64(this.completedNs, n);
    this.deadlineNs = widerFloat64(this.deadlineNs, n);
    this.doneBytes = widerFloat64(this.doneBytes, n);
    this.fifoTimeNs = widerFloat64(this.fifoTimeNs, n);
  }

  private growLinks(n: number): void {
    this.state = widerUint8(this.state, n);
    this.timedOut = widerUint8(this.timedOut, n);
    this.dontprep = widerUint8(this.dontprep, n);
    this.useSched = widerUint8(this.useSched, n);
    this.flushSeq = widerUint8(this.flushSeq, n);
    this.isFlushRq = widerUint8(this.isFlushRq, n);
    this.bio = widerInt32(this.bio, n);
    this.biotail = widerInt32(this.biotail, n);
    this.ownerBio = widerInt32(this.ownerBio, n);
    this.next = widerInt32(this.next, n);
    this.prev = widerInt32(this.prev, n);
    this.elvA = widerInt32(this.elvA, n);
    this.elvB = widerInt32(this.elvB, n);
    this.elvC = widerInt32(this.elvC, n);
    this.elvD = widerInt32(this.elvD, n);
  }
}

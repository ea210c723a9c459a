/**
 * Words of the block layer that its neighbours share: operations, flags, status codes, and the two interfaces by which low-level drivers and the
 * rest of the stack meet it.
 *
 * @kernel v6.12 include/linux/blk_types.h, include/linux/blk-mq.h (names and meanings; the numbers here are our own)
 */

/** REQ_OP_*. */
export const OP_READ = 0;
export const OP_WRITE = 1;
export const OP_FLUSH = 2;
export const OP_DISCARD = 3;
export const OP_WRITE_ZEROES = 4;
export const OP_NAMES = ['read', 'write', 'flush', 'discard', 'write_zeroes'] as const;

/** REQ_* flags of a bio or request. */
export const REQ_SYNC = 1 << 0;
export const REQ_PREFLUSH = 1 << 1;
export const REQ_FUA = 1 << 2;
export const REQ_NOWAIT = 1 << 3;
export const REQ_NOMERGE = 1 << 4;
export const REQ_META = 1 << 5;
export const REQ_RAHEAD = 1 << 6;
export const REQ_IDLE = 1 << 7;
export const REQ_POLLED = 1 << 8;
/** A passthrough (device management) request: goes to hctx->dispatch, no scheduler, no merge. */
export const REQ_PASSTHROUGH = 1 << 9;

/** BLK_STS_*. */
export const STS_OK = 0;
export const STS_NOTSUPP = 1;
export const STS_TIMEOUT = 2;
export const STS_NOSPC = 3;
export const STS_TRANSPORT = 4;
export const STS_TARGET = 5;
export const STS_MEDIUM = 6;
export const STS_PROTECTION = 7;
export const STS_RESOURCE = 8;
export const STS_DEV_RESOURCE = 9;
export const STS_AGAIN = 10;
export const STS_OFFLINE = 11;
export const STS_INVAL = 12;
export const STS_IOERR = 13;
/** Never leaves the block layer: the request found no keyslot at dispatch and is held (crypto-dispatch.ts). */
export const STS_NO_KEYSLOT = 14;
/** Texts of the `status` columns, by code: errno names as C events carry them. */
export const STATUS_NAMES = [
  'ok',
  'EOPNOTSUPP',
  'ETIMEDOUT',
  'ENOSPC',
  'ENOLINK',
  'EREMOTEIO',
  'ENODATA',
  'EILSEQ',
  'ENOMEM',
  'EBUSY',
  'EAGAIN',
  'ENODEV',
  'EINVAL',
  'EIO',
] as const;

/** ioprio: class << 13 | level (hints are not modelled). */
export const IOPRIO_CLASS_NONE = 0;
export const IOPRIO_CLASS_RT = 1;
export const IOPRIO_CLASS_BE = 2;
export const IOPRIO_CLASS_IDLE = 3;
export function ioprio(ioClass: number, level: number): number {
  return (ioClass << 13) | level;
}

export const SECTOR_BYTES = 512;

/** Queue limits of a device, as the driver sets them. @kernel struct queue_limits */
export interface QueueLimits {
  logicalBlockSize: number;
  physicalBlockSize: number;
  maxHwSectors: number;
  maxSectors: number;
  maxSegments: number;
  maxSegmentSize: number;
  /** 0: none. */
  chunkSectors: number;
  maxDiscardSectors: number;
  discardGranularity: number;
  maxWriteZeroesSectors: number;
  writeCache: boolean;
  fua: boolean;
}

/**
 * What a low-level driver implements. Every method runs in the context `x` it is given (see core/engine/machine.ts) and burns its own CPU time there.
 */
export interface Lld {
  /**
   * Takes a request that owns a driver tag. Must, now or after having burnt CPU in `x` (or slept, if the tag set is BLOCKING), call
   * `block.startRequest(rq)` when it accepts the request (the D event), and end with exactly one call of `block.queueRqDone(x, rq, status)`:
   * STS_OK accepted, STS_RESOURCE / STS_DEV_RESOURCE not accepted (see blk-mq-and-formats.md 1.8), anything else fails the request.
   * `last`: no further request follows at once.
   */
  queueRq(x: number, rq: number, last: boolean): void;
  /**
   * True when `queueRq` for this request would do nothing but burn CPU once and then call `startRequest`: the block layer then puts its own part of the issue
   * before that burst as a lap, which saves an event. Absent: never.
   */
  startsAtOnce?(rq: number): boolean;
  /** Called after a batch that ended early although `last` was not seen; absent when the driver has no doorbell batching. Synchronous; may charge `x`. */
  commitRqs?(x: number, hctx: number): void;
  /** The request timed out: true when the driver took over (it will complete it), false to re-arm the timer. Runs in a kworker. */
  timeout(x: number, rq: number): boolean;
}

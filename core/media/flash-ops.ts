/**
 * The pool of flash operations: one handle per array read, program or erase that is queued or in progress, columns of what it does and when each part of it happened.
 * Whoever submits an operation fills its columns; the die array (`dies.ts`) fills the times; the sink of its kind is told when it is over and frees it.
 */
import { wider } from '../engine/columns.ts';

/** Array read for a command of the host. */
export const OP_READ = 0;
/** Reading the map (mapping-cache miss) for a command of the host. */
export const OP_MAP_READ = 1;
/** Prefetch. */
export const OP_AHEAD = 2;
/** Program of host data. */
export const OP_PROGRAM = 3;
/** Read by the collector. */
export const OP_COPY_READ = 4;
/** Program by the collector. */
export const OP_COPY_PROGRAM = 5;
export const OP_ERASE = 6;
export const OP_KINDS = 7;
export const OP_NAMES = ['read', 'map_read', 'read_ahead', 'program', 'copy_read', 'copy_program', 'erase'] as const;

/** Whom an operation's end is reported to. The sink frees the operation. */
export interface OpSink {
  opDone(op: number): void;
}

const NONE = -1;

export class FlashOps {
  kind: Uint8Array;
  die: Int32Array;
  /** Command of the host that waits for it; -1 for none. */
  cmd: Int32Array;
  /** Time in the array (tR, tPROG, tBERS). */
  workNs: Float64Array;
  /** Bytes over the channel: after a read, before a program. */
  bytes: Float64Array;
  block: Int32Array;
  /** First unit within the block. */
  offset: Int32Array;
  /** Units of data; of a program: how many of its places are filled. */
  units: Int32Array;
  /** Head of the list of those who wait for this program (flush, FUA). */
  waiters: Int32Array;
  suspends: Int32Array;
  /** When the die took it up. */
  startNs: Float64Array;
  /** When the array was done (read). */
  sensedNs: Float64Array;
  /** When its transfer over the channel began. */
  busNs: Float64Array;
  /** Operations in use. */
  inUse = 0;
  private next: Int32Array;
  private free = NONE;
  private capacity: number;

  constructor(capacity = 256) {
    this.capacity = capacity;
    this.kind = new Uint8Array(capacity);
    this.die = new Int32Array(capacity);
    this.cmd = new Int32Array(capacity);
    this.workNs = new Float64Array(capacity);
    this.bytes = new Float64Array(capacity);
    this.block = new Int32Array(capacity);
    this.offset = new Int32Array(capacity);
    this.units = new Int32Array(capacity);
    this.waiters = new Int32Array(capacity);
    this.suspends = new Int32Array(capacity);
    this.startNs = new Float64Array(capacity);
    this.sensedNs = new Float64Array(capacity);
    this.busNs = new Float64Array(capacity);
    this.next = new Int32Array(capacity);
    this.chain(0);
  }

  /** Takes an operation from the pool; `cmd` and `waiters` are -1, `bytes` and `units` 0, the rest is the caller's to fill. */
  take(kind: number, die: number): number {
    if (this.free === NONE) this.grow();
    const op = this.free;
    this.free = this.next[op];
    this.inUse++;
    this.kind[op] = kind;
    this.die[op] = die;
    this.cmd[op] = NONE;
    this.waiters[op] = NONE;
    this.bytes[op] = 0;
    this.units[op] = 0;
    this.suspends[op] = 0;
    return op;
  }

  release(op: number): void {
    this.inUse--;
    this.next[op] = this.free;
    this.free = op;
  }

  /** Forgets which commands wait (the host was reset; handles are going to be reused). */
  forgetCommands(): void {
    this.cmd.fill(NONE);
    // Reads that wait for a prefetched row stay in their list: they are operations of the pool and must come back to it.
    for (let op = 0; op < this.capacity; op++) if (this.kind[op] === OP_PROGRAM) this.waiters[op] = NONE;
  }

  private chain(from: number): void {
    for (let i = from; i < this.capacity; i++) this.next[i] = i + 1 < this.capacity ? i + 1 : NONE;
    this.free = from;
  }

  private grow(): void {
    const from = this.capacity;
    this.capacity *= 2;
    const n = this.capacity;
    this.kind = wider(this.kind, new Uint8Array(n));
    this.die = wider(this.die, new Int32Array(n));
    this.cmd = wider(this.cmd, new Int32Array(n));
    this.workNs = wider(this.workNs, new Float64Array(n));
    this.bytes = wider(this.bytes, new Float64Array(n));
    this.block = wider(this.block, new Int32Array(n));
    this.offset = wider(this.offset, new Int32Array(n));
    this.units = wider(this.units, new Int32Array(n));
    this.waiters = wider(this.waiters, new Int32Array(n));
    this.suspends = wider(this.suspends, new Int32Array(n));
    this.startNs = wider(this.startNs, new Float64Array(n));
    this.sensedNs = wider(this.sensedNs, new Float64Array(n));
    this.busNs = wider(this.busNs, new Float64Array(n));
    this.next = wider(this.next, new Int32Array(n));
    this.chain(from);
  }
}

/**
 * What mq-deadline keeps its requests in: per priority and direction a sector-sorted index and a FIFO, and across all of them one list for insertions at
 * the head, the hash by end sector and the one-hit merge cache.
 *
 * A request in an index is also in the matching FIFO, and in the hash if it may merge. A request on the head list is in nothing else.
 *
 * @kernel v6.12 block/mq-deadline.c struct deadline_data, struct dd_per_prio; block/elevator.c elv_rqhash_*
 */
import { widerFloat64 } from '../columns.ts';
import type { RequestTable } from '../request.ts';
import {
  IOPRIO_CLASS_IDLE,
  IOPRIO_CLASS_RT,
  OP_DISCARD,
  OP_READ,
  OP_WRITE,
  REQ_FUA,
  REQ_NOMERGE,
  REQ_PASSTHROUGH,
  REQ_PREFLUSH,
  SECTOR_BYTES,
} from '../types.ts';
import { EndSectorHash } from './end-sector-hash.ts';
import { RequestLists } from './request-lists.ts';
import { SectorIndex } from './sector-index.ts';

const NONE = -1;

export const DIR_READ = 0;
export const DIR_WRITE = 1;
const DIRS = 2;

export const PRIO_RT = 0;
export const PRIO_BE = 1;
export const PRIO_IDLE = 2;
export const PRIOS = 3;

const HEAD_LIST = PRIOS * DIRS;
const IOPRIO_CLASS_SHIFT = 13;
const NEVER_MERGED = REQ_NOMERGE | REQ_PREFLUSH | REQ_FUA | REQ_PASSTHROUGH;

/** Everything that is not a read goes with the writes. */
export function dirOfOp(op: number): number {
  return op === OP_READ ? DIR_READ : DIR_WRITE;
}

/** The priority of an ioprio; class NONE counts as best effort. */
export function prioOf(ioprio: number): number {
  const ioClass = ioprio >> IOPRIO_CLASS_SHIFT;
  if (ioClass === IOPRIO_CLASS_RT) return PRIO_RT;
  return ioClass === IOPRIO_CLASS_IDLE ? PRIO_IDLE : PRIO_BE;
}

export class DeadlineQueues {
  /** The one-hit merge cache, or -1. */
  lastMerge = NONE;

  private readonly requests: RequestTable;
  private readonly lists = new RequestLists(PRIOS * DIRS + 1);
  private readonly indexes = Array.from({ length: PRIOS * DIRS }, () => new SectorIndex());
  private readonly hash = new EndSectorHash();
  /** The sector a request is sorted under; NaN while it is in no index. */
  private sortedUnder = new Float64Array(0);

  constructor(requests: RequestTable) {
    this.requests = requests;
  }

  prioOfRequest(rq: number): number {
    return prioOf(this.requests.ioprio[rq]);
  }

  // ------------------------------------------------------------------------------------------------ in and out

  /** Enters a request into index, hash and the tail of its FIFO. */
  add(rq: number): void {
    const { op, sector } = this.requests;
    if (rq >= this.sortedUnder.length) this.sortedUnder = widerFloat64(this.sortedUnder, this.requests.capacity, NaN);
    const queue = this.queueOf(rq);
    this.sortedUnder[rq] = sector[rq];
    this.indexes[queue].insert(sector[rq], rq);
    this.lists.pushTail(queue, rq);
    if (op[rq] === OP_READ || op[rq] === OP_WRITE || op[rq] === OP_DISCARD) this.addToHash(rq);
  }

  addAtHead(rq: number): void {
    this.lists.pushHead(HEAD_LIST, rq);
  }

  /** Takes a request out of everything it is in. */
  remove(rq: number): void {
    if (this.isSorted(rq)) {
      this.indexes[this.queueOf(rq)].remove(this.sortedUnder[rq], rq);
      this.sortedUnder[rq] = NaN;
    }
    this.lists.remove(rq);
    this.hash.remove(rq);
    if (this.lastMerge === rq) this.lastMerge = NONE;
  }

  /** The first request inserted at the head, taken off, or -1. */
  takeFromHead(): number {
    const rq = this.lists.first(HEAD_LIST);
    if (rq !== NONE) this.lists.remove(rq);
    return rq;
  }

  // ------------------------------------------------------------------------------------------------ looking

  isSorted(rq: number): boolean {
    return rq < this.sortedUnder.length && !Number.isNaN(this.sortedUnder[rq]);
  }

  /** The oldest request of a priority and direction, or -1. */
  oldest(prio: number, dir: number): number {
    return this.lists.first(prio * DIRS + dir);
  }

  /** The first request at or above `sector`, or -1. */
  firstFrom(prio: number, dir: number, sector: number): number {
    return this.indexes[prio * DIRS + dir].firstFrom(sector);
  }

  /** The request that starts exactly at `sector`, or -1. */
  startingAt(prio: number, dir: number, sector: number): number {
    return this.indexes[prio * DIRS + dir].find(sector);
  }

  /** The request that ends at `sector` and may merge, or -1. Those that may not any more are dropped from the hash on the way. */
  endingAt(sector: number): number {
    for (let rq = this.hash.find(sector); rq !== NONE; rq = this.hash.find(sector)) {
      if ((this.requests.flags[rq] & NEVER_MERGED) === 0) return rq;
      this.hash.remove(rq);
    }
    return NONE;
  }

  /** The sorted neighbour above, or -1. */
  latter(rq: number): number {
    return this.isSorted(rq) ? this.indexes[this.queueOf(rq)].latter(this.sortedUnder[rq], rq) : NONE;
  }

  /** The sorted neighbour below, or -1. */
  former(rq: number): number {
    return this.isSorted(rq) ? this.indexes[this.queueOf(rq)].former(this.sortedUnder[rq], rq) : NONE;
  }

  isEmpty(): boolean {
    for (let list = 0; list <= HEAD_LIST; list++) if (!this.lists.isEmpty(list)) return false;
    return true;
  }

  /** Requests queued, the head list included: counted for reports. */
  count(): number {
    let n = this.indexes.reduce((sum, index) => sum + index.size, 0);
    for (let rq = this.lists.first(HEAD_LIST); rq !== NONE; rq = this.lists.after(rq)) n++;
    return n;
  }

  // ------------------------------------------------------------------------------------------------ after merges

  /** The request's start moved (a front merge): sorts it anew. */
  resort(rq: number): void {
    const index = this.indexes[this.queueOf(rq)];
    index.remove(this.sortedUnder[rq], rq);
    this.sortedUnder[rq] = this.requests.sector[rq];
    index.insert(this.requests.sector[rq], rq);
  }

  /** The request's end moved: files it under the new one. */
  rehash(rq: number): void {
    if (!this.hash.has(rq)) return;
    this.hash.remove(rq);
    this.hash.add(this.endSector(rq), rq);
  }

  /** `rq` takes the place of `next` in the FIFO. Both are in the same one. */
  takePlaceOf(rq: number, next: number): void {
    const list = this.lists.listOf(rq);
    this.lists.remove(rq);
    this.lists.insertAfter(list, next, rq);
  }

  private addToHash(rq: number): void {
    if ((this.requests.flags[rq] & NEVER_MERGED) !== 0 || this.requests.dontprep[rq] !== 0) return;
    this.hash.add(this.endSector(rq), rq);
    if (this.lastMerge === NONE) this.lastMerge = rq;
  }

  private endSector(rq: number): number {
    return this.requests.sector[rq] + this.requests.bytes[rq] / SECTOR_BYTES;
  }

  private queueOf(rq: number): number {
    return prioOf(this.requests.ioprio[rq]) * DIRS + dirOfOp(this.requests.op[rq]);
  }
}

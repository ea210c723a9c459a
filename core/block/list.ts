/** A doubly linked list of requests through the table's `next` and `prev` columns: a request is on one list at a time. */
import type { RequestTable } from './request.ts';

const NONE = -1;

export class RequestList {
  head = NONE;
  tail = NONE;
  size = 0;
  private readonly requests: RequestTable;

  constructor(requests: RequestTable) {
    this.requests = requests;
  }

  pushTail(rq: number): void {
    const { next, prev } = this.requests;
    next[rq] = NONE;
    prev[rq] = this.tail;
    if (this.tail === NONE) this.head = rq;
    else next[this.tail] = rq;
    this.tail = rq;
    this.size++;
  }

  pushHead(rq: number): void {
    const { next, prev } = this.requests;
    prev[rq] = NONE;
    next[rq] = this.head;
    if (this.head === NONE) this.tail = rq;
    else prev[this.head] = rq;
    this.head = rq;
    this.size++;
  }

  /** Inserts behind `before`, which is on this list. */
  insertAfter(rq: number, before: number): void {
    const { next, prev } = this.requests;
    const after = next[before];
    prev[rq] = before;
    next[rq] = after;
    next[before] = rq;
    if (after === NONE) this.tail = rq;
    else prev[after] = rq;
    this.size++;
  }

  /** Removes and returns the head; the list must not be empty. */
  shift(): number {
    const rq = this.head;
    this.remove(rq);
    return rq;
  }

  remove(rq: number): void {
    const { next, prev } = this.requests;
    const before = prev[rq];
    const after = next[rq];
    if (before === NONE) this.head = after;
    else next[before] = after;
    if (after === NONE) this.tail = before;
    else prev[after] = before;
    next[rq] = NONE;
    prev[rq] = NONE;
    this.size--;
  }

  /** Moves all of `other` to the tail of this list. */
  takeAll(other: RequestList): void {
    if (other.size === 0) return;
    if (this.size === 0) {
      this.head = other.head;
    } else {
      this.requests.next[this.tail] = other.head;
      this.requests.prev[other.head] = this.tail;
    }
    this.tail = other.tail;
    this.size += other.size;
    other.head = NONE;
    other.tail = NONE;
    other.size = 0;
  }
}

/**
 * Intrusive doubly linked lists of requests: the FIFOs, dispatch lists and per-ctx lists of the schedulers.
 *
 * One object holds any number of lists over the same handles; like `rq->queuelist`, a request is on at most one of them.
 * Every operation is constant time and allocates nothing; the columns grow when a handle beyond them shows up.
 */
const NONE = -1;

export class RequestLists {
  private readonly head: Int32Array;
  private readonly tail: Int32Array;
  private next = new Int32Array(64);
  private prev = new Int32Array(64);
  /** The list a request is on; NONE when it is on none. */
  private owner = new Int32Array(64).fill(NONE);

  constructor(lists: number) {
    this.head = new Int32Array(lists).fill(NONE);
    this.tail = new Int32Array(lists).fill(NONE);
  }

  isEmpty(list: number): boolean {
    return this.head[list] === NONE;
  }

  /** The first request of a list, or -1. */
  first(list: number): number {
    return this.head[list];
  }

  /** The last request of a list, or -1. */
  last(list: number): number {
    return this.tail[list];
  }

  /** The request before `rq` on its list (towards the head), or -1. */
  before(rq: number): number {
    return this.prev[rq];
  }

  /** The request after `rq` on its list, or -1. */
  after(rq: number): number {
    return this.next[rq];
  }

  /** The list `rq` is on, or -1. */
  listOf(rq: number): number {
    return rq < this.owner.length ? this.owner[rq] : NONE;
  }

  pushTail(list: number, rq: number): void {
    this.insertAfter(list, this.tail[list], rq);
  }

  pushHead(list: number, rq: number): void {
    this.insertAfter(list, NONE, rq);
  }

  /** Puts `rq` behind `where` on `list`; at the head when `where` is -1. */
  insertAfter(list: number, where: number, rq: number): void {
    if (rq >= this.owner.length) this.grow(rq);
    if (this.owner[rq] !== NONE) throw new Error(`scheduler: request ${rq} is put on a second list`);
    const behind = where === NONE ? this.head[list] : this.next[where];
    this.owner[rq] = list;
    this.prev[rq] = where;
    this.next[rq] = behind;
    if (where === NONE) this.head[list] = rq;
    else this.next[where] = rq;
    if (behind === NONE) this.tail[list] = rq;
    else this.prev[behind] = rq;
  }

  /** Takes `rq` off its list; no effect when it is on none. */
  remove(rq: number): void {
    const list = this.listOf(rq);
    if (list === NONE) return;
    const prev = this.prev[rq];
    const next = this.next[rq];
    if (prev === NONE) this.head[list] = next;
    else this.next[prev] = next;
    if (next === NONE) this.tail[list] = prev;
    else this.prev[next] = prev;
    this.owner[rq] = NONE;
  }

  /** Moves everything on `from` behind what is on `to`, keeping the order. */
  spliceTail(from: number, to: number): void {
    for (let rq = this.head[from]; rq !== NONE; rq = this.head[from]) {
      this.remove(rq);
      this.pushTail(to, rq);
    }
  }

  private grow(rq: number): void {
    let n = this.owner.length * 2;
    while (n <= rq) n *= 2;
    const wider = (old: Int32Array, fill: number): Int32Array<ArrayBuffer> => {
      const fresh = new Int32Array(n).fill(fill);
      fresh.set(old);
      return fresh;
    };
    this.next = wider(this.next, 0);
    this.prev = wider(this.prev, 0);
    this.owner = wider(this.owner, NONE);
  }
}

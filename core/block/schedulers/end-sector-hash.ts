/**
 * Finds the request that ends where another extent begins: the hash of the elevator, for back merges.
 *
 * Chains run through columns indexed by the request's handle, newest first as the kernel's do.
 */
const NONE = -1;
const HASH_BITS = 8;

export class EndSectorHash {
  private readonly buckets = new Int32Array(1 << HASH_BITS).fill(NONE);
  private next = new Int32Array(64);
  private prev = new Int32Array(64);
  /** End sector under which a request is entered; NaN when it is not in the hash. */
  private endSector = new Float64Array(64).fill(NaN);

  has(rq: number): boolean {
    return rq < this.endSector.length && !Number.isNaN(this.endSector[rq]);
  }

  add(endSector: number, rq: number): void {
    if (rq >= this.endSector.length) this.grow(rq);
    const bucket = bucketOf(endSector);
    const head = this.buckets[bucket];
    this.endSector[rq] = endSector;
    this.prev[rq] = NONE;
    this.next[rq] = head;
    if (head !== NONE) this.prev[head] = rq;
    this.buckets[bucket] = rq;
  }

  /** Takes `rq` out; no effect when it is not in. */
  remove(rq: number): void {
    if (!this.has(rq)) return;
    const prev = this.prev[rq];
    const next = this.next[rq];
    if (prev === NONE) this.buckets[bucketOf(this.endSector[rq])] = next;
    else this.next[prev] = next;
    if (next !== NONE) this.prev[next] = prev;
    this.endSector[rq] = NaN;
  }

  /** The newest request that ends at `sector`, or -1. */
  find(sector: number): number {
    let rq = this.buckets[bucketOf(sector)];
    while (rq !== NONE && this.endSector[rq] !== sector) rq = this.next[rq];
    return rq;
  }

  private grow(rq: number): void {
    let n = this.endSector.length * 2;
    while (n <= rq) n *= 2;
    const next = new Int32Array(n);
    next.set(this.next);
    this.next = next;
    const prev = new Int32Array(n);
    prev.set(this.prev);
    this.prev = prev;
    const endSector = new Float64Array(n).fill(NaN);
    endSector.set(this.endSector);
    this.endSector = endSector;
  }
}

/** Multiplicative hash of the low 32 bits. @assume any even spread does: the hash decides nothing but speed. */
function bucketOf(sector: number): number {
  return Math.imul(sector | 0, 0x9e3779b1) >>> (32 - HASH_BITS);
}

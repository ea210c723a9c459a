/**
 * Requests sorted by their start sector: what mq-deadline's red-black trees are for.
 *
 * Two parallel arrays and a binary search. With at most 2048 requests (the limit of scheduler tags) moving the tail of an array costs less than
 * walking a tree would, and nothing is allocated. Requests that start at the same sector keep the order in which they came.
 *
 * The index knows the sector a request was entered with, so a request whose start changed (a front merge) is removed with the old one.
 */
const NONE = -1;

export class SectorIndex {
  size = 0;
  private sectors = new Float64Array(64);
  private requests = new Int32Array(64);

  /** Enters `rq`, behind others of the same sector. */
  insert(sector: number, rq: number): void {
    const size = this.size;
    if (size === this.sectors.length) this.grow();
    const at = this.upperBound(sector);
    if (at < size) {
      this.sectors.copyWithin(at + 1, at, size);
      this.requests.copyWithin(at + 1, at, size);
    }
    this.sectors[at] = sector;
    this.requests[at] = rq;
    this.size = size + 1;
  }

  /** Removes `rq`, which was entered with `sector`. */
  remove(sector: number, rq: number): void {
    const at = this.indexOf(sector, rq);
    const size = this.size;
    if (at + 1 < size) {
      this.sectors.copyWithin(at, at + 1, size);
      this.requests.copyWithin(at, at + 1, size);
    }
    this.size = size - 1;
  }

  /** The first request that starts at or after `sector`, or -1. */
  firstFrom(sector: number): number {
    const at = this.lowerBound(sector);
    return at < this.size ? this.requests[at] : NONE;
  }

  /** The first request that starts exactly at `sector`, or -1. */
  find(sector: number): number {
    const at = this.lowerBound(sector);
    return at < this.size && this.sectors[at] === sector ? this.requests[at] : NONE;
  }

  /** The neighbour of `rq` (entered with `sector`) with the next higher place, or -1. */
  latter(sector: number, rq: number): number {
    const at = this.indexOf(sector, rq) + 1;
    return at < this.size ? this.requests[at] : NONE;
  }

  /** The neighbour of `rq` (entered with `sector`) with the next lower place, or -1. */
  former(sector: number, rq: number): number {
    const at = this.indexOf(sector, rq) - 1;
    return at >= 0 ? this.requests[at] : NONE;
  }

  private indexOf(sector: number, rq: number): number {
    for (let at = this.lowerBound(sector); at < this.size && this.sectors[at] === sector; at++) {
      if (this.requests[at] === rq) return at;
    }
    throw new Error(`scheduler: request ${rq} is not sorted under sector ${sector}`);
  }

  private lowerBound(sector: number): number {
    const sectors = this.sectors;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sectors[middle] < sector) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private upperBound(sector: number): number {
    const sectors = this.sectors;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sectors[middle] <= sector) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private grow(): void {
    const sectors = new Float64Array(this.sectors.length * 2);
    sectors.set(this.sectors);
    this.sectors = sectors;
    const requests = new Int32Array(this.requests.length * 2);
    requests.set(this.requests);
    this.requests = requests;
  }
}

/**
 * Alarms: events of which each source has at most one pending, and takes it back as often as not. The ends of CPU bursts are such events: an interrupt
 * takes the end of the preempted burst back, and a heap could only leave it in place and let it come for nothing.
 *
 * A place per source and a search for the earliest one: cheaper than a heap while there are a few dozen at most (one per CPU). Ties go by sequence number, as
 * in the heap.
 */
const NONE = -1;

/** Places there are: as many as a machine may have CPUs. */
const PLACES = 64;

export class Alarms {
  /** Alarms set now. */
  pending = 0;
  /** Time (ns) of the earliest one and its sequence number; Infinity when none is set. */
  firstNs = Infinity;
  firstSeq = Infinity;
  private first = NONE;
  private count = 0;
  private readonly atNs = new Float64Array(PLACES).fill(Infinity);
  private readonly seqs = new Float64Array(PLACES);

  /** From now on there are `count` alarms, none of them set; 64 at most. */
  create(count: number): void {
    if (count > PLACES) throw new RangeError(`engine: ${count} alarms, there are places for ${PLACES}`);
    this.count = count;
  }

  /** Sets an alarm that is not set. */
  set(id: number, atNs: number, seq: number): void {
    if (this.atNs[id] !== Infinity) throw new Error(`engine: alarm ${id} is set already`);
    this.pending++;
    this.atNs[id] = atNs;
    this.seqs[id] = seq;
    if (atNs < this.firstNs || (atNs === this.firstNs && seq < this.firstSeq)) {
      this.first = id;
      this.firstNs = atNs;
      this.firstSeq = seq;
    }
  }

  /** Takes an alarm back that is set. */
  clear(id: number): void {
    if (this.atNs[id] === Infinity) throw new Error(`engine: alarm ${id} is not set`);
    this.atNs[id] = Infinity;
    if (--this.pending === 0) {
      this.first = NONE;
      this.firstNs = Infinity;
      this.firstSeq = Infinity;
    } else if (id === this.first) this.findFirst();
  }

  /** Takes the earliest alarm back and returns it. There must be one. */
  takeFirst(): number {
    const id = this.first;
    this.clear(id);
    return id;
  }

  /** Looks for the earliest alarm; one is set. */
  private findFirst(): void {
    const { atNs, seqs, count } = this;
    let first = NONE;
    let firstNs = Infinity;
    for (let id = 0; id < count; id++) {
      const ns = atNs[id];
      if (ns < firstNs || (ns === firstNs && first !== NONE && seqs[id] < seqs[first])) {
        first = id;
        firstNs = ns;
      }
    }
    this.first = first;
    this.firstNs = firstNs;
    this.firstSeq = seqs[first];
  }
}

/**
 * The pending-event set: a binary heap over typed arrays, ordered by (time, sequence number).
 *
 * Two events at the same instant leave in the order in which they entered (first scheduled, first run), which is
 * what makes runs repeatable. Which child is earlier is chosen without a branch, because a mispredicted branch per level is the real cost of a heap; only
 * children of the same instant, which are rare, take one. Places behind the last event hold Infinity, so that an only child needs no test.
 *
 * Not modelled: removal from the middle. Cancellation is lazy and lives in `engine.ts`; what is taken back often is an alarm (`alarms.ts`).
 */
export class EventHeap {
  /** Number of pending events. */
  size = 0;
  /** Time (ns) of the event that `pop` returned last. */
  poppedAtNs = 0;
  /** Sequence number of the event that `pop` returned last. */
  poppedSeq = 0;

  private capacity: number;
  private nextSeq = 0;
  private times: Float64Array;
  private seqs: Float64Array;
  private payloads: Int32Array;

  constructor(capacity = 1024) {
    this.capacity = capacity;
    this.times = new Float64Array(capacity).fill(Infinity);
    this.seqs = new Float64Array(capacity);
    this.payloads = new Int32Array(capacity);
  }

  /** Time (ns) of the earliest pending event; Infinity when there is none. */
  peekAtNs(): number {
    return this.times[0];
  }

  /** Its sequence number; there must be one. */
  peekSeq(): number {
    return this.seqs[0];
  }

  /** Takes the next sequence number without scheduling anything (timers keep their place in line this way). */
  takeSeq(): number {
    return this.nextSeq++;
  }

  /** Schedules `payload` at `atNs`. Returns its sequence number, unique within the heap's life. */
  push(atNs: number, payload: number): number {
    const seq = this.nextSeq++;
    this.pushWithSeq(atNs, seq, payload);
    return seq;
  }

  /** Schedules with a sequence number taken earlier by `takeSeq`. */
  pushWithSeq(atNs: number, seq: number, payload: number): void {
    if (this.size === this.capacity) this.grow();
    const times = this.times;
    const seqs = this.seqs;
    const payloads = this.payloads;
    let hole = this.size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const parentAt = times[parent];
      if (parentAt < atNs || (parentAt === atNs && seqs[parent] < seq)) break;
      times[hole] = parentAt;
      seqs[hole] = seqs[parent];
      payloads[hole] = payloads[parent];
      hole = parent;
    }
    times[hole] = atNs;
    seqs[hole] = seq;
    payloads[hole] = payload;
  }

  /** Removes and returns the payload of the earliest event. The heap must not be empty. */
  pop(): number {
    const times = this.times;
    const seqs = this.seqs;
    const payloads = this.payloads;
    const top = payloads[0];
    this.poppedAtNs = times[0];
    this.poppedSeq = seqs[0];
    const n = --this.size;
    const atNs = times[n];
    const seq = seqs[n];
    const payload = payloads[n];
    times[n] = Infinity;
    if (n === 0) return top;
    const half = n >> 1;
    let hole = 0;
    while (hole < half) {
      const left = (hole << 1) + 1;
      const right = left + 1;
      const leftAt = times[left];
      const rightAt = times[right];
      let child = left + +(rightAt < leftAt);
      if (rightAt === leftAt && seqs[right] < seqs[left]) child = right;
      const childAt = times[child];
      if (childAt > atNs || (childAt === atNs && seqs[child] > seq)) break;
      times[hole] = childAt;
      seqs[hole] = seqs[child];
      payloads[hole] = payloads[child];
      hole = child;
    }
    times[hole] = atNs;
    seqs[hole] = seq;
    payloads[hole] = payload;
    return top;
  }

  private grow(): void {
    this.capacity *= 2;
    const times = new Float64Array(this.capacity).fill(Infinity);
    const seqs = new Float64Array(this.capacity);
    const payloads = new Int32Array(this.capacity);
    times.set(this.times);
    seqs.set(this.seqs);
    payloads.set(this.payloads);
    this.times = times;
    this.seqs = seqs;
    this.payloads = payloads;
  }
}

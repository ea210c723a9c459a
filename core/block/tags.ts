/**
 * A set of tags and the waiters for it.
 *
 * Modelled: the bitmap (lowest free tag first), the shallow depth as a limit on the whole map, eight wait queues used in turn, and the batched wake-up: freed
 * tags are counted while somebody waits, and only when the count reaches the batch are that many waiters woken, from the next non-empty
 * queue on. Up to batch−1 tags may lie free while waiters sleep; that is a real source of latency.
 *
 * Not modelled: per-CPU allocation hints (`@assume`: which of the free tags is taken changes nothing that is measured here), the fair share of tags among
 * several devices on one tag set.
 *
 * @kernel v6.12 lib/sbitmap.c, block/blk-mq-tag.c
 */
import { IntRing } from '../engine/ring.ts';

const NONE = -1;
/** @source blk-mq: SBQ_WAIT_QUEUES 8 */
const WAIT_QUEUES = 8;
/** @source blk-mq: SBQ_WAKE_BATCH 8 */
const MAX_WAKE_BATCH = 8;

/** Wakes one waiting context. */
export type WakeTask = (x: number) => void;

export class Tags {
  readonly depth: number;
  readonly name: string;
  /** Tags taken. */
  used = 0;
  /** Contexts asleep for a tag. */
  waiters = 0;
  readonly wakeBatch: number;
  /** Bit set: tag free. */
  private readonly free: Int32Array;
  private readonly queues: IntRing[] = [];
  private waitIndex = 0;
  private wakeIndex = 0;
  /** Frees counted since the last batch, while somebody waited. */
  private completions = 0;

  /** `wakeBatch`: freed tags per wake-up, if not the kernel's; 1 makes the wait first come first served. */
  constructor(depth: number, name: string, wakeBatch?: number) {
    this.depth = depth;
    this.name = name;
    this.wakeBatch = wakeBatch ?? Math.min(Math.max(Math.floor(depth / WAIT_QUEUES), 1), MAX_WAKE_BATCH);
    this.free = new Int32Array(Math.ceil(depth / 32));
    for (let tag = 0; tag < depth; tag++) this.free[tag >> 5] |= 1 << (tag & 31);
    for (let i = 0; i < WAIT_QUEUES; i++) this.queues.push(new IntRing());
  }

  /** Takes a tag, or returns -1 when none is free or `limit` tags are in use already. */
  get(limit: number): number {
    if (this.used >= limit || this.used === this.depth) return NONE;
    let word = 0;
    while (this.free[word] === 0) word++;
    const bits = this.free[word];
    const lowest = bits & -bits;
    this.free[word] = bits ^ lowest;
    this.used++;
    return (word << 5) + 31 - Math.clz32(lowest);
  }

  isTaken(tag: number): boolean {
    return (this.free[tag >> 5] & (1 << (tag & 31))) === 0;
  }

  /** Gives a tag back. Returns how many waiters are to be woken now (take them with `nextWaiter`). */
  put(tag: number): number {
    if (!this.isTaken(tag)) throw new Error(`block: tag ${tag} of ${this.name} freed twice`);
    this.free[tag >> 5] |= 1 << (tag & 31);
    this.used--;
    if (this.waiters === 0 || ++this.completions < this.wakeBatch) return 0;
    this.completions -= this.wakeBatch;
    return Math.min(this.wakeBatch, this.waiters);
  }

  /** Joins the next wait queue in turn. */
  join(x: number): void {
    this.queues[this.waitIndex].push(x);
    this.waitIndex = (this.waitIndex + 1) & (WAIT_QUEUES - 1);
    this.waiters++;
  }

  /**
   * Takes up to `count` waiters for waking: all from the first non-empty queue from the wake index on, going to the queues after it only for what
   * is missing.
   */
  wake(count: number, wakeTask: WakeTask): void {
    let missing = count;
    for (let i = 0; i < WAIT_QUEUES && missing > 0; i++) {
      const queue = this.queues[this.wakeIndex];
      this.wakeIndex = (this.wakeIndex + 1) & (WAIT_QUEUES - 1);
      for (; queue.size > 0 && missing > 0; missing--) {
        this.waiters--;
        wakeTask(queue.shift());
      }
    }
    if (this.waiters === 0) this.completions = 0;
  }

  /** The sleeping contexts, queue by queue. */
  sleepers(): number[] {
    return this.queues.flatMap((queue) => Array.from({ length: queue.size }, (_, i) => queue.at(i)));
  }
}

/**
 * Tokens of one kyber domain: a resizable bitmap of numbers, device-wide, and the hardware queues that wait for one.
 *
 * Freed tokens wake waiters in batches, as every sbitmap queue does: nobody is woken before `wakeBatch` tokens came back. Waiting hardware queues are not
 * exclusive waiters, so one wake-up releases all of them. A shrunk map leaves tokens above its depth with their holders; they vanish when freed.
 *
 * @assume the lowest free number is taken (the kernel starts at a per-CPU hint); it matters only for which holders stand above a shrunk depth.
 * @kernel v6.12 block/kyber-iosched.c kyber_get_domain_token, lib/sbitmap.c sbitmap_queue_wake_up
 */
const NONE = -1;
/** @source blk-mq.h BT_WAIT_QUEUES / SBQ_WAKE_BATCH: eight wait queues share the depth, at most eight per batch. */
const WAIT_QUEUES = 8;
const MAX_WAKE_BATCH = 8;

export class DomainTokens {
  readonly maxDepth: number;
  depth: number;
  /** Tokens held, those above a shrunk depth included. */
  held = 0;
  /** Times that somebody asked and went away without. */
  throttled = 0;
  private wakeBatch: number;
  /** Tokens freed since the last wake-up, counted only while somebody waits. */
  private freed = 0;
  private readonly taken: Uint8Array;
  private lowestFree = 0;
  private readonly isWaiting: Uint8Array;
  private waiting = 0;

  constructor(maxDepth: number, hwQueues: number) {
    this.maxDepth = maxDepth;
    this.depth = maxDepth;
    this.wakeBatch = wakeBatchOf(maxDepth);
    this.taken = new Uint8Array(maxDepth);
    this.isWaiting = new Uint8Array(hwQueues);
  }

  /** Takes a token for `hctx`; without one (-1), `hctx` becomes a waiter. Taking one ends its waiting. */
  take(hctx: number): number {
    const token = this.findFree();
    if (token === NONE) {
      this.throttled++;
      if (this.isWaiting[hctx] === 0) {
        this.isWaiting[hctx] = 1;
        this.waiting++;
      }
      return NONE;
    }
    this.taken[token] = 1;
    this.held++;
    if (this.isWaiting[hctx] !== 0) this.stopWaiting(hctx);
    return token;
  }

  /** Gives a token back. Returns true when the waiters (see `isWaiter`) are to be woken; the caller ends their waiting. */
  put(token: number): boolean {
    this.taken[token] = 0;
    this.held--;
    if (token < this.lowestFree) this.lowestFree = token;
    if (this.waiting === 0) return false;
    this.freed++;
    if (this.freed < this.wakeBatch) return false;
    this.freed -= this.wakeBatch;
    return true;
  }

  isWaiter(hctx: number): boolean {
    return this.isWaiting[hctx] !== 0;
  }

  /** Hardware queues waiting for a token. */
  get waiters(): number {
    return this.waiting;
  }

  stopWaiting(hctx: number): void {
    this.isWaiting[hctx] = 0;
    this.waiting--;
  }

  /** Sets the depth, kept within 1 and the domain's maximum. */
  resize(depth: number): void {
    this.depth = Math.min(Math.max(depth, 1), this.maxDepth);
    this.wakeBatch = wakeBatchOf(this.depth);
  }

  private findFree(): number {
    let token = this.lowestFree;
    while (token < this.maxDepth && this.taken[token] !== 0) token++;
    this.lowestFree = token;
    return token < this.depth ? token : NONE;
  }
}

function wakeBatchOf(depth: number): number {
  return Math.min(Math.max(Math.floor(depth / WAIT_QUEUES), 1), MAX_WAKE_BATCH);
}

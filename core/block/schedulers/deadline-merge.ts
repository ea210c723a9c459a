/**
 * Merging in mq-deadline: bios into queued requests, requests into each other, with the elevator's order of attempts.
 *
 * For a bio: the one-hit cache (either end), the request that ends where the bio begins, the request that begins where the bio ends. What grew
 * then tries to swallow, or be swallowed by, its new neighbour. Of two merged requests the earlier expiry and its place in the FIFO survive.
 * `nomerges` 1 leaves only the one-hit cache; its front merges ignore `front_merges`, as the kernel's do.
 *
 * @kernel v6.12 block/elevator.c elv_merge, elv_attempt_insert_merge; block/blk-mq-sched.c blk_mq_sched_try_merge; block/mq-deadline.c dd_*merge*
 */
import { MERGE_BACK, MERGE_FAILED, MERGE_FRONT, MERGE_NONE, TOUCH_NONE, type SchedulerEnv } from '../scheduler.ts';
import { SECTOR_BYTES } from '../types.ts';
import { dirOfOp, prioOf, type DeadlineQueues } from './deadline-queues.ts';

const NONE = -1;

export class DeadlineMerge {
  /** Requests swallowed by others. */
  requestsMerged = 0;
  private readonly env: SchedulerEnv;
  private readonly queues: DeadlineQueues;
  private readonly frontMerges: boolean;

  constructor(env: SchedulerEnv, queues: DeadlineQueues, frontMerges: boolean) {
    this.env = env;
    this.queues = queues;
    this.frontMerges = frontMerges;
  }

  /** Tries to merge a bio. Returns MERGE_*. */
  bioMerge(bio: number): number {
    const { env, queues } = this;
    if (env.nomerges === 2) return MERGE_NONE;
    const last = queues.lastMerge;
    if (last !== NONE && env.touch(last, bio) !== TOUCH_NONE) {
      const outcome = this.mergeInto(last, bio);
      if (outcome !== MERGE_NONE) return outcome;
    }
    if (env.nomerges === 1) return MERGE_NONE;
    const { bios } = env;
    const behind = queues.endingAt(bios.sector[bio]);
    if (behind !== NONE) {
      const outcome = this.mergeInto(behind, bio);
      if (outcome !== MERGE_NONE) return outcome;
    }
    if (!this.frontMerges) return MERGE_NONE;
    const endSector = bios.sector[bio] + bios.bytes[bio] / SECTOR_BYTES;
    const before = queues.startingAt(prioOf(bios.ioprio[bio]), dirOfOp(bios.op[bio]), endSector);
    return before === NONE ? MERGE_NONE : this.mergeInto(before, bio);
  }

  /** Tries to append a request that is being inserted to one that is queued, and the result to further ones. True: `rq` is gone. */
  insertMerge(rq: number): boolean {
    const { env, queues } = this;
    if (env.nomerges === 2) return false;
    const last = queues.lastMerge;
    if (last !== NONE && env.requestsMergeable(last, rq)) {
      this.swallow(last, rq);
      return true;
    }
    if (env.nomerges === 1) return false;
    let isMerged = false;
    let grown = rq;
    for (;;) {
      const before = queues.endingAt(env.requests.sector[grown]);
      if (before === NONE || before === grown || !env.requestsMergeable(before, grown)) return isMerged;
      this.swallow(before, grown);
      isMerged = true;
      grown = before;
    }
  }

  private mergeInto(rq: number, bio: number): number {
    const outcome = this.env.mergeBio(rq, bio);
    if (outcome === MERGE_NONE || outcome === MERGE_FAILED) return outcome;
    this.grew(rq, outcome);
    return outcome;
  }

  /** A bio was added to `rq` at the end `side`: neighbours may now touch. */
  private grew(rq: number, side: number): void {
    const { env, queues } = this;
    if (side === MERGE_BACK) {
      const next = queues.latter(rq);
      if (next !== NONE && env.requestsMergeable(rq, next)) this.swallow(rq, next);
      else queues.rehash(rq);
    } else if (side === MERGE_FRONT) {
      const before = queues.former(rq);
      if (before !== NONE && env.requestsMergeable(before, rq)) {
        this.swallow(before, rq);
        return;
      }
      queues.resort(rq);
    }
    queues.lastMerge = rq;
  }

  /** `rq` takes `next` in; `next` may be queued or on its way in. */
  private swallow(rq: number, next: number): void {
    const { env, queues } = this;
    const { fifoTimeNs } = env.requests;
    if (queues.isSorted(next) && fifoTimeNs[next] < fifoTimeNs[rq]) {
      queues.takePlaceOf(rq, next);
      fifoTimeNs[rq] = fifoTimeNs[next];
    }
    queues.remove(next);
    env.mergeRequests(rq, next);
    this.requestsMerged++;
    queues.rehash(rq);
    queues.lastMerge = rq;
  }
}

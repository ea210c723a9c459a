/**
 * A hardware queue: its dispatch list, the software queues (one per CPU) that feed it, its tags, and the marks that decide when it runs.
 *
 * @kernel v6.12 include/linux/blk-mq.h struct blk_mq_hw_ctx; block/blk-mq.c (dispatch_busy, next_cpu)
 */
import { FlushQueue } from './flush-queue.ts';
import { RequestList } from './list.ts';
import type { RequestTable } from './request.ts';
import type { Tags } from './tags.ts';

/** @source blk-mq: BLK_MQ_CPU_WORK_BATCH 8 */
const CPU_WORK_BATCH = 8;
/** @source blk-mq: EWMA weight 8, factor 4 (a busy observation counts 1 << 4) */
const EWMA_WEIGHT = 8;
const EWMA_BUSY = 16;

/** A software queue: the requests that one CPU inserted. */
export interface Ctx {
  readonly cpu: number;
  readonly list: RequestList;
}

export class Hctx {
  readonly id: number;
  /** The CPUs that submit to this queue, ascending. */
  readonly cpus: readonly number[];
  readonly ctxs: readonly Ctx[];
  /** Requests in all ctx lists together. */
  pendingInCtxs = 0;
  /** Position (in `ctxs`) at which the next round of one-by-one dispatch starts. */
  dispatchFrom = 0;
  /** Goes before everything else: refused, flush and passthrough requests. */
  readonly dispatch: RequestList;
  /** Moving average of "the driver was busy"; > 0 counts as busy. */
  dispatchBusy = 0;
  stopped = false;
  /** SCHED_RESTART: the next freed request runs this queue. */
  restart = false;
  /** Requests set aside for want of a keyslot, in order of arrival; and a slot may be had, so that the next run tries them. */
  readonly keyWaiters: RequestList;
  retryKeys = false;
  /** The request for whose keyslot the whole queue waits, on the dispatch list, or -1; since when. */
  blockedBy = -1;
  blockedNs = 0;
  readonly tags: Tags;
  /** With a scheduler: the tags that requests take first. */
  schedTags: Tags | undefined;
  readonly flush: FlushQueue;
  /** The delayed work that runs the queue, and whether it waits for its timer. */
  runWork = -1;
  runDelayed = false;
  private nextCpu = 0;
  private cpuBatch = CPU_WORK_BATCH;

  constructor(id: number, cpus: readonly number[], tags: Tags, requests: RequestTable) {
    this.id = id;
    this.cpus = cpus;
    this.tags = tags;
    this.ctxs = cpus.map((cpu) => ({ cpu, list: new RequestList(requests) }));
    this.dispatch = new RequestList(requests);
    this.keyWaiters = new RequestList(requests);
    this.flush = new FlushQueue();
  }

  /** The CPU for an asynchronous run when there are several hardware queues: one of the mask for eight runs, then the next. */
  takeNextCpu(): number {
    if (--this.cpuBatch <= 0) {
      this.nextCpu = (this.nextCpu + 1) % this.cpus.length;
      this.cpuBatch = CPU_WORK_BATCH;
    }
    return this.cpus[this.nextCpu];
  }

  updateBusy(busy: boolean): void {
    if (this.dispatchBusy === 0 && !busy) return;
    this.dispatchBusy = Math.floor((this.dispatchBusy * (EWMA_WEIGHT - 1) + (busy ? EWMA_BUSY : 0)) / EWMA_WEIGHT);
  }
}

/**
 * The two interfaces between the block layer and an I/O scheduler (elevator): what a scheduler implements, and what the block layer lends it.
 *
 * All calls are instantaneous: a scheduler decides, the block layer burns the CPU time (`schedInsertNs` per insert, `dispatchCostNs` per request that
 * `dispatch` returned). A scheduler sees requests as handles into `env.requests` and owns a request from `insert` until `dispatch` returns it, or until
 * it merged it away. No scheduler attached means `none`, which is the block layer's own path.
 *
 * @kernel v6.12 block/elevator.h struct elevator_mq_ops
 */
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { DetailLog } from '../trace/log.ts';
import type { BioTable } from './bio.ts';
import type { RequestTable } from './request.ts';
import type { QueueLimits } from './types.ts';

/** Where a bio touches a request, by sectors alone (no other rule looked at). */
export const TOUCH_NONE = 0;
export const TOUCH_BACK = 1;
export const TOUCH_FRONT = 2;

/** Outcome of an attempt to merge a bio into one request. */
export const MERGE_NONE = 0; // not adjacent, or a rule forbids: try the next candidate
export const MERGE_BACK = 1; // done: the bio is in the request, at its end
export const MERGE_FRONT = 2; // done: the bio is in the request, at its start; the request's sector moved
export const MERGE_FAILED = 3; // adjacent but size or segments forbid (the request is now NOMERGE): stop trying

/** What the block layer lends a scheduler. Handed over once, in `init`. */
export interface SchedulerEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly log: DetailLog;
  readonly bios: BioTable;
  readonly requests: RequestTable;
  readonly limits: QueueLimits;
  readonly hwQueues: number;
  /** Scheduler tags per hardware queue. */
  readonly nrRequests: number;
  /** 0: all merges; 1: only the one-hit cache (last_merge) of a scheduler; 2: never asked for merges at all. */
  readonly nomerges: 0 | 1 | 2;
  /** The hardware queue of a CPU. */
  hctxOfCpu(cpu: number): number;
  /** Runs a hardware queue asynchronously (kblockd). Context: any. */
  runHwQueue(hctx: number): void;
  /** The request really enters the scheduler (it was not merged away): the I event and its stamp. Called once per insert, before dispatch can see it. */
  inserted(rq: number): void;
  /** TOUCH_*: whether the bio begins where the request ends, or ends where it begins. */
  touch(rq: number, bio: number): number;
  /** Merges the bio into the request if every rule allows. Returns MERGE_*. */
  mergeBio(rq: number, bio: number): number;
  /** Whether `next` may be appended to `rq` (adjacent at its end, all rules). */
  requestsMergeable(rq: number, next: number): boolean;
  /** Appends `next` to `rq` (M event) and frees `next`: the scheduler must have unlinked `next` before. Expiry stamps are the scheduler's business. */
  mergeRequests(rq: number, next: number): void;
}

export interface Scheduler {
  /** As in /sys/block/…/queue/scheduler. */
  readonly name: string;
  /** One dispatch list for all hardware queues (QUEUE_FLAG_SQ_SCHED): "run all queues" runs only the current CPU's. */
  readonly singleQueue: boolean;
  /** CPU time to pick one request (ns), valid after `init`. */
  readonly dispatchCostNs: number;
  /** Called once, when the queue is built. */
  init(env: SchedulerEnv): void;
  /**
   * How many scheduler tags of the queue's map may be in use for an allocation of this kind to succeed (`nrRequests` or more: no limit).
   * Not asked for passthrough requests.
   */
  limitDepth(op: number, flags: number): number;
  /** Tries to merge a bio that CPU `cpu` submits into a queued request. Returns MERGE_*. */
  bioMerge(bio: number, hctx: number, cpu: number): number;
  /** Takes a request over (or merges it into one it has). `atHead`: before everything else. */
  insert(rq: number, hctx: number, atHead: boolean): void;
  /** The next request for a run of `hctx`, or -1. It may belong to another hardware queue. */
  dispatch(hctx: number): number;
  hasWork(hctx: number): boolean;
  /** The request completed (its stamps and `completedNs` are set); before `finish`. */
  completed(rq: number): void;
  /** The driver requeued an accepted request; it will be inserted again. (One that the driver refused stays dispatched: it waits in the dispatch list.) */
  requeue(rq: number): void;
  /** The request is about to be freed, completed, or merged away. */
  finish(rq: number): void;
  /** What is left inside, as sentences; empty when nothing is. */
  checkEmpty(): string[];
}

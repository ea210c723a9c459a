/**
 * mq-deadline: requests in sector order within batches of one direction, each direction kept from starving by expiry times, priorities kept apart
 * and aged.
 *
 * Modelled: priority classes RT, BE, IDLE with "lower classes wait while a higher one has anything queued or in the driver", ageing, batches,
 * writes_starved, expiry (looked at only when a batch ends), the list for insertions at the head, merges, async depth.
 * Not modelled: zones, cgroup priorities, lock contention (`@assume` a dispatch costs its `dispatchDeadlineNs` whoever else dispatches).
 *
 * @kernel v6.12 block/mq-deadline.c; blk-mq-and-formats.md 1.15
 */
import type { Engine } from '../../engine/engine.ts';
import type { RequestTable } from '../request.ts';
import type { Scheduler, SchedulerEnv } from '../scheduler.ts';
import { OP_READ } from '../types.ts';
import { DeadlineMerge } from './deadline-merge.ts';
import { DeadlineQueues, DIR_READ, DIR_WRITE, dirOfOp, PRIO_BE, PRIO_IDLE, PRIO_RT, PRIOS } from './deadline-queues.ts';
import { MQ_DEADLINE_DEFAULTS, type MqDeadlineTunables } from './tunables.ts';

const NONE = -1;
const DIRS = 2;

export class MqDeadline implements Scheduler {
  readonly name = 'mq-deadline';
  readonly singleQueue = true;
  dispatchCostNs = 0;

  /** Per priority: requests inserted (once each, however often they are requeued), finished, dispatched. */
  readonly inserted = new Float64Array(PRIOS);
  readonly finished = new Float64Array(PRIOS);
  readonly dispatched = new Float64Array(PRIOS);

  private readonly tunables: MqDeadlineTunables;
  private readonly expireNs: readonly [number, number];
  private env!: SchedulerEnv;
  private engine!: Engine;
  private requests!: RequestTable;
  private queues!: DeadlineQueues;
  private merge!: DeadlineMerge;
  private asyncDepth = 0;

  private lastDir = DIR_WRITE;
  /** Requests dispatched in the present batch. */
  private batching = 0;
  /** Read batches begun while writes waited. */
  private starved = 0;
  /** Sector of the last dispatched request, per priority and direction. */
  private readonly latestPos = new Float64Array(PRIOS * DIRS);
  /** Priority under which a request was counted as inserted; NONE until it is, and again once it is finished. */
  private countedAs = new Int8Array(64).fill(NONE);

  constructor(tunables: Partial<MqDeadlineTunables> = {}) {
    this.tunables = { ...MQ_DEADLINE_DEFAULTS, ...tunables };
    this.expireNs = [this.tunables.readExpireNs, this.tunables.writeExpireNs];
  }

  init(env: SchedulerEnv): void {
    this.env = env;
    this.engine = env.engine;
    this.requests = env.requests;
    this.dispatchCostNs = env.machine.costs.dispatchDeadlineNs;
    this.queues = new DeadlineQueues(env.requests);
    this.merge = new DeadlineMerge(env, this.queues, this.tunables.frontMerges);
    this.asyncDepth = Math.max(1, this.tunables.asyncDepth ?? env.nrRequests);
  }

  /** Reads may use every tag, everything else `async_depth` of them. (To the kernel every read is synchronous, whatever its flags.) */
  limitDepth(op: number): number {
    return op === OP_READ ? this.env.nrRequests : this.asyncDepth;
  }

  bioMerge(bio: number): number {
    return this.merge.bioMerge(bio);
  }

  // ------------------------------------------------------------------------------------------------ insert

  insert(rq: number, _hctx: number, atHead: boolean): void {
    this.countInserted(rq);
    if (this.merge.insertMerge(rq)) return;
    this.env.inserted(rq);
    if (atHead) {
      this.requests.fifoTimeNs[rq] = this.engine.now;
      this.queues.addAtHead(rq);
    } else {
      this.requests.fifoTimeNs[rq] = this.engine.now + this.expireNs[dirOfOp(this.requests.op[rq])];
      this.queues.add(rq);
    }
  }

  private countInserted(rq: number): void {
    if (rq >= this.countedAs.length) this.growCounted();
    if (this.countedAs[rq] !== NONE) return;
    const prio = this.queues.prioOfRequest(rq);
    this.countedAs[rq] = prio;
    this.inserted[prio]++;
  }

  private growCounted(): void {
    const wider = new Int8Array(this.requests.capacity).fill(NONE);
    wider.set(this.countedAs);
    this.countedAs = wider;
  }

  // ------------------------------------------------------------------------------------------------ dispatch

  dispatch(): number {
    const first = this.queues.takeFromHead();
    if (first !== NONE) return this.start(first);
    const aged = this.dispatchAged();
    if (aged !== NONE) return aged;
    for (let prio = PRIO_RT; prio < PRIOS; prio++) {
      const rq = this.pick(prio, this.engine.now);
      if (rq !== NONE) return rq;
      if (this.hasUnfinished(prio)) return NONE;
    }
    return NONE;
  }

  /** A request of a lower priority that has waited for `prio_aging_expire`, if at least two priorities compete. */
  private dispatchAged(): number {
    let competing = 0;
    for (let prio = PRIO_RT; prio < PRIOS; prio++) if (this.hasUnfinished(prio)) competing++;
    if (competing < 2) return NONE;
    const latestStartNs = this.engine.now - this.tunables.prioAgingExpireNs;
    for (let prio = PRIO_BE; prio <= PRIO_IDLE; prio++) {
      const rq = this.pick(prio, latestStartNs);
      if (rq !== NONE) return rq;
    }
    return NONE;
  }

  /** Requests of this priority that are queued or in the driver. */
  private hasUnfinished(prio: number): boolean {
    return this.inserted[prio] > this.finished[prio];
  }

  /** The request of a priority whose turn it is, dispatched, if it was inserted no later than `latestStartNs`. */
  private pick(prio: number, latestStartNs: number): number {
    const { queues } = this;
    const next = queues.firstFrom(prio, this.lastDir, this.latestPos[prio * DIRS + this.lastDir]);
    if (next !== NONE && this.batching < this.tunables.fifoBatch) {
      return this.take(next, this.lastDir, latestStartNs);
    }
    const dir = this.chooseDir(prio);
    if (dir === NONE) return NONE;
    const onward = queues.firstFrom(prio, dir, this.latestPos[prio * DIRS + dir]);
    const oldest = queues.oldest(prio, dir);
    const isOverdue = this.requests.fifoTimeNs[oldest] <= this.engine.now;
    this.lastDir = dir;
    this.batching = 0;
    return this.take(isOverdue || onward === NONE ? oldest : onward, dir, latestStartNs);
  }

  /** The direction of a new batch: reads, unless writes have waited for `writes_starved` read batches; NONE without requests. */
  private chooseDir(prio: number): number {
    const hasWrites = this.queues.oldest(prio, DIR_WRITE) !== NONE;
    if (this.queues.oldest(prio, DIR_READ) !== NONE) {
      const isWritesTurn = hasWrites && this.starved++ >= this.tunables.writesStarved;
      if (!isWritesTurn) return DIR_READ;
    } else if (!hasWrites) return NONE;
    this.starved = 0;
    return DIR_WRITE;
  }

  private take(rq: number, dir: number, latestStartNs: number): number {
    if (this.requests.fifoTimeNs[rq] - this.expireNs[dir] > latestStartNs) return NONE;
    this.batching++;
    this.queues.remove(rq);
    return this.start(rq);
  }

  private start(rq: number): number {
    const prio = this.queues.prioOfRequest(rq);
    this.latestPos[prio * DIRS + dirOfOp(this.requests.op[rq])] = this.requests.sector[rq];
    this.dispatched[prio]++;
    return rq;
  }

  hasWork(): boolean {
    return !this.queues.isEmpty();
  }

  // ------------------------------------------------------------------------------------------------ ends

  completed(): void {
    // Ends are counted in finish, which merged requests pass too.
  }

  requeue(): void {
    // Comes back through insert, which does not count it twice.
  }

  finish(rq: number): void {
    if (rq >= this.countedAs.length) return;
    const prio = this.countedAs[rq];
    if (prio === NONE) return; // it never entered the scheduler
    this.countedAs[rq] = NONE;
    this.finished[prio]++;
  }

  checkEmpty(): string[] {
    const left: string[] = [];
    const queued = this.queues.count();
    if (queued > 0) left.push(`mq-deadline: ${queued} requests queued`);
    for (let prio = PRIO_RT; prio < PRIOS; prio++) {
      const unfinished = this.inserted[prio] - this.finished[prio];
      if (unfinished > 0) left.push(`mq-deadline: ${unfinished} requests of priority ${prio} not finished`);
    }
    return left;
  }
}

/**
 * Work queues: deferred calls that run in a kworker's context.
 *
 * Modelled: bound (per-CPU) and unbound queues, high priority, max_active (per CPU when bound, per queue when unbound) with the inactive list behind it,
 * the pending bit of a work item, non-reentrance, delayed work by a timer whose expiry costs a timer interrupt and its softirq on the chosen CPU.
 * The workers themselves are in `worker-pools.ts`.
 *
 * A work's handler runs with `machine.current` = the worker's task. It may run() and sleep(); when it returns without either,
 * the item is over and the worker takes its next one.
 *
 * Not modelled: ordered queues other than as maxActive 1 unbound, flush_work (wait for the item's own completion), freezing, rescuers.
 *
 * @kernel v6.12 kernel/workqueue.c: __queue_work, pwq_activate_work, delayed_work_timer_fn, try_to_grab_pending
 */
import type { Engine } from './engine.ts';
import type { Machine } from './machine.ts';
import { IntRing } from './ring.ts';
import type { WaitEdge, WaitSource } from './waits.ts';
import { type WorkOwner, WorkerPools } from './worker-pools.ts';

const NONE = -1;

/** What marks a work item pending, and where it is. */
const PHASE_IDLE = 0;
const PHASE_TIMER = 1; // delayed: the timer is armed
const PHASE_EXPIRED = 2; // the timer interrupt has come, its softirq has not run yet
const PHASE_INACTIVE = 3; // behind max_active
const PHASE_QUEUED = 4; // on the list of a pool

/** @source Linux Documentation/core-api/workqueue.rst: max_active 0 means the default of 256 */
const DEFAULT_MAX_ACTIVE = 256;

export interface WorkqueueOptions {
  /** Bound: an item runs on the CPU it was queued for. Unbound: wherever a CPU is idle. */
  readonly bound: boolean;
  readonly highpri?: boolean;
  /** Items of this queue in execution or on a pool's list at a time: per CPU when bound, in all when unbound. */
  readonly maxActive?: number;
}

interface Workqueue {
  readonly name: string;
  readonly bound: boolean;
  readonly highpri: boolean;
  readonly maxActive: number;
  /** Per pool it uses (its CPU, or 0 when unbound): active items, and those that wait to become active. */
  readonly active: number[];
  readonly inactive: IntRing[];
}

export class Workqueues implements WorkOwner, WaitSource {
  /** Items queued and items executed so far. */
  worksQueued = 0;
  worksExecuted = 0;
  readonly pools: WorkerPools;

  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly queues: Workqueue[] = [];
  private readonly timerKind: number;
  private readonly timerIrqKind: number;
  private readonly timerSoftirqKind: number;

  // per work item
  private readonly queueOf: Workqueue[] = [];
  private readonly kinds: number[] = [];
  private readonly args: number[] = [];
  private readonly phases: number[] = [];
  private readonly timers: number[] = []; // NONE for work that is never delayed
  private readonly cpus: number[] = []; // where it was queued last
  private readonly slots: number[] = []; // index into active/inactive, of the pending instance
  private readonly executingSlots: number[] = []; // the same, of the instance in execution

  constructor(engine: Engine, machine: Machine) {
    this.engine = engine;
    this.machine = machine;
    this.pools = new WorkerPools(engine, machine, this);
    this.timerKind = engine.register('workqueue.timer', (work) => {
      this.phases[work] = PHASE_EXPIRED;
      machine.raiseHardirq(this.cpus[work], 0, this.timerIrqKind, work);
    });
    this.timerIrqKind = engine.register('workqueue.timer-irq', (work) => {
      machine.raiseSoftirq(this.cpus[work], 0, this.timerSoftirqKind, work);
    });
    this.timerSoftirqKind = engine.register('workqueue.timer-softirq', (work) => {
      if (this.phases[work] === PHASE_EXPIRED) this.insert(machine.current, work); // else cancelled or re-armed since
    });
  }

  /** Creates a queue and returns its handle. Done while the stack is built. */
  create(name: string, options: WorkqueueOptions): number {
    const slots = options.bound ? this.machine.cpus : 1;
    this.queues.push({
      name,
      bound: options.bound,
      highpri: options.highpri ?? false,
      maxActive: options.maxActive ?? DEFAULT_MAX_ACTIVE,
      active: new Array<number>(slots).fill(0),
      inactive: Array.from({ length: slots }, () => new IntRing()),
    });
    return this.queues.length - 1;
  }

  /** Creates a work item of `wq` that calls `kind(arg)`, and returns its handle. Items are few and live for the whole run. */
  createWork(wq: number, kind: number, arg: number): number {
    this.queueOf.push(this.queues[wq]);
    this.kinds.push(kind);
    this.args.push(arg);
    this.phases.push(PHASE_IDLE);
    this.timers.push(NONE);
    this.cpus.push(0);
    this.slots.push(0);
    this.executingSlots.push(0);
    return this.kinds.length - 1;
  }

  /** Creates a work item that can also be queued with a delay. */
  createDelayedWork(wq: number, kind: number, arg: number): number {
    const work = this.createWork(wq, kind, arg);
    this.timers[work] = this.engine.createTimer(this.timerKind, work);
    return work;
  }

  /** True from queueing until a worker takes the item (an executing one is not pending unless queued again). */
  isPending(work: number): boolean {
    return this.phases[work] !== PHASE_IDLE;
  }

  /** True while a worker has the item. */
  isExecuting(work: number): boolean {
    return this.pools.taskExecuting(work) !== NONE;
  }

  /**
   * Queues an item for `cpu` (-1: the caller's). `fromX` (-1 for none) pays for it. Context: any.
   * Returns false, and does nothing, when the item is pending already.
   */
  queueWork(fromX: number, work: number, cpu: number): boolean {
    if (this.phases[work] !== PHASE_IDLE) return false;
    this.cpus[work] = this.cpuFor(fromX, cpu);
    this.insert(fromX, work);
    return true;
  }

  /** As `queueWork`, after `delayNs` (0: at once). */
  queueDelayedWork(fromX: number, work: number, cpu: number, delayNs: number): boolean {
    if (this.phases[work] !== PHASE_IDLE) return false;
    this.cpus[work] = this.cpuFor(fromX, cpu);
    if (delayNs === 0) this.insert(fromX, work);
    else {
      this.phases[work] = PHASE_TIMER;
      this.engine.armTimer(this.timers[work], this.engine.now + delayNs);
    }
    return true;
  }

  /** Queues with a new delay, whether or not it was pending. Returns whether it was. */
  modDelayedWork(fromX: number, work: number, cpu: number, delayNs: number): boolean {
    const wasPending = this.cancelDelayedWork(work);
    this.queueDelayedWork(fromX, work, cpu, delayNs);
    return wasPending;
  }

  /** Takes a pending item back, delayed or queued; one in execution goes on. Returns whether it was pending. */
  cancelDelayedWork(work: number): boolean {
    const phase = this.phases[work];
    if (phase === PHASE_IDLE) return false;
    this.phases[work] = PHASE_IDLE;
    if (phase === PHASE_TIMER) this.engine.cancelTimer(this.timers[work]);
    else if (phase === PHASE_INACTIVE) this.queueOf[work].inactive[this.slots[work]].remove(work);
    else if (phase === PHASE_QUEUED) {
      this.pools.remove(this.poolOf(work), work);
      const next = this.deactivate(this.queueOf[work], this.slots[work]);
      if (next !== NONE) this.pools.insert(this.machine.current, this.poolOf(next), next);
    }
    return true;
  }

  /** The same for an item that is never delayed. */
  cancelWork(work: number): boolean {
    return this.cancelDelayedWork(work);
  }

  // ------------------------------------------------------------------------------------------------ inside

  private cpuFor(fromX: number, cpu: number): number {
    if (cpu >= 0) return cpu;
    return fromX >= 0 ? this.machine.cpuOf(fromX) : 0;
  }

  private poolOf(work: number): number {
    const wq = this.queueOf[work];
    return this.pools.poolFor(wq.bound ? this.slots[work] : NONE, wq.highpri);
  }

  private insert(fromX: number, work: number): void {
    const wq = this.queueOf[work];
    this.machine.charge(fromX, this.machine.costs.queueWorkNs);
    this.worksQueued++;
    // An item in execution stays with the pool that executes it: that is how the same item never runs twice at once.
    const slot = !wq.bound ? 0 : this.isExecuting(work) ? this.executingSlots[work] : this.cpus[work];
    this.slots[work] = slot;
    if (wq.active[slot] >= wq.maxActive) {
      this.phases[work] = PHASE_INACTIVE;
      wq.inactive[slot].push(work);
      return;
    }
    this.activate(wq, slot, work);
    this.pools.insert(fromX, this.poolOf(work), work);
  }

  private activate(wq: Workqueue, slot: number, work: number): void {
    wq.active[slot]++;
    this.phases[work] = PHASE_QUEUED;
  }

  /** An active item is over or was taken back. Returns the inactive item that becomes active in its place, or -1. */
  private deactivate(wq: Workqueue, slot: number): number {
    wq.active[slot]--;
    if (wq.inactive[slot].size === 0) return NONE;
    const next = wq.inactive[slot].shift();
    this.activate(wq, slot, next);
    return next;
  }

  taken(work: number): void {
    this.phases[work] = PHASE_IDLE; // before its handler runs: that may queue its own item again
    this.executingSlots[work] = this.slots[work];
    this.worksExecuted++;
  }

  execute(work: number): void {
    this.engine.call(this.kinds[work], this.args[work]);
  }

  ended(work: number): void {
    const next = this.deactivate(this.queueOf[work], this.executingSlots[work]);
    if (next !== NONE) this.pools.append(this.poolOf(next), next);
  }

  // ------------------------------------------------------------------------------------------------ who waits for whom

  /** `workqueue NAME item LABEL(arg)`, as wait-for chains call it. */
  nameOf(work: number): string {
    return `work ${this.engine.label(this.kinds[work])}(${this.args[work]}) of ${this.queueOf[work].name}`;
  }

  reportWaits(add: (edge: WaitEdge) => void): void {
    for (let work = 0; work < this.kinds.length; work++) {
      const task = this.pools.taskExecuting(work);
      if (task !== NONE) add({ waiter: this.nameOf(work), resource: 'its worker', holders: [this.machine.name(task)] });
      if (this.phases[work] !== PHASE_INACTIVE) continue;
      const holders = this.kinds.flatMap((_, other) =>
        this.queueOf[other] === this.queueOf[work] && this.isActiveIn(other, this.slots[work])
          ? [this.nameOf(other)]
          : [],
      );
      add({ waiter: this.nameOf(work), resource: `max_active of ${this.queueOf[work].name}`, holders });
    }
  }

  private isActiveIn(work: number, slot: number): boolean {
    if (this.phases[work] === PHASE_QUEUED && this.slots[work] === slot) return true;
    return this.isExecuting(work) && this.executingSlots[work] === slot;
  }
}

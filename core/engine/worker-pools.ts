/**
 * Worker pools: the kworkers that execute work items, and the rule of how many of them run at a time.
 *
 * Modelled: two pools per CPU (normal, high priority) and two unbound ones. A per-CPU pool is concurrency managed: while one of its workers is
 * running no other is started; when that one sleeps and work is pending, an idle worker is woken; a worker that wakes again counts again from when it is back
 * on its CPU; a worker takes pending items as long as it is the only one running. An unbound pool starts a worker per pending item. A work item that is
 * queued again while it executes is handed to the worker that executes it, so that no item ever runs twice at once.
 *
 * Not modelled (`@assume`): worker creation and destruction take no time (a spare idle worker is always at hand in the kernel too), rescuers, cpu-intensive
 * items, affinity scopes (the unbound pools span the machine).
 *
 * @kernel v6.12 kernel/workqueue.c: worker_thread, process_one_work, kick_pool, need_more_worker, keep_working, wq_worker_sleeping
 */
import type { Engine } from './engine.ts';
import { type Machine, type SleepWatcher, TASK_SLEEPING } from './machine.ts';
import { IntRing } from './ring.ts';

const NONE = -1;

/** What the pools ask of the owner of the work items. All calls are made in the worker's context. */
export interface WorkOwner {
  /** A worker takes `work` off the list: clear what marks it pending (from here it can be queued again, and not be cancelled). */
  taken(work: number): void;
  /** The worker is ready: call the function of `work`. */
  execute(work: number): void;
  /** The function of `work` is over. */
  ended(work: number): void;
}

interface Pool {
  /** The CPU it is bound to; NONE for unbound. */
  readonly cpu: number;
  readonly isUrgent: boolean;
  readonly worklist: IntRing;
  /** Idle workers, the one that became idle last at the end. */
  readonly idle: number[];
  /** Workers executing an item and not asleep (bound pools only). */
  running: number;
  created: number;
}

export class WorkerPools implements SleepWatcher {
  /** Workers created so far. */
  workersCreated = 0;
  /** Times an idle worker was woken because the running one slept with work pending. */
  sleepHandovers = 0;

  private readonly machine: Machine;
  private readonly owner: WorkOwner;
  private readonly wakeKind: number;
  private readonly executeKind: number;
  private readonly nextKind: number;
  private readonly pools: Pool[] = [];

  // per worker
  private readonly tasks: number[] = [];
  private readonly poolOfWorker: Pool[] = [];
  private readonly currentWork: number[] = []; // NONE while idle or between items
  private readonly isIdleWorker: boolean[] = [];
  private readonly isCounted: boolean[] = []; // part of its pool's `running`
  private readonly scheduled: IntRing[] = []; // items that must wait for this very worker
  private workerOfTask = new Int32Array(256).fill(NONE);
  // per work
  private workerOfWork = new Int32Array(256).fill(NONE);

  constructor(engine: Engine, machine: Machine, owner: WorkOwner) {
    this.machine = machine;
    this.owner = owner;
    this.wakeKind = engine.register('kworker.wake', (x) => {
      this.wokenUp(x, this.workerOfTask[x]);
    });
    this.executeKind = engine.register('kworker.execute', (x) => {
      this.execute(x, this.workerOfTask[x]);
    });
    this.nextKind = engine.register('kworker.next', (x) => {
      this.itemEnded(x, this.workerOfTask[x]);
    });
    for (let cpu = 0; cpu < machine.cpus; cpu++) {
      this.addPool(cpu, false);
      this.addPool(cpu, true);
    }
    this.addPool(NONE, false);
    this.addPool(NONE, true);
  }

  private addPool(cpu: number, isUrgent: boolean): void {
    this.pools.push({ cpu, isUrgent, worklist: new IntRing(), idle: [], running: 0, created: 0 });
  }

  /** The pool of a CPU (-1: the unbound one) and priority. */
  poolFor(cpu: number, isUrgent: boolean): number {
    return 2 * (cpu < 0 ? this.machine.cpus : cpu) + (isUrgent ? 1 : 0);
  }

  /** The pool whose worker executes `work` right now, or -1. */
  poolExecuting(work: number): number {
    const worker = work < this.workerOfWork.length ? this.workerOfWork[work] : NONE;
    return worker === NONE ? NONE : this.pools.indexOf(this.poolOfWorker[worker]);
  }

  /** The task of the worker that executes `work`, or -1. */
  taskExecuting(work: number): number {
    const worker = work < this.workerOfWork.length ? this.workerOfWork[work] : NONE;
    return worker === NONE ? NONE : this.tasks[worker];
  }

  /** The work item that the task executes, or -1 (also for a task that is no worker). */
  workOfTask(x: number): number {
    const worker = x < this.workerOfTask.length ? this.workerOfTask[x] : NONE;
    return worker === NONE ? NONE : this.currentWork[worker];
  }

  /** Items waiting for a worker of the pool. */
  pendingIn(pool: number): number {
    return this.pools[pool].worklist.size;
  }

  /** Appends an item to the pool's list and sees to it that a worker comes. `fromX` (-1 for none) pays for waking it. */
  insert(fromX: number, poolIndex: number, work: number): void {
    const pool = this.pools[poolIndex];
    pool.worklist.push(work);
    this.kick(fromX, pool);
  }

  /** Appends an item without waking anybody: the caller is a worker of this pool that is about to look for its next item. */
  append(poolIndex: number, work: number): void {
    this.pools[poolIndex].worklist.push(work);
  }

  /** Takes an item off the pool's list (or off the worker it was handed to); false when it is not there. Linear. */
  remove(poolIndex: number, work: number): boolean {
    if (this.pools[poolIndex].worklist.remove(work)) return true;
    const worker = work < this.workerOfWork.length ? this.workerOfWork[work] : NONE;
    return worker !== NONE && this.scheduled[worker].remove(work);
  }

  // ------------------------------------------------------------------------------------------------ the watcher of the machine

  taskSleeps(x: number): void {
    const worker = this.workerOfTask[x];
    if (!this.isCounted[worker]) return;
    const pool = this.poolOfWorker[worker];
    this.isCounted[worker] = false;
    pool.running--;
    if (pool.running === 0 && pool.worklist.size > 0) {
      this.sleepHandovers++;
      this.kick(x, pool);
    }
  }

  taskResumes(x: number): void {
    const worker = this.workerOfTask[x];
    if (!this.isIdleWorker[worker]) this.count(worker);
  }

  private count(worker: number): void {
    const pool = this.poolOfWorker[worker];
    if (pool.cpu === NONE || this.isCounted[worker]) return;
    this.isCounted[worker] = true;
    pool.running++;
  }

  private uncount(worker: number): void {
    if (!this.isCounted[worker]) return;
    this.isCounted[worker] = false;
    this.poolOfWorker[worker].running--;
  }

  // ------------------------------------------------------------------------------------------------ the worker's loop

  /** An idle worker was woken: it may find that it is not needed after all. */
  private wokenUp(x: number, worker: number): void {
    const pool = this.poolOfWorker[worker];
    if (pool.worklist.size === 0 || pool.running > 0) {
      this.machine.sleep(x, this.wakeKind, x); // still on the idle list
      return;
    }
    pool.idle.splice(pool.idle.lastIndexOf(worker), 1);
    this.isIdleWorker[worker] = false;
    this.count(worker);
    this.takeNext(x, worker, pool);
  }

  private itemEnded(x: number, worker: number): void {
    const work = this.currentWork[worker];
    this.currentWork[worker] = NONE;
    this.workerOfWork[work] = NONE;
    this.owner.ended(work);
    this.takeNext(x, worker, this.poolOfWorker[worker]);
  }

  private takeNext(x: number, worker: number, pool: Pool): void {
    // More than one running cannot be as long as tasks do not preempt each other; the rule is the kernel's all the same.
    while (this.scheduled[worker].size > 0 || (pool.worklist.size > 0 && pool.running <= 1)) {
      const own = this.scheduled[worker];
      const work = own.size > 0 ? own.shift() : pool.worklist.shift();
      const executing = this.workerOf(work);
      if (executing !== NONE) {
        this.scheduled[executing].push(work);
        continue;
      }
      this.workerOfWork[work] = worker;
      this.currentWork[worker] = work;
      this.owner.taken(work);
      this.machine.run(x, this.machine.costs.kworkerPickNs, this.executeKind, x);
      return;
    }
    this.uncount(worker);
    this.isIdleWorker[worker] = true;
    pool.idle.push(worker);
    this.machine.sleep(x, this.wakeKind, x);
  }

  private execute(x: number, worker: number): void {
    const pool = this.poolOfWorker[worker];
    if (pool.cpu === NONE) this.kick(x, pool); // unbound: the next pending item gets a worker of its own
    this.owner.execute(this.currentWork[worker]);
  }

  // ------------------------------------------------------------------------------------------------ starting workers

  private kick(fromX: number, pool: Pool): void {
    if (pool.worklist.size === 0 || pool.running > 0) return;
    const worker = pool.idle.length > 0 ? pool.idle[pool.idle.length - 1] : this.createWorker(pool);
    const task = this.tasks[worker];
    if (this.machine.taskState(task) !== TASK_SLEEPING) return; // on its way already
    if (pool.cpu === NONE && !this.machine.ownsCpu(task)) this.machine.migrate(task, this.chooseCpu(task));
    this.machine.wake(fromX, task);
  }

  /** Where an unbound worker runs: its last CPU if that is idle, the first idle one, else the one with the fewest tasks. */
  private chooseCpu(task: number): number {
    const machine = this.machine;
    const last = machine.cpuOf(task);
    if (machine.isIdle(last)) return last;
    let best = 0;
    for (let cpu = 0; cpu < machine.cpus; cpu++) {
      if (machine.isIdle(cpu)) return cpu;
      if (machine.load(cpu) < machine.load(best)) best = cpu;
    }
    return best;
  }

  private createWorker(pool: Pool): number {
    const worker = this.tasks.length;
    const name = `kworker/${pool.cpu === NONE ? 'u' : pool.cpu}:${pool.created}${pool.isUrgent ? 'H' : ''}`;
    const task = this.machine.createTask(name, Math.max(pool.cpu, 0), this.wakeKind);
    this.machine.setHome(task, this.nextKind);
    if (pool.isUrgent) this.machine.setUrgent(task);
    this.machine.watch(task, this);
    pool.created++;
    this.workersCreated++;
    this.tasks.push(task);
    this.poolOfWorker.push(pool);
    this.currentWork.push(NONE);
    this.isIdleWorker.push(true);
    this.isCounted.push(false);
    this.scheduled.push(new IntRing());
    if (task >= this.workerOfTask.length) this.workerOfTask = widened(this.workerOfTask, task);
    this.workerOfTask[task] = worker;
    pool.idle.push(worker);
    return worker;
  }

  private workerOf(work: number): number {
    if (work >= this.workerOfWork.length) this.workerOfWork = widened(this.workerOfWork, work);
    return this.workerOfWork[work];
  }
}

/** A copy with room for index `at`, new places NONE. */
function widened(old: Int32Array<ArrayBuffer>, at: number): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(Math.max(old.length * 2, at + 1)).fill(NONE);
  wider.set(old);
  return wider;
}

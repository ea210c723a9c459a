/**
 * The CPUs of the emulated machine, and the contexts of execution that share them.
 *
 * Modelled: per CPU, hardirq > softirq (with tasklets and BH work) > tasks. Higher contexts preempt lower ones, whose remaining burst
 * resumes afterwards. Hardirqs do not nest, softirq items run one after the other, tasks leave a first-in-first-out run queue
 * and are not preempted by each other; a worker lets others run between two items once its time slice is over. Waking a task costs the waker `wakeNs`; if the target is another, idle CPU, also sending an IPI, which takes its time to
 * arrive; an idle CPU its exit latency (by how long it slept); and every switch to a task, from another one or from the idle task, `contextSwitchNs`.
 *
 * Not modelled (`@assume`): time slices and wake-up preemption between tasks (the workloads here block often), ksoftirqd (softirq work
 * always runs at irq exit), cache and frequency effects, SMT.
 *
 * How code runs: a *context* is an integer. Contexts `0..cpus-1` are the hardirq contexts, `cpus..2*cpus-1` the softirq contexts, the
 * rest are tasks. A context executes bursts: `run(x, costNs, kind, arg)` burns CPU time and then calls the handler `kind(arg)` with
 * `machine.current === x`. A handler is instantaneous and ends in at most one of
 *   - `run(...)`: burn more CPU in the same context,
 *   - `sleep(x, kind, arg)`: tasks only; continue at `kind(arg)` once woken,
 *   - returning without either: an irq item is over; a worker takes its next item; a plain task must not do this.
 * `lap(x, ns)` puts a part before the burst that `run` begins, whose end is stamped (`lapEndNs`) without an event of its own.
 * Between `localIrqDisable(x)` and `localIrqEnable(x)` nothing preempts the bursts of x.
 * `charge(x, ns)` adds CPU time to whatever x does next, for small costs of instantaneous code.
 * `pushReturn` / `ret` give state machines a call stack: push where to continue, call into a room, the room ends with `ret(x)`.
 *
 * @kernel v6.12 kernel/softirq.c, kernel/sched/core.c, kernel/irq/handle.c (the order of contexts)
 */
import { LEVEL_HARDIRQ, LEVEL_SOFTIRQ, LEVEL_TASK, TASK_DEAD, TASK_RUNNABLE, TASK_SLEEPING } from './context.ts';
import type { MachineCosts } from './costs/costs.ts';
import type { Cpu } from './cpu.ts';
import { ZERO_NS } from './doubles.ts';
import type { Engine } from './engine.ts';
import { IntRing } from './ring.ts';
import { CpuScheduler, type SleepWatcher } from './scheduler.ts';

export { TASK_DEAD, TASK_RUNNABLE, TASK_SLEEPING };
export type { SleepWatcher };

const NONE = -1;
/** Violations kept of a run: one is enough to fail it, the first few tell why. */
const MAX_VIOLATIONS = 100;

/** Something that must never happen in a kernel and is reported, as a splat would be. */
export interface Violation {
  readonly atNs: number;
  readonly law: string;
  readonly what: string;
}

export class Machine extends CpuScheduler {
  readonly violations: Violation[] = [];
  interrupts = 0;
  softirqs = 0;
  wakeups = 0;
  /** IPIs sent: function calls and calls of idle CPUs. */
  ipis = 0;
  /** IPIs that carried a function call. */
  calls = 0;

  private readonly ipiKind: number;
  /** IPIs under way: kind and arg, first in, first out per target. */
  private readonly ipiQueue: IntRing[] = [];

  constructor(engine: Engine, costs: MachineCosts, cpus: number) {
    super(engine, costs, cpus);
    for (let c = 0; c < cpus; c++) this.ipiQueue.push(new IntRing());
    this.ipiKind = engine.register('cpu.ipi', (cpu) => {
      const queue = this.ipiQueue[cpu];
      const kind = queue.shift();
      this.raiseHardirq(cpu, costs.ipiHandlerNs, kind, queue.shift());
    });
  }

  // ------------------------------------------------------------------------------------------------ who and where

  /** The CPU a context runs on. */
  cpuOf(x: number): number {
    return this.contexts[x].cpu;
  }

  isTask(x: number): boolean {
    return x >= 2 * this.cpus;
  }

  /** Hardirq and softirq contexts are atomic: nothing may sleep in them. */
  isAtomic(x: number): boolean {
    return x < 2 * this.cpus;
  }

  /** `hardirq/0`, `softirq/1`, or the task's name. */
  name(x: number): string {
    return this.contexts[x].name;
  }

  /** The softirq context of a CPU. */
  softirqContext(cpu: number): number {
    return this.cpus + cpu;
  }

  /** True while the CPU has nothing to do and nothing has called it yet. */
  isIdle(cpu: number): boolean {
    return this.idle.isIdle(cpu);
  }

  /** Ns the CPU has been idle so far. Busy, idle and leaving idle states add up to the time elapsed. */
  idleNs(cpu: number): number {
    return this.idle.idleUntil(cpu, this.engine.now);
  }

  /** Ns the CPU has spent leaving idle states so far. */
  idleExitNs(cpu: number): number {
    return this.idle.exitUntil(cpu, this.engine.now);
  }

  /** Busy ns of the CPU so far, the burst in progress included. */
  busyUntilNow(cpu: number): number {
    const done = this.busyNs[3 * cpu] + this.busyNs[3 * cpu + 1] + this.busyNs[3 * cpu + 2];
    const { running, startedNs } = this.cpu[cpu];
    return done + (running === undefined ? 0 : this.engine.now - startedNs);
  }

  /** Tasks that want the CPU: those waiting and the one that owns it. */
  load(cpu: number): number {
    return this.runQueueLength(cpu) + (this.cpu[cpu].task === undefined ? 0 : 1);
  }

  /** True while a task owns its CPU, be it executing, preempted by an irq, or burning its last charge before it sleeps. */
  ownsCpu(x: number): boolean {
    const task = this.contexts[x];
    return this.cpu[task.cpu].task === task;
  }

  taskState(x: number): number {
    return this.contexts[x].state;
  }

  /** Records a breach of a law; the run goes on and is reported as failed. */
  violate(law: string, what: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push({ atNs: this.engine.now, law, what });
  }

  /** Reports a breach when `x` is an atomic context. `what` says what wanted to sleep. */
  assertMaySleep(x: number, what: string): void {
    if (this.isAtomic(x)) this.violate('atomic-sleep', `${what} may sleep, called in ${this.contexts[x].name}`);
  }

  // ------------------------------------------------------------------------------------------------ executing

  /** Adds CPU time to what `x` does next. Code outside any context (x = -1) is free. */
  charge(x: number, costNs: number): void {
    if (x >= 0) this.contexts[x].chargeNs += costNs;
  }

  /** The current task gives up its CPU and continues at `kind(arg)` when woken. Sleeping in atomic context is a violation. */
  sleep(x: number, kind: number, arg: number): void {
    const task = this.contexts[x];
    if (task.level !== LEVEL_TASK) {
      this.violate('atomic-sleep', `sleep() in ${task.name}`);
      throw new Error(`machine: sleep() in atomic context ${task.name}`);
    }
    if (x !== this.current) throw new Error(`machine: sleep() of ${task.name}, which is not executing`);
    if (task.hasNext) throw new Error(`machine: ${task.name} continues twice`);
    task.continueAt(kind, arg);
    task.remainingNs = ZERO_NS;
    task.state = TASK_SLEEPING;
    if (task.watched) this.watcher?.taskSleeps(x);
  }

  /** The current task ends for good. */
  exit(x: number): void {
    this.contexts[x].state = TASK_DEAD;
  }

  /** From now on bursts of `x` are not preempted: interrupts of its CPU wait for the end of the burst. It may not sleep before `localIrqEnable`. */
  localIrqDisable(x: number): void {
    this.contexts[x].irqsOff = true;
  }

  localIrqEnable(x: number): void {
    this.contexts[x].irqsOff = false;
  }

  /** Pushes where `ret(x)` shall continue. */
  pushReturn(x: number, kind: number, arg: number): void {
    this.contexts[x].pushReturn(kind, arg);
  }

  /** Continues, at once and in the same context, where the caller asked to. */
  ret(x: number): void {
    const context = this.contexts[x];
    context.popReturn();
    this.engine.call(context.returnKind, context.returnArg);
  }

  // ------------------------------------------------------------------------------------------------ irqs

  /** A device or IPI interrupt on `cpu`: entry cost plus `costNs`, then `kind(arg)` in hardirq context. */
  raiseHardirq(cpu: number, costNs: number, kind: number, arg: number): void {
    this.interrupts++;
    const target = this.cpu[cpu];
    target.hardQueue.push(costNs, kind, arg);
    this.kick(target, LEVEL_HARDIRQ);
  }

  /** Softirq or tasklet work on `cpu`: `costNs`, then `kind(arg)` in softirq context; items run in order. */
  raiseSoftirq(cpu: number, costNs: number, kind: number, arg: number): void {
    this.softirqs++;
    const target = this.cpu[cpu];
    target.softQueue.push(costNs, kind, arg);
    this.kick(target, LEVEL_SOFTIRQ);
  }

  /** A function call on another CPU: `kind(arg)` in its hardirq context after the IPI latency. `fromX` pays for sending. */
  sendIpi(fromX: number, cpu: number, kind: number, arg: number): void {
    this.charge(fromX, this.costs.ipiSendNs);
    this.ipiQueue[cpu].push(kind);
    this.ipiQueue[cpu].push(arg);
    this.ipis++;
    this.calls++;
    this.engine.after(this.costs.ipiLatencyNs, this.ipiKind, cpu);
  }

  // ------------------------------------------------------------------------------------------------ tasks

  /** Creates a sleeping task; it first runs at `kind(arg)` once woken. Without `arg` the handler gets the task's own context. */
  createTask(name: string, cpu: number, kind: number, arg = NONE): number {
    const task = this.createContext(name, LEVEL_TASK, cpu);
    task.state = TASK_SLEEPING;
    task.continueAt(kind, arg === NONE ? task.x : arg);
    return task.x;
  }

  /** A worker's handler that returns without continuing goes on at `kind(arg)` instead of being a violation. */
  setHome(x: number, kind: number): void {
    this.contexts[x].home = kind;
  }

  /** The task goes before ordinary tasks in the run queue (it does not preempt a running one). */
  setUrgent(x: number): void {
    this.contexts[x].urgent = true;
  }

  /** From now on the machine's one watcher hears of the task's sleeps and resumptions. */
  watch(x: number, watcher: SleepWatcher): void {
    if (this.watcher !== undefined && this.watcher !== watcher) throw new Error('machine: a second sleep watcher');
    this.watcher = watcher;
    this.contexts[x].watched = true;
  }

  /** Moves a sleeping task to another CPU (unbound workers). It must have left its old one: see `ownsCpu`. */
  migrate(x: number, cpu: number): void {
    const task = this.contexts[x];
    if (task.state !== TASK_SLEEPING || this.ownsCpu(x)) throw new Error(`machine: ${task.name} moved while runnable`);
    task.cpu = cpu;
  }

  /**
   * Makes a sleeping task runnable; no effect on a runnable one. `fromX` (the waker, -1 for none) pays for it.
   * Context: any.
   */
  wake(fromX: number, x: number): void {
    const task = this.contexts[x];
    if (task.state !== TASK_SLEEPING || task.wakePending) return;
    this.wakeups++;
    this.charge(fromX, this.costs.wakeNs);
    const cpu = this.cpu[task.cpu];
    if (cpu.task === task) {
      task.wakePending = true; // still burning what it was charged on its way to sleep
      return;
    }
    task.state = TASK_RUNNABLE;
    (task.urgent ? cpu.urgentQueue : cpu.runQueue).push(x);
    if (fromX >= 0 && this.isOnOtherIdleCpu(fromX, cpu)) {
      this.charge(fromX, this.costs.ipiSendNs);
      this.ipis++;
      this.signalIdle(cpu, this.costs.ipiLatencyNs);
    } else this.kick(cpu, LEVEL_TASK);
  }

  private isOnOtherIdleCpu(fromX: number, cpu: Cpu): boolean {
    return this.contexts[fromX].cpu !== cpu.index && this.idle.isIdle(cpu.index);
  }
}

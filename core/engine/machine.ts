/**
 * The CPUs of the emulated machine, and the contexts of execution that share them.
 *
 * Modelled: per CPU, hardirq > softirq (with tasklets and BH work) > tasks. Higher contexts preempt lower ones, whose remaining burst
 * resumes afterwards. Hardirqs do not nest, softirq items run one after the other, tasks leave a first-in-first-out run queue
 * and are not preempted by each other. Waking a task costs the waker `wakeNs`, a remote wake an IPI when the target CPU is idle, an idle
 * CPU its exit latency (by how long it slept), and every change of task `contextSwitchNs`.
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
 * `charge(x, ns)` adds CPU time to whatever x does next, for small costs of instantaneous code.
 * `pushReturn` / `ret` give state machines a call stack: push where to continue, call into a room, the room ends with `ret(x)`.
 *
 * @kernel v6.12 kernel/softirq.c, kernel/sched/core.c, kernel/irq/handle.c (the order of contexts)
 */
import type { MachineCosts } from './costs/costs.ts';
import type { Engine } from './engine.ts';
import { IntRing } from './ring.ts';

/** Task states. */
export const TASK_RUNNABLE = 0;
export const TASK_SLEEPING = 1;
export const TASK_DEAD = 2;

const RETURN_DEPTH = 16;
const NONE = -1;

/** Something that must never happen in a kernel and is reported, as a splat would be. */
export interface Violation {
  readonly atNs: number;
  readonly law: string;
  readonly what: string;
}

/** Told when tasks it watches give up their CPU and when they get one back (work queues count running workers this way). */
export interface SleepWatcher {
  /** `x`, which is executing, goes to sleep. May charge it and wake others. */
  taskSleeps(x: number): void;
  /** `x` was woken and is being switched to. */
  taskResumes(x: number): void;
}

export class Machine {
  /** The context whose handler is being called; -1 outside handlers (device events). */
  current = NONE;
  readonly cpus: number;
  readonly costs: MachineCosts;
  readonly violations: Violation[] = [];

  contextSwitches = 0;
  interrupts = 0;
  softirqs = 0;
  wakeups = 0;
  ipis = 0;
  /** Busy ns per CPU: hardirq, softirq, task (3 per CPU). Idle exits count as neither. */
  readonly busyNs: Float64Array;

  private readonly engine: Engine;
  private readonly burstKind: number;
  private readonly idleExitKind: number;
  private readonly ipiKind: number;
  private readonly nopKind: number;

  // per CPU
  private readonly running: Int32Array; // context on the CPU, NONE while idle or between decisions
  private readonly startedNs: Float64Array;
  private readonly burstSeq: Float64Array;
  private readonly hardBusy: Uint8Array;
  private readonly softBusy: Uint8Array;
  private readonly taskOn: Int32Array; // task that owns the CPU below the irq contexts
  private readonly lastTask: Int32Array;
  private readonly idleSinceNs: Float64Array; // NaN while not idle
  private readonly waking: Uint8Array; // leaving an idle state
  private readonly deciding: Uint8Array; // inside a handler of this CPU: no decision until it returns
  private readonly hardQueue: IntRing[] = [];
  private readonly softQueue: IntRing[] = [];
  private readonly runQueue: IntRing[] = [];
  private readonly urgentQueue: IntRing[] = []; // runnable tasks that go before those of runQueue
  // IPIs under way: kind and arg in flight, FIFO per target
  private readonly ipiQueue: IntRing[] = [];

  // per context
  private contexts: number;
  private cpuOfContext = new Int32Array(256);
  private remainingNs = new Float64Array(256);
  private chargeNs = new Float64Array(256);
  private nextKind = new Int32Array(256);
  private nextArg = new Int32Array(256);
  private hasNext = new Uint8Array(256);
  private state = new Uint8Array(256);
  private wakePending = new Uint8Array(256);
  private home = new Int32Array(256).fill(NONE);
  private urgent = new Uint8Array(256);
  private watched = new Uint8Array(256);
  private watcher: SleepWatcher | undefined;
  private returnTop = new Uint8Array(256);
  private returns = new Int32Array(256 * RETURN_DEPTH * 2);
  private readonly names: string[] = [];

  constructor(engine: Engine, costs: MachineCosts, cpus: number) {
    this.engine = engine;
    this.costs = costs;
    this.cpus = cpus;
    this.contexts = 2 * cpus;
    while (this.contexts > this.state.length) this.growContexts();
    this.busyNs = new Float64Array(3 * cpus);
    this.running = new Int32Array(cpus).fill(NONE);
    this.startedNs = new Float64Array(cpus);
    this.burstSeq = new Float64Array(cpus).fill(NONE);
    this.hardBusy = new Uint8Array(cpus);
    this.softBusy = new Uint8Array(cpus);
    this.taskOn = new Int32Array(cpus).fill(NONE);
    this.lastTask = new Int32Array(cpus).fill(NONE);
    this.idleSinceNs = new Float64Array(cpus);
    this.waking = new Uint8Array(cpus);
    this.deciding = new Uint8Array(cpus);
    for (let c = 0; c < cpus; c++) {
      this.hardQueue.push(new IntRing());
      this.softQueue.push(new IntRing());
      this.runQueue.push(new IntRing());
      this.urgentQueue.push(new IntRing());
      this.ipiQueue.push(new IntRing());
      this.cpuOfContext[c] = c;
      this.cpuOfContext[cpus + c] = c;
    }
    for (let c = 0; c < cpus; c++) this.names.push(`hardirq/${c}`);
    for (let c = 0; c < cpus; c++) this.names.push(`softirq/${c}`);
    this.burstKind = engine.register('cpu.burst', (cpu) => {
      this.burstEnded(cpu);
    });
    this.idleExitKind = engine.register('cpu.idle-exit', (cpu) => {
      this.waking[cpu] = 0;
      this.decide(cpu);
    });
    this.ipiKind = engine.register('cpu.ipi', (cpu) => {
      const queue = this.ipiQueue[cpu];
      const kind = queue.shift();
      this.raiseHardirq(cpu, costs.ipiHandlerNs, kind, queue.shift());
    });
    this.nopKind = engine.register('cpu.trailing', () => undefined);
  }

  // ------------------------------------------------------------------------------------------------ who and where

  /** The CPU a context runs on. */
  cpuOf(x: number): number {
    return this.cpuOfContext[x];
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
    return this.names[x];
  }

  /** The softirq context of a CPU. */
  softirqContext(cpu: number): number {
    return this.cpus + cpu;
  }

  isIdle(cpu: number): boolean {
    return this.running[cpu] === NONE && this.deciding[cpu] === 0 && this.waking[cpu] === 0;
  }

  /** Tasks waiting on the CPU's run queue (the running one not counted). */
  runQueueLength(cpu: number): number {
    return this.runQueue[cpu].size + this.urgentQueue[cpu].size;
  }

  /** Tasks that want the CPU: those waiting and the one that owns it. */
  load(cpu: number): number {
    return this.runQueueLength(cpu) + (this.taskOn[cpu] === NONE ? 0 : 1);
  }

  /** True while a task owns its CPU, be it executing, preempted by an irq, or burning its last charge before it sleeps. */
  ownsCpu(x: number): boolean {
    return this.taskOn[this.cpuOfContext[x]] === x;
  }

  taskState(x: number): number {
    return this.state[x];
  }

  /** Records a breach of a law; the run goes on and is reported as failed. */
  violate(law: string, what: string): void {
    if (this.violations.length < 100) this.violations.push({ atNs: this.engine.now, law, what });
  }

  /** Reports a breach when `x` is an atomic context. `what` says what wanted to sleep. */
  assertMaySleep(x: number, what: string): void {
    if (x < 2 * this.cpus) this.violate('atomic-sleep', `${what} may sleep, called in ${this.names[x]}`);
  }

  // ------------------------------------------------------------------------------------------------ executing

  /** The current context burns `costNs` (plus what it was charged) and then continues at `kind(arg)`. */
  run(x: number, costNs: number, kind: number, arg: number): void {
    if (x !== this.current) throw new Error(`machine: run() for ${this.names[x]}, which is not executing`);
    if (this.hasNext[x] !== 0) throw new Error(`machine: ${this.names[x]} continues twice`);
    this.remainingNs[x] = costNs + this.chargeNs[x];
    this.chargeNs[x] = 0;
    this.nextKind[x] = kind;
    this.nextArg[x] = arg;
    this.hasNext[x] = 1;
  }

  /** Adds CPU time to what `x` does next. Code outside any context (x = -1) is free. */
  charge(x: number, costNs: number): void {
    if (x >= 0) this.chargeNs[x] += costNs;
  }

  /** The current task gives up its CPU and continues at `kind(arg)` when woken. Sleeping in atomic context is a violation. */
  sleep(x: number, kind: number, arg: number): void {
    if (x < 2 * this.cpus) {
      this.violate('atomic-sleep', `sleep() in ${this.names[x]}`);
      throw new Error(`machine: sleep() in atomic context ${this.names[x]}`);
    }
    if (this.hasNext[x] !== 0) throw new Error(`machine: ${this.names[x]} continues twice`);
    this.nextKind[x] = kind;
    this.nextArg[x] = arg;
    this.hasNext[x] = 1;
    this.remainingNs[x] = 0;
    this.state[x] = TASK_SLEEPING;
    if (this.watched[x] !== 0) this.watcher?.taskSleeps(x);
  }

  /** The current task ends for good. */
  exit(x: number): void {
    this.state[x] = TASK_DEAD;
  }

  /** Pushes where `ret(x)` shall continue. */
  pushReturn(x: number, kind: number, arg: number): void {
    const top = this.returnTop[x]++;
    if (top === RETURN_DEPTH) throw new Error(`machine: call stack of ${this.names[x]} is full`);
    const at = (x * RETURN_DEPTH + top) * 2;
    this.returns[at] = kind;
    this.returns[at + 1] = arg;
  }

  /** Continues, at once and in the same context, where the caller asked to. */
  ret(x: number): void {
    const top = --this.returnTop[x];
    const at = (x * RETURN_DEPTH + top) * 2;
    this.engine.call(this.returns[at], this.returns[at + 1]);
  }

  // ------------------------------------------------------------------------------------------------ irqs

  /** A device or IPI interrupt on `cpu`: entry cost plus `costNs`, then `kind(arg)` in hardirq context. */
  raiseHardirq(cpu: number, costNs: number, kind: number, arg: number): void {
    const queue = this.hardQueue[cpu];
    queue.push(costNs);
    queue.push(kind);
    queue.push(arg);
    this.interrupts++;
    this.kick(cpu, 2);
  }

  /** Softirq or tasklet work on `cpu`: `costNs`, then `kind(arg)` in softirq context; items run in order. */
  raiseSoftirq(cpu: number, costNs: number, kind: number, arg: number): void {
    const queue = this.softQueue[cpu];
    queue.push(costNs);
    queue.push(kind);
    queue.push(arg);
    this.softirqs++;
    this.kick(cpu, 1);
  }

  /** A function call on another CPU: `kind(arg)` in its hardirq context after the IPI latency. `fromX` pays for sending. */
  sendIpi(fromX: number, cpu: number, kind: number, arg: number): void {
    this.charge(fromX, this.costs.ipiSendNs);
    this.ipiQueue[cpu].push(kind);
    this.ipiQueue[cpu].push(arg);
    this.ipis++;
    this.engine.after(this.costs.ipiLatencyNs, this.ipiKind, cpu);
  }

  // ------------------------------------------------------------------------------------------------ tasks

  /** Creates a sleeping task; it first runs at `kind(arg)` once woken. Without `arg` the handler gets the task's own context. */
  createTask(name: string, cpu: number, kind: number, arg = NONE): number {
    if (this.contexts === this.state.length) this.growContexts();
    const x = this.contexts++;
    this.names.push(name);
    this.cpuOfContext[x] = cpu;
    this.state[x] = TASK_SLEEPING;
    this.nextKind[x] = kind;
    this.nextArg[x] = arg === NONE ? x : arg;
    this.hasNext[x] = 1;
    return x;
  }

  /** A worker's handler that returns without continuing goes on at `kind(arg)` instead of being a violation. */
  setHome(x: number, kind: number): void {
    this.home[x] = kind;
  }

  /** The task goes before ordinary tasks in the run queue (it does not preempt a running one). */
  setUrgent(x: number): void {
    this.urgent[x] = 1;
  }

  /** From now on the machine's one watcher hears of the task's sleeps and resumptions. */
  watch(x: number, watcher: SleepWatcher): void {
    if (this.watcher !== undefined && this.watcher !== watcher) throw new Error('machine: a second sleep watcher');
    this.watcher = watcher;
    this.watched[x] = 1;
  }

  /** Moves a sleeping task to another CPU (unbound workers). It must have left its old one: see `ownsCpu`. */
  migrate(x: number, cpu: number): void {
    if (this.state[x] !== TASK_SLEEPING || this.ownsCpu(x))
      throw new Error(`machine: ${this.names[x]} moved while runnable`);
    this.cpuOfContext[x] = cpu;
  }

  /**
   * Makes a sleeping task runnable; no effect on a runnable one. `fromX` (the waker, -1 for none) pays for it.
   * Context: any.
   */
  wake(fromX: number, x: number): void {
    if (this.state[x] !== TASK_SLEEPING) return;
    this.wakeups++;
    this.charge(fromX, this.costs.wakeNs);
    const cpu = this.cpuOfContext[x];
    if (this.taskOn[cpu] === x) {
      this.wakePending[x] = 1; // still burning what it was charged on its way to sleep
      return;
    }
    this.state[x] = TASK_RUNNABLE;
    (this.urgent[x] === 0 ? this.runQueue : this.urgentQueue)[cpu].push(x);
    this.kick(cpu, 0);
  }

  // ------------------------------------------------------------------------------------------------ the scheduler

  /** Work of `level` (2 hardirq, 1 softirq, 0 task) became pending on a CPU. */
  private kick(cpu: number, level: number): void {
    if (this.deciding[cpu] !== 0 || this.waking[cpu] !== 0) return; // looked at when the handler returns, or the CPU is up
    const x = this.running[cpu];
    if (x === NONE) {
      const exitNs = this.idleExitNs(cpu);
      if (exitNs > 0) {
        this.waking[cpu] = 1;
        this.engine.after(exitNs, this.idleExitKind, cpu);
      } else this.decide(cpu);
      return;
    }
    const runningLevel = x < this.cpus ? 2 : x < 2 * this.cpus ? 1 : 0;
    if (level <= runningLevel) return;
    this.suspend(cpu, x);
    this.decide(cpu);
  }

  private suspend(cpu: number, x: number): void {
    const ranNs = this.engine.now - this.startedNs[cpu];
    this.remainingNs[x] -= ranNs;
    this.account(cpu, x, ranNs);
    this.running[cpu] = NONE;
    this.burstSeq[cpu] = NONE;
  }

  private account(cpu: number, x: number, ranNs: number): void {
    this.busyNs[3 * cpu + (x < this.cpus ? 0 : x < 2 * this.cpus ? 1 : 2)] += ranNs;
  }

  /** How long the CPU needs to leave its idle state: that of the deepest state it has slept long enough for. */
  private idleExitNs(cpu: number): number {
    const sleptNs = this.engine.now - this.idleSinceNs[cpu];
    let exitNs = 0;
    for (const s of this.costs.idleStates) if (sleptNs >= s.minResidencyNs) exitNs = s.exitNs;
    return exitNs;
  }

  /** Picks what the CPU does next: hardirq, softirq, the task that owns it, the run queue, or nothing. */
  private decide(cpu: number): void {
    const cpus = this.cpus;
    let x: number;
    if (this.hardBusy[cpu] !== 0) x = cpu;
    else if (this.hardQueue[cpu].size > 0) {
      this.hardBusy[cpu] = 1;
      x = cpu;
      this.beginItem(x, this.hardQueue[cpu], this.costs.hardirqEntryNs);
    } else if (this.softBusy[cpu] !== 0) x = cpus + cpu;
    else if (this.softQueue[cpu].size > 0) {
      this.softBusy[cpu] = 1;
      x = cpus + cpu;
      this.beginItem(x, this.softQueue[cpu], this.costs.softirqEntryNs);
    } else if (this.taskOn[cpu] !== NONE) x = this.taskOn[cpu];
    else if (this.runQueueLength(cpu) > 0) {
      x = (this.urgentQueue[cpu].size > 0 ? this.urgentQueue : this.runQueue)[cpu].shift();
      this.taskOn[cpu] = x;
      if (this.watched[x] !== 0) this.watcher?.taskResumes(x);
      if (this.lastTask[cpu] !== x) {
        this.contextSwitches++;
        this.remainingNs[x] += this.costs.contextSwitchNs;
        this.lastTask[cpu] = x;
      }
    } else {
      this.running[cpu] = NONE;
      this.idleSinceNs[cpu] = this.engine.now;
      return;
    }
    this.running[cpu] = x;
    this.startedNs[cpu] = this.engine.now;
    this.burstSeq[cpu] = this.engine.at(this.engine.now + this.remainingNs[x], this.burstKind, cpu);
  }

  private beginItem(x: number, queue: IntRing, entryNs: number): void {
    this.remainingNs[x] = queue.shift() + entryNs + this.chargeNs[x];
    this.chargeNs[x] = 0;
    this.nextKind[x] = queue.shift();
    this.nextArg[x] = queue.shift();
    this.hasNext[x] = 1;
  }

  private burstEnded(cpu: number): void {
    if (this.burstSeq[cpu] !== this.engine.seq) return; // that burst was preempted; its rest comes later
    const x = this.running[cpu];
    this.account(cpu, x, this.engine.now - this.startedNs[cpu]);
    this.running[cpu] = NONE;
    this.remainingNs[x] = 0;
    if (x >= 2 * this.cpus && this.state[x] !== TASK_RUNNABLE) {
      this.leaveCpu(cpu, x); // the trailing cost of a task that is going to sleep
      this.decide(cpu);
      return;
    }
    this.hasNext[x] = 0;
    this.deciding[cpu] = 1;
    this.current = x;
    this.engine.call(this.nextKind[x], this.nextArg[x]);
    this.current = NONE;
    this.deciding[cpu] = 0;
    if (x < this.cpus) this.irqReturned(x, this.hardBusy, cpu);
    else if (x < 2 * this.cpus) this.irqReturned(x, this.softBusy, cpu);
    else this.taskReturned(cpu, x);
    this.decide(cpu);
  }

  private irqReturned(x: number, busy: Uint8Array, cpu: number): void {
    if (this.hasNext[x] !== 0) return;
    if (this.chargeNs[x] > 0) {
      this.current = x;
      this.run(x, 0, this.nopKind, 0);
      this.current = NONE;
    } else busy[cpu] = 0;
  }

  private taskReturned(cpu: number, x: number): void {
    if (this.state[x] === TASK_RUNNABLE) {
      if (this.hasNext[x] !== 0) return;
      if (this.home[x] === NONE) throw new Error(`machine: task ${this.names[x]} returned without continuing`);
      this.current = x;
      this.run(x, 0, this.home[x], x);
      this.current = NONE;
    } else if (this.chargeNs[x] > 0) {
      this.remainingNs[x] = this.chargeNs[x];
      this.chargeNs[x] = 0;
    } else this.leaveCpu(cpu, x);
  }

  /** A task that is no longer runnable gives up the CPU, unless it was woken on its way. */
  private leaveCpu(cpu: number, x: number): void {
    if (this.wakePending[x] !== 0 && this.state[x] === TASK_SLEEPING) {
      this.wakePending[x] = 0;
      this.state[x] = TASK_RUNNABLE;
      if (this.watched[x] !== 0) this.watcher?.taskResumes(x);
      return;
    }
    this.taskOn[cpu] = NONE;
  }

  private growContexts(): void {
    const n = this.state.length * 2;
    const wider = <T extends Float64Array | Int32Array | Uint8Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.cpuOfContext = wider(this.cpuOfContext, new Int32Array(n));
    this.remainingNs = wider(this.remainingNs, new Float64Array(n));
    this.chargeNs = wider(this.chargeNs, new Float64Array(n));
    this.nextKind = wider(this.nextKind, new Int32Array(n));
    this.nextArg = wider(this.nextArg, new Int32Array(n));
    this.hasNext = wider(this.hasNext, new Uint8Array(n));
    this.state = wider(this.state, new Uint8Array(n));
    this.wakePending = wider(this.wakePending, new Uint8Array(n));
    this.home = wider(this.home, new Int32Array(n).fill(NONE));
    this.urgent = wider(this.urgent, new Uint8Array(n));
    this.watched = wider(this.watched, new Uint8Array(n));
    this.returnTop = wider(this.returnTop, new Uint8Array(n));
    this.returns = wider(this.returns, new Int32Array(n * RETURN_DEPTH * 2));
  }
}

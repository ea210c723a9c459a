/**
 * The scheduler of the emulated CPUs: which context executes, who preempts whom, and when a CPU idles.
 *
 * The order on a CPU is hardirq > softirq > the task that owns it > urgent tasks > the run queue > idle. The end of a burst is an alarm of its CPU,
 * which preemption takes back. What executes is decided only between handlers, so a handler
 * sees a machine that stands still.
 *
 * The rules for the code that runs here, and what is not modelled, are told in `machine.ts`, the face of this.
 *
 * @kernel v6.12 kernel/softirq.c irq_exit_rcu, kernel/sched/core.c __schedule, kernel/workqueue.c process_one_work (cond_resched)
 */
import { Contexts, MAX_LAPS, TASK_RUNNABLE, TASK_SLEEPING } from './contexts.ts';
import type { MachineCosts } from './costs/costs.ts';
import type { Engine } from './engine.ts';
import { IdleCpus } from './idle.ts';
import { IrqQueue } from './irq-queue.ts';
import { IntRing } from './ring.ts';

const NONE = -1;
/** How long a worker goes on with item after item while other tasks wait. @source kernel/sched/fair.c: base slice 0.75 ms × (1 + log2 of 8 CPUs) */
const SLICE_NS = 3_000_000;

/** What a context is to the preemption rule. */
export const LEVEL_TASK = 0;
export const LEVEL_SOFTIRQ = 1;
export const LEVEL_HARDIRQ = 2;

/** Told when tasks it watches give up their CPU and when they get one back (work queues count running workers this way). */
export interface SleepWatcher {
  /** `x`, which is executing, goes to sleep. May charge it and wake others. */
  taskSleeps(x: number): void;
  /** `x` was woken and is being switched to. */
  taskResumes(x: number): void;
}

export class CpuScheduler {
  /** The context whose handler is being called; -1 outside handlers (device events). */
  current = NONE;
  readonly cpus: number;
  readonly costs: MachineCosts;
  contextSwitches = 0;
  /** Busy ns per CPU: hardirq, softirq, task (3 per CPU), in completed stretches. Idle and leaving idle states count as neither. */
  readonly busyNs: Float64Array;

  protected readonly engine: Engine;
  protected readonly contexts = new Contexts();
  protected readonly idle: IdleCpus;
  protected watcher: SleepWatcher | undefined;

  private readonly idleExitKind: number;
  private readonly trailingKind: number;

  // per CPU
  protected readonly running: Int32Array; // context on the CPU, NONE while idle or between decisions
  protected readonly startedNs: Float64Array;
  private readonly hardBusy: Uint8Array;
  private readonly softBusy: Uint8Array;
  protected readonly taskOn: Int32Array; // task that owns the CPU below the irq contexts
  private readonly gotCpuNs: Float64Array; // since when it does
  private readonly lastTask: Int32Array;
  private readonly deciding: Uint8Array; // inside a handler of this CPU: no decision until it returns
  protected readonly hardQueue: IrqQueue[] = [];
  protected readonly softQueue: IrqQueue[] = [];
  protected readonly runQueue: IntRing[] = [];
  protected readonly urgentQueue: IntRing[] = []; // runnable tasks that go before those of runQueue

  constructor(engine: Engine, costs: MachineCosts, cpus: number) {
    this.engine = engine;
    this.costs = costs;
    this.cpus = cpus;
    this.idle = new IdleCpus(cpus, costs.idleStates);
    this.busyNs = new Float64Array(3 * cpus);
    this.running = new Int32Array(cpus).fill(NONE);
    this.startedNs = new Float64Array(cpus);
    this.hardBusy = new Uint8Array(cpus);
    this.softBusy = new Uint8Array(cpus);
    this.taskOn = new Int32Array(cpus).fill(NONE);
    this.gotCpuNs = new Float64Array(cpus);
    this.lastTask = new Int32Array(cpus).fill(NONE);
    this.deciding = new Uint8Array(cpus);
    for (let c = 0; c < cpus; c++) this.contexts.create(`hardirq/${c}`, c);
    for (let c = 0; c < cpus; c++) this.contexts.create(`softirq/${c}`, c);
    for (let c = 0; c < cpus; c++) {
      this.hardQueue.push(new IrqQueue());
      this.softQueue.push(new IrqQueue());
      this.runQueue.push(new IntRing());
      this.urgentQueue.push(new IntRing());
    }
    engine.createAlarms('cpu.burst', cpus, (cpu) => {
      this.burstEnded(cpu);
    });
    this.idleExitKind = engine.register('cpu.idle-exit', (cpu) => {
      if (!this.idle.isExit(cpu, engine.seq)) return; // an earlier signal had it up sooner
      this.idle.leave(cpu, engine.now);
      this.decide(cpu);
    });
    this.trailingKind = engine.register('cpu.trailing', () => undefined);
  }

  /** The current context burns `costNs` (plus what it was charged) and then continues at `kind(arg)`. */
  run(x: number, costNs: number, kind: number, arg: number): void {
    const contexts = this.contexts;
    if (x !== this.current) throw new Error(`machine: run() for ${contexts.names[x]}, which is not executing`);
    if (contexts.hasNext[x] !== 0) throw new Error(`machine: ${contexts.names[x]} continues twice`);
    const lapsNs = contexts.lapsGathered[x] === 0 ? 0 : contexts.beginLaps(x, costNs);
    contexts.remainingNs[x] = lapsNs + costNs + contexts.chargeNs[x];
    contexts.chargeNs[x] = 0;
    contexts.nextKind[x] = kind;
    contexts.nextArg[x] = arg;
    contexts.hasNext[x] = 1;
  }

  /**
   * The next burst of `x` begins (after what it was charged, and after earlier laps) with `costNs` whose end shall be known: `lapEndNs` tells it when the
   * burst is over. For stages that nothing can contend for: a boundary without an event, exact even when the burst was preempted.
   */
  lap(x: number, costNs: number): void {
    this.contexts.gatherLap(x, costNs);
  }

  /** Whether laps were put before the next burst of `x`. */
  hasLaps(x: number): boolean {
    return this.contexts.lapsGathered[x] !== 0;
  }

  /** When lap `i` of the last burst of `x` that had laps was over (ns). */
  lapEndNs(x: number, i: number): number {
    return this.contexts.lapNs[x * MAX_LAPS + i];
  }

  /** Tasks waiting on the CPU's run queue (the running one not counted). */
  runQueueLength(cpu: number): number {
    return this.runQueue[cpu].size + this.urgentQueue[cpu].size;
  }

  /** Work of `level` became pending on a CPU. */
  protected kick(cpu: number, level: number): void {
    if (this.deciding[cpu] !== 0) return; // looked at when the handler returns
    const x = this.running[cpu];
    if (x === NONE) {
      this.signalIdle(cpu, 0);
      return;
    }
    const runningLevel = x < this.cpus ? LEVEL_HARDIRQ : x < 2 * this.cpus ? LEVEL_SOFTIRQ : LEVEL_TASK;
    if (level <= runningLevel || this.contexts.irqsOff[x] !== 0) return;
    this.suspend(cpu, x);
    this.decide(cpu);
  }

  private suspend(cpu: number, x: number): void {
    const ranNs = this.engine.now - this.startedNs[cpu];
    this.contexts.remainingNs[x] -= ranNs;
    if (this.contexts.lapsOver[x] < this.contexts.laps[x]) {
      this.contexts.passLaps(x, this.contexts.remainingNs[x], this.engine.now);
    }
    this.account(cpu, x, ranNs);
    this.running[cpu] = NONE;
    this.engine.clearAlarm(cpu);
  }

  private account(cpu: number, x: number, ranNs: number): void {
    this.busyNs[3 * cpu + (x < this.cpus ? 0 : x < 2 * this.cpus ? 1 : 2)] += ranNs;
  }

  /** An idle CPU (or one that is leaving its idle state) is called; the signal takes `delayNs` to arrive. */
  protected signalIdle(cpu: number, delayNs: number): void {
    const nowNs = this.engine.now;
    const dueNs = this.idle.signal(cpu, nowNs + delayNs);
    if (Number.isNaN(dueNs)) return;
    if (dueNs > nowNs) this.idle.scheduled(cpu, this.engine.at(dueNs, this.idleExitKind, cpu));
    else {
      this.idle.leave(cpu, nowNs);
      this.decide(cpu);
    }
  }

  /** Picks what the CPU does next: hardirq, softirq, the task that owns it, the run queue, or nothing. */
  private decide(cpu: number): void {
    const cpus = this.cpus;
    const contexts = this.contexts;
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
      this.gotCpuNs[cpu] = this.engine.now;
      if (contexts.watched[x] !== 0) this.watcher?.taskResumes(x);
      if (this.lastTask[cpu] !== x) {
        this.contextSwitches++;
        contexts.remainingNs[x] += this.costs.contextSwitchNs;
        this.lastTask[cpu] = x;
      }
    } else {
      this.running[cpu] = NONE;
      this.lastTask[cpu] = NONE; // the idle task: switching from it costs as much
      this.idle.enter(cpu, this.engine.now);
      return;
    }
    const nowNs = this.engine.now;
    this.running[cpu] = x;
    this.startedNs[cpu] = nowNs;
    this.engine.setAlarm(cpu, nowNs + contexts.remainingNs[x]);
  }

  private beginItem(x: number, queue: IrqQueue, entryNs: number): void {
    const contexts = this.contexts;
    contexts.remainingNs[x] = queue.costNs + entryNs + contexts.chargeNs[x];
    contexts.chargeNs[x] = 0;
    contexts.nextKind[x] = queue.kind;
    contexts.nextArg[x] = queue.arg;
    contexts.hasNext[x] = 1;
    queue.drop();
  }

  private burstEnded(cpu: number): void {
    const contexts = this.contexts;
    const x = this.running[cpu];
    this.account(cpu, x, this.engine.now - this.startedNs[cpu]);
    this.running[cpu] = NONE;
    contexts.remainingNs[x] = 0;
    if (contexts.lapsOver[x] < contexts.laps[x]) contexts.passLaps(x, 0, this.engine.now);
    if (x >= 2 * this.cpus && contexts.state[x] !== TASK_RUNNABLE) {
      this.leaveCpu(cpu, x); // the trailing cost of a task that is going to sleep
      this.decide(cpu);
      return;
    }
    contexts.hasNext[x] = 0;
    this.deciding[cpu] = 1;
    this.current = x;
    this.engine.call(contexts.nextKind[x], contexts.nextArg[x]);
    if (x >= 2 * this.cpus) this.goHome(x);
    this.current = NONE;
    this.deciding[cpu] = 0;
    if (x < this.cpus) this.irqReturned(x, this.hardBusy, cpu);
    else if (x < 2 * this.cpus) this.irqReturned(x, this.softBusy, cpu);
    else this.taskReturned(cpu, x);
    this.decide(cpu);
  }

  private irqReturned(x: number, busy: Uint8Array, cpu: number): void {
    if (this.contexts.hasNext[x] !== 0) return;
    if (this.contexts.chargeNs[x] > 0) {
      this.current = x;
      this.run(x, 0, this.trailingKind, 0);
      this.current = NONE;
    } else busy[cpu] = 0;
  }

  /** A worker's handler is over: go on with its loop, after burning what it was charged. */
  private goHome(x: number): void {
    const contexts = this.contexts;
    if (contexts.home[x] === NONE || contexts.hasNext[x] !== 0 || contexts.state[x] !== TASK_RUNNABLE) return;
    const cpu = contexts.cpu[x];
    if (this.runQueueLength(cpu) > 0 && this.engine.now - this.gotCpuNs[cpu] >= SLICE_NS) this.letOthersRun(cpu, x);
    else if (contexts.chargeNs[x] > 0) this.run(x, 0, contexts.home[x], x);
    else this.engine.call(contexts.home[x], x);
  }

  /** cond_resched() of a worker between two items: to the end of the run queue. Else an item that queues itself again could keep all others from running for ever. */
  private letOthersRun(cpu: number, x: number): void {
    this.run(x, 0, this.contexts.home[x], x);
    this.runQueue[cpu].push(x);
    this.taskOn[cpu] = NONE;
  }

  private taskReturned(cpu: number, x: number): void {
    if (this.contexts.state[x] === TASK_RUNNABLE) {
      if (this.contexts.hasNext[x] === 0)
        throw new Error(`machine: task ${this.contexts.names[x]} returned without continuing`);
    } else if (this.contexts.chargeNs[x] > 0) {
      this.contexts.remainingNs[x] = this.contexts.chargeNs[x];
      this.contexts.chargeNs[x] = 0;
    } else this.leaveCpu(cpu, x);
  }

  /** A task that is no longer runnable gives up the CPU, unless it was woken on its way. */
  private leaveCpu(cpu: number, x: number): void {
    if (this.contexts.wakePending[x] !== 0 && this.contexts.state[x] === TASK_SLEEPING) {
      this.contexts.wakePending[x] = 0;
      this.contexts.state[x] = TASK_RUNNABLE;
      if (this.contexts.watched[x] !== 0) this.watcher?.taskResumes(x);
      return;
    }
    this.taskOn[cpu] = NONE;
  }
}

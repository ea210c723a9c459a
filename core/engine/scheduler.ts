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
import { Context, LEVEL_HARDIRQ, LEVEL_SOFTIRQ, LEVEL_TASK, TASK_RUNNABLE, TASK_SLEEPING } from './context.ts';
import type { MachineCosts } from './costs/costs.ts';
import { Cpu } from './cpu.ts';
import { ZERO_NS } from './doubles.ts';
import type { Engine } from './engine.ts';
import { IdleCpus } from './idle.ts';
import type { IrqQueue } from './irq-queue.ts';

const NONE = -1;
/** How long a worker goes on with item after item while other tasks wait. @source kernel/sched/fair.c: base slice 0.75 ms × (1 + log2 of 8 CPUs) */
const SLICE_NS = 3_000_000;

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
  /** All contexts: the hardirq contexts of the CPUs, their softirq contexts, the tasks. */
  protected readonly contexts: Context[] = [];
  protected readonly cpu: Cpu[] = [];
  protected readonly idle: IdleCpus;
  protected watcher: SleepWatcher | undefined = undefined;

  private readonly idleExitKind: number;
  private readonly trailingKind: number;

  constructor(engine: Engine, costs: MachineCosts, cpus: number) {
    this.engine = engine;
    this.costs = costs;
    this.cpus = cpus;
    this.idle = new IdleCpus(cpus, costs.idleStates);
    this.busyNs = new Float64Array(3 * cpus);
    for (let c = 0; c < cpus; c++) this.createContext(`hardirq/${c}`, LEVEL_HARDIRQ, c);
    for (let c = 0; c < cpus; c++) this.createContext(`softirq/${c}`, LEVEL_SOFTIRQ, c);
    for (let c = 0; c < cpus; c++) this.cpu.push(new Cpu(c, this.contexts[c], this.contexts[cpus + c]));
    engine.createAlarms('cpu.burst', cpus, (cpu) => {
      this.burstEnded(this.cpu[cpu]);
    });
    this.idleExitKind = engine.register('cpu.idle-exit', (cpu) => {
      if (!this.idle.isExit(cpu, engine.seq)) return; // an earlier signal had it up sooner
      this.idle.leave(cpu, engine.now);
      this.decide(this.cpu[cpu]);
    });
    this.trailingKind = engine.register('cpu.trailing', () => undefined);
  }

  protected createContext(name: string, level: number, cpu: number): Context {
    const context = new Context(this.contexts.length, name, level, cpu);
    this.contexts.push(context);
    return context;
  }

  /** The current context burns `costNs` (plus what it was charged) and then continues at `kind(arg)`. */
  run(x: number, costNs: number, kind: number, arg: number): void {
    const context = this.contexts[x];
    if (x !== this.current) throw new Error(`machine: run() for ${context.name}, which is not executing`);
    if (context.hasNext) throw new Error(`machine: ${context.name} continues twice`);
    const lapsNs = context.lapsGathered === 0 ? 0 : context.beginLaps(costNs);
    context.remainingNs = lapsNs + costNs + context.takeChargeNs();
    context.continueAt(kind, arg);
  }

  /**
   * The next burst of `x` begins (after what it was charged, and after earlier laps) with `costNs` whose end shall be known: `lapEndNs` tells it when the
   * burst is over. For stages that nothing can contend for: a boundary without an event, exact even when the burst was preempted.
   */
  lap(x: number, costNs: number): void {
    this.contexts[x].gatherLap(costNs);
  }

  /** Whether laps were put before the next burst of `x`. */
  hasLaps(x: number): boolean {
    return this.contexts[x].lapsGathered !== 0;
  }

  /** When lap `i` of the last burst of `x` that had laps was over (ns). */
  lapEndNs(x: number, i: number): number {
    return this.contexts[x].lapNs[i];
  }

  /** Tasks waiting on the CPU's run queue (the running one not counted). */
  runQueueLength(cpu: number): number {
    return this.cpu[cpu].waiting;
  }

  /** Work of `level` became pending on a CPU. */
  protected kick(cpu: Cpu, level: number): void {
    if (cpu.deciding) return; // looked at when the handler returns
    const { running } = cpu;
    if (running === undefined) {
      this.signalIdle(cpu, 0);
      return;
    }
    if (level <= running.level || running.irqsOff) return;
    this.suspend(cpu, running);
    this.decide(cpu);
  }

  private suspend(cpu: Cpu, running: Context): void {
    const nowNs = this.engine.now;
    const ranNs = nowNs - cpu.startedNs;
    running.remainingNs -= ranNs;
    if (running.lapsOver < running.laps) running.passLaps(nowNs);
    this.account(cpu, running, ranNs);
    cpu.running = undefined;
    this.engine.clearAlarm(cpu.index);
  }

  private account(cpu: Cpu, context: Context, ranNs: number): void {
    this.busyNs[3 * cpu.index + LEVEL_HARDIRQ - context.level] += ranNs;
  }

  /** An idle CPU (or one that is leaving its idle state) is called; the signal takes `delayNs` to arrive. */
  protected signalIdle(cpu: Cpu, delayNs: number): void {
    const nowNs = this.engine.now;
    const dueNs = this.idle.signal(cpu.index, nowNs + delayNs);
    if (Number.isNaN(dueNs)) return;
    if (dueNs > nowNs) this.idle.scheduled(cpu.index, this.engine.at(dueNs, this.idleExitKind, cpu.index));
    else {
      this.idle.leave(cpu.index, nowNs);
      this.decide(cpu);
    }
  }

  /** Picks what the CPU does next: hardirq, softirq, the task that owns it, the run queue, or nothing. */
  private decide(cpu: Cpu): void {
    const nowNs = this.engine.now;
    let next: Context;
    if (cpu.hardBusy) next = cpu.hardirq;
    else if (cpu.hardQueue.size > 0) {
      cpu.hardBusy = true;
      next = cpu.hardirq;
      this.beginItem(next, cpu.hardQueue, this.costs.hardirqEntryNs);
    } else if (cpu.softBusy) next = cpu.softirq;
    else if (cpu.softQueue.size > 0) {
      cpu.softBusy = true;
      next = cpu.softirq;
      this.beginItem(next, cpu.softQueue, this.costs.softirqEntryNs);
    } else if (cpu.task !== undefined) next = cpu.task;
    else if (cpu.waiting > 0) next = this.switchTask(cpu);
    else {
      cpu.running = undefined;
      cpu.lastTask = undefined; // the idle task: switching from it costs as much
      this.idle.enter(cpu.index, nowNs);
      return;
    }
    cpu.running = next;
    cpu.startedNs = nowNs;
    this.engine.setAlarm(cpu.index, nowNs + next.remainingNs);
  }

  private beginItem(context: Context, queue: IrqQueue, entryNs: number): void {
    context.remainingNs = queue.costNs + entryNs + context.takeChargeNs();
    context.continueAt(queue.kind, queue.arg);
    queue.drop();
  }

  /** The next task gets the CPU. */
  private switchTask(cpu: Cpu): Context {
    const x = (cpu.urgentQueue.size > 0 ? cpu.urgentQueue : cpu.runQueue).shift();
    const task = this.contexts[x];
    cpu.task = task;
    cpu.gotCpuNs = this.engine.now;
    if (task.watched) this.watcher?.taskResumes(x);
    if (cpu.lastTask !== task) {
      this.contextSwitches++;
      task.remainingNs += this.costs.contextSwitchNs;
      cpu.lastTask = task;
    }
    return task;
  }

  private burstEnded(cpu: Cpu): void {
    const context = cpu.running;
    if (context === undefined) throw new Error(`machine: a burst ends on CPU ${cpu.index}, which executes nothing`);
    const nowNs = this.engine.now;
    this.account(cpu, context, nowNs - cpu.startedNs);
    cpu.running = undefined;
    context.remainingNs = ZERO_NS;
    if (context.lapsOver < context.laps) context.passLaps(nowNs);
    const isTask = context.level === LEVEL_TASK;
    if (isTask && context.state !== TASK_RUNNABLE) {
      this.leaveCpu(cpu, context); // the trailing cost of a task that is going to sleep
      this.decide(cpu);
      return;
    }
    context.hasNext = false;
    cpu.deciding = true;
    this.current = context.x;
    this.engine.call(context.nextKind, context.nextArg);
    if (isTask) this.goHome(context);
    this.current = NONE;
    cpu.deciding = false;
    if (isTask) this.taskReturned(cpu, context);
    else this.irqReturned(cpu, context);
    this.decide(cpu);
  }

  private irqReturned(cpu: Cpu, context: Context): void {
    if (context.hasNext) return;
    if (context.chargeNs > 0) {
      this.current = context.x;
      this.run(context.x, 0, this.trailingKind, 0);
      this.current = NONE;
    } else cpu.irqIsOver(context.level);
  }

  /** A worker's handler is over: go on with its loop, after burning what it was charged. */
  private goHome(task: Context): void {
    if (task.home === NONE || task.hasNext || task.state !== TASK_RUNNABLE) return;
    const cpu = this.cpu[task.cpu];
    if (cpu.waiting > 0 && this.engine.now - cpu.gotCpuNs >= SLICE_NS) this.letOthersRun(cpu, task);
    else if (task.chargeNs > 0) this.run(task.x, 0, task.home, task.x);
    else this.engine.call(task.home, task.x);
  }

  /** cond_resched() of a worker between two items: to the end of the run queue. Else an item that queues itself again could keep all others from running for ever. */
  private letOthersRun(cpu: Cpu, task: Context): void {
    this.run(task.x, 0, task.home, task.x);
    cpu.runQueue.push(task.x);
    cpu.task = undefined;
  }

  private taskReturned(cpu: Cpu, task: Context): void {
    if (task.state === TASK_RUNNABLE) {
      if (!task.hasNext) throw new Error(`machine: task ${task.name} returned without continuing`);
    } else if (task.chargeNs > 0) task.remainingNs = task.takeChargeNs();
    else this.leaveCpu(cpu, task);
  }

  /** A task that is no longer runnable gives up the CPU, unless it was woken on its way. */
  private leaveCpu(cpu: Cpu, task: Context): void {
    if (task.wakePending && task.state === TASK_SLEEPING) {
      task.wakePending = false;
      task.state = TASK_RUNNABLE;
      if (task.watched) this.watcher?.taskResumes(task.x);
      return;
    }
    cpu.task = undefined;
  }
}

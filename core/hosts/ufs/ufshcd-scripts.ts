/**
 * Sequences of driver steps that sleep in between: probing, gating and ungating, suspend and resume, aborts, host reset. Each sequence is a list of functions
 * and a work item of one ordered work queue, so that only one of them talks to the controller's UIC and task units at a time.
 *
 * A step does its register accesses and says how it waits: not at all, for so many ns, or for the completion it asked for (with a time-out). The same steps run without a
 * machine, one after the other, to bring the host up before time starts.
 *
 * @kernel v6.12 drivers/ufs/core/ufshcd.c (what the sequences do); serialising them on one queue is `@assume` for the mutexes there
 */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { Workqueues } from '../../engine/workqueue.ts';

/** Goes on with the next step. */
export const NEXT = 0;
/** The step waits for `scripts.signal()`, at most until the time given to `waitFor`. */
export const WAIT = -1;
/** The step waits as it told `repeatAfter` or `repeatWhenSignalled`, then runs again. */
export const AGAIN = -2;
/** The step calls something in its context that ends with `machine.ret`, as it told `call` or `callAgain`. */
export const CALL = -4;
/** The sequence ends here. */
export const END = -3;

/** Returns NEXT, WAIT, AGAIN, CALL, END, or a number of ns to sleep. `x` is the worker's context, -1 before time starts. */
export type Step = (x: number) => number;

const NONE = -1;

export class Scripts {
  /** The wait of the step before ended by its time-out. */
  timedOut = false;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly workqueues: Workqueues;
  private readonly wq: number;
  private readonly startKind: number;
  private readonly nextKind: number;
  private readonly wakeKind: number;
  private readonly steps: (readonly Step[])[] = [];
  private readonly works: number[] = [];
  private readonly timer: number;
  private running = NONE;
  private index = 0;
  private sleeper = NONE;
  private signalled = false;
  private timeoutNs = 0;
  private repeatNs = 0;
  private callee: () => void = () => undefined;
  private repeatsCall = false;
  /** Called when a sequence has ended. */
  private readonly ended: (() => void)[] = [];

  constructor(engine: Engine, machine: Machine, workqueues: Workqueues) {
    this.engine = engine;
    this.machine = machine;
    this.workqueues = workqueues;
    this.wq = workqueues.create('ufs_wq', { bound: false, maxActive: 1 });
    this.startKind = engine.register('ufshcd.work', (id) => this.begin(id));
    this.nextKind = engine.register('ufshcd.step', () => this.step(machine.current));
    this.wakeKind = engine.register('ufshcd.delay-over', (x) => machine.wake(NONE, x));
    this.timer = engine.createTimer(
      engine.register('ufshcd.wait-timeout', () => this.waitTimedOut()),
      0,
    );
  }

  /** Defines a sequence and returns its id. */
  define(steps: readonly Step[], ended: () => void = () => undefined): number {
    const id = this.steps.length;
    this.steps.push(steps);
    this.ended.push(ended);
    this.works.push(this.workqueues.createWork(this.wq, this.startKind, id));
    return id;
  }

  /** Queues a sequence; no effect when it is pending already. Context: any. */
  start(fromX: number, id: number, cpu = 0): void {
    this.workqueues.queueWork(fromX, this.works[id], cpu);
  }

  /** Takes a queued sequence back; one that runs goes on. */
  cancel(id: number): void {
    this.workqueues.cancelWork(this.works[id]);
  }

  isRunning(id: number): boolean {
    return this.running === id;
  }

  /** Runs a sequence here and now, without CPU time; every wait must be satisfied by the step itself. */
  runInstantly(id: number): void {
    for (const step of this.steps[id]) if (step(NONE) === END) break;
    this.ended[id]();
  }

  /** The completion that a step waits for has come. Context: any, usually hardirq. */
  signal(fromX: number): void {
    this.signalled = true;
    this.engine.cancelTimer(this.timer);
    if (this.sleeper !== NONE) this.machine.wake(fromX, this.sleeper);
  }

  /** A step is about to wait for a signal: at most so long. Returns WAIT. */
  waitFor(timeoutNs: number): number {
    this.signalled = false;
    this.timeoutNs = timeoutNs;
    return WAIT;
  }

  /** A step wants to sleep and be called again: it returns this. */
  repeatAfter(delayNs: number): number {
    this.repeatNs = delayNs;
    return AGAIN;
  }

  /** A step waits for a completion and wants to be called again: it returns this. */
  repeatWhenSignalled(): number {
    this.repeatNs = WAIT;
    return AGAIN;
  }

  /** A step calls something that ends with `machine.ret(x)` and goes on with the next step then: it returns this. Not before time starts. */
  call(callee: () => void): number {
    this.callee = callee;
    this.repeatsCall = false;
    return CALL;
  }

  /** The same, and then the step runs again. */
  callAgain(callee: () => void): number {
    this.callee = callee;
    this.repeatsCall = true;
    return CALL;
  }

  private begin(id: number): void {
    this.running = id;
    this.index = 0;
    this.timedOut = false;
    this.step(this.machine.current);
  }

  private step(x: number): void {
    this.sleeper = NONE;
    const steps = this.steps[this.running];
    while (this.index < steps.length) {
      const wait = steps[this.index](x);
      if (wait === END) break;
      if (wait === CALL) {
        if (!this.repeatsCall) this.index++;
        this.machine.pushReturn(x, this.nextKind, 0);
        this.callee();
        return;
      }
      if (wait !== AGAIN) this.index++;
      if (wait === NEXT) {
        this.timedOut = false;
        continue;
      }
      this.sleep(x, wait === AGAIN ? this.repeatNs : wait);
      return;
    }
    const id = this.running;
    this.running = NONE;
    this.ended[id]();
  }

  private sleep(x: number, wait: number): void {
    this.timedOut = false;
    if (wait > 0) this.engine.after(wait, this.wakeKind, x);
    else {
      this.sleeper = x;
      this.engine.armTimer(this.timer, this.engine.now + this.timeoutNs);
    }
    this.machine.sleep(x, this.nextKind, 0);
  }

  private waitTimedOut(): void {
    if (this.sleeper === NONE || this.signalled) return;
    this.timedOut = true;
    this.machine.wake(NONE, this.sleeper);
  }
}

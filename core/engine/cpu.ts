/** A CPU: who executes on it, who waits for it. State only; the rules are in `scheduler.ts`. */
import { LEVEL_HARDIRQ, type Context } from './context.ts';
import { ZERO_NS } from './doubles.ts';
import { IrqQueue } from './irq-queue.ts';
import { IntRing } from './ring.ts';

export class Cpu {
  readonly index: number;
  readonly hardirq: Context;
  readonly softirq: Context;

  /** The context that executes; undefined while the CPU is idle or between decisions. */
  running: Context | undefined = undefined;
  startedNs = ZERO_NS;
  /** An interrupt handler, or a softirq item, has begun and is not over: it executes or is preempted. */
  hardBusy = false;
  softBusy = false;
  /** The task that owns the CPU below the irq contexts, and since when. */
  task: Context | undefined = undefined;
  gotCpuNs = ZERO_NS;
  /** Whom the registers belong to; undefined after idling. */
  lastTask: Context | undefined = undefined;
  /** Inside a handler of this CPU: no decision until it returns. */
  deciding = false;

  readonly hardQueue = new IrqQueue();
  readonly softQueue = new IrqQueue();
  /** Runnable tasks; those of `urgentQueue` go first. */
  readonly runQueue = new IntRing();
  readonly urgentQueue = new IntRing();

  constructor(index: number, hardirq: Context, softirq: Context) {
    this.index = index;
    this.hardirq = hardirq;
    this.softirq = softirq;
  }

  /** Tasks waiting on the run queue (the running one not counted). */
  get waiting(): number {
    return this.runQueue.size + this.urgentQueue.size;
  }

  /** An irq context has nothing more to do. */
  irqIsOver(level: number): void {
    if (level === LEVEL_HARDIRQ) this.hardBusy = false;
    else this.softBusy = false;
  }
}

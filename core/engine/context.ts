/**
 * A context of execution: what it is doing, what it does next, and its call stack. State only; the rules are in `scheduler.ts` and `machine.ts`.
 */
import { ZERO_NS } from './doubles.ts';

/** What a context is to the preemption rule. */
export const LEVEL_TASK = 0;
export const LEVEL_SOFTIRQ = 1;
export const LEVEL_HARDIRQ = 2;

/** Task states. */
export const TASK_RUNNABLE = 0;
export const TASK_SLEEPING = 1;
export const TASK_DEAD = 2;

/** Calls that one context can have open: bio submission through stacked devices needs about half. */
const RETURN_DEPTH = 16;
const NONE = -1;
/** Laps of one burst. */
export const MAX_LAPS = 4;

export class Context {
  /** Its number, by which all other rooms know it. */
  readonly x: number;
  readonly name: string;
  readonly level: number;
  /** The CPU it runs on. */
  cpu: number;

  /** CPU time left of the burst in progress. */
  remainingNs = ZERO_NS;
  /** CPU time to be added to the next burst. */
  chargeNs = ZERO_NS;
  /** Where it continues after the burst, or when woken. */
  nextKind = 0;
  nextArg = 0;
  hasNext = false;
  state = TASK_RUNNABLE;
  /** Woken while it was still burning its last charge on the way to sleep. */
  wakePending = false;
  /** Kind that a worker's handler which returns without continuing goes on at; -1 for plain tasks. */
  home = NONE;
  urgent = false;
  watched = false;
  /** Its bursts are not preempted, not even by interrupts. */
  irqsOff = false;

  /** Laps gathered for the next burst. */
  lapsGathered = 0;
  /** Laps of the burst in progress, and how many of them are over. */
  laps = 0;
  lapsOver = 0;
  /** Per lap: while gathering the CPU time up to its end, in a burst the CPU time that remains after it. */
  private readonly lapCpuNs = new Float64Array(MAX_LAPS);
  /** Per lap: when it was over. */
  readonly lapNs = new Float64Array(MAX_LAPS);

  /** The top of the call stack as `popReturn` left it. */
  returnKind = 0;
  returnArg = 0;
  private returnTop = 0;
  private readonly returns = new Int32Array(RETURN_DEPTH * 2);

  constructor(x: number, name: string, level: number, cpu: number) {
    this.x = x;
    this.name = name;
    this.level = level;
    this.cpu = cpu;
  }

  /** Where it goes on. */
  continueAt(kind: number, arg: number): void {
    this.nextKind = kind;
    this.nextArg = arg;
    this.hasNext = true;
  }

  /** Takes what it was charged, for the burst that pays for it. */
  takeChargeNs(): number {
    const ns = this.chargeNs;
    this.chargeNs = ZERO_NS;
    return ns;
  }

  /** Adds a lap of `costNs` to the next burst. */
  gatherLap(costNs: number): void {
    const n = this.lapsGathered;
    if (n === MAX_LAPS) throw new Error(`machine: more than ${MAX_LAPS} laps in a burst of ${this.name}`);
    this.lapCpuNs[n] = (n === 0 ? 0 : this.lapCpuNs[n - 1]) + costNs;
    this.lapsGathered = n + 1;
  }

  /** The gathered laps become those of a burst whose last part, after them, takes `restNs`. Returns their CPU time. */
  beginLaps(restNs: number): number {
    const n = this.lapsGathered;
    const { lapCpuNs } = this;
    const sumNs = lapCpuNs[n - 1];
    for (let i = 0; i < n; i++) lapCpuNs[i] = sumNs + restNs - lapCpuNs[i];
    this.lapsGathered = 0;
    this.laps = n;
    this.lapsOver = 0;
    return sumNs;
  }

  /** Stamps the laps that are over at `nowNs`. */
  passLaps(nowNs: number): void {
    while (this.lapsOver < this.laps) {
      const agoNs = this.lapCpuNs[this.lapsOver] - this.remainingNs;
      if (agoNs < 0) return;
      this.lapNs[this.lapsOver] = nowNs - agoNs;
      this.lapsOver++;
    }
  }

  pushReturn(kind: number, arg: number): void {
    const top = this.returnTop;
    if (top === RETURN_DEPTH) throw new Error(`machine: call stack of ${this.name} is full`);
    this.returns[2 * top] = kind;
    this.returns[2 * top + 1] = arg;
    this.returnTop = top + 1;
  }

  /** Takes the top off the call stack; it is in `returnKind` and `returnArg` afterwards. */
  popReturn(): void {
    const top = this.returnTop - 1;
    if (top < 0) throw new Error(`machine: ${this.name} returns to nobody`);
    this.returnTop = top;
    this.returnKind = this.returns[2 * top];
    this.returnArg = this.returns[2 * top + 1];
  }
}

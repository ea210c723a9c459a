/**
 * The columns of the machine's contexts of execution: what each is doing, what it does next, and its call stack.
 *
 * Contexts `0..cpus-1` are the hardirq contexts, `cpus..2*cpus-1` the softirq contexts, the rest are tasks. Columns only, no behaviour: the rules are in
 * `machine.ts`.
 */
import { wider } from './columns.ts';

/** Task states. */
export const TASK_RUNNABLE = 0;
export const TASK_SLEEPING = 1;
export const TASK_DEAD = 2;

/** Calls that one context can have open: bio submission through stacked devices needs about half. */
const RETURN_DEPTH = 16;
const NONE = -1;
/** Laps of one burst. */
export const MAX_LAPS = 4;

export class Contexts {
  /** Contexts so far. */
  count = 0;

  cpu = new Int32Array(256);
  /** CPU time left of the burst in progress. */
  remainingNs = new Float64Array(256);
  /** CPU time to be added to the next burst. */
  chargeNs = new Float64Array(256);
  /** Where it continues after the burst, or when woken. */
  nextKind = new Int32Array(256);
  nextArg = new Int32Array(256);
  hasNext = new Uint8Array(256);
  state = new Uint8Array(256);
  /** Woken while it was still burning its last charge on the way to sleep. */
  wakePending = new Uint8Array(256);
  /** Kind that a worker's handler which returns without continuing goes on at; -1 for plain tasks. */
  home = new Int32Array(256).fill(NONE);
  urgent = new Uint8Array(256);
  watched = new Uint8Array(256);
  /** Its bursts are not preempted, not even by interrupts. */
  irqsOff = new Uint8Array(256);
  readonly names: string[] = [];

  /** Laps gathered for the next burst, and the CPU time up to the end of each. */
  lapsGathered = new Uint8Array(256);
  /** Laps of the burst in progress, and how many of them are over. */
  laps = new Uint8Array(256);
  lapsOver = new Uint8Array(256);
  /** Per lap: while gathering the CPU time up to its end, in a burst the CPU time that remains after it. */
  lapCpuNs = new Float64Array(256 * MAX_LAPS);
  /** Per lap: when it was over. */
  lapNs = new Float64Array(256 * MAX_LAPS);

  private returnTop = new Uint8Array(256);
  private returns = new Int32Array(256 * RETURN_DEPTH * 2);

  /** Adds a context and returns its number. */
  create(name: string, cpu: number): number {
    if (this.count === this.state.length) this.grow();
    const x = this.count++;
    this.names.push(name);
    this.cpu[x] = cpu;
    return x;
  }

  /** Adds a lap of `costNs` to the next burst of `x`. */
  gatherLap(x: number, costNs: number): void {
    const n = this.lapsGathered[x];
    if (n === MAX_LAPS) throw new Error(`machine: more than ${MAX_LAPS} laps in a burst of ${this.names[x]}`);
    const at = x * MAX_LAPS + n;
    this.lapCpuNs[at] = (n === 0 ? 0 : this.lapCpuNs[at - 1]) + costNs;
    this.lapsGathered[x] = n + 1;
  }

  /** The gathered laps become those of a burst whose last part, after them, takes `restNs`. Returns their CPU time. */
  beginLaps(x: number, restNs: number): number {
    const n = this.lapsGathered[x];
    const base = x * MAX_LAPS;
    const sumNs = this.lapCpuNs[base + n - 1];
    for (let i = 0; i < n; i++) this.lapCpuNs[base + i] = sumNs + restNs - this.lapCpuNs[base + i];
    this.lapsGathered[x] = 0;
    this.laps[x] = n;
    this.lapsOver[x] = 0;
    return sumNs;
  }

  /** Stamps the laps that are over when, at `nowNs`, `remainingNs` of the burst are left. */
  passLaps(x: number, remainingNs: number, nowNs: number): void {
    const base = x * MAX_LAPS;
    while (this.lapsOver[x] < this.laps[x]) {
      const at = base + this.lapsOver[x];
      const agoNs = this.lapCpuNs[at] - remainingNs;
      if (agoNs < 0) return;
      this.lapNs[at] = nowNs - agoNs;
      this.lapsOver[x]++;
    }
  }

  pushReturn(x: number, kind: number, arg: number): void {
    const top = this.returnTop[x];
    if (top === RETURN_DEPTH) throw new Error(`machine: call stack of ${this.names[x]} is full`);
    this.returnTop[x] = top + 1;
    const at = (x * RETURN_DEPTH + top) * 2;
    this.returns[at] = kind;
    this.returns[at + 1] = arg;
  }

  /** Takes the top of the call stack off and returns its place for `returnKind` and `returnArg`. */
  popReturn(x: number): number {
    const top = this.returnTop[x] - 1;
    if (top < 0) throw new Error(`machine: ${this.names[x]} returns to nobody`);
    this.returnTop[x] = top;
    return (x * RETURN_DEPTH + top) * 2;
  }

  returnKind(at: number): number {
    return this.returns[at];
  }

  returnArg(at: number): number {
    return this.returns[at + 1];
  }

  private grow(): void {
    const n = this.state.length * 2;
    this.cpu = wider(this.cpu, new Int32Array(n));
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
    this.irqsOff = wider(this.irqsOff, new Uint8Array(n));
    this.lapsGathered = wider(this.lapsGathered, new Uint8Array(n));
    this.laps = wider(this.laps, new Uint8Array(n));
    this.lapsOver = wider(this.lapsOver, new Uint8Array(n));
    this.lapCpuNs = wider(this.lapCpuNs, new Float64Array(n * MAX_LAPS));
    this.lapNs = wider(this.lapNs, new Float64Array(n * MAX_LAPS));
    this.returnTop = wider(this.returnTop, new Uint8Array(n));
    this.returns = wider(this.returns, new Int32Array(n * RETURN_DEPTH * 2));
  }
}

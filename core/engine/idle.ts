/**
 * Idle CPUs: how long each has slept, what leaving the idle state costs, and where the time without work went.
 *
 * Modelled: an idle CPU is in the deepest state whose minimum residency it has slept for; a wake-up makes it leave that state, which takes the state's exit
 * latency, and only then does anything run. A second, earlier signal (a device interrupt while a wake-up IPI is still on its way) shortens the wait.
 *
 * Not modelled (`@assume`): the governor's wrong predictions (real ones enter too deep or too shallow at times), entry latency, cluster states, polling
 * before the first state.
 */
import type { IdleState } from './costs/costs.ts';

export class IdleCpus {
  /** Ns each CPU has spent idle and leaving idle states, in completed stretches. */
  private readonly idleNs: Float64Array;
  private readonly exitNs: Float64Array;

  private readonly states: readonly IdleState[];
  private readonly sinceNs: Float64Array; // when the CPU became idle; NaN while it is not
  private readonly signalNs: Float64Array; // when the signal that ends its sleep arrives; NaN while none is under way
  private readonly dueNs: Float64Array; // when it will have left its idle state
  private readonly exitSeq: Float64Array; // the event that stands for dueNs

  constructor(cpus: number, states: readonly IdleState[]) {
    this.states = states;
    this.idleNs = new Float64Array(cpus);
    this.exitNs = new Float64Array(cpus);
    this.sinceNs = new Float64Array(cpus);
    this.signalNs = new Float64Array(cpus).fill(NaN);
    this.dueNs = new Float64Array(cpus);
    this.exitSeq = new Float64Array(cpus);
  }

  /** The CPU has nothing to do from `nowNs` on. */
  enter(cpu: number, nowNs: number): void {
    this.sinceNs[cpu] = nowNs;
  }

  /** True between a signal and the end of the exit. */
  isLeaving(cpu: number): boolean {
    return !Number.isNaN(this.signalNs[cpu]);
  }

  /** True while the CPU is idle and not called yet. */
  isIdle(cpu: number): boolean {
    return !Number.isNaN(this.sinceNs[cpu]) && Number.isNaN(this.signalNs[cpu]);
  }

  /**
   * A signal arrives at `signalNs` (now, or later when it is an IPI under way). Returns when the CPU will be up if that is a new time (the caller
   * schedules it and says so by `scheduled`), NaN if an earlier signal is as good.
   */
  signal(cpu: number, signalNs: number): number {
    const dueNs = signalNs + this.exitLatencyNs(signalNs - this.sinceNs[cpu]);
    if (this.isLeaving(cpu) && this.dueNs[cpu] <= dueNs) return NaN;
    this.signalNs[cpu] = signalNs;
    this.dueNs[cpu] = dueNs;
    return dueNs;
  }

  /** The event `seq` stands for the CPU being up. */
  scheduled(cpu: number, seq: number): void {
    this.exitSeq[cpu] = seq;
  }

  /** True when event `seq` is the one that stands for the CPU being up (not one that an earlier signal replaced). */
  isExit(cpu: number, seq: number): boolean {
    return this.isLeaving(cpu) && this.exitSeq[cpu] === seq;
  }

  /** The CPU is up at `nowNs`. */
  leave(cpu: number, nowNs: number): void {
    this.idleNs[cpu] += this.signalNs[cpu] - this.sinceNs[cpu];
    this.exitNs[cpu] += nowNs - this.signalNs[cpu];
    this.sinceNs[cpu] = NaN;
    this.signalNs[cpu] = NaN;
  }

  /** How long a CPU that has slept for `sleptNs` needs until it executes. */
  private exitLatencyNs(sleptNs: number): number {
    let exitNs = 0;
    for (const s of this.states) if (sleptNs >= s.minResidencyNs) exitNs = s.exitNs;
    return exitNs;
  }

  /** Ns the CPU has slept up to `nowNs`. */
  idleUntil(cpu: number, nowNs: number): number {
    if (Number.isNaN(this.sinceNs[cpu])) return this.idleNs[cpu];
    const endNs = this.isLeaving(cpu) ? Math.min(this.signalNs[cpu], nowNs) : nowNs;
    return this.idleNs[cpu] + endNs - this.sinceNs[cpu];
  }

  /** Ns the CPU has spent leaving idle states up to `nowNs`. */
  exitUntil(cpu: number, nowNs: number): number {
    return this.exitNs[cpu] + (this.isLeaving(cpu) ? Math.max(nowNs - this.signalNs[cpu], 0) : 0);
  }
}

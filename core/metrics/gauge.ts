/**
 * A value over virtual time (queue depth, tags in use, busy or idle), reduced as it changes: time-weighted mean, minimum, maximum, last value. The full course of a
 * gauge is the business of the trace (`GaugeLog`); this is what summaries need, in constant memory.
 */
export class TimeWeightedGauge {
  /** The current value. */
  last: number;
  /** Extremes since the start or the last `restart`. */
  min: number;
  max: number;

  private startNs: number;
  private lastNs: number;
  /** Value × ns up to `lastNs`. */
  private area = 0;

  /** A gauge that has `value` from `atNs` on. */
  constructor(value = 0, atNs = 0) {
    this.last = value;
    this.min = value;
    this.max = value;
    this.startNs = atNs;
    this.lastNs = atNs;
  }

  /** The value changes at `atNs` (not before the last change). */
  set(atNs: number, value: number): void {
    this.area += this.last * (atNs - this.lastNs);
    this.lastNs = atNs;
    this.last = value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** The value changes by `delta` at `atNs`. */
  add(atNs: number, delta: number): void {
    this.set(atNs, this.last + delta);
  }

  /** Mean over the time from the start to `untilNs`, each value weighted by how long it held; the current value when no time has passed. */
  mean(untilNs: number): number {
    if (untilNs === this.startNs) return this.last;
    return (this.area + this.last * (untilNs - this.lastNs)) / (untilNs - this.startNs);
  }

  /** Forgets the past and goes on with the current value (the end of a warm-up). */
  restart(atNs: number): void {
    this.area = 0;
    this.startNs = atNs;
    this.lastNs = atNs;
    this.min = this.last;
    this.max = this.last;
  }
}

/**
 * The search of latency_target: the largest queue depth at which `latency_percentile` of the I/Os of every `latency_window` stay below the target.
 *
 * It begins at depth 1 and doubles with every good window until one fails, then bisects. At percentile 100 the first I/O above the target fails the window at once. A failure
 * at depth 1 ends the job with an error. When the depth stands, one more window runs that alone is counted; with latency_run the job goes on instead.
 *
 * Not modelled: fio's slow probing above a depth that has been good for many windows under latency_run.
 *
 * @source fio 3.33 HOWTO "latency_target", "latency_window", "latency_percentile", "latency_run"
 */
import type { FioJob } from './fio/job.ts';

/** What the search asks of the job. */
export const SEARCH_GOES_ON = 0;
/** The depth was lowered: everything in flight comes back first. */
export const SEARCH_DRAINS = 1;
/** The depth stands: from here on I/Os count. */
export const SEARCH_SETTLED = 2;
/** The depth was held for a whole window: the job is through. */
export const SEARCH_DONE = 3;
/** Not even one I/O at a time meets the target. */
export const SEARCH_FAILED = 4;

export class LatencyTarget {
  /** I/Os that may be in flight now. */
  depth: number;

  readonly isActive: boolean;
  private readonly job: FioJob;
  private low = 1;
  private high: number;
  private windowFromNs = 0;
  private ios = 0;
  private late = 0;
  private isLastWindow = false;
  private hasFailed = false;

  constructor(job: FioJob) {
    this.job = job;
    this.isActive = job.pace.latencyTargetNs > 0;
    this.high = job.depth.ioDepth;
    this.depth = this.isActive ? 1 : job.depth.ioDepth;
  }

  start(nowNs: number): void {
    this.windowFromNs = nowNs;
  }

  /** An I/O was reaped. Returns one of SEARCH_*. */
  completed(totalNs: number, nowNs: number): number {
    const { latencyTargetNs, latencyPercentile } = this.job.pace;
    this.ios++;
    if (totalNs <= latencyTargetNs) return SEARCH_GOES_ON;
    this.late++;
    return latencyPercentile === 100 ? this.failed(nowNs) : SEARCH_GOES_ON;
  }

  /** Before the next I/O: judges the window when it is over. Returns one of SEARCH_*. */
  check(nowNs: number): number {
    const { latencyWindowNs, latencyPercentile } = this.job.pace;
    if (nowNs - this.windowFromNs < latencyWindowNs || this.ios === 0) return SEARCH_GOES_ON;
    const inTime = (100 * (this.ios - this.late)) / this.ios;
    return inTime >= latencyPercentile ? this.succeeded(nowNs) : this.failed(nowNs);
  }

  private succeeded(nowNs: number): number {
    const { depth, job } = this;
    this.low = depth;
    this.newWindow(nowNs);
    const { ioDepth } = job.depth;
    this.depth = this.hasFailed ? Math.floor((depth + this.high) / 2) : Math.min(ioDepth, depth * 2);
    if (this.depth !== depth || job.pace.latencyKeepsRunning) return SEARCH_GOES_ON;
    if (this.isLastWindow) return SEARCH_DONE;
    this.isLastWindow = true;
    return SEARCH_SETTLED;
  }

  private failed(nowNs: number): number {
    if (this.depth === this.low) {
      if (this.low <= 1) return SEARCH_FAILED;
      this.low--;
    }
    this.high = this.depth;
    this.hasFailed = true;
    this.depth = Math.floor((this.depth + this.low) / 2);
    this.isLastWindow = false;
    this.newWindow(nowNs);
    return SEARCH_DRAINS;
  }

  private newWindow(nowNs: number): void {
    this.windowFromNs = nowNs;
    this.ios = 0;
    this.late = 0;
  }
}

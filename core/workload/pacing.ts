/**
 * Pacing: when a clone may issue its next I/O. Rates (`rate`, `rate_iops`, linear or Poisson) and think time.
 *
 * A rate is a schedule: with B bytes issued in a direction, the next I/O is due at start + B / rate; a Poisson process draws the gaps instead. Being behind
 * is caught up, being ahead drains the queue and sleeps (fio's inline submission).
 *
 * @source fio 3.33 HOWTO "rate", "rate_process", "thinktime"
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { FioJob } from './fio/job.ts';
import { DDIR_TRIM } from './io.ts';

export class Pacing {
  /** Whether the job has a rate at all. */
  readonly hasRate: boolean;
  private readonly job: FioJob;
  private readonly stream: RandomStream;
  private readonly issuedBytes = new Float64Array(3);
  /** When the next I/O of a direction is due (ns). */
  private readonly dueNs = new Float64Array(3);
  private startNs = 0;
  private blocksSinceThink = 0;
  private ioNsSinceThink = 0;

  constructor(engine: Engine, cloneName: string, job: FioJob) {
    this.job = job;
    this.hasRate = job.pace.rateBytes.some((rate) => rate > 0);
    this.stream = engine.stream(`workload/${cloneName}/rate`);
  }

  start(nowNs: number): void {
    this.startNs = nowNs;
    this.dueNs.fill(nowNs);
  }

  /** When the next I/O in this direction may be issued (ns, maybe in the past). */
  dueAt(ddir: number): number {
    return ddir <= DDIR_TRIM && this.job.pace.rateBytes[ddir] > 0 ? this.dueNs[ddir] : 0;
  }

  /** An I/O was issued: moves the schedule on and counts for the think time. */
  issued(ddir: number, sizeBytes: number): void {
    if (this.job.pace.thinktimeCounts === 'issue') this.blocksSinceThink++;
    if (ddir > DDIR_TRIM) return;
    const rate = this.job.pace.rateBytes[ddir];
    if (rate === 0) return;
    this.issuedBytes[ddir] += sizeBytes;
    if (this.job.pace.rateProcess === 'poisson') {
      const meanNs = (sizeBytes / rate) * 1e9;
      this.dueNs[ddir] += Math.max(1, Math.round(this.stream.exponential(meanNs)));
    } else this.dueNs[ddir] = this.startNs + Math.floor((this.issuedBytes[ddir] * 1e9) / rate);
  }

  /** An I/O was reaped after `totalNs`. */
  completed(totalNs: number): void {
    if (this.job.pace.thinktimeCounts === 'complete') this.blocksSinceThink++;
    this.ioNsSinceThink += totalNs;
  }

  /** True when the clone has to think now; counting starts over. */
  takeThink(): boolean {
    const { thinktimeNs, thinktimeBlocks, thinktimeBlocksSet, thinktimeIotimeNs } = this.job.pace;
    if (thinktimeNs === 0) return false;
    const byTime = thinktimeIotimeNs > 0;
    const due = byTime
      ? this.ioNsSinceThink >= thinktimeIotimeNs || (thinktimeBlocksSet && this.blocksSinceThink >= thinktimeBlocks)
      : this.blocksSinceThink >= thinktimeBlocks;
    if (!due) return false;
    this.blocksSinceThink = 0;
    this.ioNsSinceThink = 0;
    return true;
  }

  /** After thinking: unless told otherwise the time does not count against the rate. */
  thought(durationNs: number): void {
    if (!this.job.pace.rateIgnoresThinktime) return;
    this.startNs += durationNs;
    for (let d = 0; d < this.dueNs.length; d++) this.dueNs[d] += durationNs;
  }
}

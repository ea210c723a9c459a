/**
 * Pacing: when a clone may issue its next I/O. Rates (`rate`, `rate_iops`, linear or Poisson) and think time.
 *
 * A rate is a schedule: with B bytes issued in a direction, the next I/O is due at start + B / rate; a Poisson process draws the gaps instead, as if all I/Os had the smallest
 * block. Being behind is caught up, being ahead drains the queue and sleeps (fio's inline submission). In a mix a direction that is ahead gives way to the other one.
 *
 * @source fio 3.33 HOWTO "rate", "rate_process", "rate_ignore_thinktime", "thinktime"; totals and switching of directions observed with the null engine
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { FioJob } from './fio/job.ts';
import { DDIR_READ, DDIR_TRIM, DDIR_WRITE } from './io.ts';

export class Pacing {
  private readonly job: FioJob;
  private readonly stream: RandomStream;
  private readonly issuedBytes = new Float64Array(3);
  /** When the next I/O of a direction is due (ns). */
  private readonly dueNs = new Float64Array(3);
  private readonly isMix: boolean;
  private startNs = 0;
  private blocksSinceThink = 0;
  private thoughtAtNs = 0;
  private lastDdir = DDIR_READ;

  constructor(engine: Engine, cloneName: string, job: FioJob) {
    this.job = job;
    this.isMix = job.pattern.reads && job.pattern.writes;
    this.stream = engine.stream(`workload/${cloneName}/rate`);
  }

  start(nowNs: number): void {
    this.startNs = nowNs;
    this.thoughtAtNs = nowNs;
    this.dueNs.fill(nowNs);
  }

  /** The direction to go on with when `ddir` was drawn: the other one of a mix if `ddir` is ahead of its rate and the other is less so. */
  direction(ddir: number, nowNs: number): number {
    if (!this.isMix || this.dueAt(ddir) <= nowNs) return ddir;
    const other = ddir === DDIR_READ ? DDIR_WRITE : DDIR_READ;
    const { readPercent } = this.job.pattern;
    if ((other === DDIR_READ ? readPercent : 100 - readPercent) === 0) return ddir;
    return this.dueAt(other) <= nowNs || this.dueAt(other) < this.dueAt(ddir) ? other : ddir;
  }

  /** When the next I/O in this direction may be issued (ns, maybe in the past). */
  dueAt(ddir: number): number {
    return ddir <= DDIR_TRIM && this.job.pace.rateBytes[ddir] > 0 ? this.dueNs[ddir] : 0;
  }

  /** An I/O was issued: moves the schedule on and counts for the think time. */
  issued(ddir: number, sizeBytes: number): void {
    if (ddir > DDIR_TRIM) return;
    const { pace, blocks } = this.job;
    if (pace.thinktimeCounts === 'issue') this.blocksSinceThink++;
    this.lastDdir = ddir;
    const rate = pace.rateBytes[ddir];
    if (rate === 0) return;
    this.issuedBytes[ddir] += sizeBytes;
    if (pace.rateProcess === 'poisson') {
      const meanNs = (blocks.minBytes[ddir] / rate) * 1e9;
      this.dueNs[ddir] += Math.max(1, Math.round(this.stream.exponential(meanNs)));
    } else this.schedule(ddir);
  }

  /** An I/O was reaped. */
  completed(ddir: number): void {
    if (ddir <= DDIR_TRIM && this.job.pace.thinktimeCounts === 'complete') this.blocksSinceThink++;
  }

  /** True when the clone has to think now; counting starts over. */
  takeThink(nowNs: number): boolean {
    const { thinktimeNs, thinktimeBlocks, thinktimeBlocksSet, thinktimeIotimeNs } = this.job.pace;
    if (thinktimeNs === 0 || this.blocksSinceThink === 0) return false;
    const byBlocks = thinktimeIotimeNs === 0 || thinktimeBlocksSet;
    const isDue =
      (byBlocks && this.blocksSinceThink >= thinktimeBlocks) ||
      (thinktimeIotimeNs > 0 && nowNs - this.thoughtAtNs >= thinktimeIotimeNs);
    if (isDue) this.blocksSinceThink = 0;
    return isDue;
  }

  /** After thinking: the rate catches up, or with rate_ignore_thinktime what was missed counts as issued, less one block. */
  thought(durationNs: number, endNs: number): void {
    this.thoughtAtNs = endNs;
    const { rateIgnoresThinktime, rateBytes, rateProcess } = this.job.pace;
    const ddir = this.lastDdir;
    if (!rateIgnoresThinktime || rateBytes[ddir] === 0 || rateProcess === 'poisson') return;
    const missedBytes = Math.floor((rateBytes[ddir] * durationNs) / 1e9);
    const blockBytes = this.job.blocks.minBytes[ddir];
    this.issuedBytes[ddir] += missedBytes >= blockBytes ? missedBytes - blockBytes : missedBytes;
    this.schedule(ddir);
  }

  private schedule(ddir: number): void {
    this.dueNs[ddir] = this.startNs + Math.floor((this.issuedBytes[ddir] * 1e9) / this.job.pace.rateBytes[ddir]);
  }
}

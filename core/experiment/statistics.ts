/**
 * The statistics of a run while it goes on: a latency histogram per job and direction, one per stage, and totals. Made for the summary object; costs the same
 * memory however long the run is. I/Os submitted during the warm-up are not counted.
 */
import { STATUS_NAMES, STS_OK } from '../block/types.ts';
import { Histogram } from '../metrics/histogram.ts';
import { summarizeDistribution } from '../metrics/percentiles.ts';
import { STAGE_STRIDE, STAGE_IDS, stageIndex, type StageId } from '../trace/stages.ts';
import { DDIR_NAMES, type IoTable } from '../workload/io.ts';
import type { DirectionSummary, LatencySummary, StageSummary } from './summary.ts';

const DIRECTIONS = DDIR_NAMES.length;

/** I/Os whose samples are recorded together. */
const GATHERED = 64;

/** What one job did in one direction. */
class DirectionCount {
  readonly latency = new Histogram();
  bytes = 0;
  firstSubmitNs = Infinity;
  lastCompleteNs = 0;
  /** I/Os that failed, by status; undefined while there is none. */
  errors: Record<string, number> | undefined = undefined;
}

export class Statistics {
  /** I/Os counted. */
  ios = 0;
  /** I/Os completed since `takeRecent` was last called. */
  private readonly recent = new Histogram();
  private readonly live: Int32Array;
  private readonly stages: readonly Histogram[];
  /** Sums of the stages and, behind them, of the totals. */
  private readonly sumNs: Float64Array;
  /** Samples that are not in the histograms yet, GATHERED places for each live stage and then for the totals. */
  private readonly samples: Float64Array;
  private gathered = 0;
  private readonly counts: (DirectionCount | undefined)[];
  private readonly groupOfJob: Int32Array;
  private readonly groups: readonly string[];

  /** `jobNames[j]` is the name under which clone `j` is reported; clones of one name are counted together. */
  constructor(stages: readonly StageId[], jobNames: readonly string[]) {
    this.live = Int32Array.from(stages, stageIndex);
    this.stages = stages.map(() => new Histogram());
    this.sumNs = new Float64Array(stages.length + 1);
    this.samples = new Float64Array((stages.length + 1) * GATHERED);
    this.groups = [...new Set(jobNames)];
    this.groupOfJob = Int32Array.from(jobNames, (name) => this.groups.indexOf(name));
    this.counts = new Array<DirectionCount | undefined>(this.groups.length * DIRECTIONS).fill(undefined);
  }

  /** Counts a completed I/O. */
  count(ios: IoTable, io: number): void {
    const totalNs = ios.completeNs[io] - ios.submitNs[io];
    const at = this.groupOfJob[ios.job[io]] * DIRECTIONS + ios.ddir[io];
    const count = (this.counts[at] ??= new DirectionCount());
    this.ios++;
    count.latency.record(totalNs);
    count.bytes += ios.sizeBytes[io];
    if (ios.submitNs[io] < count.firstSubmitNs) count.firstSubmitNs = ios.submitNs[io];
    if (ios.completeNs[io] > count.lastCompleteNs) count.lastCompleteNs = ios.completeNs[io];
    if (ios.status[io] !== STS_OK) countError(count, STATUS_NAMES[ios.status[io]]);
    this.gather(ios.rows.ns, io * STAGE_STRIDE, totalNs);
  }

  /** Keeps the stages of an I/O, which begin at `ns[base]`. Recording many of one stage at a time is several times cheaper than one of each. */
  private gather(ns: Float64Array, base: number, totalNs: number): void {
    if (this.gathered === GATHERED) this.recordGathered();
    const { live, samples } = this;
    let at = this.gathered++;
    for (let s = 0; s < live.length; s++, at += GATHERED) samples[at] = ns[base + live[s]];
    samples[at] = totalNs;
  }

  private recordGathered(): void {
    const { stages, samples, gathered } = this;
    let from = 0;
    for (let s = 0; s < stages.length; s++, from += GATHERED) {
      this.sumNs[s] += stages[s].tally(samples, from, from + gathered);
    }
    this.sumNs[stages.length] += this.recent.tally(samples, from, from + gathered);
    this.gathered = 0;
  }

  /** p50 and p99 of what completed since the last call; NaN when nothing did. */
  takeRecent(): { readonly p50Ns: number; readonly p99Ns: number } {
    this.recordGathered();
    const { recent } = this;
    const nothing = recent.count === 0;
    const taken = {
      p50Ns: nothing ? Number.NaN : recent.percentile(50),
      p99Ns: nothing ? Number.NaN : recent.percentile(99),
    };
    recent.clear();
    return taken;
  }

  /** The `jobs` part of the summary. Rates are over the time from a job's first counted submission to its last completion. */
  jobs(): Record<string, Partial<Record<'read' | 'write' | 'trim' | 'sync', DirectionSummary>>> {
    const jobs: Record<string, Partial<Record<'read' | 'write' | 'trim' | 'sync', DirectionSummary>>> = {};
    this.groups.forEach((name, group) => {
      const own = this.counts.slice(group * DIRECTIONS, (group + 1) * DIRECTIONS);
      const active = own.filter((c) => c !== undefined);
      const fromNs = Math.min(...active.map((c) => c.firstSubmitNs));
      const toNs = Math.max(...active.map((c) => c.lastCompleteNs));
      const directions: Partial<Record<'read' | 'write' | 'trim' | 'sync', DirectionSummary>> = {};
      own.forEach((count, ddir) => {
        if (count !== undefined) directions[DDIR_NAMES[ddir]] = directionSummary(count, toNs - fromNs);
      });
      jobs[name] = directions;
    });
    return jobs;
  }

  /** The `stages` part of the summary, in the order of the stage list. */
  stageSummaries(): Record<string, StageSummary> {
    this.recordGathered();
    const summaries: Record<string, StageSummary> = {};
    const totalNs = this.sumNs[this.stages.length];
    this.live.forEach((stage, s) => {
      const { tooFew, p99 } = summarizeDistribution(this.stages[s]);
      summaries[STAGE_IDS[stage]] = {
        meanNs: this.ios === 0 ? 0 : this.sumNs[s] / this.ios,
        share: totalNs === 0 ? 0 : this.sumNs[s] / totalNs,
        p99Ns: tooFew.includes('p99') ? null : p99,
      };
    });
    return summaries;
  }
}

function countError(count: DirectionCount, status: string): void {
  const errors = (count.errors ??= {});
  errors[status] = (errors[status] ?? 0) + 1;
}

function directionSummary(count: DirectionCount, overNs: number): DirectionSummary {
  const ios = count.latency.count;
  const seconds = overNs / 1e9;
  return {
    ios,
    bytes: count.bytes,
    iops: seconds > 0 ? ios / seconds : 0,
    bwBytes: seconds > 0 ? count.bytes / seconds : 0,
    latNs: latencySummary(count.latency),
    ...(count.errors && { errors: count.errors }),
  };
}

function latencySummary(latency: Histogram): LatencySummary {
  const d = summarizeDistribution(latency);
  const shown = (key: 'p50' | 'p90' | 'p95' | 'p99' | 'p99_9' | 'p99_99'): number | null =>
    d.tooFew.includes(key) ? null : d[key];
  return {
    min: d.min,
    mean: d.mean,
    max: d.max,
    stddev: d.stddev,
    p50: shown('p50'),
    p90: shown('p90'),
    p95: shown('p95'),
    p99: shown('p99'),
    p99_9: shown('p99_9'),
    p99_99: shown('p99_99'),
  };
}

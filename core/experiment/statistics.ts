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

/** What one job did in one direction. */
class DirectionCount {
  readonly latency = new Histogram();
  bytes = 0;
  firstSubmitNs = Infinity;
  lastCompleteNs = 0;
  /** I/Os that failed, by status; undefined while there is none. */
  errors: Record<string, number> | undefined;
}

export class Statistics {
  /** I/Os counted. */
  ios = 0;
  /** I/Os completed since `takeRecent` was last called. */
  private recent = new Histogram();
  private readonly live: Int32Array;
  private readonly stages: readonly Histogram[];
  private readonly stageSumNs: Float64Array;
  /** Per stage: the value recorded last, and how often in a row. */
  private readonly lastNs: Float64Array;
  private readonly lastCount: Float64Array;
  private totalSumNs = 0;
  private readonly counts: (DirectionCount | undefined)[];
  private readonly groupOfJob: Int32Array;
  private readonly groups: readonly string[];

  /** `jobNames[j]` is the name under which clone `j` is reported; clones of one name are counted together. */
  constructor(stages: readonly StageId[], jobNames: readonly string[]) {
    this.live = Int32Array.from(stages, stageIndex);
    this.stages = stages.map(() => new Histogram());
    this.stageSumNs = new Float64Array(stages.length);
    this.lastNs = new Float64Array(stages.length).fill(Number.NaN);
    this.lastCount = new Float64Array(stages.length);
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
    this.recent.tally(totalNs, 1);
    this.totalSumNs += totalNs;
    const base = io * STAGE_STRIDE;
    const ns = ios.rows.ns;
    for (let s = 0; s < this.live.length; s++) {
      const stageNs = ns[base + this.live[s]];
      if (stageNs === this.lastNs[s]) this.lastCount[s]++;
      else {
        this.flushStage(s);
        this.lastNs[s] = stageNs;
        this.lastCount[s] = 1;
      }
    }
  }

  /** Many stages take the same time in I/O after I/O (most often none): equal values in a row are recorded together. */
  private flushStage(s: number): void {
    const n = this.lastCount[s];
    if (n === 0) return;
    this.stages[s].tally(this.lastNs[s], n);
    this.stageSumNs[s] += this.lastNs[s] * n;
    this.lastCount[s] = 0;
  }

  /** p50 and p99 of what completed since the last call; NaN when nothing did. */
  takeRecent(): { readonly p50Ns: number; readonly p99Ns: number } {
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
    const summaries: Record<string, StageSummary> = {};
    this.live.forEach((stage, s) => {
      this.flushStage(s);
      const { tooFew, p99 } = summarizeDistribution(this.stages[s]);
      summaries[STAGE_IDS[stage]] = {
        meanNs: this.ios === 0 ? 0 : this.stageSumNs[s] / this.ios,
        share: this.totalSumNs === 0 ? 0 : this.stageSumNs[s] / this.totalSumNs,
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

/**
 * What the charts of a very long run need, counted while its rows are written: latencies on a fine logarithmic scale, the same over time, stage sums per
 * latency. Answering from it takes milliseconds whatever the number of rows; the price is resolution: a latency is known to a bucket of 1/64 octave (1.1 %),
 * over time 1/32 octave (2.2 %). Runs that SQLite counts fast enough are counted exactly instead (charts.ts), and so is everything with a condition.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { deserialize, serialize } from 'node:v8';
import { STAGE_IDS, stageColumn, type StageId } from '../../core/trace/stages.ts';
import type { TraceBatch } from '../../core/trace/schema.ts';

/** Buckets per factor of two of the latency. */
const FINE = 64;
const COARSE = 32;

/** Octaves from 1 ns: 2^42 ns is over an hour. Slower I/Os count as that. */
const OCTAVES = 42;

const FINE_BUCKETS = FINE * OCTAVES;
const COARSE_BUCKETS = COARSE * OCTAVES;

/** Columns of the time axis; when a run outgrows them, pairs are merged and each stands for twice the time. */
const COLUMNS = 512;

/** Width of a column at first, in ns: a power of two, so that it stays whole. */
const FIRST_COLUMN_NS = 1024;

/** The sums as plain data. */
export interface CubeData {
  n: number;
  minNs: number;
  maxNs: number;
  fromNs: number;
  toNs: number;
  columnNs: number;
  readonly stages: StageId[];
  /** I/Os per fine bucket. */
  readonly counts: Float64Array;
  /** `column * COARSE_BUCKETS + bucket`. */
  readonly grid: Uint32Array;
  /** `stage * FINE_BUCKETS + bucket`, ns; in the order of `stages`. */
  readonly stageNs: Float64Array[];
}

/** The lower edge of a fine bucket, in ns. */
export const fineEdgeNs = (bucket: number): number => 2 ** (bucket / FINE);

/** The lower edge of a coarse bucket, in ns. */
export const coarseEdgeNs = (bucket: number): number => 2 ** (bucket / COARSE);

export const CUBE_SHAPE = { fineBuckets: FINE_BUCKETS, coarseBuckets: COARSE_BUCKETS, columns: COLUMNS } as const;

export class ChartCube {
  private readonly data: CubeData = {
    n: 0,
    minNs: Infinity,
    maxNs: 0,
    fromNs: Infinity,
    toNs: 0,
    columnNs: FIRST_COLUMN_NS,
    stages: [],
    counts: new Float64Array(FINE_BUCKETS),
    grid: new Uint32Array(COLUMNS * COARSE_BUCKETS),
    stageNs: [],
  };

  /** I/Os counted. */
  get n(): number {
    return this.data.n;
  }

  /** Counts the rows of a batch of `io`; other tables have no part in it. */
  add(batch: TraceBatch): void {
    if (batch.table !== 'io') return;
    const total = columnOf(batch, 'total_ns');
    const submit = columnOf(batch, 'submit_ns');
    if (total === undefined || submit === undefined) return;
    const stages = this.stagesOf(batch);
    for (let row = 0; row < batch.rows; row++) {
      const ns = total[row];
      if (Number.isNaN(ns)) continue;
      const octave = Math.min(OCTAVES - 1e-9, Math.log2(ns < 1 ? 1 : ns));
      const fine = Math.floor(octave * FINE);
      this.count(ns, submit[row], fine, Math.floor(octave * COARSE));
      for (const { from, into } of stages) into[fine] += from[row];
    }
  }

  /** The sums, packed for the project file. */
  pack(): Buffer {
    return deflateSync(serialize(this.data), { level: 1 });
  }

  private count(ns: number, submitNs: number, fine: number, coarse: number): void {
    const { data } = this;
    data.n++;
    data.counts[fine]++;
    if (ns < data.minNs) data.minNs = ns;
    if (ns > data.maxNs) data.maxNs = ns;
    if (submitNs < data.fromNs) data.fromNs = submitNs;
    if (submitNs > data.toNs) data.toNs = submitNs;
    while (submitNs >= data.columnNs * COLUMNS) this.halve();
    data.grid[Math.floor(submitNs / data.columnNs) * COARSE_BUCKETS + coarse]++;
  }

  /** Merges the columns in pairs. */
  private halve(): void {
    const { grid } = this.data;
    for (let column = 0; column < COLUMNS / 2; column++) {
      const to = column * COARSE_BUCKETS;
      const from = 2 * to;
      for (let bucket = 0; bucket < COARSE_BUCKETS; bucket++)
        grid[to + bucket] = grid[from + bucket] + grid[from + COARSE_BUCKETS + bucket];
    }
    grid.fill(0, (COLUMNS / 2) * COARSE_BUCKETS);
    this.data.columnNs *= 2;
  }

  /** The stage columns of a batch that add something, each with where it is summed. */
  private stagesOf(batch: TraceBatch): { from: Float64Array; into: Float64Array }[] {
    const { stages, stageNs } = this.data;
    return STAGE_IDS.flatMap((stage) => {
      const from = columnOf(batch, stageColumn(stage));
      if (from === undefined) return [];
      if (!stages.includes(stage)) {
        stages.push(stage);
        stageNs.push(new Float64Array(FINE_BUCKETS));
      }
      if (from.every((ns) => ns === 0)) return []; // nothing was in this stage: most are like that
      return [{ from, into: stageNs[stages.indexOf(stage)] }];
    });
  }
}

/** What `pack` packed. */
export function unpackCube(packed: Buffer): CubeData {
  return deserialize(inflateSync(packed)) as CubeData;
}

function columnOf(batch: TraceBatch, name: string): Float64Array | undefined {
  const index = batch.names.indexOf(name);
  return index < 0 ? undefined : batch.columns[index];
}

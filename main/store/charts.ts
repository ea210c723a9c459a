/**
 * What charts ask of a run's I/Os, answered at the resolution of the screen: histogram, latency over time, stage shares. Buckets are counted by SQLite.
 *
 * Latencies are on a logarithmic scale throughout: equal steps of ln(total_ns) between the smallest and the largest of the selection.
 */
import type Database from 'better-sqlite3';
import type { ChartQuery, HistogramData, LatencyOverTime, StageBands, StageShare } from '../../core/contract/api.ts';
import type { Column } from '../../core/trace/schema.ts';
import { unpackCube, type CubeData } from './chart-cube.ts';
import { cubeHistogram, cubeOverTime, cubeStages } from './cube-charts.ts';
import { columnsInUse } from './live-stages.ts';
import { logScale } from './log-scale.ts';
import { rangeCondition, rowRange, type RowRange } from './row-ranges.ts';
import { query, queryWith } from './sql-files.ts';
import { checkedWhere } from './where.ts';

const TABLE = 'io';
const TIME = 'submit_ns';

/** From this share of the I/Os upwards is "the tail". */
const TAIL_PERCENT = 99;

/** @assume SQLite counts this many rows in about a second; more are answered from the cube. */
const CUBE_FROM_ROWS = 2_000_000;

/** @assume the charts of a few runs, with a few filters, between which somebody goes back and forth */
const ANSWERS_KEPT = 24;

interface Bounds {
  readonly n: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly fromNs: number;
  readonly toNs: number;
}

export class Charts {
  private readonly database: Database.Database;
  private readonly cubeFromRows: number;
  /** Latest answers by question; the range of rows is part of the question, since a run in progress grows. */
  private readonly answers = new Map<string, unknown>();

  constructor(database: Database.Database, cubeFromRows: number = CUBE_FROM_ROWS) {
    this.database = database;
    this.cubeFromRows = cubeFromRows;
  }

  histogram(request: ChartQuery & { bins: number }): HistogramData {
    return this.answer('histogram', request, (selection) =>
      selection.cube === undefined
        ? this.countHistogram(request, selection)
        : cubeHistogram(selection.cube, request.bins),
    );
  }

  latencyOverTime(request: ChartQuery & { columns: number; rows: number }): LatencyOverTime {
    return this.answer('latencyOverTime', request, (selection) =>
      selection.cube === undefined ? this.countGrid(request, selection) : cubeOverTime(selection.cube, request),
    );
  }

  stages(request: ChartQuery): StageBands {
    return this.answer('stages', request, (selection) =>
      selection.cube === undefined ? this.sumStages(selection) : cubeStages(selection.cube),
    );
  }

  private countHistogram(request: { bins: number }, { places }: Selection): HistogramData {
    const bounds = this.bounds(places);
    const { edgesNs, lnMin, lnStep } = logScale(bounds, request.bins);
    const counts = new Float64Array(request.bins);
    if (bounds.n === 0) return { edgesNs, counts, n: 0 };
    const rows = this.database.prepare(queryWith('histogram', { ...places, bins: request.bins, lnMin, lnStep })).all();
    for (const row of rows as { bucket: number; n: number }[]) counts[row.bucket] = row.n;
    return { edgesNs, counts, n: bounds.n };
  }

  private countGrid(request: { columns: number; rows: number }, { places }: Selection): LatencyOverTime {
    const { columns, rows } = request;
    const bounds = this.bounds(places);
    const { edgesNs, lnMin, lnStep } = logScale(bounds, rows);
    const counts = new Float64Array(columns * rows);
    const p50Ns = new Float64Array(columns).fill(NaN);
    const p99Ns = new Float64Array(columns).fill(NaN);
    const answer = {
      columns,
      rows,
      fromNs: bounds.fromNs ?? 0,
      toNs: bounds.toNs ?? 0,
      edgesNs,
      counts,
      p50Ns,
      p99Ns,
      n: bounds.n,
    };
    if (bounds.n === 0) return answer;
    const stepNs = Math.max(1, (bounds.toNs - bounds.fromNs + 1) / columns);
    const grid = { ...places, columns, rows, fromNs: bounds.fromNs, stepNs: literal(stepNs), lnMin, lnStep };
    const cells = this.database.prepare(queryWith('latency_over_time', grid)).all() as {
      x: number;
      y: number;
      n: number;
    }[];
    for (const cell of cells) counts[cell.y * columns + cell.x] = cell.n;
    const bands = this.database.prepare(queryWith('latency_percentiles_over_time', grid)).all();
    for (const band of bands as { x: number; p50: number; p99: number }[]) {
      p50Ns[band.x] = band.p50;
      p99Ns[band.x] = band.p99;
    }
    return answer;
  }

  private sumStages(selection: Selection): StageBands {
    const { places } = selection;
    const all = this.stageShares(selection);
    const threshold = this.database
      .prepare(queryWith('latency_percentile', { ...places, percent: TAIL_PERCENT }))
      .get() as { ns: number | null };
    const where = `(${places.where}) AND total_ns >= ${literal(threshold.ns ?? 0)}`;
    const tail = this.stageShares({ ...selection, places: { ...places, where } });
    return { all: all.shares, tail: tail.shares, n: all.n, tailN: tail.n };
  }

  private stageShares({ places, stages }: Selection): { shares: readonly StageShare[]; n: number } {
    const sums = ['0 AS no_stage', ...stages.map(({ name }) => `sum("${name}") AS "${name}"`)].join();
    const row = this.database.prepare(queryWith('stage_sums', { ...places, sums })).get() as Record<
      string,
      number | null
    >;
    const n = row['n'] ?? 0;
    const totalNs = row['total_ns'] ?? 0;
    const shares = stages.flatMap(({ name, stage }) => {
      const sum = row[name];
      if (sum === null || stage === undefined) return [];
      return [{ stage, meanNs: n === 0 ? 0 : sum / n, share: totalNs === 0 ? 0 : sum / totalNs }];
    });
    return { shares, n };
  }

  /** The answer to a question, from the latest ones when it was among them. */
  private answer<T>(kind: string, request: ChartQuery, find: (selection: Selection) => T): T {
    const where = checkedWhere(this.database, TABLE, request.where);
    const range = rowRange(this.database, request.runId, TABLE);
    const key = JSON.stringify([kind, request, range]);
    let answer = this.answers.get(key) as T | undefined;
    this.answers.delete(key);
    answer ??= find({
      places: { table: TABLE, time: TIME, range: rangeCondition(range), where },
      stages: columnsInUse(this.database, TABLE, range).filter((column) => column.stage !== undefined),
      cube: where === '1' ? this.cubeOf(request.runId, range) : undefined,
    });
    this.answers.set(key, answer);
    const [oldest] = this.answers.keys();
    if (this.answers.size > ANSWERS_KEPT) this.answers.delete(oldest);
    return answer;
  }

  /** The cube of a run that is too long to be counted; undefined for others, and for a run that did not come to its end. */
  private cubeOf(runId: number, range: RowRange | undefined): CubeData | undefined {
    if (range === undefined || range.last - range.first + 1 < this.cubeFromRows) return undefined;
    const packed = this.database.prepare(query('run_chart_get')).pluck().get(runId) as Buffer | undefined;
    return packed === undefined ? undefined : unpackCube(packed);
  }

  private bounds(places: Selection['places']): Bounds {
    return this.database.prepare(queryWith('latency_bounds', places)).get() as Bounds;
  }
}

/** The I/Os a chart is about. */
interface Selection {
  readonly places: Readonly<Record<'table' | 'time' | 'range' | 'where', string>>;
  /** Stage columns with values. */
  readonly stages: readonly Column[];
  /** Set when the answer comes from the run's cube. */
  readonly cube: CubeData | undefined;
}

/** A number as an SQL literal that is a REAL. */
function literal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

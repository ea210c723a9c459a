/** The reader's side of the store worker: what the project holds, pages, charts, condition checks and exports, on a read-only connection. */
import type Database from 'better-sqlite3';
import type {
  ChartQuery,
  ExperimentRow,
  HistogramData,
  KeyslotOccupancy,
  KeyslotQuery,
  LatencyOverTime,
  Page,
  PageQuery,
  RowTable,
  StageBands,
} from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { exportCsv, type CsvFile } from '../exports/csv.ts';
import {
  countDrafts,
  findExperiment,
  findRun,
  listExperiments,
  listRuns,
  type ListedRun,
  type RunDetails,
} from '../store/catalog.ts';
import { Charts } from '../store/charts.ts';
import { Keyslots } from '../store/keyslots.ts';
import { guarded, openReader } from '../store/open.ts';
import { Pages } from '../store/pages.ts';
import { whereProblem } from '../store/where.ts';

interface Opened {
  readonly path: string;
  readonly database: Database.Database;
  readonly pages: Pages;
  readonly charts: Charts;
  readonly keyslots: Keyslots;
}

export class ReaderService {
  private current: Opened | undefined;

  open(path: string): void {
    this.close();
    const database = openReader(path);
    this.current = {
      path,
      database,
      pages: new Pages(database),
      charts: new Charts(database),
      keyslots: new Keyslots(database),
    };
  }

  close(): void {
    this.current?.database.close();
    this.current = undefined;
  }

  experiments(): readonly ExperimentRow[] {
    return this.ask(({ database }) => listExperiments(database));
  }

  experiment(id: number): ExperimentRow {
    return this.ask(({ database }) => findExperiment(database, id));
  }

  draftCount(): number {
    return this.ask(({ database }) => countDrafts(database));
  }

  runs(experimentId: number | null): readonly ListedRun[] {
    return this.ask(({ database }) => listRuns(database, experimentId));
  }

  run(runId: number): RunDetails {
    return this.ask(({ database }) => findRun(database, runId));
  }

  page(request: PageQuery): Page {
    return this.ask((store) => store.pages.page(request));
  }

  histogram(request: ChartQuery & { bins: number }): HistogramData {
    return this.ask((store) => store.charts.histogram(request));
  }

  latencyOverTime(request: ChartQuery & { columns: number; rows: number }): LatencyOverTime {
    return this.ask((store) => store.charts.latencyOverTime(request));
  }

  stages(request: ChartQuery): StageBands {
    return this.ask((store) => store.charts.stages(request));
  }

  keyslots(request: KeyslotQuery): KeyslotOccupancy {
    return this.ask((store) => store.keyslots.occupancy(request));
  }

  checkWhere(table: RowTable, where: string): { ok: boolean; message: string } {
    const problem = this.ask(({ database }) => whereProblem(database, table, where));
    return { ok: problem === undefined, message: problem ?? '' };
  }

  /** Writes CSV files; `cancel[0]` other than 0 ends it. */
  exportCsv(runId: number, directory: string, where: string, cancel: SharedArrayBuffer): readonly CsvFile[] {
    const flag = new Int32Array(cancel);
    return this.ask(({ database }) => exportCsv(database, runId, directory, where, () => Atomics.load(flag, 0) !== 0));
  }

  private ask<T>(question: (store: Opened) => T): T {
    const store = this.current;
    if (store === undefined) throw new BlklabError('NO_SUCH', 'No project is open.');
    return guarded(store.path, () => question(store));
  }
}

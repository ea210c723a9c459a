/**
 * Everything that changes a project: experiments with their drafts and revisions, runs, rows. The writing half of the store; runs in the
 * store worker, on the one connection that may write.
 *
 * While a run is being recorded its rows wait in an open transaction for the next commit; any other change commits them first, so that every change
 * is durable by itself.
 */
import { renameSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { ExperimentRow, ProjectState } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import type { RunStatus, RunSummary } from '../../core/contract/summary.ts';
import { TABLES, type TraceBatch, type TraceTable } from '../../core/trace/schema.ts';
import { findExperiment, findRun, listExperiments, listRuns, type ListedRun, type RunDetails } from './catalog.ts';
import { projectErrors, toStoreError } from './errors.ts';
import { lockProject } from './lock.ts';
import { Ingest } from './ingest.ts';
import { closeProject, createProject, guarded, openProject, type OpenProject } from './open.ts';
import { rangeCondition, rowRange } from './row-ranges.ts';
import { dropIndexes, indexNext } from './run-indexes.ts';
import { query } from './sql-files.ts';

export interface NewRun {
  readonly experimentId: number;
  readonly seed: number;
  /** Counted from 1. */
  readonly repeat: number;
  readonly definition: unknown;
  readonly startedAt: string;
  readonly appVersion: string;
}

export interface RunEnd {
  readonly runId: number;
  readonly status: RunStatus;
  readonly wallMs: number;
  /** Null when the run gave none (it failed). */
  readonly summary: RunSummary | null;
  /** Why it failed, in words. */
  readonly message: string | null;
}

export type OpenedProject = Pick<ProjectState, 'readOnly' | 'recoveredRuns'>;

export class StoreWriter {
  private project: OpenProject | undefined;
  private ingest: Ingest | undefined;
  /** Changes under way inside each other. */
  private depth = 0;

  create(path: string): OpenedProject {
    this.close();
    this.project = createProject(path);
    return { readOnly: false, recoveredRuns: 0 };
  }

  open(path: string): OpenedProject {
    this.close();
    this.project = openProject(path);
    return { readOnly: this.project.isReadOnly, recoveredRuns: this.project.recoveredRuns };
  }

  close(): void {
    const { project, ingest } = this;
    this.project = undefined;
    this.ingest = undefined;
    if (project === undefined) return;
    ingest?.commit();
    closeProject(project);
  }

  /** Copies the project, as it is now, to a path: through SQLite's backup, so a copy is never torn, and under a temporary name first. */
  async backup(path: string): Promise<void> {
    const project = this.opened();
    this.ingest?.commit();
    const part = `${path}-part`;
    const lock = guarded(path, () => lockProject(path));
    try {
      await project.database.backup(part);
      const copy = new Database(part);
      copy.pragma('journal_mode = DELETE');
      copy.close();
      renameSync(part, path);
    } catch (error) {
      rmSync(part, { force: true });
      throw toStoreError(error, path);
    } finally {
      lock.release();
    }
  }

  sqliteVersion(): string {
    return this.work((db) => db.prepare('SELECT sqlite_version()').pluck().get() as string);
  }

  experiments(): readonly ExperimentRow[] {
    return this.work(listExperiments);
  }

  createExperiment(name: string, definition: unknown, createdAt: string): ExperimentRow {
    return this.change((db) => {
      const values = { name, definition: JSON.stringify(definition), createdAt };
      const { lastInsertRowid } = db.prepare(query('experiment_create')).run(values);
      return this.experiment(Number(lastInsertRowid));
    });
  }

  /** An experiment with this very name and definition, saved as revision 1 when it is new. */
  savedExperiment(name: string, definition: unknown, createdAt: string): ExperimentRow {
    return this.change((db) => {
      const values = { name, definition: JSON.stringify(definition), createdAt };
      const known = db.prepare(query('experiment_find')).pluck().get(values) as number | undefined;
      if (known !== undefined) return this.experiment(known);
      const { lastInsertRowid } = db.prepare(query('experiment_create')).run(values);
      const id = Number(lastInsertRowid);
      db.prepare(query('revision_from_drafts')).run({ createdAt, id });
      db.prepare(query('experiment_adopt_drafts')).run({ id });
      return this.experiment(id);
    });
  }

  /** Keeps an edited definition as a draft. NO_SUCH when there is no such experiment. */
  draft(id: number, name: string, definition: unknown): ExperimentRow {
    return this.change((db) => {
      db.prepare(query('experiment_draft')).run({ id, name, definition: JSON.stringify(definition) });
      return this.experiment(id);
    });
  }

  experiment(id: number): ExperimentRow {
    return this.work((db) => findExperiment(db, id));
  }

  removeExperiment(id: number): boolean {
    return this.change((db) => {
      for (const run of this.runs(id)) this.removeRun(run.id);
      return db.prepare(query('experiment_remove')).run(id).changes > 0;
    });
  }

  /** Every draft becomes a revision. */
  saveDrafts(createdAt: string): void {
    this.change((db) => {
      db.prepare(query('revision_from_drafts')).run({ createdAt, id: null });
      db.prepare(query('experiment_adopt_drafts')).run({ id: null });
    });
  }

  discardDrafts(): void {
    this.change((db) => {
      db.prepare(query('experiment_discard_drafts')).run();
      db.prepare(query('experiment_remove_unsaved')).run();
    });
  }

  createRun(run: NewRun): number {
    return this.change((db) => {
      const values = { ...run, definition: JSON.stringify(run.definition) };
      return Number(db.prepare(query('run_create')).run(values).lastInsertRowid);
    });
  }

  endRun(end: RunEnd): void {
    this.change((db) => {
      const run = end.summary?.run;
      db.prepare(query('run_finish')).run({
        runId: end.runId,
        status: end.status,
        wallMs: Math.round(end.wallMs),
        simNs: run?.simNs ?? 0,
        events: run?.events ?? 0,
        ios: run?.ios ?? rowsOf(db, end.runId, 'io'),
        requests: run?.requests ?? rowsOf(db, end.runId, 'request'),
        traceHash: run?.traceHash ?? null,
        summary: end.summary === null ? null : JSON.stringify(end.summary),
        message: end.message,
      });
    });
  }

  /** Runs of an experiment, or of all. */
  runs(experimentId: number | null): readonly ListedRun[] {
    return this.work((db) => listRuns(db, experimentId));
  }

  run(runId: number): RunDetails {
    return this.work((db) => findRun(db, runId));
  }

  removeRun(runId: number): boolean {
    return this.change((db) => {
      dropIndexes(db, runId);
      for (const table of Object.keys(TABLES) as TraceTable[])
        db.prepare(`DELETE FROM "${table}" WHERE ${rangeCondition(rowRange(db, runId, table))}`).run();
      return db.prepare(query('run_remove')).run(runId).changes > 0;
    });
  }

  /** Makes one of the indexes that a run that has ended still lacks. Returns whether there are more. */
  indexNext(runId: number): boolean {
    return this.change((db) => indexNext(db, runId));
  }

  /** Begins to record rows of a run. */
  beginRows(runId: number): void {
    const { database } = this.writable();
    this.ingest = new Ingest(database, runId);
  }

  writeRows(batch: TraceBatch): number {
    const { path } = this.writable();
    const { ingest } = this;
    if (ingest === undefined) throw new Error('rows without a run');
    guarded(path, () => ingest.write(batch));
    return ingest.rows;
  }

  /** Rows of the run in progress, or of the latest. */
  get rowsWritten(): number {
    return this.ingest?.rows ?? 0;
  }

  commitRows(): void {
    const { ingest } = this;
    if (ingest !== undefined) guarded(this.opened().path, () => ingest.commit());
  }

  /** The rows of the run are all there. */
  finishRows(): void {
    const { ingest } = this;
    if (ingest !== undefined) guarded(this.opened().path, () => ingest.finish());
  }

  private opened(): OpenProject {
    if (this.project === undefined) throw new BlklabError('NO_SUCH', 'No project is open.');
    return this.project;
  }

  private writable(): OpenProject {
    const project = this.opened();
    if (project.isReadOnly) throw projectErrors.readOnly(project.path);
    return project;
  }

  private work<T>(task: (db: OpenProject['database']) => T): T {
    const { path, database } = this.opened();
    return guarded(path, () => task(database));
  }

  /** One transaction of its own, after what a run has written so far. Nested changes join the outer one. */
  private change<T>(task: (db: OpenProject['database']) => T): T {
    const { path, database } = this.writable();
    return guarded(path, () => {
      if (database.inTransaction && this.depth === 0) this.ingest?.commit();
      this.depth++;
      try {
        return database.transaction(() => task(database))();
      } finally {
        this.depth--;
      }
    });
  }
}

function rowsOf(db: OpenProject['database'], runId: number, table: TraceTable): number {
  const range = rowRange(db, runId, table);
  return range === undefined ? 0 : range.last - range.first + 1;
}

/**
 * What a project holds, without its rows: experiments with their drafts, runs with their summaries. Questions only, so that any connection can answer them:
 * the window asks a reader, which waits for neither the rows of a run nor its indexes.
 */
import type Database from 'better-sqlite3';
import type { ExperimentRow, RunRow } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import type { RunSummary } from '../../core/contract/summary.ts';
import { rowRange } from './row-ranges.ts';
import { query } from './sql-files.ts';

/** A run as listed, with the reason of a failure. */
export type ListedRun = RunRow & { readonly message: string | null };

export interface RunDetails {
  readonly row: ListedRun;
  readonly summary: RunSummary | null;
  readonly definition: unknown;
  readonly hasKeyslots: boolean;
}

interface ExperimentRecord {
  id: number;
  name: string;
  definition: string;
  draft: string | null;
  revision: number;
  created_at: string;
}

export function listExperiments(db: Database.Database): readonly ExperimentRow[] {
  return (db.prepare(query('experiment_list')).all() as ExperimentRecord[]).map(toExperimentRow);
}

/** NO_SUCH when there is none. */
export function findExperiment(db: Database.Database, id: number): ExperimentRow {
  const row = db.prepare(query('experiment_get')).get(id) as ExperimentRecord | undefined;
  if (row === undefined) throw new BlklabError('NO_SUCH', `There is no experiment ${id}.`);
  return toExperimentRow(row);
}

/** Experiments with unsaved edits. */
export function countDrafts(db: Database.Database): number {
  return db.prepare(query('draft_count')).pluck().get() as number;
}

/** Runs of an experiment, or of all. */
export function listRuns(db: Database.Database, experimentId: number | null): readonly ListedRun[] {
  return db.prepare(query('run_list')).all({ experimentId, runId: null }).map(toRunRow);
}

/** NO_SUCH when there is none. */
export function findRun(db: Database.Database, runId: number): RunDetails {
  const row = db.prepare(query('run_list')).get({ experimentId: null, runId });
  if (row === undefined) throw new BlklabError('NO_SUCH', `There is no run ${runId}.`);
  const details = db.prepare(query('run_details')).get(runId) as { definition: string; summary: string | null };
  const summary = details.summary === null ? null : (JSON.parse(details.summary) as RunSummary);
  const hasKeyslots = rowRange(db, runId, 'keyslot_span') !== undefined;
  return { row: toRunRow(row), summary, definition: JSON.parse(details.definition) as unknown, hasKeyslots };
}

function toExperimentRow(row: ExperimentRecord): ExperimentRow {
  return {
    id: row.id,
    name: row.name,
    definition: JSON.parse(row.draft ?? row.definition) as unknown,
    revision: row.revision,
    dirty: row.draft !== null,
    createdAt: row.created_at,
  };
}

function toRunRow(record: unknown): ListedRun {
  const row = record as Record<string, never>;
  return {
    id: row['run_id'],
    experimentId: row['experiment_id'],
    seed: row['seed'],
    repeat: row['repeat'],
    status: row['status'],
    startedAt: row['started_at'],
    wallMs: row['wall_ms'],
    simNs: row['sim_ns'],
    events: row['events'],
    ios: row['ios'],
    requests: row['requests'],
    traceHash: row['trace_hash'],
    outdated: row['is_outdated'] === 1,
    hasRows: row['has_rows'] === 1,
    message: row['message'],
  };
}

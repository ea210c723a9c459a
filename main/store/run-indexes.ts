/**
 * Sort indexes, one per run and table, made after the run.
 *
 * They are partial (`WHERE run_id = N`): the rows of the next run do not belong in them, so recording it costs no index upkeep. The latest few
 * runs keep theirs; an older run is sorted without.
 */
import type Database from 'better-sqlite3';
import type { RowTable } from '../../core/contract/api.ts';

const INDEXED: readonly RowTable[] = ['io', 'request'];

/** @assume the runs somebody is still looking at. Each kept index costs every inserted row a comparison. */
const RUNS_KEPT = 3;

const indexName = (table: RowTable, runId: number): string => `${table}_total_ns_of_run_${runId}`;

/** Is there an index on `total_ns` over this run's rows? */
export function hasTotalIndex(database: Database.Database, table: RowTable, runId: number): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?");
  return found.get(indexName(table, runId)) !== undefined;
}

/** Makes the indexes of a run that has ended, and drops those of runs long past. */
export function indexRun(database: Database.Database, runId: number): void {
  for (const table of INDEXED) {
    database.exec(
      `CREATE INDEX IF NOT EXISTS "${indexName(table, runId)}" ON "${table}" (total_ns) WHERE run_id = ${Math.trunc(runId)}`,
    );
    dropAllBut(database, table, RUNS_KEPT);
  }
}

/** Removes the indexes of one run. */
export function dropIndexes(database: Database.Database, runId: number): void {
  for (const table of INDEXED) database.exec(`DROP INDEX IF EXISTS "${indexName(table, runId)}"`);
}

function dropAllBut(database: Database.Database, table: RowTable, kept: number): void {
  const prefix = indexName(table, 0).slice(0, -1);
  const names = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND substr(name, 1, ?) = ?")
    .pluck()
    .all(prefix.length, prefix) as string[];
  const byRun = names.sort((a, b) => Number(b.slice(prefix.length)) - Number(a.slice(prefix.length)));
  for (const name of byRun.slice(kept)) database.exec(`DROP INDEX "${name}"`);
}

/**
 * Sort indexes, one per run, table and column, made after the run.
 *
 * They are partial (`WHERE run_id = N`): the rows of the next run do not belong in them, so recording it costs no index upkeep. The latest few
 * runs keep theirs; an older run is sorted without.
 */
import type Database from 'better-sqlite3';
import type { RowTable } from '../../core/contract/api.ts';

/** What tables are sorted by most: how slow, and when. */
const INDEXED: Readonly<Record<RowTable, readonly string[]>> = {
  io: ['total_ns', 'submit_ns'],
  request: ['total_ns', 'queued_ns'],
};

/** @assume the runs somebody is still looking at. Each kept index costs every inserted row a comparison. */
const RUNS_KEPT = 3;

const prefixOf = (table: RowTable, column: string): string => `${table}_${column}_of_run_`;

const eachIndex = (work: (table: RowTable, column: string) => void): void => {
  for (const table of Object.keys(INDEXED) as RowTable[]) for (const column of INDEXED[table]) work(table, column);
};

/** Is there an index on this column over this run's rows? */
export function hasIndex(database: Database.Database, table: RowTable, column: string, runId: number): boolean {
  const found = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?");
  return found.get(prefixOf(table, column) + String(runId)) !== undefined;
}

/**
 * Makes one index of a run that has ended, and drops those of runs long past. Returns whether there is more to make: over millions of rows one takes
 * seconds, and others who want to write get their turn in between.
 */
export function indexNext(database: Database.Database, runId: number): boolean {
  const missing: { table: RowTable; column: string }[] = [];
  eachIndex((table, column) => {
    if (!hasIndex(database, table, column, runId)) missing.push({ table, column });
  });
  if (missing.length > 0) {
    const [{ table, column }] = missing;
    const prefix = prefixOf(table, column);
    database.exec(`CREATE INDEX "${prefix}${runId}" ON "${table}" ("${column}") WHERE run_id = ${runId}`);
    dropAllBut(database, prefix, RUNS_KEPT);
  }
  return missing.length > 1;
}

/** Removes the indexes of one run. */
export function dropIndexes(database: Database.Database, runId: number): void {
  eachIndex((table, column) => database.exec(`DROP INDEX IF EXISTS "${prefixOf(table, column)}${runId}"`));
}

function dropAllBut(database: Database.Database, prefix: string, kept: number): void {
  const names = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND substr(name, 1, ?) = ?")
    .pluck()
    .all(prefix.length, prefix) as string[];
  const byRun = names.sort((a, b) => Number(b.slice(prefix.length)) - Number(a.slice(prefix.length)));
  for (const name of byRun.slice(kept)) database.exec(`DROP INDEX "${name}"`);
}

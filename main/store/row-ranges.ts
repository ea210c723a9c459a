/**
 * Where the rows of a run are: a run's rows of one table are one unbroken range of rowids, so its n-th row is found without counting.
 *
 * The ranges are kept in `run_rows` as rows are written. VACUUM by somebody else may renumber rowids; opening notices and finds the ranges again.
 */
import type Database from 'better-sqlite3';
import { TABLES, type TraceTable } from '../../core/trace/schema.ts';
import { query, queryWith } from './sql-files.ts';

export interface RowRange {
  readonly first: number;
  readonly last: number;
}

/** The range of a run's rows, or undefined when it has none in this table. */
export function rowRange(database: Database.Database, runId: number, table: TraceTable): RowRange | undefined {
  const row = database.prepare(query('run_rows_get')).get(runId, table) as
    { first_rowid: number; last_rowid: number } | undefined;
  return row === undefined ? undefined : { first: row.first_rowid, last: row.last_rowid };
}

/** The range as a condition; one that nothing fulfils when there are no rows. */
export function rangeCondition(range: RowRange | undefined): string {
  return range === undefined ? '0' : `rowid BETWEEN ${range.first} AND ${range.last}`;
}

/** True when every range still begins and ends with rows of its run, and no further row of it lies beside it. */
function isRangeTrue(database: Database.Database, table: string, runId: number, range: RowRange): boolean {
  const owner = database.prepare(`SELECT run_id FROM "${table}" WHERE rowid = ?`).pluck();
  return (
    owner.get(range.first) === runId &&
    owner.get(range.last) === runId &&
    owner.get(range.first - 1) !== runId &&
    owner.get(range.last + 1) !== runId
  );
}

/** Finds the ranges of every table again whose ranges are no longer true. Returns how many tables that were. */
export function repairRanges(database: Database.Database): number {
  const rows = database.prepare('SELECT run_id, table_name, first_rowid, last_rowid FROM run_rows').all() as {
    run_id: number;
    table_name: string;
    first_rowid: number;
    last_rowid: number;
  }[];
  const wrong = new Set(
    rows
      .filter((row) => row.table_name in TABLES)
      .filter(
        (row) => !isRangeTrue(database, row.table_name, row.run_id, { first: row.first_rowid, last: row.last_rowid }),
      )
      .map((row) => row.table_name),
  );
  for (const table of wrong) {
    database.transaction(() => {
      database.prepare('DELETE FROM run_rows WHERE table_name = ?').run(table);
      database.prepare(queryWith('run_rows_rebuild', { table })).run();
    })();
  }
  return wrong.size;
}

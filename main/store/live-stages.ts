/**
 * Which stage columns a run uses. A stage that the run's stack cannot produce is NULL in every row, so looking at the first row tells; those that it
 * can produce are never NULL.
 */
import type Database from 'better-sqlite3';
import { TABLES, type Column, type TraceTable } from '../../core/trace/schema.ts';
import type { RowRange } from './row-ranges.ts';

/** The columns of a table without the stages that are NULL in all rows of the range. */
export function columnsInUse(
  database: Database.Database,
  table: TraceTable,
  range: RowRange | undefined,
): readonly Column[] {
  const stages = TABLES[table].filter((column) => column.stage !== undefined);
  if (stages.length === 0) return TABLES[table];
  const names = stages.map(({ name }) => `"${name}"`).join();
  const first = database.prepare(`SELECT ${names} FROM "${table}" WHERE rowid = ?`).get(range?.first ?? -1);
  const values = (first ?? {}) as Readonly<Record<string, unknown>>;
  return TABLES[table].filter(({ name, stage }) => stage === undefined || (values[name] ?? null) !== null);
}

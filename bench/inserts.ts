/**
 * The yardstick of the store: how fast plain better-sqlite3 inserts rows when nothing else is done. 50 rows per statement, STRICT table, WAL,
 * synchronous NORMAL, a transaction per 50,000 rows, no worker, values made by counting.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createRun } from '../core/experiment/run.ts';
import { liveColumns, type Column, type TraceTable } from '../core/trace/schema.ts';
import { experimentOf } from './workload.ts';

const ROWS_PER_STATEMENT = 50;
const ROWS_PER_TRANSACTION = 50_000;

interface Target {
  readonly table: string;
  readonly types: readonly Column['type'][];
}

/** Seconds to insert `rows` rows of 20 integer columns. */
export function plainInserts(folder: string, rows: number): number {
  return insertSeconds(folder, [{ table: 'plain', types: Array<Column['type']>(20).fill('int') }], rows);
}

/** Seconds to insert, for each of `rows` requests, a row as wide as ours into `io` and another into `request`, texts where ours are. */
export function equalInserts(folder: string, rows: number): number {
  const { stages } = createRun(experimentOf({ requests: 1, detail: 'summary' }), () => undefined);
  const target = (table: TraceTable): Target => ({
    table,
    types: ['int', ...liveColumns(table, stages).map((column) => column.type)],
  });
  return insertSeconds(folder, [target('io'), target('request')], rows);
}

function insertSeconds(folder: string, targets: readonly Target[], rows: number): number {
  const database = new Database(join(folder, 'plain.sqlite'));
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL');
  const inserts = targets.map((target) => {
    const columns = target.types.map((type, i) => `c${i} ${type === 'int' ? 'INTEGER' : 'TEXT'}`);
    database.exec(`CREATE TABLE "${target.table}" (${columns.join()}) STRICT`);
    const row = `(${target.types.map(() => '?').join()})`;
    const many = Array<string>(ROWS_PER_STATEMENT).fill(row).join();
    const statement = database.prepare(`INSERT INTO "${target.table}" VALUES ${many}`);
    return { ...target, statement, values: Array<unknown>(ROWS_PER_STATEMENT * target.types.length).fill(0) };
  });
  const startMs = performance.now();
  for (let row = 0; row < rows; row += ROWS_PER_STATEMENT) {
    if (row % ROWS_PER_TRANSACTION === 0) database.exec(row === 0 ? 'BEGIN' : 'COMMIT; BEGIN');
    for (const { types, statement, values } of inserts) {
      fill(values, types, row);
      statement.run(values);
    }
  }
  database.exec('COMMIT');
  const seconds = (performance.now() - startMs) / 1000;
  database.close();
  return seconds;
}

function fill(values: unknown[], types: readonly Column['type'][], row: number): void {
  const width = types.length;
  for (let i = 0; i < values.length; i++) values[i] = types[i % width] === 'int' ? row * 1000 + i : 'read';
}

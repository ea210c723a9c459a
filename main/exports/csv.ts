/**
 * CSV of a run's tables: RFC 4180 (CRLF, quotes doubled), UTF-8, `.` decimals, a header row, NULL as an empty field; columns and rows as the table has them.
 *
 * SQLite builds the whole line (`concat` takes NULL for nothing) and the line is written as it comes: building it from values in JavaScript takes three
 * times as long. A file grows under a temporary name and is renamed when it is whole; a cancelled or failed export leaves nothing.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { BlklabError } from '../../core/contract/errors.ts';
import { TABLES, type Column, type TraceTable } from '../../core/trace/schema.ts';
import { toStoreError } from '../store/errors.ts';
import { columnsInUse } from '../store/live-stages.ts';
import { rangeCondition, rowRange, type RowRange } from '../store/row-ranges.ts';
import { queryWith } from '../store/sql-files.ts';
import { checkedWhere } from '../store/where.ts';

/** Characters gathered before a write. @assume large enough that the system call does not count. */
const CHUNK_CHARS = 1 << 18;

/** Rows between two looks at the cancel flag. */
const ROWS_PER_LOOK = 4096;

/** Ending of a file that is not whole yet. */
const PART = '.part';

export interface CsvFile {
  readonly path: string;
  readonly rows: number;
}

/**
 * Writes one file per table of a run into a folder (made when missing). `where` is a condition over the columns of `io`: other tables that know
 * their I/O follow it, the rest are written whole. `isCancelled` is asked every few thousand rows.
 */
export function exportCsv(
  database: Database.Database,
  runId: number,
  directory: string,
  where: string,
  isCancelled: () => boolean,
): readonly CsvFile[] {
  const done: CsvFile[] = [];
  const condition = checkedWhere(database, 'io', where);
  try {
    mkdirSync(directory, { recursive: true });
    for (const table of Object.keys(TABLES) as TraceTable[]) {
      const range = rowRange(database, runId, table);
      const path = join(directory, `${table}.csv`);
      const line = lineExpression(database, runId, table, range);
      const rows = `${rangeCondition(range)} AND ${conditionFor(table, condition, rowRange(database, runId, 'io'))}`;
      const statement = database.prepare(queryWith('csv_rows', { table, line, range: rows })).pluck();
      done.push({ path: path + PART, rows: writeTable(statement, table, path + PART, isCancelled) });
    }
    return done.map(({ path, rows }) => {
      const final = path.slice(0, -PART.length);
      renameSync(path, final);
      return { path: final, rows };
    });
  } catch (error) {
    for (const { path } of done) rmSync(path, { force: true });
    throw exportError(error, directory);
  }
}

/** The user's condition as it reads in a table. */
function conditionFor(table: TraceTable, condition: string, ios: RowRange | undefined): string {
  if (condition === '1' || table === 'io') return `(${condition})`;
  if (!TABLES[table].some((column) => column.name === 'io_id')) return '1';
  return `io_id IN (SELECT io_id FROM io WHERE ${rangeCondition(ios)} AND (${condition}))`;
}

function writeTable(lines: Database.Statement, table: TraceTable, path: string, isCancelled: () => boolean): number {
  const file = openSync(path, 'w');
  let rows = 0;
  try {
    let text = `run_id,${TABLES[table].map((column) => column.name).join()}\r\n`;
    for (const row of lines.iterate() as IterableIterator<string>) {
      text += row;
      if (++rows % ROWS_PER_LOOK === 0 && isCancelled())
        throw new BlklabError('CANCELLED', 'The export was cancelled.');
      if (text.length < CHUNK_CHARS) continue;
      writeAll(file, text);
      text = '';
    }
    writeAll(file, text);
    closeSync(file);
    return rows;
  } catch (error) {
    closeSync(file);
    rmSync(path, { force: true });
    throw exportError(error, path.slice(0, -PART.length));
  }
}

/** The words of a failed export: unlike a project, nothing of it is kept. */
function exportError(error: unknown, path: string): BlklabError {
  const known = toStoreError(error, path);
  if (known.code !== 'DISK_FULL' || error instanceof BlklabError) return known;
  return new BlklabError(
    'DISK_FULL',
    `The disk is full: ${path} could not be written. Nothing of the export was kept.`,
  );
}

/** A write may take less than it was given (a nearly full disk); the next one then says why. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

/** The SQL expression of a whole line. The fields of stages that the run cannot have are part of the constant text between their neighbours. */
function lineExpression(
  database: Database.Database,
  runId: number,
  table: TraceTable,
  range: RowRange | undefined,
): string {
  const inUse = new Set(columnsInUse(database, table, range).filter(({ name }) => hasColumn(database, table, name)));
  const parts: string[] = [];
  let constant = String(runId);
  for (const column of TABLES[table]) {
    constant += ',';
    if (!inUse.has(column)) continue;
    parts.push(`'${constant}'`, fieldExpression(column));
    constant = '';
  }
  return `concat(${parts.join()},'${constant}\r\n')`;
}

/** False for a column that came with a later format: a file that is opened read-only keeps its own. */
function hasColumn(database: Database.Database, table: TraceTable, name: string): boolean {
  const found = database.prepare('SELECT count(*) FROM pragma_table_info(?) WHERE name = ?').pluck().get(table, name);
  return found === 1;
}

const quoted = (name: string): string => `"${name}"`;

/** One field; a text in quotes when it must be. */
function fieldExpression({ name, type }: Column): string {
  const column = quoted(name);
  if (type === 'int') return column;
  return `CASE WHEN ${column} GLOB '*[,"\r\n]*' THEN '"' || replace(${column}, '"', '""') || '"' ELSE ${column} END`;
}

/**
 * Writes the batches of one run into the trace tables.
 *
 * Several rows per statement, only the columns that the batch brings (the others stay NULL), one transaction per 64 k rows and at
 * least one commit per second, so that a killed process loses little. A column that has one value throughout the batch (most flags, and every stage that nothing was in) is
 * written into the statement as a literal: binding values is what costs most.
 * The range of rowids of each table is kept in `run_rows`, in the same transaction.
 */
import type Database from 'better-sqlite3';
import type { TraceBatch } from '../../core/trace/schema.ts';
import { TABLES } from '../../core/trace/schema.ts';
import { ChartCube } from './chart-cube.ts';
import { query } from './sql-files.ts';

/** @assume a power of two near the 50 that measured best, so that a batch of 4096 rows leaves no remainder. */
const ROWS_PER_STATEMENT = 64;

/** Rows per transaction; more gained nothing in measurements. */
const ROWS_PER_TRANSACTION = 65_536;

/** What a kill may lose at most, in ms. */
const COMMIT_AFTER_MS = 500;

/** Runs with fewer I/Os are counted exactly when somebody asks: their file need not carry the cube. */
const CUBE_FROM_IOS = 1_000_000;

/** Statements kept prepared; batches of one run come in few shapes. */
const MAX_STATEMENTS = 64;

interface Insert {
  readonly many: Database.Statement;
  readonly one: Database.Statement;
  /** The columns of the batch whose values are bound. */
  readonly bound: readonly number[];
  /** Bound values of `many`, filled anew for every statement. */
  readonly values: unknown[];
  readonly oneValues: unknown[];
  /** Per bound column: the values are indexes into the batch's texts. */
  readonly isText: readonly boolean[];
}

export class Ingest {
  /** Rows written so far (not necessarily committed). */
  rows = 0;
  private readonly cube = new ChartCube();
  private readonly database: Database.Database;
  private readonly runId: number;
  private readonly inserts = new Map<string, Insert>();
  private readonly extend: Database.Statement;
  private readonly nowMs: () => number;
  private openRows = 0;
  private openSinceMs = 0;

  constructor(database: Database.Database, runId: number, nowMs: () => number = () => performance.now()) {
    this.database = database;
    this.runId = runId;
    this.nowMs = nowMs;
    this.extend = database.prepare(query('run_rows_extend'));
  }

  /** Writes a batch. Throws what SQLite throws; the open transaction is then rolled back, what was committed before stays. */
  write(batch: TraceBatch): void {
    if (batch.rows === 0) return;
    if (!this.database.inTransaction) {
      this.database.exec('BEGIN');
      this.openSinceMs = this.nowMs();
      this.openRows = 0;
    }
    this.orRollBack(() => this.insert(batch));
    this.cube.add(batch);
    this.rows += batch.rows;
    this.openRows += batch.rows;
    if (this.openRows >= ROWS_PER_TRANSACTION || this.nowMs() - this.openSinceMs >= COMMIT_AFTER_MS) this.commit();
  }

  /** Makes everything written so far durable. */
  commit(): void {
    if (this.database.inTransaction) this.orRollBack(() => this.database.exec('COMMIT'));
  }

  /** Commits the last rows and what the charts need. Call once, at the end. */
  finish(): void {
    this.commit();
    if (this.cube.n >= CUBE_FROM_IOS) this.database.prepare(query('run_chart_set')).run(this.runId, this.cube.pack());
  }

  /** A full disk leaves the transaction open; what comes after (how the run ended) must not fail with it. */
  private orRollBack(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.database.inTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  private insert(batch: TraceBatch): void {
    const insert = this.insertFor(batch);
    const { many, one, values, oneValues } = insert;
    let row = 0;
    let last: Database.RunResult | undefined;
    for (; row + ROWS_PER_STATEMENT <= batch.rows; row += ROWS_PER_STATEMENT) {
      fill(values, batch, insert, row, ROWS_PER_STATEMENT);
      last = many.run(...values); // as arguments: an array would be asked for its elements one by one
    }
    for (; row < batch.rows; row++) {
      fill(oneValues, batch, insert, row, 1);
      last = one.run(...oneValues);
    }
    const lastRowid = Number(last?.lastInsertRowid);
    this.extend.run({ runId: this.runId, table: batch.table, first: lastRowid - batch.rows + 1, last: lastRowid });
  }

  private insertFor(batch: TraceBatch): Insert {
    const types = new Map(TABLES[batch.table].map((column) => [column.name, column.type]));
    const cells = batch.names.map((name, c) => {
      const type = types.get(name);
      if (type === undefined) throw new Error(`table ${batch.table} has no column ${name}`);
      const column = batch.columns[c];
      return isConstant(column, batch.rows) ? literal(column[0], type === 'text' ? batch.texts : undefined) : '?';
    });
    const key = `${batch.table}:${batch.names.join()}:${cells.join()}`;
    let insert = this.inserts.get(key);
    if (insert === undefined) {
      if (this.inserts.size === MAX_STATEMENTS) this.inserts.clear();
      insert = this.prepare(batch, cells, (c) => types.get(batch.names[c]) === 'text');
      this.inserts.set(key, insert);
    }
    return insert;
  }

  private prepare({ table, names }: TraceBatch, cells: readonly string[], isText: (column: number) => boolean): Insert {
    const row = `(${[this.runId, ...cells].join()})`;
    const into = `INSERT INTO "${table}" (run_id,${names.map((name) => `"${name}"`).join()}) VALUES `;
    const bound = cells.flatMap((cell, c) => (cell === '?' ? [c] : []));
    return {
      many: this.database.prepare(into + Array<string>(ROWS_PER_STATEMENT).fill(row).join()),
      one: this.database.prepare(into + row),
      bound,
      values: Array<unknown>(ROWS_PER_STATEMENT * bound.length).fill(null),
      oneValues: Array<unknown>(bound.length).fill(null),
      isText: bound.map(isText),
    };
  }
}

/** Whether a column has one value (or NULL) throughout. */
function isConstant(column: Float64Array, rows: number): boolean {
  const first = column[0];
  for (let r = 1; r < rows; r++) if (!Object.is(column[r], first)) return false;
  return true;
}

/** A value as SQL: NaN (or a text that is not there) is NULL. */
function literal(value: number, texts: readonly string[] | undefined): string {
  if (texts === undefined) return Number.isNaN(value) ? 'NULL' : String(value);
  return value >= 0 ? `'${texts[value].replaceAll("'", "''")}'` : 'NULL';
}

/** Rows `from…from+rows` of the bound columns, row by row, as SQLite wants them. NaN is bound as NULL by SQLite itself. */
function fill(values: unknown[], batch: TraceBatch, { bound, isText }: Insert, from: number, rows: number): void {
  const width = bound.length;
  for (let c = 0; c < width; c++) {
    const column = batch.columns[bound[c]];
    if (isText[c]) {
      for (let r = 0, at = c; r < rows; r++, at += width) {
        const index = column[from + r];
        values[at] = index >= 0 ? batch.texts[index] : null;
      }
    } else {
      for (let r = 0, at = c; r < rows; r++, at += width) values[at] = column[from + r];
    }
  }
}

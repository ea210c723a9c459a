/**
 * Writes the batches of one run into the trace tables.
 *
 * Several rows per statement, only the columns that the batch brings (the others stay NULL), one transaction per 64 k rows and at
 * least one commit per second, so that a killed process loses little.
 * The range of rowids of each table is kept in `run_rows`, in the same transaction.
 */
import type Database from 'better-sqlite3';
import type { TraceBatch, TraceTable } from '../../core/trace/schema.ts';
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

interface Insert {
  readonly many: Database.Statement;
  readonly one: Database.Statement;
  /** Bound values of `many`, filled anew for every statement. */
  readonly values: unknown[];
  readonly oneValues: unknown[];
  /** Per column: the values are indexes into the batch's texts. */
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
    const { many, one, values, oneValues, isText } = this.insertFor(batch);
    let row = 0;
    let last: Database.RunResult | undefined;
    for (; row + ROWS_PER_STATEMENT <= batch.rows; row += ROWS_PER_STATEMENT) {
      fill(values, batch, isText, row, ROWS_PER_STATEMENT);
      last = many.run(values);
    }
    for (; row < batch.rows; row++) {
      fill(oneValues, batch, isText, row, 1);
      last = one.run(oneValues);
    }
    const lastRowid = Number(last?.lastInsertRowid);
    this.extend.run({ runId: this.runId, table: batch.table, first: lastRowid - batch.rows + 1, last: lastRowid });
  }

  private insertFor(batch: TraceBatch): Insert {
    const key = `${batch.table}:${batch.names.join()}`;
    let insert = this.inserts.get(key);
    if (insert === undefined) {
      insert = this.prepare(batch.table, batch.names);
      this.inserts.set(key, insert);
    }
    return insert;
  }

  private prepare(table: TraceTable, names: readonly string[]): Insert {
    const types = new Map(TABLES[table].map((column) => [column.name, column.type]));
    const unknown = names.find((name) => !types.has(name));
    if (unknown !== undefined) throw new Error(`table ${table} has no column ${unknown}`);
    const row = `(${this.runId}${',?'.repeat(names.length)})`;
    const into = `INSERT INTO "${table}" (run_id,${names.map((name) => `"${name}"`).join()}) VALUES `;
    return {
      many: this.database.prepare(into + Array<string>(ROWS_PER_STATEMENT).fill(row).join()),
      one: this.database.prepare(into + row),
      values: Array<unknown>(ROWS_PER_STATEMENT * names.length).fill(null),
      oneValues: Array<unknown>(names.length).fill(null),
      isText: names.map((name) => types.get(name) === 'text'),
    };
  }
}

/** Rows `from…from+rows` of a batch, row by row, as SQLite wants them bound. NaN is bound as NULL by SQLite itself. */
function fill(values: unknown[], batch: TraceBatch, isText: readonly boolean[], from: number, rows: number): void {
  const width = isText.length;
  for (let c = 0; c < width; c++) {
    const column = batch.columns[c];
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

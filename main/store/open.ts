/**
 * Opens, creates, migrates and closes project files.
 *
 * A project is one SQLite file with our `application_id` and its schema number in `user_version`. While it is open it is in WAL mode (a reader never waits for
 * the run that is being recorded); on close the log is folded back and the rollback journal restored, so that a single file remains to be
 * copied. An older file is migrated as a copy and the original kept. Not done: repairing damaged files, merging.
 */
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { projectErrors, toStoreError } from './errors.ts';
import { APPLICATION_ID, FILE_FORMAT } from './file-format.ts';
import { lockProject, type ProjectLock } from './lock.ts';
import { repairRanges } from './row-ranges.ts';
import { migrations, query, type Migration } from './sql-files.ts';

/** Waiting this long for another connection of ours before giving up. @assume longer than any checkpoint of a local disk. */
const BUSY_TIMEOUT_MS = 5000;

export interface OpenProject {
  readonly path: string;
  readonly database: Database.Database;
  readonly isReadOnly: boolean;
  readonly lock: ProjectLock | undefined;
  /** Runs that were marked `interrupted` just now. */
  readonly recoveredRuns: number;
}

/**
 * A fresh project file. Throws when something is there already. It gets its name only when it is whole, so that a kill at any moment leaves either
 * no project or one that opens.
 */
export function createProject(path: string): OpenProject {
  if (existsSync(path)) throw projectErrors.notOurs(path);
  return guarded(path, () => {
    const lock = lockProject(path);
    const unfinished = `${path}-new`;
    try {
      rmSync(unfinished, { force: true }); // of a process that was killed here
      writeEmptyProject(unfinished);
      renameSync(unfinished, path);
      const database = new Database(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
      prepare(database);
      return { path, database, isReadOnly: false, lock, recoveredRuns: 0 };
    } catch (error) {
      rmSync(unfinished, { force: true });
      lock.release();
      throw error;
    }
  });
}

function writeEmptyProject(path: string): void {
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.transaction(() => {
      migrate(database, migrations());
      database.pragma(`application_id = ${APPLICATION_ID}`);
    })();
  } finally {
    database.close();
  }
}

/** Opens an existing project; read-only when the file is. Throws the typed errors of a file that is not ours, too new, damaged or in use. */
export function openProject(path: string, steps: readonly Migration[] = migrations()): OpenProject {
  if (!existsSync(path)) throw projectErrors.noSuch(path);
  return guarded(path, () => {
    checkHeader(path);
    if (!isWritable(path)) return openReadOnly(path);
    const lock = lockProject(path);
    try {
      migrateCopy(path, steps);
      const database = new Database(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
      try {
        checkSound(path, database);
        prepare(database);
        repairRanges(database);
        return { path, database, isReadOnly: false, lock, recoveredRuns: markInterrupted(database) };
      } catch (error) {
        database.close();
        throw error;
      }
    } catch (error) {
      lock.release();
      throw error;
    }
  });
}

/** A second connection for questions; the first one must be open. */
export function openReader(path: string): Database.Database {
  return guarded(path, () => {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    database.pragma('query_only = ON');
    return database;
  });
}

/** Folds the log back, restores the rollback journal and lets go: one file remains. */
export function closeProject(project: OpenProject): void {
  const { database, path, isReadOnly, lock } = project;
  try {
    if (!isReadOnly && database.open) {
      guarded(path, () => {
        database.pragma('wal_checkpoint(TRUNCATE)');
        database.pragma('journal_mode = DELETE');
      });
    }
  } finally {
    database.close();
    lock?.release();
  }
}

/** Runs `work` and translates what it throws. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toStoreError(error, path);
  }
}

/**
 * Reads the first page by ourselves: opening a file with SQLite may already change it (a leftover log is folded in), which must not happen to a
 * file that is not ours.
 * @source SQLite file format, "The Database Header": magic at 0, write and read version at 18 and 19, user_version at 60, application_id at 68, big-endian
 */
function checkHeader(path: string): void {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  const length = readSync(file, header, 0, header.length, 0);
  closeSync(file);
  if (length < header.length || header.toString('latin1', 0, 16) !== 'SQLite format 3\0')
    throw projectErrors.notOurs(path);
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw projectErrors.notOurs(path);
  const version = header.readUInt32BE(60);
  if (version > FILE_FORMAT) throw projectErrors.tooNew(path, version, FILE_FORMAT);
}

/** Root may write anything; a file without any write bit is meant to stay as it is all the same. */
function isWritable(path: string): boolean {
  if ((statSync(path).mode & 0o222) === 0) return false;
  try {
    accessSync(path, constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function openReadOnly(path: string): OpenProject {
  const database = new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  checkSound(path, database);
  return { path, database, isReadOnly: true, lock: undefined, recoveredRuns: 0 };
}

function prepare(database: Database.Database): void {
  database.pragma('journal_mode = WAL');
  // A power cut may lose the last commits, never the file: what a run writes can be run again.
  database.pragma('synchronous = NORMAL');
  database.pragma('foreign_keys = ON');
}

/** A file up to this size is looked through page by page when it is opened. @assume a quarter of a second */
const WHOLE_CHECK_BYTES = 16 * 1024 * 1024;

/** What everything else hangs on; small however many rows the runs have. */
const SMALL_TABLES = ['experiment', 'revision', 'run', 'run_rows', 'run_chart'] as const;

/**
 * Throws PROJECT_DAMAGED unless the file is sound and the schema complete. Of a large file only the small tables and the length are looked at: reading every row
 * would take longer than whatever the user wants to see. Damage among its rows is told of when they are read.
 */
function checkSound(path: string, database: Database.Database): void {
  for (const found of findings(path, database)) if (found !== 'ok') throw projectErrors.damaged(path, found);
  const version = database.pragma('user_version', { simple: true }) as number;
  const tables = database.prepare(
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('run', 'io', 'request', 'run_rows')",
  );
  if (version < 1 || tables.pluck().get() !== 4) throw projectErrors.damaged(path, 'tables are missing');
}

function findings(path: string, database: Database.Database): readonly string[] {
  const check = (what: string | number): string => String(database.pragma(`quick_check(${what})`, { simple: true }));
  const { size } = statSync(path);
  if (size <= WHOLE_CHECK_BYTES) return [check(1)];
  const [pages, pageBytes] = ['page_count', 'page_size'].map(
    (name) => database.pragma(name, { simple: true }) as number,
  );
  const hasLog = existsSync(`${path}-wal`);
  const length = size < pages * pageBytes && !hasLog ? `it ends after ${size} of ${pages * pageBytes} bytes` : 'ok';
  return [length, ...SMALL_TABLES.map((table) => check(`'${table}'`))];
}

/** Applies the steps above the file's version. Returns whether there were any. Context: inside a transaction. */
function migrate(database: Database.Database, steps: readonly Migration[]): boolean {
  const from = database.pragma('user_version', { simple: true }) as number;
  const due = steps.filter((step) => step.version > from);
  for (const step of due) {
    database.exec(step.sql);
    database.pragma(`user_version = ${step.version}`);
  }
  return due.length > 0;
}

/** Brings an older file up to date: the copy is migrated and takes the name, the original stays beside it as `<path>.v<N>`. */
function migrateCopy(path: string, steps: readonly Migration[]): void {
  const old = new Database(path, { timeout: BUSY_TIMEOUT_MS, fileMustExist: true });
  const from = old.pragma('user_version', { simple: true }) as number;
  // Folds in the log of a crash, so that the copy below is whole.
  if (steps.some((step) => step.version > from)) old.pragma('journal_mode = DELETE');
  old.close();
  if (from < 1 || !steps.some((step) => step.version > from)) return;
  const copyPath = `${path}-migrating`;
  copyFileSync(path, copyPath);
  try {
    const copy = new Database(copyPath);
    try {
      copy.transaction(() => migrate(copy, steps))();
    } finally {
      copy.close();
    }
  } catch (error) {
    rmSync(copyPath, { force: true });
    throw error;
  }
  renameSync(path, `${path}.v${from}`);
  renameSync(copyPath, path);
}

/** No process is running these any more, for we hold the lock. */
function markInterrupted(database: Database.Database): number {
  return database.transaction(() => {
    const { changes } = database.prepare(query('run_interrupt')).run();
    if (changes > 0) database.prepare(query('run_count_rows')).run();
    return changes;
  })();
}

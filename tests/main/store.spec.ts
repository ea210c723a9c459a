import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TABLES } from '../../core/trace/schema.ts';
import { APPLICATION_ID, FILE_FORMAT } from '../../main/store/file-format.ts';
import { closeProject, createProject, openProject } from '../../main/store/open.ts';
import { migrations } from '../../main/store/sql-files.ts';
import { StoreWriter } from '../../main/store/writer.ts';
import { ReaderService } from '../../main/workers/reader-service.ts';
import { beginRun, endRun, ioBatch, totalNs, writeRows } from './support/rows.ts';
import { temporaryFolder } from './support/temporary.ts';

function newProject(): { writer: StoreWriter; path: string } {
  const path = join(temporaryFolder(), 'a.blklab');
  const writer = new StoreWriter();
  writer.create(path);
  onTestFinished(() => writer.close());
  return { writer, path };
}

/** A closed project with `rows` rows of one run. */
function savedProject(rows = 10): string {
  const { writer, path } = newProject();
  const runId = beginRun(writer);
  writeRows(writer, rows);
  endRun(writer, runId);
  writer.close();
  return path;
}

const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return undefined;
};

describe('the file', () => {
  test('has the columns of the trace schema, run_id first, integers and texts as declared, all tables STRICT', () => {
    const db = new Database(savedProject(), { readonly: true });
    for (const [table, columns] of Object.entries(TABLES)) {
      const found = db.pragma(`table_info("${table}")`) as { name: string; type: string }[];
      expect(found.map(({ name, type }) => `${name} ${type}`)).toEqual([
        'run_id INTEGER',
        ...columns.map(({ name, type }) => `${name} ${type === 'int' ? 'INTEGER' : 'TEXT'}`),
      ]);
    }
    const tables = db.pragma('table_list') as { schema: string; name: string; strict: number }[];
    const lax = tables.filter((t) => t.schema === 'main' && !t.name.startsWith('sqlite_') && t.strict === 0);
    expect(lax).toEqual([]);
    db.close();
  });

  test('gets its name when it is whole: what a killed process left half made is neither a project nor in the way', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'p.blklab');
    writeFileSync(`${path}-new`, 'half of a file');
    closeProject(createProject(path));
    expect(readdirSync(folder)).toEqual(['p.blklab']);
    closeProject(openProject(path));
  });

  test('carries our application id and schema number, which the newest migration has too', () => {
    const db = new Database(savedProject(), { readonly: true });
    expect(db.pragma('application_id', { simple: true })).toBe(APPLICATION_ID);
    expect(db.pragma('user_version', { simple: true })).toBe(FILE_FORMAT);
    expect(migrations().at(-1)?.version).toBe(FILE_FORMAT);
    db.close();
  });

  test('is a single file in rollback-journal mode once it is closed', () => {
    const path = savedProject(5000);
    expect(readdirSync(join(path, '..'))).toEqual(['a.blklab']);
    // SQLite file format: write and read version at offsets 18 and 19 are 1 for a rollback journal, 2 for WAL
    expect([...readFileSync(path).subarray(18, 20)]).toEqual([1, 1]);
  });

  test('can be read by the sqlite3 shell', () => {
    const out = execFileSync('sqlite3', [savedProject(100), 'SELECT count(*), sum(total_ns) FROM io'], {
      encoding: 'utf8',
    });
    const sum = Array.from({ length: 100 }, (_v, i) => totalNs(i)).reduce((a, b) => a + b);
    expect(out.trim()).toBe(`100|${sum}`);
  });
});

describe('recording rows', () => {
  test('stores what the batch holds: integers as such, NaN and text index -1 as NULL, stages outside the batch as NULL', () => {
    const { writer, path } = newProject();
    beginRun(writer);
    writer.writeRows(ioBatch(0, 100));
    writer.commitRows();
    const db = new Database(path, { readonly: true });
    const row = db.prepare('SELECT *, typeof(offset_bytes) AS type FROM io WHERE io_id = 77').get() as Record<
      string,
      unknown
    >;
    db.close();
    expect(row).toMatchObject({ run_id: 1, job: 'app', op: 'write', offset_bytes: 77 * 4096, type: 'integer' });
    expect(row).toMatchObject({ key_id: null, status: null, st_submit_ns: 40, st_wait_tag_ns: 0, st_link_ns: null });
  });

  test('keeps integers above 32 bits exact', () => {
    const { writer, path } = newProject();
    beginRun(writer);
    const batch = ioBatch(0, 1);
    const big = 2 ** 52 + 1;
    batch.columns[batch.names.indexOf('offset_bytes')][0] = big;
    writer.writeRows(batch);
    writer.commitRows();
    const db = new Database(path, { readonly: true });
    expect(db.prepare('SELECT offset_bytes FROM io').pluck().get()).toBe(big);
    db.close();
  });

  test('another change during a run commits the rows before it', () => {
    const { writer, path } = newProject();
    beginRun(writer);
    writer.writeRows(ioBatch(0, 10));
    writer.createExperiment('other', {}, '2026-01-01T00:00:00.000Z');
    const db = new Database(path, { readonly: true });
    expect(db.prepare('SELECT count(*) FROM io').pluck().get()).toBe(10);
    db.close();
  });

  test('a full disk is DISK_FULL with the path, and what was committed before stays readable', () => {
    const { writer, path } = newProject();
    const runId = beginRun(writer);
    writer.writeRows(ioBatch(0, 1000));
    writer.commitRows();
    const db = (writer as unknown as { project: { database: Database.Database } }).project.database;
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages + 2}`);
    let caught: unknown;
    try {
      for (let i = 1; i < 100; i++) writer.writeRows(ioBatch(i * 1000, 1000));
      writer.commitRows();
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining(path) as string });
    writer.endRun({ runId, status: 'failed', wallMs: 1, summary: null, message: 'disk full' });
    expect(writer.run(runId).row).toMatchObject({ status: 'failed', ios: 1000 });
  });

  test('rows of later runs do not disturb earlier ones, and removing a run removes its rows only', () => {
    const { writer, path } = newProject();
    for (const n of [10, 20, 30]) {
      const runId = beginRun(writer);
      writeRows(writer, n);
      endRun(writer, runId);
      while (writer.indexNext(runId));
    }
    writer.removeRun(2);
    writer.close();
    const db = new Database(path, { readonly: true });
    expect(db.prepare('SELECT run_id, count(*) AS n FROM io GROUP BY run_id').all()).toEqual([
      { run_id: 1, n: 10 },
      { run_id: 3, n: 30 },
    ]);
    db.close();
  });
});

describe('indexes', () => {
  const indexes = (path: string): unknown[] => {
    const db = new Database(path, { readonly: true });
    try {
      return db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'io_total%' ORDER BY name")
        .pluck()
        .all();
    } finally {
      db.close();
    }
  };

  test('are there for the latest three runs only, and for none while it is recorded', () => {
    const { writer, path } = newProject();
    for (let i = 1; i <= 4; i++) {
      const runId = beginRun(writer);
      writeRows(writer, 10);
      expect(indexes(path)).not.toContain(`io_total_ns_of_run_${runId}`);
      while (writer.indexNext(runId));
    }
    expect(indexes(path)).toEqual([2, 3, 4].map((run) => `io_total_ns_of_run_${run}`));
    writer.removeRun(3);
    expect(indexes(path)).toEqual([2, 4].map((run) => `io_total_ns_of_run_${run}`));
  });
});

describe('opening', () => {
  test('turns runs that nobody runs any more into interrupted ones, with the rows they have', () => {
    const { writer, path } = newProject();
    const runId = beginRun(writer);
    writeRows(writer, 1234);
    writer.close();
    const again = new StoreWriter();
    onTestFinished(() => again.close());
    expect(again.open(path)).toEqual({ readOnly: false, recoveredRuns: 1 });
    expect(again.run(runId).row).toMatchObject({ status: 'interrupted', ios: 1234, hasRows: true });
  });

  test('refuses what is not a project: another database, a text, an empty file, a folder', () => {
    const folder = temporaryFolder();
    const other = join(folder, 'other.blklab');
    new Database(other).exec('CREATE TABLE t (a)').close();
    writeFileSync(join(folder, 'text.blklab'), 'hello\n'.repeat(100));
    writeFileSync(join(folder, 'empty.blklab'), '');
    for (const name of ['other', 'text', 'empty'])
      expect(codeOf(() => openProject(join(folder, `${name}.blklab`)))).toBe('PROJECT_NOT_OURS');
    expect(codeOf(() => openProject(folder))).toBe('STORE');
    expect(codeOf(() => openProject(join(folder, 'none.blklab')))).toBe('NO_SUCH');
  });

  test('leaves a file that is not ours as it is, byte for byte, and nothing beside it', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'other.blklab');
    new Database(path).exec('CREATE TABLE t (a)').close();
    const before = readFileSync(path);
    codeOf(() => openProject(path));
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(['other.blklab']);
  });

  test('refuses a file from the future and says which format it has', () => {
    const path = savedProject();
    const db = new Database(path);
    db.pragma(`user_version = ${FILE_FORMAT + 6}`);
    db.close();
    expect(() => openProject(path)).toThrow(
      expect.objectContaining({
        code: 'PROJECT_TOO_NEW',
        message: expect.stringContaining(`format ${FILE_FORMAT + 6}`) as string,
      }) as Error,
    );
  });

  test.each([
    ['cut short', (path: string) => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
    [
      'overwritten in the middle',
      (path: string) => {
        const bytes = readFileSync(path);
        bytes.fill(0xa5, 4096, 4096 * 8);
        writeFileSync(path, bytes);
      },
    ],
  ])('calls a file that was %s damaged and does not change it', (_how, damage) => {
    const path = savedProject(20_000);
    damage(path);
    const before = readFileSync(path);
    expect(codeOf(() => openProject(path))).toBe('PROJECT_DAMAGED');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  describe('of a file too large to be looked through', () => {
    const LARGE_BYTES = 16 * 1024 * 1024;
    const largeProject = (): string => {
      const path = savedProject(250_000);
      expect(statSync(path).size).toBeGreaterThan(LARGE_BYTES);
      return path;
    };

    test('says at opening that it was cut short', () => {
      const path = largeProject();
      truncateSync(path, LARGE_BYTES + 4096);
      expect(codeOf(() => openProject(path))).toBe('PROJECT_DAMAGED');
      expect(statSync(path).size).toBe(LARGE_BYTES + 4096);
    });

    test('says so when damaged rows are read, and still lists its runs', () => {
      const path = largeProject();
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(4096 * 8, 0xa5), 0, 4096 * 8, LARGE_BYTES / 2);
      closeSync(file);
      const writer = new StoreWriter();
      onTestFinished(() => writer.close());
      writer.open(path);
      expect(writer.runs(null)).toHaveLength(1);
      const reader = new ReaderService();
      onTestFinished(() => reader.close());
      reader.open(path);
      const sorted = { runId: 1, table: 'io', where: '', sort: { column: 'total_ns', descending: true } } as const;
      expect(codeOf(() => reader.page({ ...sorted, offset: 0, limit: 10 }))).toBe('PROJECT_DAMAGED');
    });
  });

  test('opens a read-only file for reading, and refuses changes as PROJECT_READ_ONLY', () => {
    const path = savedProject();
    execFileSync('chmod', ['a-w', path]);
    const writer = new StoreWriter();
    onTestFinished(() => writer.close());
    expect(writer.open(path).readOnly).toBe(true);
    expect(writer.runs(null)).toHaveLength(1);
    expect(codeOf(() => writer.createExperiment('x', {}, ''))).toBe('PROJECT_READ_ONLY');
    expect(codeOf(() => writer.beginRows(1))).toBe('PROJECT_READ_ONLY');
  });

  test('refuses a project that another opener has, and opens it once that one is closed', () => {
    const path = savedProject();
    const first = openProject(path);
    expect(codeOf(() => openProject(path))).toBe('PROJECT_LOCKED');
    closeProject(first);
    closeProject(openProject(path));
  });

  test('a lock left by a dead process holds nobody up', () => {
    const path = savedProject();
    const kill = `const D = require('better-sqlite3'); const d = new D(process.argv[1]); d.exec('BEGIN EXCLUSIVE'); process.kill(process.pid, 'SIGKILL')`;
    expect(() => execFileSync(process.execPath, ['-e', kill, `${path}-lock`])).toThrow();
    expect(existsSync(`${path}-lock`)).toBe(true);
    closeProject(openProject(path));
    expect(readdirSync(join(path, '..'))).toEqual(['a.blklab']);
  });

  test('migrates an older file as a copy and keeps the original beside it', () => {
    const path = savedProject(50);
    const original = readFileSync(path);
    const step = { version: FILE_FORMAT + 1, sql: 'ALTER TABLE run ADD COLUMN note TEXT;' };
    const project = openProject(path, [...migrations(), step]);
    expect(project.database.prepare('SELECT count(*) FROM run WHERE note IS NULL').pluck().get()).toBe(1);
    closeProject(project);
    expect(readFileSync(`${path}.v${FILE_FORMAT}`).equals(original)).toBe(true);
  });

  test('a migration that fails leaves the file as it was', () => {
    const path = savedProject(50);
    const original = readFileSync(path);
    const step = { version: FILE_FORMAT + 1, sql: 'ALTER TABLE run ADD COLUMN note TEXT; SELECT nonsense;' };
    expect(codeOf(() => openProject(path, [...migrations(), step]))).toBe('STORE');
    expect(readFileSync(path).equals(original)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['a.blklab']);
  });

  test('finds the rows of a run again after a VACUUM by somebody else', () => {
    const { writer, path } = newProject();
    const first = beginRun(writer);
    writeRows(writer, 100);
    endRun(writer, first);
    const second = beginRun(writer);
    writeRows(writer, 50);
    endRun(writer, second);
    writer.removeRun(first);
    writer.close();
    execFileSync('sqlite3', [path, 'VACUUM']);
    const project = openProject(path);
    const range = project.database.prepare('SELECT first_rowid, last_rowid FROM run_rows WHERE run_id = ?').get(second);
    const owners = project.database
      .prepare('SELECT min(rowid) AS first_rowid, max(rowid) AS last_rowid FROM io WHERE run_id = ?')
      .get(second);
    closeProject(project);
    expect(range).toEqual(owners);
  });
});

describe('experiments', () => {
  const at = '2026-01-01T00:00:00.000Z';

  test('a new one is dirty until it is saved, an edit back to the saved text is clean', () => {
    const { writer } = newProject();
    const { id } = writer.createExperiment('a', { seed: 1 }, at);
    expect(writer.experiment(id)).toMatchObject({ dirty: true, revision: 0 });
    writer.saveDrafts(at);
    expect(writer.experiment(id)).toMatchObject({ dirty: false, revision: 1 });
    expect(writer.draft(id, 'a', { seed: 2 })).toMatchObject({ dirty: true, definition: { seed: 2 } });
    expect(writer.draft(id, 'a', { seed: 1 })).toMatchObject({ dirty: false });
  });

  test('saving keeps every revision; discarding goes back to the last', () => {
    const { writer, path } = newProject();
    const { id } = writer.createExperiment('a', { seed: 1 }, at);
    writer.saveDrafts(at);
    writer.draft(id, 'b', { seed: 2 });
    writer.saveDrafts(at);
    writer.draft(id, 'c', { seed: 3 });
    writer.discardDrafts();
    expect(writer.experiment(id)).toMatchObject({ name: 'b', definition: { seed: 2 }, revision: 2, dirty: false });
    writer.close();
    const db = new Database(path, { readonly: true });
    expect(db.prepare('SELECT revision, definition FROM revision ORDER BY revision').raw().all()).toEqual([
      [1, '{"seed":1}'],
      [2, '{"seed":2}'],
    ]);
    db.close();
  });

  test('a run is outdated once the definition it ran with has been edited', () => {
    const { writer } = newProject();
    const runId = beginRun(writer);
    expect(writer.run(runId).row.outdated).toBe(false);
    writer.draft(1, 'test', { name: 'test', seed: 9 });
    expect(writer.run(runId).row.outdated).toBe(true);
  });

  test('a copy is whole while the original is being written to', async () => {
    const { writer, path } = newProject();
    beginRun(writer);
    writer.writeRows(ioBatch(0, 500));
    const copyPath = `${path}.copy`;
    await writer.backup(copyPath);
    copyFileSync(copyPath, `${copyPath}.2`);
    const copy = new Database(copyPath, { readonly: true });
    expect(copy.prepare('SELECT count(*) FROM io').pluck().get()).toBe(500);
    expect(copy.pragma('journal_mode', { simple: true })).toBe('delete');
    copy.close();
  });
});

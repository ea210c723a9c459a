import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { PageQuery } from '../../core/contract/api.ts';
import { TABLES } from '../../core/trace/schema.ts';
import { exportCsv } from '../../main/exports/csv.ts';
import { Charts } from '../../main/store/charts.ts';
import { openReader } from '../../main/store/open.ts';
import { Pages } from '../../main/store/pages.ts';
import { shapeProblem, whereProblem } from '../../main/store/where.ts';
import { StoreWriter } from '../../main/store/writer.ts';
import { beginRun, endRun, ioBatch, TEST_STAGES, totalNs, writeRows } from './support/rows.ts';
import { temporaryFolder } from './support/temporary.ts';

/** Rows of the big run; the run before it is small. */
const ROWS = 1_000_000;
const SMALL = 1000;

let folder: string;
let path: string;
let writer: StoreWriter;
let db: Database.Database;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'blklab-test-'));
  path = join(folder, 'big.blklab');
  writer = new StoreWriter();
  writer.create(path);
  for (const rows of [SMALL, ROWS]) {
    const runId = beginRun(writer);
    writeRows(writer, rows);
    endRun(writer, runId);
  }
  while (writer.indexNext(2));
  db = openReader(path);
});

afterAll(() => {
  db.close();
  writer.close();
  rmSync(folder, { recursive: true });
});

const ask = (change: Partial<PageQuery>): PageQuery => ({
  runId: 2,
  table: 'io',
  where: '',
  sort: null,
  offset: 0,
  limit: 5,
  ...change,
});

/** One column of a page. */
function column(page: { columns: readonly string[]; rows: readonly (readonly unknown[])[] }, name: string): unknown[] {
  return page.rows.map((row) => row[page.columns.indexOf(name)]);
}

describe('pages', () => {
  test('show the n-th rows of a run of a million, with the total, and only stages the run can have', () => {
    const page = new Pages(db).page(ask({ offset: 777_777, limit: 3 }));
    expect(page.total).toBe(ROWS);
    expect(column(page, 'io_id')).toEqual([777_777, 777_778, 777_779]);
    expect(page.columns.filter((name) => name.startsWith('st_'))).toEqual([
      'st_submit_ns',
      'st_wait_tag_ns',
      'st_media_ns',
    ]);
  });

  test('without sort and condition look at exactly the rows they show', () => {
    const plan = db.prepare('EXPLAIN QUERY PLAN SELECT * FROM io WHERE rowid BETWEEN 5 AND 10 ORDER BY rowid').all();
    expect((plan as { detail: string }[]).map(({ detail }) => detail)).toEqual([
      'SEARCH io USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)',
    ]);
  });

  test.each([
    ['ascending', false],
    ['descending', true],
  ])('are the same rows by index as by a sort in memory, %s, at both ends and in the middle', (_name, descending) => {
    const sorted = Float64Array.from({ length: ROWS }, (_v, i) => totalNs(i)).sort();
    if (descending) sorted.reverse();
    const pages = new Pages(db);
    for (const offset of [0, 1, 499_998, 500_001, ROWS - 3]) {
      const page = pages.page(ask({ sort: { column: 'total_ns', descending }, offset, limit: 10 }));
      expect(column(page, 'total_ns')).toEqual([...sorted.subarray(offset, offset + 10)]);
      expect(page.total).toBe(ROWS);
    }
  });

  test('by submission time are in that order', () => {
    const page = new Pages(db).page(ask({ sort: { column: 'submit_ns', descending: true }, offset: 10, limit: 3 }));
    expect(column(page, 'io_id')).toEqual([999_989, 999_988, 999_987]);
  });

  test('of an indexed sort column come from the index', () => {
    const plan = db
      .prepare(
        'EXPLAIN QUERY PLAN SELECT * FROM "io" WHERE run_id = 2 ORDER BY "total_ns" ASC, rowid ASC LIMIT 5 OFFSET 9',
      )
      .all() as { detail: string }[];
    expect(plan.map(({ detail }) => detail)).toEqual(['SCAN io USING INDEX io_total_ns_of_run_2']);
  });

  test('with a condition count and show the matching rows only, in the order asked for', () => {
    const page = new Pages(db).page(
      ask({ where: "op = 'write' AND io_id < 100", sort: { column: 'io_id', descending: true } }),
    );
    expect(page.total).toBe(50);
    expect(column(page, 'io_id')).toEqual([99, 97, 95, 93, 91]);
  });

  test('scrolling through a filtered table asks the question once', () => {
    const pages = new Pages(db);
    const where = 'total_ns % 7 = 0';
    const all = pages.page(ask({ where, limit: 2000 }));
    const lists = (pages as unknown as { lists: Map<string, unknown> }).lists;
    const [list] = [...lists.values()];
    const part = pages.page(ask({ where, offset: 1500, limit: 10 }));
    expect(part.rows).toEqual(all.rows.slice(1500, 1510));
    expect([...lists.values()]).toEqual([list]);
  });

  test('beyond the end are empty, and so are those of a run without rows', () => {
    const pages = new Pages(db);
    expect(pages.page(ask({ offset: ROWS + 5 })).rows).toEqual([]);
    expect(pages.page(ask({ offset: ROWS + 5, sort: { column: 'total_ns', descending: true } })).rows).toEqual([]);
    expect(pages.page(ask({ runId: 99 }))).toMatchObject({ rows: [], total: 0 });
    expect(pages.page(ask({ table: 'request' }))).toMatchObject({ rows: [], total: 0 });
  });

  test('of one run never show rows of another', () => {
    const page = new Pages(db).page(ask({ runId: 1, where: 'total_ns > 0', offset: SMALL - 1 }));
    expect(page.total).toBe(SMALL);
    expect(column(page, 'io_id')).toEqual([SMALL - 1]);
  });

  test('refuse a sort column that is none', () => {
    expect(() => new Pages(db).page(ask({ sort: { column: 'rowid" --', descending: false } }))).toThrow(/no column/);
  });
});

describe('conditions', () => {
  test.each([
    'total_ns > 100',
    "job = 'a;b' AND op IN ('read', 'write')",
    '(cpu = 1) OR (cpu = 2)',
    'st_media_ns > 0.5 * total_ns',
    'io_id IN (SELECT io_id FROM request WHERE attempts > 1)',
    '',
  ])('%s is valid', (where) => {
    expect(whereProblem(db, 'io', where)).toBeUndefined();
  });

  test.each([
    ['1; DROP TABLE io', /";"/],
    ['1) OR (1', undefined],
    ['1) UNION SELECT 1 --', /comments|\)/],
    ['1 /* x', /comments/],
    ['nonsense > 1', /no such column/],
    ['total_ns >', /incomplete input|syntax/],
    ["job = 'open", /never closed/],
    ['(total_ns > 1', /never closed/],
    ['total_ns > 1)', /without/],
    ['io_id IN (WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x FROM t) SELECT x FROM t)', /with/i],
    ['(SELECT 1 FROM pragma_table_info(1))', /pragma/],
    ['count(*) > 1', /misuse/],
    ['total_ns > ?', /./],
  ])('%s is refused', (where, why) => {
    const problem = whereProblem(db, 'io', where);
    if (why === undefined) expect(shapeProblem(where)).toBeDefined();
    else expect(problem).toMatch(why);
  });

  test('cannot write even if one got through: the connection is read-only', () => {
    expect(() => db.exec('DELETE FROM io')).toThrow(/readonly/);
  });
});

describe('charts', () => {
  test('a histogram counts every selected I/O once, in ascending log-spaced buckets', () => {
    const { edgesNs, counts, n } = new Charts(db).histogram({ runId: 2, where: 'io_id < 5000', bins: 40 });
    expect(n).toBe(5000);
    expect(counts.reduce((a, b) => a + b)).toBe(5000);
    expect(edgesNs).toHaveLength(41);
    for (let bin = 0; bin < 40; bin++) {
      let inside = 0;
      for (let i = 0; i < 5000; i++) if (totalNs(i) >= edgesNs[bin] && totalNs(i) < edgesNs[bin + 1]) inside++;
      expect(Math.abs(counts[bin] - inside)).toBeLessThanOrEqual(1);
    }
  });

  test('one latency value, and none at all, still make a histogram', () => {
    const charts = new Charts(db);
    expect(charts.histogram({ runId: 2, where: 'io_id = 5', bins: 10 }).counts.reduce((a, b) => a + b)).toBe(1);
    expect(charts.histogram({ runId: 2, where: '0', bins: 10 })).toMatchObject({ n: 0 });
    expect(charts.latencyOverTime({ runId: 2, where: '0', columns: 4, rows: 4 })).toMatchObject({ n: 0 });
  });

  test('latency over time puts every I/O into the column of its submission, with the percentiles of the column', () => {
    const grid = new Charts(db).latencyOverTime({ runId: 2, where: 'io_id < 1000', columns: 10, rows: 8 });
    expect([grid.fromNs, grid.toNs, grid.n]).toEqual([0, 999_000, 1000]);
    for (let x = 0; x < 10; x++) {
      let sum = 0;
      for (let y = 0; y < 8; y++) sum += grid.counts[y * 10 + x];
      expect(Math.abs(sum - 100)).toBeLessThanOrEqual(1);
      expect(grid.p99Ns[x]).toBeGreaterThan(grid.p50Ns[x]);
    }
  });

  test('a question asked again is not counted again', () => {
    const charts = new Charts(db);
    const request = { runId: 1, where: '', bins: 20 };
    expect(charts.histogram(request)).toBe(charts.histogram({ ...request }));
    expect(charts.histogram({ ...request, bins: 21 }).counts).toHaveLength(21);
  });

  test('stage shares add up to one, over all I/Os and over the slowest hundredth', () => {
    const { all, tail, n, tailN } = new Charts(db).stages({ runId: 2, where: '' });
    expect(all.map(({ stage }) => stage)).toEqual([...TEST_STAGES]);
    for (const shares of [all, tail]) expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
    expect([n, tailN]).toEqual([ROWS, ROWS / 100]);
  });
});

describe('charts of a very long run', () => {
  /** Answers from the cube whatever the number of rows. */
  const cube = (): Charts => new Charts(db, 0);

  test('agree with the exact histogram within a bucket of the cube', () => {
    const request = { runId: 2, where: '', bins: 60 };
    const exact = new Charts(db).histogram(request);
    const quick = cube().histogram(request);
    expect(quick.edgesNs).toEqual(exact.edgesNs);
    expect([quick.n, quick.counts.reduce((a, b) => a + b)]).toEqual([ROWS, ROWS]);
    let exactSum = 0;
    let quickSum = 0;
    exact.counts.forEach((count, bin) => {
      exactSum += count;
      quickSum += quick.counts[bin];
      expect(Math.abs(quickSum - exactSum)).toBeLessThan(0.011 * ROWS);
    });
  });

  test('agree with the exact percentiles over time within 3 %, and count every I/O once', () => {
    const grid = cube().latencyOverTime({ runId: 2, where: '', columns: 100, rows: 40 });
    expect(grid.columns).toBeLessThanOrEqual(100);
    expect(grid.counts.reduce((a, b) => a + b)).toBe(ROWS);
    const stepNs = (grid.toNs - grid.fromNs) / grid.columns;
    const inside = `submit_ns >= ${3 * stepNs} AND submit_ns < ${4 * stepNs}`;
    const sql = `SELECT percentile(total_ns, 50) AS p50, percentile(total_ns, 99) AS p99, count(*) AS n FROM io WHERE run_id = 2 AND ${inside}`;
    const exact = db.prepare(sql).get() as { p50: number; p99: number; n: number };
    expect(Math.abs(grid.p50Ns[3] / exact.p50 - 1)).toBeLessThan(0.03);
    expect(Math.abs(grid.p99Ns[3] / exact.p99 - 1)).toBeLessThan(0.03);
  });

  test('agree with the exact stage shares, of the tail nearly', () => {
    const exact = new Charts(db).stages({ runId: 2, where: '' });
    const quick = cube().stages({ runId: 2, where: '' });
    expect(quick.all.map(({ stage }) => stage)).toEqual(exact.all.map(({ stage }) => stage));
    quick.all.forEach(({ share, meanNs }, i) => {
      expect(share).toBeCloseTo(exact.all[i].share, 9);
      expect(meanNs).toBeCloseTo(exact.all[i].meanNs, 3);
    });
    quick.tail.forEach(({ share }, i) => expect(share).toBeCloseTo(exact.tail[i].share, 2));
    expect(quick.tailN / exact.tailN).toBeLessThan(2.5);
  });

  test('are counted from the rows as soon as there is a condition', () => {
    expect(cube().histogram({ runId: 2, where: 'io_id < 10', bins: 5 }).n).toBe(10);
  });
});

describe('CSV', () => {
  const never = (): boolean => false;

  test('equals the output of the sqlite3 shell, row for row, and has all columns of the table', () => {
    const out = temporaryFolder();
    const files = exportCsv(db, 1, out, '', never);
    expect(files).toEqual(
      Object.keys(TABLES).map((table) => ({ path: join(out, `${table}.csv`), rows: table === 'io' ? SMALL : 0 })),
    );
    const shell = execFileSync('sqlite3', ['-csv', '-header', path, 'SELECT * FROM io WHERE run_id = 1'], {
      encoding: 'utf8',
    });
    const ours = readFileSync(join(out, 'io.csv'), 'utf8');
    expect(ours.split('\r\n')).toEqual(shell.split(/\r?\n/));
    expect(readFileSync(join(out, 'request.csv'), 'utf8')).toBe(
      `run_id,${TABLES.request.map((c) => c.name).join()}\r\n`,
    );
  });

  test('quotes what RFC 4180 says must be quoted, and writes UTF-8', () => {
    const other = new StoreWriter();
    const file = join(temporaryFolder(), 'q.blklab');
    other.create(file);
    onTestFinished(() => other.close());
    beginRun(other);
    other.writeRows(ioBatch(0, 1, 'a "b", größer\nc'));
    other.commitRows();
    const reader = openReader(file);
    const out = temporaryFolder();
    exportCsv(reader, 1, out, '', never);
    reader.close();
    expect(readFileSync(join(out, 'io.csv'), 'utf8')).toContain('\r\n1,0,"a ""b"", größer\nc",read,');
  });

  test('with a condition has the matching I/Os only', () => {
    const [io] = exportCsv(db, 2, temporaryFolder(), 'total_ns < 1000', never);
    expect(io.rows).toBe(Array.from({ length: ROWS }, (_v, i) => totalNs(i)).filter((ns) => ns < 1000).length);
  });

  test('that is cancelled leaves nothing behind', () => {
    const out = temporaryFolder();
    let looks = 0;
    expect(() => exportCsv(db, 2, out, '', () => ++looks > 3)).toThrow(
      expect.objectContaining({ code: 'CANCELLED' }) as Error,
    );
    expect(readdirSync(out)).toEqual([]);
  });

  test('on a full disk names the file and leaves nothing behind', () => {
    if (!existsSync('/dev/full')) throw new Error('this test needs /dev/full');
    const out = temporaryFolder();
    execFileSync('ln', ['-s', '/dev/full', join(out, 'io.csv.part')]);
    expect(() => exportCsv(db, 2, out, '', never)).toThrow(
      expect.objectContaining({ code: 'DISK_FULL', message: expect.stringContaining('io.csv') as string }) as Error,
    );
    expect(readdirSync(out)).toEqual([]);
  });
});

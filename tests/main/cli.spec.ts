import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { TABLES } from '../../core/trace/schema.ts';
import type { RunSummary } from '../../core/contract/summary.ts';
import { StoreWriter } from '../../main/store/writer.ts';
import { temporaryFolder } from './support/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'main/cli.ts');

const JOB = '[app]\nioengine=libaio\ndirect=1\nrw=randread\nbs=4k\niodepth=8\nsize=64m\nruntime=20ms\ntime_based\n';
/** Takes minutes: to be stopped or killed. */
const LONG_JOB = JOB.replace('runtime=20ms', 'runtime=1000s');

function blklab(args: readonly string[], cwd: string = ROOT) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function jobFile(text = JOB): { folder: string; file: string } {
  const folder = temporaryFolder();
  const file = join(folder, 'job.fio');
  writeFileSync(file, text);
  return { folder, file };
}

const summaryOf = (stdout: string): RunSummary => JSON.parse(stdout) as RunSummary;

describe('run', () => {
  test('prints latency, stages and counters of a bare job file, and exits with 0', () => {
    const { file } = jobFile();
    const { status, stdout, stderr } = blklab(['run', file, '--quiet']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^job: done/);
    expect(stdout).toMatch(/app +read +\d/);
    expect(stdout).toMatch(/p99\.9/);
    expect(stdout).toMatch(/media +\d+(\.\d+)? % .*█/);
    expect(stdout).toMatch(/block +bios/);
  });

  test('gives the same trace hash each time: with and without a project, with another detail, not with another seed', () => {
    const { file, folder } = jobFile();
    const hash = (...args: string[]): string =>
      summaryOf(blklab(['run', file, '--json', '--quiet', ...args]).stdout).run.traceHash;
    const first = hash();
    expect(hash()).toBe(first);
    expect(hash('--project', join(folder, 'p.blklab'))).toBe(first);
    expect(hash('--seed', '2')).not.toBe(first);
    expect(hash('--set', 'seed=2')).toBe(hash('--seed', '2'));
  });

  test('records rows whose stages sum to their total, and CSV files with as many rows as the tables', () => {
    const { file, folder } = jobFile();
    const project = join(folder, 'p.blklab');
    const csv = join(folder, 'csv');
    expect(blklab(['run', file, '--quiet', '--project', project, '--csv', csv]).status).toBe(0);
    const db = new Database(project, { readonly: true });
    const stages = TABLES.io.filter((c) => c.stage !== undefined).map((c) => `coalesce(${c.name}, 0)`);
    expect(
      db
        .prepare(`SELECT count(*) FROM io WHERE total_ns <> ${stages.join('+')}`)
        .pluck()
        .get(),
    ).toBe(0);
    for (const table of Object.keys(TABLES)) {
      const rows = db.prepare(`SELECT count(*) FROM "${table}"`).pluck().get() as number;
      const lines = readFileSync(join(csv, `${table}.csv`), 'utf8').split('\r\n');
      expect([table, lines.length - 2]).toEqual([table, rows]);
    }
    expect(db.prepare('SELECT count(*) FROM io').pluck().get()).toBeGreaterThan(0);
    db.close();
    expect(readdirSync(folder).sort()).toEqual(['csv', 'job.fio', 'p.blklab']);
  });

  test('writes CSV files without a project, and leaves no project behind', () => {
    const { file, folder } = jobFile();
    const { status } = blklab(['run', file, '--quiet', '--csv', join(folder, 'csv')]);
    expect(status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['csv', 'job.fio']);
    expect(readFileSync(join(folder, 'csv/io.csv'), 'utf8').split('\r\n').length).toBeGreaterThan(100);
  });

  test('adds a second run of the same definition to the same experiment', () => {
    const { file, folder } = jobFile();
    const project = join(folder, 'p.blklab');
    for (let i = 0; i < 2; i++) expect(blklab(['run', file, '--quiet', '--project', project]).status).toBe(0);
    const db = new Database(project, { readonly: true });
    expect(db.prepare('SELECT run_id, experiment_id, status FROM run').raw().all()).toEqual([
      [1, 1, 'done'],
      [2, 1, 'done'],
    ]);
    expect(db.prepare('SELECT revision, draft FROM experiment').raw().all()).toEqual([[1, null]]);
    db.close();
  });

  test('with repeats prints one summary object per repeat, each with the next seed', () => {
    const { file } = jobFile();
    const { stdout } = blklab(['run', file, '--json', '--quiet', '--set', '/run/repeats=2']);
    const summaries = JSON.parse(stdout) as RunSummary[];
    expect(summaries.map(({ run }) => run.seed)).toEqual([1, 2]);
  });

  test('takes a definition whose job file lies beside it', () => {
    const { folder } = jobFile();
    writeFileSync(
      join(folder, 'e.json'),
      JSON.stringify({ format: 1, device: { kind: 'ufs' }, workload: { fioFile: 'job.fio' } }),
    );
    expect(blklab(['run', join(folder, 'e.json'), '--json', '--quiet']).status).toBe(0);
  });

  test('stopped by Ctrl-C keeps what was recorded and says so', async () => {
    const { file, folder } = jobFile(LONG_JOB);
    const project = join(folder, 'p.blklab');
    const child = spawn(process.execPath, [CLI, 'run', file, '--json', '--quiet', '--project', project]);
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    await expect.poll(() => rowsOf(project), { timeout: 30_000, interval: 100 }).toBeGreaterThan(0);
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(1);
    const { run } = summaryOf(stdout);
    expect(run.status).toBe('stopped');
    expect(rowsOf(project)).toBe(run.ios);
  });
});

/** Committed rows of `io`, also while another process writes. */
function rowsOf(project: string): number {
  if (!existsSync(project)) return 0;
  try {
    const db = new Database(project, { readonly: true });
    try {
      return db.prepare('SELECT count(*) FROM io').pluck().get() as number;
    } finally {
      db.close();
    }
  } catch (error) {
    // being created at this moment
    if (error instanceof Database.SqliteError) return 0;
    throw error;
  }
}

describe('killing the program during a run', () => {
  // Moments that fall before the file, into its creation, into the first commits and well into the run.
  test.each([150, 300, 450, 700, 1200, 2000])(
    'after %i ms leaves a project that opens with its committed rows',
    async (delayMs) => {
      const { file, folder } = jobFile(LONG_JOB);
      const project = join(folder, 'p.blklab');
      const child = spawn(process.execPath, [CLI, 'run', file, '--quiet', '--project', project], { stdio: 'ignore' });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.on('exit', resolve));
      if (!existsSync(project)) return;
      const committed = rowsOf(project);
      const writer = new StoreWriter();
      writer.open(project);
      const runs = writer.runs(null);
      for (const run of runs) expect(run).toMatchObject({ status: 'interrupted', ios: committed });
      writer.close();
      expect(rowsOf(project)).toBe(committed);
      expect(readdirSync(folder).sort()).toEqual(['job.fio', 'p.blklab']);
      const again = blklab(['run', file, '--quiet', '--json', '--project', project, '--set', 'run.until=5ms']);
      expect(again.status).toBe(0);
    },
  );
});

describe('bad input', () => {
  /** Each line must be a sentence of ours, not a stack trace. */
  function expectRefused(result: ReturnType<typeof blklab>, ...lines: readonly RegExp[]): void {
    expect(result.status).toBe(2);
    expect(result.stderr).not.toMatch(/^\s+at /m);
    const said = result.stderr.trimEnd().split('\n');
    expect(said).toHaveLength(lines.length);
    lines.forEach((line, i) => expect(said[i]).toMatch(line));
  }

  test('in a job file is listed with file and line, one problem per line, and nothing is written', () => {
    const { file, folder } = jobFile('[a]\ndirect=1\nrw=nonsense\niodeph=4\n');
    expectRefused(
      blklab(['run', file, '--project', join(folder, 'p.blklab'), '--csv', join(folder, 'csv')]),
      /^job\.fio:3: error: /,
      /^job\.fio:4: error: .*iodepth/,
    );
    expect(readdirSync(folder)).toEqual(['job.fio']);
  });

  test('in a definition is listed with its JSON pointer', () => {
    const { folder } = jobFile();
    const file = join(folder, 'e.json');
    writeFileSync(
      file,
      JSON.stringify({ format: 1, sed: 4, device: { kind: 'ufs', capacity: 'big' }, workload: { fio: JOB } }),
    );
    const { status, stdout } = blklab(['validate', file]);
    expect(status).toBe(2);
    expect(stdout).toMatch(/e\.json: \/sed: error: /);
    expect(stdout).toMatch(/e\.json: \/device\/capacity: error: /);
  });

  test('that is no definition at all is said in one line', () => {
    const { folder, file } = jobFile();
    writeFileSync(join(folder, 'e.json'), '{ "format": 1,');
    mkdirSync(join(folder, 'd'));
    expectRefused(blklab(['run', join(folder, 'e.json')]), /is not JSON/);
    expectRefused(blklab(['run', join(folder, 'none.json')]), /no file/);
    expectRefused(blklab(['run', join(folder, 'd')]), /not a file/);
    expectRefused(blklab(['run', file, '--set', 'novalue']), /path=value/);
    expectRefused(blklab(['run', file, '--set', 'seed.x=1']), /seed/);
    expectRefused(blklab(['run', file, '--seed', '-1']), /whole number/);
    expectRefused(blklab(['run', file, '--csv', file]), /must be a folder/);
  });

  test('on the command line is refused with a hint', () => {
    const { status, stderr } = blklab(['run', 'x', '--jsn']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/unknown option.*\n?.*--json/);
    expect(blklab(['nonsense']).status).toBe(2);
    expect(blklab(['--help']).status).toBe(0);
  });

  test('such as a file that is not a project is refused before anything runs', () => {
    const { file, folder } = jobFile();
    const project = join(folder, 'p.blklab');
    writeFileSync(project, 'not a database, but long enough to be taken for one'.repeat(10));
    const before = readFileSync(project);
    expectRefused(blklab(['run', file, '--quiet', '--project', project]), /is not a blklab project/);
    expect(readFileSync(project).equals(before)).toBe(true);
    expectRefused(
      blklab(['export', project, '--run', '1', '--format', 'csv', '--out', folder]),
      /is not a blklab project/,
    );
  });
});

describe('export', () => {
  test('writes the files of a recorded run, with a condition only the matching I/Os', () => {
    const { file, folder } = jobFile();
    const project = join(folder, 'p.blklab');
    blklab(['run', file, '--quiet', '--project', project]);
    const out = join(folder, 'out');
    const args = ['export', project, '--run', '1', '--format', 'csv', '--out', out];
    expect(blklab(args).status).toBe(0);
    const all = readFileSync(join(out, 'io.csv'), 'utf8').split('\r\n').length;
    expect(blklab([...args, '--where', 'io_id % 2 = 0']).status).toBe(0);
    const half = readFileSync(join(out, 'io.csv'), 'utf8').split('\r\n').length;
    expect(Math.abs(all - 2 - 2 * (half - 2))).toBeLessThanOrEqual(1);
    expect(blklab([...args, '--where', 'io_id >']).status).toBe(2);
    expect(blklab(['export', project, '--run', '9', '--format', 'csv', '--out', out])).toMatchObject({
      status: 2,
      stderr: 'blklab: There is no run 9.\n',
    });
  });
});

describe('schema', () => {
  test('prints the JSON Schema of definitions', () => {
    const { status, stdout } = blklab(['schema']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', properties: { device: {}, workload: {}, run: {} } });
  });
});

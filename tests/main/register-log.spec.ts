/** The register log on its way to the user: a recorded run, exported by the command line, read as CSV. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openProject } from '../../main/store/open.ts';
import { migrations } from '../../main/store/sql-files.ts';
import { exportCsv } from '../../main/exports/csv.ts';
import { StoreWriter } from '../../main/store/writer.ts';
import { beginRun, endRun } from './support/rows.ts';
import { temporaryFolder } from './support/temporary.ts';

const CLI = join(import.meta.dirname, '../../main/cli.ts');

const DEFINITION = {
  format: 1,
  name: 'register log',
  device: {
    kind: 'ufs',
    capacity: '1GiB',
    crypto: { engine: 'registers', keyslots: 2 },
    power: { clockGating: false, runtimePm: false },
  },
  encryption: { jobs: { app: { keys: 3, keyPer: 'file' } } },
  workload: { fio: '[app]\nrw=randwrite\nbs=4k\nsize=4m\nnrfiles=3\nnumber_ios=40\n' },
  run: { detail: 'full' },
};

type Row = Readonly<Record<string, string>>;

/** Records a run in `folder`, exports it, and gives the lines of its register log as records. */
function exportedLog(folder: string): { readonly project: string; readonly rows: Row[] } {
  const [file, project, out] = ['d.json', 'p.blklab', 'out'].map((name) => join(folder, name));
  writeFileSync(file, JSON.stringify(DEFINITION));
  const run = spawnSync(process.execPath, [CLI, 'run', file, '--quiet', '--project', project], { encoding: 'utf8' });
  expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: '' });
  const args = [CLI, 'export', project, '--run', '1', '--format', 'csv', '--out', out];
  expect(spawnSync(process.execPath, args, { encoding: 'utf8' }).status).toBe(0);
  const [header, ...lines] = readFileSync(join(out, 'register_log.csv'), 'utf8').trimEnd().split('\r\n');
  const names = header.split(',');
  const rows = lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell])));
  return { project, rows };
}

describe('register_log.csv', () => {
  let folder: string;
  let project: string;
  let rows: Row[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'blklab-test-'));
    ({ project, rows } = exportedLog(folder));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const ofSlot = (slot: number): Row[] =>
    rows.filter(({ name }) => name.startsWith('CRYPTOCFG.') && name.endsWith(`[${slot}]`));

  test('names block, register, slot and dword of every write, and decodes its fields', () => {
    expect(Object.keys(rows[0])).toEqual(['run_id', 'at_ns', 'block', 'offset', 'name', 'old', 'new', 'fields']);
    const config = ofSlot(1).find(({ name, new: value }) => name === 'CRYPTOCFG.16[1]' && value !== '0');
    expect(config).toMatchObject({
      block: 'ufshci',
      offset: String(0x1000 + 0x80 + 64),
      old: '0',
      new: String(0x80000008),
      fields: 'CFGE=1 DUSIZE=8',
    });
    const uic = rows.find(({ name }) => name === 'UICCMD');
    expect(uic?.fields).toBe('CMDOP=22 (DME_LINKSTARTUP)');
  });

  test('lists the writes of each programming in the order of the specification', () => {
    const started = ofSlot(0).filter(({ at_ns }) => Number(at_ns) > 0);
    const entries = Array.from({ length: started.length / 19 }, (_, i) => started.slice(19 * i, 19 * (i + 1)));
    const order = [16, ...Array.from({ length: 16 }, (_, dword) => dword), 17, 16];
    expect(entries.length).toBeGreaterThan(3);
    for (const entry of entries) {
      expect(entry.map(({ name }) => name)).toEqual(order.map((dword) => `CRYPTOCFG.${dword}[0]`));
      expect(entry[0].new).toBe('0');
      expect(entry[18].fields).toBe('CFGE=1 DUSIZE=8');
      expect(new Set(entry.map(({ at_ns }) => at_ns)).size).toBe(1);
    }
  });

  test('I-32: carries no key material, and neither does the project file', () => {
    const keys = rows.filter(({ name }) => /^CRYPTOCFG\.([0-9]|1[0-5])\[/.test(name));
    expect(keys.length).toBeGreaterThan(100);
    expect(new Set(keys.map(({ old, new: fresh, fields }) => `${old}/${fresh}/${fields}`))).toEqual(
      new Set(['//KEY (hidden)']),
    );
    const database = new Database(project, { readonly: true });
    const told = database
      .prepare("SELECT count(*) FROM register_log WHERE fields LIKE 'KEY%' AND (old IS NOT NULL OR new IS NOT NULL)")
      .pluck();
    expect(told.get()).toBe(0);
    database.close();
  });
});

describe('a project from before fields were decoded', () => {
  test('is read as it is, without the column, and migrated where it can be written', () => {
    const path = join(temporaryFolder(), 'old.blklab');
    const writer = new StoreWriter();
    writer.create(path);
    endRun(writer, beginRun(writer));
    writer.close();
    const old = new Database(path);
    old.exec(`ALTER TABLE register_log DROP COLUMN fields;
      INSERT INTO register_log (run_id, at_ns, block, offset, name, old, new) VALUES (1, 5, 'ufshci', 52, 'HCE', 0, 3);
      INSERT INTO run_rows (run_id, table_name, first_rowid, last_rowid) VALUES (1, 'register_log', 1, 1)`);
    const out = temporaryFolder();
    exportCsv(old, 1, out, '', () => false);
    expect(readFileSync(join(out, 'register_log.csv'), 'utf8').split('\r\n')[1]).toBe('1,5,ufshci,52,HCE,0,3,');
    old.pragma('user_version = 1');
    old.close();
    const project = openProject(path, migrations());
    expect(project.database.prepare('SELECT fields FROM register_log').pluck().all()).toEqual([null]);
    project.database.close();
    project.lock?.release();
  });
});

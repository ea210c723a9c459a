/** The scripts behind npm start, npm test and npm run demo: what they decide, apart from starting processes. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBuilt } from '../../scripts/lib/build.ts';
import { findChromium } from '../../scripts/lib/chromium.ts';
import { countCsvRows } from '../../scripts/lib/demo.ts';
import { findOnPath, ROOT } from '../../scripts/lib/process.ts';
import { findDesktop } from '../../scripts/lib/start.ts';
import { tally, tallyLine } from '../../scripts/lib/test.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blklab-scripts-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Writes a file below the temporary folder, last changed at `atS` seconds. Returns its path. */
function put(name: string, text: string, atS = 1000): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  utimesSync(path, atS, atS);
  return path;
}

/** A stand-in for an Electron distribution; returns the variables that point to it. */
function putElectron(): NodeJS.ProcessEnv {
  for (const name of ['electron', 'electron.exe', 'Electron.app/Contents/MacOS/Electron']) put(name, '');
  return { ELECTRON_OVERRIDE_DIST_PATH: folder };
}

describe('the tally of a test run', () => {
  const file = (status: string, ...tests: string[]) => ({
    name: 'x.spec.ts',
    status,
    assertionResults: tests.map((each) => ({ status: each })),
  });

  it('adds up passed, failed and skipped tests of all files', () => {
    const counted = tally({
      testResults: [file('failed', 'passed', 'failed', 'skipped'), file('passed', 'passed', 'pending', 'todo')],
    });
    expect(counted).toEqual({ passed: 2, failed: 1, skipped: 3 });
  });

  it('counts a file that could not be loaded as one failure', () => {
    expect(tally({ testResults: [file('failed'), file('failed', 'passed')] })).toEqual({
      passed: 1,
      failed: 2,
      skipped: 0,
    });
  });

  it('names skipped tests only when there are any', () => {
    expect(tallyLine({ passed: 412, failed: 0, skipped: 0 })).toBe('412 passed, 0 failed');
    expect(tallyLine({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });
});

describe('the choice of the face', () => {
  it.runIf(process.platform === 'linux')('opens no window without a display, and says so', () => {
    expect(findDesktop(putElectron(), 1000)).toEqual({ why: expect.stringContaining('no display') });
  });

  it.runIf(process.platform === 'linux')('opens no window as root, and says so', () => {
    expect(findDesktop({ ...putElectron(), DISPLAY: ':0' }, 0)).toEqual({ why: expect.stringContaining('root') });
  });

  it('opens no window without an Electron binary, and says where it looked', () => {
    const env = { ELECTRON_OVERRIDE_DIST_PATH: join(folder, 'nowhere'), DISPLAY: ':0' };
    expect(findDesktop(env, 1000)).toEqual({ why: expect.stringContaining(join(folder, 'nowhere')) });
  });

  it('opens the window when there are a binary and a display', () => {
    expect(findDesktop({ ...putElectron(), DISPLAY: ':0' }, 1000)).toEqual({ exe: expect.stringContaining(folder) });
  });
});

describe('the build', () => {
  const sources = () => put('core/units/units.ts', '', 1000);
  const output = (atS: number) => {
    put('out/main/serve.js', '', atS);
    put('out/.built', '', atS);
  };

  it('is due when out/ is missing', () => {
    sources();
    expect(isBuilt(folder)).toBe(false);
  });

  it('is not due when every source is older than it', () => {
    sources();
    output(2000);
    expect(isBuilt(folder)).toBe(true);
  });

  it('is due when a source is newer than it', () => {
    sources();
    output(2000);
    put('renderer/app/App.vue', '', 3000);
    expect(isBuilt(folder)).toBe(false);
  });

  it('is not due because a spec is newer than it', () => {
    sources();
    output(2000);
    put('core/units/units.spec.ts', '', 3000);
    expect(isBuilt(folder)).toBe(true);
  });
});

describe('the search for Chromium', () => {
  it('takes the program that CHROMIUM names', () => {
    const program = put('my-chromium', '#!/bin/sh\n');
    chmodSync(program, 0o755);
    expect(findChromium({ CHROMIUM: program })).toBe(program);
  });

  it('refuses a CHROMIUM that cannot be run instead of taking another', () => {
    expect(() => findChromium({ CHROMIUM: join(folder, 'nothing') })).toThrow('is not a program');
  });
});

describe('the demo', () => {
  it('counts CSV rows without the header, line breaks in quotes being text', async () => {
    const path = put('a.csv', 'id,name\r\n1,"two\r\nlines, and a ""quote"""\r\n2,x\r\n');
    expect(await countCsvRows(path)).toBe(2);
  });

  it('counts a last row without a line end, and none in a file of only a header', async () => {
    expect(await countCsvRows(put('b.csv', 'id\n1\n2'))).toBe(2);
    expect(await countCsvRows(put('c.csv', 'id\n'))).toBe(0);
    expect(await countCsvRows(put('d.csv', ''))).toBe(0);
  });

  const fio = findOnPath('fio');
  it.skipIf(fio === undefined)(
    `runs a job file that fio itself accepts${fio ? '' : ' (skipped: fio is not installed)'}`,
    () => {
      const answer = spawnSync(fio ?? '', ['--parse-only', join(ROOT, 'resources/demo/demo.fio')], {
        encoding: 'utf8',
      });
      expect(answer.stdout + answer.stderr).toBe('');
      expect(answer.status).toBe(0);
    },
  );
});

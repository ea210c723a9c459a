import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { RunSummary } from '../../core/contract/summary.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'blklab-test-'));
const job = join(folder, 'job.fio');
writeFileSync(job, '[a]\nioengine=libaio\ndirect=1\nrw=randrw\nbs=4k\niodepth=4\nsize=16m\nruntime=10ms\ntime_based\n');

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command line of the sources or of the bundle, from a folder that is neither. */
function traceHash(cli: string, project: string): string {
  const args = [join(ROOT, cli), 'run', job, '--json', '--quiet', '--project', join(folder, project)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as RunSummary).run.traceHash;
}

test('the bundle finds its workers and SQL files, and runs like the sources', () => {
  expect(traceHash('out/main/cli.js', 'built.blklab')).toBe(traceHash('main/cli.ts', 'unbuilt.blklab'));
  expect(existsSync(join(folder, 'built.blklab'))).toBe(true);
});

test('the bundle is flat, and the preload is one CommonJS file that requires nothing but electron', () => {
  const folders = readdirSync(join(ROOT, 'out/main'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map((entry) => entry.name).sort()).toEqual(['queries', 'scenarios', 'schema']);
  expect(readdirSync(join(ROOT, 'out/preload'))).toEqual(['index.cjs']);
});

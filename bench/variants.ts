/**
 * What is measured, one variant per process: two variants in one process would share inline caches and optimised code, and the second would pay for what the
 * first one did.
 *
 *   node bench/variants.ts NAME REQUESTS      prints the measured figures as one line of JSON
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ProjectStore } from '../main/project/project-store.ts';
import { startRun, type RunEnding } from '../main/runs/execute.ts';
import { APP_VERSION } from '../main/version.ts';
import { bareHeapRate } from './heap.ts';
import { equalInserts, plainInserts } from './inserts.ts';
import { definitionOf, experimentOf, type RunShape } from './workload.ts';

/** Figures by name; times in seconds, sizes in bytes. Every process adds `rssBytes`, its highest resident size. */
export type Figures = Readonly<Record<string, number>>;

type Variant = (requests: number, folder: string) => Figures | Promise<Figures>;

export const VARIANTS = {
  heap: (events) => ({ rate: bareHeapRate(1000, events) }),
  summary: (requests) => summaryRun(requests),
  requests: (requests, folder) => recordedRun(requests, folder),
  'encrypted-summary': (requests) => summaryRun(requests, true),
  'encrypted-requests': (requests, folder) => recordedRun(requests, folder, true),
  plain: (rows, folder) => ({ seconds: plainInserts(folder, rows) }),
  equal: (rows, folder) => ({ seconds: equalInserts(folder, rows) }),
  csv: (requests, folder) => csvExport(requests, folder),
} satisfies Record<string, Variant>;

export type VariantName = keyof typeof VARIANTS;

const nothing = (): void => undefined;

/** Runs are measured as users have them: from the build, which `bench.ts` brings up to date first. */
const BUILT = { workerPath: join(import.meta.dirname, '../out/main/run-worker.js') };

/** A run that nobody keeps, in a run worker, as `blklab run` without a project does it. */
async function summaryRun(requests: number, encrypts = false): Promise<Figures> {
  const startMs = performance.now();
  const ending = await startRun(experimentOf({ requests, detail: 'summary', encrypts }), undefined, nothing, BUILT)
    .ending;
  return { seconds: secondsSince(startMs), events: checked(ending, requests).run.events };
}

/** A run into a project file, as the window does it. `seconds`: to the last row written; `indexSeconds`: closing the run and making its indexes after it. */
async function recordedRun(requests: number, folder: string, encrypts = false): Promise<Figures> {
  const { store, seconds, indexSeconds } = await record({ requests, detail: 'requests', encrypts }, folder);
  await store.close();
  return { seconds, indexSeconds };
}

async function record(
  shape: RunShape,
  folder: string,
): Promise<{
  readonly store: ProjectStore;
  readonly runId: number;
  readonly seconds: number;
  readonly indexSeconds: number;
}> {
  const definition = definitionOf(shape);
  const store = await ProjectStore.create(join(folder, 'run.blklab'));
  const startedAt = new Date().toISOString();
  const { id } = await store.writer.call('savedExperiment', ['bench', definition, startedAt]);
  const runId = await store.writer.call('createRun', [
    { experimentId: id, seed: 1, repeat: 1, definition, startedAt, appVersion: APP_VERSION },
  ]);
  const startMs = performance.now();
  const ending = await startRun(experimentOf(shape), { writer: store.writer, runId }, nothing, BUILT).ending;
  const seconds = secondsSince(startMs);
  const summary = checked(ending, shape.requests);
  const indexMs = performance.now();
  await store.writer.call('endRun', [{ runId, status: ending.status, wallMs: ending.wallMs, summary, message: null }]);
  while (await store.writer.call('indexNext', [runId]));
  return { store, runId, seconds, indexSeconds: secondsSince(indexMs) };
}

/** The `io` and `request` tables of a run as CSV: ours, and the shell's. `shellSeconds` is missing when the shell is not installed. */
async function csvExport(requests: number, folder: string): Promise<Figures> {
  const path = join(folder, 'run.blklab');
  const { store, runId } = await record({ requests, detail: 'requests' }, folder);
  const out = join(folder, 'csv');
  const startMs = performance.now();
  await store.reader.call('exportCsv', [runId, out, '', new SharedArrayBuffer(4)]);
  const seconds = secondsSince(startMs);
  await store.close();
  const bytes = statSync(join(out, 'io.csv')).size + statSync(join(out, 'request.csv')).size;
  const shellSeconds = shellCsv(path, folder);
  return { seconds, bytes, ...(shellSeconds === undefined ? {} : { shellSeconds }) };
}

function shellCsv(path: string, folder: string): number | undefined {
  const startMs = performance.now();
  for (const table of ['io', 'request']) {
    const file = openSync(join(folder, `${table}-shell.csv`), 'w');
    const { error, status } = spawnSync('sqlite3', ['-csv', '-header', path, `SELECT * FROM ${table}`], {
      stdio: ['ignore', file, 'inherit'],
    });
    closeSync(file);
    if (error !== undefined) return undefined;
    if (status !== 0) throw new Error(`bench: the sqlite3 shell ended with ${status}`);
  }
  return secondsSince(startMs);
}

/** The summary of a run that did what it was asked to. */
function checked({ status, summary, message }: RunEnding, requests: number): NonNullable<RunEnding['summary']> {
  if (status !== 'done' || summary?.run.requests !== requests)
    throw new Error(`bench: the run is ${status} with ${summary?.run.requests} requests. ${message ?? ''}`);
  return summary;
}

function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1000;
}

async function main(name: string, amount: number): Promise<void> {
  const variant: Variant = VARIANTS[name as VariantName];
  const folder = mkdtempSync(join(tmpdir(), 'blklab-bench-'));
  try {
    const figures = await variant(amount, folder);
    const rssBytes = process.resourceUsage().maxRSS * 1024;
    process.stdout.write(`${JSON.stringify({ ...figures, rssBytes })}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv[2], Number(process.argv[3]));

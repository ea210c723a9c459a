import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { RunProgress } from '../../core/contract/summary.ts';
import { ProjectStore } from '../../main/project/project-store.ts';
import { RunQueue, type RunEnded } from '../../main/runs/queue.ts';
import { etaMs } from '../../main/runs/progress.ts';
import type { FakeExperiment } from './support/fake-run.ts';
import { temporaryFolder } from './support/temporary.ts';

const WORKER = join(import.meta.dirname, 'support/fake-run.ts');

interface Setup {
  readonly store: ProjectStore;
  readonly queue: RunQueue;
  readonly ends: RunEnded[];
  readonly progress: RunProgress[];
  add(change?: Partial<FakeExperiment>): Promise<number>;
}

async function setUp(): Promise<Setup> {
  const store = await ProjectStore.create(join(temporaryFolder(), 'runs.blklab'));
  onTestFinished(() => store.close());
  const { id } = await store.writer.call('savedExperiment', ['fake', {}, '2026-01-01T00:00:00.000Z']);
  const ends: RunEnded[] = [];
  const progress: RunProgress[] = [];
  const queue = new RunQueue(
    store,
    '0.0.0',
    { ended: (end) => ends.push(end), progress: (p) => progress.push(p) },
    { workerPath: WORKER },
  );
  const add = (change: Partial<FakeExperiment> = {}): Promise<number> => {
    const experiment: FakeExperiment = { seed: 5, run: { repeats: 1 }, rows: 10_000, then: 'done', ...change };
    return queue.add({ experimentId: id, definition: {}, experiment });
  };
  return { store, queue, ends, progress, add };
}

/** Rows that are stored of a run. */
async function storedRows(store: ProjectStore, runId: number): Promise<number> {
  const page = { runId, table: 'io', where: '', sort: null, offset: 0, limit: 0 } as const;
  return (await store.reader.call('page', [page])).total;
}

describe('a run', () => {
  test('is recorded row for row and listed with its summary', async () => {
    const { store, queue, ends, add } = await setUp();
    const runId = await add({ rows: 123_457 });
    await queue.whenIdle();
    expect(ends).toEqual([{ runId, experimentId: 1, status: 'done', message: null }]);
    expect(await storedRows(store, runId)).toBe(123_457);
    const { row, summary } = await store.writer.call('run', [runId]);
    expect(row).toMatchObject({ status: 'done', ios: 123_457, traceHash: 'hash-5', hasRows: true, seed: 5 });
    expect(summary?.run).toMatchObject({ id: runId, status: 'done' });
  });

  test('with repeats is one run per repeat, each with the next seed', async () => {
    const { store, queue, add } = await setUp();
    await add({ run: { repeats: 3 } });
    await queue.whenIdle();
    const runs = await store.writer.call('runs', [1]);
    expect(runs.map(({ seed, repeat, traceHash }) => [seed, repeat, traceHash])).toEqual([
      [5, 1, 'hash-5'],
      [6, 2, 'hash-6'],
      [7, 3, 'hash-7'],
    ]);
  });

  test('that is stopped ends as stopped, keeps its rows and drops its further repeats', async () => {
    const { store, queue, ends, progress, add } = await setUp();
    const runId = await add({ then: 'endless', run: { repeats: 5 } });
    await expect.poll(() => progress.length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await queue.stop(runId)).toBe(true);
    await queue.whenIdle();
    expect(ends.map(({ status }) => status)).toEqual(['stopped']);
    expect(await storedRows(store, runId)).toBe(10_000);
    expect((await store.writer.call('run', [runId])).summary?.run.status).toBe('stopped');
  });

  test('waits for the one before it, and can be stopped while it waits', async () => {
    const { queue, ends, progress, add } = await setUp();
    const first = await add({ then: 'endless' });
    const second = await add();
    const third = await add();
    await expect.poll(() => progress.length, { timeout: 10_000 }).toBeGreaterThan(0);
    await queue.stop(second);
    await queue.stop(first);
    await queue.whenIdle();
    expect(ends.map(({ runId, status }) => [runId, status])).toEqual([
      [second, 'stopped'],
      [first, 'stopped'],
      [third, 'done'],
    ]);
    expect(await queue.stop(third)).toBe(false);
  });

  test('in deadlock is a result, with its chain', async () => {
    const { store, queue, ends, add } = await setUp();
    const runId = await add({ then: 'deadlock' });
    await queue.whenIdle();
    expect(ends[0]).toMatchObject({ status: 'deadlock', message: null });
    expect((await store.writer.call('run', [runId])).summary?.deadlock?.chain).toEqual(['a waits for b']);
  });

  test.each([
    ['crash', /the model broke down/],
    ['exit', /code 7/],
  ] as const)(
    'whose worker ends by %s fails with the reason, keeps its rows, and the next run works',
    async (then, reason) => {
      const { store, queue, ends, add } = await setUp();
      const runId = await add({ then, rows: 20_000 });
      const next = await add();
      await queue.whenIdle();
      expect(ends.map(({ status }) => status)).toEqual(['failed', 'done']);
      expect(ends[0].message).toMatch(reason);
      expect(await storedRows(store, runId)).toBeGreaterThan(0);
      expect((await store.writer.call('run', [runId])).row).toMatchObject({
        status: 'failed',
        message: ends[0].message,
      });
      expect(await storedRows(store, next)).toBe(10_000);
    },
  );

  test('tells its progress at most ten times a second', async () => {
    const { queue, progress, add } = await setUp();
    const runId = await add({ then: 'endless' });
    await expect.poll(() => progress.length, { timeout: 10_000 }).toBeGreaterThan(3);
    await queue.stopAll();
    for (const [i, { wallMs }] of progress.entries())
      if (i > 0) expect(wallMs - progress[i - 1].wallMs).toBeGreaterThanOrEqual(100);
    expect(progress[0]).toMatchObject({ runId, experimentId: 1, p50Ns: null });
  });

  test('leaves questions answerable while it is recorded', async () => {
    const { store, queue, add } = await setUp();
    const runId = await add({ then: 'endless', rows: 50_000 });
    const question = {
      runId,
      table: 'io',
      where: 'io_id < 10',
      sort: { column: 'total_ns', descending: true },
      offset: 0,
      limit: 5,
    } as const;
    const total = async (): Promise<number> => (await store.reader.call('page', [question])).total;
    await expect.poll(total, { timeout: 10_000 }).toBe(10);
    expect(queue.isBusy).toBe(true);
    await queue.stopAll();
  });
});

describe('the time to go', () => {
  test('is unknown at the beginning and the rest in proportion afterwards', () => {
    expect(etaMs(null, 100)).toBeNull();
    expect(etaMs(0.001, 100)).toBeNull();
    expect(etaMs(0.25, 1000)).toBe(3000);
    expect(etaMs(1, 1000)).toBe(0);
  });
});

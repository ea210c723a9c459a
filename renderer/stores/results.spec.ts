import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunRow } from '../../core/contract/api.ts';
import { fakeMain, type FakeMain } from '../testing/fake-main.ts';
import { useNotices } from './notices.ts';
import { useResults } from './results.ts';

const N = 2000;
const row = (change: Partial<RunRow> = {}): RunRow => ({
  id: 1,
  experimentId: 1,
  seed: 1,
  repeat: 1,
  status: 'done',
  startedAt: '2026-01-01T00:00:00Z',
  wallMs: 1,
  simNs: 1,
  events: 1,
  ios: N,
  requests: N,
  traceHash: 'abc',
  outdated: false,
  hasRows: true,
  ...change,
});

let main: FakeMain;
const asked = (method: string): number => main.calls.filter((call) => call.method === method).length;

beforeEach(() => {
  setActivePinia(createPinia());
  main = fakeMain({
    'run/summary': ({ runId }) => ({
      row: row({ id: runId }),
      summary: null,
      hasKeyslots: false,
      definition: { run: { warmup: '1ms' } },
    }),
    'query/histogram': () => ({ edgesNs: Float64Array.of(1, 2), counts: Float64Array.of(N), n: N }),
    'query/latencyOverTime': () => ({
      columns: 1,
      rows: 1,
      fromNs: 0,
      toNs: 1,
      edgesNs: Float64Array.of(1, 2),
      counts: Float64Array.of(N),
      p50Ns: Float64Array.of(1),
      p99Ns: Float64Array.of(1),
      n: N,
    }),
    'query/stages': () => ({ all: [], tail: [], n: N, tailN: 20 }),
    'query/page': ({ offset }) => ({ columns: ['io_id', 'total_ns'], rows: [[1, offset * 10]], total: N }),
  });
});

describe('results', () => {
  it('leave the warm-up out, as the summary does', async () => {
    const results = useResults();
    await results.show(1);
    await results.ask();
    expect(main.lastOf('query/histogram')?.where).toBe('submit_ns >= 1000000');
    results.filter('io', "op = 'read' OR cpu = 1");
    expect(results.chartWhere).toBe("submit_ns >= 1000000 AND (op = 'read' OR cpu = 1)");
  });

  it('name percentiles as exact order statistics, and none with too few samples beyond', async () => {
    const results = useResults();
    await results.show(1);
    await results.ask();
    expect(results.answers.percentiles).toEqual([
      { percent: 50, ns: 9990 },
      { percent: 99, ns: 19_790 },
      { percent: 99.9, ns: null },
    ]);
  });

  it('ask a question once, however often they are looked at', async () => {
    const results = useResults();
    await results.show(1);
    await Promise.all([results.ask(), results.ask()]);
    await results.ask();
    expect(asked('query/histogram')).toBe(1);
  });

  it('show each answer as it comes, and what is still missing', async () => {
    let answerStages = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (answerStages = resolve));
    main.answers['query/stages'] = async () => {
      await isAsked;
      return { all: [], tail: [], n: N, tailN: 20 };
    };
    const results = useResults();
    await results.show(1);
    const asking = results.ask();
    await vi.waitFor(() => expect(results.answers.percentiles).not.toBeNull());
    expect(results.answers.overTime).not.toBeNull();
    expect([...results.pending]).toEqual(['bands']);
    answerStages();
    await asking;
    expect(results.answers.bands?.n).toBe(N);
    expect(results.pending.size).toBe(0);
  });

  it('keep the answers that came when another failed, and say so', async () => {
    delete main.answers['query/latencyOverTime'];
    const results = useResults();
    await results.show(1);
    await results.ask();
    expect(results.answers.bands).not.toBeNull();
    expect(results.answers.overTime).toBeNull();
    expect(results.pending.size).toBe(0);
    expect(useNotices().all).toHaveLength(1);
  });

  it('ask nothing of a run that kept no rows', async () => {
    main.answers['run/summary'] = () => ({
      row: row({ hasRows: false }),
      summary: null,
      hasKeyslots: false,
      definition: {},
    });
    const results = useResults();
    await results.show(1);
    await results.ask();
    expect(asked('query/histogram')).toBe(0);
  });

  it('keep filter and answers while the same run is shown again, and forget them with another', async () => {
    const results = useResults();
    await results.show(1);
    results.filter('io', 'cpu = 1');
    await results.ask();
    await results.show(1);
    expect(results.where.io).toBe('cpu = 1');
    expect(results.answers.histogram).not.toBeNull();
    await results.show(2);
    expect(results.where.io).toBe('');
    expect(results.answers.histogram).toBeNull();
  });

  it('do not mix up equal ids of two projects', async () => {
    const results = useResults();
    await results.show(1);
    await results.ask();
    main.answers['run/summary'] = () => ({
      row: row({ startedAt: '2026-02-02T00:00:00Z' }),
      summary: null,
      hasKeyslots: false,
      definition: {},
    });
    await results.show(1);
    expect(results.answers.histogram).toBeNull();
  });
});

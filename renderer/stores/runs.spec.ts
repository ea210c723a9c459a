import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RunProgress } from '../../core/contract/summary.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { fakeMain, settle, type FakeMain } from '../testing/fake-main.ts';
import { useEditor } from './editor.ts';
import { useExplorer } from './explorer.ts';
import { useNotices } from './notices.ts';
import { useRuns } from './runs.ts';
import { useView } from './view.ts';

const EXPERIMENT = { id: 1, name: 'a', definition: { format: 1 }, revision: 1, dirty: false, createdAt: '' };
const progress = (change: Partial<RunProgress>): RunProgress => ({
  runId: 7,
  experimentId: 1,
  simNs: 0,
  fraction: 0.1,
  events: 0,
  ios: 0,
  requests: 0,
  inFlight: 0,
  wallMs: 0,
  etaMs: null,
  storedRows: 0,
  p50Ns: null,
  p99Ns: null,
  ...change,
});

let main: FakeMain;

beforeEach(async () => {
  setActivePinia(createPinia());
  main = fakeMain({
    'experiment/list': () => [EXPERIMENT],
    'run/list': () => [],
    'definition/validate': () => ({ problems: [] }),
    'run/start': () => ({ runId: 7 }),
    'run/stop': () => ({ stopped: true }),
  });
  await useExplorer().load();
  await useEditor().show(1, EXPERIMENT.definition);
});

describe('starting', () => {
  it('selects the run and shows it', async () => {
    await useRuns().start();
    expect(useView().screen).toBe('run');
    expect(useExplorer().runId).toBe(7);
    expect(useRuns().active?.progress).toBeNull();
  });

  it('with an error asks main nothing and points at the first error', async () => {
    const problem = { severity: 'error', path: '/seed', code: 'type', message: 'no' } as const;
    main.answers['definition/validate'] = () => ({ problems: [problem] });
    useView().screen = 'results';
    await useRuns().start();
    expect(main.lastOf('run/start')).toBeUndefined();
    expect(useView().screen).toBe('editor');
    expect(useEditor().goTo?.problem).toEqual(problem);
  });

  it('shows the problems that main finds after all', async () => {
    const problem = { severity: 'error', path: '/seed', code: 'type', message: 'no' } as const;
    main.answers['run/start'] = () => {
      throw new BlklabError('VALIDATION', 'The definition has errors.', [problem]);
    };
    await useRuns().start();
    expect(useEditor().problems).toEqual([problem]);
    expect(useRuns().live.size).toBe(0);
  });

  it('says what can be done when it fails', async () => {
    main.answers['run/start'] = () => {
      throw new BlklabError('DISK_FULL', 'The disk is full.');
    };
    await useRuns().start();
    expect(useNotices().all).toMatchObject([{ kind: 'error', text: 'The disk is full.' }]);
    expect(useNotices().all[0].next).not.toBe('');
  });
});

describe('a run under way', () => {
  it('is the active one before those that wait', async () => {
    const runs = useRuns();
    await runs.start();
    runs.onProgress(progress({ runId: 6, fraction: 0.5 }));
    expect(runs.active?.runId).toBe(6);
  });

  it('is stopped once, and says so at once', async () => {
    const runs = useRuns();
    await runs.start();
    const stopping = runs.stop();
    expect(runs.active?.isStopping).toBe(true);
    await stopping;
    expect(main.lastOf('run/stop')).toEqual({ runId: 7 });
  });

  it('that is watched gives way to its results when it ends', async () => {
    const runs = useRuns();
    await runs.start();
    runs.onEnded({ runId: 7, experimentId: 1, status: 'done', message: null });
    expect(runs.live.size).toBe(0);
    expect(useView().screen).toBe('results');
  });

  it('that is not watched changes nothing on the screen', async () => {
    const runs = useRuns();
    await runs.start();
    useView().screen = 'editor';
    runs.onEnded({ runId: 7, experimentId: 1, status: 'done', message: null });
    expect(useView().screen).toBe('editor');
  });

  it('that broke down says why', async () => {
    const runs = useRuns();
    await runs.start();
    runs.onEnded({ runId: 7, experimentId: 1, status: 'failed', message: 'The run process ended.' });
    await settle();
    expect(useNotices().all[0].text).toBe('The run process ended.');
  });
});

/** Runs under way: their progress as main tells it, starting and stopping. Ended runs are the explorer's and the results' business. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { BlklabError, type Problem } from '../../core/contract/errors.ts';
import type { RunProgress, RunStatus } from '../../core/contract/summary.ts';
import { rpc } from './client.ts';
import { useEditor } from './editor.ts';
import { useExplorer } from './explorer.ts';
import { useNotices } from './notices.ts';
import { useView } from './view.ts';

/** Points of the sparklines: at ten a second, the last half minute. */
const HISTORY_MAX = 300;

export interface LiveRun {
  readonly runId: number;
  readonly experimentId: number;
  /** Null until the first message: the run waits or is being built. */
  readonly progress: RunProgress | null;
  readonly history: readonly RunProgress[];
  readonly isStopping: boolean;
}

export interface EndedRun {
  readonly runId: number;
  readonly status: RunStatus;
  readonly message: string | null;
}

export const useRuns = defineStore('runs', () => {
  const live = shallowRef<ReadonlyMap<number, LiveRun>>(new Map());
  const lastEnded = shallowRef<EndedRun | null>(null);
  const isStarting = ref(false);
  const notices = useNotices();
  const editor = useEditor();
  const explorer = useExplorer();
  const view = useView();

  /** The run that is under way: the first that has told something, else the first that waits. */
  const active = computed(() => {
    const all = [...live.value.values()];
    return all.find(({ progress }) => progress !== null) ?? all[0] ?? null;
  });

  function put(run: LiveRun): void {
    live.value = new Map(live.value).set(run.runId, run);
  }

  function onProgress(progress: RunProgress): void {
    const { runId, experimentId } = progress;
    const before = live.value.get(runId);
    const history = [...(before?.history ?? []), progress].slice(-HISTORY_MAX);
    put({ runId, experimentId, progress, history, isStopping: before?.isStopping ?? false });
  }

  /** A run ended: whoever watched it sees its results next. */
  function onEnded(end: EndedRun & { readonly experimentId: number }): void {
    const others = new Map(live.value);
    others.delete(end.runId);
    live.value = others;
    lastEnded.value = end;
    if (end.message !== null) notices.add('error', end.message);
    const isWatched = view.screen === 'run' && explorer.experimentId === end.experimentId;
    if (!isWatched || (explorer.runId !== null && explorer.runId !== end.runId)) return;
    explorer.select(end.experimentId, end.runId);
    view.screen = 'results';
    view.resultsPart = 'overview';
  }

  /** Validates and starts the selected experiment; with errors nothing runs and the first bad field gets the focus. */
  async function start(): Promise<void> {
    const id = explorer.experimentId;
    if (id === null || isStarting.value) return;
    isStarting.value = true;
    try {
      await editor.flush();
      if (!(await editor.validate())) {
        showFirstError();
        return;
      }
      const { runId } = await rpc().call('run/start', { experimentId: id });
      if (lastEnded.value?.runId !== runId && !live.value.has(runId))
        put({ runId, experimentId: id, progress: null, history: [], isStopping: false });
      explorer.select(id, runId);
      view.screen = 'run';
      if (lastEnded.value?.runId === runId) onEnded({ ...lastEnded.value, experimentId: id });
    } catch (error) {
      if (error instanceof BlklabError && error.code === 'VALIDATION') {
        editor.problems = error.details as readonly Problem[];
        showFirstError();
      } else notices.fail(error);
    } finally {
      isStarting.value = false;
    }
  }

  function showFirstError(): void {
    view.screen = 'editor';
    if (editor.errors.length > 0) editor.focusProblem(editor.errors[0]);
  }

  /** Stops a run; what was stored is kept. */
  async function stop(runId?: number): Promise<void> {
    const run = runId === undefined ? active.value : live.value.get(runId);
    if (run === null || run === undefined) return;
    put({ ...run, isStopping: true });
    await notices.attempt(() => rpc().call('run/stop', { runId: run.runId }));
  }

  return { live, lastEnded, isStarting, active, onProgress, onEnded, start, stop };
});

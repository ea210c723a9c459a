/** Experiments of the project and their runs, and which of them is selected. Main says when to look again. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { ExperimentRow, RunRow } from '../../core/contract/api.ts';
import { t } from '../locales/words.ts';
import { rpc } from './client.ts';
import { useNotices } from './notices.ts';

export const useExplorer = defineStore('explorer', () => {
  // shallow: what main sends is data, and goes back to it as such (a reactive proxy could not cross)
  const experiments = shallowRef<readonly ExperimentRow[]>([]);
  const runs = shallowRef<ReadonlyMap<number, readonly RunRow[]>>(new Map());
  const experimentId = ref<number | null>(null);
  const runId = ref<number | null>(null);
  const isLoaded = ref(false);
  const notices = useNotices();
  let looks = 0;
  let creations = 0;

  const experiment = computed(() => experiments.value.find(({ id }) => id === experimentId.value) ?? null);
  const run = computed(() => runs.value.get(experimentId.value ?? -1)?.find(({ id }) => id === runId.value) ?? null);

  /**
   * Looks again; what is no longer there is no longer selected. Of several looks at once the latest counts. While an experiment is being created its
   * creator looks, so that the new one is never there without being selected (what is typed then would go to another).
   */
  async function load(): Promise<void> {
    const look = ++looks;
    if (creations > 0) return;
    const list = await rpc().call('experiment/list');
    const lists = await Promise.all(list.map(({ id }) => rpc().call('run/list', { experimentId: id })));
    if (look !== looks) return;
    experiments.value = list;
    runs.value = new Map(list.map(({ id }, i) => [id, lists[i]]));
    isLoaded.value = true;
    if (experiment.value === null) experimentId.value = list[0]?.id ?? null;
    if (run.value === null) runId.value = null;
  }

  function select(experiment: number, run: number | null = null): void {
    experimentId.value = experiment;
    runId.value = run;
  }

  /** The latest run of an experiment. */
  function latestRun(id: number): RunRow | undefined {
    return runs.value
      .get(id)
      ?.reduce<RunRow | undefined>((a, b) => (a !== undefined && a.id > b.id ? a : b), undefined);
  }

  /** A new experiment; the default one when no definition is given. It becomes the selected one. */
  async function create(name?: string, definition?: unknown): Promise<ExperimentRow | undefined> {
    return notices.attempt(async () => {
      const body = definition ?? (await rpc().call('definition/default')).definition;
      const free = freeName(name ?? t('experiment.new'));
      creations++;
      try {
        const row = await rpc().call('experiment/create', { name: free, definition: body });
        experiments.value = [...experiments.value, row];
        select(row.id);
        return row;
      } finally {
        creations--;
        await load();
      }
    });
  }

  async function rename(id: number, name: string): Promise<void> {
    await notices.attempt(() => rpc().call('experiment/rename', { id, name }));
  }

  async function remove(id: number): Promise<void> {
    await notices.attempt(() => rpc().call('experiment/remove', { id }));
  }

  async function removeRun(id: number): Promise<void> {
    await notices.attempt(() => rpc().call('run/remove', { runId: id }));
  }

  function freeName(name: string): string {
    const taken = new Set(experiments.value.map((row) => row.name));
    let candidate = name;
    for (let i = 2; taken.has(candidate); i++) candidate = `${name} ${i}`;
    return candidate;
  }

  return {
    experiments,
    runs,
    experimentId,
    runId,
    experiment,
    run,
    isLoaded,
    load,
    select,
    latestRun,
    create,
    rename,
    remove,
    removeRun,
  };
});

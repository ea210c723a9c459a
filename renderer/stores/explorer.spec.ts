import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ExperimentRow } from '../../core/contract/api.ts';
import { fakeMain, settle, type FakeMain } from '../testing/fake-main.ts';
import { useExplorer } from './explorer.ts';

const row = (id: number): ExperimentRow => ({
  id,
  name: `Experiment ${id}`,
  definition: { format: 1 },
  revision: 0,
  dirty: true,
  createdAt: '',
});

/** Answers that come when the spec lets them. */
function held<T>(): { readonly answers: ((value: T) => void)[]; readonly ask: () => Promise<T> } {
  const answers: ((value: T) => void)[] = [];
  return { answers, ask: () => new Promise<T>((resolve) => answers.push(resolve)) };
}

let main: FakeMain;
let rows: ExperimentRow[];

beforeEach(() => {
  setActivePinia(createPinia());
  rows = [row(1)];
  main = fakeMain({
    'definition/default': () => ({ definition: { format: 1 } }),
    'experiment/list': () => rows,
    'run/list': () => [],
  });
});

describe('the experiments of the project', () => {
  it('a new one is never there without being selected', async () => {
    const explorer = useExplorer();
    await explorer.load();
    const creation = held<ExperimentRow>();
    main.answers['experiment/create'] = creation.ask;
    const created = explorer.create();
    await settle();
    rows = [row(1), row(2)];
    await explorer.load(); // main tells of the change before it answers
    expect(explorer.experiments.map(({ id }) => id)).toEqual([1]);
    creation.answers[0](row(2));
    await settle();
    expect(explorer.experiments.map(({ id }) => id)).toEqual([1, 2]);
    expect(explorer.experimentId).toBe(2);
    await created;
  });

  it('of two looks at once the later counts, whichever is answered first', async () => {
    const explorer = useExplorer();
    const lists = held<ExperimentRow[]>();
    main.answers['experiment/list'] = lists.ask;
    const looks = [explorer.load(), explorer.load()];
    await settle();
    lists.answers[1]([row(1), row(2)]);
    lists.answers[0]([row(1)]);
    await Promise.all(looks);
    expect(explorer.experiments.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('a creation that fails leaves what is there, and looks again', async () => {
    const explorer = useExplorer();
    await explorer.load();
    main.answers['experiment/create'] = () => Promise.reject(new Error('disk full'));
    rows = [row(1), row(3)];
    expect(await explorer.create()).toBeUndefined();
    expect(explorer.experimentId).toBe(1);
    expect(explorer.experiments.map(({ id }) => id)).toEqual([1, 3]);
  });
});

import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyslotOccupancy, RunRow } from '../../core/contract/api.ts';
import { fakeMain, type FakeMain } from '../testing/fake-main.ts';
import { useKeyslots } from './keyslots.ts';
import { useResults } from './results.ts';

const END_NS = 20_000;

function answer(fromNs: number, toNs: number): KeyslotOccupancy {
  const one = Float64Array.of(1);
  const columns = { slot: one, startNs: one, endNs: one, keyId: one, spans: one, programs: one };
  return { fromNs, toNs, slots: 2, keys: one, ...columns, programmingNs: one, inUseNs: one, idleNs: one };
}

let main: FakeMain;
const asked = (): number => main.calls.filter(({ method }) => method === 'query/keyslots').length;

beforeEach(async () => {
  setActivePinia(createPinia());
  main = fakeMain({
    'run/summary': ({ runId }) => ({
      row: { id: runId, startedAt: 'then', status: 'done' } as RunRow,
      summary: null,
      definition: {},
      hasKeyslots: runId !== 3,
    }),
    'query/keyslots': ({ fromNs, toNs }) => answer(fromNs, toNs ?? END_NS),
  });
  useKeyslots();
  await useResults().show(1);
});

describe('keyslot occupancy', () => {
  it('is that of the whole run at first, and tells how long it is', async () => {
    const keyslots = useKeyslots();
    await keyslots.ask(800);
    expect(main.lastOf('query/keyslots')).toEqual({ runId: 1, fromNs: 0, toNs: null, columns: 800 });
    expect(keyslots.whole).toEqual({ fromNs: 0, toNs: END_NS });
  });

  it('is asked once for each part and width', async () => {
    const keyslots = useKeyslots();
    await keyslots.ask(800);
    await keyslots.ask(800);
    expect(asked()).toBe(1);
    keyslots.look({ fromNs: 100, toNs: 900 });
    await keyslots.ask(800);
    expect(asked()).toBe(2);
    expect(keyslots.whole.toNs, 'the run is as long as before').toBe(END_NS);
  });

  it('shows the answer for the part that is looked at last', async () => {
    const keyslots = useKeyslots();
    await keyslots.ask(800);
    keyslots.look({ fromNs: 100, toNs: 900 });
    const before = keyslots.ask(800);
    keyslots.look({ fromNs: 300, toNs: 500 });
    await Promise.all([before, keyslots.ask(800)]);
    expect(keyslots.occupancy?.fromNs).toBe(300);
    expect(keyslots.isLoading).toBe(false);
  });

  it('of all there is, is the whole run again', async () => {
    const keyslots = useKeyslots();
    await keyslots.ask(800);
    keyslots.look({ fromNs: 0, toNs: END_NS });
    expect(keyslots.part).toBeNull();
  });

  it('is forgotten with its run, and not asked of a run without', async () => {
    const keyslots = useKeyslots();
    await keyslots.ask(800);
    keyslots.look({ fromNs: 100, toNs: 900 });
    await useResults().show(3);
    expect(keyslots.occupancy).toBeNull();
    expect(keyslots.part).toBeNull();
    await keyslots.ask(800);
    expect(asked()).toBe(1);
  });
});

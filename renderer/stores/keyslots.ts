/**
 * Keyslot occupancy of the selected run: which part of it is looked at, and the answer for that part at the resolution of the screen. The picture before
 * stays until the new answer is here.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import type { KeyslotOccupancy, KeyslotQuery } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import type { TimeRange } from '../charts/time-range.ts';
import { rpc } from './client.ts';
import { useNotices } from './notices.ts';
import { useResults } from './results.ts';

export const useKeyslots = defineStore('keyslots', () => {
  const occupancy = shallowRef<KeyslotOccupancy | null>(null);
  /** The part that is looked at; null: the whole run. */
  const part = shallowRef<TimeRange | null>(null);
  const isLoading = ref(false);
  const results = useResults();
  const notices = useNotices();
  /** End of the whole run, once its first answer is here. */
  const endNs = ref(0);
  let asked: { readonly question: string; readonly control: AbortController } | undefined;

  const whole = computed<TimeRange>(() => ({ fromNs: 0, toNs: Math.max(1, endNs.value) }));
  const range = computed(() => part.value ?? whole.value);

  watch(
    () => results.details?.row,
    (row, before) => {
      if (row?.id === before?.id && row?.startedAt === before?.startedAt) return;
      asked?.control.abort();
      asked = undefined;
      isLoading.value = false;
      occupancy.value = null;
      part.value = null;
      endNs.value = 0;
    },
    { flush: 'sync' },
  );

  function look(at: TimeRange | null): void {
    const isWhole = at === null || (at.fromNs <= 0 && at.toNs >= whole.value.toNs);
    part.value = isWhole ? null : at;
  }

  /** Asks for the part that is looked at, in so many columns, unless that is what was asked last. */
  async function ask(columns: number): Promise<void> {
    const { details } = results;
    if (details?.hasKeyslots !== true) return;
    const query: KeyslotQuery = {
      runId: details.row.id,
      fromNs: part.value?.fromNs ?? 0,
      toNs: part.value?.toNs ?? null,
      columns,
    };
    const question = JSON.stringify([query, details.row.status, details.row.startedAt]);
    if (asked?.question === question) return;
    asked?.control.abort();
    const mine = (asked = { question, control: new AbortController() });
    isLoading.value = true;
    try {
      const answer = await rpc().call('query/keyslots', query, mine.control.signal);
      if (asked !== mine) return;
      occupancy.value = answer;
      if (query.toNs === null) endNs.value = answer.toNs;
    } catch (error) {
      if (asked === mine) asked = undefined;
      if (!(error instanceof BlklabError && error.code === 'CANCELLED')) notices.fail(error);
    } finally {
      if (asked === mine || asked === undefined) isLoading.value = false;
    }
  }

  return { occupancy, part, range, whole, isLoading, look, ask };
});

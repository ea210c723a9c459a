/** What went wrong or was done and belongs to no field: shown in a bar above the screens, never over data, until dismissed. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { BlklabError } from '../../core/contract/errors.ts';
import { t, wordsFor } from '../locales/words.ts';

export interface Notice {
  readonly id: number;
  readonly kind: 'error' | 'info';
  readonly text: string;
  /** What can be done next. */
  readonly next: string;
}

/** More would push the screens away; the oldest goes. */
const NOTICES_MAX = 3;

export const useNotices = defineStore('notices', () => {
  const all = shallowRef<readonly Notice[]>([]);
  let nextId = 1;

  function add(kind: Notice['kind'], text: string, next = ''): void {
    const others = all.value.filter((notice) => notice.text !== text);
    all.value = [...others, { id: nextId++, kind, text, next }].slice(-NOTICES_MAX);
  }

  /** Shows an error with what can be done next. */
  function fail(error: unknown): void {
    if (error instanceof BlklabError) add('error', error.message, wordsFor(`next.${error.code}`, ''));
    else add('error', error instanceof Error ? error.message : t('error.unknown'));
  }

  function dismiss(id: number): void {
    all.value = all.value.filter((notice) => notice.id !== id);
  }

  /** Runs an action and shows its failure. Returns what it returned, undefined when it failed. */
  async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  return { all, add, fail, dismiss, attempt };
});

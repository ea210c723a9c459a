/** Questions to the user, one at a time: a choice between named acts, or a path where the face has no native dialog. Answers come as promises. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly isPrimary?: boolean;
}

export type Question =
  | { readonly kind: 'choice'; readonly title: string; readonly text: string; readonly choices: readonly Choice[] }
  | {
      readonly kind: 'path';
      readonly title: string;
      readonly text: string;
      readonly label: string;
      readonly value: string;
      readonly act: string;
      readonly recent: readonly { readonly path: string; readonly exists: boolean }[];
    };

export const useDialogs = defineStore('dialogs', () => {
  const question = shallowRef<Question | null>(null);
  let settle: (answer: string | null) => void = () => undefined;

  function ask(next: Question): Promise<string | null> {
    settle(null);
    question.value = next;
    return new Promise((resolve) => {
      settle = resolve;
    });
  }

  /** Answers the open question: the id of a choice, a path, or null for Cancel. */
  function answer(value: string | null): void {
    question.value = null;
    const done = settle;
    settle = () => undefined;
    done(value);
  }

  return { question, ask, answer };
});

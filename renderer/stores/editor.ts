/**
 * The definition being edited. Every edit becomes a draft in the project within half a second (so a crash loses little); problems are asked for when a
 * field is left or Run is pressed, never at the first keystroke.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { DefinitionJson } from '../../core/contract/api.ts';
import type { Problem } from '../../core/contract/errors.ts';
import { t } from '../locales/words.ts';
import { rpc } from './client.ts';
import { useNotices } from './notices.ts';
import { valueAt, withValueAt } from './pointer.ts';

const DRAFT_DELAY_MS = 400;

export const useEditor = defineStore('editor', () => {
  const experimentId = ref<number | null>(null);
  const definition = shallowRef<DefinitionJson>({});
  const problems = shallowRef<readonly Problem[]>([]);
  /** What `problems` says is of the definition as it is now. */
  const isChecked = ref(false);
  /** Text of the JSON view while it differs from the definition. */
  const jsonText = ref<string | null>(null);
  const mode = ref<'form' | 'json'>('form');
  /** Where the view should put the focus: a problem that was clicked. A new object each time. */
  const goTo = shallowRef<{ readonly problem: Problem } | null>(null);
  const schema = shallowRef<unknown>(null);
  const notices = useNotices();
  let draftTimer: ReturnType<typeof setTimeout> | undefined;
  /** Ends when every draft that was sent has been answered. */
  let sending: Promise<unknown> = Promise.resolve();
  /** Drafts that were sent and not answered: what main says of the experiment meanwhile is older than what is shown. */
  let unanswered = 0;
  let lastKnown = '';
  let validation = 0;

  const errors = computed(() => problems.value.filter(({ severity }) => severity === 'error'));
  const shownJson = computed(() => jsonText.value ?? JSON.stringify(definition.value, null, 2));

  async function loadSchema(): Promise<void> {
    schema.value = (await rpc().call('definition/schema')).schema;
  }

  /** Shows an experiment's definition, at once: what is typed from now on is of this one. What is being typed here is not overwritten by its own echo. */
  async function show(id: number | null, next: DefinitionJson): Promise<void> {
    const text = JSON.stringify(next);
    if (id === experimentId.value && (draftTimer !== undefined || unanswered > 0 || text === lastKnown)) return;
    sendDraft();
    lastKnown = text;
    experimentId.value = id;
    definition.value = next;
    jsonText.value = null;
    isChecked.value = false;
    if (id === null) problems.value = [];
    else await validate();
  }

  function replace(next: DefinitionJson): void {
    definition.value = next;
    isChecked.value = false;
    clearTimeout(draftTimer);
    draftTimer = setTimeout(() => void flush(), DRAFT_DELAY_MS);
  }

  function set(pointer: string, value: unknown): void {
    jsonText.value = null;
    replace(withValueAt(definition.value, pointer, value));
  }

  function get(pointer: string): unknown {
    return valueAt(definition.value, pointer);
  }

  /** The JSON view was typed in. Text that is no JSON stays text until it is. */
  function setJson(text: string): void {
    jsonText.value = text;
    isChecked.value = false;
    const parsed = parseJson(text);
    if (parsed.ok) replace(parsed.value);
  }

  /** Sends a waiting draft now. Resolves when main has all drafts. */
  async function flush(): Promise<void> {
    sendDraft();
    await sending;
  }

  function sendDraft(): void {
    if (draftTimer === undefined || experimentId.value === null) return;
    clearTimeout(draftTimer);
    draftTimer = undefined;
    const id = experimentId.value;
    const draft = definition.value;
    lastKnown = JSON.stringify(draft);
    unanswered++;
    const answered = notices.attempt(() => rpc().call('experiment/draft', { id, definition: draft }));
    sending = Promise.all([sending, answered.finally(() => unanswered--)]);
  }

  /** Asks what is wrong. True when nothing stands against a run. */
  async function validate(): Promise<boolean> {
    const mine = ++validation;
    const syntax = jsonText.value === null ? undefined : parseJson(jsonText.value);
    if (syntax?.ok === false) {
      problems.value = [{ severity: 'error', path: '', code: 'json', message: t('json.broken', { why: syntax.why }) }];
      isChecked.value = true;
      return false;
    }
    const answer = await notices.attempt(() => rpc().call('definition/validate', { definition: definition.value }));
    if (answer === undefined) return false;
    if (mine === validation) {
      problems.value = answer.problems;
      isChecked.value = true;
    }
    return answer.problems.every(({ severity }) => severity !== 'error');
  }

  function focusProblem(problem: Problem): void {
    goTo.value = { problem };
  }

  /** Problems of one field and of everything below it. */
  function problemsAt(pointer: string): readonly Problem[] {
    return problems.value.filter(({ path }) => path === pointer || path.startsWith(`${pointer}/`));
  }

  return {
    experimentId,
    definition,
    problems,
    isChecked,
    errors,
    mode,
    goTo,
    schema,
    shownJson,
    loadSchema,
    show,
    set,
    get,
    setJson,
    flush,
    validate,
    focusProblem,
    problemsAt,
  };
});

function parseJson(text: string): { ok: true; value: unknown } | { ok: false; why: string } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

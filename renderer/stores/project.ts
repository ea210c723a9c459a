/** The open project: its name and state, and the acts on files. Nothing is called saved before main has answered. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { AppInfo, ProjectState } from '../../core/contract/api.ts';
import { t, tn } from '../locales/words.ts';
import { rpc } from './client.ts';
import { useDialogs } from './dialogs.ts';
import { useEditor } from './editor.ts';
import { useNotices } from './notices.ts';

export const useProject = defineStore('project', () => {
  const state = shallowRef<ProjectState | null>(null);
  const info = shallowRef<AppInfo | null>(null);
  const recent = shallowRef<readonly { path: string; exists: boolean }[]>([]);
  const dialogs = useDialogs();
  const notices = useNotices();

  async function load(): Promise<void> {
    info.value = await rpc().call('app/info');
    state.value = await rpc().call('project/state');
    recent.value = await rpc().call('project/recent');
    if (state.value.recoveredRuns > 0) notices.add('info', tn('project.recovered', state.value.recoveredRuns));
  }

  async function changedTo(next: ProjectState): Promise<void> {
    const isOther = next.path !== state.value?.path;
    state.value = next;
    if (isOther) recent.value = await rpc().call('project/recent');
  }

  const hasFile = (): boolean => typeof state.value?.path === 'string';

  /** What would be lost. */
  const lossText = (): string => t(hasFile() ? 'unsaved.text' : 'unsaved.textNew');

  /** Asks what to do about unsaved changes. False when the user cancels or saving failed. */
  async function settleUnsaved(): Promise<boolean> {
    await useEditor().flush();
    if (state.value?.dirty !== true) return true;
    const answer = await dialogs.ask({
      kind: 'choice',
      title: t('unsaved.title', { name: state.value.name }),
      text: lossText(),
      choices: [
        { id: 'save', label: t('act.save'), isPrimary: true },
        { id: 'discard', label: t('act.dontSave') },
        { id: 'cancel', label: t('act.cancel') },
      ],
    });
    if (answer === 'save') return save();
    return answer === 'discard';
  }

  async function create(): Promise<void> {
    await notices.attempt(async () => {
      if (await settleUnsaved()) await changedTo(await rpc().call('project/new'));
    });
  }

  async function open(path?: string): Promise<void> {
    await notices.attempt(async () => {
      if (!(await settleUnsaved())) return;
      const chosen = path ?? (await pick('open'));
      if (chosen !== null) await changedTo(await rpc().call('project/open', { path: chosen }));
    });
  }

  /** Saves; asks for a name when there is none yet. True when it is on disk. */
  async function save(): Promise<boolean> {
    await useEditor().flush();
    if (!hasFile()) return saveAs();
    const saved = await notices.attempt(() => rpc().call('project/save'));
    if (saved !== undefined) await changedTo(saved);
    return saved !== undefined;
  }

  async function saveAs(): Promise<boolean> {
    const saved = await notices.attempt(async () => {
      await useEditor().flush();
      const path = await pick('save');
      return path === null ? null : rpc().call('project/saveAs', { path });
    });
    if (saved === null || saved === undefined) return false;
    await changedTo(saved);
    return true;
  }

  /** A path by the native dialog, or by our own where the face has none. */
  async function pick(kind: 'open' | 'save' | 'directory'): Promise<string | null> {
    const suggested = `${state.value?.name ?? 'Untitled'}.blklab`;
    if (info.value?.face === 'electron') {
      if (kind === 'open') return (await rpc().call('project/pickOpen')).path;
      if (kind === 'save') return (await rpc().call('project/pickSave', { suggested })).path;
      return (await rpc().call('export/pickDirectory')).path;
    }
    const answer = await dialogs.ask({
      kind: 'path',
      title: t(`path.${kind}.title`),
      text: t(`path.${kind}.text`),
      label: t(`path.${kind}.label`),
      value: kind === 'save' ? (state.value?.path ?? '') : '',
      act: t(`path.${kind}.act`),
      recent: kind === 'open' ? recent.value : [],
    });
    return answer === null || answer.trim() === '' ? null : answer.trim();
  }

  /** The window wants to close: asks, and tells main the answer. */
  async function answerClose(isRunning: boolean): Promise<void> {
    await useEditor().flush();
    const isDirty = state.value?.dirty === true;
    const answer = await dialogs.ask({
      kind: 'choice',
      title: isRunning ? t('closing.running') : t('unsaved.title', { name: state.value?.name ?? '' }),
      text: isRunning ? t(isDirty ? 'closing.runningDirty' : 'closing.runningText') : lossText(),
      choices: isDirty
        ? [
            { id: 'save', label: t('act.save'), isPrimary: true },
            { id: 'discard', label: t('act.dontSave') },
            { id: 'cancel', label: t('act.cancel') },
          ]
        : [
            { id: 'discard', label: t('act.stopAndClose'), isPrimary: true },
            { id: 'cancel', label: t('act.keepRunning') },
          ],
    });
    const valid = answer === 'save' || answer === 'discard' ? answer : 'cancel';
    await notices.attempt(() => rpc().call('project/closeAnswer', { answer: valid }));
  }

  return { state, info, recent, load, changedTo, create, open, save, saveAs, pick, answerClose };
});

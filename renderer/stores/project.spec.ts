import { createPinia, setActivePinia } from 'pinia';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppInfo, ProjectState } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { fakeMain, type FakeMain } from '../testing/fake-main.ts';
import { useDialogs } from './dialogs.ts';
import { useNotices } from './notices.ts';
import { useProject } from './project.ts';

const INFO: AppInfo = { face: 'browser', version: '0', fileFormat: 1, node: '', sqlite: '', platform: '' };
const UNSAVED: ProjectState = { path: null, name: 'Untitled', dirty: true, readOnly: false, recoveredRuns: 0 };
const SAVED: ProjectState = { ...UNSAVED, path: '/p/a.blklab', name: 'a', dirty: false };

let main: FakeMain;

beforeEach(async () => {
  setActivePinia(createPinia());
  main = fakeMain({
    'app/info': () => INFO,
    'project/state': () => UNSAVED,
    'project/recent': () => [{ path: '/p/gone.blklab', exists: false }],
    'project/new': () => ({ ...UNSAVED, dirty: false }),
    'project/open': () => SAVED,
    'project/save': () => SAVED,
    'project/saveAs': () => SAVED,
    'project/closeAnswer': ({ answer }) => ({ closed: answer !== 'cancel' }),
  });
  await useProject().load();
});

/** Answers the next question. */
async function answer(value: string | null): Promise<void> {
  await vi.waitFor(() => expect(useDialogs().question).not.toBeNull());
  useDialogs().answer(value);
}

describe('saving', () => {
  it('a project without a file asks for a path where the face has no dialog', async () => {
    const saving = useProject().save();
    await answer('/p/a');
    expect(await saving).toBe(true);
    expect(main.lastOf('project/saveAs')).toEqual({ path: '/p/a' });
    expect(useProject().state?.dirty).toBe(false);
  });

  it('is not called saved when the user cancels or the disk is full', async () => {
    const cancelled = useProject().save();
    await answer(null);
    expect(await cancelled).toBe(false);
    main.answers['project/saveAs'] = () => {
      throw new BlklabError('DISK_FULL', 'The disk of /p is full.');
    };
    const failed = useProject().save();
    await answer('/p/a');
    expect(await failed).toBe(false);
    expect(useProject().state?.dirty).toBe(true);
    expect(useNotices().all[0].text).toContain('/p');
  });

  it('in the desktop takes the native dialog', async () => {
    main.answers['app/info'] = () => ({ ...INFO, face: 'electron' });
    main.answers['project/pickSave'] = () => ({ path: '/p/native.blklab' });
    await useProject().load();
    expect(await useProject().save()).toBe(true);
    expect(main.lastOf('project/saveAs')).toEqual({ path: '/p/native.blklab' });
  });
});

describe('going to another project', () => {
  it('asks about unsaved changes first; Cancel keeps everything', async () => {
    const opening = useProject().open('/p/b.blklab');
    await answer('cancel');
    await opening;
    expect(main.lastOf('project/open')).toBeUndefined();
  });

  it("goes on without saving with Don't Save", async () => {
    const creating = useProject().create();
    await answer('discard');
    await creating;
    expect(main.calls.map(({ method }) => method)).not.toContain('project/save');
    expect(main.calls.map(({ method }) => method)).toContain('project/new');
  });

  it('offers recent files where it asks itself, missing ones marked', async () => {
    main.answers['project/state'] = () => SAVED;
    await useProject().load();
    const opening = useProject().open();
    await vi.waitFor(() => expect(useDialogs().question).not.toBeNull());
    expect(useDialogs().question).toMatchObject({ kind: 'path', recent: [{ path: '/p/gone.blklab', exists: false }] });
    useDialogs().answer(null);
    await opening;
    expect(main.lastOf('project/open')).toBeUndefined();
  });
});

describe('closing', () => {
  it.each([
    ['save', 'save'],
    ['discard', 'discard'],
    ['cancel', 'cancel'],
    [null, 'cancel'],
  ])('answers %s with %s', async (given, told) => {
    const closing = useProject().answerClose(false);
    await answer(given);
    await closing;
    expect(main.lastOf('project/closeAnswer')).toEqual({ answer: told });
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Method, Params, Result } from '../../core/contract/api.ts';
import { defaultDefinition } from '../../core/experiment/validate.ts';
import { METHODS, parsePayload } from '../../main/ipc/payloads.ts';
import { createServices } from '../../main/services.ts';
import { SettingsFile } from '../../main/settings/settings-file.ts';
import { userFolder } from '../../main/settings/user-folder.ts';
import { Workbench } from '../../main/workbench.ts';
import { temporaryFolder } from './support/temporary.ts';

interface Desk {
  readonly workbench: Workbench;
  readonly folder: string;
  /** What the native dialogs will answer. */
  picks: { save: string | null };
  closedWindows: number;
  call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>>;
}

/** A workbench as the desktop face has it, with scripted dialogs. */
async function desk(folder = temporaryFolder(), project?: string): Promise<Desk> {
  const state = { picks: { save: null as string | null }, closedWindows: 0 };
  const workbench = await Workbench.start({
    userFolder: join(folder, 'user'),
    project,
    face: {
      kind: 'electron',
      pickOpen: () => Promise.resolve(null),
      pickSave: () => Promise.resolve(state.picks.save),
      pickDirectory: () => Promise.resolve(null),
      closeWindow: () => {
        state.closedWindows++;
        return true;
      },
    },
  });
  let isOpen = true;
  onTestFinished(async () => {
    if (isOpen) await workbench.close(false);
  });
  const close = workbench.close.bind(workbench);
  workbench.close = (isKept) => {
    isOpen = false;
    return close(isKept);
  };
  const services = createServices(workbench);
  const call = async <M extends Method>(method: M, params: Params<M>): Promise<Result<M>> =>
    services[method](parsePayload(method, params) as never, { onCancel: () => undefined });
  return Object.assign(state, { workbench, folder, call });
}

const create = (d: Desk, name = 'a') => d.call('experiment/create', { name, definition: defaultDefinition() });

describe('dirty', () => {
  test('is what differs from the file: a new empty project is clean, an edit is dirty, editing back is clean', async () => {
    const d = await desk();
    expect(await d.call('project/state', undefined)).toMatchObject({ path: null, name: 'Untitled', dirty: false });
    const { id, definition } = await create(d);
    expect(d.workbench.state.dirty).toBe(true);
    await d.call('project/saveAs', { path: join(d.folder, 'p.blklab') });
    expect(d.workbench.state).toMatchObject({ dirty: false, name: 'p' });
    await d.call('experiment/draft', { id, definition: { ...(definition as object), seed: 7 } });
    expect(d.workbench.state.dirty).toBe(true);
    await d.call('experiment/draft', { id, definition });
    expect(d.workbench.state.dirty).toBe(false);
  });

  test('an edit survives the death of the program, as a draft', async () => {
    const d = await desk();
    const path = join(d.folder, 'p.blklab');
    const { id, definition } = await create(d);
    await d.call('project/saveAs', { path });
    await d.call('experiment/draft', { id, definition: { ...(definition as object), seed: 7 } });
    await d.workbench.close(true);
    const again = await desk(d.folder, path);
    expect(again.workbench.state).toMatchObject({ dirty: true, path });
    const [row] = await again.call('experiment/list', undefined);
    expect(row).toMatchObject({ dirty: true, definition: { seed: 7 } });
  });

  test('renaming is an edit of the definition, which carries the name', async () => {
    const d = await desk();
    const { id } = await create(d);
    expect(await d.call('experiment/rename', { id, name: 'b' })).toMatchObject({
      name: 'b',
      definition: { name: 'b' },
    });
  });
});

describe('closing the window', () => {
  test('after "cancel" does not happen', async () => {
    const d = await desk();
    await create(d);
    expect(await d.call('project/closeAnswer', { answer: 'cancel' })).toEqual({ closed: false });
    expect(d.closedWindows).toBe(0);
  });

  test('after "save" of a project without a file asks for a name, and does not happen without one', async () => {
    const d = await desk();
    await create(d);
    expect(await d.call('project/closeAnswer', { answer: 'save' })).toEqual({ closed: false });
    d.picks.save = join(d.folder, 'named.blklab');
    expect(await d.call('project/closeAnswer', { answer: 'save' })).toEqual({ closed: true });
    expect([d.closedWindows, existsSync(d.picks.save)]).toEqual([1, true]);
  });

  test('after "discard" leaves the file as it was last saved', async () => {
    const d = await desk();
    const path = join(d.folder, 'p.blklab');
    const { id, definition } = await create(d);
    await d.call('project/saveAs', { path });
    await d.call('experiment/draft', { id, definition: { ...(definition as object), seed: 7 } });
    expect(await d.call('project/closeAnswer', { answer: 'discard' })).toEqual({ closed: true });
    await d.workbench.close(false);
    const again = await desk(d.folder, path);
    expect(again.workbench.state.dirty).toBe(false);
    expect(await again.call('experiment/list', undefined)).toMatchObject([{ definition: { seed: 1 } }]);
  });

  test('during a run stops it and keeps its rows', async () => {
    const d = await desk();
    const path = join(d.folder, 'p.blklab');
    const { id, definition } = await create(d);
    const fio = '[a]\nrw=randread\nioengine=libaio\ndirect=1\nsize=64m\nruntime=1000\ntime_based\n';
    await d.call('experiment/draft', { id, definition: { ...(definition as object), workload: { fio } } });
    await d.call('project/saveAs', { path });
    const { runId } = await d.call('run/start', { experimentId: id });
    expect(await d.call('project/closeAnswer', { answer: 'save' })).toEqual({ closed: true });
    const { row, summary } = await d.call('run/summary', { runId });
    expect(row.status).toBe('stopped');
    expect(summary?.run.status).toBe('stopped');
  });
});

describe('a project', () => {
  test('that cannot be opened leaves the present one as it is', async () => {
    const d = await desk();
    await create(d);
    const bad = join(d.folder, 'bad.blklab');
    writeFileSync(bad, 'x'.repeat(500));
    await expect(d.call('project/open', { path: bad })).rejects.toMatchObject({ code: 'PROJECT_NOT_OURS' });
    expect(await d.call('experiment/list', undefined)).toHaveLength(1);
  });

  test('whose store broke down can be opened again', async () => {
    const d = await desk();
    const path = join(d.folder, 'p.blklab');
    await create(d);
    await d.call('project/saveAs', { path });
    await d.workbench.project.store.writer.terminate();
    await expect(d.call('experiment/rename', { id: 1, name: 'b' })).rejects.toMatchObject({ code: 'STORE' });
    expect(await d.call('project/open', { path })).toMatchObject({ path });
    expect(await d.call('experiment/list', undefined)).toHaveLength(1);
  });

  test('in use elsewhere is locked, for opening and for saving over it', async () => {
    const d = await desk();
    const path = join(d.folder, 'p.blklab');
    await create(d);
    await d.call('project/saveAs', { path });
    const other = await desk();
    await expect(other.call('project/open', { path })).rejects.toMatchObject({ code: 'PROJECT_LOCKED' });
    await expect(other.call('project/saveAs', { path })).rejects.toMatchObject({ code: 'PROJECT_LOCKED' });
    expect(await d.call('experiment/list', undefined)).toHaveLength(1);
  });

  test('saved under another name leaves the first file as last saved, and both are whole', async () => {
    const d = await desk();
    const [one, two] = [join(d.folder, 'one.blklab'), join(d.folder, 'two.blklab')];
    const { id, definition } = await create(d);
    await d.call('project/saveAs', { path: one });
    await d.call('experiment/draft', { id, definition: { ...(definition as object), seed: 7 } });
    expect(await d.call('project/saveAs', { path: two })).toMatchObject({ path: two, dirty: false });
    expect(await d.call('experiment/list', undefined)).toMatchObject([{ definition: { seed: 7 } }]);
    await d.call('project/open', { path: one });
    expect(await d.call('experiment/list', undefined)).toMatchObject([{ definition: { seed: 1 }, dirty: false }]);
    expect((await d.call('project/recent', undefined)).map(({ path }) => path)).toEqual([one, two]);
    await d.workbench.close(false);
    expect(readdirSync(d.folder).filter((name) => name.includes('blklab'))).toEqual(['one.blklab', 'two.blklab']);
  });

  test('never saved is gone after it was discarded, and its place is empty', async () => {
    const d = await desk();
    await create(d);
    await d.call('project/closeAnswer', { answer: 'discard' });
    await d.workbench.close(false);
    expect(readdirSync(join(d.folder, 'user/recover'))).toEqual([]);
  });
});

describe('settings', () => {
  test('keep ten recent files, the latest first, each once', () => {
    const file = join(temporaryFolder(), 'deep/settings.json');
    const settings = new SettingsFile(file);
    for (let i = 0; i < 12; i++) settings.addRecent(`/p${i}`);
    settings.addRecent('/p5');
    const expected = ['/p5', '/p11', '/p10', '/p9', '/p8', '/p7', '/p6', '/p4', '/p3', '/p2'];
    expect(new SettingsFile(file).recent).toEqual(expected);
    expect(readdirSync(join(file, '..'))).toEqual(['settings.json']);
  });

  test('that are broken count as empty', () => {
    const folder = temporaryFolder();
    for (const text of ['', '{', '{"recent": 7}']) {
      writeFileSync(join(folder, 's.json'), text);
      expect(new SettingsFile(join(folder, 's.json')).recent).toEqual([]);
    }
  });

  test('lie where the platform puts them', () => {
    expect(userFolder({ XDG_CONFIG_HOME: '/x' }, 'linux')).toBe('/x/blklab');
    expect(userFolder({}, 'linux')).toMatch(/\/\.config\/blklab$/);
    expect(userFolder({}, 'darwin')).toMatch(/Application Support\/blklab$/);
    expect(userFolder({ APPDATA: '/roaming' }, 'win32')).toBe('/roaming/blklab');
  });
});

describe('payloads', () => {
  test('have a schema for every method of the contract', () => {
    const api = readFileSync(join(import.meta.dirname, '../../core/contract/api.ts'), 'utf8');
    const methods = [
      ...api.slice(api.indexOf('export type Api'), api.indexOf('export type Topics')).matchAll(/'(\w+\/\w+)':/g),
    ];
    expect([...METHODS].sort()).toEqual(methods.map((match) => match[1]).sort());
  });

  test('refuse unknown keys, wrong types and numbers out of range', () => {
    const bad: readonly [Method, unknown][] = [
      ['run/start', { experimentId: 1, extra: 1 }],
      ['run/start', { experimentId: 1.5 }],
      ['run/start', null],
      [
        'query/page',
        { runId: 1, table: 'io', where: '', sort: { column: 'a b', descending: true }, offset: 0, limit: 1 },
      ],
      ['query/page', { runId: 1, table: 'io', where: '', sort: null, offset: -1, limit: 1 }],
      ['query/histogram', { runId: 1, where: '', bins: 1e9 }],
      ['experiment/create', { name: ' ', definition: {} }],
      ['project/saveAs', { path: '../x' }],
      ['project/state', { a: 1 }],
    ];
    for (const [method, params] of bad)
      expect(() => parsePayload(method, params), method).toThrow(
        expect.objectContaining({ code: 'BAD_INPUT' }) as Error,
      );
  });
});

test('job files are looked for beside the project', async () => {
  const folder = temporaryFolder();
  const d = await desk(folder);
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub/job.fio'), '[a]\nrw=read\ndirect=1\nsize=1m\n');
  await create(d);
  await d.call('project/saveAs', { path: join(folder, 'sub/p.blklab') });
  const validate = (fioFile: string) =>
    d.call('definition/validate', { definition: { format: 1, device: { kind: 'ufs' }, workload: { fioFile } } });
  expect((await validate('job.fio')).problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect((await validate('none.fio')).problems).toMatchObject([{ path: '/workload/fioFile' }]);
});

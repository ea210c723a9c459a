import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Problem } from '../../core/contract/errors.ts';
import { fakeMain, settle, type FakeMain } from '../testing/fake-main.ts';
import { useEditor } from './editor.ts';

const DEFINITION = { format: 1, device: { kind: 'ufs', queueDepth: 32 }, workload: { fio: '[a]\n' } };
const PROBLEM: Problem = { severity: 'error', path: '/device/queueDepth', code: 'range', message: 'must be 1 to 256' };

let main: FakeMain;

beforeEach(() => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  main = fakeMain({
    'definition/validate': ({ definition }) => ({
      problems: JSON.stringify(definition).includes('-1') ? [PROBLEM] : [],
    }),
    'experiment/draft': ({ id, definition }) => ({
      id,
      name: 'a',
      definition,
      revision: 1,
      dirty: true,
      createdAt: '',
    }),
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const calls = (method: string): number => main.calls.filter((call) => call.method === method).length;

describe('the definition being edited', () => {
  it('becomes a draft within half a second, a burst of typing as one', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    for (const text of ['1', '16', '16k']) editor.set('/device/capacity', text);
    await vi.advanceTimersByTimeAsync(500);
    expect(calls('experiment/draft')).toBe(1);
    expect(main.lastOf('experiment/draft')).toMatchObject({ id: 1, definition: { device: { capacity: '16k' } } });
  });

  it('keeps what the form does not show', async () => {
    const editor = useEditor();
    const faults = [{ at: '40ms', fault: 'host-reset' }];
    await editor.show(1, { ...DEFINITION, faults });
    editor.set('/device/queueDepth', 16);
    await vi.advanceTimersByTimeAsync(500);
    expect(main.lastOf('experiment/draft')).toMatchObject({ definition: { device: { queueDepth: 16 }, faults } });
  });

  it('is not checked while it is typed, but when a field is left', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    const before = calls('definition/validate');
    editor.set('/device/queueDepth', -1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(calls('definition/validate')).toBe(before);
    expect(editor.isChecked).toBe(false);
    expect(await editor.validate()).toBe(false);
    expect(editor.problemsAt('/device/queueDepth')).toEqual([PROBLEM]);
    expect(editor.problemsAt('/device/capacity')).toEqual([]);
  });

  it('is not overwritten by the echo of its own draft', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    editor.set('/seed', 5);
    await editor.flush();
    editor.set('/seed', 55);
    await editor.show(1, { ...DEFINITION, seed: 5 });
    expect(editor.get('/seed')).toBe(55);
  });

  it('is not overwritten by what main knew before it had the draft', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    const answers: (() => void)[] = [];
    main.answers['experiment/draft'] = ({ id, definition }) =>
      new Promise((resolve) => {
        answers.push(() => resolve({ id, name: 'a', definition, revision: 1, dirty: true, createdAt: '' }));
      });
    editor.set('/seed', 7);
    const flushed = editor.flush();
    await editor.show(1, { ...DEFINITION, seed: 6 });
    expect(editor.get('/seed')).toBe(7);
    await settle();
    answers[0]();
    await flushed;
    await editor.show(1, { ...DEFINITION, seed: 8 });
    expect(editor.get('/seed')).toBe(8);
  });

  it('is with main when a flush ends, also a draft that was on its way already', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    const order: string[] = [];
    let answer = (): void => undefined;
    main.answers['experiment/draft'] = ({ id, definition }) =>
      new Promise((resolve) => {
        answer = () => resolve({ id, name: 'a', definition, revision: 1, dirty: true, createdAt: '' });
      });
    editor.set('/seed', 7);
    await vi.advanceTimersByTimeAsync(500);
    const flushed = editor.flush().then(() => order.push('flushed'));
    await settle();
    order.push('answered');
    answer();
    await flushed;
    expect(order).toEqual(['answered', 'flushed']);
  });

  it('is another one at once, while the draft of the one before is still on its way', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    main.answers['experiment/draft'] = () => new Promise(() => undefined);
    editor.set('/seed', 3);
    void editor.show(2, DEFINITION);
    editor.set('/seed', 4);
    await vi.advanceTimersByTimeAsync(500);
    const drafts = main.calls.filter(({ method }) => method === 'experiment/draft').map(({ params }) => params);
    expect(drafts).toMatchObject([
      { id: 1, definition: { seed: 3 } },
      { id: 2, definition: { seed: 4 } },
    ]);
  });

  it('is taken over when somebody else changed it', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    await editor.show(1, { ...DEFINITION, seed: 9 });
    expect(editor.get('/seed')).toBe(9);
  });

  it('sends what is waiting before another experiment is shown', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    editor.set('/seed', 3);
    await editor.show(2, DEFINITION);
    expect(main.lastOf('experiment/draft')).toMatchObject({ id: 1, definition: { seed: 3 } });
    expect(editor.experimentId).toBe(2);
  });

  it('as JSON that is none yet stays text, and is a problem only when checked', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    editor.setJson('{ "format": 1, ');
    expect(editor.problems).toEqual([]);
    expect(editor.get('/device/kind')).toBe('ufs');
    expect(await editor.validate()).toBe(false);
    expect(editor.problems[0].message).toContain('not JSON');
    editor.setJson('{ "format": 1, "seed": 4 }');
    expect(await editor.validate()).toBe(true);
    expect(editor.get('/seed')).toBe(4);
  });

  it('does not show the answer to an older question', async () => {
    const editor = useEditor();
    await editor.show(1, DEFINITION);
    editor.set('/device/queueDepth', -1);
    const old = editor.validate();
    editor.set('/device/queueDepth', 8);
    await editor.validate();
    await old;
    await settle();
    expect(editor.problems).toEqual([]);
  });
});

import { describe, expect, test } from 'vitest';
import { withSetting } from './set-path.ts';

const definition = { seed: 1, queue: { scheduler: 'none' }, stack: [{ target: 'crypt' }] };

describe('--set', () => {
  test.each([
    ['seed=7', { ...definition, seed: 7 }],
    ['/seed=7', { ...definition, seed: 7 }],
    ['queue.scheduler=mq-deadline', { ...definition, queue: { scheduler: 'mq-deadline' } }],
    ['queue.blocking=true', { ...definition, queue: { scheduler: 'none', blocking: true } }],
    ['run.until=5ms', { ...definition, run: { until: '5ms' } }],
    ['stack.0.target=verity', { ...definition, stack: [{ target: 'verity' }] }],
    ['/a~1b/c~0d=1', { ...definition, 'a/b': { 'c~d': 1 } }],
    ['device={"kind":"null"}', { ...definition, device: { kind: 'null' } }],
    ['name=a=b', { ...definition, name: 'a=b' }],
  ])('%s', (assignment, expected) => {
    const before = structuredClone(definition);
    expect(withSetting(definition, assignment)).toEqual(expected);
    expect(definition).toEqual(before);
  });

  test.each(['seed', '=1', 'seed.x=1', '__proto__.x=1', 'a..b=1'])('%s is refused', (assignment) => {
    expect(() => withSetting(definition, assignment)).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }) as Error);
    expect('x' in {}).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { valueAt, withValueAt } from './pointer.ts';

const root = { device: { kind: 'ufs', 'a/b': { '~': 1 } }, seed: 1 };

describe('JSON pointers', () => {
  it('read what is there, and undefined where nothing is', () => {
    expect(valueAt(root, '/device/kind')).toBe('ufs');
    expect(valueAt(root, '/device/a~1b/~0')).toBe(1);
    expect(valueAt(root, '/device/kind/deeper')).toBeUndefined();
    expect(valueAt(undefined, '/x')).toBeUndefined();
  });

  it('write into a copy and leave the original as it was', () => {
    const next = withValueAt(root, '/device/host/lanes', 2);
    expect(valueAt(next, '/device/host/lanes')).toBe(2);
    expect(valueAt(next, '/device/kind')).toBe('ufs');
    expect(valueAt(root, '/device/host')).toBeUndefined();
  });

  it('take a value away with undefined', () => {
    expect(withValueAt({ a: 1, b: 2 }, '/a', undefined)).toEqual({ b: 2 });
  });
});

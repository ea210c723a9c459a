/** Changes of a variant by JSON pointer (RFC 6901). */
import { describe, expect, it } from 'vitest';
import { applyVariant } from './variants.ts';

describe('a variant', () => {
  it('changes a copy, and leaves what it was made from as it is', () => {
    const base = { queue: { scheduler: 'none' }, run: { repeats: 1 } };
    expect(applyVariant(base, { '/queue/scheduler': 'kyber' })).toEqual({
      queue: { scheduler: 'kyber' },
      run: { repeats: 1 },
    });
    expect(base.queue.scheduler).toBe('none');
  });

  it('makes the objects on the way, and takes a member away with null', () => {
    expect(applyVariant({ a: 1 }, { '/device/crypto/keyslots': 4, '/a': null })).toEqual({
      device: { crypto: { keyslots: 4 } },
    });
  });

  it('reads ~1 as a slash and ~0 as a tilde', () => {
    expect(applyVariant({}, { '/a~1b/c~0d': true })).toEqual({ 'a/b': { 'c~d': true } });
  });

  it('refuses a pointer that leads through a value, and one that is none', () => {
    expect(() => applyVariant({ a: 1 }, { '/a/b': 2 })).toThrow('"/a/b" leads through a value');
    expect(() => applyVariant({}, { a: 2 })).toThrow('"a" is no JSON pointer');
  });
});

import { describe, expect, it } from 'vitest';
import { editDistance, suggestOption, suggestWord } from './suggest.ts';

describe('did you mean', () => {
  it.each([
    ['blocksiz', 'blocksize'],
    ['iodepht', 'iodepth'],
    ['BS', 'bs'],
    ['readwrit', 'readwrite'],
    ['run_time', 'runtime'],
    ['cmdprio_percent', 'cmdprio_percentage'],
  ])('%s suggests %s', (written, option) => {
    expect(suggestOption(written, 'libaio')).toBe(option);
  });

  it('offers engine options only for the job’s engine', () => {
    expect(suggestOption('sqthread_pol', 'io_uring')).toBe('sqthread_poll');
    expect(suggestOption('sqthread_pol', 'psync')).not.toBe('sqthread_poll');
  });

  it('says nothing when more than half of the letters differ', () => {
    expect(suggestOption('qwertyuiop', 'psync')).toBeUndefined();
    expect(suggestOption('x'.repeat(100_000), 'psync')).toBeUndefined();
    expect(suggestWord('xyz', ['read', 'write'])).toBeUndefined();
  });

  it('counts insertions, deletions and replacements', () => {
    expect([editDistance('', 'abc'), editDistance('abc', ''), editDistance('kitten', 'sitting')]).toEqual([3, 3, 3]);
  });
});

import { describe, expect, it } from 'vitest';
import { DEFAULT_KEYWORDS, evaluate, expandVariables, substitute } from './substitute.ts';

const replaced = (text: string, env = {}): unknown => substitute(text, env, DEFAULT_KEYWORDS);

describe('variables', () => {
  it('are replaced wherever they stand, an undefined one by nothing (2.5.1)', () => {
    expect(expandVariables('size=${N}m${UNSET}b', { N: '4' })).toBe('size=4mb');
  });

  it('need their closing brace', () => {
    expect(expandVariables('size=${N', { N: '4' })).toBe('size=${N');
  });

  it('are not replaced a second time in their own text', () => {
    expect(expandVariables('a=${X}', { X: '${Y}', Y: '1' })).toBe('a=${Y}');
  });
});

describe('keywords', () => {
  it('stand for figures of the emulated machine', () => {
    expect(replaced('bs=$pagesize')).toEqual({ text: 'bs=4096' });
    expect(replaced('numjobs=$ncpus')).toEqual({ text: 'numjobs=4' });
    expect(replaced('size=$mb_memory')).toEqual({ text: 'size=8192' });
  });

  it('make the value an expression (8*$pagesize is 32768, 2.5.1)', () => {
    expect(replaced('bs=8*$pagesize')).toEqual({ text: 'bs=32768' });
    expect(replaced('bs=($pagesize-1)/2')).toEqual({ text: 'bs=2047' });
  });

  it('leave values without a keyword alone', () => {
    expect(replaced('bs=4*1024')).toEqual({ text: 'bs=4*1024' });
  });

  it.each(['bs=$pagesize*', 'bs=$pagesize/0', 'size=$pagesize*4m', 'filename=/dev/x$ncpus'])(
    'cannot compute %s',
    (text) => {
      expect(replaced(text)).toHaveProperty('problem');
    },
  );
});

describe('arithmetic', () => {
  it.each<[string, bigint]>([
    ['2+3*4', 14n],
    ['(2+3)*4', 20n],
    ['2^3^2', 512n],
    ['7/2', 3n],
    ['7%4', 3n],
    ['10-4-3', 3n],
    ['-4+5', 1n],
  ])('%s is %s, as bc computes it', (text, value) => {
    expect(evaluate(text)).toBe(value);
  });

  it.each(['', '2+', '(2', '2)', '2 3', '4m', '9^9999', '2^-1', '1/0', '('.repeat(5000)])('%s has no value', (text) => {
    expect(evaluate(text)).toBeUndefined();
  });
});

/** The rules are those of blk-mq-and-formats 2.5.2; the corpus test compares the accepted ones with fio itself. */
import { describe, expect, it } from 'vitest';
import type { FioIssueCode } from './issues.ts';
import { readAmount, type Amount } from './numbers.ts';
import type { OptionSpec } from './options.ts';

const BYTES: OptionSpec = { name: 'bs', type: 'int64' };
const EXTENT: OptionSpec = { name: 'size', type: 'int64', extent: true };
const SECONDS: OptionSpec = { name: 'runtime', type: 'int64', unit: 's' };
const MICROSECONDS: OptionSpec = { name: 'thinktime', type: 'int64', unit: 'us' };

function read(
  text: string,
  spec: OptionSpec,
  kbBase: 1000 | 1024 = 1024,
): { amount: Amount | undefined; codes: FioIssueCode[] } {
  const codes: FioIssueCode[] = [];
  const complain = (code: FioIssueCode): void => {
    codes.push(code);
  };
  return { amount: readAmount(text, spec, { kbBase, error: complain, warning: complain }), codes };
}

const value = (text: string, spec: OptionSpec, kbBase: 1000 | 1024 = 1024): number | undefined =>
  read(text, spec, kbBase).amount?.value;

describe('bytes', () => {
  it.each([
    ['4096', 4096],
    ['512b', 512],
    ['4k', 4096],
    ['4K', 4096],
    ['4kb', 4096],
    ['4kB', 4096],
    ['4ki', 4096],
    ['2m', 2 ** 21],
    ['1g', 2 ** 30],
    ['1t', 2 ** 40],
    ['1p', 2 ** 50],
    ['+4k', 4096],
    ['0x10', 16],
    ['0X1F', 31],
    [' 8', 8],
  ])('%s is %i', (text, bytes) => {
    expect(value(text, BYTES)).toBe(bytes);
  });

  it('at kb_base=1024 the kib family means powers of 1000, on purpose', () => {
    expect([value('4KiB', BYTES), value('1mib', BYTES), value('1gib', BYTES)]).toEqual([4000, 1e6, 1e9]);
  });

  it('at kb_base=1000 units mean what they say', () => {
    expect([value('4k', BYTES, 1000), value('4kb', BYTES, 1000), value('4ki', BYTES, 1000)]).toEqual([
      4000, 4000, 4000,
    ]);
    expect([value('4kib', BYTES, 1000), value('1MiB', BYTES, 1000)]).toEqual([4096, 2 ** 20]);
  });
});

describe('times, in microseconds', () => {
  it.each([
    ['10', 10e6],
    ['10s', 10e6],
    ['5m', 300e6],
    ['2h', 7200e6],
    ['1d', 86_400e6],
    ['500ms', 500e3],
    ['500msec', 500e3],
    ['7us', 7],
    ['7USEC', 7],
  ])('runtime %s is %i µs', (text, us) => {
    expect(value(text, SECONDS)).toBe(us);
  });

  it('thinktime and latencies default to microseconds', () => {
    expect([value('10', MICROSECONDS), value('10ms', MICROSECONDS), value('0x10', MICROSECONDS)]).toEqual([
      10, 10e3, 16,
    ]);
  });
});

describe('shares of the device', () => {
  it('are percentages from 0 to 100, only where the option takes them', () => {
    expect(read('25%', EXTENT).amount).toEqual({ unit: 'percent', value: 25 });
    expect(read('101%', EXTENT).codes).toEqual(['range']);
    expect(read('-1%', EXTENT).codes).toEqual(['range']);
    expect(read('25%', BYTES).codes).toEqual(['misread']);
  });

  it('are zone counts with a small z', () => {
    expect(read('4z', EXTENT).amount).toEqual({ unit: 'zones', value: 4 });
    expect(read('4z', BYTES).codes).toEqual(['value']);
    expect(read('99999999999z', EXTENT).codes).toEqual(['range']);
  });
});

describe('what fio reads as something else is refused', () => {
  it.each(['1.5k', '4*1024', '4 k', ' 4k', '4kfoo', '4xyz', '0x10k', '4k8', '4/2', '1e3'])('bytes "%s"', (text) => {
    expect(read(text, BYTES)).toEqual({ amount: undefined, codes: ['misread'] });
  });

  it.each(['10sec', '1.5s', '10 s', '0x10', '5min', '10ns', ' 5m'])('seconds "%s"', (text) => {
    expect(read(text, SECONDS)).toEqual({ amount: undefined, codes: ['misread'] });
  });

  it.each(['', ' ', 'abc', 'k', '(4*1024)', '-', '.5', '%'])('no number "%s"', (text) => {
    expect(read(text, BYTES)).toEqual({ amount: undefined, codes: ['value'] });
  });
});

describe('limits', () => {
  it('cannot be negative unless the option says so', () => {
    expect(read('-5', BYTES).codes).toEqual(['range']);
    expect(value('-5', { name: 'nice', type: 'int32', min: -20, max: 19 })).toBe(-5);
    expect(read('-21', { name: 'nice', type: 'int32', min: -20, max: 19 }).codes).toEqual(['range']);
  });

  it('hold at 32 bits for int options, at 31 where fio compares them signed', () => {
    expect(value('4294967295', { name: 'fsync', type: 'int32' })).toBe(0xffff_ffff);
    expect(read('4294967296', { name: 'fsync', type: 'int32' }).codes).toEqual(['range']);
    expect(read('2147483648', { name: 'iodepth', type: 'int32', min: 1 }).codes).toEqual(['range']);
  });

  it('stay below 2^53, where numbers are exact', () => {
    expect(value('9007199254740991', BYTES)).toBe(Number.MAX_SAFE_INTEGER);
    expect(read('8p', BYTES).codes).toEqual(['range']);
    expect(read('9'.repeat(400), BYTES).codes).toEqual(['range']);
  });

  it('can be powers of two', () => {
    const spec: OptionSpec = { name: 'replay_align', type: 'int32', powerOfTwo: true };
    expect(value('4k', spec)).toBe(4096);
    expect(read('3', spec).codes).toEqual(['range']);
  });
});

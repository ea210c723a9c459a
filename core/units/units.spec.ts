import { describe, expect, it } from 'vitest';
import { formatBandwidth, formatBytes, formatCount, formatExact, formatNs, formatShare } from './format.ts';
import { parseBytes, parseTimeNs } from './parse.ts';

const bytes = (text: number | string): number | string => {
  const parsed = parseBytes(text);
  return parsed.ok ? parsed.value : parsed.message;
};
const time = (text: number | string): number | string => {
  const parsed = parseTimeNs(text);
  return parsed.ok ? parsed.value : parsed.message;
};

describe('sizes', () => {
  it.each(['4k', '4K', '4Ki', '4KiB', '4096', '0x1000', 4096, '4 KiB'])('%s is 4096 bytes', (text) => {
    expect(bytes(text)).toBe(4096);
  });
  it('tells decimal from binary units', () => {
    expect(bytes('64GiB')).toBe(68_719_476_736);
    expect(bytes('64GB')).toBe(64_000_000_000);
    expect(bytes('1.5k')).toBe(1536);
  });
  it.each(['', '4q', '-1', 'k', '1.3', '4 k k'])('refuses "%s" and says what is allowed', (text) => {
    expect(bytes(text)).toMatch(/"4KiB"/);
  });
  it('refuses negative and huge numbers', () => {
    expect(bytes(-1)).toMatch(/negative/);
    expect(bytes(2 ** 60)).toMatch(/2\^53/);
  });
});

describe('times', () => {
  it.each([
    ['12us', 12_000],
    ['2ms', 2_000_000],
    ['2000us', 2_000_000],
    ['1.1us', 1100],
    ['2s', 2e9],
    ['1min', 60e9],
    [250, 250],
    ['0', 0],
  ])('%s is %d ns', (text, ns) => {
    expect(time(text)).toBe(ns);
  });
  it('asks what is meant by "5m"', () => {
    expect(time('5m')).toMatch(/unclear/);
  });
  it.each(['100', '0.5ns', 'fast', '1 h 2'])('refuses "%s"', (text) => {
    expect(time(text)).toMatch(/"12us"|nanoseconds/);
  });
});

describe('formatting', () => {
  it('scales the unit and keeps four significant digits', () => {
    expect(formatNs(2_410_000)).toBe('2.410 ms');
    expect(formatNs(118_430)).toBe('118.4 us');
    expect(formatNs(999)).toBe('999 ns');
    expect(formatNs(0)).toBe('0');
    expect(formatNs(Number.NaN)).toBe('–');
    expect(formatBytes(4096)).toBe('4 KiB');
    expect(formatBandwidth(1024 ** 2 * 1.5)).toBe('1.500 MiB/s');
    expect(formatCount(198_234)).toBe('198.2 k');
    expect(formatShare(0.2214)).toBe('22.1 %');
    expect(formatExact(1234567)).toBe('1\u2009234\u2009567');
  });
});

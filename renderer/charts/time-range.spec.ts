import { describe, expect, it } from 'vitest';
import { between, MIN_WIDTH_NS, panned, ticksOf, zoomed } from './time-range.ts';

const whole = { fromNs: 0, toNs: 1_000_000 };

describe('a range of time', () => {
  it('zooms around the pointer, which stays on its instant', () => {
    expect(zoomed(whole, 0.5, 250_000, whole)).toEqual({ fromNs: 125_000, toNs: 625_000 });
  });
  it('never leaves the run, nor gets too narrow to be seen', () => {
    expect(zoomed({ fromNs: 0, toNs: 1000 }, 1e6, 500, whole)).toEqual(whole);
    expect(zoomed({ fromNs: 500, toNs: 700 }, 0.01, 600, whole)).toEqual({ fromNs: 550, toNs: 550 + MIN_WIDTH_NS });
    expect(panned({ fromNs: 900_000, toNs: 950_000 }, 5, whole)).toEqual({ fromNs: 950_000, toNs: 1_000_000 });
    expect(panned({ fromNs: 10, toNs: 1010 }, -1, whole)).toEqual({ fromNs: 0, toNs: 1000 });
  });
  it('is drawn in either direction', () => {
    expect(between(900, 200, whole)).toEqual({ fromNs: 200, toNs: 900 });
  });
  it('of a run shorter than the narrowest width is the run', () => {
    expect(zoomed({ fromNs: 0, toNs: 40 }, 0.5, 20, { fromNs: 0, toNs: 40 })).toEqual({ fromNs: 0, toNs: 40 });
  });
});

describe('ticks', () => {
  it('are round, in one unit', () => {
    expect(ticksOf(whole, 5).map(({ text }) => text)).toEqual(['0', '0.2 ms', '0.4 ms', '0.6 ms', '0.8 ms', '1.0 ms']);
  });
  it('tell neighbouring instants apart far into a run', () => {
    const texts = ticksOf({ fromNs: 812_001_200, toNs: 812_001_800 }, 6).map(({ text }) => text);
    expect(texts[0]).toBe('812.0012 ms');
    expect(new Set(texts).size).toBe(texts.length);
  });
});

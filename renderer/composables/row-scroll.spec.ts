import { describe, expect, it } from 'vitest';
import { contentPx, isMapped, lastTopRow, MAX_HEIGHT_PX, scrollTopFor, topRowAt, topRowToShow } from './row-scroll.ts';

const small = { total: 1000, rowPx: 24, viewPx: 480 };
const huge = { total: 10_000_000, rowPx: 24, viewPx: 480 };

describe('a table that fits under the height limit', () => {
  it('scrolls pixel by pixel', () => {
    expect(isMapped(small)).toBe(false);
    expect(contentPx(small)).toBe(24_000);
    expect(topRowAt(small, 240)).toBeCloseTo(10, 9);
    expect(scrollTopFor(small, 10)).toBeCloseTo(240, 9);
  });

  it('shows the last row at the lower edge when scrolled to the end', () => {
    expect(topRowAt(small, contentPx(small) - small.viewPx) + small.viewPx / small.rowPx).toBe(small.total);
  });

  it('with fewer rows than fit does not scroll', () => {
    const few = { total: 3, rowPx: 24, viewPx: 480 };
    expect(lastTopRow(few)).toBe(0);
    expect(topRowAt(few, 0)).toBe(0);
    expect(scrollTopFor(few, 2)).toBe(0);
  });
});

describe('a table beyond the height limit', () => {
  it('is as high as the browser allows, and its ends are still the first and the last row', () => {
    expect(isMapped(huge)).toBe(true);
    expect(contentPx(huge)).toBe(MAX_HEIGHT_PX);
    expect(topRowAt(huge, 0)).toBe(0);
    expect(topRowAt(huge, MAX_HEIGHT_PX - huge.viewPx) + 20).toBe(huge.total);
  });

  it.each([0, 1, 4_999_999.5, 9_999_980])('finds row %d again from its scroll position', (row) => {
    expect(topRowAt(huge, scrollTopFor(huge, row))).toBeCloseTo(row, 6);
  });

  it('does not scroll outside when asked for a row outside', () => {
    expect(scrollTopFor(huge, -5)).toBe(0);
    expect(scrollTopFor(huge, huge.total + 5)).toBe(MAX_HEIGHT_PX - huge.viewPx);
  });
});

describe('going to a row', () => {
  it('leaves a row that is seen where it is', () => {
    expect(topRowToShow(small, 100, 110)).toBe(100);
  });
  it('shows a row above at the upper edge, one below at the lower', () => {
    expect(topRowToShow(small, 100, 99)).toBe(99);
    expect(topRowToShow(small, 100, 120)).toBe(101);
    expect(topRowToShow(small, 0, 999)).toBe(980);
  });
});

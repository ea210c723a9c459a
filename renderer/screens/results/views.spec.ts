import { describe, expect, it } from 'vitest';
import { percentileCard } from './cards.ts';
import { cellExact, cellText, columnViews, stagesOfRow } from './columns.ts';

describe('cards', () => {
  it('show a percentile with its exact value', () => {
    expect(percentileCard({ percent: 99, ns: 2_410_000 }, 5000)).toMatchObject({ value: '2.410 ms', isMissing: false });
  });
  it('say "n too small" with the number that is needed', () => {
    const card = percentileCard({ percent: 99.9, ns: null }, 500);
    expect(card.value).toBe('n too small');
    expect(card.note).toContain('10\u2009000');
  });
});

describe('columns of the table', () => {
  it('begin with what identifies a row and end with its stages in the order of the path', () => {
    const present = ['io_id', 'job', 'total_ns', 'submit_ns', 'status', 'st_media_ns', 'st_submit_ns'];
    expect(columnViews('io', present).map(({ name }) => name)).toEqual([
      'io_id',
      'submit_ns',
      'job',
      'total_ns',
      'waterfall',
      'status',
      'st_submit_ns',
      'st_media_ns',
    ]);
  });

  it('show times scaled and to the nanosecond on hover, offsets in hexadecimal, NULL as a dash', () => {
    expect(cellText('total_ns', 46_625)).toBe('46.63 us');
    expect(cellExact('total_ns', 46_625)).toBe('46\u2009625 ns');
    expect(cellText('offset_bytes', 0x4a0118)).toBe('0x4A0118');
    expect(cellText('tag', null)).toBe('–');
    expect(cellText('total_ns', 0)).toBe('0');
  });

  it('give the stages a row was in, without those of no time', () => {
    expect(stagesOfRow(['io_id', 'st_media_ns', 'st_wait_tag_ns', 'st_submit_ns'], [1, 50, 0, 7])).toEqual([
      { stage: 'submit', ns: 7, isWaiting: false },
      { stage: 'media', ns: 50, isWaiting: false },
    ]);
  });
});

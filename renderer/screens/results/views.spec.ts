import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../core/contract/summary.ts';
import { keyslotCards, percentileCard } from './cards.ts';
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
  it('divide the time waited for keyslots by all that asked for one', () => {
    const keyslots = { slots: 4, programs: 25, hits: 75, evictions: 0, waits: 10, waitNs: 200_000 };
    const cards = keyslotCards({ keyslots, run: { simNs: 1_000_000 } } as RunSummary);
    expect(cards.map(({ value }) => value)).toEqual(['25', '75', '0', '10', '2 us']);
    expect(cards[0].note).toContain('25 k/s');
    expect(cards[1].note).toContain('75 %');
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
    expect(cellText('dun', 0x1_0000_0012)).toBe('0x100000012');
    expect(cellExact('dun', 12)).toBe('0x00000C');
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

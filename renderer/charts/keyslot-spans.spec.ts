import { describe, expect, it } from 'vitest';
import type { KeyslotOccupancy } from '../../core/contract/api.ts';
import { keyToken } from './keyslot-paint.ts';
import { cellsOf, firstRows, rowAt, stateOf } from './keyslot-spans.ts';

type Row = readonly [slot: number, startNs: number, endNs: number, keyId: number, programming: number, inUse: number];

/** Rows of an answer; what is neither programming nor in use is idle. */
function occupancy(rows: readonly Row[], keys: readonly number[]): KeyslotOccupancy {
  const column = (of: (row: Row) => number): Float64Array => Float64Array.from(rows, of);
  return {
    fromNs: 0,
    toNs: 10_000,
    slots: 4,
    keys: Float64Array.from(keys),
    slot: column(([slot]) => slot),
    startNs: column(([, start]) => start),
    endNs: column(([, , end]) => end),
    keyId: column(([, , , key]) => key),
    spans: column(([, , , key]) => (key < 0 ? 5 : 1)),
    programs: column(([, , , , programming]) => (programming > 0 ? 1 : 0)),
    programmingNs: column(([, , , , programming]) => programming),
    inUseNs: column(([, , , , , inUse]) => inUse),
    idleNs: column(([, start, end, , programming, inUse]) => end - start - programming - inUse),
  };
}

const data = occupancy(
  [
    [0, 0, 100, 7, 100, 0],
    [0, 100, 900, 7, 0, 800],
    [0, 900, 5000, 7, 0, 0],
    [2, 400, 1400, -1, 250, 500],
  ],
  [7, 9],
);
const first = firstRows(data, 4);

describe('spans of keyslots', () => {
  it('are found by slot and time, none in an empty slot', () => {
    expect(rowAt(data, first, 0, 50, 0)).toBe(0);
    expect(rowAt(data, first, 0, 4999, 0)).toBe(2);
    expect(rowAt(data, first, 1, 500, 0)).toBeUndefined();
    expect(rowAt(data, first, 2, 500, 0)).toBe(3);
    expect(rowAt(data, first, 3, 500, 0)).toBeUndefined();
    expect(rowAt(data, first, 9, 500, 0)).toBeUndefined();
  });

  it('are pointed at from a little beside them, on either side', () => {
    expect(rowAt(data, first, 2, 390, 0)).toBeUndefined();
    expect(rowAt(data, first, 2, 390, 20)).toBe(3);
    expect(rowAt(data, first, 2, 1415, 20)).toBe(3);
  });

  it('are programming, in use or idle; merged ones are several', () => {
    expect([0, 1, 2, 3].map((row) => stateOf(data, row))).toEqual(['programming', 'inUse', 'idle', 'several']);
  });

  it('are said in words: slot, key, state, from, to, duration', () => {
    expect(cellsOf(data, 1)).toEqual(['0', '7', 'in use', '100 ns', '900 ns', '800 ns']);
    expect(cellsOf(data, 3)[1]).toBe('several');
    expect(cellsOf(data, 3)[2]).toBe('5 spans, 1 programs: programming 25 %, in use 50 %, idle 25 %');
  });

  it('have a colour for each of up to eight keys, and numbers alone beyond', () => {
    expect(keyToken(data.keys, 9)).toBe('key-2');
    expect(keyToken(data.keys, -1)).toBe('key-many');
    expect(
      keyToken(
        Float64Array.from({ length: 9 }, (_v, i) => i),
        2,
      ),
    ).toBe('key-many');
  });
});

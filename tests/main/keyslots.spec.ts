/** Keyslot occupancy at the resolution of the screen, from a few spans and from very many. */
import type Database from 'better-sqlite3';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TABLES } from '../../core/trace/schema.ts';
import { Keyslots, KEYS_TOLD } from '../../main/store/keyslots.ts';
import { openReader } from '../../main/store/open.ts';
import { StoreWriter } from '../../main/store/writer.ts';
import { beginRun, endRun, writeRows } from './support/rows.ts';
import { temporaryFolder } from './support/temporary.ts';

type Span = readonly [slot: number, key: number, state: number, startNs: number, endNs: number];

const STATES = ['programming', 'in_use', 'idle'];
const [PROGRAMMING, IN_USE, IDLE] = [0, 1, 2];

/** A run with these spans, in a project with a run before it and one after it. Its id is 2. */
function projectWith(spans: readonly Span[]): { keyslots: Keyslots; writer: StoreWriter; database: Database.Database } {
  const path = join(temporaryFolder(), 'spans.blklab');
  const writer = new StoreWriter();
  writer.create(path);
  const others: readonly Span[] = [[7, 99, IN_USE, 0, 1_000_000]];
  for (const rows of [others, spans, others]) {
    const runId = beginRun(writer);
    const names = TABLES.keyslot_span.map(({ name }) => name);
    const step = 4096;
    for (let from = 0; from < rows.length; from += step) {
      const part = rows.slice(from, from + step);
      const columns = names.map((_name, c) => Float64Array.from(part, (row) => row[c]));
      writer.writeRows({ table: 'keyslot_span', rows: part.length, names, columns, texts: STATES });
    }
    writer.finishRows();
    endRun(writer, runId);
  }
  const database = openReader(path);
  onTestFinished(() => {
    database.close();
    writer.close();
  });
  return { keyslots: new Keyslots(database), writer, database };
}

const SPANS: readonly Span[] = [
  [0, 3, PROGRAMMING, 0, 100],
  [0, 3, IN_USE, 100, 5000],
  [2, 4, PROGRAMMING, 40, 140],
  [2, 4, IN_USE, 140, 400],
  [2, 4, IDLE, 400, 9000],
  [0, 5, PROGRAMMING, 5000, 5100],
  [0, 5, IN_USE, 5100, 10_000],
];

const whole = { runId: 2, fromNs: 0, toNs: null, columns: 1000 };

describe('keyslot occupancy', () => {
  test('is told span by span, by slot and time, of one run only', () => {
    const { keyslots } = projectWith(SPANS);
    const told = keyslots.occupancy(whole);
    expect([...told.slot]).toEqual([0, 0, 0, 0, 2, 2, 2]);
    expect([...told.startNs]).toEqual([0, 100, 5000, 5100, 40, 140, 400]);
    expect([...told.endNs]).toEqual([100, 5000, 5100, 10_000, 140, 400, 9000]);
    expect([...told.keyId]).toEqual([3, 3, 5, 5, 4, 4, 4]);
    expect([...told.programs]).toEqual([1, 0, 1, 0, 1, 0, 0]);
    expect([...told.idleNs]).toEqual([0, 0, 0, 0, 0, 0, 8600]);
    expect(told).toMatchObject({ fromNs: 0, toNs: 10_000, slots: 3, keys: Float64Array.of(3, 4, 5) });
  });

  test('of a part holds the spans that touch it, with their own beginnings and ends', () => {
    const told = projectWith(SPANS).keyslots.occupancy({ ...whole, fromNs: 4000, toNs: 5050 });
    expect([...told.startNs]).toEqual([100, 5000, 400]);
    expect([...told.endNs]).toEqual([5000, 5100, 9000]);
  });

  test('merges spans shorter than a column, and adds up their times by state', () => {
    const told = projectWith(SPANS).keyslots.occupancy({ ...whole, columns: 2 });
    expect([...told.slot]).toEqual([0, 0, 2, 2]);
    expect([...told.spans]).toEqual([2, 2, 2, 1]);
    expect([...told.programmingNs]).toEqual([100, 100, 100, 0]);
    expect([...told.inUseNs]).toEqual([4900, 4900, 260, 0]);
    expect([...told.keyId]).toEqual([3, 5, 4, 4]);
  });

  test('says of merged spans of several keys that there is no one key', () => {
    const told = projectWith(SPANS).keyslots.occupancy({ ...whole, columns: 1 });
    expect([...told.keyId]).toEqual([-1, 4]);
    expect([...told.programs]).toEqual([2, 1]);
  });

  test('of a run without spans is empty', () => {
    const { keyslots, writer } = projectWith([]);
    const told = keyslots.occupancy(whole);
    expect(told).toMatchObject({ slots: 0, slot: new Float64Array(), keys: new Float64Array() });
    expect([1, 2, 3].map((id) => writer.run(id).hasKeyslots)).toEqual([true, false, true]);
  });

  test('of very many spans has at most two rows per slot and column, and loses no time', () => {
    const slots = 4;
    const steps = 20_000;
    const spans = Array.from({ length: steps * slots * 2 }, (_v, i): Span => {
      const slot = i % slots;
      const at = Math.floor(i / slots);
      const startNs = Math.floor(at / 2) * 1000 + (at % 2) * 150;
      return [slot, i % 64, at % 2, startNs, startNs + (at % 2 === 0 ? 150 : 850)];
    });
    const told = projectWith(spans).keyslots.occupancy({ ...whole, columns: 400 });
    expect(told.slot.length).toBeLessThanOrEqual(2 * slots * 400);
    const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
    expect([sum(told.programmingNs), sum(told.inUseNs), sum(told.spans)]).toEqual([
      steps * slots * 150,
      steps * slots * 850,
      spans.length,
    ]);
    expect(told.keys.length).toBe(KEYS_TOLD);
  });

  test('of a run in progress grows with it', () => {
    const { keyslots, writer } = projectWith(SPANS);
    expect(keyslots.occupancy({ ...whole, runId: 4 }).slots).toBe(0);
    const runId = beginRun(writer);
    writeRows(writer, 10);
    const names = TABLES.keyslot_span.map(({ name }) => name);
    for (const [slot, endNs] of [
      [1, 500],
      [5, 900],
    ]) {
      const columns = [slot, 1, IN_USE, 0, endNs].map((value) => Float64Array.of(value));
      writer.beginRows(runId);
      writer.writeRows({ table: 'keyslot_span', rows: 1, names, columns, texts: STATES });
      writer.finishRows();
      expect(keyslots.occupancy({ ...whole, runId })).toMatchObject({ slots: slot + 1, toNs: endNs });
    }
  });
});

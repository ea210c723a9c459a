/**
 * What the keyslots of a run held over time, at the resolution of the screen: spans shorter than a column are merged by SQLite, so that an answer has at
 * most about two rows per slot and column, however often keys were programmed.
 */
import type Database from 'better-sqlite3';
import type { KeyslotOccupancy, KeyslotQuery } from '../../core/contract/api.ts';
import { rangeCondition, rowRange } from './row-ranges.ts';
import { queryWith } from './sql-files.ts';

/** More slots are not told of. @source UFSHCI 4.0, CCAP.CFGC: a UFS host has 256 at most */
export const SLOTS_TOLD = 256;

/** One more than there are colours for keys: enough to know that there are too many. */
export const KEYS_TOLD = 9;

interface Facts {
  readonly slots: number | null;
  readonly end_ns: number | null;
}

interface RunFacts {
  /** The rows they are true of: a run in progress grows. */
  readonly range: string;
  readonly slots: number;
  readonly endNs: number;
  readonly keys: Float64Array;
}

interface OccupancyRow {
  readonly slot: number;
  readonly start_ns: number;
  readonly end_ns: number;
  readonly key_id: number;
  readonly spans: number;
  readonly programs: number;
  readonly programming_ns: number;
  readonly in_use_ns: number;
  readonly idle_ns: number;
}

export class Keyslots {
  private readonly database: Database.Database;
  private latest: RunFacts | undefined;

  constructor(database: Database.Database) {
    this.database = database;
  }

  /** The spans that touch a part of a run. */
  occupancy({ runId, fromNs, toNs, columns }: KeyslotQuery): KeyslotOccupancy {
    const range = rangeCondition(rowRange(this.database, runId, 'keyslot_span'));
    const { slots, endNs, keys } = this.factsOf(range);
    const untilNs = Math.max(fromNs + 1, toNs ?? endNs);
    const stepNs = Math.max(1, (untilNs - fromNs) / columns);
    const places = { range, fromNs, toNs: untilNs, slots: SLOTS_TOLD, stepNs };
    const rows = this.database.prepare(queryWith('keyslot_occupancy', places)).all() as OccupancyRow[];
    const column = (name: keyof OccupancyRow): Float64Array => Float64Array.from(rows, (row) => row[name]);
    return {
      fromNs,
      toNs: untilNs,
      slots,
      keys,
      slot: column('slot'),
      startNs: column('start_ns'),
      endNs: column('end_ns'),
      keyId: column('key_id'),
      spans: column('spans'),
      programs: column('programs'),
      programmingNs: column('programming_ns'),
      inUseNs: column('in_use_ns'),
      idleNs: column('idle_ns'),
    };
  }

  /** What holds for the whole run, counted once: somebody who zooms asks again and again. */
  private factsOf(range: string): RunFacts {
    if (this.latest?.range === range) return this.latest;
    const { slots, end_ns } = this.database.prepare(queryWith('keyslot_facts', { range })).get() as Facts;
    const keys = this.database
      .prepare(queryWith('keyslot_keys', { range, limit: KEYS_TOLD }))
      .pluck()
      .all() as number[];
    this.latest = { range, slots: slots ?? 0, endNs: end_ns ?? 0, keys: Float64Array.from(keys).sort() };
    return this.latest;
  }
}

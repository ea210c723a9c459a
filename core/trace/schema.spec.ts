import { describe, expect, it } from 'vitest';
import { liveColumns, TABLES, type TraceTable } from './schema.ts';
import { STAGE_IDS } from './stages.ts';

/** Design, section 7: users query these names with the sqlite3 shell. */
const DESIGNED: Record<TraceTable, string> = {
  io: 'io_id job op offset_bytes size_bytes cpu key_id status submit_ns complete_ns total_ns requests',
  request:
    'request_id io_id op sector size_bytes cpu hctx tag keyslot key_id dun data_unit_size bios attempts status queued_ns got_ns inserted_ns issued_ns device_ns completed_ns total_ns',
  keyslot_span: 'slot key_id state start_ns end_ns',
  gauge: 'name at_ns value',
  span: 'who stage start_ns end_ns cpu io_id',
  event: 'at_ns room kind id1 id2',
  register_log: 'at_ns block offset name old new fields',
};

describe('the trace tables', () => {
  it('have the columns of the design, in its order, the stages behind them', () => {
    for (const [table, names] of Object.entries(DESIGNED)) {
      const columns = TABLES[table as TraceTable];
      expect(
        columns.filter((c) => c.stage === undefined).map((c) => c.name),
        table,
      ).toEqual(names.split(' '));
    }
    for (const table of ['io', 'request'] as const) {
      expect(TABLES[table].flatMap((c) => c.stage ?? [])).toEqual([...STAGE_IDS]);
    }
  });

  it('leave out the stages that a run cannot have, and nothing else', () => {
    const live = liveColumns('io', ['media', 'submit']);
    expect(live.flatMap((c) => c.stage ?? [])).toEqual(['submit', 'media']);
    expect(live.filter((c) => c.stage === undefined)).toHaveLength(DESIGNED.io.split(' ').length);
    expect(liveColumns('gauge', [])).toEqual(TABLES.gauge);
  });
});

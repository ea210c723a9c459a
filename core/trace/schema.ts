/**
 * The tables of a trace as data: which columns a row has, in which order, and of which type. The recorder fills batches in this shape, the store creates
 * tables and inserts from it, CSV exports write it. Names are a contract (design, section 7): users query them with the sqlite3 shell.
 */
import { STAGE_IDS, stageColumn, type StageId } from './stages.ts';

export type TraceTable = 'io' | 'request' | 'keyslot_span' | 'gauge' | 'span' | 'event' | 'register_log';

/** `int`: integer (a safe JS number), NaN stands for NULL. `text`: an index into the batch's `texts`, -1 stands for NULL. */
export type ColumnType = 'int' | 'text';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Set on `st_…_ns` columns. */
  readonly stage?: StageId;
}

const int = (name: string): Column => ({ name, type: 'int' });
const text = (name: string): Column => ({ name, type: 'text' });
const stageColumns: readonly Column[] = STAGE_IDS.map((stage) => ({ name: stageColumn(stage), type: 'int', stage }));

/** Columns of every table, `run_id` aside (the store adds it first). */
export const TABLES: Readonly<Record<TraceTable, readonly Column[]>> = {
  io: [
    int('io_id'),
    text('job'),
    text('op'),
    int('offset_bytes'),
    int('size_bytes'),
    int('cpu'),
    int('key_id'),
    text('status'),
    int('submit_ns'),
    int('complete_ns'),
    int('total_ns'),
    int('requests'),
    ...stageColumns,
  ],
  request: [
    int('request_id'),
    int('io_id'),
    text('op'),
    int('sector'),
    int('size_bytes'),
    int('cpu'),
    int('hctx'),
    int('tag'),
    int('keyslot'),
    int('key_id'),
    int('dun'),
    int('data_unit_size'),
    int('bios'),
    int('attempts'),
    text('status'),
    int('queued_ns'),
    int('got_ns'),
    int('inserted_ns'),
    int('issued_ns'),
    int('device_ns'),
    int('completed_ns'),
    int('total_ns'),
    ...stageColumns,
  ],
  keyslot_span: [int('slot'), int('key_id'), text('state'), int('start_ns'), int('end_ns')],
  gauge: [text('name'), int('at_ns'), int('value')],
  span: [text('who'), text('stage'), int('start_ns'), int('end_ns'), int('cpu'), int('io_id')],
  event: [int('at_ns'), text('room'), text('kind'), int('id1'), int('id2')],
  register_log: [int('at_ns'), text('block'), int('offset'), text('name'), int('old'), int('new'), text('fields')],
};

/** The columns a given run can fill: stage columns outside `stages` are left out (and stay NULL in the database). */
export function liveColumns(table: TraceTable, stages: readonly StageId[]): readonly Column[] {
  const can = new Set<StageId>(stages);
  return TABLES[table].filter((c) => c.stage === undefined || can.has(c.stage));
}

/** Rows per batch handed to the store. */
export const BATCH_ROWS = 4096;

/**
 * A batch of rows of one table, column by column. `columns[i]` belongs to `names[i]`; its buffer is transferred, never copied. Text columns hold indexes
 * into `texts`, which carries every text of the run so far that this batch needs.
 */
export interface TraceBatch {
  readonly table: TraceTable;
  readonly rows: number;
  readonly names: readonly string[];
  readonly columns: readonly Float64Array<ArrayBuffer>[];
  readonly texts: readonly string[];
}

/** Where the recorder hands full batches to. The columns are the receiver's afterwards. */
export type BatchSink = (batch: TraceBatch) => void;

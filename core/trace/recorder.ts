/**
 * The recorder: rows of the trace tables, gathered column by column into batches that are handed over whole.
 *
 * The hot path is `const row = writer.next()` and then one typed-array store per column: in this order, because `next()` may put a new batch into
 * `columns`. A column that a caller leaves out stays NULL.
 * Texts are interned per table: a text column holds the index of its text, and every batch carries the texts known so far.
 * Batches are handed over in the order in which they fill; buffers are never touched again afterwards (the receiver may transfer them).
 */
import type { DetailLog, GaugeLog } from './log.ts';
import { BATCH_ROWS, type BatchSink, type Column, TABLES, type TraceTable } from './schema.ts';

export class TableWriter {
  readonly table: TraceTable;
  /** Column names, aligned with `columns`. */
  readonly names: readonly string[];
  /** The current batch. The array stays the same, its elements change with every batch: do not keep them across `next()`. */
  readonly columns: Float64Array<ArrayBuffer>[] = [];
  /** Rows written so far, in all batches. */
  rowsWritten = 0;

  private readonly live: readonly Column[];
  private readonly sink: BatchSink;
  private readonly batchRows: number;
  private readonly texts: string[] = [];
  private readonly textIndex = new Map<string, number>();
  private rows = 0;

  /** `liveColumns` as `schema.liveColumns` gives them; `batchRows` rows are handed to `sink` at a time. */
  constructor(table: TraceTable, liveColumns: readonly Column[], sink: BatchSink, batchRows = BATCH_ROWS) {
    this.table = table;
    this.live = liveColumns;
    this.names = liveColumns.map((c) => c.name);
    this.sink = sink;
    this.batchRows = batchRows;
    this.freshColumns();
  }

  /** Begins a row and returns its index in the current batch. Hands over the batch before it when that is full. */
  next(): number {
    if (this.rows === this.batchRows) this.handOver();
    this.rowsWritten++;
    return this.rows++;
  }

  /** Index into `columns`; -1 for a column of the table that this run leaves out. Throws on a name the table does not have. */
  index(name: string): number {
    const at = this.names.indexOf(name);
    if (at < 0 && !TABLES[this.table].some((c) => c.name === name)) {
      throw new Error(`recorder: table ${this.table} has no column ${name}`);
    }
    return at;
  }

  /** The number that stands for `text` in this table's text columns. */
  text(text: string): number {
    const known = this.textIndex.get(text);
    if (known !== undefined) return known;
    const index = this.texts.length;
    this.texts.push(text);
    this.textIndex.set(text, index);
    return index;
  }

  /** Hands over what there is; no effect when there is nothing. At the end of a run, or to show rows early. */
  flush(): void {
    if (this.rows > 0) this.handOver();
  }

  private handOver(): void {
    const rows = this.rows;
    const columns = rows === this.batchRows ? [...this.columns] : this.columns.map((c) => c.slice(0, rows));
    this.rows = 0;
    this.freshColumns();
    this.sink({ table: this.table, rows, names: this.names, columns, texts: [...this.texts] });
  }

  private freshColumns(): void {
    this.live.forEach((column, i) => {
      this.columns[i] = new Float64Array(this.batchRows).fill(column.type === 'text' ? -1 : NaN);
    });
  }
}

/** What the log reads the time from: the engine. */
export interface Clock {
  readonly now: number;
}

/** The log of detail `full` and the gauges, recorded. A gauge writes a row when its value changes. */
export class TraceLog implements DetailLog, GaugeLog {
  readonly on = true;

  private readonly clock: Clock;
  private readonly events: TableWriter;
  private readonly registers: TableWriter;
  private readonly spans: TableWriter;
  private readonly gauges: TableWriter;
  private readonly gaugeText: number[] = [];
  private readonly gaugeValue: number[] = [];

  constructor(clock: Clock, sink: BatchSink) {
    this.clock = clock;
    this.events = new TableWriter('event', TABLES.event, sink);
    this.registers = new TableWriter('register_log', TABLES.register_log, sink);
    this.spans = new TableWriter('span', TABLES.span, sink);
    this.gauges = new TableWriter('gauge', TABLES.gauge, sink);
  }

  event(room: string, kind: string, id1: number, id2: number, whenNs = this.clock.now): void {
    const w = this.events;
    const row = w.next();
    const [atNs, roomText, kindText, first, second] = w.columns;
    atNs[row] = whenNs;
    roomText[row] = w.text(room);
    kindText[row] = w.text(kind);
    first[row] = id1;
    second[row] = id2;
  }

  register(block: string, offset: number, name: string, before: number, after: number, fields: string): void {
    const w = this.registers;
    const row = w.next();
    const [atNs, blockText, offsets, nameText, old, fresh, fieldsText] = w.columns;
    atNs[row] = this.clock.now;
    blockText[row] = w.text(block);
    offsets[row] = offset;
    nameText[row] = w.text(name);
    old[row] = before;
    fresh[row] = after;
    if (fields !== '') fieldsText[row] = w.text(fields);
  }

  span(who: string, stage: string, startNs: number, endNs: number, cpu: number, ioId: number): void {
    const w = this.spans;
    const row = w.next();
    const [whoText, stageText, start, end, cpus, ios] = w.columns;
    whoText[row] = w.text(who);
    stageText[row] = w.text(stage);
    start[row] = startNs;
    end[row] = endNs;
    cpus[row] = cpu;
    ios[row] = ioId;
  }

  define(name: string): number {
    this.gaugeText.push(this.gauges.text(name));
    this.gaugeValue.push(NaN);
    return this.gaugeText.length - 1;
  }

  set(gauge: number, value: number): void {
    if (this.gaugeValue[gauge] === value) return;
    this.gaugeValue[gauge] = value;
    const w = this.gauges;
    const row = w.next();
    const [name, atNs, values] = w.columns;
    name[row] = this.gaugeText[gauge];
    atNs[row] = this.clock.now;
    values[row] = value;
  }

  /** Hands over what is left in all tables, in a fixed order. */
  flush(): void {
    for (const writer of [this.events, this.registers, this.spans, this.gauges]) writer.flush();
  }
}

import { describe, expect, it } from 'vitest';
import { TableWriter, TraceLog } from './recorder.ts';
import { liveColumns, TABLES, type TraceBatch } from './schema.ts';

function put(writer: TableWriter, column: number, value: number): void {
  const row = writer.next(); // first: `columns` is another batch afterwards
  writer.columns[column][row] = value;
}

describe('a table writer', () => {
  it('hands over full batches as they fill and the rest on flush, in order', () => {
    const batches: TraceBatch[] = [];
    const writer = new TableWriter('gauge', TABLES.gauge, (b) => batches.push(b), 4);
    for (let i = 0; i < 10; i++) {
      const row = writer.next();
      writer.columns[writer.index('at_ns')][row] = i;
    }
    expect(batches.map((b) => b.rows)).toEqual([4, 4]);
    writer.flush();
    writer.flush();
    expect(batches.map((b) => b.rows)).toEqual([4, 4, 2]);
    expect(batches.flatMap((b) => [...b.columns[1].subarray(0, b.rows)])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(writer.rowsWritten).toBe(10);
  });

  it('leaves what was not written NULL: NaN in integer columns, -1 in text columns', () => {
    const batches: TraceBatch[] = [];
    const writer = new TableWriter('gauge', TABLES.gauge, (b) => batches.push(b), 2);
    for (let i = 0; i < 4; i++) writer.next();
    writer.flush();
    expect(batches.map((b) => b.columns.map((c) => [...c]))).toEqual(
      Array.from({ length: 2 }, () => [
        [-1, -1],
        [NaN, NaN],
        [NaN, NaN],
      ]),
    );
  });

  it('never writes into a batch that was handed over', () => {
    const batches: TraceBatch[] = [];
    const writer = new TableWriter('gauge', TABLES.gauge, (b) => batches.push(b), 2);
    for (const value of [1, 2, 3, 4, 5]) put(writer, 2, value);
    const first = batches[0].columns[2];
    const copy = [...first];
    for (const value of [6, 7, 8]) put(writer, 2, value);
    expect([...first]).toEqual(copy);
    expect(new Set(batches.map((b) => b.columns[2].buffer)).size).toBe(batches.length);
  });

  it('gives equal texts one number and sends the texts with each batch', () => {
    const batches: TraceBatch[] = [];
    const writer = new TableWriter('gauge', TABLES.gauge, (b) => batches.push(b), 2);
    for (const name of ['depth', 'tags', 'depth']) put(writer, 0, writer.text(name));
    writer.flush();
    const names = batches.flatMap((b) => [...b.columns[0]].map((t) => b.texts[t]));
    expect(names).toEqual(['depth', 'tags', 'depth']);
    expect(writer.text('tags')).toBe(1);
  });

  it('knows which columns the run leaves out, and refuses names that the table does not have', () => {
    const writer = new TableWriter('io', liveColumns('io', ['submit', 'media']), () => undefined);
    expect(writer.names).toContain('st_media_ns');
    expect(writer.index('st_media_ns')).toBe(writer.names.indexOf('st_media_ns'));
    expect(writer.index('st_inline_ns')).toBe(-1);
    expect(() => writer.index('st_medium_ns')).toThrow('table io has no column st_medium_ns');
  });
});

describe('the trace log', () => {
  const rowsOf = (batch: TraceBatch): Record<string, number | string>[] =>
    Array.from({ length: batch.rows }, (_, row) =>
      Object.fromEntries(
        TABLES[batch.table].map((column, i) => {
          const value = batch.columns[i][row];
          return [column.name, column.type === 'text' ? batch.texts[value] : value];
        }),
      ),
    );

  it('records events, register writes and spans with their times under the names of the schema', () => {
    const clock = { now: 0 };
    const batches: TraceBatch[] = [];
    const log = new TraceLog(clock, (b) => batches.push(b));
    clock.now = 5;
    log.event('block', 'request.requeued', 3, NaN);
    clock.now = 7;
    log.register('ufshci', 0x58, 'UTRLDBR', 0, 0x8000_0000, '');
    log.register('ufshci', 0x34, 'HCE', 0, 3, 'CGE=1 HCE=1');
    log.span('die/3', 'media', 100, 160, NaN, 12);
    log.flush();
    expect(batches.map((b) => [b.table, rowsOf(b)])).toEqual([
      ['event', [{ at_ns: 5, room: 'block', kind: 'request.requeued', id1: 3, id2: NaN }]],
      [
        'register_log',
        [
          { at_ns: 7, block: 'ufshci', offset: 0x58, name: 'UTRLDBR', old: 0, new: 0x8000_0000, fields: undefined },
          { at_ns: 7, block: 'ufshci', offset: 0x34, name: 'HCE', old: 0, new: 3, fields: 'CGE=1 HCE=1' },
        ],
      ],
      ['span', [{ who: 'die/3', stage: 'media', start_ns: 100, end_ns: 160, cpu: NaN, io_id: 12 }]],
    ]);
  });

  it('records a gauge only when it changes', () => {
    const clock = { now: 0 };
    const batches: TraceBatch[] = [];
    const log = new TraceLog(clock, (b) => batches.push(b));
    const depth = log.define('queue depth');
    const tags = log.define('tags');
    for (const [atNs, value] of [
      [0, 0],
      [10, 1],
      [20, 1],
      [30, 2],
    ]) {
      clock.now = atNs;
      log.set(depth, value);
    }
    log.set(tags, 2);
    log.flush();
    expect(rowsOf(batches[0])).toEqual([
      { name: 'queue depth', at_ns: 0, value: 0 },
      { name: 'queue depth', at_ns: 10, value: 1 },
      { name: 'queue depth', at_ns: 30, value: 2 },
      { name: 'tags', at_ns: 30, value: 2 },
    ]);
  });
});

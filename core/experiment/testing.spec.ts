/** The checks of rows find what they are for: a good run with one figure changed is a bad run. */
import { describe, expect, it } from 'vitest';
import { definitionOf, rowProblems, Rows, runDefinition, type FinishedRun } from './testing.ts';

const TAGS = { depth: 31, isShared: false };
const RUN = runDefinition(
  definitionOf({
    device: { kind: 'ufs', capacity: '1GiB' },
    workload: {
      fio: '[read]\nioengine=libaio\ndirect=1\nrw=randread\nbs=4k\nsize=16m\niodepth=8\nnumber_ios=50\n[write]\nrw=write\ndirect=1\nsize=256k\n',
    },
  }),
);

/** The rows with one column passed through `change`. */
function changed(
  rows: Rows,
  table: 'io' | 'request',
  name: string,
  change: (value: number, row: number) => number,
): Rows {
  const copy = new Rows();
  const columns = rows.names.map((own) => (own === name ? rows.column(own).map(change) : rows.column(own)));
  copy.add({ table, rows: rows.rows, names: rows.names, columns, texts: rows.allTexts });
  return copy;
}

/** What is found when the column of a table is changed. */
function problemsWith(table: 'io' | 'request', name: string, change: (value: number, row: number) => number): string {
  const run: FinishedRun = { ...RUN, [table]: changed(RUN[table], table, name, change) };
  return rowProblems(run, TAGS).join('\n');
}

describe('the checks of rows', () => {
  it('find nothing in a good run, nor in a copy of it', () => {
    expect(rowProblems(RUN, TAGS)).toEqual([]);
    expect(problemsWith('request', 'tag', (tag) => tag)).toBe('');
  });

  it.each([
    ['a nanosecond too much in a stage', 'io', 'st_media_ns', (ns: number) => ns + 1, /of which \d+ are explained/],
    [
      'a nanosecond too little in a request',
      'request',
      'st_link_ns',
      (ns: number) => ns - 1,
      /of which \d+ are explained/,
    ],
    ['an I/O twice', 'io', 'io_id', (id: number) => Math.min(id, 40), /different io_id/],
    ['a request twice', 'request', 'request_id', (id: number) => Math.min(id, 40), /different request_id/],
    ['a request of no I/O', 'request', 'io_id', (id: number) => id + 1000, /there is no I\/O 10/],
    ['a request of a later I/O', 'request', 'io_id', (id: number) => Math.min(id + 30, 50), /is not within I\/O/],
    ['an issue before the request was got', 'request', 'issued_ns', (_: number, row: number) => row, /stamps/],
    [
      'a request never completed',
      'request',
      'completed_ns',
      (ns: number, row: number) => (row === 3 ? NaN : ns),
      /stamps/,
    ],
    ['one tag for all', 'request', 'tag', () => 0, /tag 0 of hctx 0 at \d+ ns, in use until/],
    ['a tag that does not exist', 'request', 'tag', (tag: number) => tag + 31, /tag 31 of hctx 0 of 31/],
    [
      'bytes that were not asked for',
      'request',
      'size_bytes',
      (n: number) => n + 512,
      /read: \d+ bytes asked for, \d+ carried/,
    ],
    ['bytes that are not in the summary', 'io', 'size_bytes', (n: number) => n + 512, /bytes of all jobs/],
    ['an I/O that ends before it begins', 'io', 'complete_ns', () => 0, /complete 0/],
  ] as const)('find %s', (_, table, name, change, message) => {
    expect(problemsWith(table, name, change)).toMatch(message);
  });
});

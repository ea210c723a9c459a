/**
 * Pages of a run's table: any offset, any sort column, any condition, fast at millions of rows.
 *
 * Three ways, cheapest first: without sort and condition the n-th row has a known rowid; a sort by an indexed column walks the index from its nearer
 * end; everything else makes the ordered list of matching rowids once (4 bytes per row) and keeps the latest few, so that scrolling is a look-up.
 */
import type Database from 'better-sqlite3';
import type { Page, PageQuery, RowTable, SortKey } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { TABLES } from '../../core/trace/schema.ts';
import { columnsInUse } from './live-stages.ts';
import { MAX_PAGE_ROWS } from './page-size.ts';
import { rangeCondition, rowRange, type RowRange } from './row-ranges.ts';
import { queryWith } from './sql-files.ts';
import { hasIndex } from './run-indexes.ts';
import { checkedWhere } from './where.ts';

type Cell = number | string | null;
type Row = Cell[];

/** Lists of rowids kept. @assume one per open table and a few for going back and forth between filters. */
const LISTS_KEPT = 4;

const quoted = (name: string): string => `"${name}"`;

export class Pages {
  private readonly database: Database.Database;
  /** Offsets from the first rowid, in order; latest used last. */
  private readonly lists = new Map<string, Uint32Array>();

  constructor(database: Database.Database) {
    this.database = database;
  }

  page(request: PageQuery): Page {
    const { runId, table, sort } = request;
    const where = checkedWhere(this.database, table, request.where);
    const range = rowRange(this.database, runId, table);
    const columns = columnsInUse(this.database, table, range).map((column) => column.name);
    if (sort !== null && !TABLES[table].some((column) => column.name === sort.column))
      throw new BlklabError('BAD_INPUT', `Table ${table} has no column ${sort.column}.`);
    if (range === undefined) return { columns, rows: [], total: 0 };
    const limit = Math.min(request.limit, MAX_PAGE_ROWS);
    const names = columns.map(quoted).join();
    if (where === '1' && sort === null) return { columns, ...this.byRowid(table, names, range, request.offset, limit) };
    if (where === '1' && sort !== null && hasIndex(this.database, table, sort.column, runId))
      return { columns, ...this.byIndex(runId, table, names, range, sort, request.offset, limit) };
    const list = this.list(table, range, where, sort, runId);
    return { columns, rows: this.byList(table, names, range, list, request.offset, limit), total: list.length };
  }

  private byRowid(table: RowTable, columns: string, range: RowRange, offset: number, limit: number) {
    const total = range.last - range.first + 1;
    const first = range.first + offset;
    const rows = this.database
      .prepare(queryWith('page_by_rowid', { table, columns }))
      .raw()
      .all(first, Math.min(first + limit - 1, range.last)) as Row[];
    return { rows, total };
  }

  private byIndex(
    runId: number,
    table: RowTable,
    columns: string,
    range: RowRange,
    sort: SortKey,
    offset: number,
    limit: number,
  ) {
    const total = range.last - range.first + 1;
    const isFromEnd = offset > total / 2;
    const count = Math.max(0, Math.min(limit, total - offset));
    const rows = this.database
      .prepare(
        queryWith('page_by_index', {
          table,
          columns,
          runId,
          sort: sort.column,
          direction: sort.descending === isFromEnd ? 'ASC' : 'DESC',
        }),
      )
      .raw()
      .all(count, isFromEnd ? total - offset - count : offset) as Row[];
    if (isFromEnd) rows.reverse();
    return { rows, total };
  }

  private byList(
    table: RowTable,
    columns: string,
    range: RowRange,
    list: Uint32Array,
    offset: number,
    limit: number,
  ): Row[] {
    const get = this.database.prepare(queryWith('row_by_rowid', { table, columns })).raw();
    const rows: Row[] = [];
    for (let i = offset; i < Math.min(offset + limit, list.length); i++)
      rows.push(get.get(range.first + list[i]) as Row);
    return rows;
  }

  /** The ordered list of matching rows; made once per question (the range is part of it: a run in progress grows). */
  private list(table: RowTable, range: RowRange, where: string, sort: SortKey | null, runId: number): Uint32Array {
    const key = JSON.stringify([runId, table, range, where, sort]);
    const kept = this.lists.get(key);
    this.lists.delete(key);
    const list = kept ?? this.makeList(table, range, where, sort);
    this.lists.set(key, list);
    for (const oldest of this.lists.keys()) {
      if (this.lists.size <= LISTS_KEPT) break;
      this.lists.delete(oldest);
    }
    return list;
  }

  private makeList(table: RowTable, range: RowRange, where: string, sort: SortKey | null): Uint32Array {
    const direction = sort?.descending === true ? 'DESC' : 'ASC';
    const order = sort === null ? 'rowid' : `${quoted(sort.column)} ${direction}, rowid ${direction}`;
    const statement = this.database
      .prepare(queryWith('matching_rowids', { table, range: rangeCondition(range), where, order }))
      .pluck();
    const list = new Uint32Array(range.last - range.first + 1);
    let n = 0;
    for (const rowid of statement.iterate() as IterableIterator<number>) list[n++] = rowid - range.first;
    return list.slice(0, n);
  }
}

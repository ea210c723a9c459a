import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Page, PageQuery } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { PAGE_ROWS, usePagedRows } from './paged-rows.ts';

const TOTAL = 100_000;
const of = { runId: 1, table: 'io', where: '', sort: null } as const;

const pageOf = ({ offset, limit }: PageQuery): Page => ({
  columns: ['io_id'],
  rows: Array.from({ length: Math.min(limit, TOTAL - offset) }, (_, i) => [offset + i]),
  total: TOTAL,
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('paged rows', () => {
  it('asks for the first page at once, and for others when they are seen', async () => {
    const ask = vi.fn((query: PageQuery) => Promise.resolve(pageOf(query)));
    const rows = usePagedRows(ask);
    await rows.reset(of);
    expect(rows.total.value).toBe(TOTAL);
    expect(rows.row(3)).toEqual([3]);
    expect(rows.row(50_000)).toBeUndefined();
    rows.see(50_000, 50_040);
    await vi.runAllTimersAsync();
    expect(rows.row(50_000)).toEqual([50_000]);
    expect(ask.mock.calls.map(([{ offset }]) => offset)).toEqual([0, 50_000]);
  });

  it('does not ask for pages that fly by', async () => {
    const ask = vi.fn((query: PageQuery) => Promise.resolve(pageOf(query)));
    const rows = usePagedRows(ask);
    await rows.reset(of);
    for (let row = 1000; row < 90_000; row += 1000) rows.see(row, row + 40);
    await vi.runAllTimersAsync();
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('cancels a page that is out of sight before it came', async () => {
    const signals: AbortSignal[] = [];
    const rows = usePagedRows((query, signal) => {
      signals.push(signal);
      return query.offset === 0
        ? Promise.resolve(pageOf(query))
        : new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new BlklabError('CANCELLED', '')));
          });
    });
    await rows.reset(of);
    rows.see(20_000, 20_040);
    await vi.runAllTimersAsync();
    rows.see(60_000, 60_040);
    await vi.runAllTimersAsync();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
    expect(rows.error.value).toBeNull();
  });

  it('keeps what is shown until another question is answered', async () => {
    let answer: (page: Page) => void = () => undefined;
    const rows = usePagedRows((query) =>
      query.where === '' ? Promise.resolve(pageOf(query)) : new Promise((resolve) => (answer = resolve)),
    );
    await rows.reset(of);
    const done = rows.reset({ ...of, where: 'op = 1' });
    expect(rows.isLoading.value).toBe(true);
    expect(rows.row(0)).toEqual([0]);
    answer({ columns: ['io_id'], rows: [[77]], total: 1 });
    await done;
    expect(rows.row(0)).toEqual([77]);
    expect(rows.total.value).toBe(1);
  });

  it('ignores the answer to a question that was replaced', async () => {
    let late: (page: Page) => void = () => undefined;
    const rows = usePagedRows((query) =>
      query.where === 'slow' ? new Promise((resolve) => (late = resolve)) : Promise.resolve(pageOf(query)),
    );
    void rows.reset({ ...of, where: 'slow' });
    await rows.reset(of);
    late({ columns: [], rows: [], total: 0 });
    await vi.runAllTimersAsync();
    expect(rows.total.value).toBe(TOTAL);
  });

  it('tells what went wrong', async () => {
    const failure = new BlklabError('BAD_INPUT', 'no such column');
    const rows = usePagedRows(() => Promise.reject(failure));
    await rows.reset(of);
    expect(rows.error.value).toBe(failure);
    expect(rows.isLoading.value).toBe(false);
  });

  it('keeps a bounded number of pages', async () => {
    const rows = usePagedRows((query) => Promise.resolve(pageOf(query)));
    await rows.reset(of);
    for (let page = 1; page <= 60; page++) {
      rows.see(page * PAGE_ROWS, page * PAGE_ROWS);
      await vi.runAllTimersAsync();
    }
    expect(rows.row(0)).toBeUndefined();
    expect(rows.row(60 * PAGE_ROWS)).toEqual([60 * PAGE_ROWS]);
  });
});

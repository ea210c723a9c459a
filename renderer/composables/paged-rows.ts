/**
 * Rows of a table that main holds: pages around what is seen, asked for when they come into sight, the latest kept. Order and count come from the
 * database; a page that nobody looks at any more is cancelled.
 */
import { shallowReactive, shallowRef, type ShallowRef } from 'vue';
import type { Page, PageQuery } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';

export const PAGE_ROWS = 200;

/** Pages kept. @assume a few screens back and forth; some 2 MB at most */
const PAGES_KEPT = 40;

/** While the thumb is dragged, pages that fly by are not asked for. */
const SETTLE_MS = 30;

export type Row = Page['rows'][number];
export type PageAsk = (query: PageQuery, signal: AbortSignal) => Promise<Page>;
export type RowsOf = Pick<PageQuery, 'runId' | 'table' | 'where' | 'sort'>;

export interface PagedRows {
  readonly columns: Readonly<ShallowRef<readonly string[]>>;
  readonly total: Readonly<ShallowRef<number>>;
  /** True until the first page of a question is here. */
  readonly isLoading: Readonly<ShallowRef<boolean>>;
  readonly error: Readonly<ShallowRef<unknown>>;
  row(index: number): Row | undefined;
  /** These rows are seen now. */
  see(first: number, last: number): void;
  /** Another question: what is kept goes, what is shown stays until the answer. */
  reset(of: RowsOf | null): Promise<void>;
}

export function usePagedRows(ask: PageAsk): PagedRows {
  const columns = shallowRef<readonly string[]>([]);
  const total = shallowRef(0);
  const isLoading = shallowRef(false);
  const error = shallowRef<unknown>(null);
  const pages = shallowReactive(new Map<number, Page>());
  const asked = new Map<number, AbortController>();
  let of: RowsOf | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(page: number, question: RowsOf): Promise<void> {
    const control = new AbortController();
    asked.set(page, control);
    try {
      const answer = await ask({ ...question, offset: page * PAGE_ROWS, limit: PAGE_ROWS }, control.signal);
      if (of === question) keep(page, answer);
    } catch (failure) {
      if (of === question && !(failure instanceof BlklabError && failure.code === 'CANCELLED')) error.value = failure;
    } finally {
      if (asked.get(page) === control) asked.delete(page);
    }
  }

  function keep(page: number, answer: Page): void {
    if (isLoading.value) pages.clear();
    pages.delete(page);
    pages.set(page, answer);
    for (const oldest of pages.keys()) {
      if (pages.size <= PAGES_KEPT) break;
      pages.delete(oldest);
    }
    columns.value = answer.columns;
    total.value = answer.total;
    error.value = null;
    isLoading.value = false;
  }

  function see(first: number, last: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const from = Math.floor(Math.max(0, first) / PAGE_ROWS);
      const to = Math.floor(Math.max(0, Math.min(last, total.value - 1)) / PAGE_ROWS);
      for (const [page, control] of asked) if (page < from || page > to) control.abort();
      for (let page = from; page <= to; page++)
        if (of !== null && !pages.has(page) && !asked.has(page)) void load(page, of);
    }, SETTLE_MS);
  }

  async function reset(next: RowsOf | null): Promise<void> {
    for (const control of asked.values()) control.abort();
    asked.clear();
    of = next;
    if (next === null) {
      pages.clear();
      total.value = 0;
      return;
    }
    isLoading.value = true;
    await load(0, next);
    if (of === next) isLoading.value = false;
  }

  const row = (index: number): Row | undefined => pages.get(Math.floor(index / PAGE_ROWS))?.rows[index % PAGE_ROWS];

  return { columns, total, isLoading, error, row, see, reset };
}

/**
 * What is known of the selected run: its summary, and the answers to the charts' questions under the filter. Each answer is shown as it
 * comes, the old one stays until then; answers to questions that nobody asks any more are cancelled or dropped.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type {
  ChartQuery,
  HistogramData,
  LatencyOverTime,
  Result,
  RowTable,
  SortKey,
  StageBands,
} from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { parseTimeNs } from '../../core/units/parse.ts';
import { rpc } from './client.ts';
import { useNotices } from './notices.ts';
import { hasEnoughBeyond, rankOf } from './percentile.ts';
import { valueAt } from './pointer.ts';

/** Bins of the histogram and cells of the heat map. @assume fine enough for any screen, coarse enough to be read */
const BINS = 120;
const COLUMNS = 200;
const ROWS = 72;

export interface Percentile {
  readonly percent: number;
  /** Exact order statistic; null when too few samples lie beyond. */
  readonly ns: number | null;
}

/** Null: not here yet. */
export interface Answers {
  readonly histogram: HistogramData | null;
  readonly percentiles: readonly Percentile[] | null;
  readonly overTime: LatencyOverTime | null;
  readonly bands: StageBands | null;
}

export type AnswerId = keyof Answers;

const NO_ANSWERS: Answers = { histogram: null, percentiles: null, overTime: null, bands: null };
const ANSWER_IDS = Object.keys(NO_ANSWERS) as AnswerId[];

export const SHOWN_PERCENTS = [50, 99, 99.9] as const;

export const useResults = defineStore('results', () => {
  const details = shallowRef<Result<'run/summary'> | null>(null);
  const answers = shallowRef<Answers>(NO_ANSWERS);
  /** Asked and not here yet; what is shown of them is older than the filter. */
  const pending = shallowRef<ReadonlySet<AnswerId>>(new Set());
  const table = ref<RowTable>('io');
  /** The filter in force, per table; charts follow the one of the I/Os. */
  const where = shallowRef<Record<RowTable, string>>({ io: '', request: '' });
  const sort = shallowRef<Record<RowTable, SortKey | null>>({ io: null, request: null });
  const notices = useNotices();
  let wanted: number | null = null;
  let answered: ChartQuery | undefined;
  let running: { readonly query: ChartQuery; readonly control: AbortController } | undefined;

  const runId = computed(() => details.value?.row.id ?? null);

  /** Warm-up of the run in ns; charts and percentiles leave these I/Os out, as the summary does. */
  const warmupNs = computed(() => {
    const text = valueAt(details.value?.definition, '/run/warmup');
    const parsed = typeof text === 'string' || typeof text === 'number' ? parseTimeNs(text) : undefined;
    return parsed?.ok === true ? parsed.value : 0;
  });

  /** The condition that charts are asked with. */
  const chartWhere = computed(() => {
    const parts = [where.value.io.trim()].filter((part) => part !== '').map((part) => `(${part})`);
    if (warmupNs.value > 0) parts.unshift(`submit_ns >= ${warmupNs.value}`);
    return parts.join(' AND ');
  });

  /** Shows a run, or none; the same one again when its row has changed. */
  async function show(id: number | null): Promise<void> {
    wanted = id;
    const next = id === null ? null : ((await notices.attempt(() => rpc().call('run/summary', { runId: id }))) ?? null);
    if (wanted !== id) return;
    const before = details.value?.row;
    // ids begin anew in every project, instants do not
    if (next === null || next.row.id !== before?.id || next.row.startedAt !== before.startedAt) forget();
    details.value = next;
  }

  /** What belonged to the run before: its answers, its filters. */
  function forget(): void {
    running?.control.abort();
    running = undefined;
    answered = undefined;
    pending.value = new Set();
    answers.value = NO_ANSWERS;
    where.value = { io: '', request: '' };
    sort.value = { io: null, request: null };
  }

  /** Asks everything the overview shows, unless it is known or asked. Called by the overview: a table need not wait for charts nobody sees. */
  async function ask(): Promise<void> {
    const id = runId.value;
    if (id === null || details.value?.row.hasRows !== true) return;
    const query = { runId: id, where: chartWhere.value };
    const isSame = (other: ChartQuery | undefined): boolean =>
      other?.runId === query.runId && other.where === query.where;
    if (isSame(answered) || isSame(running?.query)) return;
    running?.control.abort();
    const mine = (running = { query, control: new AbortController() });
    answered = undefined;
    pending.value = new Set(ANSWER_IDS);
    const take = <K extends AnswerId>(part: K, answer: Answers[K]): void => {
      if (running !== mine) return;
      answers.value = { ...answers.value, [part]: answer };
      pending.value = new Set([...pending.value].filter((other) => other !== part));
    };
    const failure = await firstFailure(questions(query, mine.control.signal, take));
    if (running !== mine) return;
    running = undefined;
    pending.value = new Set();
    if (failure === undefined) answered = query;
    else if (!(failure instanceof BlklabError && failure.code === 'CANCELLED')) notices.fail(failure);
  }

  /** The questions of the overview, in the order in which they are answered. */
  function questions(
    query: ChartQuery,
    signal: AbortSignal,
    take: <K extends AnswerId>(part: K, answer: Answers[K]) => void,
  ): readonly Promise<void>[] {
    const histogram = rpc().call('query/histogram', { ...query, bins: BINS }, signal);
    const overTime = rpc().call('query/latencyOverTime', { ...query, columns: COLUMNS, rows: ROWS }, signal);
    const bands = rpc().call('query/stages', query, signal);
    return [
      histogram.then(async (answer) => {
        take('histogram', answer);
        take(
          'percentiles',
          await Promise.all(SHOWN_PERCENTS.map((percent) => percentile(query, answer.n, percent, signal))),
        );
      }),
      overTime.then((answer) => take('overTime', answer)),
      bands.then((answer) => take('bands', answer)),
    ];
  }

  async function percentile(
    query: { runId: number; where: string },
    n: number,
    percent: number,
    signal: AbortSignal,
  ): Promise<Percentile> {
    if (!hasEnoughBeyond(n, percent)) return { percent, ns: null };
    const sorted = { ...query, table: 'io' as const, sort: { column: 'total_ns', descending: false } };
    const page = await rpc().call('query/page', { ...sorted, offset: rankOf(n, percent), limit: 1 }, signal);
    const value = page.rows[0]?.[page.columns.indexOf('total_ns')];
    return { percent, ns: typeof value === 'number' ? value : null };
  }

  /** Puts a checked filter in force. */
  function filter(of: RowTable, condition: string): void {
    where.value = { ...where.value, [of]: condition };
  }

  function sortBy(of: RowTable, key: SortKey | null): void {
    sort.value = { ...sort.value, [of]: key };
  }

  return { details, answers, pending, table, where, sort, runId, warmupNs, chartWhere, show, ask, filter, sortBy };
});

/** Waits for all; what the first that failed said, if any did. */
async function firstFailure(work: readonly Promise<void>[]): Promise<unknown> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  return failed?.reason as unknown;
}

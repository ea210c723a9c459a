/** From measurements to the printed table: each line a figure, what it is measured against, and whether the target (design, section 9) is met. */
import type { Measurements } from './measure.ts';
import type { Detail } from './workload.ts';

/** How much of each variant is run. */
export interface Amounts {
  readonly heapEvents: number;
  readonly plainRows: number;
  readonly equalRows: number;
  readonly csvRequests: number;
  /** Sizes of the runs, ascending. */
  readonly sizes: readonly number[];
}

export interface Line {
  readonly what: string;
  readonly value: string;
  /** Beside what, and how it compares. */
  readonly beside: string;
  readonly target: string;
  /** undefined: there is no target. */
  readonly isMet: boolean | undefined;
}

const MIB = 1024 ** 2;

/** The lines of the table, in order. */
export function linesOf(m: Measurements, amounts: Amounts): Line[] {
  return [...rates(m, amounts), ...costs(m, amounts, 'summary'), ...costs(m, amounts, 'requests'), ...csv(m, amounts)];
}

/** The size at which rates are compared: the largest up to a million, where starting up does not count any more. */
export function rateSize({ sizes }: Amounts): number {
  return sizes.findLast((size) => size <= 1_000_000) ?? sizes[0];
}

function rates(m: Measurements, amounts: Amounts): Line[] {
  const size = rateSize(amounts);
  const heap = m.median('heap', amounts.heapEvents, 'rate');
  const plain = amounts.plainRows / m.median('plain', amounts.plainRows, 'seconds');
  const equal = amounts.equalRows / m.median('equal', amounts.equalRows, 'seconds');
  const events = m.median('summary', size, 'events') / m.median('summary', size, 'seconds');
  const summary = size / m.median('summary', size, 'seconds');
  const requests = size / m.median('requests', size, 'seconds');
  const indexSeconds = m.median('requests', size, 'indexSeconds');
  return [
    info('bare event heap', `${mega(heap)} M events/s`, ''),
    info('events of a run, summary detail', `${mega(events)} M events/s`, `${percent(events / heap)} of the bare heap`),
    info('plain inserts, rows of 20 columns', `${kilo(plain)} k rows/s`, ''),
    info('plain inserts, a row of io and one of request', `${kilo(equal)} k pairs/s`, ''),
    atLeast('simulated requests, summary detail', `${kilo(summary)} k/s`, summary / plain, 0.7, 'plain inserts'),
    atLeast('simulated requests, requests detail', `${kilo(requests)} k/s`, requests / plain, 0.35, 'plain inserts'),
    atLeast('the same', `${kilo(requests)} k/s`, requests / equal, 0.7, 'equal rows'),
    ...encrypted(m, size, plain),
    info('closing the run after it', `${(indexSeconds * 1000).toFixed(0)} ms`, `for ${count(size)} requests`),
  ];
}

/** The same with inline encryption: the targets are meant for both. */
function encrypted(m: Measurements, size: number, plain: number): Line[] {
  const summary = size / m.median('encrypted-summary', size, 'seconds');
  const requests = size / m.median('encrypted-requests', size, 'seconds');
  return [
    atLeast('inline encryption, summary detail', `${kilo(summary)} k/s`, summary / plain, 0.7, 'plain inserts'),
    atLeast('inline encryption, requests detail', `${kilo(requests)} k/s`, requests / plain, 0.35, 'plain inserts'),
  ];
}

function costs(m: Measurements, { sizes }: Amounts, detail: Detail): Line[] {
  const secondsOf = (size: number): number => m.median(detail, size, 'seconds');
  const rssMibOf = (size: number): number => m.median(detail, size, 'rssBytes') / MIB;
  const lines = sizes.map((size) => {
    const ns = (secondsOf(size) / size) * 1e9;
    return info(`${count(size)} requests, ${detail} detail`, `${count(Math.round(ns))} ns each`, mib(rssMibOf(size)));
  });
  // Starting a worker and compiling the hot path costs the same whatever the size, so growth is in what each further request costs.
  const furtherNs = sizes
    .slice(1)
    .map((size, i) => ((secondsOf(size) - secondsOf(sizes[i])) / (size - sizes[i])) * 1e9);
  const largest = sizes[sizes.length - 1];
  const growth = furtherNs[furtherNs.length - 1] / furtherNs[furtherNs.length - 2];
  return [
    ...lines,
    ...furtherNs.map((ns, i) =>
      info(`each further one, ${count(sizes[i])} to ${count(sizes[i + 1])}`, `${count(Math.round(ns))} ns`, ''),
    ),
    {
      what: `growth of that, ${detail} detail`,
      value: `× ${growth.toFixed(2)}`,
      beside: 'the last against the one before',
      target: '≤ × 1.15',
      isMet: growth <= 1.15,
    },
    {
      what: `peak memory at ${count(largest)}, ${detail} detail`,
      value: mib(rssMibOf(largest)),
      beside: 'whole process, all workers',
      target: '< 400 MiB',
      isMet: rssMibOf(largest) < 400,
    },
  ];
}

function csv(m: Measurements, { csvRequests }: Amounts): Line[] {
  const seconds = m.median('csv', csvRequests, 'seconds');
  const shellSeconds = m.median('csv', csvRequests, 'shellSeconds');
  const rate = m.median('csv', csvRequests, 'bytes') / seconds / 1e6;
  const what = 'CSV export, io and request';
  const value = `${rate.toFixed(0)} MB/s`;
  if (Number.isNaN(shellSeconds)) return [info(what, value, 'the sqlite3 shell is not installed')];
  return [atLeast(what, value, shellSeconds / seconds, 1, 'the sqlite3 shell')];
}

function info(what: string, value: string, beside: string): Line {
  return { what, value, beside, target: '', isMet: undefined };
}

function atLeast(what: string, value: string, ratio: number, needed: number, base: string): Line {
  return {
    what,
    value,
    beside: `× ${ratio.toFixed(2)} of ${base}`,
    target: `≥ × ${needed.toFixed(2)}`,
    isMet: ratio >= needed,
  };
}

const mib = (n: number): string => `${n.toFixed(0)} MiB`;
const count = (n: number): string => n.toLocaleString('en-US');
const mega = (n: number): string => (n / 1e6).toFixed(2);
const kilo = (n: number): string => (n / 1e3).toFixed(0);
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** The table as text. */
export function tableOf(lines: readonly Line[]): string {
  const head = ['what', 'measured', 'beside', 'target', ''];
  const verdict = (isMet: boolean | undefined): string => (isMet === undefined ? '' : isMet ? 'met' : 'MISSED');
  const rows = [head, ...lines.map((l) => [l.what, l.value, l.beside, l.target, verdict(l.isMet)])];
  const widths = head.map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

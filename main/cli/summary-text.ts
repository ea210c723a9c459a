/** The summary of a run as text for a terminal: latency per job and direction, where the time went, what the layers counted. */
import type { DirectionSummary, RunSummary } from '../../core/contract/summary.ts';
import { formatBandwidth, formatCount, formatNs, formatShare } from '../../core/units/format.ts';

const BAR_WIDTH = 30;
const LINE_WIDTH = 110;

/** Width of the names of the groups of counters. */
const NAME_WIDTH = 10;

/** Stages with a smaller share are told in one line together. */
const SMALL_SHARE = 0.0005;

const WORDS: Readonly<Record<RunSummary['run']['status'], string>> = {
  running: 'running',
  done: 'done',
  stopped: 'stopped: figures cover the time until then',
  deadlock: 'DEADLOCK',
  failed: 'FAILED',
  interrupted: 'interrupted',
};

/** The whole text, with a line break at the end. */
export function summaryText(summary: RunSummary): string {
  const { run } = summary;
  const head = [
    `${run.name}: ${WORDS[run.status]}`,
    `  ${formatNs(run.simNs)} simulated in ${formatNs(run.wallMs * 1e6)}, ${formatCount(run.ios)} I/Os, ${formatCount(run.requests)} requests, seed ${run.seed}`,
    `  trace hash ${run.traceHash}`,
  ];
  const parts = [
    head,
    latencyTable(summary),
    errors(summary),
    faults(summary),
    stageBars(summary),
    counters(summary),
    capabilities(summary),
    deadlock(summary),
    violations(summary),
    warnings(summary),
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

const LATENCY_COLUMNS = ['job', '', 'I/Os', 'IOPS', 'BW', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'];

function latencyTable(summary: RunSummary): string[] {
  const rows = Object.entries(summary.jobs).flatMap(([job, directions]) =>
    Object.entries(directions).map(([direction, figures]) => latencyRow(job, direction, figures)),
  );
  if (rows.length === 0) return ['No I/O was completed.'];
  return ['Latency', ...alignColumns([LATENCY_COLUMNS, ...rows], 2)];
}

function latencyRow(job: string, direction: string, figures: DirectionSummary): string[] {
  const { mean, p50, p90, p99, p99_9, max } = figures.latNs;
  return [
    job,
    direction,
    formatCount(figures.ios),
    formatCount(figures.iops),
    figures.bytes === 0 ? '–' : formatBandwidth(figures.bwBytes),
    ...[mean, p50, p90, p99, p99_9, max].map((ns) => (ns === null ? '–' : formatNs(ns))),
  ];
}

/** I/Os that failed, by job and direction. */
function errors(summary: RunSummary): string[] {
  const lines = Object.entries(summary.jobs).flatMap(([job, directions]) =>
    Object.entries(directions).flatMap(([direction, figures]) =>
      figures.errors === undefined ? [] : [`  ${job} ${direction}: ${errorWords(figures.errors)}`],
    ),
  );
  return lines.length === 0 ? [] : ['I/Os that failed', ...lines];
}

/** `EIO 3, ENODATA 1`. */
export function errorWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([status, count]) => `${status} ${formatCount(count)}`)
    .join(', ');
}

function faults({ faults: plan }: RunSummary): string[] {
  if (plan === undefined) return [];
  const rows = plan.injected.map(({ fault, atNs, count }) => [
    fault,
    atNs === null ? 'never struck' : count === 1 ? 'once' : `${formatCount(count)} times`,
    atNs === null ? '' : `${count > 1 ? 'first ' : ''}at ${formatNs(atNs)}`,
  ]);
  return ['Faults', ...alignColumns(rows, 3).map((line) => line.trimEnd())];
}

function stageBars(summary: RunSummary): string[] {
  const stages = Object.entries(summary.stages).sort(([, a], [, b]) => b.share - a.share);
  const shown = stages.filter(([, stage]) => stage.share >= SMALL_SHARE);
  if (shown.length === 0) return [];
  const rows = shown.map(([id, stage]) => [id, formatShare(stage.share), formatNs(stage.meanNs)]);
  const lines = alignColumns(rows, 1).map(
    (line, i) => `${line}  ${'█'.repeat(Math.max(1, Math.round(shown[i][1].share * BAR_WIDTH)))}`,
  );
  const rest = stages.filter(([, stage]) => stage.share > 0 && stage.share < SMALL_SHARE).map(([id]) => id);
  return [
    'Where the time went (share, mean per I/O)',
    ...lines,
    ...(rest.length === 0 ? [] : [`  less than ${formatShare(SMALL_SHARE)} each: ${rest.join(', ')}`]),
  ];
}

function counters({ block, cpu, device, keyslots, crypto, data = {} }: RunSummary): string[] {
  const busy = cpu.busyShare.map((share) => formatShare(share)).join(' ');
  const rows = [
    ['block', named(block)],
    [
      'cpu',
      `busy ${busy}, ${named({ contextSwitches: cpu.contextSwitches, interrupts: cpu.interrupts, softirqs: cpu.softirqs, wakeups: cpu.wakeups })}`,
    ],
    ['device', named(device)],
    ['keyslots', keyslots.slots === 0 ? '' : named(keyslots)],
    ['crypto', named(crypto)],
    ['data', named(data)],
  ];
  return ['Counters', ...rows.filter(([, text]) => text !== '').flatMap(([name, text]) => wrapped(name, text))];
}

/** `{ tagWaits: 3 }` → `tag waits 3`; what is 0 is left out. */
function named(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name.replaceAll(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)} ${formatCount(value)}`)
    .join(', ');
}

/** A list of counters under its name, broken between entries. */
function wrapped(name: string, text: string): string[] {
  const lines: string[] = [];
  let line = `  ${name.padEnd(NAME_WIDTH)}`;
  for (const part of text.split(', ')) {
    if (line.length + part.length > LINE_WIDTH) {
      lines.push(line.trimEnd());
      line = `  ${' '.repeat(NAME_WIDTH)}`;
    }
    line += `${part}, `;
  }
  return [...lines, line.slice(0, -', '.length)];
}

/** As sysfs shows them. */
function capabilities({ cryptoSysfs }: RunSummary): string[] {
  if (cryptoSysfs === undefined) return [];
  const files = Object.entries(cryptoSysfs).map(([name, content]) => `${name} ${content}`);
  return ['Inline encryption of the device (/sys/block/…/queue/crypto)', `  ${files.join(', ')}`];
}

function deadlock(summary: RunSummary): string[] {
  if (summary.deadlock === null) return [];
  const { chain, lastEvents } = summary.deadlock;
  return [
    'Deadlock: who waits for what',
    ...chain.map((line) => `  ${line}`),
    'Last events',
    ...lastEvents.map((line) => `  ${line}`),
  ];
}

function violations(summary: RunSummary): string[] {
  if (summary.violations.length === 0) return [];
  return ['Violated laws', ...summary.violations.map((line) => `  ${line}`)];
}

function warnings({ warnings: sentences = [] }: RunSummary): string[] {
  return sentences.length === 0 ? [] : ['Warnings', ...sentences.map((line) => `  ${line}`)];
}

/** Pads columns to equal width: the first `left` to the left, the others to the right. */
export function alignColumns(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0].map((_cell, c) => Math.max(...rows.map((row) => row[c].length)));
  return rows.map(
    (row) => `  ${row.map((cell, c) => (c < left ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ')}`,
  );
}

/** The variants of a scenario side by side: what each job got, and what the keyslots did for it. */
import type { RunSummary } from '../../core/contract/summary.ts';
import { formatCount, formatNs } from '../../core/units/format.ts';
import { alignColumns, errorWords } from './summary-text.ts';

export interface VariantResult {
  readonly variant: string;
  readonly summary: RunSummary;
}

const COLUMNS = [
  'variant',
  'job',
  'I/Os',
  'IOPS',
  'mean',
  'p99',
  'requests',
  'slots',
  'programs',
  'programs/s',
  'waits/s',
  'waited',
];

/** The whole text, with a line break at the end. */
export function variantTable(title: string, results: readonly VariantResult[]): string {
  const rows = results.flatMap(variantRows);
  const faults = results.flatMap(({ variant, summary }) => faultsOf(summary).map((fault) => `${variant}: ${fault}`));
  return `${[title, ...alignColumns([COLUMNS, ...rows], 2).map((line) => line.trimEnd()), ...faults].join('\n')}\n`;
}

function variantRows({ variant, summary }: VariantResult): string[][] {
  const { run, keyslots } = summary;
  const perSecond = (count: number): string => formatCount(run.simNs === 0 ? 0 : count / (run.simNs / 1e9));
  const shared = [
    formatCount(run.requests),
    ...(keyslots.slots === 0
      ? ['–', '–', '–', '–', '–']
      : [
          String(keyslots.slots),
          formatCount(keyslots.programs),
          perSecond(keyslots.programs),
          perSecond(keyslots.waits),
          formatNs(keyslots.waitNs),
        ]),
  ];
  const jobs = Object.entries(summary.jobs).flatMap(([job, directions]) =>
    Object.entries(directions).map(([direction, { ios, iops, latNs }]) => [
      `${job} ${direction}`,
      formatCount(ios),
      formatCount(iops),
      formatNs(latNs.mean),
      latNs.p99 === null ? '–' : formatNs(latNs.p99),
    ]),
  );
  if (jobs.length === 0) return [[variant, 'no I/O was completed', '', '', '', '', ...shared]];
  return jobs.map((cells, i) => (i === 0 ? [variant, ...cells, ...shared] : ['', ...cells, ...shared.map(() => '')]));
}

function faultsOf({ run, violations, jobs }: RunSummary): string[] {
  const failed = Object.entries(jobs).flatMap(([job, directions]) =>
    Object.entries(directions).flatMap(([direction, { errors }]) =>
      errors === undefined ? [] : [`${job} ${direction}: I/Os that failed: ${errorWords(errors)}`],
    ),
  );
  return [...(run.status === 'done' ? [] : [run.status]), ...violations, ...failed];
}

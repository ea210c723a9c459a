/** The tables of the user guide that show published figures beside ours, made from `expected.json` of the scenario `keyslot-queueing`. */
import type { ExpectedFigure, ExpectedRun } from './expected.ts';

const BEGIN = '<!-- keyslot-queueing: written by scripts/update-expected.ts -->';
const END = '<!-- end -->';

const HEADS = {
  'D.1 claim 3': ['encrypted IOPS', 'mean µs', 'misses per read'],
  'D.1 claim 4': ['encrypted IOPS', 'plain IOPS', 'plain mean µs', 'plain p99 µs'],
} as const;

const number = (value: number): string =>
  value >= 10 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toFixed(value < 0.1 ? 4 : 2)));

function cell({ published, ours, band }: ExpectedFigure): string {
  return `${band === 'below' ? '< ' : ''}${number(published)} / ${number(ours)}`;
}

function table(source: keyof typeof HEADS, expected: Readonly<Record<string, ExpectedRun>>): string {
  const heads = HEADS[source];
  const rows = Object.entries(expected)
    .filter(([, { published }]) => published?.[0].source === source)
    .map(([variant, { published = [] }]) => {
      const figures = heads.map((_, i) => (i < published.length ? cell(published[i]) : ''));
      return [`\`${variant}\``, ...figures];
    });
  const lines = [['variant', ...heads], ['', ...heads].map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Both tables, with the marks around them. */
export function claimTables(expected: Readonly<Record<string, ExpectedRun>>): string {
  return [BEGIN, table('D.1 claim 3', expected), table('D.1 claim 4', expected), END].join('\n\n');
}

/** The guide with its tables replaced. Throws when it has no place for them. */
export function withClaimTables(guide: string, expected: Readonly<Record<string, ExpectedRun>>): string {
  const from = guide.indexOf(BEGIN);
  const to = guide.indexOf(END, from);
  if (from < 0 || to < 0) throw new Error(`the user guide lacks "${BEGIN}" … "${END}"`);
  return guide.slice(0, from) + claimTables(expected) + guide.slice(to + END.length);
}

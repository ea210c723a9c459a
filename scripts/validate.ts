/**
 * `npm run validate`: published and derivable results beside ours. Misses are printed as misses; the exit code is 0 when every row lies in its band, 1 otherwise.
 */
import { lineRate } from './validation/line-rate.ts';
import { isMet, type TargetRow } from './validation/target.ts';
import { devices } from './validation/v10-devices.ts';
import { keyslots } from './validation/v11-keyslots.ts';
import { headOfLine } from './validation/v12-head-of-line.ts';
import { writeBooster } from './validation/v09-writebooster.ts';

const TARGETS = [writeBooster, devices, keyslots, headOfLine, lineRate];
const HEAD = ['target', 'what', 'source', 'published', 'ours', 'deviation', 'band', 'basis', 'verdict'];

function cells(id: string, row: TargetRow): string[] {
  const number = (n: number): string => (n >= 100 ? Math.round(n).toLocaleString('en-US') : n.toFixed(2));
  const band = row.band.kind === 'relative' ? `± ${Math.round(row.band.share * 100)} %` : row.band.kind;
  return [
    id,
    row.what,
    row.source,
    `${number(row.published)} ${row.unit}`.trim(),
    `${number(row.ours)} ${row.unit}`.trim(),
    `${((row.ours / row.published - 1) * 100).toFixed(1)} %`,
    band,
    row.basis,
    row.band.kind === 'context' ? '–' : isMet(row) ? 'met' : 'MISSED',
  ];
}

const chosen = process.argv.slice(2);
const lines: string[][] = [HEAD];
let missed = 0;
for (const target of TARGETS) {
  if (chosen.length > 0 && !chosen.includes(target.id)) continue;
  process.stderr.write(`${target.id}: ${target.title}\n`);
  for (const row of target.rows()) {
    lines.push(cells(target.id, row));
    if (!isMet(row)) missed++;
  }
}
const widths = HEAD.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
for (const line of lines)
  process.stdout.write(
    `${line
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd()}\n`,
  );
process.stdout.write(`${lines.length - 1} rows, ${missed} missed\n`);
process.exitCode = missed > 0 ? 1 : 0;

/**
 * `npm run bench`: what a run costs and what it is measured against, as ratios within one session; never as absolute demands on a machine.
 *
 *   npm run bench -- [--rounds N] [--full] [--quick]
 *
 * `--rounds`: odd number of rounds whose medians are printed, default 5. `--full`: runs of up to 10 million requests (some 6 GB of temporary files, and many
 * minutes). `--quick`: one round of small runs, to see that it works. How to read it: docs/benchmarks.md. Misses are printed; the exit code is 0.
 */
import { arch, cpus, platform } from 'node:os';
import { parseArgs } from 'node:util';
import { ensureBuilt } from '../scripts/lib/build.ts';
import { measure, type Job } from './measure.ts';
import { linesOf, rateSize, tableOf, type Amounts } from './report.ts';
import { WORKLOAD } from './workload.ts';

interface Options {
  readonly rounds: number;
  readonly amounts: Amounts;
}

const USUAL: Amounts = {
  heapEvents: 1_000_000,
  plainRows: 1_000_000,
  equalRows: 1_000_000,
  csvRequests: 200_000,
  sizes: [10_000, 100_000, 1_000_000],
};
const FULL: Amounts = { ...USUAL, sizes: [...USUAL.sizes, 10_000_000] };
const QUICK: Amounts = {
  heapEvents: 200_000,
  plainRows: 50_000,
  equalRows: 20_000,
  csvRequests: 5_000,
  sizes: [1_000, 5_000, 20_000],
};

/** The options, or what is wrong with them. */
function optionsOf(args: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: { rounds: { type: 'string' }, full: { type: 'boolean' }, quick: { type: 'boolean' } },
    });
    const isQuick = values.quick === true;
    const rounds = Number(values.rounds ?? (isQuick ? 1 : 5));
    if (!Number.isInteger(rounds) || rounds < 1 || rounds % 2 === 0) return '--rounds: must be an odd number';
    if (isQuick && values.full === true) return '--quick and --full exclude each other';
    return { rounds, amounts: isQuick ? QUICK : values.full === true ? FULL : USUAL };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function jobsOf(amounts: Amounts): Job[] {
  const { heapEvents, plainRows, equalRows, csvRequests, sizes } = amounts;
  return [
    { name: 'heap', amount: heapEvents },
    { name: 'plain', amount: plainRows },
    ...sizes.map((amount): Job => ({ name: 'summary', amount })),
    { name: 'equal', amount: equalRows },
    ...sizes.map((amount): Job => ({ name: 'requests', amount })),
    { name: 'encrypted-summary', amount: rateSize(amounts) },
    { name: 'encrypted-requests', amount: rateSize(amounts) },
    { name: 'csv', amount: csvRequests },
  ];
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stderr.write(`bench: ${options}\n`);
    process.exitCode = 2;
    return;
  }
  if ((await ensureBuilt()) !== 0) {
    process.exitCode = 1;
    return;
  }
  const { rounds, amounts } = options;
  const processors = cpus();
  const measurements = measure(jobsOf(amounts), rounds, (what) => process.stderr.write(`${what}\n`));
  process.stdout.write(
    `${WORKLOAD}\n` +
      `Node ${process.versions.node}, ${platform()} ${arch()}, ${processors.length} × ${processors[0].model.trim()}; ` +
      `medians of ${rounds}, a process per measurement\n\n${tableOf(linesOf(measurements, amounts))}\n`,
  );
}

await main();

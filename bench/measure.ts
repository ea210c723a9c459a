/**
 * Runs variants in processes of their own, round by round: every round runs each variant once, so that whatever else the machine does hits all of them alike.
 * A figure is the median over the rounds.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Figures, VariantName } from './variants.ts';

/** One variant with its amount: requests, rows or events. */
export interface Job {
  readonly name: VariantName;
  readonly amount: number;
}

/** The figures of all rounds. */
export class Measurements {
  private readonly taken = new Map<string, Figures[]>();

  add(job: Job, figures: Figures): void {
    const key = keyOf(job);
    this.taken.set(key, [...(this.taken.get(key) ?? []), figures]);
  }

  /** Median of a figure; NaN when it was not measured. */
  median(name: VariantName, amount: number, figure: string): number {
    const values = (this.taken.get(keyOf({ name, amount })) ?? []).map((figures) => figures[figure] ?? Number.NaN);
    return median(values);
  }
}

const keyOf = ({ name, amount }: Job): string => `${name} ${amount}`;

/** The middle one of an odd number of values. NaN without values, or when one of them is missing. */
export function median(values: readonly number[]): number {
  if (values.length === 0 || values.some(Number.isNaN)) return Number.NaN;
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Runs every job `rounds` times. `tell` hears what is about to run. */
export function measure(jobs: readonly Job[], rounds: number, tell: (what: string) => void): Measurements {
  const measurements = new Measurements();
  for (let round = 1; round <= rounds; round++) {
    for (const job of jobs) {
      tell(`round ${round} of ${rounds}: ${job.name} ${job.amount.toLocaleString('en-US')}`);
      measurements.add(job, runOne(job));
    }
  }
  return measurements;
}

function runOne({ name, amount }: Job): Figures {
  const script = join(import.meta.dirname, 'variants.ts');
  const { status, stdout } = spawnSync(process.execPath, [script, name, String(amount)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`bench: ${name} ${amount} ended with ${status}`);
  return JSON.parse(stdout) as Figures;
}

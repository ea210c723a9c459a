/** What a validation target is: a published or derivable result, and rows that put ours beside it. */
import { createRun } from '../../core/experiment/run.ts';
import type { RunSummary } from '../../core/experiment/summary.ts';
import { validateDefinition } from '../../core/experiment/validate.ts';

export interface TargetRow {
  readonly what: string;
  /** Where the published figure is from. */
  readonly source: string;
  readonly unit: string;
  readonly published: number;
  readonly ours: number;
  /** Accepted deviation as a share of the published figure, or a bound; `context` rows show a figure of another device and are not judged. */
  readonly band:
    { readonly kind: 'relative'; readonly share: number } | { readonly kind: 'below' } | { readonly kind: 'context' };
  /** `input`: the model was calibrated on this figure, so agreement only shows that it can reach it. `predicted`: it was not. */
  readonly basis: 'input' | 'predicted';
}

export interface Target {
  readonly id: string;
  readonly title: string;
  rows(): TargetRow[];
}

/** Whether a row lies in its band. */
export function isMet(row: TargetRow): boolean {
  if (row.band.kind === 'context') return true;
  if (row.band.kind === 'below') return row.ours < row.published;
  return Math.abs(row.ours / row.published - 1) <= row.band.share;
}

/** Runs a definition to its end, in this thread. Throws when it is refused or does not end well. */
export function runDefinition(definition: unknown): RunSummary {
  const { experiment, problems } = validateDefinition(definition);
  if (experiment === undefined) throw new Error(problems.map((p) => `${p.path} ${p.message}`).join('; '));
  const run = createRun(experiment, () => undefined);
  let isRunning = true;
  while (isRunning) isRunning = run.slice(100_000);
  const summary = run.finish(false);
  if (summary.run.status !== 'done') {
    throw new Error(
      `run ended ${summary.run.status}: ${[...summary.violations, ...(summary.deadlock?.chain ?? [])].join('; ')}`,
    );
  }
  return summary;
}

/** Completed I/Os and bytes of all jobs in one direction, per simulated second, warm-up left out. */
export function rates(
  summary: RunSummary,
  direction: 'read' | 'write',
): { readonly iops: number; readonly bytesPerS: number } {
  let iops = 0;
  let bytesPerS = 0;
  for (const job of Object.values(summary.jobs)) {
    iops += job[direction]?.iops ?? 0;
    bytesPerS += job[direction]?.bwBytes ?? 0;
  }
  return { iops, bytesPerS };
}

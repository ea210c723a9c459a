/**
 * V12: who waits when an encrypted request finds no keyslot (claim 4 of calibration D.1). First table: the whole hardware queue, or the request alone. Second table: with 31 tags, the
 * slot before the tag or after it, which is the mainline order. Ours: the scenario `keyslot-queueing` on the whole stack.
 *
 * The published model hands each freed tag to whoever slept longest; the second table is run so. The variants `batched-…` have Linux's batched wake-ups: the means stay, the slowest reads wait
 * two to four times as long. They are shown and not judged.
 */
import type { RunSummary } from '../../core/experiment/summary.ts';
import { claimRows, SCENARIO, SEPARATE_POOLS, SHARED_TAGS } from './keyslot-claims.ts';
import { runScenario } from './scenario.ts';
import type { Target, TargetRow } from './target.ts';

const BATCHED = ['batched-16-2-submit', 'batched-48-2-submit', 'batched-48-4-submit', 'batched-48-8-submit'];

const plainMeanUs = ({ jobs }: RunSummary): number => (jobs.plain?.read?.latNs.mean ?? NaN) / 1000;

/** Plain reads beside waiters that are set aside are as fast as alone. */
function unchangedRow(variant: string, beside: RunSummary, alone: RunSummary): TargetRow {
  return {
    what: `${variant}: plain mean, against plain alone`,
    source: 'V12 itself',
    unit: 'µs',
    published: plainMeanUs(alone),
    ours: plainMeanUs(beside),
    band: { kind: 'relative', share: 0.03 },
    basis: 'predicted',
  };
}

function rows(): TargetRow[] {
  const alone = runScenario(SCENARIO, 'plain-alone');
  const variants = [...SEPARATE_POOLS.map(([v]) => v), ...SHARED_TAGS.map(([v]) => v), ...BATCHED];
  return variants.flatMap((variant) => {
    const summary = runScenario(SCENARIO, variant);
    const claims = claimRows(SCENARIO, variant, summary).map((row) => ({ ...row, what: `${variant}: ${row.what}` }));
    return variant.endsWith('-aside') ? [...claims, unchangedRow(variant, summary, alone)] : claims;
  });
}

export const headOfLine: Target = { id: 'V12', title: 'Who waits for a keyslot with whom', rows };

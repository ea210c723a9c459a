/**
 * V11: per-file keys with few keyslots (claim 3 of calibration D.1). 32 encrypted reads outstanding on 64 keys; slots limit at first, then programming, which more slots do
 * not cure until every key has one; one key per policy removes both. Ours: the scenario `keyslot-queueing` on the whole stack, which was not fitted: the device time, the keys and
 * the programming time are the inputs of the published simulation.
 */
import { claimRows, FEW_SLOTS, SCENARIO } from './keyslot-claims.ts';
import { runScenario } from './scenario.ts';
import type { Target } from './target.ts';

export const keyslots: Target = {
  id: 'V11',
  title: 'Keyslots against keys',
  rows: () =>
    FEW_SLOTS.flatMap(([variant]) =>
      claimRows(SCENARIO, variant, runScenario(SCENARIO, variant)).map((row) => ({
        ...row,
        what: `${variant}: ${row.what}`,
      })),
    ),
};

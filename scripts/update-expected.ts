/**
 * Writes `expected.json` of all scenarios, or of those named, and the tables of the user guide that show them: `node scripts/update-expected.ts [SLUG…]`. A change in what they give is to be looked at, not only committed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listScenarios, SCENARIO_FOLDER } from '../main/scenarios/scenarios.ts';
import { type ExpectedRun, expectedOf, runVariant } from './lib/expected.ts';
import { withClaimTables } from './lib/guide-tables.ts';
import { claimRows, SCENARIO } from './validation/keyslot-claims.ts';

const GUIDE = join(import.meta.dirname, '../docs/user-guide.md');

const wanted = process.argv.slice(2);

for (const scenario of listScenarios()) {
  if (wanted.length > 0 && !wanted.includes(scenario.slug)) continue;
  const runs = Object.keys(scenario.variants).map((variant) => {
    const startedMs = performance.now();
    const summary = runVariant(scenario, variant);
    const wallMs = Math.round(performance.now() - startedMs);
    const faults = [...summary.violations, ...(summary.warnings ?? []), ...(summary.deadlock?.chain ?? [])];
    console.log(`${scenario.slug}: ${variant}: ${summary.run.status}, ${wallMs} ms ${faults.slice(0, 3).join('; ')}`);
    return [variant, expectedOf(summary, claimRows(scenario.slug, variant, summary))] as const;
  });
  const file = join(SCENARIO_FOLDER, scenario.slug, 'expected.json');
  const expected = Object.fromEntries(runs) as Record<string, ExpectedRun>;
  writeFileSync(file, `${JSON.stringify(expected, null, 2)}\n`);
  if (scenario.slug === SCENARIO) writeFileSync(GUIDE, withClaimTables(readFileSync(GUIDE, 'utf8'), expected));
}

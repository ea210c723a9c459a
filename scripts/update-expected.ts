/**
 * Writes `expected.json` of all scenarios, or of those named: `node scripts/update-expected.ts [SLUG…]`. A change in what they give is to be looked at, not only committed.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listScenarios, SCENARIO_FOLDER } from '../main/scenarios/scenarios.ts';
import { expectedOf, runVariant } from './lib/expected.ts';

const wanted = process.argv.slice(2);

for (const scenario of listScenarios()) {
  if (wanted.length > 0 && !wanted.includes(scenario.slug)) continue;
  const runs = Object.keys(scenario.variants).map((variant) => {
    const startedMs = performance.now();
    const summary = runVariant(scenario, variant);
    const wallMs = Math.round(performance.now() - startedMs);
    const faults = [...summary.violations, ...(summary.warnings ?? []), ...(summary.deadlock?.chain ?? [])];
    console.log(`${scenario.slug}: ${variant}: ${summary.run.status}, ${wallMs} ms ${faults.slice(0, 3).join('; ')}`);
    return [variant, expectedOf(summary)];
  });
  const file = join(SCENARIO_FOLDER, scenario.slug, 'expected.json');
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(runs), null, 2)}\n`);
}

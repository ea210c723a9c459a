/** Runs a variant of a scenario for a validation target: it must end well. */
import type { RunSummary } from '../../core/experiment/summary.ts';
import { readScenario, variantDefinition } from '../../main/scenarios/scenarios.ts';
import { runDefinition } from './target.ts';

export function runScenario(slug: string, variant: string): RunSummary {
  const scenario = readScenario(slug);
  if (scenario === undefined) throw new Error(`there is no scenario ${slug}`);
  return runDefinition(variantDefinition(scenario, variant));
}

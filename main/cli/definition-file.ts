/** FILE of the command line: a definition (`.json`) or a bare fio job file (anything else), which runs on the default UFS phone. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { BlklabError, type Problem } from '../../core/contract/errors.ts';
import type { ValidExperiment } from '../../core/experiment/definition.ts';
import { defaultDefinition, validateDefinition } from '../../core/experiment/validate.ts';
import { textsIn } from '../project/read-text.ts';
import { readScenario, type Scenario, SCENARIO_FOLDER, variantDefinition } from '../scenarios/scenarios.ts';
import { withSetting } from './set-path.ts';

export interface LoadedDefinition {
  /** As it is kept with the run: complete in itself where that is possible. */
  readonly definition: unknown;
  readonly experiment: ValidExperiment | undefined;
  readonly problems: readonly Problem[];
}

export interface Overrides {
  readonly set: readonly string[];
  readonly seed?: number;
}

/** Reads and validates. Throws BAD_INPUT or NO_SUCH when there is nothing to validate. */
export function loadDefinition(file: string, overrides: Overrides): LoadedDefinition {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) throw new BlklabError('NO_SUCH', `There is no file ${file}, nor a scenario of that name.`);
  if (!stat.isFile()) throw new BlklabError('BAD_INPUT', `${file} is not a file.`);
  const isJson = extname(file).toLowerCase() === '.json';
  return loaded(isJson ? readJson(file) : ofJobFile(file), dirname(resolve(file)), overrides);
}

/** A scenario by its name, `SLUG` or `SLUG:VARIANT`; undefined when there is a file of that name, or no such scenario. */
export function scenarioOf(
  name: string,
): { readonly scenario: Scenario; readonly variant: string | undefined } | undefined {
  if (statSync(name, { throwIfNoEntry: false }) !== undefined) return undefined;
  const [slug, variant] = name.split(':', 2);
  const scenario = readScenario(slug);
  return scenario && { scenario, variant };
}

/** A variant of a scenario, validated. Throws NO_SUCH for an unknown one. */
export function loadVariant(scenario: Scenario, variant: string, overrides: Overrides): LoadedDefinition {
  return loaded(variantDefinition(scenario, variant), join(SCENARIO_FOLDER, scenario.slug), overrides);
}

/** A definition with its overrides; job files are read relative to `folder`. */
function loaded(given: unknown, folder: string, overrides: Overrides): LoadedDefinition {
  let definition = given;
  for (const assignment of overrides.set) definition = withSetting(definition, assignment);
  if (overrides.seed !== undefined) definition = withSetting(definition, `seed=${overrides.seed}`);
  const read = textsIn(folder);
  const { experiment, problems } = validateDefinition(definition, { readFile: read, env: process.env });
  return { definition: withJobText(definition, read), experiment, problems };
}

function readJson(file: string): unknown {
  const text = readFileSync(file, 'utf8');
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    throw new BlklabError(
      'BAD_INPUT',
      `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  throw new BlklabError('BAD_INPUT', `${file} holds no definition: it must be a JSON object.`);
}

function ofJobFile(file: string): unknown {
  const base = defaultDefinition() as Record<string, unknown>;
  return { ...base, name: basename(file, extname(file)), workload: { fioFile: basename(file) } };
}

/** Puts the job file's text in place of its path, so that the project says by itself what ran. Job files that include others stay paths. */
function withJobText(definition: unknown, read: (path: string) => string | undefined): unknown {
  const { workload } = definition as { workload?: { fioFile?: unknown } };
  if (typeof workload !== 'object' || typeof workload.fioFile !== 'string') return definition;
  const text = read(workload.fioFile);
  if (text === undefined || /^\s*include\s/m.test(text)) return definition;
  return { ...(definition as object), workload: { fio: text } };
}

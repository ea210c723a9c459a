/**
 * The scenarios that come with the program: `<slug>/experiment.json` (a definition with `variants`: name → changes by JSON pointer), `README.md` (reading guide) and
 * `expected.json` (what its runs must give).
 *
 * In the sources they stand in `resources/scenarios`; the build copies them beside the bundle (see electron.vite.config.ts).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlklabError } from '../../core/contract/errors.ts';
import { applyVariant, type VariantPatch } from '../../core/experiment/variants.ts';

/** Where the scenarios are. */
export const SCENARIO_FOLDER = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, '../../resources/scenarios')
  : join(import.meta.dirname, 'scenarios');

export interface Scenario {
  readonly slug: string;
  readonly title: string;
  /** The first paragraph of its reading guide. */
  readonly about: string;
  readonly readme: string;
  readonly base: object;
  readonly variants: Readonly<Record<string, VariantPatch>>;
}

/** The scenario of that name; undefined when there is none. */
export function readScenario(slug: string): Scenario | undefined {
  const folder = join(SCENARIO_FOLDER, slug);
  if (!/^[a-z0-9-]+$/.test(slug) || !existsSync(join(folder, 'experiment.json'))) return undefined;
  const { variants = {}, ...base } = JSON.parse(readFileSync(join(folder, 'experiment.json'), 'utf8')) as {
    readonly variants?: Scenario['variants'];
  };
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const [title = slug, about = ''] = readme.split(/\n\n+/).map((part) => part.replaceAll('\n', ' ').trim());
  return { slug, title: title.replace(/^# /, ''), about, readme, base, variants };
}

/** All scenarios, by name. */
export function listScenarios(): Scenario[] {
  if (!existsSync(SCENARIO_FOLDER)) throw new Error(`the scenarios are missing: ${SCENARIO_FOLDER}`);
  return readdirSync(SCENARIO_FOLDER)
    .sort()
    .flatMap((slug) => readScenario(slug) ?? []);
}

/** The definition of one variant, complete in itself; its name tells the variant. */
export function variantDefinition({ slug, base, variants }: Scenario, variant: string): object {
  if (!Object.hasOwn(variants, variant)) {
    const names = Object.keys(variants).join(', ');
    throw new BlklabError('NO_SUCH', `There is no variant "${variant}" of ${slug}; there are: ${names}.`);
  }
  return { ...applyVariant(base, variants[variant]), name: `${slug}: ${variant}` };
}

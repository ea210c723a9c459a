/**
 * "Did you mean": the known option whose name is nearest to what was written, by Levenshtein distance, accepted as in fio when
 * at most half of the letters differ. Unlike fio, aliases and the job's engine options are candidates and case is not counted.
 */
import { ENGINE_OPTIONS } from './options-engine.ts';
import { GENERAL_OPTIONS, type OptionSpec } from './options.ts';

/** Longer keys are no typing mistakes, and the distance is quadratic. @assume the longest option has 29 letters */
const MAX_KEY_CHARS = 40;

const GENERAL_NAMES = namesOf(GENERAL_OPTIONS);

function namesOf(options: readonly OptionSpec[]): readonly string[] {
  return options
    .filter(({ type }) => type !== 'deprecated')
    .flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));
}

/** The nearest option name, or undefined when nothing is near or the key has characters that no option has. */
export function suggestOption(key: string, engine: string): string | undefined {
  if (!/^[\w-]+$/.test(key)) return undefined;
  return suggestWord(key, GENERAL_NAMES, namesOf(ENGINE_OPTIONS.filter((spec) => spec.engines?.includes(engine))));
}

/** The nearest word of one or more lists, the first of equals; undefined when nothing is near. */
export function suggestWord(word: string, ...lists: readonly (readonly string[])[]): string | undefined {
  if (word.length > MAX_KEY_CHARS) return undefined;
  const written = word.toLowerCase();
  let nearest: string | undefined;
  let least = Math.ceil(word.length / 2) + 1;
  for (const words of lists) {
    for (const candidate of words) {
      // the distance is at least the difference of the lengths
      if (Math.abs(candidate.length - written.length) >= least) continue;
      const distance = editDistance(written, candidate);
      if (distance >= least) continue;
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Levenshtein distance: insertions, deletions and replacements that turn `from` into `to`. */
export function editDistance(from: string, to: string): number {
  const row = new Uint32Array(to.length + 1);
  for (let column = 0; column <= to.length; column++) row[column] = column;
  for (let i = 0; i < from.length; i++) {
    let diagonal = row[0];
    row[0] = i + 1;
    for (let j = 0; j < to.length; j++) {
      const replaced = diagonal + (from.charCodeAt(i) === to.charCodeAt(j) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = Math.min(replaced, diagonal + 1, row[j] + 1);
    }
  }
  return row[to.length];
}

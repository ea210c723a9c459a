/**
 * "Did you mean": the known option whose name is nearest to what was written, by Levenshtein distance, accepted as in fio when
 * at most half of the letters differ. Unlike fio, aliases and the job's engine options are candidates and case is not counted.
 */
import { ENGINE_OPTIONS } from './options-engine.ts';
import { GENERAL_OPTIONS } from './options.ts';

/** Longer keys are no typing mistakes, and the distance is quadratic. */
const MAX_KEY_CHARS = 64;

/** The nearest option name, or undefined when nothing is near. */
export function suggestOption(key: string, engine: string): string | undefined {
  if (key.length > MAX_KEY_CHARS) return undefined;
  const written = key.toLowerCase();
  let nearest: string | undefined;
  let least = Math.ceil(key.length / 2) + 1;
  const options = [...GENERAL_OPTIONS, ...ENGINE_OPTIONS.filter((spec) => spec.engines?.includes(engine))];
  for (const { name, alias, type } of options) {
    if (type === 'deprecated') continue;
    for (const candidate of alias === undefined ? [name] : [name, alias]) {
      if (Math.abs(candidate.length - written.length) >= least) continue;
      const distance = editDistance(written, candidate);
      if (distance < least) {
        least = distance;
        nearest = candidate;
      }
    }
  }
  return nearest;
}

/** The nearest of a few words, with the same limit. */
export function suggestWord(word: string, words: readonly string[]): string | undefined {
  if (word.length > MAX_KEY_CHARS) return undefined;
  const written = word.toLowerCase();
  const limit = Math.ceil(word.length / 2);
  const ranked = words
    .map((candidate) => ({ candidate, distance: editDistance(written, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked.length > 0 && ranked[0].distance <= limit ? ranked[0].candidate : undefined;
}

/** Levenshtein distance: insertions, deletions and replacements that turn `from` into `to`. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_unused, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[to.length];
}

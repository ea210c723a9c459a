/** The file port of validation: job files and what they include, relative to the file or project that names them. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** @assume far above any job file; a bound on what a wrong path can make us read. */
const MAX_BYTES = 4 << 20;

/** Reads texts relative to a folder; undefined for what is not a readable file of sensible size. */
export function textsIn(folder: string): (path: string) => string | undefined {
  return (path) => {
    const file = resolve(folder, path);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > MAX_BYTES) return undefined;
    try {
      return readFileSync(file, 'utf8');
    } catch {
      // Not ours to read: to validation that is the same as not there.
      return undefined;
    }
  };
}

/**
 * Where the entry files of workers are: beside this file as `.ts` in the sources, beside the bundle as `.js` in `out/main` (chunks are kept flat, see
 * electron.vite.config.ts).
 */
import { join } from 'node:path';

const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js';

/** Path of a worker's entry file. */
export function workerFile(name: 'run-worker' | 'store-worker'): string {
  return join(import.meta.dirname, `${name}.${extension}`);
}

/**
 * Builds `out/` when it is missing or older than a source.
 *
 * Older means: a file that goes into the build has a later modification time than the stamp written after the last good build. A
 * build that failed leaves no fresh stamp, so the next start tries again.
 */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runNode } from './process.ts';

const STAMP = 'out/.built';
const SOURCES = ['core', 'main', 'preload', 'renderer', 'electron.vite.config.ts', 'package-lock.json'];

/** The latest modification time of a file or of any file below a folder, in ms; 0 when it does not exist. Specs do not count. */
export function newestMs(path: string): number {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return /\.(spec|e2e|long)\.ts$/.test(path) ? 0 : stat.mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), 0);
}

/** Whether the build in `root` is there and no source is newer than it. */
export function isBuilt(root: string): boolean {
  const stamp = join(root, STAMP);
  if (!existsSync(stamp) || !existsSync(join(root, 'out/main/serve.js'))) return false;
  const builtMs = statSync(stamp).mtimeMs;
  return SOURCES.every((source) => newestMs(join(root, source)) <= builtMs);
}

/** Builds main, preload and renderer. Returns the exit code of the build. */
export async function build(): Promise<number> {
  const startedAt = new Date();
  const code = await runNode('node_modules/electron-vite/bin/electron-vite.js', ['build', '--logLevel', 'warn']);
  if (code !== 0) return code;
  mkdirSync(join(ROOT, 'out'), { recursive: true });
  writeFileSync(join(ROOT, STAMP), `${startedAt.toISOString()}\n`);
  return 0;
}

/** Builds only when needed. */
export async function ensureBuilt(): Promise<number> {
  if (isBuilt(ROOT)) return 0;
  console.error('blklab: building (first start, or sources changed) …');
  return build();
}

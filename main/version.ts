/** The version of this program, from package.json: one level up in the sources, two in the bundle. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

function findPackage(folder: string): string {
  const path = join(folder, 'package.json');
  if (existsSync(path)) return path;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('package.json is missing');
  return findPackage(parent);
}

const { version } = JSON.parse(readFileSync(findPackage(import.meta.dirname), 'utf8')) as { version: string };

export const APP_VERSION = version;

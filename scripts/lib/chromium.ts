/**
 * The Chromium that the end-to-end tests drive: the one named by CHROMIUM, one of the usual ones, or, for root on a Debian-like system,
 * one that apt-get installs here and now.
 */
import { existsSync } from 'node:fs';
import { findOnPath, isExecutable, runCommand } from './process.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PATHS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Throws when CHROMIUM names something that cannot be run: a wrong setting should not be passed over. */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['CHROMIUM'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`CHROMIUM names ${named}, which is not a program`);
    return named;
  }
  for (const name of NAMES) {
    const found = findOnPath(name);
    if (found !== undefined) return found;
  }
  return PATHS.find(isExecutable);
}

/** Finds Chromium, installing it where that is possible without asking. Throws with what to do when there is none. */
export async function ensureChromium(): Promise<string> {
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    console.error('blklab: no Chromium found; installing it for the end-to-end tests (apt-get install chromium) …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await runCommand('apt-get', ['update', '-qq'], env);
    await runCommand('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], env);
    const installed = findChromium();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'no Chromium found: install one (Debian: apt-get install chromium) or name it in the variable CHROMIUM',
  );
}

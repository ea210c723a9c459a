/**
 * Chooses the face that `npm start` opens: the Electron window when its binary is on disk and a display is there, else the browser
 * host, and then it says why. Arguments are passed on to the face.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ensureBuilt } from './build.ts';
import { ROOT, runCommand, runNode } from './process.ts';

export type Desktop = { readonly exe: string } | { readonly why: string };

/** Where the Electron binary is, or why there will be no window. */
export function findDesktop(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.()): Desktop {
  const folder = electronFolder();
  if (folder === undefined) return { why: 'the electron package is not installed' };
  const names = join(folder, 'path.txt');
  const exe = join(
    env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(folder, 'dist'),
    existsSync(names) ? readFileSync(names, 'utf8') : 'electron',
  );
  if (!existsSync(exe)) return { why: `there is no Electron binary at ${exe} (npx install-electron fetches it)` };
  if (process.platform !== 'linux') return { exe };
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY'])
    return { why: 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)' };
  if (uid === 0) return { why: 'Electron keeps its sandbox and therefore does not run as root' };
  return { exe };
}

/** Only looks for the folder: loading the package itself would start a download of the binary. */
function electronFolder(): string | undefined {
  const manifest = createRequire(import.meta.url)
    .resolve.paths('electron')
    ?.map((path) => join(path, 'electron/package.json'));
  const found = manifest?.find((path) => existsSync(path));
  return found === undefined ? undefined : dirname(found);
}

/** Builds when needed, opens a face, waits until it is closed. Returns its exit code. */
export async function start(args: readonly string[]): Promise<number> {
  const built = await ensureBuilt();
  if (built !== 0) return built;
  const passed = args.filter((arg) => arg !== '--browser');
  const desktop: Desktop = passed.length < args.length ? { why: '--browser was given' } : findDesktop();
  if ('exe' in desktop) return runCommand(desktop.exe, [ROOT, ...passed]);
  console.error(`blklab: ${desktop.why}; opening the workbench for a browser instead.`);
  return runNode('out/main/serve.js', passed);
}

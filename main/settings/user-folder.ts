/** The folder for what belongs to the user and not to a project: recent files, window state, unsaved projects. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the faces without Electron keep it; Electron has its own `userData`. */
export function userFolder(env: NodeJS.ProcessEnv = process.env, platform: string = process.platform): string {
  const set = env['XDG_CONFIG_HOME'];
  if (set !== undefined && set !== '') return join(set, 'blklab');
  if (platform === 'win32') return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'blklab');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'blklab');
  return join(homedir(), '.config', 'blklab');
}

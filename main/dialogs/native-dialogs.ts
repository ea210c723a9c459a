/** Native dialogs, parented to the window. */
import { dialog, type BrowserWindow } from 'electron';

const PROJECTS = [{ name: 'blklab projects', extensions: ['blklab'] }];

/** A project to open; null when the user cancels. */
export async function pickOpen(window: BrowserWindow): Promise<string | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, { properties: ['openFile'], filters: PROJECTS });
  return canceled ? null : (filePaths[0] ?? null);
}

/** A name to save under; null when the user cancels. */
export async function pickSave(window: BrowserWindow, suggested: string): Promise<string | null> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, { defaultPath: suggested, filters: PROJECTS });
  return canceled || filePath === '' ? null : filePath;
}

/** A folder; null when the user cancels. */
export async function pickDirectory(window: BrowserWindow): Promise<string | null> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    properties: ['openDirectory', 'createDirectory'],
  });
  return canceled ? null : (filePaths[0] ?? null);
}

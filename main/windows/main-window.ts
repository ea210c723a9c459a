/**
 * The one window: secure settings (Electron's own list), its place on the screen, the pipe to its page, and the question before it closes.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BrowserWindow, ipcMain, type IpcMainEvent, type Rectangle } from 'electron';
import { RPC_CHANNEL } from '../../core/contract/bridge.ts';
import type { Pipe } from '../../core/contract/rpc.ts';
import type { SettingsFile, WindowState } from '../settings/settings-file.ts';
import type { Workbench } from '../workbench.ts';
import { visibleBounds } from './bounds.ts';

const MIN_SIZE = { minWidth: 1024, minHeight: 680 };

/** Makes the window, not yet shown. */
export function createMainWindow(settings: SettingsFile, displays: readonly Rectangle[]): BrowserWindow {
  const window = new BrowserWindow({
    ...visibleBounds(settings.window, displays),
    ...MIN_SIZE,
    show: false,
    webPreferences: {
      preload: join(import.meta.dirname, '../preload/index.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }));
  window.webContents.on('will-navigate', (event) => {
    event.preventDefault();
  });
  window.once('ready-to-show', () => {
    if (settings.window?.isMaximized === true) window.maximize?.();
    window.show();
  });
  window.on('close', () => {
    settings.setWindow(stateOf(window));
  });
  return window;
}

/** The window's size and place, to be found again. */
function stateOf(window: BrowserWindow): WindowState {
  const { x, y, width, height } = window.getNormalBounds?.() ?? window.getBounds();
  return { x, y, width, height, isMaximized: window.isMaximized?.() ?? false };
}

/** The message pipe of the window's own page; messages of any other sender are not heard. */
export function windowPipe(window: BrowserWindow): Pipe {
  const { webContents } = window;
  return {
    send: (message) => {
      if (!webContents.isDestroyed()) webContents.send(RPC_CHANNEL, message);
    },
    onMessage: (listener) => {
      const hear = (event: IpcMainEvent, message: unknown): void => {
        if (event.sender === webContents && event.senderFrame?.parent === null) listener(message);
      };
      ipcMain.on(RPC_CHANNEL, hear);
      window.once('closed', () => ipcMain.off(RPC_CHANNEL, hear));
    },
    onClose: (listener) => {
      window.once('closed', listener);
    },
  };
}

/** Lets the window close at once when nothing would be lost, else has the page ask the user. Returns the function that closes for good. */
export function askBeforeClose(window: BrowserWindow, workbench: Workbench): () => void {
  let isAgreed = false;
  window.on('close', (event) => {
    const { dirty } = workbench.state;
    const running = workbench.queue.isBusy;
    if (isAgreed || (!dirty && !running)) return;
    event.preventDefault();
    workbench.emit('app/closeRequested', { dirty, running });
  });
  return () => {
    isAgreed = true;
    window.close();
  };
}

/** Name of the project in the title bar, with a dot while there is something to save. */
export function showTitle(window: BrowserWindow, workbench: Workbench): void {
  const { name, dirty, path } = workbench.state;
  window.setTitle(`${name}${dirty ? ' ●' : ''} – blklab`);
  window.setRepresentedFilename?.(path ?? '');
  window.setDocumentEdited?.(dirty);
}

/** Loads the page: from the development server when there is one, else the built file. */
export async function loadPage(window: BrowserWindow, appUrl: string | undefined): Promise<void> {
  const development = process.env['ELECTRON_RENDERER_URL'];
  if (development !== undefined) return window.loadURL(development);
  const file = join(import.meta.dirname, '../renderer/index.html');
  if (!existsSync(file)) throw new Error(`the renderer is not built: no ${file}`);
  return appUrl === undefined ? window.loadFile(file) : window.loadURL(appUrl);
}

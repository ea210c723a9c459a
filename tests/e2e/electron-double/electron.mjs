// The part of Electron's main process that blklab uses. Anything else throws by name.
import { EventEmitter } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebContents, webContents } from './web-contents.mjs';

let environment;

/** Called once by boot.mjs, before the app is loaded. */
export function attach(given) {
  environment = given;
}

/** An object whose missing members are errors that name them. */
function strict(name, members) {
  return new Proxy(members, {
    get: (target, key) => {
      if (key in target) return typeof target[key] === 'function' ? target[key].bind(target) : target[key];
      if (typeof key === 'symbol' || key === 'then' || key === 'toJSON') return undefined;
      throw new Error(`double: electron.${name}.${key} is not there`);
    },
  });
}

class App extends EventEmitter {
  isPackaged = false;
  #isReady = Promise.withResolvers();

  _ready() {
    this.emit('ready');
    this.#isReady.resolve();
  }

  whenReady() {
    return this.#isReady.promise;
  }

  getPath(name) {
    if (name !== 'userData') throw new Error(`double: no path ${name}`);
    return environment.userData;
  }

  getAppPath() {
    return environment.appPath;
  }

  getName() {
    return environment.name;
  }

  getVersion() {
    return environment.version;
  }

  requestSingleInstanceLock() {
    return true;
  }

  quit() {
    let isStopped = false;
    this.emit('before-quit', { preventDefault: () => (isStopped = true) });
    if (isStopped) return;
    this.emit('will-quit', { preventDefault() {} });
    this.emit('quit', {}, 0);
    setImmediate(() => process.exit(0));
  }

  exit(code = 0) {
    process.exit(code);
  }
}

export const app = strict('app', new App());
export const ipcMain = strict('ipcMain', new EventEmitter());

const windows = new Set();

export class BrowserWindow extends EventEmitter {
  #isVisible;
  #title = '';
  #size;

  static getAllWindows() {
    return [...windows];
  }

  static fromWebContents(contents) {
    return [...windows].find((window) => window.webContents === contents) ?? null;
  }

  static getFocusedWindow() {
    return [...windows].at(-1) ?? null;
  }

  constructor({ webPreferences = {}, width = 800, height = 600, show = true } = {}) {
    super();
    this.webContents = new WebContents(environment.context, webPreferences, (channel, event, args) =>
      ipcMain.emit(channel, event, ...args),
    );
    this.#isVisible = show;
    this.#size = { width, height };
    windows.add(this);
    void this.webContents.setSize(width, height);
    this.webContents.once('did-finish-load', () => this.emit('ready-to-show'));
    this.webContents.once('destroyed', () => {
      windows.delete(this);
      this.emit('closed');
      if (windows.size === 0) app.emit('window-all-closed');
    });
  }

  loadFile(file) {
    return this.webContents.load(pathToFileURL(resolve(file)).href);
  }

  loadURL(url) {
    return this.webContents.load(url);
  }

  show() {
    this.#isVisible = true;
  }

  isVisible() {
    return this.#isVisible;
  }

  isDestroyed() {
    return this.webContents.isDestroyed();
  }

  /** Asks the app first, as the close button does. */
  close() {
    let isStopped = false;
    this.emit('close', { preventDefault: () => (isStopped = true) });
    if (!isStopped) this.webContents.close();
  }

  setTitle(title) {
    this.#title = title;
  }

  getTitle() {
    return this.#title;
  }

  getBounds() {
    return { x: 0, y: 0, ...this.#size };
  }

  focus() {}

  isMinimized() {
    return false;
  }

  restore() {}
}

/** Nobody is there to answer: everything is cancelled, unless a test puts its own answer here. */
export const dialog = strict('dialog', {
  showOpenDialog: () => Promise.resolve({ canceled: true, filePaths: [] }),
  showSaveDialog: () => Promise.resolve({ canceled: true, filePath: '' }),
  showErrorBox: (title, text) => console.error(`${title}: ${text}`),
});

let applicationMenu = null;
export const Menu = strict('Menu', {
  setApplicationMenu: (menu) => {
    applicationMenu = menu;
  },
  getApplicationMenu: () => applicationMenu,
  buildFromTemplate: (template) => ({ items: template }),
});

export default { app, BrowserWindow, dialog, ipcMain, Menu, webContents };

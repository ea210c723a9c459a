// One page of the stand-in: the real preload in an isolated world, messages both ways over the debugging protocol, navigation as main allows it.
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { makeCodec } from './codec.mjs';
import { mainWorld, preloadWorld } from './page.mjs';

const WORLD = 'Electron Isolated Context';
const codec = makeCodec();
const all = new Map();

export class WebContents extends EventEmitter {
  id = all.size + 1;
  gone = false;
  #page;
  #debug;
  #worldId;
  #sending = Promise.resolve();
  #mayOpen = () => ({ action: 'allow' });
  #receive;

  constructor(context, preferences, receive) {
    super();
    if (preferences.sandbox !== true || preferences.contextIsolation === false || preferences.nodeIntegration)
      throw new Error('double: only a sandboxed, isolated page without Node is modelled');
    all.set(this.id, this);
    this.#receive = receive;
    this.opened = this.#open(context, preferences);
  }

  async #open(context, { preload }) {
    this.#page = await context.newPage();
    const debug = (this.#debug = await context.newCDPSession(this.#page));
    this.targetId = (await debug.send('Target.getTargetInfo')).targetInfo.targetId;
    debug.on('Runtime.executionContextCreated', ({ context: world }) => {
      if (world.name === WORLD) this.#worldId = world.id;
    });
    debug.on('Runtime.bindingCalled', ({ name, payload }) => {
      if (name === '__ipcToMain') this.#fromPage(codec.decode(payload));
    });
    await debug.send('Runtime.enable');
    await debug.send('Page.enable');
    await debug.send('Runtime.addBinding', { name: '__ipcToMain', executionContextName: WORLD });
    await debug.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${mainWorld})()` });
    const source = JSON.stringify(readFileSync(preload, 'utf8'));
    await debug.send('Page.addScriptToEvaluateOnNewDocument', {
      worldName: WORLD,
      source: `(${preloadWorld})(${makeCodec}, ${source})`,
    });
    await this.#watch(this.#page);
  }

  async #watch(page) {
    page.on('close', () => {
      this.gone = true;
      this.emit('destroyed');
    });
    page.on('load', () => this.emit('did-finish-load'));
    page.on('popup', (popup) => {
      if (this.#mayOpen({ url: popup.url() }).action === 'deny') void popup.close();
    });
    // what the page itself wants to go to; the app's own page comes from its file
    await page.route(/^https?:/, async (route) => {
      let isStopped = false;
      if (route.request().isNavigationRequest())
        this.emit('will-navigate', { url: route.request().url(), preventDefault: () => (isStopped = true) });
      await (isStopped ? route.abort('aborted') : route.continue());
    });
  }

  #fromPage({ channel, args }) {
    const senderFrame = { parent: null, url: this.#page.url() };
    this.#receive(channel, { sender: this, senderFrame }, args);
  }

  send(channel, ...args) {
    const text = JSON.stringify(codec.encode({ channel, args }));
    this.#sending = this.#sending
      .then(() =>
        this.#debug.send('Runtime.evaluate', { contextId: this.#worldId, expression: `__ipcDeliver(${text})` }),
      )
      .catch((error) => {
        if (!this.gone) throw error;
      });
  }

  isDestroyed() {
    return this.gone;
  }

  getURL() {
    return this.#page.url();
  }

  setWindowOpenHandler(handler) {
    this.#mayOpen = handler;
  }

  async load(url) {
    await this.opened;
    await this.#page.goto(url);
  }

  async setSize(width, height) {
    await this.opened;
    await this.#page.setViewportSize({ width, height });
  }

  close() {
    void this.opened.then(() => this.#page.close());
  }
}

export const webContents = {
  fromDevToolsTargetId: (id) => [...all.values()].find((contents) => contents.targetId === id),
  getAllWebContents: () => [...all.values()],
  fromId: (id) => all.get(id),
};

// Source that runs inside Chromium. `mainWorld` is the page's end of contextBridge, `preloadWorld` an isolated world with the real preload in it.
// The two share the document, and talk by its events; functions cross as numbers.
/* global document, window */

export function mainWorld() {
  const functions = new Map();
  let last = 0;
  let returned;
  const outward = (value) => {
    if (typeof value !== 'function') return value;
    functions.set(++last, value);
    return { $function: last };
  };
  const call = (id, args) => {
    const detail = structuredClone({ id, args: args.map(outward) }); // throws, as the real bridge does, on what cannot cross
    returned = undefined;
    document.dispatchEvent(new CustomEvent('bridge:call', { detail }));
    if (returned?.error !== undefined) throw new Error(returned.error);
    return returned?.value;
  };
  const build = (shape) => {
    if (shape.kind === 'function') return (...args) => call(shape.id, args);
    if (shape.kind === 'value') return shape.value;
    return Object.freeze(Object.fromEntries(shape.entries.map(([key, inner]) => [key, build(inner)])));
  };
  document.addEventListener('bridge:return', ({ detail }) => {
    returned = detail;
  });
  document.addEventListener('bridge:callback', ({ detail }) => functions.get(detail.id)?.(...detail.args));
  document.addEventListener('bridge:expose', ({ detail }) => {
    Object.defineProperty(window, detail.key, { value: build(detail.shape), enumerable: true });
  });
}

export function preloadWorld(makeCodec, source) {
  const codec = makeCodec();
  const listeners = new Map();
  const exposed = new Map();
  let last = 0;
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

  const ipcRenderer = {
    send: (channel, ...args) => globalThis.__ipcToMain(codec.encode({ channel, args })),
    on: (channel, listener) => {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener]);
      return ipcRenderer;
    },
  };
  globalThis.__ipcDeliver = (text) => {
    const { channel, args } = codec.decode(text);
    for (const listener of listeners.get(channel) ?? []) listener({ sender: ipcRenderer }, ...args);
  };

  const inward = (value) =>
    value !== null && typeof value === 'object' && '$function' in value
      ? (...args) => say('bridge:callback', { id: value.$function, args })
      : value;
  document.addEventListener('bridge:call', ({ detail }) => {
    try {
      say('bridge:return', { value: structuredClone(exposed.get(detail.id)(...detail.args.map(inward))) });
    } catch (error) {
      say('bridge:return', { error: String(error?.message ?? error) });
    }
  });
  const shapeOf = (value) => {
    if (typeof value === 'function') {
      exposed.set(++last, value);
      return { kind: 'function', id: last };
    }
    if (value === null || typeof value !== 'object') return { kind: 'value', value };
    return { kind: 'object', entries: Object.keys(value).map((key) => [key, shapeOf(value[key])]) };
  };
  const contextBridge = { exposeInMainWorld: (key, api) => say('bridge:expose', { key, shape: shapeOf(api) }) };
  const require = (name) => {
    if (name === 'electron') return { contextBridge, ipcRenderer };
    throw new Error(`module not found: ${name}`); // all that a sandboxed preload gets
  };
  const module = { exports: {} };
  new Function('require', 'module', 'exports', source)(require, module, module.exports);
}

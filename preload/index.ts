/**
 * The bridge between the page and main: one channel of messages, nothing else. The page gets functions, never the IPC object or its events; what may be
 * called is decided in main, where every message's sender is checked and its payload parsed.
 */
import { contextBridge, ipcRenderer } from 'electron';
import { BRIDGE_KEY, RPC_CHANNEL, type Bridge } from '../core/contract/bridge.ts';

const bridge: Bridge = {
  host: 'electron',
  send: (message) => {
    ipcRenderer.send(RPC_CHANNEL, message);
  },
  onMessage: (listener) => {
    ipcRenderer.on(RPC_CHANNEL, (_event, message: unknown) => {
      listener(message);
    });
  },
};

contextBridge.exposeInMainWorld(BRIDGE_KEY, bridge);

/** What the preload script offers to the page of the desktop face as `window.blklab`; absent in a browser. It is a `Pipe` (rpc.ts). */

/** Channel of the one message pipe between page and main. */
export const RPC_CHANNEL = 'blklab:rpc';

/** Name of the bridge on `window`. */
export const BRIDGE_KEY = 'blklab';

export interface Bridge {
  readonly host: 'electron';
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

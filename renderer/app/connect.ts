/** The pipe to main: the preload's bridge in the desktop window, else one WebSocket to where the page came from, with the token of the link. */
import { BRIDGE_KEY, type Bridge } from '../../core/contract/bridge.ts';
import type { Pipe } from '../../core/contract/rpc.ts';
import { encode, FrameDecoder } from '../../core/contract/wire.ts';

/** The bridge where there is one, else a socket. Rejects when nobody answers. */
export function openPipe(): Promise<Pipe> {
  const bridge = (window as unknown as Readonly<Record<string, unknown>>)[BRIDGE_KEY] as Bridge | undefined;
  return bridge === undefined ? openSocket() : Promise.resolve(bridge);
}

function openSocket(): Promise<Pipe> {
  const token = new URLSearchParams(location.hash.slice(1)).get('t') ?? '';
  const socket = new WebSocket(`ws://${location.host}/rpc?t=${encodeURIComponent(token)}`);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(pipeOf(socket)));
    socket.addEventListener('error', () => reject(new Error('no answer')));
  });
}

function pipeOf(socket: WebSocket): Pipe {
  return {
    send: (message) => {
      for (const frame of encode(message)) socket.send(frame);
    },
    onMessage: (listener) => {
      const decoder = new FrameDecoder();
      socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
        const whole = decoder.push(typeof data === 'string' ? data : new Uint8Array(data));
        if (whole !== undefined) listener(whole.message);
      });
    },
    onClose: (listener) => {
      socket.addEventListener('close', listener);
    },
  };
}

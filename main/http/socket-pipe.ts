/** A WebSocket as a pipe. A frame that is not of ours closes the socket. */
import type { WebSocket } from 'ws';
import type { Pipe } from '../../core/contract/rpc.ts';
import { encode, FrameDecoder } from '../../core/contract/wire.ts';

/** @source RFC 6455 7.4.1: 1008, a message violates the endpoint's policy */
const POLICY_VIOLATION = 1008;

export function socketPipe(socket: WebSocket): Pipe {
  const decoder = new FrameDecoder();
  return {
    send: (message) => {
      if (socket.readyState === socket.OPEN) for (const frame of encode(message)) socket.send(frame);
    },
    onMessage: (listener) => {
      socket.on('message', (data: Buffer, isBinary) => {
        let whole: ReturnType<FrameDecoder['push']>;
        try {
          whole = decoder.push(isBinary ? data : data.toString('utf8'));
        } catch {
          // whoever sends this does not speak our language
          socket.close(POLICY_VIOLATION, 'unexpected frame');
          return;
        }
        if (whole !== undefined) listener(whole.message);
      });
    },
    onClose: (listener) => {
      socket.on('close', listener);
    },
  };
}

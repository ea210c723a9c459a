/** Hands the medium of a run over, page by page in order: neighbouring pages as one message, each message for a credit, so that no more than a few of them exist at a time. */
import type { MessagePort } from 'node:worker_threads';
import type { MediumPages } from '../../core/experiment/run-port.ts';
import type { ImageMessage, RunControl } from './run-channel.ts';

/** Most bytes of a message. @assume large enough that messages do not count */
const MESSAGE_BYTES = 1024 ** 2;

/** Sends everything, unless the receiver breaks off. Context: the run worker only (it blocks). */
export function sendMedium(medium: MediumPages, port: MessagePort, control: RunControl): void {
  let from = 0;
  let bytes = new Uint8Array(MESSAGE_BYTES);
  let used = 0;
  const send = (): boolean => {
    if (used === 0) return true;
    if (!control.take()) return false;
    port.postMessage({ kind: 'pages', offsetBytes: from, bytes: bytes.subarray(0, used) } satisfies ImageMessage, [
      bytes.buffer,
    ]);
    bytes = new Uint8Array(MESSAGE_BYTES);
    used = 0;
    return true;
  };
  medium.visitPages((offsetBytes, page) => {
    if ((from + used !== offsetBytes || used + page.length > MESSAGE_BYTES) && !send()) return false;
    if (used === 0) from = offsetBytes;
    bytes.set(page, used);
    used += page.length;
    return true;
  });
  if (!send()) return;
  port.postMessage({ kind: 'end', capacityBytes: medium.capacityBytes } satisfies ImageMessage);
}

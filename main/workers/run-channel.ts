/**
 * What passes between a run worker, the store worker and main: batches by transfer over a port, and a few words of shared memory.
 *
 * Back-pressure is by credits: the run may have `CREDITS` batches on the way; without credit it sleeps on the shared word until the store has
 * written one. Cancelling is a flag that the run looks at between slices, so it needs no message loop there.
 */
import type { TraceBatch } from '../../core/trace/schema.ts';
import type { RunSummary } from '../../core/contract/summary.ts';
import type { RunSnapshot } from '../../core/experiment/run-port.ts';

/** Batches handed over and not yet written, at most. */
export const CREDITS = 8;

const CANCEL = 0;
const CREDIT = 1;
const BROKEN = 2;

/** How long a sleeping run goes without looking at the cancel flag. @assume a user does not notice this. */
const LOOK_EVERY_MS = 50;

/** The shared words of one run. */
export class RunControl {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
  }

  /** Gives the run its first credits. */
  grant(): void {
    Atomics.store(this.words, CREDIT, CREDITS);
  }

  cancel(): void {
    Atomics.store(this.words, CANCEL, 1);
    Atomics.notify(this.words, CREDIT);
  }

  get isCancelled(): boolean {
    return Atomics.load(this.words, CANCEL) !== 0;
  }

  /** Nobody takes batches any more: the run need not go on. */
  breakOff(): void {
    Atomics.store(this.words, BROKEN, 1);
    Atomics.notify(this.words, CREDIT);
  }

  get isBroken(): boolean {
    return Atomics.load(this.words, BROKEN) !== 0;
  }

  /** A batch has been written. */
  giveBack(): void {
    Atomics.add(this.words, CREDIT, 1);
    Atomics.notify(this.words, CREDIT);
  }

  /** Takes a credit, sleeping until there is one. False when the receiver is gone. Context: the run worker only (it blocks). */
  take(): boolean {
    while (!this.isBroken) {
      if (Atomics.load(this.words, CREDIT) > 0) {
        Atomics.sub(this.words, CREDIT, 1);
        return true;
      }
      Atomics.wait(this.words, CREDIT, 0, LOOK_EVERY_MS);
    }
    return false;
  }
}

/** What the run sends to the store. */
export type RowsMessage = { readonly kind: 'batch'; readonly batch: TraceBatch } | { readonly kind: 'end' };

/** What a run with data sends of its medium, in order. */
export type ImageMessage =
  | { readonly kind: 'pages'; readonly offsetBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly capacityBytes: number };

/** What the run tells main. */
export type RunMessage =
  | { readonly kind: 'progress'; readonly snapshot: RunSnapshot; readonly wallMs: number }
  | { readonly kind: 'ended'; readonly isStopped: boolean; readonly summary: RunSummary; readonly wallMs: number };

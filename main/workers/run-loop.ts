/**
 * Drives one run from first slice to summary: slices, progress, cancelling, handing batches over. Knows a run only as a `RunObject`.
 *
 * The loop never returns to the worker's event loop: everything it must notice is in shared memory.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { RunObject } from '../../core/experiment/run-port.ts';
import type { BatchSink, TraceBatch } from '../../core/trace/schema.ts';
import { sendMedium } from './send-medium.ts';
import { RunControl, type RowsMessage, type RunMessage } from './run-channel.ts';

/** Events per slice. @assume some milliseconds of work, so that cancelling feels immediate and looking costs nothing. */
const SLICE_EVENTS = 8192;

/** Progress is told at most ten times a second. */
const PROGRESS_EVERY_MS = 100;

/** What a run worker is started with. */
export interface RunTask {
  /** A `ValidExperiment`, already validated. */
  readonly experiment: unknown;
  readonly control: SharedArrayBuffer;
  /** Where rows go; undefined when nobody keeps them. */
  readonly rows: MessagePort | undefined;
  /** Where the medium of a run with data goes when it is done; undefined when nobody wants it. */
  readonly image: { readonly port: MessagePort; readonly control: SharedArrayBuffer } | undefined;
}

export type CreateRun = (experiment: never, sink: BatchSink) => RunObject;

/** Runs the task of this worker. */
export function driveRun(createRun: CreateRun): void {
  const port = parentPort;
  if (port === null) throw new Error('not in a worker');
  const { experiment, control: buffer, rows, image } = workerData as RunTask;
  const control = new RunControl(buffer);
  const tell = (message: RunMessage): void => port.postMessage(message);
  const startedMs = performance.now();
  const run = createRun(experiment as never, sinkTo(rows, control));
  let toldMs = startedMs;
  let isGoing = true;
  while (isGoing && !control.isCancelled && !control.isBroken) {
    isGoing = run.slice(SLICE_EVENTS);
    const nowMs = performance.now();
    if (nowMs - toldMs < PROGRESS_EVERY_MS) continue;
    toldMs = nowMs;
    tell({ kind: 'progress', snapshot: run.snapshot(), wallMs: nowMs - startedMs });
  }
  const summary = run.finish(isGoing);
  rows?.postMessage({ kind: 'end' } satisfies RowsMessage);
  rows?.close();
  if (image !== undefined) {
    if (!isGoing && summary.run.status === 'done' && run.medium !== undefined)
      sendMedium(run.medium, image.port, new RunControl(image.control));
    image.port.close();
  }
  tell({ kind: 'ended', isStopped: isGoing, summary, wallMs: performance.now() - startedMs });
}

/** Batches go to the store by transfer, each for a credit; without a store they are dropped. */
function sinkTo(rows: MessagePort | undefined, control: RunControl): BatchSink {
  if (rows === undefined) return () => undefined;
  return (batch: TraceBatch) => {
    if (!control.take()) return;
    rows.postMessage(
      { kind: 'batch', batch } satisfies RowsMessage,
      batch.columns.map((column) => column.buffer),
    );
  };
}

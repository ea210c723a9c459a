/**
 * Executes one run in a run worker of its own, recording into a project when there is one.
 *
 * However the worker ends (a summary, an uncaught error, out of memory), the answer is a `RunEnding`: the rows that arrived are kept, and the next
 * run gets a fresh worker.
 */
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { BlklabError } from '../../core/contract/errors.ts';
import type { RunStatus, RunSummary } from '../../core/contract/summary.ts';
import type { RunSnapshot } from '../../core/experiment/run-port.ts';
import type { Writer } from '../project/project-store.ts';
import { workerFile } from '../workers/locate.ts';
import { RunControl, type RunMessage } from '../workers/run-channel.ts';
import type { RunTask } from '../workers/run-loop.ts';

/** Where the rows of a run go. */
export interface RunRecord {
  readonly writer: Writer;
  readonly runId: number;
}

export interface RunEnding {
  readonly status: Exclude<RunStatus, 'running' | 'interrupted'>;
  readonly summary: RunSummary | null;
  readonly wallMs: number;
  /** What went wrong, in words. */
  readonly message: string | null;
}

export type OnProgress = (snapshot: RunSnapshot, wallMs: number) => void;

export interface RunOptions {
  /** Entry file of the worker; another one only in tests of what happens when a run misbehaves. */
  readonly workerPath?: string;
  /** Takes the medium of a run with data. */
  readonly image?: { readonly port: MessagePort; readonly control: RunControl } | undefined;
}

/** A run under way. */
export interface RunningRun {
  readonly ending: Promise<RunEnding>;
  /** Asks the run to stop; what it has measured so far is summed up. */
  stop(): void;
}

/** What the worker left behind. */
type WorkerResult = Extract<RunMessage, { kind: 'ended' }> | { readonly kind: 'died'; readonly reason: string };

/** Starts a run. `experiment` is a `ValidExperiment`. */
export function startRun(
  experiment: unknown,
  record: RunRecord | undefined,
  onProgress: OnProgress,
  options: RunOptions = {},
): RunningRun {
  const control = new RunControl();
  control.grant();
  const startedMs = performance.now();
  const channel = record === undefined ? undefined : new MessageChannel();
  const stored = storeRows(record, channel?.port2, control);
  const image = options.image && { port: options.image.port, control: options.image.control.buffer };
  const task: RunTask = { experiment, control: control.buffer, rows: channel?.port1, image };
  const worker = new Worker(options.workerPath ?? workerFile('run-worker'), {
    name: 'run worker',
    workerData: task,
    transferList: [channel?.port1, image?.port].filter((port) => port !== undefined),
  });
  const ending = Promise.all([waitFor(worker, onProgress), stored]).then(async ([result, storeError]) => {
    await worker.terminate();
    return endingOf(result, storeError, performance.now() - startedMs, record?.runId ?? null);
  });
  return { ending, stop: () => control.cancel() };
}

/** Lets the store take the rows. Resolves, when they are all written, with what went wrong there. */
async function storeRows(
  record: RunRecord | undefined,
  port: MessagePort | undefined,
  control: RunControl,
): Promise<BlklabError | undefined> {
  if (record === undefined || port === undefined) return undefined;
  try {
    await record.writer.call('takeRows', [record.runId, port, control.buffer], [port]);
    return undefined;
  } catch (error) {
    control.breakOff();
    return error instanceof BlklabError ? error : new BlklabError('STORE', String(error));
  }
}

function waitFor(worker: Worker, onProgress: OnProgress): Promise<WorkerResult> {
  return new Promise((resolve) => {
    worker.on('message', (message: RunMessage) => {
      if (message.kind === 'progress') onProgress(message.snapshot, message.wallMs);
      else resolve(message);
    });
    worker.on('error', (error) =>
      resolve({ kind: 'died', reason: error instanceof Error ? error.message : String(error) }),
    );
    worker.on('exit', (code) => resolve({ kind: 'died', reason: `its worker ended with code ${code}` }));
  });
}

function endingOf(
  result: WorkerResult,
  storeError: BlklabError | undefined,
  wallMs: number,
  runId: number | null,
): RunEnding {
  if (result.kind === 'died')
    return {
      status: 'failed',
      summary: null,
      wallMs,
      message: `The run failed: ${result.reason}. Rows written before are kept.`,
    };
  const given = result.summary.run.status;
  const reached = result.isStopped ? 'stopped' : given === 'running' || given === 'interrupted' ? 'failed' : given;
  const status = storeError === undefined ? reached : 'failed';
  const run = { ...result.summary.run, id: runId, status, wallMs: Math.round(result.wallMs) };
  return { status, summary: { ...result.summary, run }, wallMs, message: storeError?.message ?? null };
}

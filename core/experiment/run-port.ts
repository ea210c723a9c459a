/**
 * What the run worker drives: a run as an object with slices. `createRun` in `run.ts` makes one from a validated experiment; the worker knows
 * nothing of what is inside.
 */
import type { RunSummary } from './summary.ts';
import type { StageId } from '../trace/stages.ts';

/** What a run can say about itself between slices. */
export interface RunSnapshot {
  readonly simNs: number;
  /** 0..1 by simulated time or by I/Os, whichever bounds the run; NaN when unknown. */
  readonly fraction: number;
  readonly events: number;
  readonly ios: number;
  readonly requests: number;
  readonly inFlight: number;
  /** Of the I/Os completed since the previous snapshot; NaN when there were none. */
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/** The parts of a summary that a run knows; the worker's owner adds the id and the wall time. */
export type RunOutcome = RunSummary;

/** The medium of a run with data. */
export interface MediumPages {
  readonly capacityBytes: number;
  /** Every page that was written, in order of its place, until `visit` returns false. The bytes are not the visitor's to keep. */
  visitPages(visit: (offsetBytes: number, bytes: Uint8Array) => boolean): void;
}

export interface RunObject {
  /** Stages that the built stack can produce: only their columns exist in batches. */
  readonly stages: readonly StageId[];
  /** Only of runs with data. */
  readonly medium?: MediumPages;
  /** Dispatches up to `maxEvents` events. False when the run is over (or in deadlock). */
  slice(maxEvents: number): boolean;
  snapshot(): RunSnapshot;
  /** Hands the last, partly filled batches to the sink and returns the summary. `stopped`: the user ended the run early. */
  finish(stopped: boolean): RunOutcome;
}

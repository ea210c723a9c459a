/** What is told about runs across the contract: the summary object (made by the experiment room) and the progress of a run under way. */
export type { DirectionSummary, LatencySummary, RunStatus, RunSummary, StageSummary } from '../experiment/summary.ts';

/** What a run tells while it is under way; sent at most ten times a second. */
export interface RunProgress {
  readonly runId: number;
  readonly experimentId: number;
  readonly simNs: number;
  /** 0..1, or null while it cannot be told. */
  readonly fraction: number | null;
  readonly events: number;
  readonly ios: number;
  readonly requests: number;
  readonly inFlight: number;
  readonly wallMs: number;
  /** Milliseconds still to go, or null while estimating. */
  readonly etaMs: number | null;
  readonly storedRows: number;
  /** Since the last progress message, from the run's own histogram. */
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
}

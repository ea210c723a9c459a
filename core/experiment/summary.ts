/** The summary object of a run (design, section 8): what `run --json` prints and what the `run.summary` column holds. All times in ns. */

import type { InjectedFault } from '../faults/injector.ts';

export type RunStatus = 'running' | 'done' | 'stopped' | 'deadlock' | 'failed' | 'interrupted';

/** Percentiles are null when fewer than ten samples lie beyond them ("n too small"). */
export interface LatencySummary {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly stddev: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p99_9: number | null;
  readonly p99_99: number | null;
}

export interface DirectionSummary {
  readonly ios: number;
  readonly bytes: number;
  readonly iops: number;
  readonly bwBytes: number;
  readonly latNs: LatencySummary;
  /** Of `ios`, how many failed, by status (`{ "EIO": 3 }`). Missing when none did. */
  readonly errors?: Readonly<Record<string, number>>;
}

export interface StageSummary {
  /** Mean over all I/Os (those that never were in the stage count as 0). */
  readonly meanNs: number;
  /** Share of the sum of all total latencies, 0..1. */
  readonly share: number;
  readonly p99Ns: number | null;
}

export interface RunSummary {
  readonly run: {
    readonly id: number | null;
    readonly name: string;
    readonly seed: number;
    readonly status: RunStatus;
    readonly simNs: number;
    readonly wallMs: number;
    readonly events: number;
    readonly ios: number;
    readonly requests: number;
    readonly traceHash: string;
  };
  readonly jobs: Readonly<Record<string, Partial<Record<'read' | 'write' | 'trim' | 'sync', DirectionSummary>>>>;
  readonly stages: Readonly<Record<string, StageSummary>>;
  readonly keyslots: {
    readonly slots: number;
    readonly programs: number;
    readonly hits: number;
    readonly evictions: number;
    readonly waits: number;
    readonly waitNs: number;
  };
  readonly block: {
    readonly bios: number;
    readonly requests: number;
    readonly merges: number;
    readonly splits: number;
    readonly requeues: number;
    readonly tagWaits: number;
    readonly flushes: number;
  };
  readonly cpu: {
    /** Busy share per CPU, 0..1. */
    readonly busyShare: readonly number[];
    readonly contextSwitches: number;
    readonly interrupts: number;
    readonly softirqs: number;
    readonly wakeups: number;
  };
  /** Counters of the device (host controller, media). */
  readonly device: Readonly<Record<string, number>>;
  readonly crypto: Readonly<Record<string, number>>;
  /** What the device's inline encryption can do: file name → content below `/sys/block/<disk>/queue/crypto/`. Missing when nobody encrypts, or the device cannot. */
  readonly cryptoSysfs?: Readonly<Record<string, string>>;
  readonly dm: Readonly<Record<string, number>>;
  /** Blocks written, read and verified; only of runs with data. */
  readonly data?: Readonly<Record<string, number>>;
  readonly deadlock: null | { readonly chain: readonly string[]; readonly lastEvents: readonly string[] };
  readonly violations: readonly string[];
  /** What became of the planned faults, in the order of the plan. Missing when there were none, and in runs of earlier versions. */
  readonly faults?: { readonly injected: readonly InjectedFault[] };
  /** What the user should know about an otherwise valid run: jobs that ended early, and why. Missing in runs of earlier versions. */
  readonly warnings?: readonly string[];
}

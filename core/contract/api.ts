/**
 * The one contract between the renderer and main: methods and topics, over Electron IPC and over WebSocket alike. Types only. Names are `area/verb`.
 *
 * Typed arrays cross as they are. Errors cross as `WireError` data.
 */
import type { Problem } from './errors.ts';
import type { RunProgress, RunStatus, RunSummary } from './summary.ts';

/** A definition as the user wrote it: JSON, unit texts kept. Checked by `definition/validate`, not by the transport. */
export type DefinitionJson = unknown;

export interface AppInfo {
  readonly face: 'electron' | 'browser';
  readonly version: string;
  readonly fileFormat: number;
  readonly node: string;
  readonly sqlite: string;
  readonly platform: string;
}

export interface ProjectState {
  /** Absolute path; null for a project that was never saved (it lives in a temporary file). */
  readonly path: string | null;
  readonly name: string;
  /** A definition's draft differs from its saved revision, or the project was never saved. */
  readonly dirty: boolean;
  readonly readOnly: boolean;
  /** Runs that a crash had left unfinished and that were marked `interrupted` when the project was opened. */
  readonly recoveredRuns: number;
}

export interface ExperimentRow {
  readonly id: number;
  readonly name: string;
  /** The draft when there is one, else the latest revision. */
  readonly definition: DefinitionJson;
  readonly revision: number;
  readonly dirty: boolean;
  readonly createdAt: string;
}

export interface RunRow {
  readonly id: number;
  readonly experimentId: number;
  readonly seed: number;
  readonly repeat: number;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly wallMs: number;
  readonly simNs: number;
  readonly events: number;
  readonly ios: number;
  readonly requests: number;
  readonly traceHash: string | null;
  /** True when the experiment's definition has changed since. */
  readonly outdated: boolean;
  readonly hasRows: boolean;
}

export type RowTable = 'io' | 'request';

export interface SortKey {
  readonly column: string;
  readonly descending: boolean;
}

/** A page of a table. `where` is a condition over column names (the raw-SQL part of the filter box), checked and run read-only. */
export interface PageQuery {
  readonly runId: number;
  readonly table: RowTable;
  readonly where: string;
  readonly sort: SortKey | null;
  readonly offset: number;
  readonly limit: number;
}

export interface Page {
  readonly columns: readonly string[];
  /** Row-major values; null for NULL. */
  readonly rows: readonly (readonly (number | string | null)[])[];
  /** Rows that match `where` in all. */
  readonly total: number;
}

export interface ChartQuery {
  readonly runId: number;
  readonly where: string;
}

export interface HistogramData {
  /** Bucket edges in ns, length n + 1, log-spaced. */
  readonly edgesNs: Float64Array;
  readonly counts: Float64Array;
  readonly n: number;
}

/** Latency over time on a grid: `counts[y * columns + x]` requests in the cell, and percentiles per column. */
export interface LatencyOverTime {
  readonly columns: number;
  readonly rows: number;
  readonly fromNs: number;
  readonly toNs: number;
  /** Log-spaced edges of the rows, length rows + 1. */
  readonly edgesNs: Float64Array;
  readonly counts: Float64Array;
  /** Per column; NaN where there is nothing. */
  readonly p50Ns: Float64Array;
  readonly p99Ns: Float64Array;
  readonly n: number;
}

export interface StageShare {
  readonly stage: string;
  readonly meanNs: number;
  readonly share: number;
}

export interface StageBands {
  /** Mean stage times over all I/Os of the filter, and over those at or above p99 of total. */
  readonly all: readonly StageShare[];
  readonly tail: readonly StageShare[];
  readonly n: number;
  readonly tailN: number;
}

/** A part of a run's keyslot occupancy; `toNs` null: to the end. */
export interface KeyslotQuery {
  readonly runId: number;
  readonly fromNs: number;
  readonly toNs: number | null;
  /** Resolution: spans shorter than a column are merged. */
  readonly columns: number;
}

/**
 * What keyslots held, span by span, by slot and time. A row stands for one span, or for `spans` of one slot that are each shorter than a column: then the
 * times in each state are sums, and there is only one key if all have it.
 */
export interface KeyslotOccupancy {
  readonly fromNs: number;
  readonly toNs: number;
  /** Slots of the run that ever held a key: the highest number, plus 1. */
  readonly slots: number;
  /** Different keys of the run, the first few in ascending order (KEYS_TOLD). */
  readonly keys: Float64Array;
  /** Per row. */
  readonly slot: Float64Array;
  readonly startNs: Float64Array;
  readonly endNs: Float64Array;
  /** -1: several. */
  readonly keyId: Float64Array;
  readonly spans: Float64Array;
  readonly programs: Float64Array;
  readonly programmingNs: Float64Array;
  readonly inUseNs: Float64Array;
  readonly idleNs: Float64Array;
}

export type Api = {
  'app/info': () => AppInfo;

  'project/state': () => ProjectState;
  /** A fresh, empty project. Fails with BUSY while a run is in progress. */
  'project/new': () => ProjectState;
  'project/open': (p: { path: string }) => ProjectState;
  /** Asks for a path with the native dialog; in the browser face answers null, and the renderer asks itself. */
  'project/pickOpen': () => { path: string | null };
  'project/pickSave': (p: { suggested: string }) => { path: string | null };
  /** Turns drafts into revisions and writes the file; NO_SUCH when the project has no path yet (use saveAs). */
  'project/save': () => ProjectState;
  'project/saveAs': (p: { path: string }) => ProjectState;
  'project/recent': () => readonly { path: string; exists: boolean }[];
  /** The user answered the question about unsaved changes when the window closes. */
  'project/closeAnswer': (p: { answer: 'save' | 'discard' | 'cancel' }) => { closed: boolean };

  'experiment/list': () => readonly ExperimentRow[];
  'experiment/create': (p: { name: string; definition: DefinitionJson }) => ExperimentRow;
  'experiment/rename': (p: { id: number; name: string }) => ExperimentRow;
  /** Keeps the edited definition as a draft at once (crash recovery). */
  'experiment/draft': (p: { id: number; definition: DefinitionJson }) => ExperimentRow;
  'experiment/remove': (p: { id: number }) => { removed: boolean };

  'definition/default': () => { definition: DefinitionJson };
  'definition/validate': (p: { definition: DefinitionJson }) => { problems: readonly Problem[] };
  'definition/schema': () => { schema: unknown };

  /** Validates, queues and starts; VALIDATION with the problems in details. */
  'run/start': (p: { experimentId: number }) => { runId: number };
  'run/stop': (p: { runId: number }) => { stopped: boolean };
  'run/list': (p: { experimentId: number }) => readonly RunRow[];
  'run/summary': (p: { runId: number }) => {
    row: RunRow;
    summary: RunSummary | null;
    definition: DefinitionJson;
    /** There are rows of `keyslot_span`. */
    hasKeyslots: boolean;
  };
  'run/remove': (p: { runId: number }) => { removed: boolean };

  'query/page': (p: PageQuery) => Page;
  'query/histogram': (p: ChartQuery & { bins: number }) => HistogramData;
  'query/latencyOverTime': (p: ChartQuery & { columns: number; rows: number }) => LatencyOverTime;
  'query/stages': (p: ChartQuery) => StageBands;
  'query/keyslots': (p: KeyslotQuery) => KeyslotOccupancy;
  /** Is this condition valid? The message of what is wrong otherwise. */
  'query/checkWhere': (p: { table: RowTable; where: string }) => { ok: boolean; message: string };

  'export/csv': (p: { runId: number; directory: string }) => { files: readonly { path: string; rows: number }[] };
  'export/pickDirectory': () => { path: string | null };
};

export type Topics = {
  'project/changed': ProjectState;
  /** The list of experiments or runs changed. */
  'explorer/changed': { experimentId: number | null };
  'run/progress': RunProgress;
  'run/ended': { runId: number; experimentId: number; status: RunStatus; message: string | null };
  /** The window wants to close while the project has unsaved changes or a run is in progress: ask the user. */
  'app/closeRequested': { dirty: boolean; running: boolean };
  /** A menu command of the desktop face, by id. */
  'app/command': { id: string };
};

export type Method = keyof Api;
export type Params<M extends Method> = Parameters<Api[M]> extends [infer P] ? P : undefined;
export type Result<M extends Method> = ReturnType<Api[M]>;
export type Topic = keyof Topics;

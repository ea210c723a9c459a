/**
 * A fio job, resolved: every value in base units (bytes, nanoseconds, counts), fio's defaults and derived defaults filled in,
 * values by direction as [read, write, trim]. Plain data; `numjobs` is kept, cloning is the generator's work.
 *
 * Sizes that depend on the device stay shares of it (`Extent`) until the generator asks `extentBytes`.
 *
 * @source fio 3.33 HOWTO "Job description"
 */
import type { CmdprioEntry, Distribution, FileService, SplitEntry, SyncFileRange } from './lists.ts';
import type { PerDirection } from './values.ts';

export type { CmdprioEntry, Distribution, FileService, SplitEntry, SyncFileRange, ZoneEntry } from './lists.ts';
export type { PerDirection } from './values.ts';

/** A length or position on the device. */
export type Extent =
  { readonly unit: 'bytes'; readonly bytes: number } | { readonly unit: 'percent'; readonly percent: number };

/** How one direction chooses its block sizes. A split is in the order of its percentages, as fio looks it up. */
export type BlockSizes =
  | { readonly kind: 'fixed'; readonly sizeBytes: number }
  | { readonly kind: 'range'; readonly minBytes: number; readonly maxBytes: number }
  | { readonly kind: 'split'; readonly entries: readonly SplitEntry[] };

export type FioEngine =
  'sync' | 'psync' | 'vsync' | 'pvsync' | 'pvsync2' | 'libaio' | 'io_uring' | 'posixaio' | 'mmap' | 'sg' | 'null';

/** What the I/Os are. */
export interface JobPattern {
  readonly isRandom: boolean;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly trims: boolean;
  /** trimwrite: each block is trimmed, then written. */
  readonly trimThenWrite: boolean;
  /** Percent of a read/write mix that are reads (a draw per I/O, not a quota). */
  readonly readPercent: number;
  /** I/Os per random offset (rand*:N). */
  readonly ioPerOffset: number;
  /** Gap after each sequential I/O (read:SIZE), negative: backwards. */
  readonly holeBytes: number;
  /** What the I/Os after the first of `ioPerOffset` do. */
  readonly sequencer: 'sequential' | 'identical';
}

export interface JobBlocks {
  readonly sizes: PerDirection<BlockSizes>;
  readonly minBytes: PerDirection<number>;
  readonly maxBytes: PerDirection<number>;
  /** Random offsets are multiples of this. */
  readonly alignBytes: PerDirection<number>;
  /** Sizes of a range are not rounded to the smallest block. */
  readonly isUnaligned: boolean;
  /** Write sizes serve random I/O and read sizes sequential I/O, whatever the direction. */
  readonly writeSizesForRandom: boolean;
}

/** The part of the device that the job works on, and how much. */
export interface JobRegion {
  readonly offset: Extent;
  /** Added once per clone number. */
  readonly offsetIncrement: Extent;
  /** 0: percentages of offset are rounded to the smallest block. */
  readonly offsetAlignBytes: number;
  /** undefined: to the end of the device. */
  readonly size: Extent | undefined;
  /** How much I/O; undefined: as much as `size`. */
  readonly ioSize: Extent | undefined;
  readonly fileSizeBytes: { readonly low: number; readonly high: number } | undefined;
  /** Stop after so many I/Os; 0: no such limit. */
  readonly numberIos: number;
  readonly zones: { readonly sizeBytes: number; readonly rangeBytes: number; readonly skipBytes: number } | undefined;
}

export interface JobRandom {
  /** Percent of the I/Os of a random job that are random; the others follow the one before. */
  readonly randomPercent: PerDirection<number>;
  readonly distribution: Distribution;
  readonly generator: 'tausworthe' | 'lfsr' | 'tausworthe64';
  /** Every block once per pass. */
  readonly usesMap: boolean;
  readonly isRepeatable: boolean;
  readonly allRepeatable: boolean;
  readonly seed: number;
  /** The job file sets the seed itself (fio ignores it while randrepeat is 1 up to 3.33). */
  readonly hasOwnSeed: boolean;
}

export interface JobDepth {
  readonly ioDepth: number;
  /** Refill begins when the depth has fallen to this. */
  readonly low: number;
  readonly submitBatch: number;
  /** 0: poll. */
  readonly completeMin: number;
  readonly completeMax: number;
  readonly submitMode: 'inline' | 'offload';
  readonly serializeOverlap: boolean;
}

export interface JobSchedule {
  /** Waits for all jobs before it. */
  readonly stonewall: boolean;
  /** Name of the earlier job to wait for. */
  readonly waitFor: string | undefined;
  /** Drawn per clone between low and high. */
  readonly startDelayNs: { readonly low: number; readonly high: number };
  /** 0: no limit. */
  readonly runtimeNs: number;
  /** Goes on until `runtimeNs`, starting over as often as needed. */
  readonly timeBased: boolean;
  /** Runs before anything is counted; not part of `runtimeNs`. */
  readonly rampNs: number;
  readonly loops: number;
}

export interface JobPace {
  readonly thinktimeNs: number;
  /** The part of the think time spent spinning. */
  readonly thinktimeSpinNs: number;
  readonly thinktimeBlocks: number;
  /** Whether the job file sets thinktime_blocks (with thinktime_iotime it counts only then). */
  readonly thinktimeBlocksSet: boolean;
  readonly thinktimeCounts: 'complete' | 'issue';
  /** 0: stalls are counted in blocks only. */
  readonly thinktimeIotimeNs: number;
  /** Bytes per second, 0: unlimited. Holds rate and rate_iops (× smallest block) alike. */
  readonly rateBytes: PerDirection<number>;
  /** The same as I/Os per second where it was set so, else 0. */
  readonly rateIops: PerDirection<number>;
  readonly rateMinBytes: PerDirection<number>;
  readonly rateMinIops: PerDirection<number>;
  readonly rateProcess: 'linear' | 'poisson';
  readonly rateCycleNs: number;
  readonly rateIgnoresThinktime: boolean;
  /** 0: no target. */
  readonly latencyTargetNs: number;
  readonly latencyWindowNs: number;
  readonly latencyPercentile: number;
  readonly latencyKeepsRunning: boolean;
  /** An I/O above this ends the job with an error; 0: none. */
  readonly maxLatencyNs: PerDirection<number>;
  /** Weight between the jobs of one flow id; 0: not balanced. */
  readonly flow: number;
  readonly flowId: number;
}

/** Syncs after every so many writes; 0: none. */
export interface JobSync {
  readonly fsyncEvery: number;
  readonly fdatasyncEvery: number;
  readonly barrierEvery: number;
  readonly syncFileRange: SyncFileRange | undefined;
  readonly endFsync: boolean;
  readonly fsyncOnClose: boolean;
  /** O_SYNC or O_DSYNC on every write. */
  readonly syncWrites: 'none' | 'sync' | 'dsync';
  readonly isDirect: boolean;
  readonly isAtomic: boolean;
}

export interface JobFiles {
  /** As written; all stand for the emulated device. */
  readonly names: readonly string[];
  readonly directory: string | undefined;
  readonly count: number;
  readonly openCount: number;
  readonly service: FileService;
}

export interface JobPriority {
  /** ioprio class 1 RT, 2 BE, 3 IDLE and level 0..7; undefined: none set. */
  readonly ioprio: { readonly class: number; readonly level: number } | undefined;
  /** Share of commands with another priority, as [read, write]. */
  readonly command:
    | {
        readonly percent: readonly [read: number, write: number];
        readonly class: readonly [read: number, write: number];
        readonly level: readonly [read: number, write: number];
        readonly split: PerDirection<readonly CmdprioEntry[]> | undefined;
      }
    | undefined;
}

export interface JobReporting {
  readonly isGrouped: boolean;
  readonly unified: 'none' | 'mixed' | 'both';
  readonly percentiles: readonly number[];
  readonly clat: boolean;
  readonly lat: boolean;
  readonly slat: boolean;
}

export interface FioJob {
  /** `name=` if set, else the section's name. */
  readonly name: string;
  readonly section: string;
  readonly file: string;
  /** Line of the section header. */
  readonly line: number;
  readonly description: string | undefined;
  readonly numjobs: number;
  readonly isThread: boolean;
  /** Reporting group, from 0: a new one begins at stonewall and new_group. */
  readonly groupId: number;
  readonly engine: { readonly name: FioEngine; readonly isAsync: boolean; readonly isPolled: boolean };
  readonly pattern: JobPattern;
  readonly blocks: JobBlocks;
  readonly region: JobRegion;
  readonly random: JobRandom;
  readonly depth: JobDepth;
  readonly schedule: JobSchedule;
  readonly pace: JobPace;
  readonly sync: JobSync;
  readonly files: JobFiles;
  readonly priority: JobPriority;
  /** Emulated CPUs the clones may use (undefined: any), shared by all or split among them. */
  readonly cpus: { readonly allowed: readonly number[] | undefined; readonly policy: 'shared' | 'split' };
  /** Recorded only: the emulation runs no read-back phase. */
  readonly verify:
    | { readonly method: string; readonly isDone: boolean; readonly backlog: number; readonly backlogBatch: number }
    | undefined;
  readonly reporting: JobReporting;
  /** After which failed I/Os the job goes on: a failed one of another kind ends it. */
  readonly continueOnError: { readonly reads: boolean; readonly writes: boolean; readonly verifies: boolean };
}

/**
 * Bytes that an extent means on a device (or region) of `wholeBytes`; a percentage is rounded up to `alignBytes`, as fio rounds offsets.
 */
export function extentBytes(extent: Extent, wholeBytes: number, alignBytes = 1): number {
  if (extent.unit === 'bytes') return extent.bytes;
  return Math.ceil(Math.floor((wholeBytes * extent.percent) / 100) / alignBytes) * alignBytes;
}

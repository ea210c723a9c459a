/** What a request queue is built from: limits of the device, tags and queues of its driver, and the tunables of /sys/block/…/queue. */
import type { KeyslotPolicy } from './crypto.ts';
import type { QueueLimits } from './types.ts';

export interface BlockConfig {
  readonly limits: QueueLimits;
  /** Driver tags per hardware queue. @source blk-mq: max tag depth 10240 */
  readonly queueDepth: number;
  readonly hwQueues: number;
  /** Hardware queue of each CPU; default: CPUs spread evenly, neighbours together. */
  readonly cpuToHctx?: readonly number[];
  /** All hardware queues share one set of driver tags (BLK_MQ_F_TAG_HCTX_SHARED). */
  readonly hostTagset?: boolean;
  /** Freed driver tags per wake-up of waiters; default an eighth of the depth, at most 8, as sbitmap has it. With 1, tags go to whoever has slept longest. */
  readonly tagWakeBatch?: number;
  /** Scheduler tags; default 2 × min(queueDepth, 128). Without a scheduler the driver tags are all there are. */
  readonly nrRequests?: number;
  /** BLK_MQ_F_BLOCKING: queueRq may sleep, so nothing is issued from an atomic context. */
  readonly blocking?: boolean;
  /** A plug around every bio of a task that has none, as kernels since 6.11 do; default true. */
  readonly plugPerBio?: boolean;
  /** 0: complete where the interrupt lands, 1 (default): in the submitter's cache group, 2: on the submitting CPU. */
  readonly rqAffinity?: 0 | 1 | 2;
  /** Cache (and capacity) group of each CPU for rqAffinity 1; default: all in one. */
  readonly cacheOfCpu?: readonly number[];
  /** 1: only the cheap merges, 2: none. */
  readonly nomerges?: 0 | 1 | 2;
  /** When a request takes its keyslot, and who waits with it; default `submit`, which is mainline. */
  readonly keyslotPolicy?: KeyslotPolicy;
  /**
   * The DUN of what is left of a request that was done in part: `advanced` (default) by the data units that are done, or `kept` as the request had it, which is what
   * Linux does (eMMC's retries of single blocks meet it) and encrypts data anew under DUNs that were used. A request that goes on so is reported.
   * @kernel v6.12 blk_update_request advances the bio, nothing the request's own copy; inline-crypto.md 1.4 (inference)
   */
  readonly partialDun?: 'advanced' | 'kept';
  /** The queue carries protection information (T10-PI): no profile can be attached. */
  readonly integrity?: boolean;
  /** Default 30 s. */
  readonly timeoutNs?: number;
  /** End of the device; default: no end. */
  readonly capacitySectors?: number;
}

/** What the block layer did, for summaries. */
export interface BlockCounters {
  /** Q events and their bytes. */
  bios: number;
  bytesQueued: number;
  /** Bytes of ended bios, by outcome; their sum is bytesQueued once all have ended. */
  bytesCompleted: number;
  bytesFailed: number;
  /** G events. */
  requests: number;
  /** D events. */
  issues: number;
  /** Bios merged into requests, and requests merged into requests. */
  merges: number;
  requestMerges: number;
  /** X events. */
  splits: number;
  /** R events: refused by the driver (STS_RESOURCE, STS_DEV_RESOURCE) or requeued by it. */
  requeues: number;
  /** Bios that slept for a tag, and the wake-ups they got. */
  tagWaits: number;
  tagWakes: number;
  /** Flush commands issued to the device's cache. */
  flushes: number;
  /** P events. */
  plugs: number;
  /** U and UT events. */
  unplugs: number;
  /** Times a SCHED_RESTART mark was taken by a freed request. */
  restarts: number;
  timeouts: number;
  /** Completions of requests that were not in flight, ignored. */
  lateCompletions: number;
}

export function newCounters(): BlockCounters {
  return {
    bios: 0,
    bytesQueued: 0,
    bytesCompleted: 0,
    bytesFailed: 0,
    requests: 0,
    issues: 0,
    merges: 0,
    requestMerges: 0,
    splits: 0,
    requeues: 0,
    tagWaits: 0,
    tagWakes: 0,
    flushes: 0,
    plugs: 0,
    unplugs: 0,
    restarts: 0,
    timeouts: 0,
    lateCompletions: 0,
  };
}

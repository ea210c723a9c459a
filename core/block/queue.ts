/**
 * The request queue: the state that all parts of the block layer share, and the few operations everybody needs (names, marks, tags).
 * The algorithms are in the files by subject; see block.ts for the map.
 */
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { IntRing } from '../engine/ring.ts';
import type { Workqueues } from '../engine/workqueue.ts';
import type { DetailLog, GaugeLog } from '../trace/log.ts';
import { BioTable } from './bio.ts';
import { type BlockConfig, type BlockCounters, newCounters } from './config.ts';
import { HOLD_NOBODY, type KeyslotCounters, newKeyslotCounters, type QueueCrypto, SLOT_NEVER } from './crypto.ts';
import { Hctx, type Ctx } from './hctx.ts';
import { RequestList } from './list.ts';
import { RequestTable } from './request.ts';
import type { Scheduler } from './scheduler.ts';
import { schedulerEnv } from './scheduler-env.ts';
import { Tags } from './tags.ts';
import { TaskState } from './task.ts';
import { SECTOR_BYTES, type Lld, type QueueLimits } from './types.ts';
import { newKinds } from './wiring.ts';

export interface BlockEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly log: DetailLog;
  readonly gauges: GaugeLog;
}

/** @source blk-mq: BLKDEV_DEFAULT_RQ 128, a scheduler gets twice the smaller of that and the depth */
const DEFAULT_REQUESTS = 128;
/** @source blk-mq: default request timeout 30 s */
const DEFAULT_TIMEOUT_NS = 30_000_000_000;

export class RequestQueue {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly log: DetailLog;
  readonly config: BlockConfig;
  readonly limits: QueueLimits;
  readonly bios = new BioTable();
  readonly requests = new RequestTable();
  readonly counters: BlockCounters = newCounters();
  readonly kinds = newKinds();

  readonly hctxs: Hctx[] = [];
  readonly hctxOfCpu: readonly number[];
  /** The software queue of each CPU. */
  readonly ctxOfCpu: readonly Ctx[];
  /** Scheduler tags per hardware queue; the driver's depth without a scheduler. */
  nrRequests: number;
  readonly timeoutNs: number;
  readonly nomerges: 0 | 1 | 2;
  readonly plugPerBio: boolean;
  readonly blocking: boolean;
  /** A bio of no more bytes and segments than these fits the limits wherever it starts; -1: look at each. */
  readonly neverSplitBytes: number;
  readonly neverSplitSegments: number;
  lld: Lld | undefined;
  scheduler: Scheduler | undefined;
  /** Inline encryption, once a profile is attached. */
  crypto: QueueCrypto | undefined;
  /** SLOT_* and HOLD_*: when encrypted requests take their slot, and who is held back at dispatch. */
  slotWhen = SLOT_NEVER;
  holdClass = HOLD_NOBODY;
  /** Requests ever held for want of a slot. */
  heldSoFar = 0;
  readonly keyslots: KeyslotCounters = newKeyslotCounters();
  onRequestDone: ((rq: number) => void) | undefined;

  /** Requests and submissions inside the queue (q_usage_counter); a freeze waits for zero. */
  usage = 0;
  freezeDepth = 0;
  /** Contexts whose bios wait for the thaw, in order of arrival. */
  readonly frozenOut = new IntRing();
  /** Contexts that wait for usage to reach zero. */
  readonly freezers = new IntRing();
  quiesceDepth = 0;
  /** Contexts inside dispatch or queueRq; quiescing waits for zero. */
  dispatchers = 0;
  readonly quiescers = new IntRing();

  /** Requests started and not completed. */
  inFlight = 0;
  /** When the timeout timer is due (Infinity: not armed); kept while nothing is in flight, when the engine's own is off. */
  timeoutDueNs = Infinity;
  timeoutTimer = -1;
  timeoutWork = -1;

  readonly requeueList: RequestList;
  readonly flushList: RequestList;
  requeueWork = -1;
  /** Completed requests per CPU, waiting for the block softirq. */
  readonly doneLists: IntRing[] = [];

  private readonly gauges: GaugeLog;
  private readonly tagGauges: number[] = [];
  private readonly flightGauge: number;
  private readonly tasks: TaskState[] = [];
  private nextBioSerial = 1;

  constructor(env: BlockEnv, config: BlockConfig) {
    this.engine = env.engine;
    this.machine = env.machine;
    this.workqueues = env.workqueues;
    this.log = env.log;
    this.gauges = env.gauges;
    this.flightGauge = env.gauges.define('block.in_flight');
    this.config = config;
    this.limits = config.limits;
    this.timeoutNs = config.timeoutNs ?? DEFAULT_TIMEOUT_NS;
    this.nomerges = config.nomerges ?? 0;
    this.plugPerBio = config.plugPerBio ?? true;
    this.blocking = config.blocking ?? false;
    this.nrRequests = config.queueDepth;
    const { chunkSectors, maxSectors, physicalBlockSize, maxSegmentSize, maxSegments } = config.limits;
    const leastBytes = Math.min(maxSectors * SECTOR_BYTES - physicalBlockSize, maxSegmentSize);
    this.neverSplitBytes = chunkSectors === 0 ? leastBytes : -1;
    this.neverSplitSegments = maxSegments;
    this.requeueList = new RequestList(this.requests);
    this.flushList = new RequestList(this.requests);
    const cpus = env.machine.cpus;
    this.hctxOfCpu =
      config.cpuToHctx ?? Array.from({ length: cpus }, (_, cpu) => Math.floor((cpu * config.hwQueues) / cpus));
    this.buildHctxs();
    this.ctxOfCpu = this.hctxs.flatMap((hctx) => hctx.ctxs).sort((a, b) => a.cpu - b.cpu);
    for (let cpu = 0; cpu < cpus; cpu++) this.doneLists.push(new IntRing());
  }

  private buildHctxs(): void {
    const { hwQueues, queueDepth, hostTagset, tagWakeBatch } = this.config;
    const shared = hostTagset === true ? new Tags(queueDepth, 'the tag set', tagWakeBatch) : undefined;
    for (let id = 0; id < hwQueues; id++) {
      const cpus = this.hctxOfCpu.flatMap((hctx, cpu) => (hctx === id ? [cpu] : []));
      this.hctxs.push(new Hctx(id, cpus, shared ?? new Tags(queueDepth, `hctx ${id}`, tagWakeBatch), this.requests));
      this.tagGauges.push(this.gauges.define(`block.hctx${id}.tags`));
    }
  }

  attach(lld: Lld, scheduler: Scheduler | undefined): void {
    this.lld = lld;
    for (const hctx of this.hctxs) {
      hctx.flush.request = this.requests.alloc();
      this.requests.hctx[hctx.flush.request] = hctx.id;
    }
    if (scheduler === undefined) return;
    this.scheduler = scheduler;
    this.nrRequests = this.config.nrRequests ?? 2 * Math.min(this.config.queueDepth, DEFAULT_REQUESTS);
    for (const hctx of this.hctxs) hctx.schedTags = new Tags(this.nrRequests, `the scheduler of hctx ${hctx.id}`);
    scheduler.init(schedulerEnv(this));
  }

  /** The state of a context, made when first asked for. */
  task(x: number): TaskState {
    const known = this.tasks[x];
    if (known !== undefined) return known;
    while (this.tasks.length <= x) this.tasks.push(new TaskState(this.tasks.length, this.requests));
    return this.tasks[x];
  }

  knownTasks(): readonly TaskState[] {
    return this.tasks;
  }

  takeBioSerial(): number {
    return this.nextBioSerial++;
  }

  get isQuiesced(): boolean {
    return this.quiesceDepth > 0;
  }

  /**
   * Attributes the request's time up to now to `stage`. A request whose submitter was charged for work to come is accounted ahead
   * of the clock; then nothing is left to attribute.
   */
  mark(rq: number, stage: number): void {
    const { rows } = this.requests;
    if (rows.lastNs[rq] < this.engine.now) rows.mark(rq, stage, this.engine.now);
  }

  /** Takes a driver tag for the request; false when there is none. */
  getDriverTag(rq: number): boolean {
    const { requests } = this;
    if (requests.tag[rq] >= 0) return true;
    const hctx = this.hctxs[requests.hctx[rq]];
    const tag = hctx.tags.get(hctx.tags.depth);
    if (tag < 0) return false;
    requests.tag[rq] = tag;
    requests.lastTag[rq] = tag;
    this.tagsChanged(hctx);
    return true;
  }

  /** Gives back the driver tag of a request that keeps a scheduler tag; without a scheduler it stays until the request is freed. */
  putDriverTag(rq: number): void {
    const { requests } = this;
    if (requests.tag[rq] < 0 || requests.schedTag[rq] < 0) return;
    const hctx = this.hctxs[requests.hctx[rq]];
    this.freeTag(hctx.tags, requests.tag[rq]);
    requests.tag[rq] = -1;
    this.tagsChanged(hctx);
  }

  /** Frees a tag and wakes a batch of waiters if it is time for one. */
  freeTag(tags: Tags, tag: number): void {
    const woken = tags.put(tag);
    if (woken > 0) tags.wake(woken, this.wakeForTag);
  }

  inFlightChanged(): void {
    if (this.gauges.on) this.gauges.set(this.flightGauge, this.inFlight);
  }

  tagsChanged(hctx: Hctx): void {
    if (this.gauges.on) this.gauges.set(this.tagGauges[hctx.id], hctx.tags.used);
  }

  private readonly wakeForTag = (x: number): void => {
    this.counters.tagWakes++;
    this.machine.wake(this.machine.current, x);
  };

  /** `request 12`, as events and wait-for chains call it. */
  requestName(rq: number): string {
    return `request ${this.requests.serial[rq]}`;
  }

  bioName(bio: number): string {
    return `bio ${this.bios.serial[bio]}`;
  }

  /** Records an event of the block layer; call it behind `log.on`. */
  event(kind: string, id1: number, id2: number, atNs = this.engine.now): void {
    this.log.event('block', kind, id1, id2, atNs);
  }
}

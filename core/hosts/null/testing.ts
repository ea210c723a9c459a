/**
 * The whole stack for queueing studies in specs: engine, machine, block layer and null device, and jobs that submit as libaio does: prepare and submit until
 * the depth is reached, then sleep until something can be reaped.
 */
import { Block } from '../../block/block.ts';
import type { BlockConfig } from '../../block/config.ts';
import type { Scheduler } from '../../block/scheduler.ts';
import { OP_READ, REQ_SYNC, type QueueLimits } from '../../block/types.ts';
import type { MachineCosts } from '../../engine/costs/costs.ts';
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import type { RandomStream } from '../../engine/random.ts';
import { IntRing } from '../../engine/ring.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import { NO_GAUGES, NO_LOG } from '../../trace/log.ts';
import { ST_MEDIA_WAIT, ST_WAIT_TAG, STAGE_IDS, STAGE_STRIDE } from '../../trace/stages.ts';
import { NullDevice, type NullDeviceConfig } from './null-device.ts';

const LIMITS: QueueLimits = {
  logicalBlockSize: 4096,
  physicalBlockSize: 4096,
  maxHwSectors: 2048,
  maxSectors: 2048,
  maxSegments: 128,
  maxSegmentSize: 65536,
  chunkSectors: 0,
  maxDiscardSectors: 0,
  discardGranularity: 4096,
  maxWriteZeroesSectors: 0,
  writeCache: false,
  fua: false,
};

export interface JobOptions {
  readonly cpu?: number;
  /** I/Os kept in flight. */
  readonly depth?: number;
  readonly op?: number;
  /** Sector of the n-th I/O of this job. */
  readonly sectorOf?: (n: number) => number;
  /** Mean of the exponential pause before each I/O (ns); 0 for none. */
  readonly thinkNs?: number;
}

interface Job {
  readonly x: number;
  readonly depth: number;
  readonly op: number;
  readonly sectorOf: (n: number) => number;
  readonly thinkNs: number;
  submitted: number;
  inFlight: number;
  toReap: number;
  thinking: number;
  isAsleep: boolean;
}

interface Totals {
  ios: number;
  totalNs: number;
  /** From the end of an I/O to the submission of the one that takes its place. */
  gapNs: number;
  stageNs: number[];
}

/** What the observer keeps of a request. */
export interface Seen {
  readonly op: number;
  readonly sector: number;
  readonly queuedNs: number;
  readonly gotNs: number;
  readonly insertedNs: number;
  readonly issuedNs: number;
  readonly completedNs: number;
  readonly waitTagNs: number;
}

export interface StackOptions {
  readonly costs?: MachineCosts;
  readonly block?: Partial<BlockConfig>;
  readonly device?: Partial<NullDeviceConfig>;
  readonly scheduler?: Scheduler;
  readonly seed?: number;
  readonly keepRequests?: boolean;
}

export class Stack {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly block: Block;
  readonly device: NullDevice;
  readonly totals: Totals = { ios: 0, totalNs: 0, gapNs: 0, stageNs: STAGE_IDS.map(() => 0) };
  readonly requests: Seen[] = [];
  /** Waits in the device's FIFO, in order of completion (ns). */
  readonly mediaWaitsNs: number[] = [];
  isMeasuring = false;
  /** Bios and requests whose stages do not add up to their time. */
  private unexplained = 0;
  private isStopped = false;
  private readonly jobs: Job[] = [];
  private readonly freedNs = new IntRing();
  private readonly stepKind: number;
  private readonly submitKind: number;
  private readonly endKind: number;
  private readonly thoughtKind: number;
  private readonly pauses: RandomStream;

  constructor(options: StackOptions) {
    const { costs = SERVER_X86.costs, seed = 1 } = options;
    const engine = new Engine(seed);
    const machine = new Machine(engine, costs, 8);
    const workqueues = new Workqueues(engine, machine);
    this.engine = engine;
    this.machine = machine;
    this.block = new Block(
      { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES },
      { limits: LIMITS, queueDepth: 64, hwQueues: 1, plugPerBio: false, rqAffinity: 1, ...options.block },
    );
    this.device = new NullDevice({ engine, machine, block: this.block }, options.device ?? {});
    this.block.attach(this.device, options.scheduler);
    this.stepKind = engine.register('job.step', (job) => this.step(this.jobs[job], job));
    this.submitKind = engine.register('job.submit', (job) => this.submit(this.jobs[job], job));
    this.endKind = engine.register('job.end', (bio) => this.ended(bio));
    this.thoughtKind = engine.register('job.thought', (job) => {
      this.jobs[job].thinking--;
      this.wakeJob(this.jobs[job]);
    });
    this.pauses = engine.stream('test/think');
    if (options.keepRequests === true) this.block.onRequestDone = (rq) => this.keep(rq);
  }

  addJob({ cpu = 0, depth = 1, op = OP_READ, sectorOf, thinkNs = 0 }: JobOptions): void {
    const arg = this.jobs.length;
    const random = this.engine.stream(`test/sector/${arg}`);
    this.jobs.push({
      x: this.machine.createTask(`job/${arg}`, cpu, this.stepKind, arg),
      depth,
      op,
      sectorOf: sectorOf ?? (() => random.below(1 << 24) * 8),
      thinkNs,
      submitted: 0,
      inFlight: 0,
      toReap: 0,
      thinking: 0,
      isAsleep: true,
    });
  }

  /** Runs `warmupNs` unmeasured, then `measureNs`, then lets the jobs finish. Returns the laws that were broken, as sentences. */
  run(warmupNs: number, measureNs: number): string[] {
    for (const job of this.jobs) this.wakeJob(job);
    this.runUntil(warmupNs);
    this.isMeasuring = true;
    const busyBefore = this.busyNs();
    this.runUntil(warmupNs + measureNs);
    this.measuredBusyNs = this.busyNs().map((ns, cpu) => ns - busyBefore[cpu]);
    this.isMeasuring = false;
    this.isStopped = true;
    while (this.engine.runSlice(100_000));
    const unfinished = this.jobs.reduce((sum, job) => sum + job.inFlight, 0);
    return [
      ...this.block.checkEmpty(),
      ...this.device.checkEmpty(),
      ...this.machine.violations.map(({ law, what }) => `${law}: ${what}`),
      ...(unfinished > 0 ? [`${unfinished} I/Os did not end`] : []),
      ...(this.unexplained > 0 ? [`${this.unexplained} bios or requests have unexplained nanoseconds`] : []),
    ];
  }

  /** Busy time of each CPU while measuring (ns). */
  measuredBusyNs: number[] = [];

  meanStageNs(stage: number): number {
    return this.totals.stageNs[stage] / this.totals.ios;
  }

  private runUntil(untilNs: number): void {
    while (this.engine.runSlice(100_000, untilNs));
  }

  private busyNs(): number[] {
    const { busyNs, cpus } = this.machine;
    return Array.from({ length: cpus }, (_, cpu) => busyNs[3 * cpu] + busyNs[3 * cpu + 1] + busyNs[3 * cpu + 2]);
  }

  private pause(job: Job, arg: number): void {
    job.thinking++;
    this.engine.after(Math.round(this.pauses.exponential(job.thinkNs)), this.thoughtKind, arg);
  }

  private step(job: Job, arg: number): void {
    const { machine } = this;
    const { syscallNs, libaioReapNs, fioReapNs, fioPrepareNs, libaioSubmitNs, pageMapNs } = machine.costs;
    if (job.toReap > 0) {
      const reaped = job.toReap;
      job.toReap = 0;
      if (job.thinkNs > 0 && !this.isStopped) for (let i = 0; i < reaped; i++) this.pause(job, arg);
      machine.run(job.x, syscallNs + reaped * (libaioReapNs + fioReapNs), this.stepKind, arg);
    } else if (!this.isStopped && job.inFlight + job.thinking < job.depth) {
      machine.run(job.x, fioPrepareNs + syscallNs + libaioSubmitNs + pageMapNs, this.submitKind, arg);
    } else {
      job.isAsleep = true;
      machine.sleep(job.x, this.stepKind, arg);
    }
  }

  private submit(job: Job, arg: number): void {
    const { bios } = this.block;
    const { now } = this.engine;
    const bio = bios.alloc();
    bios.op[bio] = job.op;
    bios.flags[bio] = REQ_SYNC;
    bios.sector[bio] = job.sectorOf(job.submitted++);
    bios.bytes[bio] = 4096;
    bios.segments[bio] = 1;
    bios.endKind[bio] = this.endKind;
    bios.endArg[bio] = arg;
    bios.rows.start(bio, now);
    job.inFlight++;
    if (this.freedNs.size > 0) {
      const gapNs = now - this.freedNs.shift();
      if (this.isMeasuring) this.totals.gapNs += gapNs;
    }
    this.machine.pushReturn(job.x, this.stepKind, arg);
    this.block.submitBio(job.x, bio);
  }

  private ended(bio: number): void {
    const { bios } = this.block;
    const { rows } = bios;
    const job = this.jobs[bios.endArg[bio]];
    const totalNs = this.engine.now - rows.startNs[bio];
    if (rows.total(bio) !== totalNs) this.unexplained++;
    if (this.isMeasuring) {
      this.totals.ios++;
      this.totals.totalNs += totalNs;
      for (let stage = 0; stage < STAGE_IDS.length; stage++) {
        this.totals.stageNs[stage] += rows.ns[bio * STAGE_STRIDE + stage];
      }
      this.mediaWaitsNs.push(rows.ns[bio * STAGE_STRIDE + ST_MEDIA_WAIT]);
    }
    bios.release(bio);
    job.inFlight--;
    this.freedNs.push(this.engine.now);
    job.toReap++;
    this.wakeJob(job);
  }

  /** The job may be asleep for another reason (a tag); then it sees later what happened. */
  private wakeJob(job: Job): void {
    if (!job.isAsleep) return;
    job.isAsleep = false;
    this.machine.wake(this.machine.current, job.x);
  }

  private keep(rq: number): void {
    const { requests } = this.block;
    const stage = (id: number): number => requests.rows.ns[rq * STAGE_STRIDE + id];
    if (requests.rows.total(rq) !== requests.completedNs[rq] - requests.queuedNs[rq]) this.unexplained++;
    this.requests.push({
      op: requests.op[rq],
      sector: requests.sector[rq],
      queuedNs: requests.queuedNs[rq],
      gotNs: requests.gotNs[rq],
      insertedNs: requests.insertedNs[rq],
      issuedNs: requests.issuedNs[rq],
      completedNs: requests.completedNs[rq],
      waitTagNs: stage(ST_WAIT_TAG),
    });
  }
}

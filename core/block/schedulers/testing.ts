/**
 * A bare request queue for the schedulers' specs: the tables, a clock, and merge rules of the plainest kind (adjacent, same operation, same ioprio, not
 * beyond max_sectors). Nothing burns CPU time, there are no tags and no driver; the spec moves the clock and plays the driver.
 */
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { NO_LOG } from '../../trace/log.ts';
import { BioTable } from '../bio.ts';
import { RequestTable } from '../request.ts';
import {
  MERGE_BACK,
  MERGE_FAILED,
  MERGE_FRONT,
  MERGE_NONE,
  type Scheduler,
  type SchedulerEnv,
  TOUCH_BACK,
  TOUCH_FRONT,
  TOUCH_NONE,
} from '../scheduler.ts';
import { REQ_NOMERGE, SECTOR_BYTES, type QueueLimits } from '../types.ts';

const LIMITS: QueueLimits = {
  logicalBlockSize: 512,
  physicalBlockSize: 4096,
  maxHwSectors: 2560,
  maxSectors: 2560,
  maxSegments: 128,
  maxSegmentSize: 65536,
  chunkSectors: 0,
  maxDiscardSectors: 0,
  discardGranularity: 0,
  maxWriteZeroesSectors: 0,
  writeCache: false,
  fua: false,
};

export interface RigOptions {
  readonly cpus?: number;
  readonly hwQueues?: number;
  readonly nrRequests?: number;
  readonly nomerges?: 0 | 1 | 2;
}

export interface Extent {
  readonly op: number;
  readonly sector: number;
  /** Default 8 (4 KiB). */
  readonly sectors?: number;
  readonly ioprio?: number;
  readonly flags?: number;
  readonly cpu?: number;
}

export class SchedulerRig<S extends Scheduler> {
  readonly engine = new Engine(1);
  readonly bios = new BioTable();
  readonly requests = new RequestTable();
  readonly scheduler: S;
  /** Requests that entered the scheduler, were merged away, and hardware queues that were run, in order. */
  readonly insertedRqs: number[] = [];
  readonly mergedAway: number[] = [];
  readonly ranHctxs: number[] = [];
  private readonly hwQueues: number;
  private readonly cpus: number;
  private readonly wokenKind: number;

  constructor(scheduler: S, { cpus = 2, hwQueues = 1, nrRequests = 256, nomerges = 0 }: RigOptions = {}) {
    this.scheduler = scheduler;
    this.hwQueues = hwQueues;
    this.cpus = cpus;
    this.wokenKind = this.engine.register('rig.woken', () => undefined);
    const env: SchedulerEnv = {
      engine: this.engine,
      machine: new Machine(this.engine, SERVER_X86.costs, cpus),
      log: NO_LOG,
      bios: this.bios,
      requests: this.requests,
      limits: LIMITS,
      hwQueues,
      nrRequests,
      nomerges,
      hctxOfCpu: (cpu) => this.hctxOfCpu(cpu),
      runHwQueue: (hctx) => this.ranHctxs.push(hctx),
      inserted: (rq) => {
        this.requests.insertedNs[rq] = this.engine.now;
        this.insertedRqs.push(rq);
      },
      touch: (rq, bio) => this.touch(rq, bio),
      mergeBio: (rq, bio) => this.mergeBio(rq, bio),
      requestsMergeable: (rq, next) => this.requestsMergeable(rq, next),
      mergeRequests: (rq, next) => {
        this.requests.bytes[rq] += this.requests.bytes[next];
        this.mergedAway.push(next);
        this.free(next);
      },
    };
    scheduler.init(env);
  }

  hctxOfCpu(cpu: number): number {
    return Math.floor((cpu * this.hwQueues) / this.cpus);
  }

  /** Allocates a request and inserts it. Returns its handle. */
  insert(extent: Extent, atHead = false): number {
    const rq = this.requests.alloc();
    const { op, sector, sectors = 8, ioprio = 0, flags = 0, cpu = 0 } = extent;
    this.requests.op[rq] = op;
    this.requests.sector[rq] = sector;
    this.requests.bytes[rq] = sectors * SECTOR_BYTES;
    this.requests.ioprio[rq] = ioprio;
    this.requests.flags[rq] = flags;
    this.requests.cpu[rq] = cpu;
    this.requests.gotNs[rq] = this.engine.now;
    this.requests.useSched[rq] = 1;
    this.scheduler.insert(rq, this.hctxOfCpu(cpu), atHead);
    return rq;
  }

  /** Offers a bio for merging. Returns MERGE_*. */
  offer(extent: Extent): number {
    const bio = this.bios.alloc();
    const { op, sector, sectors = 8, ioprio = 0, flags = 0, cpu = 0 } = extent;
    this.bios.op[bio] = op;
    this.bios.sector[bio] = sector;
    this.bios.bytes[bio] = sectors * SECTOR_BYTES;
    this.bios.ioprio[bio] = ioprio;
    this.bios.flags[bio] = flags;
    const outcome = this.scheduler.bioMerge(bio, this.hctxOfCpu(cpu), cpu);
    this.bios.release(bio);
    return outcome;
  }

  /** The next request, marked as issued; -1 for none. */
  dispatch(hctx = 0): number {
    const rq = this.scheduler.dispatch(hctx);
    if (rq >= 0) this.requests.issuedNs[rq] = this.engine.now;
    return rq;
  }

  /** Up to `count` requests dispatched one after the other. */
  dispatchMany(count: number, hctx = 0): number[] {
    const taken: number[] = [];
    for (let rq = 0; taken.length < count && rq !== -1;) {
      rq = this.dispatch(hctx);
      if (rq !== -1) taken.push(rq);
    }
    return taken;
  }

  /** The driver is done with a request. */
  complete(rq: number): void {
    this.requests.completedNs[rq] = this.engine.now;
    this.scheduler.completed(rq);
    this.free(rq);
  }

  /** Lets time pass; timers fire, those that alone would not keep a run alive as well. */
  sleep(ns: number): void {
    const untilNs = this.engine.now + ns;
    this.engine.at(untilNs, this.wokenKind, 0);
    while (this.engine.runSlice(1000, untilNs));
  }

  private free(rq: number): void {
    this.scheduler.finish(rq);
    this.requests.release(rq);
  }

  private endSector(rq: number): number {
    return this.requests.sector[rq] + this.requests.bytes[rq] / SECTOR_BYTES;
  }

  private touch(rq: number, bio: number): number {
    if (this.endSector(rq) === this.bios.sector[bio]) return TOUCH_BACK;
    const endSector = this.bios.sector[bio] + this.bios.bytes[bio] / SECTOR_BYTES;
    return endSector === this.requests.sector[rq] ? TOUCH_FRONT : TOUCH_NONE;
  }

  private mergeBio(rq: number, bio: number): number {
    const { requests, bios } = this;
    const side = this.touch(rq, bio);
    if (side === TOUCH_NONE || requests.op[rq] !== bios.op[bio] || requests.ioprio[rq] !== bios.ioprio[bio])
      return MERGE_NONE;
    if (((requests.flags[rq] | bios.flags[bio]) & REQ_NOMERGE) !== 0) return MERGE_NONE;
    if (requests.bytes[rq] + bios.bytes[bio] > LIMITS.maxSectors * SECTOR_BYTES) {
      requests.flags[rq] |= REQ_NOMERGE;
      return MERGE_FAILED;
    }
    requests.bytes[rq] += bios.bytes[bio];
    if (side === TOUCH_BACK) return MERGE_BACK;
    requests.sector[rq] = bios.sector[bio];
    return MERGE_FRONT;
  }

  private requestsMergeable(rq: number, next: number): boolean {
    const { requests } = this;
    if (this.endSector(rq) !== requests.sector[next] || requests.op[rq] !== requests.op[next]) return false;
    if (requests.ioprio[rq] !== requests.ioprio[next]) return false;
    if (((requests.flags[rq] | requests.flags[next]) & REQ_NOMERGE) !== 0) return false;
    return requests.bytes[rq] + requests.bytes[next] <= LIMITS.maxSectors * SECTOR_BYTES;
  }
}

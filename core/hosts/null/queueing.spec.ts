/**
 * Queueing checks with known answers: engine, machine, block layer and null device together, driven by closed loops. What is compared comes from the run's
 * own figures or from queueing theory, never from a stored number.
 */
import { describe, expect, it } from 'vitest';
import { Block } from '../../block/block.ts';
import type { BlockConfig } from '../../block/config.ts';
import type { Scheduler } from '../../block/scheduler.ts';
import { MqDeadline } from '../../block/schedulers/mq-deadline.ts';
import { OP_READ, OP_WRITE, REQ_SYNC, type QueueLimits } from '../../block/types.ts';
import type { MachineCosts } from '../../engine/costs/costs.ts';
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { IntRing } from '../../engine/ring.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import { NO_GAUGES, NO_LOG } from '../../trace/log.ts';
import { ST_MEDIA, ST_MEDIA_WAIT, ST_WAIT_TAG, STAGE_IDS, STAGE_STRIDE } from '../../trace/stages.ts';
import { NullDevice, type NullDeviceConfig } from './null-device.ts';
import type { ServiceTime } from './service-time.ts';

const US = 1_000;
const MS = 1_000_000;
const SECOND = 1_000_000_000;

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

/** A machine on which nothing takes time: what remains is the device. */
const FREE_COSTS = Object.fromEntries(
  Object.keys(SERVER_X86.costs).map((key) => [key, key === 'idleStates' ? [] : 0]),
) as unknown as MachineCosts;

interface JobOptions {
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
interface Seen {
  readonly op: number;
  readonly sector: number;
  readonly queuedNs: number;
  readonly gotNs: number;
  readonly insertedNs: number;
  readonly issuedNs: number;
  readonly completedNs: number;
  readonly waitTagNs: number;
}

interface StackOptions {
  readonly costs?: MachineCosts;
  readonly block?: Partial<BlockConfig>;
  readonly device?: Partial<NullDeviceConfig>;
  readonly scheduler?: Scheduler;
  readonly seed?: number;
  readonly keepRequests?: boolean;
}

/** The whole stack, and jobs that submit as libaio does: prepare and submit until the depth is reached, then sleep until something can be reaped. */
class Stack {
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
    const pauses = engine.stream('test/think');
    this.thoughtKind = engine.register('job.thought', (job) =>
      this.wakeJob(this.jobs[job], () => this.jobs[job].thinking--),
    );
    this.pause = (job, arg) => {
      job.thinking++;
      engine.after(Math.round(pauses.exponential(job.thinkNs)), this.thoughtKind, arg);
    };
    if (options.keepRequests === true) this.block.onRequestDone = engine.register('test.done', (rq) => this.keep(rq));
  }

  private readonly pause: (job: Job, arg: number) => void;

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

  /** Runs `warmupNs` unmeasured, then `measureNs`, then lets the jobs finish; every law that can be checked here must hold. */
  run(warmupNs: number, measureNs: number): void {
    for (const job of this.jobs) this.wakeJob(job, () => undefined);
    this.runUntil(warmupNs);
    this.isMeasuring = true;
    const busyBefore = this.busyNs();
    this.runUntil(warmupNs + measureNs);
    this.measuredBusyNs = this.busyNs().map((ns, cpu) => ns - busyBefore[cpu]);
    this.isMeasuring = false;
    this.isStopped = true;
    while (this.engine.runSlice(100_000));
    expect(this.block.checkEmpty()).toEqual([]);
    expect(this.device.checkEmpty()).toEqual([]);
    expect(this.machine.violations).toEqual([]);
    expect(this.unexplained).toBe(0);
    expect(this.jobs.reduce((sum, job) => sum + job.inFlight, 0)).toBe(0);
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
    this.wakeJob(job, () => job.toReap++);
  }

  /** Something happened that the job waits for; it may be asleep for another reason (a tag), then it sees it later. */
  private wakeJob(job: Job, happened: () => void): void {
    happened();
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

describe('a fixed device of 100 µs on server-x86', () => {
  /** `pathNs` is all of an I/O's round but the service: its CPU time and its waits for the CPU, from one submission to the next. */
  const measure = (depth: number): { iops: number; mediaNs: number; pathNs: number; cpuPerIoNs: number } => {
    const stack = new Stack({ block: { queueDepth: 128 } });
    stack.addJob({ depth });
    const measureNs = 200 * MS;
    stack.run(20 * MS, measureNs);
    const { ios, totalNs, gapNs } = stack.totals;
    const mediaNs = stack.meanStageNs(ST_MEDIA);
    return {
      iops: (ios * SECOND) / measureNs,
      mediaNs,
      pathNs: (totalNs + gapNs) / ios - mediaNs,
      cpuPerIoNs: Math.max(...stack.measuredBusyNs) / ios,
    };
  };

  it.each([{ depth: 1 }, { depth: 8 }, { depth: 32 }])(
    'gives min(depth / (latency + CPU on the path), 1 / CPU per I/O) at depth $depth',
    ({ depth }) => {
      const { iops, mediaNs, pathNs, cpuPerIoNs } = measure(depth);
      expect(mediaNs).toBe(100 * US);
      const predicted = Math.min(depth / (mediaNs + pathNs), 1 / cpuPerIoNs) * SECOND;
      expect(Math.abs(iops / predicted - 1)).toBeLessThan(0.01);
    },
  );

  it('is bound by its latency at depth 1, where all CPU time is on the path', () => {
    const { iops, mediaNs, cpuPerIoNs } = measure(1);
    const idleExitNs = SERVER_X86.costs.idleStates[0].exitNs;
    const predicted = SECOND / (mediaNs + cpuPerIoNs + idleExitNs);
    expect(Math.abs(iops / predicted - 1)).toBeLessThan(0.001);
  });

  it('is bound by the CPU at depth 96', () => {
    const { iops, cpuPerIoNs } = measure(96);
    expect(96 / (100 * US)).toBeGreaterThan(1 / cpuPerIoNs);
    expect(Math.abs((iops * cpuPerIoNs) / SECOND - 1)).toBeLessThan(0.01);
  });
});

describe('more jobs than tags', () => {
  const measure = (queueDepth: number): Stack => {
    const stack = new Stack({ block: { queueDepth }, keepRequests: true });
    for (let job = 0; job < 12; job++) stack.addJob({ cpu: job % 8 });
    stack.run(5 * MS, 50 * MS);
    return stack;
  };

  it('explain the time from Q to G by wait.tag to the nanosecond, and take no more tags than there are', () => {
    const stack = measure(4);
    const waited = stack.requests.filter((request) => request.waitTagNs > 0);
    expect(waited.length).toBeGreaterThan(stack.requests.length / 2);
    for (const request of stack.requests) {
      expect(request.gotNs - request.queuedNs).toBe(SERVER_X86.costs.bioQueueNs + request.waitTagNs);
    }
    expect(stack.device.peakInDevice).toBe(4);
  });

  it('wait nowhere else: without wait.tag an I/O takes as long as with plenty of tags, but for going to sleep and waking', () => {
    const few = measure(4);
    const plenty = measure(64);
    expect(plenty.meanStageNs(ST_WAIT_TAG)).toBe(0);
    const restNs = (stack: Stack): number => stack.totals.totalNs / stack.totals.ios - stack.meanStageNs(ST_WAIT_TAG);
    expect(few.meanStageNs(ST_WAIT_TAG)).toBeGreaterThan(100 * US);
    expect(Math.abs(restNs(few) - restNs(plenty))).toBeLessThan(10 * US);
  });

  it('keep every tag busy but for the batches in which waiters are woken', () => {
    const stack = measure(4);
    const { ios } = stack.totals;
    const boundIos = (4 * 50 * MS) / (100 * US);
    expect(ios).toBeLessThanOrEqual(boundIos);
    expect(ios).toBeGreaterThan(0.85 * boundIos);
  });
});

/** Mean and standard error of a correlated series, by the means of 20 batches. */
function batchMeans(values: readonly number[]): { mean: number; standardError: number } {
  const batches = 20;
  const size = Math.floor(values.length / batches);
  const means = Array.from({ length: batches }, (_, batch) => {
    let sum = 0;
    for (let i = batch * size; i < (batch + 1) * size; i++) sum += values[i];
    return sum / size;
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / batches;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (batches - 1);
  return { mean, standardError: Math.sqrt(variance / batches) };
}

/** Steady-state probabilities of M/M/k with `sources` sources that pause `thinkNs` and are served in `serviceNs` on the mean. */
function finiteSourceProbabilities(sources: number, servers: number, thinkNs: number, serviceNs: number): number[] {
  const weights = [1];
  for (let n = 1; n <= sources; n++) {
    const birth = (sources - n + 1) / thinkNs;
    const death = Math.min(n, servers) / serviceNs;
    weights.push((weights[n - 1] * birth) / death);
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Probability that an arrival waits in M/M/k with offered load `a` (Erlang C). */
function erlangC(servers: number, a: number): number {
  let blocking = 1; // Erlang B, by its recursion
  for (let k = 1; k <= servers; k++) blocking = (a * blocking) / (k + a * blocking);
  return blocking / (1 - (a / servers) * (1 - blocking));
}

describe('exponential service without CPU costs', () => {
  const service: ServiceTime = { kind: 'exponential', meanNs: 100 * US };

  it.each([
    [10, 3, 300 * US],
    [8, 1, 1000 * US],
    [16, 4, 250 * US],
  ])('matches M/M/k with %i sources and %i servers', (sources, servers, thinkNs) => {
    const stack = new Stack({
      costs: FREE_COSTS,
      device: { latency: service, parallelism: servers, queueCpuNs: 0, irqCpuNs: 0 },
      block: { queueDepth: 256 },
    });
    for (let job = 0; job < sources; job++) stack.addJob({ cpu: job % 8, thinkNs });
    const measureNs = 2 * SECOND;
    stack.run(20 * MS, measureNs);
    const p = finiteSourceProbabilities(sources, servers, thinkNs, service.meanNs);
    const meanIn = p.reduce((sum, probability, n) => sum + n * probability, 0);
    const throughput = (sources - meanIn) / thinkNs;
    const waitNs = meanIn / throughput - service.meanNs; // Little
    const { mean, standardError } = batchMeans(stack.mediaWaitsNs);
    expect(standardError / waitNs).toBeLessThan(0.05);
    expect(Math.abs(mean - waitNs)).toBeLessThan(4 * standardError);
    expect(Math.abs(stack.totals.ios / measureNs / throughput - 1)).toBeLessThan(0.02);
  });

  it.each([
    [1, 0.7],
    [4, 0.8],
  ])('matches Erlang C with %i servers at a load of %f each', (servers, load) => {
    // A great many sources that pause for long are as good as Poisson arrivals: 2000 sources leave under 1 % of difference in the rate.
    const sources = 2000;
    const rate = (load * servers) / service.meanNs;
    const stack = new Stack({
      costs: FREE_COSTS,
      device: { latency: service, parallelism: servers, queueCpuNs: 0, irqCpuNs: 0 },
      block: { queueDepth: 4096 },
    });
    for (let job = 0; job < sources; job++) stack.addJob({ cpu: job % 8, thinkNs: sources / rate });
    stack.run(500 * MS, 3 * SECOND);
    const a = rate * service.meanNs;
    const waitNs = (erlangC(servers, a) * service.meanNs) / (servers - a);
    const waitingShare = stack.mediaWaitsNs.filter((ns) => ns > 0).length / stack.mediaWaitsNs.length;
    const { mean, standardError } = batchMeans(stack.mediaWaitsNs);
    expect(Math.abs(mean - waitNs)).toBeLessThan(4 * standardError + 0.02 * waitNs);
    expect(Math.abs(waitingShare / erlangC(servers, a) - 1)).toBeLessThan(0.05);
  });
});

describe('mq-deadline end to end', () => {
  const slow: Partial<NullDeviceConfig> = { latency: { kind: 'fixed', latencyNs: 200 * US }, parallelism: 1 };

  /** Operations in the order of their issue. */
  const issueOrder = (stack: Stack): Seen[] => stack.requests.toSorted((a, b) => a.issuedNs - b.issuedNs);

  it('issues an expired read within fifo_batch issues, though lower sectors keep coming', () => {
    const readExpireNs = 20 * MS;
    const stack = new Stack({
      block: { queueDepth: 1, nrRequests: 64, nomerges: 2 },
      device: slow,
      scheduler: new MqDeadline({ readExpireNs }),
      keepRequests: true,
    });
    for (let job = 0; job < 16; job++) {
      // Upwards, in steps that keep ahead of the position: the far read is always further up.
      stack.addJob({ cpu: job % 8, sectorOf: (n) => n * 16 * 8 + job * 8 });
    }
    const far = 1 << 30;
    stack.addJob({ cpu: 0, sectorOf: (n) => far + n * 8 });
    stack.run(0, 300 * MS);
    const order = issueOrder(stack);
    const overdue = order.filter(
      (request) => request.sector >= far && request.issuedNs - request.insertedNs > readExpireNs,
    );
    expect(overdue.length).toBeGreaterThan(3);
    for (const request of overdue) {
      const expiredNs = request.insertedNs + readExpireNs;
      const overtakers = order.filter((other) => other.issuedNs > expiredNs && other.issuedNs < request.issuedNs);
      expect(overtakers.length).toBeLessThanOrEqual(16 + 1); // and the one that was picked already
    }
  });

  it('lets no more than two new read batches pass while a write waits', () => {
    const stack = new Stack({
      block: { queueDepth: 1, nrRequests: 64, nomerges: 2 },
      device: slow,
      scheduler: new MqDeadline(),
      keepRequests: true,
    });
    for (let job = 0; job < 40; job++) stack.addJob({ cpu: job % 8 });
    stack.addJob({ cpu: 0, op: OP_WRITE });
    stack.run(0, 400 * MS);
    const writes = stack.requests.filter((request) => request.op === OP_WRITE);
    const reads = stack.requests.filter((request) => request.op === OP_READ);
    expect(writes.length).toBeGreaterThan(20);
    for (const write of writes) {
      const passed = reads.filter((read) => read.issuedNs > write.insertedNs && read.issuedNs < write.issuedNs);
      // The batch being finished, two more, and the one request on its way to the device.
      expect(passed.length).toBeLessThanOrEqual(3 * 16 + 1);
    }
  });
});

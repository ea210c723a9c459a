/**
 * Queueing checks with known answers: engine, machine, block layer and null device together, driven by closed loops. What is compared comes from the run's
 * own figures or from queueing theory, never from a stored number.
 */
import { describe, expect, it } from 'vitest';
import { MqDeadline } from '../../block/schedulers/mq-deadline.ts';
import { OP_READ, OP_WRITE } from '../../block/types.ts';
import { FREE } from '../../engine/costs/free.ts';
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { ST_MEDIA, ST_WAIT_TAG } from '../../trace/stages.ts';
import type { NullDeviceConfig } from './null-device.ts';
import type { ServiceTime } from './service-time.ts';
import { type Seen, Stack } from './testing.ts';

const US = 1_000;
const MS = 1_000_000;
const SECOND = 1_000_000_000;

describe('a fixed device of 100 µs on server-x86', () => {
  /**
   * `pathNs` is all of an I/O's round but the service: its CPU time and its waits for the CPU, from one submission to the
   * next. With one CPU and a fixed latency the rounds run in convoys (interrupts in a row keep the submitter off its CPU), so the waits are not small.
   */
  const measure = (depth: number, cpus = 1): { iops: number; mediaNs: number; pathNs: number; cpuPerIoNs: number } => {
    const stack = new Stack({ block: { queueDepth: 128 } });
    for (let cpu = 0; cpu < cpus; cpu++) stack.addJob({ cpu, depth: depth / cpus });
    const measureNs = 200 * MS;
    expect(stack.run(20 * MS, measureNs)).toEqual([]);
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

  it('serves eight jobs of depth 1 on eight CPUs eight times as fast as one', () => {
    const one = measure(1);
    const eight = measure(8, 8);
    expect(Math.abs(eight.iops / one.iops / 8 - 1)).toBeLessThan(0.001);
    expect(eight.cpuPerIoNs * 8).toBeCloseTo(one.cpuPerIoNs, -2);
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
    expect(stack.run(5 * MS, 50 * MS)).toEqual([]);
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
      costs: FREE.costs,
      device: { latency: service, parallelism: servers },
      block: { queueDepth: 256 },
    });
    for (let job = 0; job < sources; job++) stack.addJob({ cpu: job % 8, thinkNs });
    const measureNs = 2 * SECOND;
    expect(stack.run(20 * MS, measureNs)).toEqual([]);
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
      costs: FREE.costs,
      device: { latency: service, parallelism: servers },
      block: { queueDepth: 4096 },
    });
    for (let job = 0; job < sources; job++) stack.addJob({ cpu: job % 8, thinkNs: sources / rate });
    expect(stack.run(500 * MS, 3 * SECOND)).toEqual([]);
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
    expect(stack.run(0, 300 * MS)).toEqual([]);
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
    expect(stack.run(0, 400 * MS)).toEqual([]);
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

import { describe, expect, it } from 'vitest';
import { OP_FLUSH, OP_READ, STS_OK } from '../../block/types.ts';
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { RandomStream } from '../../engine/random.ts';
import { stageIndex, StageRows, type StageId } from '../../trace/stages.ts';
import { NullDevice, type NullDeviceConfig } from './null-device.ts';
import { drawServiceNs, meanServiceNs, type ServiceTime } from './service-time.ts';

const CPUS = 2;
const RQS = 64;

/** Stands in for the block layer: a task per CPU hands its requests to the device one after the other, all at once or when told. */
class Rig {
  readonly engine = new Engine(7);
  readonly machine = new Machine(this.engine, SERVER_X86.costs, CPUS);
  readonly requests = {
    serial: Float64Array.from({ length: RQS }, (_, rq) => 100 + rq),
    op: new Uint8Array(RQS).fill(OP_READ),
    bytes: new Float64Array(RQS).fill(4096),
    cpu: new Int32Array(RQS),
    keyslot: new Int32Array(RQS).fill(-1),
    rows: new StageRows(RQS),
  };
  readonly issuedNs = new Map<number, number>();
  readonly completedNs = new Map<number, number>();
  readonly completedOn = new Map<number, string>();
  readonly device: NullDevice;
  private readonly pending: number[][] = [[], []];
  private readonly tasks: number[];

  constructor(config: Partial<NullDeviceConfig>) {
    const block = {
      requests: this.requests,
      startRequest: (rq: number) => this.issuedNs.set(rq, this.engine.now),
      queueRqDone: (x: number, rq: number, status: number) => {
        expect(status).toBe(STS_OK);
        expect(this.issuedNs.has(rq)).toBe(true);
        this.next(x);
      },
      completeRequest: (x: number, rq: number, status: number) => {
        expect(status).toBe(STS_OK);
        expect(this.machine.isAtomic(x)).toBe(true);
        this.completedNs.set(rq, this.engine.now);
        this.completedOn.set(rq, this.machine.name(x));
      },
    };
    this.device = new NullDevice({ engine: this.engine, machine: this.machine, block }, config);
    const issue = this.engine.register('rig.issue', (x) => {
      this.next(x);
    });
    this.tasks = [0, 1].map((cpu) => this.machine.createTask(`issuer/${cpu}`, cpu, issue));
  }

  /** Issues `count` requests from a CPU and runs until all is quiet or the time is up. */
  issue(count: number, cpu = 0, untilNs = Infinity): void {
    const first = this.issuedNs.size;
    for (let rq = first; rq < first + count; rq++) {
      this.requests.cpu[rq] = cpu;
      this.pending[cpu].push(rq);
    }
    this.machine.wake(-1, this.tasks[cpu]);
    this.engine.runSlice(100_000, untilNs);
  }

  stage(rq: number, stage: StageId): number {
    return this.requests.rows.ns[rq * (this.requests.rows.ns.length / RQS) + stageIndex(stage)];
  }

  private next(x: number): void {
    const rq = this.pending[this.machine.cpuOf(x)].shift();
    if (rq === undefined) {
      this.machine.exit(x);
      return;
    }
    this.requests.rows.start(rq, this.engine.now);
    this.device.queueRq(x, rq);
  }
}

const fixed = (ns: number): ServiceTime => ({ kind: 'fixed', latencyNs: ns });

describe('the null device', () => {
  it('serves a lone request in exactly its latency, after the queueing cost', () => {
    const rig = new Rig({ latency: fixed(50_000), queueCpuNs: 100, irqCpuNs: 150 });
    rig.issue(1);
    expect(rig.stage(0, 'host.cpu')).toBe(100);
    expect(rig.stage(0, 'media.wait')).toBe(0);
    expect(rig.stage(0, 'media')).toBe(50_000);
    const { hardirqEntryNs, idleStates } = SERVER_X86.costs;
    expect(rig.stage(0, 'complete.irq')).toBe(idleStates[0].exitNs + hardirqEntryNs + 150);
    expect(rig.device.checkEmpty()).toEqual([]);
  });

  it('accounts for every nanosecond up to completeRequest', () => {
    const rig = new Rig({ parallelism: 2, bandwidthBytesPerSecond: 300_000_000 });
    rig.issue(20);
    for (let rq = 0; rq < 20; rq++) {
      const { rows } = rig.requests;
      expect(rows.total(rq)).toBe(rig.completedNs.get(rq)! - rows.startNs[rq]);
    }
  });

  it('serves no more than `parallelism` requests at once, the others in order of arrival', () => {
    const rig = new Rig({ latency: fixed(50_000), parallelism: 3, queueCpuNs: 0 });
    rig.issue(9);
    expect(rig.device.peakInService).toBe(3);
    expect(rig.device.peakInDevice).toBe(9);
    expect([0, 3, 6].map((rq) => rig.stage(rq, 'media.wait'))).toEqual([0, 50_000, 100_000]);
    expect([...rig.completedNs.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(rig.device.busyServerNs).toBe(9 * 50_000);
  });

  it('serves all at once without a limit', () => {
    const rig = new Rig({ latency: fixed(50_000) });
    rig.issue(30);
    expect(rig.device.peakInService).toBe(30);
  });

  it('gives each operation its own latency', () => {
    const rig = new Rig({ latency: fixed(10_000), opLatency: { flush: fixed(700_000) } });
    rig.requests.op[1] = OP_FLUSH;
    rig.issue(2);
    expect(rig.stage(0, 'media')).toBe(10_000);
    expect(rig.stage(1, 'media')).toBe(700_000);
    expect(rig.device.statistics()).toMatchObject({ read: 1, flush: 1, write: 0 });
  });

  it('passes requests over a limited link one after the other', () => {
    const rig = new Rig({ latency: fixed(10_000), queueCpuNs: 0, bandwidthBytesPerSecond: 4096 * 10_000 }); // 100 µs each
    rig.issue(3);
    expect([0, 1, 2].map((rq) => rig.stage(rq, 'link'))).toEqual([100_000, 100_000, 100_000]);
    expect([0, 1, 2].map((rq) => rig.stage(rq, 'wait.link'))).toEqual([0, 100_000, 200_000]);
  });

  it('does not lose bandwidth to the rounding of events', () => {
    const rig = new Rig({ latency: fixed(1), queueCpuNs: 0, bandwidthBytesPerSecond: 3_000_000_000 }); // 1365.33 ns each
    rig.issue(60);
    const linkNs = [...rig.issuedNs.keys()].reduce(
      (sum, rq) => Math.max(sum, rig.stage(rq, 'wait.link') + rig.stage(rq, 'link')),
      0,
    );
    expect(linkNs).toBe(Math.ceil((60 * 4096) / 3));
  });

  it('interrupts the CPU of the request, or a fixed one', () => {
    const submitter = new Rig({});
    submitter.issue(1, 1);
    expect(submitter.completedOn.get(0)).toBe('hardirq/1');
    const steered = new Rig({ irqCpu: 0 });
    steered.issue(1, 1);
    expect(steered.completedOn.get(0)).toBe('hardirq/0');
  });

  it('raises an interrupt per completion, unless one is pending that will see it', () => {
    const apart = new Rig({ latency: fixed(50_000), queueCpuNs: 5_000 });
    apart.issue(10);
    expect(apart.machine.interrupts).toBe(10);
    const together = new Rig({ latency: fixed(50_000), queueCpuNs: 0, irqCpuNs: 150 });
    together.issue(10);
    expect(together.machine.interrupts).toBe(1);
    expect(together.completedNs.get(9)! - together.completedNs.get(0)!).toBe(9 * 150);
  });

  it('reports what is left and who waits when a run stops in the middle', () => {
    const rig = new Rig({ latency: fixed(1_000_000), parallelism: 1 });
    rig.issue(3, 0, 500_000);
    expect(rig.device.checkEmpty()).toEqual(['null device: 3 requests in the device, 2 of them in its queue']);
    const waiters: string[] = [];
    rig.device.reportWaits((edge) => waiters.push(edge.waiter));
    expect(waiters).toEqual(['request 101', 'request 102']);
  });
});

describe('service times', () => {
  const draws = (time: ServiceTime, n: number): number[] => {
    const stream = new RandomStream(3, 'service');
    return Array.from({ length: n }, () => drawServiceNs(time, stream));
  };
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

  it('are integers of at least 1 ns', () => {
    for (const time of [
      { kind: 'exponential', meanNs: 2 },
      { kind: 'uniform', minNs: 0, maxNs: 2 },
      { kind: 'fixed', latencyNs: 0 },
    ] as const) {
      expect(draws(time, 2000).every((ns) => Number.isInteger(ns) && ns >= 1)).toBe(true);
    }
  });

  it('spread uniformly over the whole range, both ends included', () => {
    expect([...new Set(draws({ kind: 'uniform', minNs: 10, maxNs: 13 }, 500))].sort()).toEqual([10, 11, 12, 13]);
  });

  it.each<ServiceTime>([
    { kind: 'fixed', latencyNs: 1_000 },
    { kind: 'uniform', minNs: 50_000, maxNs: 150_000 },
    { kind: 'exponential', meanNs: 100_000 },
  ])('have the stated mean: $kind', (time) => {
    const n = 40_000;
    const standardError = meanServiceNs(time) / Math.sqrt(n); // that of the exponential, the widest of the three
    expect(Math.abs(mean(draws(time, n)) - meanServiceNs(time))).toBeLessThan(4 * standardError);
  });

  it('of the exponential exceed three times the mean with probability e^-3', () => {
    const n = 40_000;
    const share = draws({ kind: 'exponential', meanNs: 100_000 }, n).filter((ns) => ns > 300_000).length / n;
    const p = Math.exp(-3);
    expect(Math.abs(share - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / n));
  });
});

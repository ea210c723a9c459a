/**
 * The null device: a station of `parallelism` servers with a first-in-first-out queue in front, for queueing studies. In spirit the kernel's null_blk with
 * a completion timer, but with distributions and a number of servers, so that results can be checked against queueing theory.
 *
 * Modelled: service times per operation, the FIFO, an optional link of limited bandwidth that requests pass one after the other after their service, the CPU
 * cost of queueing in the context that issues, completion interrupts on a chosen CPU: one per request, except that requests which finish before the handler
 * has run are found and completed by it (a pending interrupt is not raised twice, as in hardware).
 *
 * Deliberately not: zones, errors, bad blocks, polling, deliberate interrupt coalescing. A flush takes its service time like any command and does not wait
 * for the writes before it. The depth is the block layer's business (driver tags); the device takes what it is given.
 *
 * Stages: `host.cpu` for queueing, `media.wait` in the FIFO, `media` in service, `wait.link` and `link` under a bandwidth limit, `complete.irq` from
 * there to the call of completeRequest.
 *
 * @kernel v6.12 drivers/block/null_blk/main.c (what a driver of no hardware does)
 */
import { OP_NAMES, STS_OK, type Lld } from '../../block/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { RandomStream } from '../../engine/random.ts';
import { IntRing } from '../../engine/ring.ts';
import type { WaitEdge } from '../../engine/waits.ts';
import {
  ST_COMPLETE_IRQ,
  ST_HOST_CPU,
  ST_KEYSLOT_PROGRAM,
  ST_LINK,
  ST_MEDIA,
  ST_MEDIA_WAIT,
  ST_WAIT_LINK,
  type StageId,
  type StageRows,
} from '../../trace/stages.ts';
import type { NullData } from './null-data.ts';
import type { NullKeyslots } from './null-keyslots.ts';
import { drawServiceNs, type ServiceTime } from './service-time.ts';

type OpName = (typeof OP_NAMES)[number];

export interface NullDeviceConfig {
  /** Service time of every operation that `opLatency` does not name. */
  readonly latency: ServiceTime;
  /** Service times by operation. */
  readonly opLatency: Readonly<Partial<Record<OpName, ServiceTime>>>;
  /** Servers: requests in service at once; 0 for no limit. */
  readonly parallelism: number;
  /** Bytes per second of the link that all requests share; 0 for no limit. */
  readonly bandwidthBytesPerSecond: number;
  /** The CPU that takes the completion interrupt: the request's own or a fixed one. */
  readonly irqCpu: 'submitter' | number;
  /** CPU time of handing one request over, in the issuing context (ns); default: the machine's nullQueueNs. */
  readonly queueCpuNs?: number;
  /** CPU time of the interrupt handler per completion, the entry not counted (ns); default: the machine's nullIrqNs. */
  readonly irqCpuNs?: number;
}

/** Defaults: no limits, interrupts on the request's CPU. */
export const NULL_DEVICE_DEFAULTS: NullDeviceConfig = {
  latency: { kind: 'fixed', latencyNs: 100_000 },
  opLatency: {},
  parallelism: 0,
  bandwidthBytesPerSecond: 0,
  irqCpu: 'submitter',
};

/** What the device needs of the block layer. */
export interface NullDeviceBlock {
  readonly requests: {
    /** The number a request is known by. */
    readonly serial: ArrayLike<number>;
    readonly op: ArrayLike<number>;
    readonly bytes: ArrayLike<number>;
    readonly cpu: ArrayLike<number>;
    readonly keyslot: ArrayLike<number>;
    readonly rows: StageRows;
  };
  startRequest(rq: number): void;
  queueRqDone(x: number, rq: number, status: number): void;
  completeRequest(x: number, rq: number, status: number): void;
}

export interface NullDeviceEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly block: NullDeviceBlock;
  /** Keyslots to which keys are posted: the service of a request waits for its key. */
  readonly posted?: NullKeyslots;
}

const NS_PER_SEC = 1_000_000_000;

export class NullDevice implements Lld {
  /** Completed requests by operation code. */
  readonly completed = new Float64Array(OP_NAMES.length);
  /** Most requests ever in service at once, and ever in the device. */
  peakInService = 0;
  peakInDevice = 0;
  /** Integral of requests in service over time (ns): divided by the run's length, the mean number of busy servers. */
  busyServerNs = 0;
  /** Moves real bytes; undefined when only costs are modelled. */
  data: NullData | undefined;

  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly block: NullDeviceBlock;
  private readonly posted: NullKeyslots | undefined;
  private readonly config: Required<NullDeviceConfig>;
  private readonly servers: number;
  private readonly serviceTimes: readonly ServiceTime[];
  private readonly stream: RandomStream;
  private readonly nsPerByte: number;
  private readonly fifo = new IntRing();
  private inService = 0;
  private inDevice = 0;
  /** Finished requests that the handler has not seen, per CPU; while there are any, that CPU's interrupt is pending or being handled. */
  private readonly finished: IntRing[] = [];
  /** Until when the link is taken by requests before (ns, with the fraction that rounding to events leaves). */
  private linkFreeNs = 0;

  private readonly queuedKind: number;
  private readonly servedKind: number;
  private readonly transferredKind: number;
  private readonly irqKind: number;

  /** `settings` replace NULL_DEVICE_DEFAULTS one by one. */
  constructor(env: NullDeviceEnv, settings: Partial<NullDeviceConfig>) {
    const { engine, machine } = env;
    const { nullQueueNs: queueCpuNs, nullIrqNs: irqCpuNs } = machine.costs;
    const config = { ...NULL_DEVICE_DEFAULTS, queueCpuNs, irqCpuNs, ...settings };
    this.engine = engine;
    this.machine = machine;
    this.block = env.block;
    this.posted = env.posted;
    this.config = config;
    this.servers = config.parallelism === 0 ? Infinity : config.parallelism;
    this.serviceTimes = OP_NAMES.map((op) => config.opLatency[op] ?? config.latency);
    this.stream = engine.stream('hosts/null/service');
    this.nsPerByte = config.bandwidthBytesPerSecond === 0 ? 0 : NS_PER_SEC / config.bandwidthBytesPerSecond;
    this.queuedKind = engine.register('null.queued', (rq) => {
      this.requestQueued(rq);
    });
    this.servedKind = engine.register('null.served', (rq) => {
      this.requestServed(rq);
    });
    this.transferredKind = engine.register('null.transferred', (rq) => {
      this.block.requests.rows.mark(rq, ST_LINK, this.engine.now);
      this.raiseCompletion(rq);
    });
    this.irqKind = engine.register('null.irq', (cpu) => {
      this.completionIrq(cpu);
    });
    for (let cpu = 0; cpu < machine.cpus; cpu++) this.finished.push(new IntRing());
  }

  // ------------------------------------------------------------------------------------------------ driver side

  /** Takes the request after `queueCpuNs` in `x`. Never refuses. Context: any. */
  startsAtOnce(): boolean {
    return true;
  }

  queueRq(x: number, rq: number): void {
    this.machine.run(x, this.config.queueCpuNs, this.queuedKind, rq);
  }

  /** A request of this device always completes: the timer is armed again. */
  timeout(): boolean {
    return false;
  }

  private requestQueued(rq: number): void {
    const x = this.machine.current;
    this.block.startRequest(rq);
    this.block.requests.rows.mark(rq, ST_HOST_CPU, this.engine.now);
    this.arrive(rq);
    this.block.queueRqDone(x, rq, STS_OK);
  }

  /** The handler has spent its time on one request; it goes on with the next that has finished. */
  private completionIrq(cpu: number): void {
    const x = this.machine.current;
    const finished = this.finished[cpu];
    const rq = finished.shift();
    this.completed[this.block.requests.op[rq]]++;
    this.block.requests.rows.mark(rq, ST_COMPLETE_IRQ, this.engine.now);
    this.block.completeRequest(x, rq, STS_OK);
    if (finished.size > 0) this.machine.run(x, this.config.irqCpuNs, this.irqKind, cpu);
  }

  // ------------------------------------------------------------------------------------------------ device side

  private arrive(rq: number): void {
    this.inDevice++;
    if (this.inDevice > this.peakInDevice) this.peakInDevice = this.inDevice;
    if (this.inService < this.servers) this.serve(rq);
    else this.fifo.push(rq);
  }

  private serve(rq: number): void {
    const requests = this.block.requests;
    requests.rows.mark(rq, ST_MEDIA_WAIT, this.engine.now);
    const serviceNs = drawServiceNs(this.serviceTimes[requests.op[rq]], this.stream);
    this.inService++;
    if (this.inService > this.peakInService) this.peakInService = this.inService;
    this.busyServerNs += serviceNs;
    const fromNs = this.posted === undefined ? this.engine.now : this.keyReady(rq, this.posted);
    this.engine.at(fromNs + serviceNs, this.servedKind, rq);
  }

  /** When the service can begin: posted keys make it wait, a server being taken all the while. */
  private keyReady(rq: number, posted: NullKeyslots): number {
    const { keyslot, rows } = this.block.requests;
    if (keyslot[rq] < 0) return this.engine.now;
    const readyNs = posted.serviceFromNs(keyslot[rq]);
    rows.mark(rq, ST_KEYSLOT_PROGRAM, readyNs);
    return readyNs;
  }

  private requestServed(rq: number): void {
    this.block.requests.rows.mark(rq, ST_MEDIA, this.engine.now);
    this.inService--;
    if (this.data !== undefined) this.data.served(rq);
    if (this.fifo.size > 0) this.serve(this.fifo.shift());
    if (this.nsPerByte === 0) this.raiseCompletion(rq);
    else this.transfer(rq);
  }

  /** Sends the request over the link, behind those that finished service before it. */
  private transfer(rq: number): void {
    const { bytes, rows } = this.block.requests;
    const startNs = Math.max(this.engine.now, this.linkFreeNs);
    this.linkFreeNs = startNs + bytes[rq] * this.nsPerByte;
    rows.mark(rq, ST_WAIT_LINK, Math.floor(startNs));
    this.engine.at(Math.ceil(this.linkFreeNs), this.transferredKind, rq);
  }

  private raiseCompletion(rq: number): void {
    const { irqCpu, irqCpuNs } = this.config;
    this.inDevice--;
    const cpu = irqCpu === 'submitter' ? this.block.requests.cpu[rq] : irqCpu;
    const finished = this.finished[cpu];
    finished.push(rq);
    if (finished.size === 1) this.machine.raiseHardirq(cpu, irqCpuNs, this.irqKind, cpu);
  }

  // ------------------------------------------------------------------------------------------------ reports

  /** The stages that this device marks. */
  get stages(): readonly StageId[] {
    const link: readonly StageId[] = this.nsPerByte === 0 ? [] : ['wait.link', 'link'];
    return ['host.cpu', 'media.wait', 'media', ...link, 'complete.irq'];
  }

  /** Counters for the `device` part of the summary. */
  statistics(): Readonly<Record<string, number>> {
    const counts = Object.fromEntries(OP_NAMES.map((op, i) => [op, this.completed[i]]));
    return {
      ...counts,
      peakInService: this.peakInService,
      peakInDevice: this.peakInDevice,
      busyServerNs: this.busyServerNs,
    };
  }

  /** Requests in the FIFO wait for a server; who holds the servers is not kept, because a server always frees itself. */
  reportWaits(add: (edge: WaitEdge) => void): void {
    const { serial } = this.block.requests;
    for (let i = 0; i < this.fifo.size; i++) {
      add({ waiter: `request ${serial[this.fifo.at(i)]}`, resource: 'a server of the null device', holders: [] });
    }
  }

  /** What is left in the device, as sentences; empty after a run that came to its end. */
  checkEmpty(): string[] {
    const left: string[] = [];
    if (this.inDevice > 0)
      left.push(`null device: ${this.inDevice} requests in the device, ${this.fifo.size} of them in its queue`);
    const unseen = this.finished.reduce((sum, { size }) => sum + size, 0);
    if (unseen > 0) left.push(`null device: ${unseen} finished requests not completed`);
    return left;
  }
}

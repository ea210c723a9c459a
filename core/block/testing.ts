/**
 * For specs of the block layer and its neighbours: a machine with a block device behind a scripted driver, and a submitter task that does what it is told.
 */
import type { MachineCosts } from '../engine/costs/costs.ts';
import { SERVER_X86 } from '../engine/costs/server-x86.ts';
import { Engine } from '../engine/engine.ts';
import { Machine } from '../engine/machine.ts';
import { Workqueues } from '../engine/workqueue.ts';
import { ST_HOST_CPU, ST_MEDIA, STAGE_STRIDE } from '../trace/stages.ts';
import { NO_GAUGES, type DetailLog } from '../trace/log.ts';
import { Block } from './block.ts';
import type { BlockConfig } from './config.ts';
import type { Scheduler } from './scheduler.ts';
import { type Lld, OP_NAMES, OP_READ, type QueueLimits, SECTOR_BYTES, STS_OK } from './types.ts';

/** Limits of a roomy device: tests narrow what they are about. */
export const TEST_LIMITS: QueueLimits = {
  logicalBlockSize: 512,
  physicalBlockSize: 4096,
  maxHwSectors: 65_536,
  maxSectors: 2560,
  maxSegments: 256,
  maxSegmentSize: 65_536,
  chunkSectors: 0,
  maxDiscardSectors: 65_536,
  discardGranularity: 4096,
  maxWriteZeroesSectors: 65_536,
  writeCache: false,
  fua: false,
};

/** One event of the log, with the letters of blktrace where it has one. */
export interface SeenEvent {
  readonly atNs: number;
  readonly kind: string;
  readonly id1: number;
  readonly id2: number;
}

const LETTERS: Readonly<Record<string, string>> = {
  'bio.queued': 'Q',
  'bio.split': 'X',
  'bio.back_merged': 'M',
  'bio.front_merged': 'F',
  'request.merged': 'M',
  'bio.slept': 'S',
  'request.got': 'G',
  'plug.plugged': 'P',
  'plug.unplugged': 'U',
  'plug.unplugged_from_schedule': 'UT',
  'request.inserted': 'I',
  'request.issued': 'D',
  'request.requeued': 'R',
  'request.completed': 'C',
};

export class SeenLog implements DetailLog {
  readonly on = true;
  readonly events: SeenEvent[] = [];
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  event(_room: string, kind: string, id1: number, id2: number, atNs = this.engine.now): void {
    this.events.push({ atNs, kind, id1, id2 });
  }
  register(): void {}
  span(): void {}

  /** The events as blktrace letters, in order. */
  letters(): string[] {
    return this.events.flatMap((e) => LETTERS[e.kind] ?? []);
  }

  count(letter: string): number {
    return this.letters().filter((l) => l === letter).length;
  }

  of(letter: string): SeenEvent[] {
    return this.events.filter((e) => LETTERS[e.kind] === letter);
  }
}

/** A request as the driver saw it. */
export interface SeenRequest {
  readonly rq: number;
  readonly op: string;
  readonly sector: number;
  readonly sectors: number;
  readonly segments: number;
  readonly tag: number;
  readonly hctx: number;
  readonly flags: number;
  readonly atNs: number;
  readonly last: boolean;
  readonly context: string;
}

/** A driver that answers as `answer` says and completes what it accepted after `latencyNs(rq)`, by an interrupt on `irqCpu`. */
export class ScriptedLld implements Lld {
  block!: Block;
  latencyNs: (rq: number) => number = () => 100_000;
  /** The answer to queueRq: STS_OK starts the request. */
  answer: (rq: number) => number = () => STS_OK;
  /** The status with which the device completes. */
  outcome: (rq: number) => number = () => STS_OK;
  /** In the interrupt: gives the request back instead of completing it; a delay in ns, or undefined. */
  bounces: (rq: number) => number | undefined = () => undefined;
  /** In the interrupt: completes only these many bytes; undefined for all. */
  partDone: (rq: number) => number | undefined = () => undefined;
  onTimeout: (rq: number) => boolean = () => true;
  irqCpu = 0;
  /** False: requests stay at the device until the test completes them. */
  completes = true;
  queueCostNs = 0;
  /** queueRq sleeps this long before it answers (a BLOCKING driver). */
  sleepNs = 0;
  readonly seen: SeenRequest[] = [];
  readonly commits: number[] = [];
  readonly timeouts: { rq: number; atNs: number }[] = [];
  /** Requests given back in the interrupt. */
  bounced = 0;
  /** Most requests at the device at once. */
  mostInFlight = 0;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly queuedKind: number;
  private readonly wakeKind: number;
  private readonly doneKind: number;
  private readonly irqKind: number;
  private readonly atDevice = new Set<number>();
  private readonly lasts = new Map<number, boolean>();

  constructor(engine: Engine, machine: Machine) {
    this.engine = engine;
    this.machine = machine;
    this.queuedKind = engine.register('test.queued', (rq) => this.queued(machine.current, rq));
    this.wakeKind = engine.register('test.wake-driver', (x) => machine.wake(-1, x));
    this.doneKind = engine.register('test.done', (rq) => {
      machine.raiseHardirq(this.irqCpu, 0, this.irqKind, rq);
    });
    this.irqKind = engine.register('test.irq', (rq) => this.interrupted(rq));
  }

  queueRq(x: number, rq: number, last: boolean): void {
    this.lasts.set(rq, last);
    if (this.sleepNs > 0) {
      this.machine.assertMaySleep(x, 'queueRq');
      this.engine.after(this.sleepNs, this.wakeKind, x);
      this.machine.sleep(x, this.queuedKind, rq);
    } else if (this.queueCostNs > 0) this.machine.run(x, this.queueCostNs, this.queuedKind, rq);
    else this.queued(x, rq);
  }

  private queued(x: number, rq: number): void {
    const { requests } = this.block;
    const status = this.answer(rq);
    requests.rows.mark(rq, ST_HOST_CPU, this.engine.now);
    if (status === STS_OK) {
      this.block.startRequest(rq);
      if (this.atDevice.has(rq)) throw new Error('the same request is at the device twice');
      this.atDevice.add(rq);
      this.mostInFlight = Math.max(this.mostInFlight, this.atDevice.size);
      this.seen.push({
        rq,
        op: OP_NAMES[requests.op[rq]],
        sector: requests.sector[rq],
        sectors: requests.bytes[rq] / SECTOR_BYTES,
        segments: requests.segments[rq],
        tag: requests.tag[rq],
        hctx: requests.hctx[rq],
        flags: requests.flags[rq],
        atNs: this.engine.now,
        last: this.lasts.get(rq) ?? false,
        context: this.machine.name(x),
      });
      if (this.completes) this.engine.after(this.latencyNs(rq), this.doneKind, rq);
    }
    this.block.queueRqDone(x, rq, status);
  }

  private interrupted(rq: number): void {
    const delayNs = this.bounces(rq);
    if (delayNs === undefined) {
      this.complete(rq, this.partDone(rq));
      return;
    }
    this.block.requests.rows.mark(rq, ST_MEDIA, this.engine.now);
    this.bounced++;
    this.giveBack(this.machine.current, rq, delayNs);
  }

  /** The device is done with a request: called in its interrupt, or by the test. */
  complete(rq: number, bytes?: number): void {
    this.atDevice.delete(rq);
    this.block.requests.rows.mark(rq, ST_MEDIA, this.engine.now);
    this.block.completeRequest(this.machine.current, rq, this.outcome(rq), bytes);
  }

  /** Has the device finish a request `delayNs` from now. */
  completeAfter(rq: number, delayNs: number): void {
    this.engine.after(delayNs, this.doneKind, rq);
  }

  /** The driver gives a request back. */
  giveBack(x: number, rq: number, delayNs: number): void {
    this.atDevice.delete(rq);
    this.block.requeueRequest(x, rq, delayNs);
  }

  commitRqs(_x: number, hctx: number): void {
    this.commits.push(hctx);
  }

  timeout(_x: number, rq: number): boolean {
    this.timeouts.push({ rq, atNs: this.engine.now });
    return this.onTimeout(rq);
  }
}

/** What a bio is asked to be; a 4 KiB read without anything special by default. */
export interface BioSpec {
  op?: number;
  flags?: number;
  sector?: number;
  bytes?: number;
  segments?: number;
  ioprio?: number;
  writeHint?: number;
  keyId?: number;
  dun?: number | bigint;
  dataUnitSize?: number;
}

/** How a bio ended. */
export interface EndedBio {
  readonly spec: BioSpec;
  readonly status: number;
  readonly queuedNs: number;
  readonly endedNs: number;
  /** ns per stage index. */
  readonly stages: number[];
  readonly totalNs: number;
  readonly cpu: number;
  readonly context: string;
}

/** A request as the observer saw it at its end. */
export interface EndedRequest {
  readonly serial: number;
  readonly sector: number;
  readonly bytes: number;
  readonly bios: number;
  readonly attempts: number;
  readonly status: number;
  readonly queuedNs: number;
  readonly gotNs: number;
  readonly insertedNs: number;
  readonly issuedNs: number;
  readonly completedNs: number;
  readonly totalNs: number;
  readonly stages: number[];
  readonly cpu: number;
}

/** One step of a submitter's script, carried out in its task. */
export type Step =
  | { readonly submit: BioSpec }
  | { readonly plug: 'start' | 'finish' }
  | { readonly sleepNs: number }
  | { readonly sleepPlugged: number }
  | { readonly call: (x: number) => void }
  | { readonly enter: (x: number) => void };

export interface RigOptions extends Partial<Omit<BlockConfig, 'limits'>> {
  readonly limits?: Partial<QueueLimits>;
  readonly scheduler?: Scheduler;
  readonly cpus?: number;
  readonly costs?: Partial<MachineCosts>;
}

/** A machine, a block device, a scripted driver, and tasks that run scripts. */
export class Rig {
  readonly engine = new Engine(1);
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly log: SeenLog;
  readonly block: Block;
  readonly lld: ScriptedLld;
  readonly ended: EndedBio[] = [];
  readonly requests: EndedRequest[] = [];
  private readonly specs: BioSpec[] = [];
  private readonly scripts: { x: number; steps: readonly Step[]; at: number }[] = [];
  private readonly stepKind: number;
  private readonly wakeKind: number;
  private readonly endKind: number;

  constructor(options: RigOptions = {}) {
    const { limits, scheduler, cpus, costs, ...config } = options;
    this.machine = new Machine(this.engine, { ...SERVER_X86.costs, ...costs }, cpus ?? 2);
    this.workqueues = new Workqueues(this.engine, this.machine);
    this.log = new SeenLog(this.engine);
    this.block = new Block(
      {
        engine: this.engine,
        machine: this.machine,
        workqueues: this.workqueues,
        log: this.log,
        gauges: NO_GAUGES,
      },
      { queueDepth: 32, hwQueues: 1, plugPerBio: false, ...config, limits: { ...TEST_LIMITS, ...limits } },
    );
    this.lld = new ScriptedLld(this.engine, this.machine);
    this.lld.block = this.block;
    this.block.attach(this.lld, scheduler);
    this.stepKind = this.engine.register('test.step', (script) => this.step(script));
    this.wakeKind = this.engine.register('test.wake', (script) => this.machine.wake(-1, this.scripts[script].x));
    this.endKind = this.engine.register('test.bio-end', (bio) => this.bioEnded(bio));
    this.block.onRequestDone = (rq) => this.requestDone(rq);
  }

  /** A task on `cpu` that carries out the steps, starting at `atNs`. Returns its context. */
  task(steps: readonly Step[], cpu = 0, atNs = 0): number {
    const script = this.scripts.length;
    const x = this.machine.createTask(`submitter/${script}`, cpu, this.stepKind, script);
    this.scripts.push({ x, steps, at: 0 });
    this.engine.at(atNs, this.wakeKind, script);
    return x;
  }

  /** Runs to the end (or to `untilNs`); fails the test by throwing when a law is broken. */
  run(untilNs = Infinity): this {
    while (this.engine.runSlice(100_000, untilNs));
    for (const violation of this.machine.violations) throw new Error(`${violation.law}: ${violation.what}`);
    return this;
  }

  /** Runs to the end, where nothing may be left inside. */
  finish(): this {
    this.run();
    const left = this.block.checkEmpty();
    if (left.length > 0) throw new Error(left.join('; '));
    return this;
  }

  private step(index: number): void {
    const script = this.scripts[index];
    const { x } = script;
    const { machine, block, engine } = this;
    if (script.at === script.steps.length) {
      machine.exit(x);
      return;
    }
    const step = script.steps[script.at++];
    if ('submit' in step) {
      machine.pushReturn(x, this.stepKind, index);
      this.submitBio(x, this.makeBio(step.submit));
    } else if ('plug' in step) {
      if (step.plug === 'finish') {
        machine.pushReturn(x, this.stepKind, index);
        block.finishPlug(x);
      } else {
        block.startPlug(x);
        this.step(index);
      }
    } else if ('enter' in step) {
      machine.pushReturn(x, this.stepKind, index);
      step.enter(x);
    } else if ('call' in step) {
      step.call(x);
      this.step(index);
    } else {
      const delayNs = 'sleepNs' in step ? step.sleepNs : step.sleepPlugged;
      if ('sleepPlugged' in step) block.flushPlugFromSchedule(x);
      engine.after(delayNs, this.wakeKind, index);
      machine.sleep(x, this.stepKind, index);
    }
  }

  /** Where bios go: the block layer, or what a rig puts above it. */
  protected submitBio(x: number, bio: number): void {
    this.block.submitBio(x, bio);
  }

  private makeBio(spec: BioSpec): number {
    const { bios } = this.block;
    const bio = bios.alloc();
    const bytes = spec.bytes ?? 4096;
    bios.op[bio] = spec.op ?? OP_READ;
    bios.flags[bio] = spec.flags ?? 0;
    bios.sector[bio] = spec.sector ?? 0;
    bios.bytes[bio] = bytes;
    bios.segments[bio] = spec.segments ?? Math.ceil(bytes / 4096);
    bios.ioprio[bio] = spec.ioprio ?? 0;
    bios.writeHint[bio] = spec.writeHint ?? 0;
    if (spec.keyId !== undefined) bios.setCrypt(bio, spec.keyId, BigInt(spec.dun ?? 0), spec.dataUnitSize ?? 4096);
    bios.endKind[bio] = this.endKind;
    bios.endArg[bio] = this.specs.push(spec) - 1;
    bios.rows.start(bio, this.engine.now);
    return bio;
  }

  private bioEnded(bio: number): void {
    const { bios } = this.block;
    const x = this.machine.current;
    this.ended.push({
      spec: this.specs[bios.endArg[bio]],
      status: bios.status[bio],
      queuedNs: bios.rows.startNs[bio],
      endedNs: this.engine.now,
      stages: stagesOf(bios.rows.ns, bio),
      totalNs: bios.rows.total(bio),
      cpu: x >= 0 ? this.machine.cpuOf(x) : -1,
      context: x >= 0 ? this.machine.name(x) : 'none',
    });
    bios.release(bio);
  }

  private requestDone(rq: number): void {
    const { requests } = this.block;
    const x = this.machine.current;
    this.requests.push({
      serial: requests.serial[rq],
      sector: requests.sector[rq],
      bytes: requests.totalBytes[rq],
      bios: requests.bios[rq],
      attempts: requests.attempts[rq],
      status: requests.status[rq],
      queuedNs: requests.queuedNs[rq],
      gotNs: requests.gotNs[rq],
      insertedNs: requests.insertedNs[rq],
      issuedNs: requests.issuedNs[rq],
      completedNs: requests.completedNs[rq],
      totalNs: requests.rows.total(rq),
      stages: stagesOf(requests.rows.ns, rq),
      cpu: x >= 0 ? this.machine.cpuOf(x) : -1,
    });
  }
}

/** The columns of a stage row as a plain array. */
function stagesOf(ns: Float64Array, row: number): number[] {
  return [...ns.subarray(row * STAGE_STRIDE, (row + 1) * STAGE_STRIDE)];
}

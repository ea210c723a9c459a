/**
 * The keyslot debate as a queueing model: closed loops of plain and encrypted reads over the real block layer and the real crypto profile, on a machine whose CPU
 * time is free and a device that serves any number of requests at once, each for an exponentially distributed time. Only tags, slots and the
 * programming of keys can make anybody wait, so that policies show what they do by themselves. For the validation targets V11 and V12 and their spec.
 *
 * Programming is a serial engine beside the device: the command is posted, the request may go on, and its device time begins when its slot's key is there. A get
 * that may sleep does so for 1 ns to post it, so that everybody who was woken for the slot sees which key came in. Tags are waited for in a fair queue: a loop
 * submits again 1 ns after its read ended, behind those who sleep. `real` takes both liberties back: programming holds the profile's lock while its submitter
 * sleeps, and tags are woken in batches, where a task that just gave a tag back is often quicker than those who sleep for it.
 */
import { KEY_TYPE_RAW } from '../crypto/mode.ts';
import { CryptoProfile } from '../crypto/profile/profile.ts';
import { type CryptoProfileOps, NO_SLOT, OK, type OpOwner } from '../crypto/profile/types.ts';
import { SERVER_X86 } from '../engine/costs/server-x86.ts';
import type { MachineCosts } from '../engine/costs/costs.ts';
import { Engine } from '../engine/engine.ts';
import { Machine } from '../engine/machine.ts';
import { RandomStream } from '../engine/random.ts';
import { Workqueues } from '../engine/workqueue.ts';
import { NO_GAUGES, NO_LOG } from '../trace/log.ts';
import { ST_MEDIA } from '../trace/stages.ts';
import { Block } from './block.ts';
import type { KeyslotPolicy } from './crypto.ts';
import { type Lld, OP_READ, type QueueLimits, SECTOR_BYTES, STS_OK } from './types.ts';

export interface KeyslotLoad {
  readonly policy: KeyslotPolicy;
  readonly slots: number;
  readonly tags: number;
  /** Loops that always have one read outstanding. */
  readonly encrypted: number;
  readonly plain: number;
  /** Keys, of which every encrypted read takes one at random. */
  readonly keys: number;
  readonly programNs: number;
  /** Mean of the device time. */
  readonly deviceNs: number;
  /** Reads to complete, of which the first tenth is not counted. */
  readonly reads: number;
  readonly seed: number;
  readonly real?: boolean;
}

export interface LoopResult {
  readonly iops: number;
  readonly meanNs: number;
  readonly p99Ns: number;
}

export interface KeyslotResult {
  readonly encrypted: LoopResult;
  readonly plain: LoopResult;
  /** Programmings per encrypted read. */
  readonly missRate: number;
  /** Violations of laws, and what was left over; empty when all is well. */
  readonly problems: readonly string[];
}

const BLOCK_BYTES = 4096;
const BLOCKS = 1 << 20;

/** A profile of costs in which nothing costs anything. */
const FREE_COSTS = Object.fromEntries(
  Object.entries(SERVER_X86.costs).map(([name, cost]) => [name, typeof cost === 'number' ? 0 : []]),
) as unknown as MachineCosts;

const LIMITS: QueueLimits = {
  logicalBlockSize: 4096,
  physicalBlockSize: 4096,
  maxHwSectors: 2048,
  maxSectors: 2048,
  maxSegments: 128,
  maxSegmentSize: 65_536,
  chunkSectors: 0,
  maxDiscardSectors: 0,
  discardGranularity: 0,
  maxWriteZeroesSectors: 0,
  writeCache: false,
  fua: false,
};

/** The serial programming engine, and the device behind it. */
class ModelDevice implements CryptoProfileOps, Lld {
  block!: Block;
  readonly maySleep: boolean;
  private owner: OpOwner | undefined;
  private readonly load: KeyslotLoad;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly random: RandomStream;
  private readonly readyNs: Float64Array;
  private freeNs = 0;
  private readonly doneKind: number;
  private readonly wakeKind: number;
  private readonly programmedKind: number;

  constructor(engine: Engine, machine: Machine, load: KeyslotLoad) {
    this.engine = engine;
    this.machine = machine;
    this.load = load;
    this.maySleep = load.policy === 'submit' || load.policy === 'before-tag';
    this.random = new RandomStream(load.seed, 'device');
    this.readyNs = new Float64Array(load.slots);
    this.doneKind = engine.register('model.done', (rq) => {
      this.block.requests.rows.mark(rq, ST_MEDIA, engine.now);
      this.block.completeRequest(-1, rq, STS_OK);
    });
    this.wakeKind = engine.register('model.wake', (x) => machine.wake(-1, x));
    this.programmedKind = engine.register('model.programmed', (x) => this.owner?.opDone(x, OK));
  }

  attach(owner: OpOwner): void {
    this.owner = owner;
  }

  keyslotProgram(x: number, _keyId: number, slot: number): void {
    const isUnderLock = this.maySleep && this.load.real === true;
    this.freeNs = Math.max(this.engine.now, this.freeNs) + this.load.programNs;
    this.readyNs[slot] = this.freeNs;
    if (this.maySleep) {
      this.engine.after(isUnderLock ? this.load.programNs : 1, this.wakeKind, x);
      this.machine.sleep(x, this.programmedKind, x);
    } else this.owner?.opDone(x, OK);
  }

  queueRq(x: number, rq: number): void {
    const { block, engine } = this;
    const slot = block.requests.keyslot[rq];
    const fromNs = slot === NO_SLOT ? engine.now : Math.max(engine.now, this.readyNs[slot]);
    block.startRequest(rq);
    engine.at(fromNs + Math.ceil(this.random.exponential(this.load.deviceNs)), this.doneKind, rq);
    block.queueRqDone(x, rq, STS_OK);
  }

  timeout(): boolean {
    return false;
  }
}

/** The closed loops of one kind. */
interface Loops {
  done: number;
  readonly latencies: number[];
}

class KeyslotModel {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly block: Block;
  readonly profile: CryptoProfile;
  readonly plain: Loops = { done: 0, latencies: [] };
  readonly encrypted: Loops = { done: 0, latencies: [] };
  private readonly load: KeyslotLoad;
  private readonly random: RandomStream;
  private readonly loopKind: number;
  private readonly sleepKind: number;
  private readonly againKind: number;
  private readonly endKind: number;
  /** Tasks from this one on are encrypted loops. */
  private firstEncrypted = Infinity;
  private started = 0;
  /** What is counted lies between these two. */
  private countFromNs = 0;
  private lastNs = 0;
  private programsBefore = 0;
  private programsCounted = 0;

  constructor(load: KeyslotLoad) {
    this.load = load;
    this.engine = new Engine(load.seed);
    this.random = new RandomStream(load.seed, 'reads');
    const engine = this.engine;
    this.machine = new Machine(engine, FREE_COSTS, 1);
    const { machine } = this;
    const workqueues = new Workqueues(engine, machine);
    const config = { limits: LIMITS, queueDepth: load.tags, hwQueues: 1, nomerges: 2 as const, plugPerBio: false };
    this.block = new Block(
      { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES },
      { ...config, keyslotPolicy: load.policy, ...(load.real === true ? {} : { tagWakeBatch: 1 }) },
    );
    const device = new ModelDevice(engine, machine, load);
    device.block = this.block;
    this.block.attach(device);
    this.profile = new CryptoProfile(
      { engine, machine, marks: this.block.keyslotMarks },
      {
        slots: load.slots,
        maxDunBytes: 8,
        modes: { 'AES-256-XTS': BLOCK_BYTES },
        keyTypes: KEY_TYPE_RAW,
        costs: { lookupNs: 0, slowPathNs: 0, putNs: 0 },
        generation: { wakeUp: 'all' },
      },
      device,
    );
    this.block.attachProfile(this.profile);
    this.loopKind = engine.register('model.loop', (x) => this.submit(x));
    this.sleepKind = engine.register('model.sleep', (x) => machine.sleep(x, this.loopKind, x));
    this.againKind = engine.register('model.again', (x) => machine.wake(-1, x));
    this.endKind = engine.register('model.end', (bio) => this.ended(bio));
  }

  run(): KeyslotResult {
    const { plain, encrypted } = this.load;
    for (let i = 0; i < plain + encrypted; i++) {
      const x = this.machine.createTask(`loop/${i}`, 0, this.loopKind);
      if (i === plain) this.firstEncrypted = x;
      this.engine.at(0, this.againKind, x);
    }
    while (this.engine.runSlice(100_000));
    return this.result();
  }

  private submit(x: number): void {
    if (this.started === this.load.reads) {
      this.machine.exit(x);
      return;
    }
    this.started++;
    const { bios } = this.block;
    const bio = bios.alloc();
    bios.op[bio] = OP_READ;
    bios.sector[bio] = (this.random.below(BLOCKS) * BLOCK_BYTES) / SECTOR_BYTES;
    bios.bytes[bio] = BLOCK_BYTES;
    bios.segments[bio] = 1;
    bios.endKind[bio] = this.endKind;
    bios.endArg[bio] = x;
    if (x >= this.firstEncrypted) bios.setCrypt(bio, this.random.below(this.load.keys), 0n, BLOCK_BYTES);
    bios.rows.start(bio, this.engine.now);
    this.machine.pushReturn(x, this.sleepKind, x);
    this.block.submitBio(x, bio);
  }

  private ended(bio: number): void {
    const { bios } = this.block;
    const loops = bios.keyId[bio] >= 0 ? this.encrypted : this.plain;
    if (this.started > this.load.reads / 10 && this.started < this.load.reads) {
      if (this.countFromNs === 0) {
        this.countFromNs = this.engine.now;
        this.programsBefore = this.profile.counters.programs;
      }
      this.lastNs = this.engine.now;
      this.programsCounted = this.profile.counters.programs - this.programsBefore;
      loops.done++;
      loops.latencies.push(bios.rows.total(bio));
    }
    this.engine.after(this.load.real === true ? 0 : 1, this.againKind, bios.endArg[bio]);
    bios.release(bio);
  }

  private result(): KeyslotResult {
    return {
      encrypted: this.loopResult(this.encrypted),
      plain: this.loopResult(this.plain),
      missRate: this.programsCounted / Math.max(this.encrypted.done, 1),
      problems: [
        ...this.machine.violations.map((v) => `${v.law}: ${v.what}`),
        ...this.block.checkEmpty(),
        ...this.profile.checkEmpty(),
      ],
    };
  }

  private loopResult(loops: Loops): LoopResult {
    const sorted = Float64Array.from(loops.latencies).sort();
    const sum = sorted.reduce((total, ns) => total + ns, 0);
    return {
      iops: (loops.done * 1e9) / (this.lastNs - this.countFromNs),
      meanNs: sum / sorted.length,
      p99Ns: sorted[Math.floor(0.99 * sorted.length)],
    };
  }
}

/** Runs a load to its end. The same load has the same result. */
export function runKeyslotModel(load: KeyslotLoad): KeyslotResult {
  return new KeyslotModel(load).run();
}

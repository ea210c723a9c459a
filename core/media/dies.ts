/**
 * The dies and the channels they share: who works when.
 *
 * A die does one operation at a time: reads sense the array, then move data over the channel; programs move data, then burn the array; erases use no channel.
 * A channel is first come, first served among transfers that are ready, so it is a reservation ("free from then on") and needs no event of its own. Host reads overtake
 * queued programs, erases and copies (after `maxReadsInRow` one of those gets its turn), and may suspend one in progress. At most
 * `programBudgetDies` dies program or erase at once.
 *
 * Not modelled (`@assume`): cache reads and cache programs (the array idle during a transfer; costs a few per cent of one die's
 * bandwidth), independent plane reads, a limit on the controller's read buffers.
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import { IntRing } from '../engine/ring.ts';
import type { DetailLog, GaugeLog } from '../trace/log.ts';
import { FlashOps, OP_COPY_PROGRAM, OP_COPY_READ, OP_ERASE, OP_NAMES, OP_PROGRAM, type OpSink } from './flash-ops.ts';
import type { Geometry } from './geometry.ts';
import type { MediaProfile } from './profile.ts';

const NONE = -1;

export class DieArray {
  readonly ops = new FlashOps();
  /** Dies with an operation in progress. */
  busyDies = 0;
  /** Operations queued, in progress or suspended. */
  pending = 0;
  suspends = 0;

  private readonly engine: Engine;
  private readonly geometry: Geometry;
  private readonly profile: MediaProfile;
  private readonly log: DetailLog;
  private readonly gauges: GaugeLog;
  private readonly busyGauge: number;
  private readonly jitter: RandomStream;
  private readonly sinks: OpSink[] = [];
  private readonly sensedKind: number;
  private readonly doneKind: number;
  private readonly suspendKind: number;
  private readonly budget: number;

  // per die
  private readonly current: Int32Array;
  private readonly suspended: Int32Array;
  private readonly remainingNs: Float64Array;
  private readonly endNs: Float64Array;
  private readonly endSeq: Float64Array;
  private readonly suspendSeq: Float64Array;
  private readonly readsInRow: Int32Array;
  private readonly awaitsBudget: Uint8Array;
  private readonly reads: IntRing[] = [];
  private readonly work: IntRing[] = [];
  // per channel
  private readonly channelFreeNs: Float64Array;

  private budgetUsed = 0;
  private readonly budgetQueue = new IntRing();

  constructor(engine: Engine, profile: MediaProfile, geometry: Geometry, log: DetailLog, gauges: GaugeLog) {
    this.engine = engine;
    this.profile = profile;
    this.geometry = geometry;
    this.log = log;
    this.gauges = gauges;
    this.busyGauge = gauges.define('media.dies.busy');
    this.jitter = engine.stream('media/tR');
    const n = geometry.dies;
    this.budget = profile.scheduling.programBudgetDies === 0 ? n : profile.scheduling.programBudgetDies;
    this.current = new Int32Array(n).fill(NONE);
    this.suspended = new Int32Array(n).fill(NONE);
    this.remainingNs = new Float64Array(n);
    this.endNs = new Float64Array(n);
    this.endSeq = new Float64Array(n).fill(NONE);
    this.suspendSeq = new Float64Array(n).fill(NONE);
    this.readsInRow = new Int32Array(n);
    this.awaitsBudget = new Uint8Array(n);
    this.channelFreeNs = new Float64Array(geometry.channels);
    for (let die = 0; die < n; die++) {
      this.reads.push(new IntRing());
      this.work.push(new IntRing());
    }
    this.sensedKind = engine.register('media.sensed', (die) => this.sensed(die));
    this.doneKind = engine.register('media.opDone', (die) => this.done(die));
    this.suspendKind = engine.register('media.suspended', (die) => this.suspendNow(die));
  }

  /** Names the sink of a kind of operation. */
  setSink(kind: number, sink: OpSink): void {
    this.sinks[kind] = sink;
  }

  /** Queues an operation at its die. */
  submit(op: number): void {
    const die = this.ops.die[op];
    this.pending++;
    const isHostRead = this.ops.kind[op] < OP_PROGRAM;
    if (isHostRead && this.profile.scheduling.readPriority) {
      this.reads[die].push(op);
      if (this.current[die] !== NONE) this.askToSuspend(die);
    } else this.work[die].push(op);
    this.pump(die);
  }

  /** When a transfer of `bytes` takes on a channel (ns). */
  transferNs(bytes: number): number {
    return bytes === 0 ? 0 : this.profile.bus.overheadNs + Math.ceil((bytes * 1000) / this.profile.bus.mtPerS);
  }

  // ------------------------------------------------------------------------------------------------ taking up work

  private pump(die: number): void {
    if (this.current[die] !== NONE) return;
    const hasReads = this.reads[die].size > 0;
    const hasWork = this.suspended[die] !== NONE || this.work[die].size > 0;
    if (hasReads && (!hasWork || this.readsInRow[die] < this.profile.scheduling.maxReadsInRow)) {
      this.readsInRow[die] = hasWork ? this.readsInRow[die] + 1 : 0;
      this.startRead(die, this.reads[die].shift());
    } else if (this.suspended[die] !== NONE) this.resume(die);
    else if (this.work[die].size > 0) this.startWork(die);
  }

  private startWork(die: number): void {
    const kind = this.ops.kind[this.work[die].at(0)];
    const burns = kind === OP_PROGRAM || kind === OP_COPY_PROGRAM || kind === OP_ERASE;
    if (burns && this.budgetUsed === this.budget) {
      if (this.awaitsBudget[die] === 0) {
        this.awaitsBudget[die] = 1;
        this.budgetQueue.push(die);
      }
      if (this.reads[die].size > 0) this.startRead(die, this.reads[die].shift());
      return;
    }
    this.readsInRow[die] = 0;
    const op = this.work[die].shift();
    if (!burns) {
      this.startRead(die, op);
      return;
    }
    this.budgetUsed++;
    this.take(die, op);
    this.ops.busNs[op] = this.reserveChannel(die, this.ops.bytes[op]);
    const workFromNs = this.ops.busNs[op] + this.transferNs(this.ops.bytes[op]);
    this.ops.sensedNs[op] = workFromNs;
    this.endAt(die, workFromNs + this.ops.workNs[op]);
    if (this.reads[die].size > 0) this.askToSuspend(die);
  }

  private startRead(die: number, op: number): void {
    this.take(die, op);
    const jitterNs = this.profile.timing.readJitterNs;
    const senseNs = this.ops.workNs[op] + (jitterNs === 0 ? 0 : this.jitter.below(jitterNs + 1));
    this.engine.at(this.engine.now + senseNs, this.sensedKind, die);
  }

  private take(die: number, op: number): void {
    this.current[die] = op;
    this.ops.startNs[op] = this.engine.now;
    this.busyDies++;
    if (this.gauges.on) this.gauges.set(this.busyGauge, this.busyDies);
  }

  private reserveChannel(die: number, bytes: number): number {
    const channel = this.geometry.channelOf(die);
    const fromNs = Math.max(this.engine.now, this.channelFreeNs[channel]);
    if (bytes > 0) this.channelFreeNs[channel] = fromNs + this.transferNs(bytes);
    return bytes > 0 ? fromNs : this.engine.now;
  }

  private endAt(die: number, atNs: number): void {
    this.endNs[die] = atNs;
    this.endSeq[die] = this.engine.at(atNs, this.doneKind, die);
  }

  // ------------------------------------------------------------------------------------------------ progress

  private sensed(die: number): void {
    const op = this.current[die];
    this.ops.sensedNs[op] = this.engine.now;
    this.ops.busNs[op] = this.reserveChannel(die, this.ops.bytes[op]);
    this.endAt(die, this.ops.busNs[op] + this.transferNs(this.ops.bytes[op]));
  }

  private done(die: number): void {
    if (this.endSeq[die] !== this.engine.seq) return; // that program was suspended; it ends later
    const op = this.current[die];
    const kind = this.ops.kind[op];
    this.leave(die);
    this.suspendSeq[die] = NONE;
    this.pending--;
    if (this.log.on) {
      this.log.span(`die/${die}`, OP_NAMES[kind], this.ops.startNs[op], this.engine.now, NaN, this.ops.cmd[op]);
    }
    const burns = kind >= OP_PROGRAM && kind !== OP_COPY_READ;
    if (burns) this.budgetUsed--;
    this.pump(die); // before the sink: what it submits comes after what waits
    if (burns) this.serveBudgetQueue();
    this.sinks[kind].opDone(op);
  }

  private leave(die: number): void {
    this.current[die] = NONE;
    this.endSeq[die] = NONE;
    this.busyDies--;
    if (this.gauges.on) this.gauges.set(this.busyGauge, this.busyDies);
  }

  private serveBudgetQueue(): void {
    while (this.budgetQueue.size > 0 && this.budgetUsed < this.budget) {
      const die = this.budgetQueue.shift();
      this.awaitsBudget[die] = 0;
      this.pump(die);
    }
  }

  // ------------------------------------------------------------------------------------------------ suspend and resume

  /** A host read waits behind `current`: suspend it if it is a program or erase, the die can, and it was not suspended too often. */
  private askToSuspend(die: number): void {
    const op = this.current[die];
    const suspendNs = this.profile.timing.suspendNs;
    const kind = this.ops.kind[op];
    if (suspendNs === 0 || kind < OP_PROGRAM || kind === OP_COPY_READ || this.suspendSeq[die] !== NONE) return;
    if (this.ops.suspends[op] >= this.profile.timing.maxSuspends) return;
    const atNs = Math.max(this.engine.now, this.ops.sensedNs[op]) + suspendNs;
    if (atNs < this.endNs[die]) this.suspendSeq[die] = this.engine.at(atNs, this.suspendKind, die);
  }

  private suspendNow(die: number): void {
    if (this.suspendSeq[die] !== this.engine.seq) return; // the operation ended first
    const op = this.current[die];
    this.suspendSeq[die] = NONE;
    this.suspended[die] = op;
    this.remainingNs[die] = this.endNs[die] - (this.engine.now - this.profile.timing.suspendNs);
    this.ops.suspends[op]++;
    this.suspends++;
    this.leave(die);
    this.pump(die);
  }

  private resume(die: number): void {
    const op = this.suspended[die];
    this.suspended[die] = NONE;
    this.readsInRow[die] = 0;
    this.current[die] = op;
    this.busyDies++;
    if (this.gauges.on) this.gauges.set(this.busyGauge, this.busyDies);
    this.ops.sensedNs[op] = this.engine.now; // working from here: a further suspension counts from now
    this.endAt(die, this.engine.now + this.remainingNs[die]);
    if (this.reads[die].size > 0) this.askToSuspend(die);
  }
}

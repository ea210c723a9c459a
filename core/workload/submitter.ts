/**
 * The submitting tasks: what fio's main loop and the kernel's submission system calls do on the emulated CPUs, as one state machine per clone.
 *
 * Modelled: one I/O at a time for sync engines (the task sleeps until it is done); for libaio and io_uring a queue of `iodepth`, submitted in batches
 * (a plug around more than two), reaped by getevents; io_uring reaps without a system call when something is there. fsync and trim are synchronous, with
 * everything queued submitted before, as fio does for libaio.
 * Not modelled: buffered I/O, SQPOLL, IOPOLL, `io_submit_mode=offload`, `@assume` io_uring's worker threads for fsync.
 *
 * An I/O lasts from the call that submits it (`submitNs`) until its submitter has reaped it (`completeNs`).
 *
 * @source fio 3.33 HOWTO; blk-mq-and-formats.md 1.18, 2.5.3
 */
import type { Block } from '../block/block.ts';
import { ioprio, STATUS_NAMES, STS_OK } from '../block/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { IntRing } from '../engine/ring.ts';
import type { RandomStream } from '../engine/random.ts';
import { ST_COMPLETE_CPU } from '../trace/stages.ts';
import { BioFactory } from './bios.ts';
import type { JobClone } from './clones.ts';
import { Generator } from './generator.ts';
import { DDIR_SYNC, DDIR_TRIM, type IoTable } from './io.ts';
import { Pacing } from './pacing.ts';

/** A batch larger than this is plugged. @source blk-mq-and-formats.md 1.4 */
const PLUG_ABOVE = 2;

/** What a clone is in the middle of. */
export class CloneState {
  readonly clone: JobClone;
  readonly generator: Generator;
  readonly pacing: Pacing;
  /** Prepared, not yet submitted. */
  readonly batch = new IntRing();
  /** Ended, not yet reaped. */
  readonly ended = new IntRing();
  readonly prioStream: RandomStream;
  startNs = 0;
  /** Submitted, not yet reaped. */
  inFlight = 0;
  /** I/O chosen but not yet prepared, because it is early or something must be drained first. */
  hasChoice = false;
  /** The I/O being submitted, and its bios made so far. */
  current = -1;
  biosMade = 0;
  plugged = false;
  /** Sleeping until this many I/Os have ended; 0: not sleeping. */
  wanted = 0;
  /** Draining before the think time begins. */
  isThinking = false;
  thinkEndNs = 0;
  /** I/Os that the getevents under way takes. */
  reaping = 0;
  /** The I/O a synchronous call waits for, -1 for none. */
  syncIo = -1;
  /** User-space time of reaped I/Os, burnt with the next burst (ns). */
  carryNs = 0;
  /** No I/O beyond what is queued. */
  isStopping = false;
  endSyncDone = false;
  isEnded = false;
  /** Why the job ended early. */
  error = '';

  constructor(engine: Engine, clone: JobClone) {
    this.clone = clone;
    this.generator = new Generator(engine, clone);
    this.pacing = new Pacing(engine, clone.name, clone.job);
    this.prioStream = engine.stream(`workload/${clone.name}/prio`);
  }
}

export interface SubmitterPorts {
  /** An I/O is complete: its columns are final; it is freed afterwards. */
  readonly ioDone: (io: number) => void;
  /** The clone has ended. */
  readonly cloneEnded: (index: number) => void;
}

export class Submitter {
  readonly states: readonly CloneState[];
  /** I/Os submitted so far. */
  issued = 0;

  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly block: Block;
  private readonly ios: IoTable;
  private readonly bios: BioFactory;
  private readonly ports: SubmitterPorts;
  private readonly kNext: number;
  private readonly kPrepared: number;
  private readonly kSubmit: number;
  private readonly kBioSubmitted: number;
  private readonly kBatchSubmitted: number;
  private readonly kSyncWoken: number;
  private readonly kGetEvents: number;
  private readonly kReaped: number;
  private readonly kThoughtful: number;
  private readonly kSleepOver: number;
  private readonly sleepTimers: readonly number[];

  constructor(
    env: { readonly engine: Engine; readonly machine: Machine; readonly block: Block },
    ios: IoTable,
    clones: readonly JobClone[],
    segmentBytes: number,
    ports: SubmitterPorts,
  ) {
    const { engine } = env;
    this.engine = engine;
    this.machine = env.machine;
    this.block = env.block;
    this.ios = ios;
    this.ports = ports;
    this.states = clones.map((clone) => new CloneState(engine, clone));
    this.bios = new BioFactory(engine, env.block, ios, segmentBytes, (io) => {
      this.ioEnded(io);
    });
    const on = (label: string, step: (state: CloneState) => void): number =>
      engine.register(`workload.${label}`, (index) => {
        step(this.states[index]);
      });
    this.kNext = on('next', (s) => {
      this.next(s);
    });
    this.kPrepared = on('prepared', (s) => {
      this.prepared(s);
    });
    this.kSubmit = on('submit', (s) => {
      this.submitBio(s);
    });
    this.kBioSubmitted = on('bio-submitted', (s) => {
      this.bioSubmitted(s);
    });
    this.kBatchSubmitted = on('batch-submitted', (s) => {
      this.batchSubmitted(s);
    });
    this.kSyncWoken = on('sync-woken', (s) => {
      this.syncWait(s);
    });
    this.kGetEvents = on('getevents', (s) => {
      this.waitForEvents(s);
    });
    this.kReaped = on('reaped', (s) => {
      this.reaped(s);
    });
    this.kThoughtful = on('thought', (s) => {
      this.thoughtful(s);
    });
    this.kSleepOver = on('sleep-over', (s) => {
      this.machine.wake(-1, s.clone.task);
    });
    this.sleepTimers = this.states.map((_, index) => engine.createTimer(this.kSleepOver, index));
    for (const s of this.states) {
      s.clone.task = env.machine.createTask(s.clone.name, s.clone.cpu, this.kNext, s.clone.index);
    }
  }

  /** Starts a clone now. */
  start(index: number): void {
    const s = this.states[index];
    s.startNs = this.engine.now;
    s.clone.countFromNs = s.startNs + s.clone.job.schedule.rampNs;
    s.pacing.start(s.startNs);
    this.machine.wake(-1, s.clone.task);
  }

  /** No I/O from now on: a clone that sleeps for its pace wakes up to end. */
  stop(): void {
    for (const s of this.states) {
      s.isStopping = true;
      const timer = this.sleepTimers[s.clone.index];
      if (this.engine.timerDue(timer) !== Infinity) this.engine.armTimer(timer, this.engine.now);
    }
  }

  // ------------------------------------------------------------------------------------------------ choosing

  /** The head of the loop: decides what the task does next. */
  private next(s: CloneState): void {
    if (this.mustStop(s) || !(s.hasChoice || s.generator.next())) {
      this.windDown(s);
      return;
    }
    s.hasChoice = true;
    const { ddir } = s.generator;
    const isSynchronous = ddir === DDIR_SYNC || (ddir === DDIR_TRIM && s.clone.job.engine.isAsync);
    if (isSynchronous && s.batch.size > 0) {
      this.submitBatch(s);
      return;
    }
    if (s.isThinking || s.pacing.takeThink()) {
      this.think(s);
      return;
    }
    const dueNs = s.pacing.dueAt(ddir);
    if (dueNs > this.engine.now) {
      this.waitUntil(s, dueNs);
      return;
    }
    s.hasChoice = false;
    this.burn(s, this.machine.costs.fioPrepareNs, this.kPrepared);
  }

  private mustStop(s: CloneState): boolean {
    if (s.isStopping) return true;
    const { runtimeNs, rampNs } = s.clone.job.schedule;
    return runtimeNs > 0 && this.engine.now >= s.startNs + runtimeNs + rampNs;
  }

  /** Nothing more to issue: submits what is queued, reaps what is in flight, syncs if asked to, ends. */
  private windDown(s: CloneState): void {
    s.isStopping = true;
    if (s.batch.size > 0 || s.inFlight > 0) this.drain(s);
    else if (this.owesEndSync(s)) {
      s.endSyncDone = true;
      this.prepareIo(s, DDIR_SYNC, 0, 0);
      this.burn(s, this.machine.costs.syscallNs, this.kSubmit);
    } else {
      s.isEnded = true;
      this.machine.exit(s.clone.task);
      this.ports.cloneEnded(s.clone.index);
    }
  }

  private owesEndSync(s: CloneState): boolean {
    const { endFsync, fsyncOnClose } = s.clone.job.sync;
    return (endFsync || fsyncOnClose) && s.clone.job.pattern.writes && !s.endSyncDone && s.error === '';
  }

  /** Drains, then spins and sleeps for the think time. */
  private think(s: CloneState): void {
    s.isThinking = s.batch.size > 0 || s.inFlight > 0;
    if (s.isThinking) {
      this.drain(s);
      return;
    }
    const { thinktimeNs, thinktimeSpinNs } = s.clone.job.pace;
    s.pacing.thought(thinktimeNs);
    s.thinkEndNs = this.engine.now + thinktimeNs;
    this.burn(s, thinktimeSpinNs, this.kThoughtful);
  }

  /** The spinning part of the think time is over: the rest is slept. */
  private thoughtful(s: CloneState): void {
    this.sleepUntil(s, s.thinkEndNs);
  }

  /** Ahead of schedule: what is queued goes out, what is in flight comes back, then the task sleeps. */
  private waitUntil(s: CloneState, atNs: number): void {
    if (s.batch.size > 0 || s.inFlight > 0) this.drain(s);
    else this.sleepUntil(s, atNs);
  }

  private drain(s: CloneState): void {
    if (s.batch.size > 0) this.submitBatch(s);
    else this.getEvents(s, 1);
  }

  private sleepUntil(s: CloneState, atNs: number): void {
    this.engine.armTimer(this.sleepTimers[s.clone.index], Math.max(atNs, this.engine.now));
    this.machine.sleep(s.clone.task, this.kNext, s.clone.index);
  }

  /** Burns CPU time of the task, with what reaping left to do, and goes on at `kind`. */
  private burn(s: CloneState, costNs: number, kind: number): void {
    const carryNs = s.carryNs;
    s.carryNs = 0;
    this.machine.run(s.clone.task, costNs + carryNs, kind, s.clone.index);
  }

  // ------------------------------------------------------------------------------------------------ submitting

  /** The I/O is prepared in user space: its life begins. */
  private prepared(s: CloneState): void {
    const { generator, clone } = s;
    const io = this.prepareIo(s, generator.ddir, generator.offsetBytes, generator.sizeBytes);
    s.pacing.issued(generator.ddir, generator.sizeBytes);
    const { costs } = this.machine;
    if (s.syncIo === io) {
      const setupNs = costs.psyncSetupNs + costs.pageMapNs * this.bios.pagesOf(io);
      this.burn(s, costs.syscallNs + setupNs, this.kSubmit);
      return;
    }
    const { submitBatch, ioDepth } = clone.job.depth;
    if (s.batch.size >= submitBatch || s.inFlight + s.batch.size >= ioDepth) this.submitBatch(s);
    else this.next(s);
  }

  /** Takes a handle for an I/O that begins now, and queues it or makes it the one to wait for. */
  private prepareIo(s: CloneState, ddir: number, offsetBytes: number, sizeBytes: number): number {
    const { ios } = this;
    const io = ios.alloc();
    ios.id[io] = ++this.issued;
    ios.job[io] = s.clone.index;
    ios.ddir[io] = ddir;
    ios.offsetBytes[io] = offsetBytes;
    ios.sizeBytes[io] = sizeBytes;
    ios.cpu[io] = s.clone.cpu;
    ios.keyId[io] = -1;
    ios.status[io] = STS_OK;
    ios.requests[io] = 0;
    ios.submitNs[io] = this.engine.now;
    ios.rows.start(io, this.engine.now);
    const isSynchronous = !s.clone.job.engine.isAsync || ddir === DDIR_SYNC || ddir === DDIR_TRIM;
    if (isSynchronous) {
      s.syncIo = io;
      s.current = io;
      s.biosMade = 0;
      ios.biosLeft[io] = this.bios.biosOf(io);
    } else s.batch.push(io);
    return io;
  }

  /** io_submit or io_uring_enter with what is queued. */
  private submitBatch(s: CloneState): void {
    const { costs } = this.machine;
    if (s.batch.size > PLUG_ABOVE) {
      s.plugged = true;
      this.block.startPlug(s.clone.task);
    }
    this.burn(s, costs.syscallNs + this.takeFromBatch(s), this.kSubmit);
  }

  /** Makes the next queued I/O the current one; returns what setting it up costs. */
  private takeFromBatch(s: CloneState): number {
    const { costs } = this.machine;
    const io = s.batch.shift();
    s.current = io;
    s.biosMade = 0;
    s.inFlight++;
    this.ios.biosLeft[io] = this.bios.biosOf(io);
    const perIoNs = s.clone.job.engine.name === 'io_uring' ? costs.uringSubmitNs : costs.libaioSubmitNs;
    return perIoNs + costs.pageMapNs * this.bios.pagesOf(io);
  }

  private submitBio(s: CloneState): void {
    const bio = this.bios.make(s.current, s.biosMade++, this.ioprioOf(s));
    this.machine.pushReturn(s.clone.task, this.kBioSubmitted, s.clone.index);
    this.block.submitBio(s.clone.task, bio);
  }

  private bioSubmitted(s: CloneState): void {
    const io = s.current;
    if (s.syncIo === io) {
      if (s.biosMade < this.bios.biosOf(io)) this.submitBio(s);
      else this.syncWait(s);
      return;
    }
    if (s.inFlight > 0 && this.hasMoreBios(s, io)) this.submitBio(s);
    else if (s.batch.size > 0) this.burn(s, this.takeFromBatch(s), this.kSubmit);
    else if (s.plugged) {
      s.plugged = false;
      this.machine.pushReturn(s.clone.task, this.kBatchSubmitted, s.clone.index);
      this.block.finishPlug(s.clone.task);
    } else this.batchSubmitted(s);
  }

  private hasMoreBios(s: CloneState, io: number): boolean {
    return this.ios.biosLeft[io] > 0 && s.biosMade < this.bios.biosOf(io);
  }

  private ioprioOf(s: CloneState): number {
    const { ioprio: own, command } = s.clone.job.priority;
    const base = own === undefined ? 0 : ioprio(own.class, own.level);
    if (command === undefined) return base;
    const direction = Math.min(1, this.ios.ddir[s.current]);
    const percent = command.percent[direction];
    if (percent === 0 || s.prioStream.below(100) >= percent) return base;
    return ioprio(command.class[direction], command.level[direction]);
  }

  /** The batch is with the block layer: reap when the queue is full, else prepare more. */
  private batchSubmitted(s: CloneState): void {
    const { ioDepth, completeMin } = s.clone.job.depth;
    if (s.isStopping || s.hasChoice || s.inFlight < ioDepth) this.next(s);
    else this.getEvents(s, Math.max(1, Math.min(completeMin, s.inFlight)));
  }

  // ------------------------------------------------------------------------------------------------ completing

  /** The last bio of an I/O has ended. Context: softirq, mostly. */
  private ioEnded(io: number): void {
    const s = this.states[this.ios.job[io]];
    if (s.syncIo === io) {
      this.machine.wake(this.machine.current, s.clone.task);
      return;
    }
    s.ended.push(io);
    if (s.wanted > 0 && s.ended.size >= s.wanted) {
      s.wanted = 0;
      this.machine.wake(this.machine.current, s.clone.task);
    }
  }

  /** A synchronous call: sleeps until its I/O has ended. */
  private syncWait(s: CloneState): void {
    if (this.ios.biosLeft[s.syncIo] > 0) {
      this.machine.sleep(s.clone.task, this.kSyncWoken, s.clone.index);
      return;
    }
    const io = s.syncIo;
    s.syncIo = -1;
    s.current = -1;
    this.completeIo(s, io);
    this.next(s);
  }

  /** getevents for at least `min` I/Os: enters the kernel unless the engine can see them from user space. */
  private getEvents(s: CloneState, min: number): void {
    const inUserSpace = s.clone.job.engine.name === 'io_uring' && s.ended.size >= min;
    const enterNs = inUserSpace ? 0 : this.machine.costs.syscallNs;
    if (s.ended.size >= min && s.clone.job.depth.completeMax <= min) {
      s.reaping = min; // enough are there, and no more will be taken: one burst
      this.burn(s, enterNs + this.reapNs(s) * min, this.kReaped);
      return;
    }
    s.wanted = min;
    this.burn(s, enterNs, this.kGetEvents);
  }

  /** Taking one event from the ring. */
  private reapNs(s: CloneState): number {
    const { costs } = this.machine;
    return s.clone.job.engine.name === 'io_uring' ? costs.uringReapNs : costs.libaioReapNs;
  }

  private waitForEvents(s: CloneState): void {
    const min = Math.max(1, s.wanted);
    if (s.ended.size < min) {
      s.wanted = min;
      this.machine.sleep(s.clone.task, this.kGetEvents, s.clone.index);
      return;
    }
    s.wanted = 0;
    s.reaping = Math.min(s.ended.size, Math.max(min, s.clone.job.depth.completeMax));
    this.machine.run(s.clone.task, this.reapNs(s) * s.reaping, this.kReaped, s.clone.index);
  }

  private reaped(s: CloneState): void {
    for (; s.reaping > 0; s.reaping--) {
      s.inFlight--;
      this.completeIo(s, s.ended.shift());
    }
    const { low, ioDepth } = s.clone.job.depth;
    const keepReaping = !s.isStopping && low < ioDepth && s.inFlight > low;
    if (keepReaping) this.getEvents(s, 1);
    else this.next(s);
  }

  /** The submitter knows that its I/O is over. */
  private completeIo(s: CloneState, io: number): void {
    const { ios } = this;
    const nowNs = this.engine.now;
    ios.completeNs[io] = nowNs;
    ios.rows.mark(io, ST_COMPLETE_CPU, nowNs);
    const totalNs = nowNs - ios.submitNs[io];
    s.carryNs += this.machine.costs.fioReapNs;
    s.pacing.completed(totalNs);
    this.checkIo(s, io, totalNs);
    this.ports.ioDone(io);
    ios.free(io);
  }

  /** A failed or too slow I/O ends its job, as in fio. */
  private checkIo(s: CloneState, io: number, totalNs: number): void {
    const { ios } = this;
    if (ios.status[io] !== STS_OK) this.fail(s, `I/O ${ios.id[io]} failed: ${STATUS_NAMES[ios.status[io]]}`);
    const limitNs = ios.ddir[io] <= DDIR_TRIM ? s.clone.job.pace.maxLatencyNs[ios.ddir[io]] : 0;
    if (limitNs > 0 && totalNs > limitNs) this.fail(s, `I/O ${ios.id[io]} took ${totalNs} ns, above max_latency`);
  }

  private fail(s: CloneState, error: string): void {
    s.isStopping = true;
    if (s.error === '') s.error = error;
  }
}

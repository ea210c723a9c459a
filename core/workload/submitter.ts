/**
 * The submitting tasks: what fio's main loop and the kernel's submission system calls do on the emulated CPUs, as one state machine per clone.
 *
 * Modelled: one I/O at a time for sync engines (the task sleeps until it is done); for libaio and io_uring a queue of `iodepth`, submitted in batches
 * (a plug around more than two), reaped by getevents (`reaper.ts`); io_uring reaps without a system call when something is there. fsync and trim are synchronous, with
 * everything queued submitted before, as fio does for libaio.
 * Not modelled: buffered I/O, SQPOLL, IOPOLL, `io_submit_mode=offload`, `@assume` io_uring's worker threads for fsync.
 *
 * An I/O lasts from the call that submits it (`submitNs`) until its submitter has reaped it (`completeNs`).
 *
 * @source fio 3.33 HOWTO; blk-mq-and-formats.md 1.18, 2.5.3
 */
import type { Block } from '../block/block.ts';
import { STS_OK } from '../block/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { BioFactory } from './bios.ts';
import { CloneState } from './clone-state.ts';
import type { JobClone } from './clones.ts';
import type { DataCheck } from './data/check.ts';
import type { IoKeys } from './encryption.ts';
import { DDIR_SYNC, DDIR_TRIM, DDIR_WRITE, type IoTable } from './io.ts';
import { Reaper } from './reaper.ts';

/** A batch larger than this is plugged. @source blk-mq-and-formats.md 1.4 */
const PLUG_ABOVE = 2;

export interface SubmitterPorts {
  /** An I/O is complete: its columns are final; it is freed afterwards. */
  readonly ioDone: (io: number) => void;
  /** The clone has ended. */
  readonly cloneEnded: (index: number) => void;
}

/** Who takes bios: the block layer, or what stands in front of it. */
export type BioTarget = Pick<Block, 'submitBio'>;

/** Where bios go, with which keys, and with which data. */
export interface SubmitterTarget {
  readonly bios: BioTarget;
  readonly keys: IoKeys | undefined;
  readonly data: DataCheck | undefined;
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
  private readonly reaper: Reaper;
  private readonly ports: SubmitterPorts;
  private readonly keys: IoKeys | undefined;
  private readonly data: DataCheck | undefined;
  private readonly target: BioTarget;
  private readonly kNext: number;
  private readonly kPrepared: number;
  private readonly kSubmit: number;
  private readonly kBioSubmitted: number;
  private readonly kBatchSubmitted: number;
  private readonly kThoughtful: number;
  private readonly kSleepOver: number;
  private readonly sleepTimers: readonly number[];

  constructor(
    env: { readonly engine: Engine; readonly machine: Machine; readonly block: Block },
    ios: IoTable,
    clones: readonly JobClone[],
    segmentBytes: number,
    target: SubmitterTarget,
    ports: SubmitterPorts,
  ) {
    const { engine } = env;
    this.engine = engine;
    this.machine = env.machine;
    this.block = env.block;
    this.ios = ios;
    this.ports = ports;
    const { keys, data } = target;
    this.keys = keys;
    this.data = data;
    this.target = target.bios;
    this.states = clones.map((clone) => new CloneState(engine, clone));
    this.reaper = new Reaper(env, ios, this.states, {
      ioDone:
        keys === undefined && data === undefined
          ? ports.ioDone
          : (io) => {
              data?.ended(io);
              keys?.ended(io);
              ports.ioDone(io);
            },
      goOn: (s) => {
        this.next(s);
      },
    });
    this.bios = new BioFactory(env, ios, segmentBytes, target, (io) => {
      this.reaper.ioEnded(io);
    });
    // A closure of its own for each, and none made in a loop: the compiler then knows whose state it works on.
    this.kNext = engine.register('workload.next', (index) => {
      this.next(this.states[index]);
    });
    this.kPrepared = engine.register('workload.prepared', (index) => {
      this.prepared(this.states[index]);
    });
    this.kSubmit = engine.register('workload.submit', (index) => {
      this.submitBio(this.states[index]);
    });
    this.kBioSubmitted = engine.register('workload.bio-submitted', (index) => {
      this.bioSubmitted(this.states[index]);
    });
    this.kBatchSubmitted = engine.register('workload.batch-submitted', (index) => {
      this.batchSubmitted(this.states[index]);
    });
    this.kThoughtful = engine.register('workload.thought', (index) => {
      this.thoughtful(this.states[index]);
    });
    this.kSleepOver = engine.register('workload.sleep-over', (index) => {
      this.machine.wake(-1, this.states[index].clone.task);
    });
    this.sleepTimers = this.states.map((_, index) => engine.createTimer(this.kSleepOver, index));
    for (const s of this.states) {
      s.clone.task = env.machine.createTask(s.clone.name, s.clone.cpu, this.kNext, s.clone.index);
    }
  }

  /** Starts a clone now. */
  start(index: number): void {
    const s = this.states[index];
    s.begin(this.engine.now);
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
    if (s.target.isActive && this.lowersDepth(s)) return;
    const isStopping = this.mustStop(s);
    if (!isStopping && (s.isThinking || s.pacing.takeThink(this.engine.now))) {
      this.think(s);
      return;
    }
    if (isStopping || !(s.hasChoice || s.generator.next())) {
      this.windDown(s);
      return;
    }
    s.hasChoice = true;
    const { ddir, drainsFirst } = s.generator;
    if (drainsFirst && s.isBusy) {
      this.drain(s, s.inFlight);
      return;
    }
    const isSynchronous = ddir === DDIR_SYNC || (ddir === DDIR_TRIM && s.clone.job.engine.isAsync);
    if (isSynchronous && s.batch.size > 0) {
      this.submitBatch(s);
      return;
    }
    const dueNs = s.pacing.dueAt(ddir);
    if (dueNs > this.engine.now) {
      this.waitUntil(s, dueNs);
      return;
    }
    s.hasChoice = false;
    if (this.goesStraight(s)) this.submitAhead(s);
    else this.burn(s, this.machine.costs.fioPrepareNs, this.kPrepared);
  }

  /** An I/O that is submitted by itself and needs one bio: everything up to its tag is one burst. */
  private goesStraight(s: CloneState): boolean {
    const { isAsync } = s.clone.job.engine;
    return (
      s.generator.sizeBytes <= this.bios.maxBioBytes &&
      (!isAsync || (s.clone.job.depth.submitBatch <= 1 && s.batch.size === 0))
    );
  }

  /** Preparation (lap 0, then the I/O begins), system call and set-up (lap 1, then its bio is queued), and on into the block layer. */
  private submitAhead(s: CloneState): void {
    const { generator, clone } = s;
    const { costs } = this.machine;
    const io = this.prepareIo(s, generator.ddir, generator.offsetBytes, generator.sizeBytes);
    s.pacing.issued(generator.ddir, generator.sizeBytes);
    this.machine.lap(clone.task, s.takeCarryNs() + costs.fioPrepareNs);
    const setupNs = s.syncIo === io ? this.syncSetupNs(io) : this.takeFromBatch(s);
    this.machine.lap(clone.task, costs.syscallNs + setupNs);
    s.biosMade = 1;
    this.machine.pushReturn(clone.task, this.kBioSubmitted, clone.index);
    this.target.submitBio(clone.task, this.bios.makeAhead(io, this.ioprioOf(s)));
  }

  private syncSetupNs(io: number): number {
    const { costs } = this.machine;
    return costs.psyncSetupNs + costs.pageMapNs * this.bios.pagesOf(io);
  }

  /** latency_target: judges the window that is over; true while a lowered depth lets everything come back first. */
  private lowersDepth(s: CloneState): boolean {
    if (!this.mustStop(s)) s.heed(s.target.check(this.engine.now), this.engine.now);
    s.isLowering = s.isLowering && s.isBusy;
    if (s.isLowering) this.drain(s, 1);
    return s.isLowering;
  }

  private mustStop(s: CloneState): boolean {
    return s.isStopping || this.engine.now >= s.endNs;
  }

  /** Nothing more to issue: submits what is queued, reaps what is in flight, syncs if asked to, ends. */
  private windDown(s: CloneState): void {
    s.isStopping = true;
    if (s.isBusy) this.drain(s, s.inFlight);
    else if (s.endSyncsLeft > 0 && s.error === '') {
      s.endSyncsLeft--;
      this.beginIo(s, DDIR_SYNC, 0, 0);
      this.burn(s, this.machine.costs.syscallNs, this.kSubmit);
    } else {
      s.isEnded = true;
      this.machine.exit(s.clone.task);
      this.ports.cloneEnded(s.clone.index);
    }
  }

  /** Drains, then spins and sleeps for the think time. */
  private think(s: CloneState): void {
    s.isThinking = s.isBusy;
    if (s.isThinking) {
      this.drain(s, 1);
      return;
    }
    const { thinktimeNs, thinktimeSpinNs } = s.clone.job.pace;
    s.thinkEndNs = this.engine.now + thinktimeNs;
    s.pacing.thought(thinktimeNs, s.thinkEndNs);
    this.burn(s, thinktimeSpinNs, this.kThoughtful);
  }

  /** The spinning part of the think time is over: the rest is slept. */
  private thoughtful(s: CloneState): void {
    if (s.isStopping) this.next(s);
    else this.sleepUntil(s, s.thinkEndNs);
  }

  /** Ahead of schedule: what is queued goes out, what is in flight comes back, then the task sleeps. */
  private waitUntil(s: CloneState, atNs: number): void {
    if (s.isBusy) this.drain(s, 1);
    else this.sleepUntil(s, Math.min(atNs, s.endNs));
  }

  /** Submits what is queued, then waits for `min` I/Os; what comes after is decided anew. */
  private drain(s: CloneState, min: number): void {
    if (s.batch.size > 0) this.submitBatch(s);
    else this.reaper.getEvents(s, min);
  }

  private sleepUntil(s: CloneState, atNs: number): void {
    this.engine.armTimer(this.sleepTimers[s.clone.index], Math.max(atNs, this.engine.now));
    this.machine.sleep(s.clone.task, this.kNext, s.clone.index);
  }

  /** Burns CPU time of the task, with what reaping left to do, and goes on at `kind`. */
  private burn(s: CloneState, costNs: number, kind: number): void {
    this.machine.run(s.clone.task, s.takeCarryNs() + costNs, kind, s.clone.index);
  }

  // ------------------------------------------------------------------------------------------------ submitting

  /** The I/O is prepared in user space: its life begins. */
  private prepared(s: CloneState): void {
    const { generator, clone } = s;
    const io = this.beginIo(s, generator.ddir, generator.offsetBytes, generator.sizeBytes);
    s.pacing.issued(generator.ddir, generator.sizeBytes);
    const { costs } = this.machine;
    if (s.syncIo === io) {
      this.burn(s, costs.syscallNs + this.syncSetupNs(io), this.kSubmit);
      return;
    }
    if (s.batch.size >= clone.job.depth.submitBatch || s.inFlight + s.batch.size >= s.target.depth) this.submitBatch(s);
    else this.next(s);
  }

  /** Takes a handle for an I/O that begins now, and queues it or makes it the one to wait for. */
  private beginIo(s: CloneState, ddir: number, offsetBytes: number, sizeBytes: number): number {
    const io = this.prepareIo(s, ddir, offsetBytes, sizeBytes);
    this.ios.submitNs[io] = this.engine.now;
    this.ios.rows.start(io, this.engine.now);
    return io;
  }

  /** The same, but when it begins is not known yet. */
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
    ios.flags[io] = ddir === DDIR_WRITE ? s.writeFlags : 0;
    ios.requests[io] = 0;
    if (this.keys !== undefined) this.keys.assign(io, s.clone.index, s.generator.file);
    if (this.data !== undefined) this.data.began(io);
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
    this.target.submitBio(s.clone.task, bio);
  }

  private bioSubmitted(s: CloneState): void {
    const io = s.current;
    if (s.syncIo === io) {
      if (s.biosMade < this.bios.biosOf(io)) this.submitBio(s);
      else this.reaper.syncWait(s);
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
    return s.priority.of(this.ios.ddir[s.current], this.ios.sizeBytes[s.current]);
  }

  /** The batch is with the block layer: reap when the queue is full, else prepare more. */
  private batchSubmitted(s: CloneState): void {
    const { completeMin, completeMax } = s.clone.job.depth;
    const polls = completeMax === 0; // fio then waits for one event after every submission
    if (s.isStopping || s.hasChoice || (s.inFlight < s.target.depth && !polls)) this.next(s);
    else this.reaper.getEvents(s, Math.max(1, Math.min(completeMin, s.inFlight)));
  }
}

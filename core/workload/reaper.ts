/**
 * The completing half of a submitter's task: getevents, sleeping for what is in flight, and the moment at which an I/O is complete.
 *
 * A batch of events that is taken at once is complete at one instant, as fio sees it. A synchronous call sleeps until its I/O has ended.
 *
 * @source fio 3.33 "iodepth_batch_complete_min", "iodepth_low": reaping observed by its iodepth_complete figures; blk-mq-and-formats.md 1.18
 */
import { STATUS_NAMES, STS_IOERR, STS_OK, STS_PROTECTION } from '../block/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { ST_COMPLETE_CPU } from '../trace/stages.ts';
import type { CloneState } from './clone-state.ts';
import { DDIR_READ, DDIR_TRIM, type IoTable } from './io.ts';

export interface ReaperPorts {
  /** An I/O is complete: its columns are final; it is freed afterwards. */
  readonly ioDone: (io: number) => void;
  /** Nothing more is to be reaped now: the task decides what to do next. */
  readonly goOn: (s: CloneState) => void;
}

export class Reaper {
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly ios: IoTable;
  private readonly states: readonly CloneState[];
  private readonly ports: ReaperPorts;
  private readonly kSyncWoken: number;
  private readonly kGetEvents: number;
  private readonly kReaped: number;

  constructor(
    env: { readonly engine: Engine; readonly machine: Machine },
    ios: IoTable,
    states: readonly CloneState[],
    ports: ReaperPorts,
  ) {
    this.engine = env.engine;
    this.machine = env.machine;
    this.ios = ios;
    this.states = states;
    this.ports = ports;
    this.kSyncWoken = env.engine.register('workload.sync-woken', (index) => {
      this.syncWait(this.states[index]);
    });
    this.kGetEvents = env.engine.register('workload.getevents', (index) => {
      this.waitForEvents(this.states[index]);
    });
    this.kReaped = env.engine.register('workload.reaped', (index) => {
      this.reaped(this.states[index]);
    });
  }

  /** The last bio of an I/O has ended. Context: softirq, mostly. */
  ioEnded(io: number): void {
    const s = this.states[this.ios.job[io]];
    if (s.syncIo === io) {
      this.machine.wake(this.machine.current, s.clone.task);
      return;
    }
    s.ended.push(io);
    if (s.wanted > 0 && s.ended.size >= s.wanted) this.machine.wake(this.machine.current, s.clone.task);
  }

  /** A synchronous call: sleeps until its I/O has ended. */
  syncWait(s: CloneState): void {
    if (this.ios.biosLeft[s.syncIo] > 0) {
      this.machine.sleep(s.clone.task, this.kSyncWoken, s.clone.index);
      return;
    }
    const io = s.syncIo;
    s.syncIo = -1;
    s.current = -1;
    this.completeIo(s, io);
    this.ports.goOn(s);
  }

  /** getevents for at least `min` I/Os: enters the kernel unless the engine can see them from user space. */
  getEvents(s: CloneState, min: number): void {
    const inUserSpace = s.clone.job.engine.name === 'io_uring' && s.ended.size >= min;
    const enterNs = inUserSpace ? 0 : this.machine.costs.syscallNs;
    if (s.ended.size >= min && s.clone.job.depth.completeMax <= min) {
      s.reaping = min; // enough are there, and no more will be taken: one burst
      this.machine.run(s.clone.task, s.takeCarryNs() + enterNs + this.reapNs(s) * min, this.kReaped, s.clone.index);
      return;
    }
    s.wanted = min;
    this.machine.run(s.clone.task, s.takeCarryNs() + enterNs, this.kGetEvents, s.clone.index);
  }

  private waitForEvents(s: CloneState): void {
    if (s.ended.size < s.wanted) {
      this.machine.sleep(s.clone.task, this.kGetEvents, s.clone.index);
      return;
    }
    s.reaping = Math.min(s.ended.size, Math.max(s.wanted, s.clone.job.depth.completeMax));
    s.wanted = 0;
    this.machine.run(s.clone.task, this.reapNs(s) * s.reaping, this.kReaped, s.clone.index);
  }

  /** Taking one event from the ring. */
  private reapNs(s: CloneState): number {
    const { costs } = this.machine;
    return s.clone.job.engine.name === 'io_uring' ? costs.uringReapNs : costs.libaioReapNs;
  }

  private reaped(s: CloneState): void {
    for (; s.reaping > 0; s.reaping--) {
      s.inFlight--;
      this.completeIo(s, s.ended.shift());
    }
    const { low, ioDepth, completeMin } = s.clone.job.depth;
    const keepsReaping = !s.isStopping && low < ioDepth && s.inFlight > low;
    if (keepsReaping) this.getEvents(s, Math.max(1, Math.min(completeMin, s.inFlight)));
    else this.ports.goOn(s);
  }

  /** The submitter knows that its I/O is over. */
  private completeIo(s: CloneState, io: number): void {
    const { ios } = this;
    const nowNs = this.engine.now;
    ios.completeNs[io] = nowNs;
    ios.rows.mark(io, ST_COMPLETE_CPU, nowNs);
    s.carryNs += this.machine.costs.fioReapNs;
    s.pacing.completed(ios.ddir[io]);
    const totalNs = nowNs - ios.submitNs[io];
    if (s.target.isActive && ios.ddir[io] <= DDIR_TRIM) s.heed(s.target.completed(totalNs, nowNs), nowNs);
    this.checkIo(s, io, totalNs);
    this.ports.ioDone(io);
    ios.free(io);
  }

  /** The job goes on after such an error. @source fio 3.33 HOWTO "continue_on_error", "ignore_error": EIO and EILSEQ can be ignored, no other */
  private isIgnored(s: CloneState, io: number): boolean {
    const { reads, writes, verifies } = s.clone.job.continueOnError;
    const status = this.ios.status[io];
    if (status === STS_PROTECTION) return verifies;
    return status === STS_IOERR && (this.ios.ddir[io] === DDIR_READ ? reads : writes);
  }

  /** A failed or too slow I/O ends its job, as in fio. */
  private checkIo(s: CloneState, io: number, totalNs: number): void {
    const { ios } = this;
    if (ios.status[io] !== STS_OK && !this.isIgnored(s, io))
      s.fail(`I/O ${ios.id[io]} failed: ${STATUS_NAMES[ios.status[io]]}`);
    const limitNs = ios.ddir[io] <= DDIR_TRIM ? s.clone.job.pace.maxLatencyNs[ios.ddir[io]] : 0;
    if (limitNs > 0 && totalNs > limitNs) s.fail(`I/O ${ios.id[io]} took ${totalNs} ns, above max_latency`);
  }
}

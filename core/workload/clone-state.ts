/** What a clone's task is in the middle of: its queue, its choice of the next I/O, what it sleeps for. The submitter's state machine works on this. */
import { REQ_FUA } from '../block/types.ts';
import type { Engine } from '../engine/engine.ts';
import { IntRing } from '../engine/ring.ts';
import type { JobClone } from './clones.ts';
import { Generator } from './generator.ts';
import { LatencyTarget, SEARCH_DONE, SEARCH_DRAINS, SEARCH_FAILED, SEARCH_SETTLED } from './latency-target.ts';
import { Pacing } from './pacing.ts';
import { IoPriority } from './priority.ts';

export class CloneState {
  readonly clone: JobClone;
  readonly generator: Generator;
  readonly pacing: Pacing;
  readonly priority: IoPriority;
  readonly target: LatencyTarget;
  /** REQ_* flags of writes beyond the usual: O_SYNC and O_DSYNC direct writes carry REQ_FUA. @kernel v6.12 block/fops.c dio_bio_write_op */
  readonly writeFlags: number;
  /** Prepared, not yet submitted. */
  readonly batch = new IntRing();
  /** Ended, not yet reaped. */
  readonly ended = new IntRing();
  startNs = 0;
  /** When the runtime is over. */
  endNs = Infinity;
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
  /** Draining because the search for a depth has lowered it. */
  isLowering = false;
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
  /** Syncs to do before the clone may end. */
  endSyncsLeft: number;
  isEnded = false;
  /** Why the job ended early. */
  error = '';

  constructor(engine: Engine, clone: JobClone) {
    this.clone = clone;
    this.pacing = new Pacing(engine, clone.name, clone.job);
    this.generator = new Generator(engine, clone, this.pacing);
    this.target = new LatencyTarget(clone.job);
    this.priority = new IoPriority(engine, clone.name, clone.job.priority);
    this.writeFlags = clone.job.sync.syncWrites === 'none' ? 0 : REQ_FUA;
    this.endSyncsLeft = this.generator.passSyncs;
  }

  /** The clone begins now: its clocks run from here. */
  begin(nowNs: number): void {
    const { runtimeNs, rampNs } = this.clone.job.schedule;
    this.startNs = nowNs;
    this.clone.countFromNs = nowNs + rampNs;
    if (runtimeNs > 0) this.endNs = nowNs + runtimeNs + rampNs;
    this.pacing.start(nowNs);
    this.target.start(nowNs);
  }

  /** True while something is queued or in flight. */
  get isBusy(): boolean {
    return this.batch.size > 0 || this.inFlight > 0;
  }

  /** Does what the search for a depth asks. */
  heed(verdict: number, nowNs: number): void {
    if (verdict === SEARCH_DRAINS) this.isLowering = true;
    else if (verdict === SEARCH_SETTLED) this.clone.countFromNs = nowNs;
    else if (verdict === SEARCH_DONE) this.isStopping = true;
    else if (verdict === SEARCH_FAILED) this.fail('latency_target is not met with one I/O at a time');
  }

  /** What reaping left to burn in user space (ns), once. */
  takeCarryNs(): number {
    const carryNs = this.carryNs;
    this.carryNs = 0;
    return carryNs;
  }

  /** Nothing more is issued, and why. The first reason is kept. */
  fail(error: string): void {
    this.isStopping = true;
    if (this.error === '') this.error = error;
  }
}

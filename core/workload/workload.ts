/**
 * The workload of a run: all job clones, when they start, and when the whole is over.
 *
 * When a clone may start is in `starts.ts` (and `startdelay` after that), what it does then in `submitter.ts`.
 */
import type { Block } from '../block/block.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { WaitEdge, WaitSource } from '../engine/waits.ts';
import { expandJobs, type JobClone } from './clones.ts';
import type { KeyTable } from '../crypto/key.ts';
import { DataCheck, type DataConfig } from './data/check.ts';
import { type Encryption, IoKeys } from './encryption.ts';
import { type EvictKey, KeyChurn } from './key-churn.ts';
import { KeySetup, type WrappedKeyMaker } from './key-setup.ts';
import type { FioJob } from './fio/job.ts';
import { DDIR_NAMES, IoTable } from './io.ts';
import type { CloneState } from './clone-state.ts';
import { StartOrder } from './starts.ts';
import { type BioTarget, Submitter } from './submitter.ts';

export interface WorkloadConfig {
  readonly capacityBytes: number;
  readonly logicalBlockSize: number;
  readonly cpus: number;
  /** Longest physically contiguous run of a user buffer. */
  readonly segmentBytes?: number;
  /** Inline encryption of the jobs; absent: none. */
  readonly encryption?: WorkloadEncryption;
  /** Real bytes travel; absent: none. */
  readonly data?: DataConfig;
}

export interface WorkloadEncryption extends Encryption {
  readonly table: KeyTable;
  readonly evict: EvictKey;
  /** Where bios go instead of the block layer (the software fallback, which passes on what it leaves alone). */
  readonly target?: BioTarget;
  /** Makes the wrapped keys; needed when a policy has them. */
  readonly wrapped?: WrappedKeyMaker;
  /** Told of every key before its first I/O. */
  readonly keyMade?: (keyId: number) => void;
}

/** @assume large folios of 64 KiB behind user buffers */
const SEGMENT_BYTES = 65_536;

export class Workload implements WaitSource {
  readonly ios = new IoTable();
  readonly clones: readonly JobClone[];
  /** Called with every I/O when it is complete, just before it is freed. */
  onIoDone: ((io: number) => void) | undefined;
  /** Called once, at the instant the last clone has ended. */
  onFinished: (() => void) | undefined;

  private readonly engine: Engine;
  private readonly submitter: Submitter;
  private readonly startKind: number;
  private readonly startTimers: readonly number[];
  private readonly isScheduled: Uint8Array;
  private readonly order: StartOrder;
  /** Keys of the I/Os, and the task that evicts them; undefined without encryption. */
  readonly keys: IoKeys | undefined;
  readonly churn: KeyChurn | undefined;
  /** Data of the I/Os; undefined when only costs are modelled. */
  readonly data: DataCheck | undefined;
  private readonly setup: KeySetup | undefined;
  private isStopped = false;
  private ended = 0;

  constructor(
    env: { readonly engine: Engine; readonly machine: Machine; readonly block: Block },
    jobs: readonly FioJob[],
    config: WorkloadConfig,
  ) {
    this.engine = env.engine;
    this.clones = expandJobs(jobs, config.cpus, config.capacityBytes, (name) => env.engine.stream(name));
    this.order = new StartOrder(this.clones);
    this.isScheduled = new Uint8Array(this.clones.length);
    const { encryption } = config;
    if (encryption !== undefined)
      this.keys = new IoKeys(env.engine, this.ios, encryption, this.clones, config.capacityBytes);
    if (config.data !== undefined) this.data = new DataCheck(env.machine, this.ios, this.keys, config.data);
    const target = { keys: this.keys, data: this.data, bios: encryption?.target ?? env.block };
    this.submitter = new Submitter(env, this.ios, this.clones, config.segmentBytes ?? SEGMENT_BYTES, target, {
      ioDone: (io) => {
        this.onIoDone?.(io);
      },
      cloneEnded: (index) => {
        this.cloneEnded(index);
      },
    });
    this.startKind = env.engine.register('workload.start', (index) => {
      this.submitter.start(index);
    });
    this.startTimers = this.clones.map((_, index) => env.engine.createTimer(this.startKind, index));
    if (this.keys !== undefined && encryption !== undefined && this.keys.churning().length > 0) {
      this.churn = new KeyChurn(env, this.keys, encryption.evict, encryption.wrapped);
      this.churn.onQuiet = () => this.tellFinished();
    }
    if (this.keys !== undefined && encryption?.wrapped !== undefined)
      this.setup = new KeySetup(env, this.keys, encryption.wrapped, () => this.keysMade());
  }

  /** Schedules every clone that waits for no other; where keys have to be made first, once they are. */
  start(): void {
    if (this.setup === undefined) this.keysMade();
    else this.setup.start();
  }

  private keysMade(): void {
    if (this.isStopped) {
      this.endUnstarted();
      return;
    }
    this.scheduleReady();
    this.churn?.start();
  }

  /** From now on no I/O is submitted; what is in flight drains. */
  stop(): void {
    this.isStopped = true;
    this.submitter.stop();
    for (const clone of this.clones) this.cancelStart(clone.index);
  }

  get finished(): boolean {
    return this.ended === this.clones.length && !(this.churn?.isBusy ?? false);
  }

  /** I/Os submitted and not yet reaped. */
  get inFlight(): number {
    return this.ios.inUse;
  }

  get issued(): number {
    return this.submitter.issued;
  }

  /** How far the slowest bounded clone is, 0..1; NaN when nothing tells. */
  fraction(): number {
    let least = Number.NaN;
    for (const s of this.submitter.states) {
      const own = s.isEnded ? 1 : this.fractionOf(s);
      if (Number.isNaN(least) || own < least) least = own;
    }
    return least;
  }

  /** Errors that ended jobs early, as sentences: `app.0 ended early: I/O 17 failed: EIO`. */
  errors(): string[] {
    return this.submitter.states.filter((s) => s.error !== '').map((s) => `${s.clone.name} ended early: ${s.error}`);
  }

  private fractionOf(s: CloneState): number {
    const byWork = s.generator.fraction();
    const { runtimeNs, rampNs } = s.clone.job.schedule;
    if (runtimeNs === 0) return byWork;
    const started = this.isScheduled[s.clone.index] !== 0 && s.startNs <= this.engine.now;
    const byTime = started ? Math.min(1, (this.engine.now - s.startNs) / (runtimeNs + rampNs)) : 0;
    return Number.isNaN(byWork) ? byTime : Math.max(byWork, byTime);
  }

  /** Arms the start of every clone whose predecessors have ended. */
  private scheduleReady(): void {
    for (const clone of this.clones) {
      if (this.isScheduled[clone.index] !== 0 || !this.order.mayStart(clone)) continue;
      this.isScheduled[clone.index] = 1;
      const { low, high } = clone.job.schedule.startDelayNs;
      const delayNs = low + Math.floor(this.engine.stream(`workload/${clone.name}/start`).unit() * (high - low));
      this.engine.armTimer(this.startTimers[clone.index], this.engine.now + delayNs);
    }
  }

  private cloneEnded(index: number): void {
    this.ended++;
    this.order.ended(this.clones[index]);
    if (this.ended === this.clones.length) this.tellFinished();
    else if (this.isStopped) this.endUnstarted();
    else this.scheduleReady();
  }

  /** All clones have ended: the run is over as soon as no key is being evicted. */
  private tellFinished(): void {
    this.churn?.stop();
    if (this.finished) this.onFinished?.();
  }

  /** A start that is still ahead happens now, so that the clone can end at once. */
  private cancelStart(index: number): void {
    const timer = this.startTimers[index];
    if (this.engine.timerDue(timer) !== Infinity) this.engine.armTimer(timer, this.engine.now);
  }

  /** After a stop, clones that never started count as ended. */
  private endUnstarted(): void {
    for (const s of this.submitter.states) {
      if (this.isScheduled[s.clone.index] !== 0) continue;
      this.isScheduled[s.clone.index] = 1;
      s.isEnded = true;
      this.ended++;
    }
    if (this.ended === this.clones.length) this.tellFinished();
  }

  reportWaits(add: (edge: WaitEdge) => void): void {
    for (const s of this.submitter.states) {
      if (s.isEnded || s.inFlight + (s.syncIo >= 0 ? 1 : 0) === 0) continue;
      const what = s.syncIo >= 0 ? `its ${DDIR_NAMES[this.ios.ddir[s.syncIo]]}` : `${s.inFlight} I/Os`;
      add({ waiter: s.clone.name, resource: `completion of ${what}`, holders: [] });
    }
  }

  /** Law 3: what is left at the end. */
  checkEmpty(): string[] {
    const left: string[] = [];
    if (this.ios.inUse > 0) left.push(`${this.ios.inUse} I/Os were never reaped`);
    for (const s of this.submitter.states) {
      if (s.batch.size > 0) left.push(`${s.clone.name}: ${s.batch.size} I/Os were never submitted`);
      if (s.ended.size > 0) left.push(`${s.clone.name}: ${s.ended.size} I/Os ended and were not reaped`);
    }
    return left;
  }
}

/**
 * The secure monitor, as far as the kernel calls it for keys: how a call gets into the secure world, how long it stays there, and what comes back.
 *
 * Modelled: the blocking call (one mutex for all callers of a machine, sleeps between tries while the firmware answers busy, the firmware's wait queue) and the atomic
 * one (no mutex, one try, any context). The calling CPU is in the secure world meanwhile: its time is burnt there. Blocking calls are yielding calls: an interrupt takes the CPU out
 * and the call is issued again, which costs nothing extra here (`@assume`). Atomic calls are fast calls: interrupts of that CPU wait for their end.
 * Not modelled: other services behind the same mutex, shared memory for arguments (part of the call's time).
 *
 * @kernel v6.12 drivers/firmware/qcom/qcom_scm-smc.c; inline-crypto.md 5.2
 * @source Arm SMC Calling Convention, "Fast Calls and Yielding Calls": a fast call is atomic, a yielding one can be preempted by a normal-world interrupt
 */
import { RwSem } from '../crypto/profile/rwsem.ts';
import { EBUSY, EINVAL, EIO, ENOMEM, EOPNOTSUPP, OK } from '../crypto/profile/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { WaitEdge, WaitSource } from '../engine/waits.ts';
import type { ScmConfig } from './config.ts';

/** Commands of service 0x10. @source inline-crypto.md 5.2 */
export const SCM_INVALIDATE_KEY = 0x03;
export const SCM_SET_KEY = 0x04;
export const SCM_DERIVE_SECRET = 0x07;
export const SCM_GENERATE = 0x08;
export const SCM_PREPARE = 0x09;
export const SCM_IMPORT = 0x0a;
const SERVICE = 0x10;

/** What the firmware answers. @source inline-crypto.md 5.2 */
export const SCM_OK = 0;
export const SCM_ERROR = -1;
export const SCM_BAD_ADDRESS = -2;
export const SCM_BAD_ARGUMENT = -3;
export const SCM_NOT_SUPPORTED = -4;
export const SCM_NO_MEMORY = -5;
export const SCM_BUSY = -12;

const NONE = -1;

/** SMC64 function id: a fast (atomic) call has bit 31 set, the owner is SIP. @source Arm SMC Calling Convention, "Function identifiers" */
export function functionId(command: number, isFast: boolean): number {
  return ((isFast ? 0x80000000 : 0) | 0x42000000 | (SERVICE << 8) | command) >>> 0;
}

/** An answer of the firmware as an errno. */
export function scmErrno(result: number): number {
  switch (result) {
    case SCM_OK:
      return OK;
    case SCM_BAD_ADDRESS:
    case SCM_BAD_ARGUMENT:
      return EINVAL;
    case SCM_NOT_SUPPORTED:
      return EOPNOTSUPP;
    case SCM_NO_MEMORY:
      return ENOMEM;
    case SCM_BUSY:
      return EBUSY;
    default:
      return EIO;
  }
}

export class SecureMonitor implements WaitSource {
  readonly config: ScmConfig;
  calls = 0;
  /** Tries that the firmware was too busy for. */
  busyAnswers = 0;
  /** Time spent in the secure world. */
  secureNs = 0;
  /** That of atomic calls, with the interrupts of a CPU off; and the longest at once. */
  irqsOffNs = 0;
  longestIrqsOffNs = 0;

  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly random: RandomStream;
  private readonly mutex: RwSem;
  private readonly lockedKind: number;
  private readonly answeredKind: number;
  private readonly retryKind: number;
  private readonly signalledKind: number;
  private readonly wakeKind: number;
  // per context
  private readonly command: number[] = [];
  private readonly firmware: number[] = [];
  private readonly pauses: number[] = [];
  private readonly statuses: number[] = [];
  /** What the firmware function that runs now answers. */
  private result = SCM_OK;
  // injected faults
  private busyLeft = 0;
  private readonly answers: number[] = [];
  private readonly waitsNs: number[] = [];

  constructor(engine: Engine, machine: Machine, config: ScmConfig) {
    this.engine = engine;
    this.machine = machine;
    this.config = config;
    this.random = engine.stream('ice/scm');
    this.mutex = new RwSem(machine, 'the secure monitor');
    this.lockedKind = engine.register('scm.locked', (x) => this.enterSecureWorld(x));
    this.answeredKind = engine.register('scm.answered', (x) => this.answered(x));
    this.retryKind = engine.register('scm.retry', (x) => this.start(x));
    this.signalledKind = engine.register('scm.signalled', (x) => this.carryOut(x));
    this.wakeKind = engine.register('scm.wake', (x) => machine.wake(NONE, x));
  }

  /** Calls may sleep. */
  get maySleep(): boolean {
    return this.config.mode === 'blocking';
  }

  /**
   * Calls the firmware function `kind(x)`, which runs at the end of the call's time and may `answer`. Ends with `machine.ret(x)`, then `status(x)`.
   * Context: a task; any in atomic mode.
   */
  call(x: number, command: number, kind: number): void {
    if (this.maySleep) this.machine.assertMaySleep(x, 'qcom_scm_call');
    this.calls++;
    this.command[x] = command;
    this.firmware[x] = kind;
    this.pauses[x] = 0;
    this.start(x);
  }

  /** errno of the last call of `x`. */
  status(x: number): number {
    return this.statuses[x];
  }

  /** Within a firmware function: its answer, if other than SCM_OK. */
  answer(result: number): void {
    this.result = result;
  }

  /** Fault: the next `tries` tries find the firmware busy. */
  injectBusy(tries: number): void {
    this.busyLeft += tries;
  }

  /** Fault: the next call is answered with `result` and has no effect. */
  injectAnswer(result: number): void {
    this.answers.push(result);
  }

  /** Fault: the next blocking call sleeps on the firmware's wait queue for so long. */
  injectWait(ns: number): void {
    this.waitsNs.push(ns);
  }

  /** A task that may sleep: in atomic context the breach was reported and the call goes on without. */
  private canSleep(x: number): boolean {
    return this.maySleep && this.machine.isTask(x);
  }

  private start(x: number): void {
    if (!this.canSleep(x) || this.mutex.downWrite(x, this.lockedKind)) this.enterSecureWorld(x);
  }

  private enterSecureWorld(x: number): void {
    const durationNs = this.durationNs(this.command[x]);
    this.secureNs += durationNs;
    if (!this.maySleep) {
      this.irqsOffNs += durationNs;
      this.longestIrqsOffNs = Math.max(this.longestIrqsOffNs, durationNs);
      this.machine.localIrqDisable(x);
    }
    this.machine.run(x, durationNs, this.answeredKind, x);
  }

  private durationNs(command: number): number {
    const { setKeyNs, invalidateNs, jitterNs, tailEvery, tailNs } = this.config;
    if (tailEvery > 0 && this.random.below(tailEvery) === 0) return tailNs;
    return (
      (command === SCM_INVALIDATE_KEY ? invalidateNs : setKeyNs) + (jitterNs > 0 ? this.random.below(jitterNs) : 0)
    );
  }

  private answered(x: number): void {
    this.machine.localIrqEnable(x);
    if (this.busyLeft > 0) {
      this.busyLeft--;
      this.busyAnswers++;
      this.wasBusy(x);
      return;
    }
    const waitNs = this.canSleep(x) ? this.waitsNs.shift() : undefined;
    if (waitNs === undefined) this.carryOut(x);
    else {
      this.engine.after(waitNs, this.wakeKind, x);
      this.machine.sleep(x, this.signalledKind, x);
    }
  }

  /** The mutex is not held during the pause. */
  private wasBusy(x: number): void {
    if (!this.canSleep(x) || this.pauses[x]++ === this.config.busyPauses) {
      this.leave(x, SCM_BUSY);
      return;
    }
    this.mutex.upWrite(x);
    this.engine.after(this.config.busyPauseNs, this.wakeKind, x);
    this.machine.sleep(x, this.retryKind, x);
  }

  private carryOut(x: number): void {
    const injected = this.answers.shift();
    this.result = injected ?? SCM_OK;
    if (injected === undefined) this.engine.call(this.firmware[x], x);
    this.leave(x, this.result);
  }

  private leave(x: number, result: number): void {
    if (this.mutex.writer === x) this.mutex.upWrite(x);
    this.statuses[x] = scmErrno(result);
    this.machine.ret(x);
  }

  /** Counters for the `device` part of the summary. */
  statistics(): Readonly<Record<string, number>> {
    const { calls, secureNs, irqsOffNs, longestIrqsOffNs, busyAnswers } = this;
    return {
      smcCalls: calls,
      smcNs: secureNs,
      smcIrqsOffNs: irqsOffNs,
      smcLongestIrqsOffNs: longestIrqsOffNs,
      smcBusyAnswers: busyAnswers,
    };
  }

  reportWaits(add: (edge: WaitEdge) => void): void {
    this.mutex.reportWaits(add);
  }

  /** What is left at the end of a run that should not be. */
  checkEmpty(): string[] {
    return this.mutex.isFree ? [] : ['ice: the mutex of the secure monitor is held'];
  }
}

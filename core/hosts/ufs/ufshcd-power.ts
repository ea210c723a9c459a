/**
 * Power saving in the UFS driver: clock gating with hibern8, in both generations of what a command meets, and runtime suspend.
 *
 * Who programs a key waits in both generations. Clock states and their changes are the kernel's: CLKS_ON → (no references) REQ_CLKS_OFF → (delay, gate work) CLKS_OFF → (hold) REQ_CLKS_ON → (ungate work) CLKS_ON. Every
 * command holds a reference from queue_rq to completion. In the `busy` generation a command that finds the clocks off is refused (host busy) and the host is blocked until
 * they are on; in the `blocking` generation its dispatcher sleeps.
 * Not modelled (`@assume`): the CPU time of arming the gate timer (part of `ufsCompleteNs`); runtime resume is asked for by the command, not at queue entry; clock scaling.
 *
 * @kernel v6.12 ufshcd_hold, ufshcd_release, ufshcd_gate_work, ufshcd_ungate_work, ufshcd_runtime_suspend; inline-crypto.md 3.13
 */
import { ST_WAIT_DISPATCH, ST_WAIT_POWER, STAGE_STRIDE } from '../../trace/stages.ts';
import type { GaugeLog } from '../../trace/log.ts';
import type { WaitEdge } from '../../engine/waits.ts';
import type { RuntimePm } from '../../crypto/profile/types.ts';
import { POWER_CONDITION_ACTIVE, POWER_CONDITION_SLEEP } from './device.ts';
import * as uic from './ufshci-uic.ts';
import type { Ufshcd } from './ufshcd.ts';
import { END, NEXT } from './ufshcd-scripts.ts';
import { SCSI_START_STOP } from './upiu.ts';

export const CLKS_OFF = 0;
export const CLKS_ON = 1;
export const REQ_CLKS_OFF = 2;
export const REQ_CLKS_ON = 3;
/** Answers of `holdSync`. */
export const HELD = 0;
export const SLEEPS = 1;
export const BUSY = 2;

export const CLOCK_STATE_NAMES = ['CLKS_OFF', 'CLKS_ON', 'REQ_CLKS_OFF', 'REQ_CLKS_ON'] as const;

const NONE = -1;

export class PowerManager implements RuntimePm {
  clocks = CLKS_ON;
  /** Runtime suspended: link in hibern8, device asleep, clocks off. */
  suspended = false;
  refs = 0;
  gates = 0;
  ungates = 0;
  suspends = 0;
  resumes = 0;
  waits = 0;
  waitNs = 0;
  /** The host is blocked until the clocks are on (`busy` generation). */
  hostBlocked = false;

  private readonly hba: Ufshcd;
  private readonly gauges: GaugeLog;
  private readonly gauge: number;
  private readonly gateTimer: number;
  private readonly suspendTimer: number;
  private readonly gateScript: number;
  private readonly ungateScript: number;
  private readonly suspendScript: number;
  /** Dispatchers that sleep for the clocks. */
  private readonly waiters: number[] = [];
  /** Others that sleep for the clocks: they program keys, or resume the device. */
  private readonly holders: number[] = [];
  /** Contexts with a reference of runtime power management: while there are any the host is not suspended. */
  private readonly pmUsers = new Set<number>();
  private readonly resumedKind: number;
  /** When a refused request was first refused. */
  private readonly refusedNs = new Map<number, number>();
  private unblockedNs = 0;
  private waking = false;
  /** The driver put the link into hibern8. */
  private linkAsleep = false;

  constructor(hba: Ufshcd, gauges: GaugeLog) {
    this.hba = hba;
    this.gauges = gauges;
    this.gauge = gauges.define('ufs.clocks');
    const { engine, scripts } = hba;
    const expired = engine.register('ufshcd.gate-timer', (script) => scripts.start(NONE, script));
    this.resumedKind = engine.register('ufshcd.resumed', (x) => this.resumed(x));
    this.gateScript = scripts.define(this.gateSteps());
    this.ungateScript = scripts.define(this.ungateSteps(), () => this.ungated());
    this.suspendScript = scripts.define(this.suspendSteps(), () => this.suspendEnded());
    this.gateTimer = engine.createTimer(expired, this.gateScript);
    this.suspendTimer = engine.createTimer(expired, this.suspendScript);
  }

  // ------------------------------------------------------------------------------------------------ references

  /** A reference can be had without any change of state. */
  get isUp(): boolean {
    return this.clocks === CLKS_ON;
  }

  /** Takes a reference if the clocks are on or can stay on; else asks for them and returns false. Context: any. */
  hold(): boolean {
    if (this.clocks === CLKS_ON) {
      this.refs++;
      return true;
    }
    return this.holdSlow();
  }

  private holdSlow(): boolean {
    const { scripts, engine, machine } = this.hba;
    if (this.clocks === REQ_CLKS_OFF && !scripts.isRunning(this.gateScript)) {
      engine.cancelTimer(this.gateTimer);
      scripts.cancel(this.gateScript);
      this.setClocks(CLKS_ON);
      this.refs++;
      return true;
    }
    if (this.clocks !== REQ_CLKS_ON) {
      this.setClocks(REQ_CLKS_ON);
      scripts.start(machine.current, this.ungateScript);
    }
    return false;
  }

  /**
   * Takes a reference for something else than a command: HELD, SLEEPS (it goes on at `kind(arg)` with the reference), or BUSY where it must not wait or is in atomic
   * context (the clocks were asked for).
   */
  holdSync(x: number, kind: number, arg: number, mayWait = true): number {
    if (this.hold()) return HELD;
    if (!mayWait || !this.hba.machine.isTask(x)) return BUSY;
    this.holders.push(x);
    this.hba.machine.sleep(x, kind, arg);
    return SLEEPS;
  }

  /** Gives a reference back; with the last one the timers of gating and suspend start. Context: any. */
  release(): void {
    if (--this.refs > 0) return;
    const { config, engine } = this.hba;
    if (this.refs < 0) this.hba.machine.violate('ufs-clocks', 'a clock reference is given back more often than taken');
    if (config.runtimePm.autosuspendNs > 0)
      engine.armTimer(this.suspendTimer, engine.now + config.runtimePm.autosuspendNs);
    if (!config.clockGating.on || this.clocks !== CLKS_ON || this.hba.eh.isRunning()) return;
    this.setClocks(REQ_CLKS_OFF);
    engine.armTimer(this.gateTimer, engine.now + config.clockGating.gateAfterNs);
  }

  /** Starts the idle timers of a host that was just brought up. */
  idle(): void {
    this.refs++;
    this.release();
  }

  // ------------------------------------------------------------------------------------------------ commands that meet sleeping hardware

  /** A command found no clocks: refused with the host blocked, or its dispatcher sleeps and goes on at `kind(rq)`. */
  wait(x: number, rq: number, kind: number): void {
    this.waits++;
    if (this.hba.config.clockGating.generation === 'busy') {
      this.hostBlocked = true;
      if (!this.refusedNs.has(rq)) this.refusedNs.set(rq, this.hba.engine.now);
      this.hba.refuseBusy(x, rq);
      return;
    }
    this.waiters.push(x);
    this.hba.machine.sleep(x, kind, rq);
  }

  /** The sleep of a dispatcher is over: accounted to the request. */
  markWaited(rq: number): void {
    const { rows } = this.hba.block.requests;
    this.waitNs += this.hba.engine.now - rows.lastNs[rq];
    rows.mark(rq, ST_WAIT_POWER, this.hba.engine.now);
  }

  /** True when requests were refused and have not come back yet. */
  get hasRefused(): boolean {
    return this.refusedNs.size > 0;
  }

  /**
   * A refused request is here again: what it waited in the dispatch list while the clocks were off was waiting for power. The block layer accounted
   * it as waiting for dispatch; the sum stays the same.
   */
  accountRefused(rq: number): void {
    const since = this.refusedNs.get(rq);
    if (since === undefined) return;
    this.refusedNs.delete(rq);
    const { rows } = this.hba.block.requests;
    const at = rq * STAGE_STRIDE;
    const waited = Math.min(Math.max(this.unblockedNs - since, 0), rows.ns[at + ST_WAIT_DISPATCH]);
    rows.mark(rq, ST_WAIT_POWER, rows.lastNs[rq]); // makes the stage one that is in use
    rows.ns[at + ST_WAIT_DISPATCH] -= waited;
    rows.ns[at + ST_WAIT_POWER] += waited;
    this.waitNs += waited;
  }

  /** Wakes who waits, each with a reference: nothing that is queued behind this may take the clocks away again. */
  private wakeWaiters(): void {
    const { machine, block } = this.hba;
    const x = machine.current;
    this.wakeHolders();
    this.refs += this.waiters.length;
    for (const waiter of this.waiters.splice(0)) machine.wake(x, waiter);
    if (!this.hostBlocked) return;
    this.hostBlocked = false;
    this.unblockedNs = this.hba.engine.now;
    block.runHwQueues(x, true);
  }

  private wakeHolders(): void {
    const { machine } = this.hba;
    this.refs += this.holders.length;
    for (const holder of this.holders.splice(0)) machine.wake(machine.current, holder);
  }

  // ------------------------------------------------------------------------------------------------ gate work

  private gateSteps(): ((x: number) => number)[] {
    const { hba } = this;
    return [
      (x) => {
        if (this.clocks !== REQ_CLKS_OFF || this.refs > 0 || hba.eh.isRunning()) return END;
        return hba.config.hibern8.withClockGating ? hba.commands.sendUic(x, uic.DME_HIBERNATE_ENTER) : NEXT;
      },
      (x) => (hba.config.hibern8.withClockGating ? this.linkSlept(x) : NEXT),
      () => {
        // A hold that came meanwhile has queued the ungate work behind this one.
        if (this.clocks === REQ_CLKS_OFF) this.setClocks(CLKS_OFF);
        this.gates++;
        return NEXT;
      },
    ];
  }

  /** Hibern8 enter is over: the link sleeps, or is broken. */
  private linkSlept(x: number): number {
    this.linkAsleep = this.hba.commands.uicSucceeded(x, true);
    if (this.linkAsleep) return NEXT;
    this.hba.eh.linkBroken(x);
    return END;
  }

  private wakeLinkSteps(): ((x: number) => number)[] {
    const { hba } = this;
    return [
      (x) => (this.linkAsleep ? hba.commands.sendUic(x, uic.DME_HIBERNATE_EXIT) : NEXT),
      (x) => {
        if (this.linkAsleep && !hba.commands.uicSucceeded(x, true)) {
          hba.eh.linkBroken(x);
          return END;
        }
        this.linkAsleep = false;
        return NEXT;
      },
    ];
  }

  private ungateSteps(): ((x: number) => number)[] {
    const { hba } = this;
    return [
      () => {
        hba.engine.cancelTimer(this.gateTimer);
        hba.scripts.cancel(this.gateScript); // queued behind this one it would find an idle host too early
        if (this.clocks === CLKS_ON) return END;
        this.waking = this.suspended;
        return this.suspended ? hba.config.runtimePm.resumeNs : hba.config.clockGating.ungateNs;
      },
      (x) => (this.waking ? (hba.crypto?.resume(x) ?? NEXT) : NEXT),
      ...this.wakeLinkSteps(),
      (x) => (this.waking ? hba.commands.send(x, startStop(POWER_CONDITION_ACTIVE)) : NEXT),
      () => {
        this.waking = false;
        if (this.suspended) this.resumes++;
        this.suspended = false;
        this.ungates++;
        this.setClocks(CLKS_ON);
        return NEXT;
      },
    ];
  }

  private ungated(): void {
    if (this.clocks !== CLKS_ON) return; // the error handler brings the host up instead
    this.wakeWaiters();
    if (this.refs === 0) this.idle();
  }

  // ------------------------------------------------------------------------------------------------ runtime PM

  private suspendSteps(): ((x: number) => number)[] {
    const { hba } = this;
    return [
      () => {
        const wasUsed = hba.engine.timerDue(this.suspendTimer) !== Infinity; // armed again since it fired
        const isUsed = wasUsed || this.refs > 0 || this.pmUsers.size > 0;
        if (isUsed || this.suspended || hba.eh.isRunning() || this.clocks === REQ_CLKS_ON) return END;
        hba.engine.cancelTimer(this.gateTimer);
        const off = this.clocks === CLKS_OFF;
        this.setClocks(REQ_CLKS_ON); // commands wait until this is over
        return off ? hba.config.clockGating.ungateNs : NEXT;
      },
      ...this.wakeLinkSteps(),
      (x) => hba.commands.send(x, startStop(POWER_CONDITION_SLEEP)),
      (x) => {
        if (hba.commands.succeeded()) return hba.commands.sendUic(x, uic.DME_HIBERNATE_ENTER);
        hba.eh.linkBroken(x);
        return END;
      },
      (x) => this.linkSlept(x),
      () => {
        this.suspended = true;
        this.suspends++;
        hba.crypto?.suspended();
        this.setClocks(CLKS_OFF);
        return NEXT;
      },
    ];
  }

  private suspendEnded(): void {
    if (this.waiters.length === 0 && this.holders.length === 0 && !this.hostBlocked) return;
    if (this.clocks !== CLKS_OFF) return;
    this.setClocks(REQ_CLKS_ON);
    this.hba.scripts.start(this.hba.machine.current, this.ungateScript);
  }

  /** Takes a reference, resumes a suspended host. Ends with `machine.ret(x)`. Context: a task. */
  getSync(x: number): void {
    const { scripts, machine } = this.hba;
    this.pmUsers.add(x);
    const isAwake = !this.suspended && !scripts.isRunning(this.suspendScript);
    if (!isAwake) {
      const clocks = this.holdSync(x, this.resumedKind, x);
      if (clocks === SLEEPS) return;
      if (clocks === HELD) this.release();
    }
    machine.ret(x);
  }

  private resumed(x: number): void {
    this.release();
    this.hba.machine.ret(x);
  }

  /** True for who resumed the host first: it comes from a submission or an eviction, not from dispatch, which takes the host for awake. */
  hasResumed(x: number): boolean {
    return this.pmUsers.has(x);
  }

  /** Gives it back; with the last one the idle time begins. */
  putSync(x: number): void {
    const { config, engine } = this.hba;
    this.pmUsers.delete(x);
    if (this.pmUsers.size > 0 || this.refs > 0 || config.runtimePm.autosuspendNs === 0) return;
    engine.armTimer(this.suspendTimer, engine.now + config.runtimePm.autosuspendNs);
  }

  // ------------------------------------------------------------------------------------------------ resets, reports

  /**
   * A reset begins: the clocks run from here on. Who sleeps for them with the lock of the crypto profile goes on, because the reset needs that lock; commands
   * wait for its end.
   */
  clocksForReset(): void {
    this.hba.engine.cancelTimer(this.gateTimer);
    if (this.suspended) this.hba.crypto?.clocksOn();
    this.setClocks(CLKS_ON);
    this.wakeHolders();
  }

  /** The error handler brought everything up (or gave up): clocks are on, whoever waited looks again. */
  forceOn(): void {
    const { engine } = this.hba;
    engine.cancelTimer(this.gateTimer);
    engine.cancelTimer(this.suspendTimer);
    this.suspended = false;
    this.linkAsleep = false;
    this.setClocks(CLKS_ON);
    this.wakeWaiters();
  }

  private setClocks(state: number): void {
    if (this.clocks === state) return;
    this.clocks = state;
    if (state === CLKS_OFF && this.refs > 0)
      this.hba.machine.violate('ufs-clocks', `the clocks go off with ${this.refs} references`);
    this.hba.hci.crypto.hasClocks = state !== CLKS_OFF;
    if (this.hba.log.on) this.hba.log.event('ufshcd', `clk_gating.${CLOCK_STATE_NAMES[state]}`, this.refs, NaN);
    if (this.gauges.on) this.gauges.set(this.gauge, state);
  }

  reportWaits(add: (edge: WaitEdge) => void): void {
    for (const x of [...this.waiters, ...this.holders]) {
      add({
        waiter: this.hba.machine.name(x),
        resource: 'clocks of the UFS host',
        holders: ['work ufshcd.work of ufs_wq'],
      });
    }
  }
}

function startStop(condition: number): { kind: 'scsi'; opcode: number; idn: number; value: number } {
  return { kind: 'scsi', opcode: SCSI_START_STOP, idn: condition << 4, value: 0 };
}

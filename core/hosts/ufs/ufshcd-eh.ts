/**
 * Error handling of the UFS driver: timed out commands are queried, aborted and tried again; fatal errors, a broken link or a failed abort reset host and device,
 * and everything outstanding goes back to the queue.
 *
 * Modelled: the order of the kernel's steps, host states, five reset attempts, the error state after them. Not modelled: logical unit reset as a step of its own between
 * abort and host reset (`@assume`: with one logical unit it does the same to commands), rate limiting.
 *
 * @kernel v6.12 ufshcd_abort, ufshcd_try_to_abort_task, ufshcd_err_handler, ufshcd_host_reset_and_restore; inline-crypto.md 3.13, 6.3
 */
import { STS_TIMEOUT } from '../../block/types.ts';
import { ST_DEVICE_WAIT } from '../../trace/stages.ts';
import * as r from './registers.ts';
import type { Ufshcd } from './ufshcd.ts';
import { STATE_EH_FATAL, STATE_EH_NON_FATAL, STATE_ERROR, STATE_OPERATIONAL, STATE_RESET } from './ufshcd.ts';
import { FATE_RETRY } from './ufshcd-command.ts';
import { END, NEXT, type Step } from './ufshcd-scripts.ts';
import { TM_ABORT_TASK, TM_COMPLETE, TM_QUERY_TASK, TM_SUCCEEDED } from './upiu.ts';

/** @kernel MAX_HOST_RESET_RETRIES; inline-crypto.md 6.3 step 5 */
const MAX_HOST_RESETS = 5;
/** Between HCE = 0 and the look whether it is. @source inline-crypto.md 3.5 */
const DISABLE_POLL_NS = 10_000;
const NONE = -1;

export class ErrorHandler {
  aborts = 0;
  hostResets = 0;
  fatalErrors = 0;
  linkErrors = 0;
  private readonly hba: Ufshcd;
  private readonly abortScript: number;
  private readonly resetScript: number;
  private readonly linkScript: number;
  /** Slots whose command timed out, with the request they carried then. */
  private readonly toAbort: { readonly slot: number; readonly rq: number }[] = [];
  private attempts = 0;
  private running = false;

  constructor(hba: Ufshcd) {
    this.hba = hba;
    this.abortScript = hba.scripts.define(this.abortSteps(), () => this.abortEnded());
    this.resetScript = hba.scripts.define(this.resetSteps(), () => this.resetEnded());
    this.linkScript = hba.scripts.define([(x) => this.readLinkErrors(x)]);
  }

  /** The handler is at work: references may be dropped without gating, and new commands are refused. */
  isRunning(): boolean {
    return this.running;
  }

  // ------------------------------------------------------------------------------------------------ timeouts

  /** Context: a kworker. Returns true when the request is being aborted. */
  timeout(x: number, rq: number): boolean {
    const { hba } = this;
    const slot = hba.slotOf(rq);
    if (!this.isUp() || slot < 0 || hba.requestOf[slot] !== rq) return false;
    if (hba.log.on) hba.log.event('ufshcd', 'command.timed_out', slot, rq);
    this.toAbort.push({ slot, rq });
    hba.scripts.start(x, this.abortScript);
    return true;
  }

  /** The host takes commands: no reset is due. */
  private isUp(): boolean {
    return this.hba.state === STATE_OPERATIONAL || this.hba.state === STATE_EH_NON_FATAL;
  }

  /** The command the abort is about, or NONE when it completed meanwhile. */
  private victim(): number {
    const first = this.toAbort[0];
    return first !== undefined && this.hba.requestOf[first.slot] === first.rq ? first.slot : NONE;
  }

  private abortSteps(): Step[] {
    const { hba } = this;
    const { commands } = hba;
    const ask = (fn: number) => (x: number) => {
      const slot = this.victim();
      return slot === NONE || !this.isUp() ? END : commands.sendTask(x, fn, slot); // a reset requeues it
    };
    return [
      ask(TM_QUERY_TASK),
      (x) => {
        if (!commands.taskDone) return this.escalate(x);
        const known = commands.taskResponse === TM_SUCCEEDED || commands.taskResponse === TM_COMPLETE;
        return known ? NEXT : this.escalate(x);
      },
      ask(TM_ABORT_TASK),
      (x) => (commands.taskDone && commands.taskResponse === TM_COMPLETE ? NEXT : this.escalate(x)),
      (x) => this.clearAborted(x),
    ];
  }

  /** The abort itself failed: only a reset of the host helps. */
  private escalate(x: number): number {
    if (!this.hba.commands.taskDone) this.hba.commands.clearTask(x);
    this.scheduleReset(x);
    return END;
  }

  private clearAborted(x: number): number {
    const { hba } = this;
    const slot = this.victim();
    if (slot === NONE || !this.isUp()) return END;
    const mcq = hba.config.mcqQueues > 0;
    hba.machine.charge(x, hba.machine.costs.mmioReadNs + hba.machine.costs.mmioWriteNs);
    if (!mcq && (hba.hci.read(r.UTRLDBR) & (1 << slot)) === 0) return END; // completed after all: its interrupt is coming
    this.aborts++;
    const rq = hba.takeSlot(slot, ST_DEVICE_WAIT);
    if (mcq) hba.mcq.cleanUp(x, slot, hba.block.requests.hctx[rq]);
    else hba.hci.write(r.UTRLCLR, ~(1 << slot) >>> 0);
    hba.tryAgain(x, rq, FATE_RETRY, STS_TIMEOUT);
    return NEXT;
  }

  private abortEnded(): void {
    this.toAbort.shift();
    if (this.toAbort.length > 0) this.hba.scripts.start(this.hba.machine.current, this.abortScript);
  }

  // ------------------------------------------------------------------------------------------------ errors

  /** Context: hardirq. Fatal bits or a UIC error were raised. */
  errorInterrupt(x: number, status: number): void {
    const { hba } = this;
    if ((status & r.IS_FATAL) !== 0) {
      this.fatalErrors++;
      this.scheduleReset(x);
      return;
    }
    if (hba.state !== STATE_OPERATIONAL) return;
    hba.state = STATE_EH_NON_FATAL;
    hba.scripts.start(x, this.linkScript);
  }

  /** UIC errors that are not fatal are read, counted and lived with. */
  private readLinkErrors(x: number): number {
    const { hba } = this;
    let fatal = false;
    for (const offset of [r.UECPA, r.UECDL, r.UECN, r.UECT, r.UECDME]) {
      hba.machine.charge(x, hba.machine.costs.mmioReadNs);
      const value = hba.hci.read(offset);
      if (value !== 0) this.linkErrors++;
      fatal ||= offset === r.UECDL && (value & DL_PA_INIT) !== 0;
    }
    if (fatal) this.scheduleReset(x);
    else if (hba.state === STATE_EH_NON_FATAL) hba.state = STATE_OPERATIONAL;
    return NEXT;
  }

  /** Hibern8 failed: the link is gone. */
  linkBroken(x: number): void {
    this.linkErrors++;
    this.scheduleReset(x);
  }

  /** Asks for a reset of host and device. Context: any. */
  scheduleReset(x: number): void {
    const { hba } = this;
    if (hba.state === STATE_ERROR) return;
    hba.state = STATE_EH_FATAL;
    hba.scripts.start(x, this.resetScript);
  }

  // ------------------------------------------------------------------------------------------------ host reset

  private resetSteps(): Step[] {
    const { hba } = this;
    return [
      (x) => this.beginReset(x),
      (x) => this.requeueOutstanding(x),
      () => hba.config.timing.deviceResetNs,
      ...hba.prober.steps,
      () => {
        hba.state = STATE_OPERATIONAL;
        return NEXT;
      },
    ];
  }

  private beginReset(x: number): number {
    const { hba } = this;
    if (hba.state === STATE_ERROR) return END; // given up meanwhile
    this.running = true;
    this.hostResets++;
    this.attempts++;
    hba.state = STATE_RESET;
    hba.power.clocksForReset();
    if (hba.log.on) hba.log.event('ufshcd', 'host.reset', hba.inFlight, this.attempts);
    hba.machine.charge(x, hba.machine.costs.mmioWriteNs);
    hba.hci.write(r.HCE, 0);
    hba.hci.crypto.happened('host-reset');
    return DISABLE_POLL_NS;
  }

  /** Everything that was outstanding goes back to the queue; it does not count as a retry. */
  private requeueOutstanding(x: number): number {
    const { hba } = this;
    hba.outstanding = 0;
    this.toAbort.length = 0;
    for (let slot = 0; slot < hba.requestOf.length; slot++) {
      if (hba.requestOf[slot] === NONE) continue;
      const rq = hba.takeSlot(slot, ST_DEVICE_WAIT);
      hba.requeued++;
      hba.block.requeueRequest(x, rq, 0);
    }
    return NEXT;
  }

  private resetEnded(): void {
    const { hba } = this;
    if (!this.running) return; // a reset that did not even begin
    const x = hba.machine.current;
    if (hba.state !== STATE_OPERATIONAL && hba.log.on)
      hba.log.event('ufshcd', `host.reset_failed.${hba.prober.failedAt}`, this.attempts, NaN);
    if (hba.state !== STATE_OPERATIONAL && this.attempts < MAX_HOST_RESETS) {
      hba.scripts.start(x, this.resetScript);
      return;
    }
    if (hba.state !== STATE_OPERATIONAL) hba.state = STATE_ERROR;
    this.attempts = 0;
    this.running = false;
    hba.power.forceOn();
    if (hba.power.refs === 0) hba.power.idle();
    hba.block.runHwQueues(x, true);
  }
}

/** PA_INIT in UECDL: the data link layer lost synchronisation. @source inline-crypto.md 3.1 UECDL */
const DL_PA_INIT = 1 << 13;

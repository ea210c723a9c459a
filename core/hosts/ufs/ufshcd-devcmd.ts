/**
 * What the UFS driver asks of controller and device besides I/O: UIC commands, device management commands through the reserved slot, task management. One of each
 * kind at a time, issued by a step of a driver sequence (ufshcd-scripts.ts), which then waits for the completion.
 *
 * @kernel v6.12 drivers/ufs/core/ufshcd.c ufshcd_send_uic_cmd, ufshcd_exec_dev_cmd, __ufshcd_issue_tm_cmd
 */
import { swap32 } from '../memory.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import { DME_HIBERNATE_ENTER, DME_HIBERNATE_EXIT, DME_SET, PA_PWR_MODE } from './ufshci-uic.ts';
import type { Ufshcd } from './ufshcd.ts';
import { composeDevCommand, type DevCommand } from './ufshcd-command.ts';
import * as u from './upiu.ts';

/** Task management uses the first slot of its list. */
const TASK_SLOT = 0;
/** The value UPMCRS has after success. */
const UPMCRS_SHIFT = 8;

export class DeviceCommands {
  /** Result of the last device management command. */
  ocs = d.OCS_PRESET;
  /** Service response of the last task management request. */
  taskResponse = 0;
  taskDone = false;
  /** The last UIC command ended. */
  uicDone = false;
  /** The last device management command ended. */
  devDone = false;
  uicTimeouts = 0;
  private readonly hba: Ufshcd;
  /** Status bit that ends the UIC command under way, 0 when there is none. */
  private uicBit = 0;

  constructor(hba: Ufshcd) {
    this.hba = hba;
  }

  /** Charges so many register writes to the step's context. */
  private chargeWrites(x: number, writes: number): void {
    this.hba.machine.charge(x, writes * this.hba.machine.costs.mmioWriteNs);
  }

  // ------------------------------------------------------------------------------------------------ UIC

  /** Starts a UIC command; the step returns what this returns. */
  sendUic(x: number, op: number, attribute = 0, value = 0): number {
    const { hci, scripts, config } = this.hba;
    this.uicBit = waitBit(op, attribute);
    this.uicDone = false;
    this.chargeWrites(x, 4);
    hci.write(r.UCMDARG1, (attribute << 16) >>> 0);
    hci.write(r.UCMDARG2, 0);
    hci.write(r.UCMDARG3, value);
    const wait = scripts.waitFor(config.timing.uicTimeoutNs);
    hci.write(r.UICCMD, op);
    if (hci.instant) this.uicInterrupt(x, hci.read(r.IS));
    return wait;
  }

  /** Context: hardirq (or instant). UIC bits of IS were set and are written back. */
  uicInterrupt(x: number, status: number): void {
    const { hba } = this;
    if (hba.hci.instant) hba.hci.write(r.IS, status);
    if (this.uicBit === 0) {
      // Hibern8 bits without a command of ours: auto-hibern8 failed, the link is lost.
      if ((status & (r.IS_UHES | r.IS_UHXS)) !== 0) hba.eh.linkBroken(x);
      return;
    }
    if ((status & this.uicBit) === 0) return;
    this.uicBit = 0;
    this.uicDone = true;
    hba.scripts.signal(x);
  }

  /** Reads how the last UIC command ended. For power mode changes UPMCRS must say "local". */
  uicSucceeded(x: number, changesPower: boolean): boolean {
    const { hba } = this;
    hba.machine.charge(x, hba.machine.costs.mmioReadNs);
    if (!this.uicDone) {
      this.uicBit = 0;
      this.uicTimeouts++;
      return false;
    }
    if (changesPower) return ((hba.hci.read(r.HCS) >>> UPMCRS_SHIFT) & 7) === r.UPMCRS_LOCAL;
    return (hba.hci.read(r.UCMDARG2) & 0xff) === 0;
  }

  // ------------------------------------------------------------------------------------------------ device management

  /** Issues a NOP, query or SCSI command through the reserved slot; the step returns what this returns. */
  send(x: number, command: DevCommand): number {
    const { hba } = this;
    const slot = hba.reservedSlot;
    const { costs } = hba.machine;
    this.devDone = false;
    this.ocs = d.OCS_PRESET;
    hba.machine.charge(x, costs.ufsQueueCommandNs + costs.mmioWriteNs);
    const wait = hba.scripts.waitFor(hba.config.timing.devCommandTimeoutNs);
    if (hba.config.mcqQueues > 0) hba.mcq.submitDevCommand(command, slot);
    else {
      const utrd = hba.mem.memory.word(hba.mem.utrl) + slot * d.UTRD_WORDS;
      composeDevCommand(hba.mem, command, slot, utrd);
      hba.outstanding |= 1 << slot;
      hba.hci.write(r.UTRLDBR, 1 << slot);
    }
    if (hba.hci.instant) this.pollInstant(slot);
    return wait;
  }

  private pollInstant(slot: number): void {
    const { hba } = this;
    if (hba.config.mcqQueues > 0) {
      hba.mcq.reap(-1, 0);
      return;
    }
    hba.hci.write(r.IS, r.IS_UTRCS);
    hba.finishSlot(-1, slot, hba.mem.memory.words[hba.mem.memory.word(hba.mem.utrl) + slot * d.UTRD_WORDS + 2] & 0xff);
  }

  /** The command in the reserved slot is over. */
  completed(x: number, ocs: number): void {
    this.ocs = ocs;
    this.devDone = true;
    this.hba.scripts.signal(x);
  }

  /** True when the last command ended well (queries: response 0; SCSI: GOOD). */
  succeeded(): boolean {
    const { hba } = this;
    if (!this.devDone || this.ocs !== d.OCS_SUCCESS) return false;
    const words = hba.mem.memory.words;
    const at = hba.mem.responseWord(hba.reservedSlot);
    return u.responseCode(words, at) === 0 && u.responseStatus(words, at) === u.SCSI_GOOD;
  }

  /** Value of the last query. */
  queryValue(): number {
    const { hba } = this;
    return swap32(hba.mem.memory.words[hba.mem.responseWord(hba.reservedSlot) + 5]);
  }

  // ------------------------------------------------------------------------------------------------ task management

  /** Issues a task management function on a task tag; the step returns what this returns. */
  sendTask(x: number, fn: number, tag: number): number {
    const { hba } = this;
    const words = hba.mem.memory.words;
    const at = hba.mem.memory.word(hba.mem.utmrl) + (TASK_SLOT * d.UTMRD_BYTES) / 4;
    words[at] = d.UTRD_I;
    words[at + 2] = d.OCS_PRESET;
    u.encodeHeader(words, at + d.UTMRD_REQUEST_WORD, u.UPIU_TASK_REQ, 0, 0, TASK_SLOT, fn, 0, 0, 0);
    words[at + d.UTMRD_REQUEST_WORD + 3] = 0; // LUN 0
    words[at + d.UTMRD_REQUEST_WORD + 4] = swap32(tag);
    this.taskDone = false;
    this.chargeWrites(x, 1);
    const wait = hba.scripts.waitFor(hba.config.timing.tmTimeoutNs);
    hba.hci.write(r.UTMRLDBR, 1 << TASK_SLOT);
    if (hba.log.on) hba.log.event('ufshcd', 'tm_send', fn, tag);
    return wait;
  }

  taskInterrupt(x: number): void {
    const { hba } = this;
    if ((hba.hci.read(r.UTMRLDBR) & (1 << TASK_SLOT)) !== 0) return;
    const at = hba.mem.memory.word(hba.mem.utmrl) + (TASK_SLOT * d.UTMRD_BYTES) / 4;
    this.taskResponse = swap32(hba.mem.memory.words[at + d.UTMRD_RESPONSE_WORD + 3]) & 0xff;
    this.taskDone = true;
    hba.scripts.signal(x);
  }

  /** A task management request was not answered in time: takes it out of the list. */
  clearTask(x: number): void {
    this.chargeWrites(x, 1);
    this.hba.hci.write(r.UTMRLCLR, ~(1 << TASK_SLOT) >>> 0);
  }
}

/** The status bit that ends a UIC command: power mode changes have their own, and Linux masks UCCS for them. */
function waitBit(op: number, attribute: number): number {
  if (op === DME_HIBERNATE_ENTER) return r.IS_UHES;
  if (op === DME_HIBERNATE_EXIT) return r.IS_UHXS;
  return op === DME_SET && attribute === PA_PWR_MODE ? r.IS_UPMS : r.IS_UCCS;
}

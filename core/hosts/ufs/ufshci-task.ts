/**
 * Task management of a UFS host controller and device: the task management request list, ABORT TASK, QUERY TASK, LOGICAL UNIT RESET and what they do to commands.
 *
 * Modelled: request and response units in the descriptor, service responses, the wait for flash operations of an aborted command. Not modelled: task sets of several
 * initiators, priorities.
 *
 * @source UFS 3.1 chapter 10.7.8; inline-crypto.md 3.7 (UTMRD), 3.1 (UTMRL*)
 */
import { swap32 } from '../memory.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';
import * as u from './upiu.ts';

const NONE = -1;
const TASK_SLOTS = 8;

export class TaskUnit {
  requests = 0;
  /** Fault hook: task management requests that are never answered. */
  loseNext = 0;
  private readonly hci: Ufshci;
  private readonly arriveKind: number;
  private readonly doneKind: number;
  private readonly seq = new Float64Array(TASK_SLOTS).fill(NONE);
  private readonly response = new Uint8Array(TASK_SLOTS);
  /** Commands whose abort the request still waits for. */
  private readonly waitsFor = new Int32Array(TASK_SLOTS);
  /** Task slot that waits for a command's abort. */
  private readonly waiterOf: Int32Array;

  constructor(hci: Ufshci) {
    this.hci = hci;
    this.waiterOf = new Int32Array(hci.slots.count).fill(NONE);
    this.arriveKind = hci.engine.register('ufs.task.arrived', (slot) => this.arrived(slot));
    this.doneKind = hci.engine.register('ufs.task.done', (slot) => this.done(slot));
  }

  reset(): void {
    this.seq.fill(NONE);
    this.waitsFor.fill(0);
    this.waiterOf.fill(NONE);
  }

  /** UTMRLDBR was written. */
  ring(bits: number): void {
    const { hci } = this;
    if (hci.registers.get(r.UTMRLRSR) === 0) {
      hci.registers.clearBits(r.UTMRLDBR, bits);
      return;
    }
    for (let left = bits & 0xff; left !== 0; left &= left - 1) {
      const slot = 31 - Math.clz32(left & -left);
      this.requests++;
      if (this.loseNext > 0) {
        this.loseNext--;
        continue;
      }
      const { timing } = hci.config;
      const sent = hci.link.reserve(0, NONE, u.UPIU_BYTES, hci.engine.now + timing.fetchNs);
      this.seq[slot] = hci.engine.at(sent + timing.linkLatencyNs + timing.otherCommandNs, this.arriveKind, slot);
    }
  }

  /** UTMRLCLR was written: the requests are forgotten. */
  clear(bits: number): void {
    this.hci.registers.clearBits(r.UTMRLDBR, bits & 0xff);
    for (let slot = 0; slot < TASK_SLOTS; slot++) if ((bits & (1 << slot)) !== 0) this.forget(slot);
  }

  private forget(slot: number): void {
    this.seq[slot] = NONE;
    this.waitsFor[slot] = 0;
    for (let tag = 0; tag < this.waiterOf.length; tag++) if (this.waiterOf[tag] === slot) this.waiterOf[tag] = NONE;
  }

  private word(slot: number): number {
    const list = this.hci.memory.word(this.hci.registers.get(r.UTMRLBA));
    return list + (slot * d.UTMRD_BYTES) / 4;
  }

  private arrived(slot: number): void {
    if (this.seq[slot] !== this.hci.engine.seq) return;
    const words = this.hci.memory.words;
    const at = this.word(slot) + d.UTMRD_REQUEST_WORD;
    const fn = (words[at + 1] >>> 8) & 0xff;
    const tag = swap32(words[at + 4]) & 0xff;
    this.response[slot] = this.perform(slot, fn, tag);
    if (this.waitsFor[slot] === 0) this.respond(slot);
  }

  /** Carries out a function; commands that the media still works on are waited for. Returns the service response. */
  private perform(slot: number, fn: number, tag: number): number {
    const { device, slots } = this.hci;
    if (fn === u.TM_QUERY_TASK) return device.has(tag) ? u.TM_SUCCEEDED : u.TM_COMPLETE;
    if (fn === u.TM_ABORT_TASK) {
      this.abort(slot, tag);
      return u.TM_COMPLETE;
    }
    if (fn !== u.TM_LOGICAL_UNIT_RESET && fn !== u.TM_CLEAR_TASK_SET && fn !== u.TM_ABORT_TASK_SET)
      return u.TM_NOT_SUPPORTED;
    for (let other = 0; other < slots.count; other++) this.abort(slot, other);
    if (fn === u.TM_LOGICAL_UNIT_RESET) device.unitAttention = true;
    return u.TM_COMPLETE;
  }

  private abort(slot: number, tag: number): void {
    if (tag >= this.waiterOf.length) return;
    this.waiterOf[tag] = slot;
    this.waitsFor[slot]++;
    if (!this.hci.device.abort(tag)) this.abortDone(tag);
  }

  /** A command that was aborted is out of the device. */
  abortDone(tag: number): void {
    const slot = this.waiterOf[tag];
    if (slot === NONE) return;
    this.waiterOf[tag] = NONE;
    if (--this.waitsFor[slot] === 0 && this.seq[slot] !== this.hci.engine.seq) this.respond(slot);
  }

  private respond(slot: number): void {
    const { hci } = this;
    const { timing } = hci.config;
    const sent = hci.link.reserve(1, NONE, u.UPIU_BYTES, hci.engine.now);
    this.seq[slot] = hci.engine.at(sent + timing.linkLatencyNs + timing.writeBackNs, this.doneKind, slot);
  }

  private done(slot: number): void {
    if (this.seq[slot] !== this.hci.engine.seq) return;
    const { hci } = this;
    const words = hci.memory.words;
    const at = this.word(slot);
    u.encodeHeader(words, at + d.UTMRD_RESPONSE_WORD, u.UPIU_TASK_RSP, 0, 0, slot, 0, 0, 0, 0);
    words[at + d.UTMRD_RESPONSE_WORD + 3] = swap32(this.response[slot]);
    words[at + 2] = (words[at + 2] & ~0xff) | d.OCS_SUCCESS;
    this.seq[slot] = NONE;
    hci.registers.clearBits(r.UTMRLDBR, 1 << slot);
    hci.raise(r.IS_UTMRCS);
  }
}

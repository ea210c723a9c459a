/**
 * Multi-circular-queue mode of a UFS host controller: submission and completion queues in memory, their head and tail registers, one interrupt per completion queue,
 * stopping and cleaning up a submission queue.
 *
 * Modelled: round robin is by order of tail writes (commands are fetched as they are submitted, so queues never compete for more than a fetch); creation and
 * deletion rules; nullified entries. Not modelled: queue priorities, interrupt aggregation per queue, event specific interrupts.
 *
 * @source UFSHCI 4.0 chapter 4.4 and 5.10; inline-crypto.md 3.11 (rules of create and delete: QEMU's)
 */
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';

/** Code of SQRTS[7:4] when a clean-up found nothing. */
const RTC_FAILED = 1;

export class McqUnit {
  /** Queue configurations that were refused. */
  refused = 0;
  private readonly hci: Ufshci;
  private readonly queues: number;
  /** Completion queue of each submission queue. */
  private readonly cqOf: Int32Array;

  constructor(hci: Ufshci) {
    this.hci = hci;
    this.queues = hci.config.mcqQueues;
    this.cqOf = new Int32Array(this.queues);
  }

  reset(): void {
    for (let q = 0; q < this.queues; q++) this.placeOperationRegisters(q);
  }

  /** SQDAO and its like say where the operation registers are: fixed in this controller. */
  private placeOperationRegisters(q: number): void {
    const regs = this.hci.registers;
    const config = r.QCFG + q * r.QCFG_STRIDE;
    const operation = r.QOP + q * r.QOP_STRIDE;
    regs.set(config + r.SQDAO, operation + r.SQHP);
    regs.set(config + r.SQISAO, operation + r.SQIS);
    regs.set(config + r.CQDAO, operation + r.CQHP);
    regs.set(config + r.CQISAO, operation + r.CQIS);
  }

  private isEnabled(attributes: number): boolean {
    return (attributes & r.QUEUE_ENABLE) !== 0;
  }

  /** A queue configuration register was written: enabling follows rules. */
  configure(offset: number): void {
    const q = Math.floor((offset - r.QCFG) / r.QCFG_STRIDE);
    const at = (offset - r.QCFG) % r.QCFG_STRIDE;
    const regs = this.hci.registers;
    if (at === r.SQATTR) {
      const value = regs.get(offset);
      if (!this.isEnabled(value)) return;
      const cq = (value >>> 16) & 0xff;
      const exists = cq < this.queues && this.isEnabled(regs.get(r.QCFG + cq * r.QCFG_STRIDE + r.CQATTR));
      if (exists) this.cqOf[q] = cq;
      else this.refuse(offset, value & ~r.QUEUE_ENABLE);
    } else if (at === r.CQATTR && !this.isEnabled(regs.get(offset))) {
      for (let sq = 0; sq < this.queues; sq++) {
        const used = this.isEnabled(regs.get(r.QCFG + sq * r.QCFG_STRIDE + r.SQATTR)) && this.cqOf[sq] === q;
        if (used) {
          this.refuse(offset, regs.get(offset) | r.QUEUE_ENABLE);
          return;
        }
      }
    }
  }

  private refuse(offset: number, value: number): void {
    this.refused++;
    this.hci.registers.set(offset, value);
  }

  /** An operation register was written. */
  write(offset: number, value: number): void {
    const regs = this.hci.registers;
    if (!regs.write(offset, value)) return;
    const q = Math.floor((offset - r.QOP) / r.QOP_STRIDE);
    const base = r.QOP + q * r.QOP_STRIDE;
    switch (offset - base) {
      case r.SQTP:
        this.fetchQueue(q);
        break;
      case r.SQRTC:
        this.control(q, value);
        break;
      case r.CQIS:
        this.hci.lineGoesDown(1 + q);
        this.updateLine(q);
        break;
      case r.CQIE:
        this.updateLine(q);
        break;
    }
  }

  /** Bytes of a queue, from its SIZE field (dwords minus 1). */
  private sizeBytes(q: number, attributes: number): number {
    return ((this.hci.registers.get(r.QCFG + q * r.QCFG_STRIDE + attributes) & 0xffff) + 1) * 4;
  }

  /** Fetches every entry between head and tail. */
  private fetchQueue(q: number): void {
    const { hci } = this;
    const regs = hci.registers;
    const base = r.QOP + q * r.QOP_STRIDE;
    const enabled = this.isEnabled(regs.get(r.QCFG + q * r.QCFG_STRIDE + r.SQATTR));
    if (!enabled || (regs.get(base + r.SQRTS) & r.SQRTS_STS) !== 0) return;
    const size = this.sizeBytes(q, r.SQATTR);
    const tail = regs.get(base + r.SQTP);
    const entries = hci.memory.word(regs.get(r.QCFG + q * r.QCFG_STRIDE + r.SQLBA));
    for (let head = regs.get(base + r.SQHP); head !== tail;) {
      const sqe = entries + head / 4;
      head = head + d.UTRD_BYTES === size ? 0 : head + d.UTRD_BYTES;
      regs.set(base + r.SQHP, head);
      const words = hci.memory.words;
      if (words[sqe] >>> d.UTRD_CT_SHIFT === d.CT_NULLIFIED) continue;
      hci.fetch(words[hci.memory.word(words[sqe + 4])] >>> 24, sqe, q);
    }
  }

  /** A command is over: a completion entry, the tail, the interrupt. */
  complete(tag: number, ocs: number): void {
    const { hci } = this;
    const regs = hci.registers;
    const sq = hci.slots.queue[tag];
    const cq = this.cqOf[sq];
    const base = r.QOP + cq * r.QOP_STRIDE;
    const tail = regs.get(base + r.CQTP);
    const at = hci.memory.word(regs.get(r.QCFG + cq * r.QCFG_STRIDE + r.CQLBA)) + tail / 4;
    const { slots, memory } = hci;
    const ucd = memory.address(slots.ucd[tag]);
    d.encodeCqe(memory.words, at, ucd, sq, slots.responseWord[tag], slots.prdtWord[tag], ocs, tag, slots.lun[tag]);
    regs.set(base + r.CQTP, tail + d.CQE_BYTES === this.sizeBytes(cq, r.CQATTR) ? 0 : tail + d.CQE_BYTES);
    regs.setBits(base + r.CQIS, r.CQIS_TEPS);
    this.updateLine(cq);
  }

  private updateLine(q: number): void {
    const regs = this.hci.registers;
    const base = r.QOP + q * r.QOP_STRIDE;
    if ((regs.get(base + r.CQIS) & regs.get(base + r.CQIE)) !== 0) this.hci.lineGoesUp(1 + q);
  }

  /** SQRTC: stop or start the queue, or clean up the command named by SQCTI (only while stopped). */
  private control(q: number, value: number): void {
    const { hci } = this;
    const regs = hci.registers;
    const base = r.QOP + q * r.QOP_STRIDE;
    if ((value & r.SQRTC_STOP) === 0) {
      regs.set(base + r.SQRTS, 0);
      this.fetchQueue(q);
      return;
    }
    if ((value & r.SQRTC_ICU) === 0) {
      regs.setBits(base + r.SQRTS, r.SQRTS_STS);
      return;
    }
    const tag = regs.get(base + r.SQCTI) & 0xff;
    const stopped = (regs.get(base + r.SQRTS) & r.SQRTS_STS) !== 0;
    const found = stopped && tag < hci.slots.count && hci.slots.pending[tag] !== 0;
    if (found) {
      if (!hci.device.abort(tag)) hci.slots.free(tag);
      hci.complete(tag, d.OCS_ABORTED);
    }
    regs.set(base + r.SQRTS, r.SQRTS_STS | r.SQRTS_CUS | (found ? 0 : RTC_FAILED << 4));
    regs.clearBits(base + r.SQRTC, r.SQRTC_ICU);
  }
}

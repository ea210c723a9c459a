/**
 * The driver's side of multi-circular-queue mode: rings in memory, tail and head registers, one interrupt per queue.
 *
 * @kernel v6.12 drivers/ufs/core/ufs-mcq.c ufshcd_mcq_make_queues_operational, ufshcd_mcq_poll_cqe_lock, ufshcd_mcq_sq_cleanup; inline-crypto.md 3.11
 */
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import type { Ufshcd } from './ufshcd.ts';
import { composeDevCommand, type DevCommand } from './ufshcd-command.ts';

const NONE = -1;

export class McqDriver {
  private readonly hba: Ufshcd;
  private readonly queues: number;
  /** Byte offsets, as the registers have them. */
  private readonly sqTail: Uint32Array;
  private readonly cqHead: Uint32Array;
  /** Tail up to which an interrupt being handled takes entries. */
  private readonly reapTo: Uint32Array;
  private readonly manyKind: number;

  constructor(hba: Ufshcd) {
    this.hba = hba;
    this.queues = hba.config.mcqQueues;
    this.sqTail = new Uint32Array(this.queues);
    this.cqHead = new Uint32Array(this.queues);
    this.reapTo = new Uint32Array(this.queues);
    this.manyKind = hba.engine.register('ufshcd.mcq-complete-many', (q) => this.finishTo(hba.machine.current, q));
  }

  /** CPU that takes a queue's interrupt: the first of those that submit to it. @kernel group_cpus_evenly, one contiguous group per queue */
  cpuOf(queue: number): number {
    return Math.ceil((queue * this.hba.machine.cpus) / this.queues);
  }

  private get ringBytes(): number {
    return this.hba.mem.ringEntries * d.UTRD_BYTES;
  }

  /** Configures and enables every queue, completion before submission, and switches the controller to MCQ. */
  setUpQueues(x: number): void {
    const { hci, mem, config, machine } = this.hba;
    const size = this.ringBytes / 4 - 1;
    hci.write(r.MCQCONFIG, (config.mcqDepth - 1) << 8);
    for (let q = 0; q < this.queues; q++) {
      const at = r.QCFG + q * r.QCFG_STRIDE;
      hci.write(at + r.CQLBA, mem.cq[q]);
      hci.write(at + r.CQUBA, 0);
      hci.write(at + r.CQATTR, (r.QUEUE_ENABLE | size) >>> 0);
      hci.write(r.QOP + q * r.QOP_STRIDE + r.CQIE, 1);
      hci.write(at + r.SQLBA, mem.sq[q]);
      hci.write(at + r.SQUBA, 0);
      hci.write(at + r.SQATTR, (r.QUEUE_ENABLE | (q << 16) | size) >>> 0);
    }
    hci.write(r.CONFIG, r.CONFIG_QT);
    machine.charge(x, (2 + 7 * this.queues) * machine.costs.mmioWriteNs);
    this.sqTail.fill(0);
    this.cqHead.fill(0);
    this.reapTo.fill(0);
  }

  /** Writes a request as a submission entry of its hardware queue and moves the tail. */
  submit(rq: number, slot: number): void {
    const { hba } = this;
    const q = hba.block.requests.hctx[rq];
    hba.compose(rq, slot, this.entry(q), true);
    this.advance(q);
  }

  submitDevCommand(command: DevCommand, slot: number): void {
    composeDevCommand(this.hba.mem, command, slot, this.entry(0));
    this.advance(0);
  }

  private entry(q: number): number {
    return this.hba.mem.memory.word(this.hba.mem.sq[q]) + this.sqTail[q] / 4;
  }

  private advance(q: number): void {
    const next = this.sqTail[q] + d.UTRD_BYTES;
    this.sqTail[q] = next === this.ringBytes ? 0 : next;
    this.hba.hci.write(r.QOP + q * r.QOP_STRIDE + r.SQTP, this.sqTail[q]);
  }

  /** Context: hardirq. */
  interrupt(x: number, q: number): void {
    const { hci } = this.hba;
    const at = r.QOP + q * r.QOP_STRIDE + r.CQIS;
    if ((hci.read(at) & r.CQIS_TEPS) === 0) return; // the controller was reset meanwhile
    hci.write(at, r.CQIS_TEPS);
    this.reap(x, q);
  }

  /** Takes every entry between head and tail of a completion queue; `x` is -1 before time starts. */
  reap(x: number, q: number): void {
    const { hci, machine } = this.hba;
    const tail = hci.read(r.QOP + q * r.QOP_STRIDE + r.CQTP);
    const count = ((tail - this.cqHead[q] + this.ringBytes) % this.ringBytes) / d.CQE_BYTES;
    this.reapTo[q] = tail;
    if (count > 1 && x !== NONE) machine.run(x, (count - 1) * machine.costs.ufsCompleteNs, this.manyKind, q);
    else this.finishTo(x, q);
  }

  /** Takes everything there is, in a context that pays for it later. An interrupt handler in the middle of the same finds nothing left. */
  private takeAll(x: number, q: number): void {
    this.reapTo[q] = this.hba.hci.read(r.QOP + q * r.QOP_STRIDE + r.CQTP);
    this.finishTo(x, q);
  }

  private finishTo(x: number, q: number): void {
    const { hba } = this;
    const words = hba.mem.memory.words;
    while (this.cqHead[q] !== this.reapTo[q]) {
      const at = hba.mem.memory.word(hba.mem.cq[q]) + this.cqHead[q] / 4;
      const slot = hba.mem.slotOf((words[at] & ~0x7f) >>> 0);
      words[at] = 0; // marks the entry as taken
      const next = this.cqHead[q] + d.CQE_BYTES;
      this.cqHead[q] = next === this.ringBytes ? 0 : next;
      if (slot === hba.reservedSlot || hba.requestOf[slot] !== NONE) hba.finishSlot(x, slot, words[at + 4] & 0xff);
    }
    hba.hci.write(r.QOP + q * r.QOP_STRIDE + r.CQHP, this.cqHead[q]);
  }

  /** Stops a submission queue, cleans an aborted command up, starts the queue again. The completion queue is emptied here and now, because the
   * entry that says "aborted" must not be taken for that of the slot's next command. */
  cleanUp(x: number, slot: number, q: number): void {
    const { hba } = this;
    const at = r.QOP + q * r.QOP_STRIDE;
    hba.machine.charge(x, 4 * hba.machine.costs.mmioWriteNs);
    hba.hci.write(at + r.SQRTC, r.SQRTC_STOP);
    hba.hci.write(at + r.SQCTI, slot);
    hba.hci.write(at + r.SQRTC, r.SQRTC_STOP | r.SQRTC_ICU);
    hba.hci.write(at + r.SQRTC, 0);
    this.takeAll(x, q);
  }
}

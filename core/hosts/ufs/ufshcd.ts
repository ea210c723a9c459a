/**
 * The UFS host controller driver: takes requests from the block layer, writes them into memory, rings the doorbell, handles the interrupt. It knows the hardware
 * by registers, memory and interrupts only.
 *
 * Modelled: command set-up with its CPU cost, the reserved slot for device management, outstanding bits, the interrupt handler of both modes, retries of the SCSI
 * middle layer, host states and what they answer to new commands. Power saving, probing, error handling: the files beside this one.
 * Not modelled (`@assume`): the SCSI middle layer as a layer of its own (its CPU time is in `ufsQueueCommandNs` and `ufsCompleteNs`), several logical units.
 *
 * @kernel v6.12 drivers/ufs/core/ufshcd.c ufshcd_queuecommand, ufshcd_intr, ufshcd_transfer_req_compl; inline-crypto.md 3.10, 3.11, 3.13, 6.2
 */
import { type Lld, OP_DISCARD, STS_IOERR, STS_NOTSUPP, STS_OK, STS_RESOURCE } from '../../block/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { DetailLog, GaugeLog } from '../../trace/log.ts';
import { ST_COMPLETE_IRQ, ST_HOST_CPU } from '../../trace/stages.ts';
import type { UfsBlock } from './block-port.ts';
import type { UfsConfig } from './config.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';
import { composeRequest, FATE_DONE, FATE_REQUEUE, fateOf, isSupported, statusOf } from './ufshcd-command.ts';
import { makeCrypto, type UfsCryptoParts, type UfshcdCrypto } from './ufshcd-crypto.ts';
import { ErrorHandler } from './ufshcd-eh.ts';
import { DeviceCommands } from './ufshcd-devcmd.ts';
import type { UfshcdMemory } from './ufshcd-memory.ts';
import { PowerManager } from './ufshcd-power.ts';
import { Prober } from './ufshcd-probe.ts';
import { McqDriver } from './ufshcd-mcq.ts';
import { NEXT, Scripts } from './ufshcd-scripts.ts';
import type { UfsEnv } from './env.ts';

// Host states. @kernel enum ufshcd_state
export const STATE_RESET = 0;
export const STATE_OPERATIONAL = 1;
export const STATE_EH_NON_FATAL = 2;
export const STATE_EH_FATAL = 3;
export const STATE_ERROR = 4;
export const HOST_STATE_NAMES = [
  'reset',
  'operational',
  'eh_scheduled_non_fatal',
  'eh_scheduled_fatal',
  'error',
] as const;

/** Registers read and written by one interrupt: IS, IE, doorbell, IS again; IS. @kernel v6.12 ufshcd_intr */
const IRQ_READS = 4;
const IRQ_WRITES = 1;
const NONE = -1;

export class Ufshcd implements Lld {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly log: DetailLog;
  readonly config: UfsConfig;
  readonly block: UfsBlock;
  readonly hci: Ufshci;
  readonly mem: UfshcdMemory;
  readonly scripts: Scripts;
  readonly power: PowerManager;
  readonly commands: DeviceCommands;
  readonly prober: Prober;
  readonly eh: ErrorHandler;
  readonly mcq: McqDriver;
  readonly probeScript: number;
  /** Undefined: the host does not encrypt. */
  readonly crypto: UfshcdCrypto | undefined;
  state = STATE_RESET;
  /** Request by slot, -1 when free. */
  readonly requestOf: Int32Array;
  /** Slots whose doorbell was rung and whose completion was not seen, as doorbell bits (single doorbell). */
  outstanding = 0;
  inFlight = 0;
  maxInFlight = 0;
  accepted = 0;
  completed = 0;
  requeued = 0;
  retried = 0;
  failed = 0;
  interrupts = 0;
  refusedBusy = 0;
  /** Engine kind called with the slot when a request's command is about to be composed; -1 for none. For those who inject faults. */
  onCommand = NONE;

  private readonly gauges: GaugeLog;
  private readonly inFlightGauge: number;
  private readonly issueKind: number;
  private readonly isrKind: number;
  private readonly manyKind: number;
  private readonly wokenKind: number;
  /** Doorbell bits that the interrupt being handled found completed. */
  private doneBits = 0;
  private retries: Uint8Array = new Uint8Array(256);

  constructor(
    env: UfsEnv,
    config: UfsConfig,
    block: UfsBlock,
    hci: Ufshci,
    mem: UfshcdMemory,
    crypto?: UfsCryptoParts,
  ) {
    this.engine = env.engine;
    this.machine = env.machine;
    this.log = env.log;
    this.gauges = env.gauges;
    this.inFlightGauge = env.gauges.define('ufs.in_flight');
    this.config = config;
    this.block = block;
    this.hci = hci;
    this.mem = mem;
    this.requestOf = new Int32Array(mem.slots).fill(NONE);
    const engine = env.engine;
    this.issueKind = engine.register('ufshcd.issue', (rq) => this.issue(rq));
    this.isrKind = engine.register('ufshcd.interrupt', (vector) => this.interrupt(vector));
    this.manyKind = engine.register('ufshcd.complete-many', () => this.completeMany());
    this.wokenKind = engine.register('ufshcd.clocks-on', (rq) => this.held(this.machine.current, rq));
    this.scripts = new Scripts(engine, env.machine, env.workqueues);
    this.commands = new DeviceCommands(this);
    this.power = new PowerManager(this, env.gauges);
    this.prober = new Prober(this);
    this.mcq = new McqDriver(this);
    this.eh = new ErrorHandler(this);
    this.crypto = makeCrypto(this, env, crypto);
    const initialise = (x: number): number => this.crypto?.initialise(x) ?? NEXT;
    this.probeScript = this.scripts.define([initialise, ...this.prober.steps, () => this.probed()], () => undefined);
  }

  /** Starts the probe, which takes its time; `state` tells when it is over. Context: any. */
  probe(x: number): void {
    this.scripts.start(x, this.probeScript);
  }

  private probed(): number {
    this.state = STATE_OPERATIONAL;
    this.power.idle();
    return NEXT;
  }

  /** The slot of a request is its tag, in both modes (in MCQ mode the queues share one set of tags). */
  slotOf(rq: number): number {
    return this.block.requests.tag[rq];
  }

  /** The slot kept for device management. */
  get reservedSlot(): number {
    return this.mem.slots - 1;
  }

  // ------------------------------------------------------------------------------------------------ queue_rq

  startsAtOnce(rq: number): boolean {
    return (
      this.state === STATE_OPERATIONAL &&
      this.power.isUp &&
      !this.power.hasRefused &&
      isSupported(this.block.requests.op[rq])
    );
  }

  queueRq(x: number, rq: number, _last: boolean): void {
    if (!isSupported(this.block.requests.op[rq])) {
      this.block.queueRqDone(x, rq, STS_NOTSUPP);
      return;
    }
    if (this.state !== STATE_OPERATIONAL && !this.acceptsInState(x, rq)) return;
    if (!this.power.hold()) {
      this.power.wait(x, rq, this.wokenKind);
      return;
    }
    if (this.power.hasRefused) this.power.accountRefused(rq);
    this.setUp(x, rq);
  }

  /** What a host that is not operational answers. @source inline-crypto.md 3.13, host states */
  private acceptsInState(x: number, rq: number): boolean {
    if (this.state === STATE_EH_NON_FATAL && !this.eh.isRunning()) return true;
    if (this.state === STATE_ERROR) {
      this.failed++;
      this.block.queueRqDone(x, rq, STS_IOERR);
    } else this.refuseBusy(x, rq);
    return false;
  }

  /** Host busy: the block layer keeps the request and tries again. */
  refuseBusy(x: number, rq: number): void {
    this.refusedBusy++;
    this.block.queueRqDone(x, rq, STS_RESOURCE);
  }

  /** The dispatcher slept for the clocks and was woken with a reference of its own. */
  private held(x: number, rq: number): void {
    this.power.markWaited(rq);
    if (this.state === STATE_OPERATIONAL || this.acceptsInState(x, rq)) this.setUp(x, rq);
    else this.power.release();
  }

  private setUp(x: number, rq: number): void {
    const costs = this.machine.costs;
    const requests = this.block.requests;
    const entries = requests.op[rq] >= OP_DISCARD ? 1 : this.mem.entriesOf(requests.bytes[rq], requests.segments[rq]);
    this.machine.run(
      x,
      costs.ufsQueueCommandNs + entries * costs.ufsPrdtEntryNs + costs.mmioWriteNs,
      this.issueKind,
      rq,
    );
  }

  private issue(rq: number): void {
    const x = this.machine.current;
    if (this.state !== STATE_OPERATIONAL && this.state !== STATE_EH_NON_FATAL) {
      this.power.release(); // the host went down while the command was set up
      this.block.requests.rows.mark(rq, ST_HOST_CPU, this.engine.now);
      this.refuseBusy(x, rq);
      return;
    }
    const slot = this.slotOf(rq);
    if (this.requestOf[slot] !== NONE) throw new Error(`ufshcd: slot ${slot} is in use`);
    this.requestOf[slot] = rq;
    this.accepted++;
    if (++this.inFlight > this.maxInFlight) this.maxInFlight = this.inFlight;
    if (this.gauges.on) this.gauges.set(this.inFlightGauge, this.inFlight);
    this.block.startRequest(rq);
    this.block.requests.rows.mark(rq, ST_HOST_CPU, this.engine.now);
    this.hci.slots.bind(slot, rq);
    if (this.log.on) this.log.event('ufshcd', 'command.send_req', slot, rq);
    if (this.onCommand !== NONE) this.engine.call(this.onCommand, slot);
    if (this.config.mcqQueues > 0) this.mcq.submit(rq, slot);
    else {
      const utrd = this.mem.memory.word(this.mem.utrl) + slot * d.UTRD_WORDS;
      this.compose(rq, slot, utrd, !this.config.interruptAggregation.on);
      this.outstanding |= 1 << slot;
      this.hci.write(r.UTRLDBR, 1 << slot);
    }
    this.block.queueRqDone(x, rq, STS_OK);
  }

  /** Writes a request as the command of a slot; its descriptor is at word `utrd`. */
  compose(rq: number, slot: number, utrd: number, interrupt: boolean): void {
    composeRequest(this.mem, this.block.requests, rq, slot, utrd, interrupt);
    if (this.crypto !== undefined) this.crypto.prepare(rq, slot, utrd);
  }

  timeout(x: number, rq: number): boolean {
    return this.eh.timeout(x, rq);
  }

  // ------------------------------------------------------------------------------------------------ interrupts

  /** The controller's interrupt line went up. */
  irq(vector: number): void {
    const costs = this.machine.costs;
    const cpu = vector === 0 ? this.config.irqCpu : this.mcq.cpuOf(vector - 1);
    this.interrupts++;
    // One completion is the usual case and is paid for with the handler; more are paid for when they are found.
    const costNs = costs.ufsIsrNs + IRQ_READS * costs.mmioReadNs + IRQ_WRITES * costs.mmioWriteNs + costs.ufsCompleteNs;
    this.machine.raiseHardirq(cpu, costNs, this.isrKind, vector);
  }

  private interrupt(vector: number): void {
    const x = this.machine.current;
    if (vector > 0) {
      this.mcq.interrupt(x, vector - 1);
      return;
    }
    const status = this.hci.read(r.IS);
    const enabled = status & this.hci.read(r.IE);
    this.hci.write(r.IS, status);
    if ((enabled & ~r.IS_UTRCS) !== 0) this.otherInterrupts(x, enabled);
    if ((enabled & r.IS_UTRCS) !== 0) this.transfersCompleted(x);
  }

  private otherInterrupts(x: number, status: number): void {
    if ((status & (r.IS_UCCS | r.IS_UPMS | r.IS_UHES | r.IS_UHXS)) !== 0) this.commands.uicInterrupt(x, status);
    if ((status & r.IS_UTMRCS) !== 0) this.commands.taskInterrupt(x);
    if ((status & (r.IS_FATAL | r.IS_UE)) !== 0) this.eh.errorInterrupt(x, status);
  }

  /** Completed = outstanding and no longer in the doorbell. */
  private transfersCompleted(x: number): void {
    if (this.config.interruptAggregation.on) this.resetAggregation(x);
    const done = this.outstanding & ~this.hci.read(r.UTRLDBR);
    if (done === 0) return;
    if ((done & (done - 1)) === 0) {
      this.finishSlot(x, 31 - Math.clz32(done), this.ocsOf(31 - Math.clz32(done)));
      return;
    }
    this.doneBits = done;
    this.machine.run(x, (bitCount(done) - 1) * this.machine.costs.ufsCompleteNs, this.manyKind, 0);
  }

  private resetAggregation(x: number): void {
    this.machine.charge(x, this.machine.costs.mmioWriteNs);
    this.hci.write(r.UTRIACR, (r.UTRIACR_IAEN | r.UTRIACR_CTR) >>> 0);
  }

  private completeMany(): void {
    const x = this.machine.current;
    // An abort or reset on another CPU may have taken some of them meanwhile, and their slots may have been used again.
    const done = this.doneBits & this.outstanding & ~this.hci.read(r.UTRLDBR);
    for (let bits = done; bits !== 0; bits &= bits - 1) {
      const slot = 31 - Math.clz32(bits & -bits);
      this.finishSlot(x, slot, this.ocsOf(slot));
    }
    this.doneBits = 0;
  }

  private ocsOf(slot: number): number {
    return this.mem.memory.words[this.mem.memory.word(this.mem.utrl) + slot * d.UTRD_WORDS + 2] & 0xff;
  }

  // ------------------------------------------------------------------------------------------------ completion

  /** A command is over: its slot is free, its request goes back to the block layer. Context: hardirq, or a worker after a reset. */
  finishSlot(x: number, slot: number, ocs: number): void {
    if (slot === this.reservedSlot) {
      this.outstanding &= ~(1 << slot);
      this.commands.completed(x, ocs);
      return;
    }
    const rq = this.takeSlot(slot, ST_COMPLETE_IRQ);
    if (this.log.on) this.log.event('ufshcd', 'command.complete_rsp', slot, rq);
    const words = this.mem.memory.words;
    const response = this.mem.responseWord(slot);
    const fate = fateOf(ocs, words, response);
    if (fate === FATE_DONE) this.end(x, rq, statusOf(ocs, words, response));
    else this.tryAgain(x, rq, fate, statusOf(ocs, words, response));
  }

  /** Frees a slot and returns the request it carried; what is not accounted yet goes to `stage`. */
  takeSlot(slot: number, stage: number): number {
    const rq = this.requestOf[slot];
    this.requestOf[slot] = NONE;
    if (this.config.mcqQueues === 0) this.outstanding &= ~(1 << slot);
    this.inFlight--;
    if (this.gauges.on) this.gauges.set(this.inFlightGauge, this.inFlight);
    this.hci.slots.bind(slot, NONE);
    if (this.crypto !== undefined) this.crypto.finished(rq, slot);
    this.power.release();
    this.block.requests.rows.mark(rq, stage, this.engine.now);
    return rq;
  }

  end(x: number, rq: number, status: number): void {
    if (rq < this.retries.length) this.retries[rq] = 0;
    if (status !== STS_OK) this.failed++;
    this.completed++;
    this.block.completeRequest(x, rq, status);
  }

  /** Requeues a command, or ends it with `status` when its retries are used up. */
  tryAgain(x: number, rq: number, fate: number, status: number): void {
    if (fate !== FATE_REQUEUE) {
      this.retries = grownFor(this.retries, rq);
      if (this.retries[rq] >= this.config.retries) {
        this.end(x, rq, status === STS_OK ? STS_IOERR : status);
        return;
      }
      this.retries[rq]++;
      this.retried++;
    }
    this.requeued++;
    this.block.requeueRequest(x, rq, 0);
  }
}

function bitCount(bits: number): number {
  let n = 0;
  for (let left = bits; left !== 0; left &= left - 1) n++;
  return n;
}

function grownFor(column: Uint8Array, index: number): Uint8Array {
  if (index < column.length) return column;
  const wider = new Uint8Array(Math.max(column.length * 2, index + 1));
  wider.set(column);
  return wider;
}

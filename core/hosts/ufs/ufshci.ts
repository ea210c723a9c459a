/**
 * A UFS host controller as its driver sees it: registers, descriptors in memory, an interrupt line; and as the device sees it: the other end of the link.
 *
 * Modelled: host enable and the resets behind it, UIC commands (ufshci-uic.ts), the transfer request list with its doorbell, task management (ufshci-task.ts), completion
 * with OCS, interrupt status and enable, interrupt aggregation, auto-hibern8, error injection, multi-circular queues (ufshci-mcq.ts), inline encryption (ufshci-crypto.ts).
 * A doorbell costs no event: fetch, link and firmware core are reserved on the spot, the first event is the one where the device's firmware has handled the command.
 * Not modelled: prefetch beyond one command, byte enables, event specific interrupts.
 *
 * @source UFSHCI 4.0, facts through inline-crypto.md 3.1–3.11; the order of completion steps: 3.10
 */
import type { Engine } from '../../engine/engine.ts';
import type { DetailLog } from '../../trace/log.ts';
import type { HostMemory } from '../memory.ts';
import { RegisterFile } from '../registers.ts';
import { swap32 } from '../memory.ts';
import { Aggregation } from './ufshci-aggregation.ts';
import { AutoHibern8 } from './ufshci-auto-hibern8.ts';
import { CryptoUnit } from './ufshci-crypto.ts';
import { checkDescriptor } from './ufshci-fetch.ts';
import { capabilityValues } from './capabilities.ts';
import type { UfsConfig } from './config.ts';
import * as d from './descriptors.ts';
import type { DevicePort } from './device.ts';
import { UfsDevice } from './device.ts';
import { Link } from './link.ts';
import * as r from './registers.ts';
import * as s from './slots.ts';
import { McqUnit } from './ufshci-mcq.ts';
import { TaskUnit } from './ufshci-task.ts';
import { UicUnit } from './ufshci-uic.ts';
import * as u from './upiu.ts';

/** Outputs of the controller. */
export interface UfshciPorts {
  /** The interrupt line goes up: 0 for the controller's own, 1 + q for completion queue q. Stays up until its status is written back. */
  irq(vector: number): void;
  /** Software did what the specification forbids: a breach to be reported. What the hardware makes of it stands where it happens. */
  misuse(what: string): void;
}

const NONE = -1;
/** Bit 31 of the UECxx registers: an error was recorded. */
const UEC_ERROR = 1 << 31;

export class Ufshci implements DevicePort {
  readonly registers: RegisterFile;
  readonly slots: s.CommandSlots;
  readonly link: Link;
  readonly device: UfsDevice;
  readonly uic: UicUnit;
  readonly mcq: McqUnit;
  readonly tasks: TaskUnit;
  readonly aggregation: Aggregation;
  readonly autoHibern8: AutoHibern8;
  readonly crypto: CryptoUnit;
  readonly memory: HostMemory;
  readonly engine: Engine;
  readonly config: UfsConfig;
  readonly log: DetailLog;
  /** Everything completes at once, without events and interrupts (bringing the host up before time starts). */
  instant = false;
  outstanding = 0;
  maxOutstanding = 0;
  interrupts = 0;
  /** Fault hook: OCS that the next completion reports instead of its own (-1: none). */
  forcedOcs = NONE;

  private readonly ports: UfshciPorts;
  private readonly lineUp: Uint8Array;
  private readonly enabledKind: number;
  private readonly failedKind: number;
  private fetchFreeNs = 0;
  private enableSeq = NONE;

  constructor(
    engine: Engine,
    config: UfsConfig,
    memory: HostMemory,
    requests: s.AccountedRequests,
    log: DetailLog,
    ports: UfshciPorts,
  ) {
    this.engine = engine;
    this.config = config;
    this.memory = memory;
    this.log = log;
    this.ports = ports;
    const queues = config.mcqQueues;
    const count = queues > 0 ? config.mcqDepth + 1 : config.nutrs;
    this.registers = new RegisterFile(
      'ufshci',
      r.ufshciRegisters(config.crypto.capabilities.length, config.crypto.keyslots, queues),
      log,
      { resets: capabilityValues(config), strict: config.strict },
    );
    this.slots = new s.CommandSlots(count, requests);
    this.link = new Link({ gear: 0, lanes: 1, rate: 'A' }, config.timing.linkLatencyNs, log);
    this.link.ioOf = (tag) => this.slots.ioOf(tag);
    this.device = new UfsDevice(engine, config, this.slots, this.link, this, log);
    this.uic = new UicUnit(this);
    this.mcq = new McqUnit(this);
    this.tasks = new TaskUnit(this);
    this.lineUp = new Uint8Array(1 + queues);
    this.enabledKind = engine.register('ufshci.enabled', () => this.enabled());
    this.failedKind = engine.register('ufshci.refused', (tag) => this.refused(tag));
    this.aggregation = new Aggregation(this);
    this.autoHibern8 = new AutoHibern8(this);
    this.crypto = new CryptoUnit(this);
  }

  // ------------------------------------------------------------------------------------------------ registers

  /** Software reads a register. The UIC error codes clear when read. */
  read(offset: number): number {
    if (!this.crypto.hasClocks) this.misused(`register 0x${offset.toString(16)} is read without clocks`);
    const value = this.registers.read(offset);
    if (offset >= r.UECPA && offset <= r.UECDME) this.registers.set(offset, 0);
    return value;
  }

  /** Software writes a register. Side effects happen at once; what takes time is scheduled. */
  write(offset: number, value: number): void {
    if (!this.crypto.hasClocks) this.misused(`register 0x${offset.toString(16)} is written without clocks`);
    if (offset === r.UTRLDBR) this.ringDoorbell(value);
    else if (offset === r.IS) this.acknowledge(value);
    else if (offset >= r.QOP) this.mcq.write(offset, value);
    else if (offset === r.UTRIACR) this.aggregation.write(value);
    else if (offset === r.HCE) this.writeHce(value);
    else if (offset >= r.CRYPTOCFG && offset < r.QCFG) this.crypto.write(offset, value);
    else this.writeOther(offset, value);
  }

  private writeOther(offset: number, value: number): void {
    const regs = this.registers;
    if (!regs.write(offset, value)) return;
    switch (offset) {
      case r.AHIT:
        this.autoHibern8.setTimer(regs.get(r.AHIT));
        break;
      case r.IE:
        this.updateLine();
        break;
      case r.UTRLCLR:
        this.clearSlots(~value);
        break;
      case r.UTMRLDBR:
        this.tasks.ring(value);
        break;
      case r.UTMRLCLR:
        this.tasks.clear(~value);
        break;
      case r.UICCMD:
        this.uic.start(value & 0xff);
        break;
      default:
        if (offset >= r.QCFG) this.mcq.configure(offset);
    }
  }

  /** See UfshciPorts.misuse. */
  misused(what: string): void {
    if (this.log.on) this.log.event('ufshci', 'misused', NaN, NaN);
    this.ports.misuse(what);
  }

  // ------------------------------------------------------------------------------------------------ enable and reset

  private writeHce(value: number): void {
    const regs = this.registers;
    const was = regs.get(r.HCE) & r.HCE_ENABLE;
    if ((value & r.HCE_ENABLE) === 0) {
      if (was !== 0) {
        this.stop('hce-disable');
        this.crypto.happened('hce-disable');
      }
      regs.write(r.HCE, value);
      this.enableSeq = NONE;
      return;
    }
    if (was !== 0) {
      regs.write(r.HCE, value);
      return;
    }
    this.stop('hce-enable');
    regs.write(r.HCE, value & ~r.HCE_ENABLE);
    if ((value & r.HCE_CGE) !== 0 && this.crypto.settings.generalEnable === 'broken') return; // it never comes up
    if (this.instant) this.enabled();
    else this.enableSeq = this.engine.after(this.config.timing.enableNs, this.enabledKind, 0);
  }

  private enabled(): void {
    if (!this.instant && this.enableSeq !== this.engine.seq) return;
    this.registers.setBits(r.HCE, r.HCE_ENABLE);
    this.registers.setBits(r.HCS, r.HCS_UCRDY);
  }

  /** Ends bringing up without time: what was reserved on the way took no time. */
  startOfTime(): void {
    this.instant = false;
    this.device.startOfTime();
    this.link.restart();
    this.fetchFreeNs = 0;
  }

  /** Every register and every queue back to reset; commands in progress are forgotten and the link is down. */
  private stop(kind: string): void {
    this.registers.reset(kind);
    this.device.reset();
    this.link.restart();
    this.uic.reset();
    this.mcq.reset();
    this.tasks.reset();
    this.lineUp.fill(0);
    this.slots.pending.fill(0);
    this.outstanding = 0;
    this.fetchFreeNs = 0;
    this.aggregation.reset();
    this.autoHibern8.reset();
    this.crypto.reset();
    this.enableSeq = NONE;
    if (this.log.on) this.log.event('ufshci', kind === 'hce-disable' ? 'host.disabled' : 'host.enabling', NaN, NaN);
  }

  // ------------------------------------------------------------------------------------------------ doorbell

  private ringDoorbell(value: number): void {
    const regs = this.registers;
    const fresh = value & ~regs.get(r.UTRLDBR);
    if (regs.get(r.UTRLRSR) === 0) {
      this.misused('the doorbell is rung while the list does not run'); // it has no effect
      return;
    }
    if (fresh !== (value | 0)) this.misused('the doorbell of a command in progress is rung'); // no effect either
    regs.write(r.UTRLDBR, value);
    const list = this.memory.word(regs.get(r.UTRLBA));
    for (let bits = fresh; bits !== 0; bits &= bits - 1) {
      const tag = 31 - Math.clz32(bits & -bits);
      this.fetch(tag, list + tag * d.UTRD_WORDS, 0);
    }
  }

  /**
   * Fetches descriptor, command unit and PRDT, checks them, and sends the command: the whole way to the device's firmware is reserved here.
   * `utrd` is the word index of the descriptor.
   */
  fetch(tag: number, utrd: number, queue: number): void {
    const slots = this.slots;
    const words = this.memory.words;
    const now = this.engine.now;
    const ready = this.autoHibern8.linkReadyNs(now);
    const start = this.fetchFreeNs > ready ? this.fetchFreeNs : ready;
    const fetched = start + this.config.timing.fetchNs;
    this.fetchFreeNs = fetched;
    if (++this.outstanding > this.maxOutstanding) this.maxOutstanding = this.outstanding;
    const ucd = this.memory.word(words[utrd + 4]);
    slots.state[tag] = s.SLOT_SENT;
    slots.queue[tag] = queue;
    slots.utrd[tag] = utrd;
    slots.ucd[tag] = ucd;
    slots.responseWord[tag] = words[utrd + 6];
    slots.prdtWord[tag] = words[utrd + 7];
    slots.pending[tag] = 1;
    slots.poweredNs[tag] = ready > now ? ready : 0;
    const ocs = checkDescriptor(this, tag, utrd, ucd);
    slots.ocs[tag] = ocs;
    if (ocs !== d.OCS_SUCCESS) {
      this.refuse(tag, fetched);
      return;
    }
    const sent = this.link.reserve(0, tag, u.UPIU_BYTES, fetched);
    slots.fetchedNs[tag] = fetched;
    slots.sentNs[tag] = this.link.startNs;
    slots.arrivedNs[tag] = sent + this.link.latencyNs;
    this.device.accept(tag);
  }

  private refuse(tag: number, atNs: number): void {
    this.slots.arrivedNs[tag] = atNs;
    if (this.instant) this.refused(tag);
    else this.slots.seq[tag] = this.engine.at(atNs, this.failedKind, tag);
  }

  private refused(tag: number): void {
    if (!this.instant && this.slots.seq[tag] !== this.engine.seq) return;
    this.slots.markRefused(tag, this.engine.now);
    this.complete(tag, this.slots.ocs[tag]);
  }

  // ------------------------------------------------------------------------------------------------ completion

  /** The device's response is here: writes it to memory and completes the command. */
  responded(tag: number): void {
    const slots = this.slots;
    const words = this.memory.words;
    const at = slots.ucd[tag] + d.UCD_RESPONSE / 4;
    const command = slots.command[tag];
    if (command === s.CMD_NOP) u.encodeHeader(words, at, u.UPIU_NOP_IN, 0, 0, tag, 0, 0, 0, 0);
    else if (command === s.CMD_QUERY) this.answerQuery(tag, at);
    else u.encodeResponse(words, at, slots.lun[tag], tag, slots.status[tag], slots.sense[tag], slots.asc[tag]);
    let ocs = d.OCS_SUCCESS;
    if (this.forcedOcs !== NONE) {
      ocs = this.forcedOcs;
      this.forcedOcs = NONE;
    } else if (slots.fault[tag] !== s.FAULT_NONE && slots.fault[tag] < s.FAULT_LOST) ocs = slots.fault[tag];
    this.complete(tag, ocs);
  }

  private answerQuery(tag: number, at: number): void {
    const words = this.memory.words;
    const ucd = this.slots.ucd[tag];
    const management = this.device.management;
    const head = swap32(words[ucd + 3]); // opcode, idn, index, selector
    management.query(head >>> 24, (head >>> 16) & 0xff, swap32(words[ucd + 5]), this.engine.now);
    u.encodeHeader(words, at, u.UPIU_QUERY_RSP, 0, 0, tag, (words[ucd + 1] >>> 8) & 0xff, management.response, 0, 0);
    words[at + 3] = words[ucd + 3];
    words[at + 4] = 0;
    words[at + 5] = swap32(management.value);
  }

  /** OCS into the descriptor, notification, doorbell, interrupt: in this order (inline-crypto.md 3.10). */
  complete(tag: number, code: number): void {
    const slots = this.slots;
    const ocs = slots.cci[tag] === s.PLAIN ? code : this.crypto.end(tag, code);
    const utrd = slots.utrd[tag];
    slots.free(tag);
    slots.pending[tag] = 0;
    if (--this.outstanding === 0) this.autoHibern8.linkUsed();
    if (this.config.mcqQueues > 0) {
      this.mcq.complete(tag, ocs);
      return;
    }
    const words = this.memory.words;
    const regs = this.registers;
    words[utrd + 2] = (words[utrd + 2] & ~0xff) | ocs;
    regs.setBits(r.UTRLCNR, 1 << tag);
    regs.clearBits(r.UTRLDBR, 1 << tag);
    if ((words[utrd] & d.UTRD_I) !== 0 || ocs !== d.OCS_SUCCESS) this.raise(r.IS_UTRCS);
    else this.aggregation.completed();
  }

  /** Software (UTRLCLR) or task management takes commands away: the doorbell clears, nothing is reported. */
  private clearSlots(bits: number): void {
    for (let left = bits & this.registers.get(r.UTRLDBR); left !== 0; left &= left - 1) {
      const tag = 31 - Math.clz32(left & -left);
      this.registers.clearBits(r.UTRLDBR, 1 << tag);
      if (!this.device.abort(tag)) this.slots.free(tag);
      this.slots.pending[tag] = 0;
      if (this.slots.cci[tag] !== s.PLAIN) this.crypto.release(tag);
      if (--this.outstanding === 0) this.autoHibern8.linkUsed();
    }
  }

  leaveInline(direction: number, tag: number, bytes: number, startNs: number, endNs: number): number {
    return this.crypto.leaveNs(direction, tag, bytes, startNs, endNs);
  }

  abortDone(tag: number): void {
    this.tasks.abortDone(tag);
  }

  // ------------------------------------------------------------------------------------------------ interrupts

  /** Sets status bits; the line goes up if one of them is enabled. */
  raise(bits: number): void {
    this.registers.setBits(r.IS, bits);
    this.updateLine();
  }

  private updateLine(): void {
    const pending = this.registers.get(r.IS) & this.registers.get(r.IE);
    if (pending === 0) this.lineUp[0] = 0;
    else if (this.lineUp[0] === 0) this.lineGoesUp(0);
  }

  /** Raises a line that is down. */
  lineGoesUp(vector: number): void {
    if (this.instant || this.lineUp[vector] !== 0) return;
    this.lineUp[vector] = 1;
    this.interrupts++;
    this.ports.irq(vector);
  }

  lineGoesDown(vector: number): void {
    this.lineUp[vector] = 0;
  }

  private acknowledge(value: number): void {
    this.registers.write(r.IS, value);
    this.lineUp[0] = 0;
    this.updateLine();
  }

  /** Fault hook: an error bit of IS as the hardware would raise it; fatal ones leave every outstanding command unanswered. */
  injectError(bits: number, dataLinkCode = 0): void {
    if (dataLinkCode !== 0) this.registers.set(r.UECDL, UEC_ERROR | dataLinkCode);
    this.raise(bits);
  }
}

/**
 * A UFS host controller as its driver sees it: registers, descriptors in memory, an interrupt line; and as the device sees it: the other end of the link.
 *
 * Modelled: host enable and the resets behind it, UIC commands (ufshci-uic.ts), the transfer request list with its doorbell, task management (ufshci-task.ts), completion
 * with OCS, interrupt status and enable, interrupt aggregation, auto-hibern8, error injection, multi-circular queues (ufshci-mcq.ts).
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
import { LINK_ACTIVE, LINK_HIBERN8, UicUnit } from './ufshci-uic.ts';
import * as u from './upiu.ts';

/** Outputs of the controller. */
export interface UfshciPorts {
  /** The interrupt line goes up: 0 for the controller's own, 1 + q for completion queue q. Stays up until its status is written back. */
  irq(vector: number): void;
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
  readonly memory: HostMemory;
  readonly engine: Engine;
  readonly config: UfsConfig;
  readonly log: DetailLog;
  /** Everything completes at once, without events and interrupts (bringing the host up before time starts). */
  instant = false;
  outstanding = 0;
  maxOutstanding = 0;
  interrupts = 0;
  aggregated = 0;
  autoHibern8Enters = 0;
  /** Fault hook: OCS that the next completion reports instead of its own (-1: none). */
  forcedOcs = NONE;

  private readonly ports: UfshciPorts;
  private readonly lineUp: Uint8Array;
  private readonly enabledKind: number;
  private readonly failedKind: number;
  private readonly aggregationTimer: number;
  private fetchFreeNs = 0;
  /** Completions counted for aggregation since the last interrupt. */
  private aggregationCount = 0;
  private autoHibern8Ns = 0;
  private idleSinceNs = 0;
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
    this.link = new Link({ gear: 0, lanes: 1, rate: 'A' }, config.timing.linkLatencyNs);
    this.device = new UfsDevice(engine, config, this.slots, this.link, this);
    this.uic = new UicUnit(this);
    this.mcq = new McqUnit(this);
    this.tasks = new TaskUnit(this);
    this.lineUp = new Uint8Array(1 + queues);
    this.enabledKind = engine.register('ufshci.enabled', () => this.enabled());
    this.failedKind = engine.register('ufshci.refused', (tag) => this.refused(tag));
    this.aggregationTimer = engine.createTimer(
      engine.register('ufshci.aggregation', () => this.aggregationFires()),
      0,
    );
  }

  // ------------------------------------------------------------------------------------------------ registers

  /** Software reads a register. The UIC error codes clear when read. */
  read(offset: number): number {
    const value = this.registers.read(offset);
    if (offset >= r.UECPA && offset <= r.UECDME) this.registers.set(offset, 0);
    return value;
  }

  /** Software writes a register. Side effects happen at once; what takes time is scheduled. */
  write(offset: number, value: number): void {
    if (offset === r.UTRLDBR) this.ringDoorbell(value);
    else if (offset === r.IS) this.acknowledge(value);
    else if (offset >= r.QOP) this.mcq.write(offset, value);
    else if (offset === r.UTRIACR) this.writeAggregation(value);
    else if (offset === r.HCE) this.writeHce(value);
    else this.writeOther(offset, value);
  }

  private writeOther(offset: number, value: number): void {
    const regs = this.registers;
    if (!regs.write(offset, value)) return;
    switch (offset) {
      case r.AHIT:
        this.autoHibern8Ns = autoHibern8Ns(regs.get(r.AHIT));
        this.idleSinceNs = this.engine.now;
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

  // ------------------------------------------------------------------------------------------------ enable and reset

  private writeHce(value: number): void {
    const regs = this.registers;
    const was = regs.get(r.HCE) & r.HCE_ENABLE;
    if ((value & r.HCE_ENABLE) === 0) {
      if (was !== 0) this.stop('hce-disable');
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
    this.aggregationCount = 0;
    this.engine.cancelTimer(this.aggregationTimer);
    this.autoHibern8Ns = 0;
    this.enableSeq = NONE;
    if (this.log.on) this.log.event('ufshci', kind === 'hce-disable' ? 'host.disabled' : 'host.enabling', NaN, NaN);
  }

  // ------------------------------------------------------------------------------------------------ doorbell

  private ringDoorbell(value: number): void {
    const regs = this.registers;
    const fresh = value & ~regs.get(r.UTRLDBR);
    if (regs.get(r.UTRLRSR) === 0) return; // the list is not running: writes have no effect
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
    const ready = this.linkReadyNs(now);
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
    const ocs = this.check(tag, utrd, ucd);
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

  /** Checks a descriptor and decodes the command into the slot's columns. Returns an OCS. */
  private check(tag: number, utrd: number, ucd: number): number {
    const words = this.memory.words;
    const slots = this.slots;
    const head = words[utrd];
    if (head >>> d.UTRD_CT_SHIFT !== d.CT_UFS_STORAGE || (words[utrd + 4] & 0x7f) !== 0) return d.OCS_INVALID_ATTRIBUTE;
    if (!this.memory.contains(words[utrd + 4], d.UCD_PRDT)) return d.OCS_INVALID_ATTRIBUTE;
    if (this.uic.linkState !== LINK_ACTIVE) return d.OCS_PEER_FAILURE;
    if ((words[utrd + 6] & 0xffff) * 4 < u.UPIU_BYTES) return d.OCS_RESPONSE_SIZE;
    slots.lun[tag] = (words[ucd] >>> 16) & 0xff;
    const code = u.upiuCode(words, ucd);
    if (code === u.UPIU_NOP_OUT || code === u.UPIU_QUERY_REQ) {
      slots.command[tag] = code === u.UPIU_NOP_OUT ? s.CMD_NOP : s.CMD_QUERY;
      return d.OCS_SUCCESS;
    }
    if (code !== u.UPIU_COMMAND) return d.OCS_INVALID_ATTRIBUTE;
    this.decodeCommand(tag, ucd);
    const bytes = swap32(words[ucd + 3]);
    slots.bytes[tag] = bytes;
    const described = d.prdtBytes(words, ucd + d.UCD_PRDT / 4, words[utrd + 7] & 0xffff);
    if (described < 0) return d.OCS_INVALID_PRDT;
    return described < bytes ? d.OCS_SIZE_MISMATCH : d.OCS_SUCCESS;
  }

  private decodeCommand(tag: number, ucd: number): void {
    const words = this.memory.words;
    const slots = this.slots;
    const opcode = u.cdbOpcode(words, ucd);
    let command = s.CMD_INVALID;
    slots.fua[tag] = u.cdbFua(words, ucd) ? 1 : 0;
    slots.lba[tag] = 0;
    slots.blocks[tag] = 0;
    if (opcode === u.SCSI_READ_10 || opcode === u.SCSI_READ_16) command = s.CMD_READ;
    else if (opcode === u.SCSI_WRITE_10 || opcode === u.SCSI_WRITE_16) command = s.CMD_WRITE;
    if (command !== s.CMD_INVALID) {
      slots.lba[tag] = u.cdbLba(words, ucd);
      slots.blocks[tag] = u.cdbBlocks(words, ucd);
    } else if (opcode === u.SCSI_SYNC_10) command = s.CMD_FLUSH;
    else if (opcode === u.SCSI_UNMAP) {
      command = s.CMD_UNMAP;
      this.readUnmapList(tag, ucd);
    } else if (opcode === u.SCSI_TEST_UNIT_READY || opcode === u.SCSI_START_STOP || opcode === u.SCSI_REQUEST_SENSE) {
      command = s.CMD_OTHER;
      slots.fua[tag] = opcode;
      slots.lba[tag] = (words[ucd + 5] & 0xff) >>> 4;
    }
    slots.command[tag] = command;
  }

  /** The parameter list is data of the host: it lies in memory where the first PRDT entry points. */
  private readUnmapList(tag: number, ucd: number): void {
    const { memory, slots } = this;
    const address = memory.words[ucd + d.UCD_PRDT / 4];
    if (!memory.contains(address, u.UNMAP_LIST_BYTES)) return;
    const at = memory.byte(address);
    slots.lba[tag] = memory.view.getUint32(at + 8) * 0x1_0000_0000 + memory.view.getUint32(at + 12);
    slots.blocks[tag] = memory.view.getUint32(at + 16);
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
    }
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
  complete(tag: number, ocs: number): void {
    const slots = this.slots;
    const utrd = slots.utrd[tag];
    slots.free(tag);
    slots.pending[tag] = 0;
    if (--this.outstanding === 0) this.idleSinceNs = this.engine.now;
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
    else this.aggregate();
  }

  /** Software (UTRLCLR) or task management takes commands away: the doorbell clears, nothing is reported. */
  private clearSlots(bits: number): void {
    for (let left = bits & this.registers.get(r.UTRLDBR); left !== 0; left &= left - 1) {
      const tag = 31 - Math.clz32(left & -left);
      this.registers.clearBits(r.UTRLDBR, 1 << tag);
      if (!this.device.abort(tag)) this.slots.free(tag);
      this.slots.pending[tag] = 0;
      if (--this.outstanding === 0) this.idleSinceNs = this.engine.now;
    }
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

  private writeAggregation(value: number): void {
    const regs = this.registers;
    const old = regs.get(r.UTRIACR);
    const wanted = (value & r.UTRIACR_PWEN) !== 0 ? value : (value & ~0x1fff) | (old & 0x1fff);
    regs.write(r.UTRIACR, wanted);
    if ((value & r.UTRIACR_CTR) === 0) return;
    this.aggregationCount = 0;
    this.engine.cancelTimer(this.aggregationTimer);
    regs.clearBits(r.UTRIACR, r.UTRIACR_IASB);
  }

  /** A completion without its I bit: counted; the interrupt comes with the counter or the timer. */
  private aggregate(): void {
    const regs = this.registers;
    const control = regs.get(r.UTRIACR);
    if ((control & r.UTRIACR_IAEN) === 0) return;
    this.aggregated++;
    const threshold = (control >>> r.UTRIACR_COUNTER_SHIFT) & 0x1f;
    if (++this.aggregationCount === 1) {
      regs.setBits(r.UTRIACR, r.UTRIACR_IASB);
      const timeout = control & 0xff;
      if (timeout > 0) this.engine.armTimer(this.aggregationTimer, this.engine.now + timeout * r.AGGREGATION_UNIT_NS);
    }
    if (threshold > 0 && this.aggregationCount >= threshold) this.aggregationFires();
  }

  private aggregationFires(): void {
    this.aggregationCount = 0;
    this.engine.cancelTimer(this.aggregationTimer);
    this.registers.clearBits(r.UTRIACR, r.UTRIACR_IASB);
    this.raise(r.IS_UTRCS);
  }

  // ------------------------------------------------------------------------------------------------ link power

  /**
   * When the link can carry a command that was rung now. Auto-hibern8 needs no event: whether the idle timer ran out is known only
   * when somebody asks.
   */
  private linkReadyNs(now: number): number {
    if (this.autoHibern8Ns === 0 || this.outstanding !== 0 || this.uic.linkState !== LINK_ACTIVE) return now;
    const enteredNs = this.idleSinceNs + this.autoHibern8Ns;
    if (now < enteredNs) return now;
    this.autoHibern8Enters++;
    const { enterNs, exitNs } = this.config.hibern8;
    if (this.log.on) this.log.event('ufshci', 'auto-hibern8.left', enteredNs, NaN);
    return Math.max(now, enteredNs + enterNs) + exitNs;
  }

  /** The link was used by a UIC command: the idle time of auto-hibern8 begins anew. */
  linkUsed(): void {
    this.idleSinceNs = this.engine.now;
  }

  /** True while the link sleeps, by command or by the idle timer. */
  isHibernating(): boolean {
    if (this.uic.linkState === LINK_HIBERN8) return true;
    return this.autoHibern8Ns > 0 && this.outstanding === 0 && this.engine.now >= this.idleSinceNs + this.autoHibern8Ns;
  }

  /** Fault hook: an error bit of IS as the hardware would raise it; fatal ones leave every outstanding command unanswered. */
  injectError(bits: number, dataLinkCode = 0): void {
    if (dataLinkCode !== 0) this.registers.set(r.UECDL, UEC_ERROR | dataLinkCode);
    this.raise(bits);
  }
}

/** Idle time that an AHIT value stands for (ns); 0 is off. @source inline-crypto.md 3.1, 3.13 */
export function autoHibern8Ns(ahit: number): number {
  const scale = Math.min((ahit >>> 10) & 7, 5);
  return (ahit & 0x3ff) * 10 ** scale * 1000;
}

/** AHIT value for an idle time: the finest scale that can express it. */
export function encodeAhit(idleNs: number): number {
  let units = Math.floor(idleNs / 1000);
  let scale = 0;
  while (units > 0x3ff && scale < 5) {
    units = Math.floor(units / 10);
    scale++;
  }
  return (scale << 10) | Math.min(units, 0x3ff);
}

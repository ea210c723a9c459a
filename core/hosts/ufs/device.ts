/**
 * The UFS device behind the link: command queue, firmware cores, the way of data between media and link, unit attention, power modes.
 *
 * Modelled: commands are taken in order of arrival by the first free firmware core; reads send DATA IN as chunks become ready; writes get one ready-to-transfer once the media
 * grants buffer room; SYNCHRONIZE CACHE, UNMAP, TEST UNIT READY, START STOP UNIT, NOP and QUERY; one logical unit. An event per command that reaches a core, and one per response.
 * Not modelled (`@assume`): splitting DATA OUT into several RTTs (their round trips overlap with data), bus turn-around, descriptors beyond what the driver asks for.
 *
 * @source UFS 3.1 chapters 7, 10, 11; inline-crypto.md 3.8
 */
import type { Engine } from '../../engine/engine.ts';
import type { Media, MediaClient } from '../../media/types.ts';
import type { DetailLog } from '../../trace/log.ts';
import type { UfsConfig } from './config.ts';
import type { DataPhases } from './data-phases.ts';
import { DeviceManagement } from './device-management.ts';
import { DOWN, type Link, UP } from './link.ts';
import {
  CMD_FLUSH,
  CMD_INVALID,
  CMD_NOP,
  CMD_OTHER,
  CMD_QUERY,
  CMD_READ,
  CMD_UNMAP,
  CMD_WRITE,
  type CommandSlots,
  FAULT_LOST,
  FAULT_MEDIUM,
  PLAIN,
  SLOT_DATA_OUT,
  SLOT_FREE,
  SLOT_LOST,
  SLOT_MEDIA,
  SLOT_RESPONSE,
} from './slots.ts';
import {
  SCSI_CHECK_CONDITION,
  SCSI_GOOD,
  SCSI_REQUEST_SENSE,
  SCSI_START_STOP,
  SENSE_ILLEGAL_REQUEST,
  SENSE_MEDIUM_ERROR,
  SENSE_NOT_READY,
  SENSE_UNIT_ATTENTION,
  UPIU_BYTES,
} from './upiu.ts';

/** What the device tells the controller. */
export interface DevicePort {
  /** The response of a command is in the controller; status and sense stand in the slot's columns. */
  responded(tag: number): void;
  /** When data that is on the link from `startNs` to `endNs` has passed the inline engine; for encrypted commands. Direction as the link's. */
  leaveInline(direction: number, tag: number, bytes: number, startNs: number, endNs: number): number;
  /** A command that task management aborted is gone from the device. */
  abortDone(tag: number): void;
}

/** Additional sense codes. @source SPC-5 annex F */
const ASC_POWER_ON_RESET = 0x29;
const ASC_LBA_RANGE = 0x21;
const ASC_INVALID_OPCODE = 0x20;
const ASC_UNRECOVERED_READ = 0x11;
const ASC_WRITE_ERROR = 0x0c;
const ASC_NOT_READY = 0x04;

/** Logical block of the device. @source UFS: bLogicalBlockSize 0Ch, 4 KiB, in every phone */
export const BLOCK_BYTES = 4096;

export class UfsDevice implements MediaClient {
  readonly management: DeviceManagement;
  /** Something happened to the logical unit that the next command must be told. */
  unitAttention = true;
  /** Everything is handled at once, without events (bringing the device up before time starts). */
  instant = false;
  commands = 0;
  checkConditions = 0;
  /** Fault hook: so many of the next media commands are lost. */
  loseNext = 0;
  asleep = false;

  private readonly engine: Engine;
  private readonly config: UfsConfig;
  private readonly log: DetailLog;
  private readonly slots: CommandSlots;
  private readonly link: Link;
  private readonly port: DevicePort;
  private readonly capacityBlocks: number;
  private media: Media | undefined;
  /** Moves real bytes; undefined when only costs are modelled. */
  private data: DataPhases | undefined;
  private readonly coreFreeNs: Float64Array;
  private readonly coreBusyNs: Float64Array;
  private readonly readyKind: number;
  private readonly dataKind: number;
  private readonly respondedKind: number;

  constructor(engine: Engine, config: UfsConfig, slots: CommandSlots, link: Link, port: DevicePort, log: DetailLog) {
    this.engine = engine;
    this.log = log;
    this.config = config;
    this.slots = slots;
    this.link = link;
    this.port = port;
    this.management = new DeviceManagement(config);
    this.capacityBlocks = Math.floor(config.capacityBytes / BLOCK_BYTES);
    this.coreFreeNs = new Float64Array(config.firmware.cores);
    this.coreBusyNs = new Float64Array(config.firmware.cores);
    this.readyKind = engine.register('ufs.device.ready', (tag) => this.ready(tag));
    this.dataKind = engine.register('ufs.device.data-out', (tag) => this.dataArrived(tag));
    this.respondedKind = engine.register('ufs.response', (tag) => this.responseArrived(tag));
  }

  /** Connects the flash; needed before the first read or write. */
  attachMedia(media: Media): void {
    this.media = media;
  }

  /** From now on real bytes move between host and medium. */
  attachData(data: DataPhases): void {
    this.data = data;
  }

  /** Ends the time before the first event. */
  startOfTime(): void {
    this.instant = false;
    this.coreFreeNs.fill(0);
    this.coreBusyNs.fill(0);
    this.commands = 0;
  }

  /** Reset line, power cycle or host reset: every command is forgotten, data in the buffer is not. */
  reset(): void {
    const s = this.slots;
    let any = false;
    for (let tag = 0; tag < s.count; tag++) {
      any ||= s.state[tag] !== SLOT_FREE;
      s.free(tag);
    }
    if (any) this.media?.abortAll();
    this.coreFreeNs.fill(0);
    this.unitAttention = true;
    this.asleep = false;
    this.management.reset();
  }

  // ------------------------------------------------------------------------------------------------ commands

  /** A command is going to arrive at `arrivedNs` (the slot's column): the core that will handle it is known already. */
  accept(tag: number): void {
    const s = this.slots;
    const free = this.coreFreeNs;
    let core = 0;
    for (let c = 1; c < free.length; c++) if (free[c] < free[core]) core = c;
    const arrived = s.arrivedNs[tag];
    const start = free[core] > arrived ? free[core] : arrived;
    const cost = this.commandNs(s.command[tag]);
    free[core] = start + cost;
    s.coreNs[tag] = start;
    this.coreBusyNs[core] += cost;
    this.commands++;
    if (this.log.on) this.log.span(`ufs.core/${core}`, 'device.cpu', start, start + cost, NaN, s.ioOf(tag));
    this.schedule(start + cost, this.readyKind, tag);
  }

  private commandNs(command: number): number {
    if (command === CMD_READ) return this.config.firmware.readCommandNs;
    if (command === CMD_WRITE) return this.config.firmware.writeCommandNs;
    return this.config.timing.otherCommandNs;
  }

  private schedule(atNs: number, kind: number, tag: number): void {
    if (this.instant) this.engine.call(kind, tag);
    else this.slots.seq[tag] = this.engine.at(atNs, kind, tag);
  }

  /** True when the event being handled is the one that moves this command on (else it was reset or aborted since). */
  private isDue(tag: number): boolean {
    return this.instant || this.slots.seq[tag] === this.engine.seq;
  }

  private ready(tag: number): void {
    if (!this.isDue(tag)) return;
    const s = this.slots;
    s.markArrival(tag, this.engine.now);
    const command = s.command[tag];
    s.status[tag] = SCSI_GOOD;
    s.sense[tag] = 0;
    if (command <= CMD_UNMAP) this.start(tag, command);
    else if (command === CMD_OTHER) this.deviceCommand(tag);
    else if (command === CMD_INVALID) this.refuse(tag, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
    else this.respond(tag, 0);
  }

  /** A command for the flash. */
  private start(tag: number, command: number): void {
    const s = this.slots;
    if (this.refusedByState(tag)) return;
    if (s.lba[tag] + s.blocks[tag] > this.capacityBlocks) {
      this.refuse(tag, SENSE_ILLEGAL_REQUEST, ASC_LBA_RANGE);
      return;
    }
    if (this.isLost(tag)) {
      s.state[tag] = SLOT_LOST;
      return;
    }
    const media = this.media;
    if (media === undefined) throw new Error('ufs: the device has no media');
    s.state[tag] = SLOT_MEDIA;
    const cmd = s.request[tag];
    if (command === CMD_READ) media.read(cmd, s.lba[tag], s.blocks[tag]);
    else if (command === CMD_WRITE) media.requestWrite(cmd, s.lba[tag], s.blocks[tag]);
    else if (command === CMD_FLUSH) media.flush(cmd);
    else this.grant(tag); // the parameter list of UNMAP comes first
  }

  private isLost(tag: number): boolean {
    if (this.slots.fault[tag] === FAULT_LOST) return true;
    if (this.loseNext === 0) return false;
    this.loseNext--;
    return true;
  }

  private deviceCommand(tag: number): void {
    const s = this.slots;
    const opcode = s.fua[tag];
    if (opcode === SCSI_START_STOP) this.asleep = s.lba[tag] === POWER_CONDITION_SLEEP;
    else if (opcode === SCSI_REQUEST_SENSE) this.unitAttention = false;
    else if (this.refusedByState(tag)) return;
    this.respond(tag, 0);
  }

  private refusedByState(tag: number): boolean {
    if (this.unitAttention) {
      this.unitAttention = false;
      this.refuse(tag, SENSE_UNIT_ATTENTION, ASC_POWER_ON_RESET);
      return true;
    }
    if (this.asleep) this.refuse(tag, SENSE_NOT_READY, ASC_NOT_READY);
    return this.asleep;
  }

  private refuse(tag: number, sense: number, asc: number): void {
    const s = this.slots;
    s.status[tag] = SCSI_CHECK_CONDITION;
    s.sense[tag] = sense;
    s.asc[tag] = asc;
    this.checkConditions++;
    this.respond(tag, 0);
  }

  // ------------------------------------------------------------------------------------------------ data

  readReady(cmd: number, bytes: number, last: boolean, ok: boolean): void {
    const tag = this.slots.tagOfRequest(cmd);
    if (this.slots.aborted[tag] !== 0) {
      if (last) this.finishAbort(tag);
      return;
    }
    if (!last) {
      this.sendChunk(tag, bytes);
      return;
    }
    const isRead = ok && this.slots.fault[tag] !== FAULT_MEDIUM;
    if (isRead && this.data !== undefined) this.data.in(tag);
    this.finishMedia(tag, isRead, ASC_UNRECOVERED_READ, bytes);
  }

  /** A chunk of a read that is not the last. */
  private sendChunk(tag: number, bytes: number): void {
    const end = this.link.reserve(UP, tag, bytes, this.engine.now);
    if (this.slots.cci[tag] !== PLAIN) this.port.leaveInline(UP, tag, bytes, this.engine.now, end);
  }

  writeGranted(cmd: number): void {
    this.grant(this.slots.tagOfRequest(cmd)); // also when aborted meanwhile: the room in the buffer goes back only through the write
  }

  /** Ready-to-transfer goes up, the host fetches, DATA OUT comes down. */
  private grant(tag: number): void {
    const s = this.slots;
    const timing = this.config.timing;
    const link = this.link;
    const rtt = link.reserve(UP, tag, UPIU_BYTES, this.engine.now) + link.latencyNs + timing.dataFetchNs;
    let end = link.reserve(DOWN, tag, s.bytes[tag], rtt);
    s.grantedNs[tag] = rtt;
    s.dataNs[tag] = link.startNs;
    if (s.cci[tag] !== PLAIN) end = this.passEngine(DOWN, tag, s.bytes[tag], end);
    s.state[tag] = SLOT_DATA_OUT;
    this.schedule(end + link.latencyNs, this.dataKind, tag);
  }

  private dataArrived(tag: number): void {
    if (!this.isDue(tag)) return;
    const s = this.slots;
    const media = this.media;
    if (media === undefined) throw new Error('ufs: the device has no media');
    s.markDataOut(tag, this.engine.now);
    s.state[tag] = SLOT_MEDIA;
    if (this.data !== undefined) this.data.out(tag);
    if (s.command[tag] === CMD_WRITE) media.write(s.request[tag], s.fua[tag] !== 0);
    else media.discard(s.request[tag], s.lba[tag], s.blocks[tag]);
  }

  writeDone(cmd: number, ok: boolean): void {
    this.mediaDone(cmd, ok);
  }

  flushDone(cmd: number): void {
    this.mediaDone(cmd, true);
  }

  discardDone(cmd: number): void {
    this.mediaDone(cmd, true);
  }

  private mediaDone(cmd: number, ok: boolean): void {
    const tag = this.slots.tagOfRequest(cmd);
    if (this.slots.aborted[tag] !== 0) this.finishAbort(tag);
    else this.finishMedia(tag, ok, ASC_WRITE_ERROR, 0);
  }

  private finishMedia(tag: number, ok: boolean, asc: number, bytes: number): void {
    if (ok) {
      this.respond(tag, bytes);
      return;
    }
    this.refuse(tag, SENSE_MEDIUM_ERROR, asc);
  }

  /** The last data (if any) and the response go up; the controller has written them back at the event. */
  private respond(tag: number, bytes: number): void {
    const s = this.slots;
    const link = this.link;
    let end = link.reserve(UP, tag, bytes + UPIU_BYTES, this.engine.now);
    s.dataNs[tag] = link.startNs;
    if (s.cci[tag] !== PLAIN) end = this.passEngine(UP, tag, bytes, end);
    s.state[tag] = SLOT_RESPONSE;
    this.schedule(end + link.latencyNs + this.config.timing.writeBackNs, this.respondedKind, tag);
  }

  /** The data of an encrypted command is on the link until `endNs`: until when it is in the engine too. Without data the engine adds nothing. */
  private passEngine(direction: number, tag: number, bytes: number, endNs: number): number {
    const s = this.slots;
    const left = bytes === 0 ? endNs : this.port.leaveInline(direction, tag, bytes, s.dataNs[tag], endNs);
    s.inlineNs[tag] = left - endNs;
    return left;
  }

  private responseArrived(tag: number): void {
    if (!this.isDue(tag)) return;
    this.slots.markResponse(tag, this.engine.now);
    this.port.responded(tag);
  }

  // ------------------------------------------------------------------------------------------------ task management

  /** True while the command is in the device. */
  has(tag: number): boolean {
    return this.slots.state[tag] !== SLOT_FREE && this.slots.aborted[tag] === 0;
  }

  /**
   * Aborts a command: now, or (`abortDone` tells) when the media lets go of it. Returns false when there is nothing to abort: not here, or
   * its response is on the way.
   */
  abort(tag: number): boolean {
    const s = this.slots;
    const state = s.state[tag];
    if (state === SLOT_FREE || state === SLOT_RESPONSE) return false;
    if (state === SLOT_MEDIA || state === SLOT_DATA_OUT) s.aborted[tag] = 1;
    else this.finishAbort(tag);
    return true;
  }

  /** `@assume` flash operations of an aborted command run to their end before the abort is answered. */
  private finishAbort(tag: number): void {
    this.slots.free(tag);
    this.port.abortDone(tag);
  }

  statistics(): Readonly<Record<string, number>> {
    return {
      commands: this.commands,
      checkConditions: this.checkConditions,
      firmwareBusyNs: this.coreBusyNs.reduce((sum, ns) => sum + ns, 0),
    };
  }
}

/** START STOP UNIT power condition: UFS-Sleep. @source UFS 3.1 chapter 7.4 */
export const POWER_CONDITION_ACTIVE = 1;
export const POWER_CONDITION_SLEEP = 2;

/** What a command is, by SCSI operation code, for the slot columns. */
export { CMD_FLUSH, CMD_INVALID, CMD_NOP, CMD_OTHER, CMD_QUERY, CMD_READ, CMD_UNMAP, CMD_WRITE };

/**
 * The commands in a UFS controller and device, by task tag: typed-array columns that controller, link and device share (they are one piece of hardware to the driver, which
 * sees registers and memory only). The one thing here that no hardware has is `request`: the handle of the block request, bound by the driver for stage accounting only.
 */
import type { StageRows } from '../../trace/stages.ts';
import {
  ST_DEVICE_CPU,
  ST_DEVICE_WAIT,
  ST_HOST_QUEUE,
  ST_INLINE,
  ST_LINK,
  ST_WAIT_LINK,
  ST_WAIT_POWER,
} from '../../trace/stages.ts';

// States of a command.
export const SLOT_FREE = 0;
/** Being fetched, on the link or in the firmware's queue. */
export const SLOT_SENT = 1;
/** The media owes an answer. */
export const SLOT_MEDIA = 2;
/** DATA OUT under way. */
export const SLOT_DATA_OUT = 3;
/** DATA IN or response under way. */
export const SLOT_RESPONSE = 4;
/** Lost (an injected fault): the device will never answer. */
export const SLOT_LOST = 5;

// What a command is.
export const CMD_READ = 0;
export const CMD_WRITE = 1;
export const CMD_FLUSH = 2;
export const CMD_UNMAP = 3;
/** Commands of the device itself: TEST UNIT READY, START STOP UNIT, REQUEST SENSE. */
export const CMD_OTHER = 4;
export const CMD_NOP = 5;
export const CMD_QUERY = 6;
export const CMD_INVALID = 7;

/** Values of `cci`: data is not encrypted; keys came with the PRDT. */
export const PLAIN = -1;
export const PRDT_KEYS = 256;

// What an injected fault does to a command (column `fault`): nothing, an OCS instead of its own, or one of these.
export const FAULT_NONE = 0;
/** The device loses it. */
export const FAULT_LOST = 0x40;
/** What it reads cannot be read. */
export const FAULT_MEDIUM = 0x41;

const NONE = -1;

/** What accounting needs of the block layer's request table. */
export interface AccountedRequests {
  readonly rows: StageRows;
  /** When the command reached the device. */
  deviceNs: Float64Array;
  /** The I/O of a request, or -1. */
  io: Int32Array;
}

export class CommandSlots {
  readonly count: number;
  readonly state: Uint8Array;
  readonly command: Uint8Array;
  /** Sequence number of the event that moves the command on; others are stale. */
  readonly seq: Float64Array;
  readonly request: Int32Array;
  /** Submission queue, 0 with the single doorbell. */
  readonly queue: Int32Array;
  /** Word indexes of descriptor and command descriptor in host memory. */
  readonly utrd: Int32Array;
  readonly ucd: Int32Array;
  /** Words 6 and 7 of the descriptor (lengths and offsets), for the completion entry. */
  readonly responseWord: Uint32Array;
  readonly prdtWord: Uint32Array;
  /** 1 from fetch until the controller has completed or cleared it. */
  readonly pending: Uint8Array;
  readonly lun: Uint8Array;
  readonly lba: Float64Array;
  readonly blocks: Int32Array;
  readonly bytes: Int32Array;
  readonly fua: Uint8Array;
  readonly ocs: Uint8Array;
  readonly status: Uint8Array;
  readonly sense: Uint8Array;
  readonly asc: Uint8Array;
  /** Aborted by task management; answered to the aborter once the media lets go. */
  readonly aborted: Uint8Array;
  /** Fault hook, set before the doorbell is rung: FAULT_…, or the OCS that the response is to carry. */
  readonly fault: Uint8Array;
  /** When the link was ready for it, when it was fetched, when its command left, arrived, met a firmware core. */
  readonly poweredNs: Float64Array;
  readonly fetchedNs: Float64Array;
  readonly sentNs: Float64Array;
  readonly arrivedNs: Float64Array;
  readonly coreNs: Float64Array;
  /** RTT served, and start of the data or response on the link. */
  readonly grantedNs: Float64Array;
  readonly dataNs: Float64Array;
  /** Keyslot by which the data is encrypted, PLAIN or PRDT_KEYS; its first DUN; and what the engine added to the data phase. */
  readonly cci: Int16Array;
  readonly dunLow: Uint32Array;
  readonly dunHigh: Uint32Array;
  readonly inlineNs: Float64Array;
  private readonly rows: StageRows;
  private readonly requests: AccountedRequests;
  private tagOf = new Int32Array(256).fill(NONE);

  constructor(count: number, requests: AccountedRequests) {
    this.count = count;
    this.requests = requests;
    this.rows = requests.rows;
    this.state = new Uint8Array(count);
    this.command = new Uint8Array(count);
    this.seq = new Float64Array(count).fill(NONE);
    this.request = new Int32Array(count).fill(NONE);
    this.queue = new Int32Array(count);
    this.utrd = new Int32Array(count);
    this.ucd = new Int32Array(count);
    this.responseWord = new Uint32Array(count);
    this.prdtWord = new Uint32Array(count);
    this.pending = new Uint8Array(count);
    this.lun = new Uint8Array(count);
    this.lba = new Float64Array(count);
    this.blocks = new Int32Array(count);
    this.bytes = new Int32Array(count);
    this.fua = new Uint8Array(count);
    this.ocs = new Uint8Array(count);
    this.status = new Uint8Array(count);
    this.sense = new Uint8Array(count);
    this.asc = new Uint8Array(count);
    this.aborted = new Uint8Array(count);
    this.fault = new Uint8Array(count);
    this.poweredNs = new Float64Array(count);
    this.fetchedNs = new Float64Array(count);
    this.sentNs = new Float64Array(count);
    this.arrivedNs = new Float64Array(count);
    this.coreNs = new Float64Array(count);
    this.grantedNs = new Float64Array(count);
    this.dataNs = new Float64Array(count);
    this.cci = new Int16Array(count).fill(PLAIN);
    this.dunLow = new Uint32Array(count);
    this.dunHigh = new Uint32Array(count);
    this.inlineNs = new Float64Array(count);
  }

  /** Says whose stages a tag's command is accounted to (-1: nobody's). */
  bind(tag: number, request: number): void {
    this.request[tag] = request;
    if (request < 0) return;
    if (request >= this.tagOf.length) {
      const wider = new Int32Array(Math.max(this.tagOf.length * 2, request + 1)).fill(NONE);
      wider.set(this.tagOf);
      this.tagOf = wider;
    }
    this.tagOf[request] = tag;
  }

  /** The I/O that a tag works for, or NaN: for spans. */
  ioOf(tag: number): number {
    const request = tag < 0 ? NONE : this.request[tag];
    const io = request < 0 ? NONE : this.requests.io[request];
    return io < 0 ? NaN : io;
  }

  /** The tag that a request's command runs under. */
  tagOfRequest(request: number): number {
    return this.tagOf[request];
  }

  /** Accounts the way of a command from the doorbell to the end of its firmware handling (`untilNs`). */
  markArrival(tag: number, untilNs: number): void {
    const rq = this.request[tag];
    if (rq < 0) return;
    const rows = this.rows;
    this.requests.deviceNs[rq] = this.arrivedNs[tag];
    if (this.poweredNs[tag] > rows.lastNs[rq]) rows.mark(rq, ST_WAIT_POWER, this.poweredNs[tag]);
    rows.mark(rq, ST_HOST_QUEUE, this.fetchedNs[tag]);
    if (this.sentNs[tag] > this.fetchedNs[tag]) rows.mark(rq, ST_WAIT_LINK, this.sentNs[tag]);
    rows.mark(rq, ST_LINK, this.arrivedNs[tag]);
    rows.mark(rq, ST_DEVICE_WAIT, this.coreNs[tag]);
    rows.mark(rq, ST_DEVICE_CPU, untilNs);
  }

  /** Accounts a command that the controller refused after it fetched it. */
  markRefused(tag: number, untilNs: number): void {
    const rq = this.request[tag];
    if (rq < 0) return;
    if (this.poweredNs[tag] > this.rows.lastNs[rq]) this.rows.mark(rq, ST_WAIT_POWER, this.poweredNs[tag]);
    this.rows.mark(rq, ST_HOST_QUEUE, untilNs);
  }

  /** Accounts DATA OUT: ready-to-transfer, waiting for the link, data. */
  markDataOut(tag: number, untilNs: number): void {
    const rq = this.request[tag];
    if (rq < 0) return;
    this.rows.mark(rq, ST_LINK, this.grantedNs[tag]);
    if (this.dataNs[tag] > this.grantedNs[tag]) this.rows.mark(rq, ST_WAIT_LINK, this.dataNs[tag]);
    this.markLink(tag, rq, untilNs);
  }

  /** The link, and the inline engine at the end of it. */
  private markLink(tag: number, rq: number, untilNs: number): void {
    if (this.cci[tag] === PLAIN) {
      this.rows.mark(rq, ST_LINK, untilNs);
      return;
    }
    this.rows.mark(rq, ST_LINK, untilNs - this.inlineNs[tag]);
    this.rows.mark(rq, ST_INLINE, untilNs);
  }

  /** Accounts the last data and the response, write-back included. */
  markResponse(tag: number, untilNs: number): void {
    const rq = this.request[tag];
    if (rq < 0) return;
    if (this.dataNs[tag] > this.rows.lastNs[rq]) this.rows.mark(rq, ST_WAIT_LINK, this.dataNs[tag]);
    this.markLink(tag, rq, untilNs);
  }

  /** The command is over. */
  free(tag: number): void {
    this.state[tag] = SLOT_FREE;
    this.seq[tag] = NONE;
    this.aborted[tag] = 0;
    this.fault[tag] = FAULT_NONE;
  }
}

/**
 * UFS protocol information units: the packets of the UFS transport, and the SCSI command descriptor blocks inside COMMAND UPIUs. All multi-byte fields are
 * big-endian. Encoders write 32-bit words into emulated memory (swapped), so that a unit costs a handful of stores.
 *
 * Modelled: COMMAND, RESPONSE, NOP, QUERY and TASK MANAGEMENT units with the fields the driver and device use; READ(10)/(16), WRITE(10)/(16),
 * SYNCHRONIZE CACHE(10), UNMAP, TEST UNIT READY, REQUEST SENSE, START STOP UNIT. Not modelled: extra header segments, RPMB.
 *
 * @source UFS 3.1/4.0 chapter 10, facts through inline-crypto.md 3.8; SBC-4 for the CDBs
 */
import { swap32 } from '../memory.ts';

export const UPIU_NOP_OUT = 0x00;
export const UPIU_COMMAND = 0x01;
export const UPIU_TASK_REQ = 0x04;
export const UPIU_QUERY_REQ = 0x16;
export const UPIU_NOP_IN = 0x20;
export const UPIU_RESPONSE = 0x21;
export const UPIU_TASK_RSP = 0x24;
export const UPIU_QUERY_RSP = 0x36;
export const UPIU_REJECT = 0x3f;
const UPIU_NAMES: Readonly<Record<number, string>> = {
  [UPIU_NOP_OUT]: 'NOP OUT',
  [UPIU_COMMAND]: 'COMMAND',
  [UPIU_TASK_REQ]: 'TASK REQ',
  [UPIU_QUERY_REQ]: 'QUERY REQ',
  [UPIU_NOP_IN]: 'NOP IN',
  [UPIU_RESPONSE]: 'RESPONSE',
  [UPIU_TASK_RSP]: 'TASK RSP',
  [UPIU_QUERY_RSP]: 'QUERY RSP',
  [UPIU_REJECT]: 'REJECT',
};

/** Bytes of a UPIU without data segment: 12 of header, 20 of transaction specific fields. */
export const UPIU_BYTES = 32;
export const UPIU_WORDS = 8;
/** Sense data in a RESPONSE: length field and 18 bytes, padded to words. */
export const SENSE_SEGMENT_BYTES = 20;

export const FLAG_READ = 0x40;
export const FLAG_WRITE = 0x20;
export const FLAG_NONE = 0x00;

// SCSI operation codes.
export const SCSI_TEST_UNIT_READY = 0x00;
export const SCSI_REQUEST_SENSE = 0x03;
export const SCSI_START_STOP = 0x1b;
export const SCSI_READ_10 = 0x28;
export const SCSI_WRITE_10 = 0x2a;
export const SCSI_SYNC_10 = 0x35;
export const SCSI_UNMAP = 0x42;
export const SCSI_READ_16 = 0x88;
export const SCSI_WRITE_16 = 0x8a;

// SCSI status bytes.
export const SCSI_GOOD = 0x00;
export const SCSI_CHECK_CONDITION = 0x02;
export const SCSI_BUSY = 0x08;
export const SCSI_TASK_SET_FULL = 0x28;

// Sense keys.
export const SENSE_NOT_READY = 0x2;
export const SENSE_MEDIUM_ERROR = 0x3;
export const SENSE_HARDWARE_ERROR = 0x4;
export const SENSE_ILLEGAL_REQUEST = 0x5;
export const SENSE_UNIT_ATTENTION = 0x6;
export const SENSE_DATA_PROTECT = 0x7;

// Query functions and opcodes.
export const QUERY_STANDARD_READ = 0x01;
export const QUERY_STANDARD_WRITE = 0x81;
export const QUERY_READ_DESCRIPTOR = 0x1;
export const QUERY_READ_ATTRIBUTE = 0x3;
export const QUERY_WRITE_ATTRIBUTE = 0x4;
export const QUERY_READ_FLAG = 0x5;
export const QUERY_SET_FLAG = 0x6;
export const QUERY_CLEAR_FLAG = 0x7;
export const QUERY_OK = 0x00;
export const QUERY_INVALID_IDN = 0xf9;
export const QUERY_INVALID_OPCODE = 0xfe;

// Task management functions and service responses.
export const TM_ABORT_TASK = 0x01;
export const TM_ABORT_TASK_SET = 0x02;
export const TM_CLEAR_TASK_SET = 0x04;
export const TM_LOGICAL_UNIT_RESET = 0x08;
export const TM_QUERY_TASK = 0x80;
export const TM_QUERY_TASK_SET = 0x81;
export const TM_COMPLETE = 0x00;
export const TM_NOT_SUPPORTED = 0x04;
export const TM_FAILED = 0x05;
/** Function succeeded: for QUERY TASK, the task is in the device. */
export const TM_SUCCEEDED = 0x08;
export const TM_INCORRECT_LUN = 0x09;

/** Writes the 12-byte header of a unit. `byte6`/`byte7` are response and status, `function` the query or task management function. */
export function encodeHeader(
  words: Uint32Array,
  at: number,
  code: number,
  flags: number,
  lun: number,
  tag: number,
  fn: number,
  response: number,
  status: number,
  dataBytes: number,
): void {
  words[at] = code | (flags << 8) | (lun << 16) | (tag << 24);
  words[at + 1] = (fn << 8) | (response << 16) | (status << 24);
  words[at + 2] = swap32(dataBytes & 0xffff);
}

/** Transaction code of the unit at word `at`. */
export function upiuCode(words: Uint32Array, at: number): number {
  return words[at] & 0xff;
}

/** Writes a COMMAND UPIU without its CDB. */
export function encodeCommand(
  words: Uint32Array,
  at: number,
  flags: number,
  lun: number,
  tag: number,
  bytes: number,
): void {
  encodeHeader(words, at, UPIU_COMMAND, flags, lun, tag, 0, 0, 0, 0);
  words[at + 3] = swap32(bytes);
}

/** READ or WRITE of `blocks` at `lba`: the 10-byte form where it suffices, else the 16-byte form. `fua` sets byte 1 bit 3. */
export function encodeReadWrite(
  words: Uint32Array,
  at: number,
  write: boolean,
  lba: number,
  blocks: number,
  fua: boolean,
): void {
  const control = fua ? 0x08 << 8 : 0;
  if (lba <= 0xffffffff && blocks <= 0xffff) {
    words[at + 4] =
      (write ? SCSI_WRITE_10 : SCSI_READ_10) | control | ((lba >>> 24) << 16) | (((lba >>> 16) & 0xff) << 24);
    words[at + 5] = ((lba >>> 8) & 0xff) | ((lba & 0xff) << 8) | (((blocks >>> 8) & 0xff) << 24);
    words[at + 6] = blocks & 0xff;
    words[at + 7] = 0;
    return;
  }
  const high = Math.floor(lba / 0x1_0000_0000);
  words[at + 4] =
    (write ? SCSI_WRITE_16 : SCSI_READ_16) | control | ((high >>> 24) << 16) | (((high >>> 16) & 0xff) << 24);
  words[at + 5] =
    ((high >>> 8) & 0xff) | ((high & 0xff) << 8) | (((lba >>> 24) & 0xff) << 16) | (((lba >>> 16) & 0xff) << 24);
  words[at + 6] =
    ((lba >>> 8) & 0xff) | ((lba & 0xff) << 8) | (((blocks >>> 24) & 0xff) << 16) | (((blocks >>> 16) & 0xff) << 24);
  words[at + 7] = ((blocks >>> 8) & 0xff) | ((blocks & 0xff) << 8);
}

/** A CDB whose only parameter is one byte at index 4 or none: TEST UNIT READY, SYNCHRONIZE CACHE (everything), START STOP UNIT, UNMAP's header. */
export function encodeSimpleCdb(words: Uint32Array, at: number, opcode: number, byte4: number, byte8: number): void {
  words[at + 4] = opcode;
  words[at + 5] = byte4;
  words[at + 6] = byte8;
  words[at + 7] = 0;
}

/** Operation code of the CDB of a COMMAND UPIU. */
export function cdbOpcode(words: Uint32Array, at: number): number {
  return words[at + 4] & 0xff;
}

export function cdbFua(words: Uint32Array, at: number): boolean {
  return (words[at + 4] & 0x0800) !== 0;
}

/** Logical block address of a READ or WRITE. */
export function cdbLba(words: Uint32Array, at: number): number {
  const w1 = swap32(words[at + 4]) & 0xffff;
  const w2 = swap32(words[at + 5]);
  if (cdbOpcode(words, at) < SCSI_READ_16) return w1 * 0x1_0000 + (w2 >>> 16);
  return (w1 * 0x1_0000 + (w2 >>> 16)) * 0x1_0000_0000 + (w2 & 0xffff) * 0x1_0000 + (swap32(words[at + 6]) >>> 16);
}

/** Number of blocks of a READ or WRITE. */
export function cdbBlocks(words: Uint32Array, at: number): number {
  if (cdbOpcode(words, at) < SCSI_READ_16) return ((words[at + 5] >>> 24) << 8) | (words[at + 6] & 0xff);
  return (swap32(words[at + 6]) & 0xffff) * 0x1_0000 + (swap32(words[at + 7]) >>> 16);
}

/** UNMAP parameter list with one descriptor, at byte index `at`: 24 bytes. @source SBC-4 UNMAP */
export const UNMAP_LIST_BYTES = 24;
export function encodeUnmapList(view: DataView, at: number, lba: number, blocks: number): void {
  view.setUint16(at, UNMAP_LIST_BYTES - 2);
  view.setUint16(at + 2, UNMAP_LIST_BYTES - 8);
  view.setUint32(at + 4, 0);
  view.setUint32(at + 8, Math.floor(lba / 0x1_0000_0000));
  view.setUint32(at + 12, lba % 0x1_0000_0000);
  view.setUint32(at + 16, blocks);
  view.setUint32(at + 20, 0);
}

/** Writes a RESPONSE UPIU; with sense data when `senseKey` is not 0. */
export function encodeResponse(
  words: Uint32Array,
  at: number,
  lun: number,
  tag: number,
  status: number,
  senseKey: number,
  asc: number,
): void {
  encodeHeader(words, at, UPIU_RESPONSE, 0, lun, tag, 0, 0, status, senseKey === 0 ? 0 : SENSE_SEGMENT_BYTES);
  words[at + 3] = 0;
  if (senseKey === 0) return;
  for (let i = 4; i < 13; i++) words[at + i] = 0;
  // Bytes 32-33: sense length; then fixed format sense: 0x70, 0, key, information (4), additional length 10, …, ASC at byte 12.
  words[at + 8] = (18 << 8) | (0x70 << 16);
  words[at + 9] = senseKey;
  words[at + 10] = 10 << 8;
  words[at + 11] = asc << 16;
}

export function responseStatus(words: Uint32Array, at: number): number {
  return words[at + 1] >>> 24;
}

/** Response code of a header: target success or failure, query response, task management service is elsewhere. */
export function responseCode(words: Uint32Array, at: number): number {
  return (words[at + 1] >>> 16) & 0xff;
}

export function senseKey(words: Uint32Array, at: number): number {
  return words[at + 9] & 0x0f;
}

/** A decoded unit, for dumps and tests. */
export interface DecodedUpiu {
  readonly transaction: string;
  readonly flags: number;
  readonly lun: number;
  readonly tag: number;
  readonly fn: number;
  readonly response: number;
  readonly status: number;
  readonly dataBytes: number;
  /** Bytes 12..31: transaction specific fields. */
  readonly body: readonly number[];
  /** The CDB of a COMMAND in words. */
  readonly command?: {
    readonly opcode: number;
    readonly lba: number;
    readonly blocks: number;
    readonly fua: boolean;
    readonly expectedBytes: number;
  };
}

/** Decodes the unit in these bytes (at least 32). */
export function decodeUpiu(bytes: Uint8Array): DecodedUpiu {
  const words = new Uint32Array(UPIU_WORDS);
  new Uint8Array(words.buffer).set(bytes.subarray(0, UPIU_BYTES));
  const unit = {
    transaction: UPIU_NAMES[bytes[0] & 0x3f] ?? `0x${bytes[0].toString(16)}`,
    flags: bytes[1],
    lun: bytes[2],
    tag: bytes[3],
    fn: bytes[5],
    response: bytes[6],
    status: bytes[7],
    dataBytes: (bytes[10] << 8) | bytes[11],
    body: Array.from(bytes.subarray(12, UPIU_BYTES)),
  };
  if (bytes[0] !== UPIU_COMMAND) return unit;
  const opcode = cdbOpcode(words, 0);
  const moves =
    opcode === SCSI_READ_10 || opcode === SCSI_WRITE_10 || opcode === SCSI_READ_16 || opcode === SCSI_WRITE_16;
  const command = {
    opcode,
    lba: moves ? cdbLba(words, 0) : 0,
    blocks: moves ? cdbBlocks(words, 0) : 0,
    fua: moves && cdbFua(words, 0),
    expectedBytes: swap32(words[3]),
  };
  return { ...unit, command };
}

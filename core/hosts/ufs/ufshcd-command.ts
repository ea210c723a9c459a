/**
 * Command set-up of the UFS driver: from a block request, or a device management need, to UTRD, UPIU and PRDT in memory; and from OCS and response back to a block status.
 *
 * @kernel v6.12 drivers/ufs/core/ufshcd.c ufshcd_compose_devman_upiu, ufshcd_transfer_rsp_status; sd.c for the CDBs
 */
import {
  OP_DISCARD,
  OP_FLUSH,
  OP_READ,
  OP_WRITE,
  REQ_FUA,
  SECTOR_BYTES,
  STS_IOERR,
  STS_MEDIUM,
  STS_OK,
  STS_PROTECTION,
  STS_TARGET,
} from '../../block/types.ts';
import { swap32 } from '../memory.ts';
import type { UfsRequests } from './block-port.ts';
import * as d from './descriptors.ts';
import { BLOCK_BYTES } from './device.ts';
import type { UfshcdMemory } from './ufshcd-memory.ts';
import * as u from './upiu.ts';

const SECTORS_PER_BLOCK = BLOCK_BYTES / SECTOR_BYTES;

/** Writes the UPIU and PRDT of a request into its slot, and the UTRD at word `utrd`. `interrupt` sets the I bit. Context: the issuer's, atomic. */
export function composeRequest(
  m: UfshcdMemory,
  requests: UfsRequests,
  rq: number,
  slot: number,
  utrd: number,
  interrupt: boolean,
): void {
  const words = m.memory.words;
  const at = m.ucdWord(slot);
  const op = requests.op[rq];
  const lba = requests.sector[rq] / SECTORS_PER_BLOCK;
  const bytes = requests.bytes[rq];
  const blocks = bytes / BLOCK_BYTES;
  let direction = d.DD_NONE;
  let entries = 0;
  if (op === OP_READ || op === OP_WRITE) {
    const write = op === OP_WRITE;
    direction = write ? d.DD_WRITE : d.DD_READ;
    u.encodeCommand(words, at, write ? u.FLAG_WRITE : u.FLAG_READ, 0, slot, bytes);
    u.encodeReadWrite(words, at, write, lba, blocks, write && (requests.flags[rq] & REQ_FUA) !== 0);
    entries = m.writePrdt(slot, bytes, requests.segments[rq]);
  } else if (op === OP_FLUSH) {
    u.encodeCommand(words, at, u.FLAG_NONE, 0, slot, 0);
    u.encodeSimpleCdb(words, at, u.SCSI_SYNC_10, 0, 0);
  } else {
    direction = d.DD_WRITE;
    u.encodeCommand(words, at, u.FLAG_WRITE, 0, slot, u.UNMAP_LIST_BYTES);
    u.encodeSimpleCdb(words, at, u.SCSI_UNMAP, 0, u.UNMAP_LIST_BYTES);
    entries = m.writeUnmap(slot, lba, blocks);
  }
  d.encodeUtrd(words, utrd, m.ucdOf(slot), direction, interrupt, entries);
}

/** True for operations that a UFS device has a command for. */
export function isSupported(op: number): boolean {
  return op === OP_READ || op === OP_WRITE || op === OP_FLUSH || op === OP_DISCARD;
}

/** Device management commands of the driver. */
export interface DevCommand {
  readonly kind: 'nop' | 'query' | 'scsi';
  /** Query opcode or SCSI operation code. */
  readonly opcode: number;
  /** Query identifier, or byte 4 of the CDB. */
  readonly idn: number;
  readonly value: number;
}

/** Writes a device management command into the reserved slot. */
export function composeDevCommand(m: UfshcdMemory, command: DevCommand, slot: number, utrd: number): void {
  const words = m.memory.words;
  const at = m.ucdWord(slot);
  if (command.kind === 'nop') u.encodeHeader(words, at, u.UPIU_NOP_OUT, 0, 0, slot, 0, 0, 0, 0);
  else if (command.kind === 'query') {
    const write = command.opcode === u.QUERY_WRITE_ATTRIBUTE || command.opcode === u.QUERY_SET_FLAG;
    const fn = write ? u.QUERY_STANDARD_WRITE : u.QUERY_STANDARD_READ;
    u.encodeHeader(words, at, u.UPIU_QUERY_REQ, 0, 0, slot, fn, 0, 0, 0);
    words[at + 3] = swap32(((command.opcode << 24) | (command.idn << 16)) >>> 0);
    words[at + 4] = 0;
    words[at + 5] = swap32(command.value);
  } else {
    u.encodeCommand(words, at, u.FLAG_NONE, 0, slot, 0);
    u.encodeSimpleCdb(words, at, command.opcode, command.idn, 0);
  }
  d.encodeUtrd(words, utrd, m.ucdOf(slot), d.DD_NONE, true, 0);
}

/** What becomes of a command. */
export const FATE_DONE = 0;
/** Back to the queue, as often as it takes (DID_REQUEUE). */
export const FATE_REQUEUE = 1;
/** Back to the queue while retries last (DID_ERROR, UNIT ATTENTION). */
export const FATE_RETRY = 2;

/** The fate of a command, and (in `statusOf`) the block status it ends with when it is not tried again. */
export function fateOf(ocs: number, words: Uint32Array, response: number): number {
  if (ocs === d.OCS_ABORTED || ocs === d.OCS_PRESET) return FATE_REQUEUE;
  if (ocs !== d.OCS_SUCCESS) return FATE_RETRY;
  const status = u.responseStatus(words, response);
  if (status === u.SCSI_GOOD) return FATE_DONE;
  if (status === u.SCSI_BUSY || status === u.SCSI_TASK_SET_FULL) return FATE_REQUEUE;
  const key = u.senseKey(words, response);
  return key === u.SENSE_UNIT_ATTENTION || key === u.SENSE_NOT_READY ? FATE_RETRY : FATE_DONE;
}

/** BLK_STS_* of a command that is over. */
export function statusOf(ocs: number, words: Uint32Array, response: number): number {
  if (ocs !== d.OCS_SUCCESS) return STS_IOERR;
  if (u.responseStatus(words, response) === u.SCSI_GOOD) return STS_OK;
  const key = u.senseKey(words, response);
  if (key === u.SENSE_MEDIUM_ERROR) return STS_MEDIUM;
  if (key === u.SENSE_ILLEGAL_REQUEST) return STS_TARGET;
  return key === u.SENSE_DATA_PROTECT ? STS_PROTECTION : STS_IOERR;
}

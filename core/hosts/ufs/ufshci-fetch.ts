/**
 * What a UFS host controller checks in a transfer request descriptor it has fetched, and how it reads the command in it into the slot's columns.
 *
 * Modelled: descriptor attributes, alignment, response room, PRDT rules, the SCSI commands of a disk; crypto fields are the crypto unit's to judge (ufshci-crypto.ts).
 * Not modelled: extra header segments.
 *
 * @source inline-crypto.md 3.7–3.10 (which OCS stands for what: 3.9)
 */
import { swap32 } from '../memory.ts';
import * as d from './descriptors.ts';
import * as prdt from './prdt-keys.ts';
import * as s from './slots.ts';
import type { Ufshci } from './ufshci.ts';
import { LINK_ACTIVE } from './ufshci-uic.ts';
import * as u from './upiu.ts';

/** Checks a descriptor and decodes the command into the slot's columns. Returns an OCS. */
export function checkDescriptor(hci: Ufshci, tag: number, utrd: number, ucd: number): number {
  const words = hci.memory.words;
  const slots = hci.slots;
  const head = words[utrd];
  if (head >>> d.UTRD_CT_SHIFT !== d.CT_UFS_STORAGE || (words[utrd + 4] & 0x7f) !== 0) return d.OCS_INVALID_ATTRIBUTE;
  if (!hci.memory.contains(words[utrd + 4], d.UCD_PRDT)) return d.OCS_INVALID_ATTRIBUTE;
  if (hci.uic.linkState !== LINK_ACTIVE) return d.OCS_PEER_FAILURE;
  if ((words[utrd + 6] & 0xffff) * 4 < u.UPIU_BYTES) return d.OCS_RESPONSE_SIZE;
  slots.lun[tag] = (words[ucd] >>> 16) & 0xff;
  const code = u.upiuCode(words, ucd);
  if (code === u.UPIU_NOP_OUT || code === u.UPIU_QUERY_REQ) {
    slots.command[tag] = code === u.UPIU_NOP_OUT ? s.CMD_NOP : s.CMD_QUERY;
    return d.OCS_SUCCESS;
  }
  if (code !== u.UPIU_COMMAND) return d.OCS_INVALID_ATTRIBUTE;
  decodeCommand(hci, tag, ucd);
  const bytes = swap32(words[ucd + 3]);
  slots.bytes[tag] = bytes;
  if (hci.crypto.settings.engine === 'prdt') return checkPrdtWithKeys(hci, tag, ucd, words[utrd + 7] & 0xffff);
  const described = d.prdtBytes(words, ucd + d.UCD_PRDT / 4, words[utrd + 7] & 0xffff);
  if (described < 0) return d.OCS_INVALID_PRDT;
  if (described !== bytes) return d.OCS_SIZE_MISMATCH;
  return (head & d.UTRD_CE) === 0 ? d.OCS_SUCCESS : hci.crypto.admit(tag, utrd);
}

/** The same for a controller whose PRDT entries have room for keys. */
function checkPrdtWithKeys(hci: Ufshci, tag: number, ucd: number, entries: number): number {
  const at = ucd + d.UCD_PRDT / 4;
  const described = prdt.prdtBytes(hci.memory.words, at, entries);
  if (described < 0) return d.OCS_INVALID_PRDT;
  return described !== hci.slots.bytes[tag] ? d.OCS_SIZE_MISMATCH : hci.crypto.admitPrdt(tag, at, entries);
}

function decodeCommand(hci: Ufshci, tag: number, ucd: number): void {
  const words = hci.memory.words;
  const slots = hci.slots;
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
    readUnmapList(hci, tag, ucd);
  } else if (opcode === u.SCSI_TEST_UNIT_READY || opcode === u.SCSI_START_STOP || opcode === u.SCSI_REQUEST_SENSE) {
    command = s.CMD_OTHER;
    slots.fua[tag] = opcode;
    slots.lba[tag] = (words[ucd + 5] & 0xff) >>> 4;
  }
  slots.command[tag] = command;
}

/** The parameter list is data of the host: it lies in memory where the first PRDT entry points. */
function readUnmapList(hci: Ufshci, tag: number, ucd: number): void {
  const { memory, slots } = hci;
  const address = memory.words[ucd + d.UCD_PRDT / 4];
  if (!memory.contains(address, u.UNMAP_LIST_BYTES)) return;
  const at = memory.byte(address);
  slots.lba[tag] = memory.view.getUint32(at + 8) * 0x1_0000_0000 + memory.view.getUint32(at + 12);
  slots.blocks[tag] = memory.view.getUint32(at + 16);
}

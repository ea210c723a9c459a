/**
 * The structures that a UFS host driver and controller exchange in memory: transfer request descriptor (UTRD), physical region table (PRDT), task management
 * request descriptor (UTMRD), MCQ completion entry. Little-endian 32-bit words; the UPIUs inside them are big-endian (upiu.ts).
 *
 * @source UFSHCI 4.0 chapter 6, facts through inline-crypto.md 3.7, 3.9 and 3.11
 */
import type { HostMemory } from '../memory.ts';
import { decodeFields, field as f, type DecodedField, type RegisterField } from '../registers.ts';

export const UTRD_BYTES = 32;
export const UTRD_WORDS = 8;
export const PRDT_ENTRY_WORDS = 4;
/** Most bytes one PRDT entry can describe. @source inline-crypto.md 3.7 */
export const PRDT_MAX_BYTES = 256 * 1024;
export const PRDT_ENTRIES = 128;
/** Layout of a command descriptor as Linux lays it out: command UPIU, response UPIU, PRDT. @source inline-crypto.md 3.7 */
export const UCD_RESPONSE = 512;
export const UCD_PRDT = 1024;
export const UCD_BYTES = UCD_PRDT + PRDT_ENTRIES * 16;
/** Size of a UTMRD: 4 header words, request UPIU, response UPIU. */
export const UTMRD_BYTES = 80;
export const UTMRD_REQUEST_WORD = 4;
export const UTMRD_RESPONSE_WORD = 12;
export const CQE_BYTES = 32;
export const CQE_WORDS = 8;

// OCS codes.
export const OCS_SUCCESS = 0x0;
export const OCS_INVALID_ATTRIBUTE = 0x1;
export const OCS_INVALID_PRDT = 0x2;
export const OCS_SIZE_MISMATCH = 0x3;
export const OCS_RESPONSE_SIZE = 0x4;
export const OCS_PEER_FAILURE = 0x5;
export const OCS_ABORTED = 0x6;
export const OCS_FATAL = 0x7;
export const OCS_DEVICE_FATAL = 0x8;
export const OCS_INVALID_CRYPTO = 0x9;
export const OCS_CRYPTO_ERROR = 0xa;
/** Preset by software: the controller has not written the code yet. */
export const OCS_PRESET = 0xf;
export const OCS_WORDS: Readonly<Record<number, string>> = {
  [OCS_SUCCESS]: 'success',
  [OCS_INVALID_ATTRIBUTE]: 'invalid command table attribute',
  [OCS_INVALID_PRDT]: 'invalid PRDT attribute',
  [OCS_SIZE_MISMATCH]: 'data buffer size mismatch',
  [OCS_RESPONSE_SIZE]: 'response UPIU size mismatch',
  [OCS_PEER_FAILURE]: 'peer communication failure',
  [OCS_ABORTED]: 'aborted',
  [OCS_FATAL]: 'fatal error',
  [OCS_DEVICE_FATAL]: 'device fatal error',
  [OCS_INVALID_CRYPTO]: 'invalid crypto configuration',
  [OCS_CRYPTO_ERROR]: 'general crypto error',
  [OCS_PRESET]: 'not yet written',
};

// Word 0 of a UTRD.
export const UTRD_CE = 1 << 23;
export const UTRD_I = 1 << 24;
export const DD_NONE = 0;
export const DD_WRITE = 1;
export const DD_READ = 2;
export const UTRD_DD_SHIFT = 25;
export const CT_UFS_STORAGE = 1;
/** A submission queue entry that must not be fetched (MCQ cleanup). */
export const CT_NULLIFIED = 0xf;
export const UTRD_CT_SHIFT = 28;

const UTRD_FIELDS: readonly (readonly RegisterField[])[] = [
  [
    f('CT', 31, 28, { 1: 'UFS storage', 15: 'nullified' }),
    f('DD', 26, 25, { 0: 'none', 1: 'host to device', 2: 'device to host' }),
    f('I', 24),
    f('CE', 23),
    f('EHSL', 15, 8),
    f('CCI', 7, 0),
  ],
  [f('DUNL', 31, 0)],
  [f('LDBC', 31, 16), f('CDS', 15, 8), f('OCS', 7, 0, OCS_WORDS)],
  [f('DUNU', 31, 0)],
  [f('UCDBA', 31, 7)],
  [f('UCDBAU', 31, 0)],
  [f('RUO', 31, 16), f('RUL', 15, 0)],
  [f('PRDTO', 31, 16), f('PRDTL', 15, 0)],
];

/** A decoded word of a descriptor. */
export interface DecodedWord {
  readonly word: number;
  readonly value: number;
  readonly fields: readonly DecodedField[];
}

/** Every field of a UTRD (32 bytes), word by word. */
export function decodeUtrd(bytes: Uint8Array): readonly DecodedWord[] {
  return decodeWords(bytes, UTRD_FIELDS);
}

const CQE_FIELDS: readonly (readonly RegisterField[])[] = [
  [f('UCDBA', 31, 7), f('SQID', 4, 0)],
  [f('UCDBAU', 31, 0)],
  [f('RUO', 31, 16), f('RUL', 15, 0)],
  [f('PRDTO', 31, 16), f('PRDTL', 15, 0)],
  [f('EEC', 15, 8), f('OCS', 7, 0, OCS_WORDS)],
  [f('EXT_IID', 23, 20), f('IID', 19, 16), f('LUN', 15, 8), f('TAG', 7, 0)],
];

/** Every field of a completion queue entry (32 bytes). */
export function decodeCqe(bytes: Uint8Array): readonly DecodedWord[] {
  return decodeWords(bytes, CQE_FIELDS);
}

const UTMRD_FIELDS: readonly (readonly RegisterField[])[] = [[f('I', 24)], [], [f('OCS', 7, 0, OCS_WORDS)], []];

/** The header of a task management request descriptor; the UPIUs in it are decoded by `decodeUpiu`. */
export function decodeUtmrd(bytes: Uint8Array): readonly DecodedWord[] {
  return decodeWords(bytes, UTMRD_FIELDS);
}

function decodeWords(bytes: Uint8Array, table: readonly (readonly RegisterField[])[]): readonly DecodedWord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return table.map((fields, word) => {
    const value = view.getUint32(word * 4, true);
    return { word, value, fields: decodeFields(fields, value) };
  });
}

/**
 * Writes a UTRD at word index `at`. `ucd` is the address of the command descriptor; OCS is preset. Crypto fields are 0: inline encryption is off.
 * Context: any; free of allocation.
 */
export function encodeUtrd(
  words: Uint32Array,
  at: number,
  ucd: number,
  dataDirection: number,
  interrupt: boolean,
  prdtEntries: number,
): void {
  words[at] = (CT_UFS_STORAGE << UTRD_CT_SHIFT) | (dataDirection << UTRD_DD_SHIFT) | (interrupt ? UTRD_I : 0);
  words[at + 1] = 0;
  words[at + 2] = OCS_PRESET;
  words[at + 3] = 0;
  words[at + 4] = ucd;
  words[at + 5] = ucd / 0x1_0000_0000;
  words[at + 6] = ((UCD_RESPONSE / 4) << 16) | ((UCD_PRDT - UCD_RESPONSE) / 4);
  words[at + 7] = ((UCD_PRDT / 4) << 16) | prdtEntries;
}

/** Writes PRDT entry `i` of the table at word index `at`: `bytes` (a multiple of 4, at most 256 KiB) at `address`. */
export function encodePrdtEntry(words: Uint32Array, at: number, i: number, address: number, bytes: number): void {
  const w = at + i * PRDT_ENTRY_WORDS;
  words[w] = address;
  words[w + 1] = address / 0x1_0000_0000;
  words[w + 2] = 0;
  words[w + 3] = bytes - 1;
}

/** Bytes that a PRDT describes, or -1 when an entry breaks a rule (count not a multiple of 4, reserved bits set). */
export function prdtBytes(words: Uint32Array, at: number, entries: number): number {
  let sum = 0;
  for (let w = at + 3, end = at + entries * PRDT_ENTRY_WORDS; w < end; w += PRDT_ENTRY_WORDS) {
    const count = words[w];
    if ((count & 3) !== 3 || count >= PRDT_MAX_BYTES) return -1;
    sum += count + 1;
  }
  return sum;
}

/**
 * Writes a completion queue entry at word index `at`. `ucd` is the address of the command descriptor, `responseWord` and `prdtWord` are words 6 and 7 of the
 * submission entry.
 */
export function encodeCqe(
  words: Uint32Array,
  at: number,
  ucd: number,
  sqId: number,
  responseWord: number,
  prdtWord: number,
  ocs: number,
  tag: number,
  lun: number,
): void {
  words[at] = ucd | sqId;
  words[at + 1] = ucd / 0x1_0000_0000;
  words[at + 2] = responseWord;
  words[at + 3] = prdtWord;
  words[at + 4] = ocs;
  words[at + 5] = tag | (lun << 8);
  words[at + 6] = 0;
  words[at + 7] = 0;
}

/** A copy of `bytes` bytes of memory at an address: for dumps. */
export function dump(memory: HostMemory, address: number, bytes: number): Uint8Array {
  const at = memory.byte(address);
  return memory.bytes.slice(at, at + bytes);
}

/**
 * The driver's structures in memory: transfer request list, command descriptors, task list, MCQ rings; and how a command is written into them.
 *
 * `@assume` the data of a command is a window of symbolic addresses of its own (data pages carry no bytes here), in as many PRDT entries as the request has segments,
 * each a multiple of 4 KiB except the last. @source layout: inline-crypto.md 3.7
 */
import { DATA_WINDOW, HostMemory } from '../memory.ts';
import type { UfsConfig } from './config.ts';
import * as d from './descriptors.ts';
import { PRDT_DATA_UNIT, ENTRY_WORDS } from './prdt-keys.ts';
import { encodeUnmapList, UNMAP_LIST_BYTES } from './upiu.ts';

const LIST_ALIGN = 1024;
const UCD_ALIGN = 128;
const PAGE = 4096;
const TASK_SLOTS = 8;
/** Symbolic data addresses per slot: more than a request can carry. */
const DATA_STRIDE = 64 * 1024 * 1024;

export class UfshcdMemory {
  readonly memory: HostMemory;
  readonly utrl: number;
  readonly utmrl: number;
  readonly ucd: number;
  /** UNMAP parameter lists, one per slot. */
  private readonly lists: number;
  /** Submission and completion rings by queue (MCQ). */
  readonly sq: number[] = [];
  readonly cq: number[] = [];
  /** Entries per ring: one more than a queue can have in flight. */
  readonly ringEntries: number;
  readonly slots: number;
  /** Words of a PRDT entry: more than usual where entries carry keys. */
  private readonly entryWords: number;
  private readonly ucdBytes: number;

  constructor(config: UfsConfig) {
    const mcq = config.mcqQueues;
    this.entryWords = config.crypto.engine === 'prdt' ? ENTRY_WORDS : d.PRDT_ENTRY_WORDS;
    this.ucdBytes = d.UCD_PRDT + d.PRDT_ENTRIES * this.entryWords * 4;
    this.slots = mcq > 0 ? config.mcqDepth + 1 : config.nutrs;
    this.ringEntries = config.mcqDepth + 2; // the depth, the reserved command, and one that stays empty
    const rings = mcq * this.ringEntries * (d.UTRD_BYTES + d.CQE_BYTES);
    this.memory = new HostMemory(
      this.slots * (d.UTRD_BYTES + this.ucdBytes + UNMAP_LIST_BYTES + 8) + rings + (2 * mcq + 4) * LIST_ALIGN,
    );
    this.utrl = this.memory.allocate(this.slots * d.UTRD_BYTES, LIST_ALIGN);
    this.utmrl = this.memory.allocate(TASK_SLOTS * d.UTMRD_BYTES, LIST_ALIGN);
    this.ucd = this.memory.allocate(this.slots * this.ucdBytes, UCD_ALIGN);
    this.lists = this.memory.allocate(this.slots * (UNMAP_LIST_BYTES + 8), 8);
    for (let q = 0; q < mcq; q++) {
      this.sq.push(this.memory.allocate(this.ringEntries * d.UTRD_BYTES, LIST_ALIGN));
      this.cq.push(this.memory.allocate(this.ringEntries * d.CQE_BYTES, LIST_ALIGN));
    }
  }

  /** Address of a slot's command descriptor. */
  ucdOf(slot: number): number {
    return this.ucd + slot * this.ucdBytes;
  }

  /** Slot of the command descriptor at an address. */
  slotOf(ucd: number): number {
    return (ucd - this.ucd) / this.ucdBytes;
  }

  /** Word index of a slot's command descriptor; the response UPIU and PRDT follow at fixed distances. */
  ucdWord(slot: number): number {
    return this.memory.word(this.ucdOf(slot));
  }

  responseWord(slot: number): number {
    return this.ucdWord(slot) + d.UCD_RESPONSE / 4;
  }

  /** Word index of a slot's PRDT. */
  prdtWord(slot: number): number {
    return this.ucdWord(slot) + d.UCD_PRDT / 4;
  }

  /** PRDT entries that so many bytes in so many segments take. */
  entriesOf(bytes: number, segments: number): number {
    return this.entryWords === ENTRY_WORDS ? Math.ceil(bytes / PRDT_DATA_UNIT) : prdtEntries(bytes, segments);
  }

  /** Writes the PRDT of `bytes` in at least `segments` entries. Returns the number of entries. */
  writePrdt(slot: number, bytes: number, segments: number): number {
    const words = this.memory.words;
    const at = this.ucdWord(slot) + d.UCD_PRDT / 4;
    const address = DATA_WINDOW + slot * DATA_STRIDE;
    const entries = this.entriesOf(bytes, segments);
    if (entries === 1) {
      d.encodePrdtEntry(words, at, 0, address, bytes);
      return 1;
    }
    const each = Math.ceil(bytes / entries / PAGE) * PAGE;
    let done = 0;
    let i = 0;
    for (; done < bytes; i++) {
      const now = Math.min(each, bytes - done);
      d.encodePrdtEntry(words, at + i * this.entryWords, 0, address + done, now);
      done += now;
    }
    return i;
  }

  /** Writes an UNMAP parameter list and the PRDT entry that points at it. */
  writeUnmap(slot: number, lba: number, blocks: number): number {
    const address = this.lists + slot * (UNMAP_LIST_BYTES + 8);
    encodeUnmapList(this.memory.view, this.memory.byte(address), lba, blocks);
    d.encodePrdtEntry(this.memory.words, this.ucdWord(slot) + d.UCD_PRDT / 4, 0, address, UNMAP_LIST_BYTES);
    return 1;
  }
}

/** PRDT entries that so many bytes in so many segments take, before rounding to pages. */
export function prdtEntries(bytes: number, segments: number): number {
  const least = Math.ceil(bytes / d.PRDT_MAX_BYTES);
  return segments > least ? segments : least;
}

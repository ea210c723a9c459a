/**
 * Which contents a read may see: the history of every block, as far as a read under way can still look back.
 *
 * A write or trim takes effect at an unknown instant between its submission and its completion, each block by itself. A read may therefore see write W of a block if and only if
 * W was submitted before the read completed, and no other write W' was both submitted at or after the completion of W and completed at or before the submission of the
 * read (then W had been overwritten for certain before the read began). What was there before the first write counts as a write that was complete at the start. A write that
 * failed may have taken effect or not: it can be seen from then on, and proves nothing about the ones before it.
 *
 * This is the regular register of Lamport ("On interprocess communication", 1986) for several writers, block by block; that two reads agree on an order of overlapping writes is
 * not checked.
 *
 * A write is a record; each of its blocks has a node for it in the list of the block. A node is dropped once it is overwritten and no read of the block is under way.
 */
import { DUN_WORDS } from '../../crypto/dun.ts';
import { wider } from '../../engine/columns.ts';

/** The record of what was there before the first write: zeros, not encrypted. */
export const INITIAL = 0;
const NONE = -1;
const PAGE_BLOCKS = 256;
const FIRST_CAPACITY = 64;

/** Writes that some block's list still names. */
export class WriteRecords {
  /** Content of the write (content.ts). */
  generation = new Int32Array(FIRST_CAPACITY);
  firstBlock = new Float64Array(FIRST_CAPACITY);
  /** Key, or -1; data unit size and DUN of the first block (rows of core/crypto/dun.ts), valid with a key. */
  keyId = new Int32Array(FIRST_CAPACITY);
  unitBytes = new Int32Array(FIRST_CAPACITY);
  dun = new Uint32Array(FIRST_CAPACITY * DUN_WORDS);
  /** Completion; Infinity while it is under way. */
  endNs = new Float64Array(FIRST_CAPACITY);
  /** 1: a fault gave it another key than its own, so that nobody knows what it wrote. */
  isSpoiled = new Uint8Array(FIRST_CAPACITY);
  /** Blocks that name it. */
  private nodes = new Int32Array(FIRST_CAPACITY);
  private readonly free: number[] = [];
  private fresh = INITIAL + 1;

  constructor() {
    this.keyId[INITIAL] = NONE;
    this.endNs[INITIAL] = -Infinity;
    this.nodes[INITIAL] = 1; // never released
  }

  alloc(): number {
    const record = this.free.pop() ?? this.fresh++;
    if (record === this.generation.length) this.grow(2 * record);
    this.endNs[record] = Infinity;
    this.isSpoiled[record] = 0;
    this.nodes[record] = 0;
    return record;
  }

  hold(record: number): void {
    this.nodes[record]++;
  }

  drop(record: number): void {
    if (--this.nodes[record] === 0) this.free.push(record);
  }

  private grow(n: number): void {
    this.generation = wider(this.generation, new Int32Array(n));
    this.firstBlock = wider(this.firstBlock, new Float64Array(n));
    this.keyId = wider(this.keyId, new Int32Array(n));
    this.unitBytes = wider(this.unitBytes, new Int32Array(n));
    this.dun = wider(this.dun, new Uint32Array(n * DUN_WORDS));
    this.endNs = wider(this.endNs, new Float64Array(n));
    this.isSpoiled = wider(this.isSpoiled, new Uint8Array(n));
    this.nodes = wider(this.nodes, new Int32Array(n));
  }
}

/** Blocks that lie together: the head of each block's list, and reads of it that are under way. */
interface BlockPage {
  readonly head: Int32Array;
  readonly readers: Int32Array;
}

export class Versions {
  readonly records = new WriteRecords();
  private readonly pages = new Map<number, BlockPage>();
  // nodes
  private record = new Int32Array(FIRST_CAPACITY);
  private next = new Int32Array(FIRST_CAPACITY);
  /** When the write was overwritten for certain; Infinity before. */
  private overwrittenNs = new Float64Array(FIRST_CAPACITY);
  private free = NONE;
  private fresh = 0;

  /** A write or trim is about to be submitted; `record` is its own. */
  writeBegan(record: number, blocks: number): void {
    const first = this.records.firstBlock[record];
    for (let block = first; block < first + blocks; block++) {
      const { head } = this.pageOf(block);
      const i = block % PAGE_BLOCKS;
      if (head[i] === NONE) head[i] = this.node(INITIAL, NONE);
      head[i] = this.node(record, head[i]);
    }
  }

  /** It is over: `submitNs` and `nowNs` are its submission and completion. */
  writeEnded(record: number, blocks: number, submitNs: number, nowNs: number, isDone: boolean): void {
    const { endNs } = this.records;
    endNs[record] = nowNs;
    if (!isDone) return;
    const first = this.records.firstBlock[record];
    for (let block = first; block < first + blocks; block++) {
      const page = this.pageOf(block);
      const i = block % PAGE_BLOCKS;
      for (let node = page.head[i]; node !== NONE; node = this.next[node]) {
        const isBefore = this.record[node] !== record && endNs[this.record[node]] <= submitNs;
        if (isBefore && this.overwrittenNs[node] === Infinity) this.overwrittenNs[node] = nowNs;
      }
      if (page.readers[i] === 0) this.prune(page, i);
    }
  }

  readBegan(firstBlock: number, blocks: number): void {
    for (let block = firstBlock; block < firstBlock + blocks; block++)
      this.pageOf(block).readers[block % PAGE_BLOCKS]++;
  }

  readEnded(firstBlock: number, blocks: number): void {
    for (let block = firstBlock; block < firstBlock + blocks; block++) {
      const page = this.pageOf(block);
      if (--page.readers[block % PAGE_BLOCKS] === 0) this.prune(page, block % PAGE_BLOCKS);
    }
  }

  /** The records that a read submitted at `submitNs` and complete now may see, newest first; `into` is filled, the count returned. */
  candidates(block: number, submitNs: number, into: number[]): number {
    let count = 0;
    const first = this.pageOf(block).head[block % PAGE_BLOCKS];
    if (first === NONE) into[count++] = INITIAL;
    for (let node = first; node !== NONE; node = this.next[node])
      if (this.overwrittenNs[node] > submitNs) into[count++] = this.record[node];
    return count;
  }

  private prune(page: BlockPage, i: number): void {
    let before = NONE;
    for (let node = page.head[i]; node !== NONE;) {
      const next = this.next[node];
      if (this.overwrittenNs[node] === Infinity) before = node;
      else {
        if (before === NONE) page.head[i] = next;
        else this.next[before] = next;
        this.release(node);
      }
      node = next;
    }
  }

  private pageOf(block: number): BlockPage {
    const number = Math.floor(block / PAGE_BLOCKS);
    let page = this.pages.get(number);
    if (page === undefined) {
      page = { head: new Int32Array(PAGE_BLOCKS).fill(NONE), readers: new Int32Array(PAGE_BLOCKS) };
      this.pages.set(number, page);
    }
    return page;
  }

  private node(record: number, next: number): number {
    let node = this.free;
    if (node !== NONE) this.free = this.next[node];
    else {
      node = this.fresh++;
      if (node === this.record.length) this.grow(2 * node);
    }
    this.record[node] = record;
    this.next[node] = next;
    this.overwrittenNs[node] = Infinity;
    this.records.hold(record);
    return node;
  }

  private release(node: number): void {
    this.records.drop(this.record[node]);
    this.next[node] = this.free;
    this.free = node;
  }

  private grow(n: number): void {
    this.record = wider(this.record, new Int32Array(n));
    this.next = wider(this.next, new Int32Array(n));
    this.overwrittenNs = wider(this.overwrittenNs, new Float64Array(n));
  }
}

/**
 * The blocks of the flash: state, mode, how much of each is written, programmed and still valid, wear, and the free blocks of every die.
 *
 * The reverse map (which logical unit a place holds) exists only for blocks that were written in this run; for blocks that precondition filled it is
 * a formula. Whether a place is valid is asked of the logical map ("does that unit still point here?"), so there is no bitmap that could disagree.
 */
import type { Geometry } from './geometry.ts';

/** Block states. */
export const BLOCK_FREE = 0;
export const BLOCK_OPEN = 1;
export const BLOCK_FULL = 2;
/** Being collected or erased. */
export const BLOCK_LEAVING = 3;

export class BlockTable {
  readonly state: Uint8Array;
  /** 1: the block is in SLC mode. */
  readonly isSlc: Uint8Array;
  readonly valid: Int32Array;
  /** Units handed out to program operations. */
  readonly written: Int32Array;
  /** Units on flash; between `programmed` and `written` the data is still in the device's memory. */
  readonly programmed: Int32Array;
  readonly erases: Int32Array;
  /** Free blocks of every die. */
  readonly freeOfDie: Int32Array;
  /** SLC-mode blocks of every die, open or full. */
  readonly slcOfDie: Int32Array;

  /** Free blocks beyond those reserved for the collector, over all dies. */
  blocksAboveReserve = 0;
  totalErases = 0;

  private readonly geometry: Geometry;
  private readonly reserved: number;
  private readonly lbaOf: (Int32Array | undefined)[];
  private readonly spareMaps: Int32Array[] = [];
  private readonly freeList: number[][] = [];

  /**
   * @param filled whether precondition wrote the whole capacity
   * @param reserved free blocks per die that `blocksAboveReserve` does not count
   */
  constructor(geometry: Geometry, filled: boolean, reserved: number) {
    this.geometry = geometry;
    this.reserved = reserved;
    const n = geometry.blocks;
    this.state = new Uint8Array(n);
    this.isSlc = new Uint8Array(n);
    this.valid = new Int32Array(n);
    this.written = new Int32Array(n);
    this.programmed = new Int32Array(n);
    this.erases = new Int32Array(n);
    this.freeOfDie = new Int32Array(geometry.dies);
    this.slcOfDie = new Int32Array(geometry.dies);
    this.lbaOf = new Array<Int32Array | undefined>(n).fill(undefined);
    for (let die = 0; die < geometry.dies; die++) {
      const free: number[] = [];
      for (let i = geometry.blocksPerDie - 1; i >= 0; i--) {
        const block = die * geometry.blocksPerDie + i;
        if (filled && i < geometry.filledBlocksPerDie) this.fill(block, die, i);
        else free.push(block);
      }
      this.freeList.push(free);
      this.freeOfDie[die] = free.length;
      this.blocksAboveReserve += Math.max(0, free.length - reserved);
    }
  }

  private fill(block: number, die: number, index: number): void {
    this.state[block] = BLOCK_FULL;
    this.valid[block] = this.geometry.filledUnits(die, index);
    this.written[block] = this.geometry.unitsPerBlock;
    this.programmed[block] = this.geometry.unitsPerBlock;
  }

  /** Units the block can hold in its mode. */
  capacityOf(block: number): number {
    return this.isSlc[block] === 1 ? this.geometry.slcUnitsPerBlock : this.geometry.unitsPerBlock;
  }

  /** Takes the least worn free block of a die and opens it. The die must have one. */
  open(die: number, slc: boolean): number {
    const free = this.freeList[die];
    let best = free.length - 1;
    for (let i = best - 1; i >= 0; i--) if (this.erases[free[i]] < this.erases[free[best]]) best = i;
    const block = free[best];
    if (block === undefined) throw new Error(`media: die ${die} has no free block left`);
    free[best] = free[free.length - 1];
    free.pop();
    if (this.freeOfDie[die]-- > this.reserved) this.blocksAboveReserve--;
    this.state[block] = BLOCK_OPEN;
    this.isSlc[block] = slc ? 1 : 0;
    if (slc) this.slcOfDie[die]++;
    this.valid[block] = 0;
    this.written[block] = 0;
    this.programmed[block] = 0;
    const map = this.spareMaps.pop() ?? new Int32Array(this.geometry.unitsPerBlock);
    map.fill(-1);
    this.lbaOf[block] = map;
    return block;
  }

  /** Hands out the next `units` of an open block, filled or padded; the block is full when nothing is left. Returns their offset. */
  advance(block: number, units: number): number {
    const offset = this.written[block];
    this.written[block] = offset + units;
    if (this.written[block] >= this.capacityOf(block)) this.state[block] = BLOCK_FULL;
    return offset;
  }

  /** Notes which unit a place holds. */
  place(block: number, offset: number, lba: number): void {
    const map = this.lbaOf[block];
    if (map === undefined) throw new Error(`media: block ${block} is not open`);
    map[offset] = lba;
    this.valid[block]++;
  }

  /** The unit written to a place, valid or not; -1 for padding and places beyond the device's end. */
  lbaAt(block: number, offset: number): number {
    const map = this.lbaOf[block];
    if (map !== undefined) return map[offset];
    const lba = this.geometry.filledLba(block * this.geometry.unitsPerBlock + offset);
    return lba < this.geometry.userUnits ? lba : -1;
  }

  /** True when precondition filled the block and it was not erased since. */
  isFilled(block: number): boolean {
    return this.lbaOf[block] === undefined && this.state[block] !== BLOCK_FREE;
  }

  /** The block was erased: it is free, in no mode. */
  release(block: number): void {
    const die = this.geometry.dieOfBlock(block);
    this.erases[block]++;
    this.totalErases++;
    this.state[block] = BLOCK_FREE;
    if (this.isSlc[block] === 1) this.slcOfDie[die]--;
    this.isSlc[block] = 0;
    this.valid[block] = 0;
    this.written[block] = 0;
    this.programmed[block] = 0;
    const map = this.lbaOf[block];
    if (map !== undefined) this.spareMaps.push(map);
    this.lbaOf[block] = undefined;
    this.freeList[die].push(block);
    if (++this.freeOfDie[die] > this.reserved) this.blocksAboveReserve++;
  }

  /** Memory of the reverse maps (bytes). */
  get mapBytes(): number {
    let maps = this.spareMaps.length;
    for (const map of this.lbaOf) if (map !== undefined) maps++;
    return maps * this.geometry.unitsPerBlock * 4;
  }
}

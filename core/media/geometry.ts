/**
 * The arithmetic of addresses on flash.
 *
 * Everything is counted in *units* of 4 KiB. A *row* is one page of every plane of a die (what a multi-plane operation reads at once); a *block* is the same block
 * of every plane of a die (what is erased at once, `@assume` planes are always used together); a unit's physical address (ppa) is
 * `block * unitsPerBlock + row * unitsPerRow + place`, blocks being numbered die by die. A block in SLC mode uses only its first rows.
 *
 * A preconditioned device holds its logical blocks in order, a row per die in turn, channels first, so that a sequential read meets every channel and die.
 */
import type { MediaProfile } from './profile.ts';

/** Bytes of a unit: the granule of the translation layer and of logical blocks. */
export const UNIT_BYTES = 4096;

/** Spare blocks per die below which the collector could not work, whatever the overprovisioning. */
const MIN_SPARE_BLOCKS = 6;

export class Geometry {
  readonly channels: number;
  readonly dies: number;
  /** Logical units the device offers. */
  readonly userUnits: number;
  readonly unitsPerPage: number;
  readonly unitsPerRow: number;
  readonly rowsPerBlock: number;
  readonly slcRowsPerBlock: number;
  readonly unitsPerBlock: number;
  readonly slcUnitsPerBlock: number;
  /** Units written by one program in native mode; in SLC mode it is a row. */
  readonly unitsPerProgram: number;
  readonly blocksPerDie: number;
  readonly blocks: number;
  /** Blocks of every die that precondition fills (fully or in part). */
  readonly filledBlocksPerDie: number;
  /** Blocks of every die that may be in SLC mode at one time (the fixed part of the cache). */
  readonly slcBlocksPerDie: number;

  constructor(profile: MediaProfile, capacityBytes: number) {
    const g = profile.geometry;
    this.channels = g.channels;
    this.dies = g.channels * g.diesPerChannel;
    this.userUnits = Math.floor(capacityBytes / UNIT_BYTES);
    this.unitsPerPage = g.pageBytes / UNIT_BYTES;
    this.unitsPerRow = this.unitsPerPage * g.planesPerDie;
    this.rowsPerBlock = g.pagesPerBlock;
    this.slcRowsPerBlock = g.pagesPerBlock / g.pagesPerProgram;
    this.unitsPerBlock = this.rowsPerBlock * this.unitsPerRow;
    this.slcUnitsPerBlock = this.slcRowsPerBlock * this.unitsPerRow;
    this.unitsPerProgram = g.pagesPerProgram * this.unitsPerRow;
    const rowsPerDie = Math.ceil(Math.ceil(this.userUnits / this.unitsPerRow) / this.dies);
    this.filledBlocksPerDie = Math.ceil(rowsPerDie / this.rowsPerBlock);
    const spare = Math.max(
      MIN_SPARE_BLOCKS + profile.ftl.gcLowBlocks,
      Math.ceil((this.filledBlocksPerDie * profile.ftl.overprovisioningPermille) / 1000),
    );
    this.slcBlocksPerDie = this.slcBlocks(profile, capacityBytes);
    this.blocksPerDie = this.filledBlocksPerDie + spare + this.slcBlocksPerDie;
    this.blocks = this.blocksPerDie * this.dies;
    if (this.blocks * this.unitsPerBlock > 0x7fff_ffff) {
      throw new Error(`media: ${capacityBytes} bytes need more than 2^31 units of flash`);
    }
  }

  private slcBlocks(profile: MediaProfile, capacityBytes: number): number {
    if (!profile.slc.enabled) return 0;
    const bytes = profile.slc.sizeBytes > 0 ? profile.slc.sizeBytes : (capacityBytes * profile.slc.permille) / 1000;
    return Math.ceil(bytes / UNIT_BYTES / this.slcUnitsPerBlock / this.dies);
  }

  /** Channel of a die. Dies are numbered channel by channel in turn. */
  channelOf(die: number): number {
    return die % this.channels;
  }

  blockOf(ppa: number): number {
    return (ppa / this.unitsPerBlock) | 0;
  }

  dieOfBlock(block: number): number {
    return (block / this.blocksPerDie) | 0;
  }

  /** Where precondition put a logical unit. */
  filledPpa(lba: number): number {
    const row = (lba / this.unitsPerRow) | 0;
    const rowOfDie = (row / this.dies) | 0;
    const die = row - rowOfDie * this.dies;
    return die * this.blocksPerDie * this.unitsPerBlock + rowOfDie * this.unitsPerRow + (lba - row * this.unitsPerRow);
  }

  /** The logical unit that precondition put at `ppa` of a filled block; may be ≥ `userUnits` in the last rows (nothing is there). */
  filledLba(ppa: number): number {
    const die = this.dieOfBlock(this.blockOf(ppa));
    const inDie = ppa - die * this.blocksPerDie * this.unitsPerBlock;
    const rowOfDie = (inDie / this.unitsPerRow) | 0;
    return (rowOfDie * this.dies + die) * this.unitsPerRow + (inDie - rowOfDie * this.unitsPerRow);
  }

  /** Units that precondition put into block `index` of `die`. */
  filledUnits(die: number, index: number): number {
    const rows = Math.floor(this.userUnits / this.unitsPerRow);
    const fullRows = Math.floor(rows / this.dies) + (die < rows % this.dies ? 1 : 0);
    const rest = die === rows % this.dies ? this.userUnits % this.unitsPerRow : 0;
    const inDie = fullRows * this.unitsPerRow + rest;
    return Math.max(0, Math.min(this.unitsPerBlock, inDie - index * this.unitsPerBlock));
  }
}

/**
 * The page-mapped translation layer: where each logical unit is, and what moves when it is written or unmapped.
 *
 * A unit is mapped to its place when the place is chosen, which is before it is programmed; until then (`blocks.programmed`) reads of it are
 * answered from the device's memory. The map itself lives in the controller's memory (`@assume`; misses of a mapping cache are the reader's).
 */
import { BlockTable } from './blocks.ts';
import type { FlashOps } from './flash-ops.ts';
import type { Geometry } from './geometry.ts';
import type { MediaProfile } from './profile.ts';
import { FILLED, UNITS_PER_MAP_PAGE, UNMAPPED, UnitMap } from './unit-map.ts';

/** Blocks of every die that only the collector may take. */
export const RESERVED_BLOCKS = 2;

export class Ftl {
  readonly geometry: Geometry;
  readonly blocks: BlockTable;
  readonly map: UnitMap;
  private readonly ops: FlashOps;

  constructor(profile: MediaProfile, geometry: Geometry, ops: FlashOps) {
    const filled = profile.ftl.precondition === 'sequential';
    this.geometry = geometry;
    this.ops = ops;
    this.blocks = new BlockTable(geometry, filled, RESERVED_BLOCKS);
    this.map = new UnitMap(geometry.userUnits, filled ? FILLED : UNMAPPED);
  }

  /** Physical address of a logical unit, or UNMAPPED. */
  lookup(lba: number): number {
    const at = this.map.get(lba);
    return at === FILLED ? this.geometry.filledPpa(lba) : at;
  }

  /** True while the data at `ppa` is still in the device's memory. */
  isInMemory(ppa: number): boolean {
    const block = this.geometry.blockOf(ppa);
    return ppa - block * this.geometry.unitsPerBlock >= this.blocks.programmed[block];
  }

  /** Puts a unit into the next place of a program operation. */
  place(op: number, lba: number): void {
    const old = this.lookup(lba);
    if (old !== UNMAPPED) this.blocks.valid[this.geometry.blockOf(old)]--;
    const block = this.ops.block[op];
    const offset = this.ops.offset[op] + this.ops.units[op]++;
    this.blocks.place(block, offset, lba);
    this.map.set(lba, block * this.geometry.unitsPerBlock + offset);
  }

  /** Unmaps `units` logical units from `lba`. Returns how many were mapped. */
  unmap(lba: number, units: number): number {
    let dropped = 0;
    const end = lba + units;
    for (let unit = lba; unit < end;) {
      const isWholePage = unit % UNITS_PER_MAP_PAGE === 0 && unit + UNITS_PER_MAP_PAGE <= end;
      const step = isWholePage ? UNITS_PER_MAP_PAGE : 1;
      for (let i = unit; i < unit + step; i++) {
        const at = this.lookup(i);
        if (at === UNMAPPED) continue;
        this.blocks.valid[this.geometry.blockOf(at)]--;
        dropped++;
      }
      if (!isWholePage || !this.map.unmapUntouchedPage(unit)) {
        for (let i = unit; i < unit + step; i++) this.map.set(i, UNMAPPED);
      }
      unit += step;
    }
    return dropped;
  }

  /** The logical unit whose current data is at this place, or -1. */
  ownerOf(block: number, offset: number): number {
    const lba = this.blocks.lbaAt(block, offset);
    return lba >= 0 && this.lookup(lba) === block * this.geometry.unitsPerBlock + offset ? lba : -1;
  }

  /** Valid units in a row of a block. */
  validInRow(block: number, rowOffset: number): number {
    let valid = 0;
    for (let i = rowOffset; i < rowOffset + this.geometry.unitsPerRow; i++) if (this.ownerOf(block, i) >= 0) valid++;
    return valid;
  }
}

/**
 * Which block the next host data goes to: dies in turn, SLC mode first while the cache (WriteBooster) has room, else native mode.
 *
 * Every die has at most one open block per mode for host data. The fixed part of the cache has its own flash beyond the user capacity ("preserve user space");
 * a dynamic cache also takes free blocks as long as a quarter of the die stays free. A full cache empties by migration only (`collector.ts`): overwriting
 * cached data does not give its room back until then, as the fill level that real devices report behaves.
 */
import type { GaugeLog } from '../trace/log.ts';
import { BLOCK_FULL, BLOCK_OPEN } from './blocks.ts';
import { RESERVED_BLOCKS, type Ftl } from './ftl.ts';
import { UNIT_BYTES } from './geometry.ts';
import type { MediaProfile } from './profile.ts';

const NONE = -1;

export class HostBlocks {
  /** A write waits for want of free flash. */
  isBlocked = false;
  /** Called when a die gave a free block: it may have to collect. */
  onOpened: (die: number) => void = () => undefined;

  private readonly profile: MediaProfile;
  private readonly ftl: Ftl;
  private readonly gauges: GaugeLog;
  private readonly slcGauge: number;
  private readonly slcOpen: Int32Array;
  private readonly nativeOpen: Int32Array;
  private nextDie = 0;
  /** Units left in open blocks. */
  private openRoom = 0;
  /** Units handed out from SLC blocks that are not erased yet. */
  private slcUsedUnits = 0;

  constructor(profile: MediaProfile, ftl: Ftl, gauges: GaugeLog) {
    this.profile = profile;
    this.ftl = ftl;
    this.gauges = gauges;
    this.slcGauge = gauges.define('media.slc.free');
    this.slcOpen = new Int32Array(ftl.geometry.dies).fill(NONE);
    this.nativeOpen = new Int32Array(ftl.geometry.dies).fill(NONE);
    this.changeSlcUsed(0); // the gauge has a value from the start
  }

  /** Room of the fixed part of the SLC cache that is left (bytes). */
  get slcFreeBytes(): number {
    const g = this.ftl.geometry;
    return Math.max(0, g.slcBlocksPerDie * g.dies * g.slcUnitsPerBlock - this.slcUsedUnits) * UNIT_BYTES;
  }

  /** Units that can be written now, by a careful estimate. */
  roomUnits(): number {
    const g = this.ftl.geometry;
    const perBlock = this.profile.slc.enabled ? g.slcUnitsPerBlock : g.unitsPerBlock;
    return this.ftl.blocks.blocksAboveReserve * perBlock + this.openRoom;
  }

  /** The block for the next program unit; opens one if need be. */
  nextBlock(): number {
    const dies = this.ftl.geometry.dies;
    for (let i = 0; this.profile.slc.enabled && i < dies; i++) {
      const die = (this.nextDie + i) % dies;
      if (this.slcOpen[die] !== NONE || this.mayOpenSlc(die)) return this.use(this.slcOpen, die, true);
    }
    for (let kept = RESERVED_BLOCKS; kept > 0; kept--) {
      for (let i = 0; i < dies; i++) {
        const die = (this.nextDie + i) % dies;
        if (this.nativeOpen[die] !== NONE || this.ftl.blocks.freeOfDie[die] > kept) {
          return this.use(this.nativeOpen, die, false);
        }
      }
    }
    throw new Error('media: out of free flash for a write that was granted');
  }

  /** Hands out `units` places of an open block; returns their offset. */
  takeUnits(block: number, units: number): number {
    const blocks = this.ftl.blocks;
    const offset = blocks.advance(block, units);
    this.openRoom -= units;
    const isSlc = blocks.isSlc[block] === 1;
    if (isSlc) this.changeSlcUsed(units);
    if (blocks.state[block] === BLOCK_FULL) {
      (isSlc ? this.slcOpen : this.nativeOpen)[this.ftl.geometry.dieOfBlock(block)] = NONE;
    }
    return offset;
  }

  /** Closes the open SLC block of a die, so that it can be migrated too. Returns whether there was one with data, all of it programmed. */
  closeSlc(die: number): boolean {
    const block = this.slcOpen[die];
    const blocks = this.ftl.blocks;
    if (block === NONE || blocks.written[block] === 0 || blocks.programmed[block] < blocks.written[block]) return false;
    const left = blocks.capacityOf(block) - blocks.written[block];
    this.openRoom -= left;
    this.changeSlcUsed(left);
    blocks.state[block] = BLOCK_FULL;
    this.slcOpen[die] = NONE;
    return true;
  }

  /** An SLC block was erased. */
  slcErased(): void {
    this.changeSlcUsed(-this.ftl.geometry.slcUnitsPerBlock);
  }

  /** True when no die could take another unit in SLC mode. */
  get isSlcFull(): boolean {
    if (!this.profile.slc.enabled) return true;
    for (let die = 0; die < this.ftl.geometry.dies; die++) {
      if (this.slcOpen[die] !== NONE || this.mayOpenSlc(die)) return false;
    }
    return true;
  }

  private mayOpenSlc(die: number): boolean {
    const blocks = this.ftl.blocks;
    const free = blocks.freeOfDie[die];
    if (free <= RESERVED_BLOCKS + this.profile.ftl.gcLowBlocks) return false;
    if (blocks.slcOfDie[die] < this.ftl.geometry.slcBlocksPerDie) return true;
    return this.profile.slc.dynamic && free * 4 > this.ftl.geometry.blocksPerDie;
  }

  private use(open: Int32Array, die: number, slc: boolean): number {
    this.nextDie = (die + 1) % this.ftl.geometry.dies;
    if (open[die] === NONE || this.ftl.blocks.state[open[die]] !== BLOCK_OPEN) {
      open[die] = this.ftl.blocks.open(die, slc);
      this.openRoom += this.ftl.blocks.capacityOf(open[die]);
      this.onOpened(die);
    }
    return open[die];
  }

  private changeSlcUsed(units: number): void {
    this.slcUsedUnits += units;
    if (this.gauges.on) this.gauges.set(this.slcGauge, this.slcFreeBytes);
  }
}

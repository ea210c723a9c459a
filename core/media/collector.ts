/**
 * Garbage collection and migration: empties blocks so that they can be erased.
 *
 * Every die collects for itself: it takes the full block with the fewest valid units (greedy), reads its rows that hold valid data, writes that data to a block in native
 * mode of the same die, erases. Blocks of the SLC cache are emptied the same way, which is the flush of a WriteBooster buffer. A die must collect when it has
 * `gcLowBlocks` or fewer free blocks (foreground: host programs queue behind the copies), and may when the device has been idle for a while: the cache first,
 * then blocks of which at least a quarter is invalid. A command of the host stops idle work at the next row.
 *
 * `@assume` copies pass through the controller (no on-die copy-back: the data is checked and corrected on its way), and hot and cold data are not separated
 * beyond host data and copies having different open blocks.
 */
import { IntRing } from '../engine/ring.ts';
import { BLOCK_FULL, BLOCK_LEAVING, BLOCK_OPEN } from './blocks.ts';
import type { DieArray } from './dies.ts';
import type { FlashOps } from './flash-ops.ts';
import { OP_COPY_PROGRAM, OP_COPY_READ, OP_ERASE, type OpSink } from './flash-ops.ts';
import type { Ftl } from './ftl.ts';
import { UNIT_BYTES, type Geometry } from './geometry.ts';
import type { HostBlocks } from './host-blocks.ts';
import type { MediaProfile } from './profile.ts';

const NONE = -1;

export class Collector implements OpSink {
  /** Units copied by collection of native blocks, and by migration out of the SLC cache. */
  collectedUnits = 0;
  migratedUnits = 0;
  paddedUnits = 0;
  copyReads = 0;
  copyPrograms = 0;
  /** Blocks emptied while the host needed the room, and in idle time. */
  foregroundBlocks = 0;
  backgroundBlocks = 0;
  /** The device has been idle for a while. Set by the owner, who then calls `startIdleWork`. */
  isIdleTime = false;
  /** Called after an erase: there is room again. */
  onFreed: () => void = () => undefined;

  private readonly profile: MediaProfile;
  private readonly ftl: Ftl;
  private readonly geometry: Geometry;
  private readonly dies: DieArray;
  private readonly ops: FlashOps;
  private readonly hostBlocks: HostBlocks;

  // per die
  private readonly victim: Int32Array;
  /** Next row of the victim to look at (offset of its first unit). */
  private readonly at: Int32Array;
  /** 1: an operation of the collection is under way, or follows at once. */
  private readonly isMoving: Uint8Array;
  /** Emptied blocks whose last copies are still in memory. */
  private readonly drained: IntRing[] = [];
  /** Erases queued or under way. */
  private readonly erasing: Int32Array;
  /** SLC blocks being emptied, drained or erased. */
  private readonly slcLeaving: Int32Array;
  private readonly openBlock: Int32Array;
  private readonly openOp: Int32Array;

  constructor(profile: MediaProfile, ftl: Ftl, dies: DieArray, hostBlocks: HostBlocks) {
    this.profile = profile;
    this.ftl = ftl;
    this.geometry = ftl.geometry;
    this.dies = dies;
    this.ops = dies.ops;
    this.hostBlocks = hostBlocks;
    const n = this.geometry.dies;
    this.victim = new Int32Array(n).fill(NONE);
    this.at = new Int32Array(n);
    this.isMoving = new Uint8Array(n);
    for (let die = 0; die < n; die++) this.drained.push(new IntRing());
    this.erasing = new Int32Array(n);
    this.slcLeaving = new Int32Array(n);
    this.openBlock = new Int32Array(n).fill(NONE);
    this.openOp = new Int32Array(n).fill(NONE);
    for (const kind of [OP_COPY_READ, OP_COPY_PROGRAM, OP_ERASE]) dies.setSink(kind, this);
  }

  /** Looks whether a die must collect. Cheap when it need not. */
  check(die: number): void {
    if (this.isMoving[die] === 0 && this.mustCollect(die)) this.proceed(die);
  }

  checkAll(): void {
    for (let die = 0; die < this.geometry.dies; die++) this.check(die);
  }

  startIdleWork(): void {
    for (let die = 0; die < this.geometry.dies; die++) if (this.isMoving[die] === 0) this.proceed(die);
  }

  /** True while an operation of a collection is under way. */
  get isWorking(): boolean {
    return this.isMoving.includes(1) || this.erasing.some((n) => n > 0);
  }

  opDone(op: number): void {
    const kind = this.ops.kind[op];
    if (kind === OP_COPY_READ) this.rowRead(op);
    else if (kind === OP_COPY_PROGRAM) {
      this.ftl.blocks.programmed[this.ops.block[op]] += this.ops.bytes[op] / UNIT_BYTES;
      this.ops.release(op);
    } else this.erased(op);
  }

  // ------------------------------------------------------------------------------------------------ what to collect

  private mustCollect(die: number): boolean {
    const blocks = this.ftl.blocks;
    const coming = blocks.freeOfDie[die] + this.erasing[die];
    if (this.hostBlocks.isBlocked && coming <= this.profile.ftl.gcIdleBlocks) return true;
    if (coming + this.drained[die].size <= this.profile.ftl.gcLowBlocks) return true;
    return this.profile.slc.migrate === 'exhausted' && this.hasCache(die) && this.hostBlocks.isSlcFull;
  }

  /** The die has SLC blocks that are not already on their way out. */
  private hasCache(die: number): boolean {
    return this.ftl.blocks.slcOfDie[die] > this.slcLeaving[die];
  }

  private chooseVictim(die: number): number {
    const whole = this.geometry.unitsPerBlock;
    if (this.hostBlocks.isBlocked) return this.leastValid(die, false, whole);
    // A block that is nearly all valid costs more than it gives: only a host that cannot go on is worth it.
    const worthIt = whole - this.geometry.unitsPerProgram + 1;
    const coming = this.ftl.blocks.freeOfDie[die] + this.erasing[die] + this.drained[die].size;
    if (coming <= this.profile.ftl.gcLowBlocks) return this.leastValid(die, false, worthIt);
    if (this.mustCollect(die)) return this.leastValid(die, true, whole);
    if (!this.isIdleTime) return NONE;
    if (this.hasCache(die)) {
      const cached = this.leastValid(die, true, whole);
      if (cached !== NONE) return cached;
      if (this.hostBlocks.closeSlc(die)) return this.leastValid(die, true, whole);
    }
    if (coming >= this.profile.ftl.gcIdleBlocks) return NONE;
    return this.leastValid(die, false, Math.min(worthIt, (whole * 3) / 4)); // @assume a quarter invalid is worth it
  }

  /** The full, programmed block of a die with the fewest valid units, if fewer than `below`. */
  private leastValid(die: number, onlySlc: boolean, below: number): number {
    const blocks = this.ftl.blocks;
    const from = die * this.geometry.blocksPerDie;
    let best = NONE;
    let fewest = below;
    for (let block = from; block < from + this.geometry.blocksPerDie; block++) {
      if (blocks.state[block] !== BLOCK_FULL || blocks.valid[block] >= fewest) continue;
      if (onlySlc && blocks.isSlc[block] === 0) continue;
      if (blocks.programmed[block] < blocks.written[block]) continue;
      best = block;
      fewest = blocks.valid[block];
    }
    return best;
  }

  // ------------------------------------------------------------------------------------------------ emptying a block

  /** Takes the next step of the die's collection, or ends it. */
  private proceed(die: number): void {
    this.isMoving[die] = 1;
    while (this.mustCollect(die) || this.isIdleTime) {
      if (this.victim[die] === NONE && !this.takeVictim(die)) {
        if (this.hostBlocks.isBlocked || this.isIdleTime) this.closeOpen(die);
        break;
      }
      if (this.readNextRow(die)) return;
      this.drain(die);
    }
    this.isMoving[die] = 0;
  }

  private takeVictim(die: number): boolean {
    const isForced = this.mustCollect(die);
    const block = this.chooseVictim(die);
    if (block === NONE) return false;
    this.victim[die] = block;
    this.at[die] = 0;
    this.ftl.blocks.state[block] = BLOCK_LEAVING;
    if (this.ftl.blocks.isSlc[block] === 1) this.slcLeaving[die]++;
    if (isForced) this.foregroundBlocks++;
    else this.backgroundBlocks++;
    return true;
  }

  /** Reads the victim's next row that holds valid data; false when there is none left. */
  private readNextRow(die: number): boolean {
    const block = this.victim[die];
    const blocks = this.ftl.blocks;
    const end = blocks.valid[block] === 0 ? 0 : blocks.written[block];
    for (let at = this.at[die]; at < end; at += this.geometry.unitsPerRow) {
      const valid = this.ftl.validInRow(block, at);
      if (valid === 0) continue;
      const op = this.ops.take(OP_COPY_READ, die);
      this.ops.block[op] = block;
      this.ops.offset[op] = at;
      this.ops.bytes[op] = valid * UNIT_BYTES;
      const timing = this.profile.timing;
      this.ops.workNs[op] = blocks.isSlc[block] === 1 ? timing.slcReadNs : timing.readNs;
      this.at[die] = at + this.geometry.unitsPerRow;
      this.copyReads++;
      this.dies.submit(op);
      return true;
    }
    return false;
  }

  /**
   * Everything valid was copied. The block is erased once its copies are on flash: at once when no copy is left in memory, else behind the program that takes
   * the last of them (same die, same queue), which further blocks help to fill.
   */
  private drain(die: number): void {
    this.drained[die].push(this.victim[die]);
    this.victim[die] = NONE;
    if (this.openOp[die] === NONE) this.eraseDrained(die);
  }

  private rowRead(op: number): void {
    const die = this.ops.die[op];
    const block = this.ops.block[op];
    const from = this.ops.offset[op];
    this.ops.release(op);
    for (let offset = from; offset < from + this.geometry.unitsPerRow; offset++) {
      const lba = this.ftl.ownerOf(block, offset);
      if (lba < 0) continue; // invalid, perhaps since the row was read
      this.copy(die, lba);
      if (this.ftl.blocks.isSlc[block] === 1) this.migratedUnits++;
      else this.collectedUnits++;
    }
    this.proceed(die);
  }

  private copy(die: number, lba: number): void {
    if (this.openOp[die] === NONE) this.openOp[die] = this.openUnit(die);
    const op = this.openOp[die];
    this.ftl.place(op, lba);
    if (this.ops.units[op] * UNIT_BYTES === this.ops.bytes[op]) this.submitOpen(die);
  }

  private openUnit(die: number): number {
    const blocks = this.ftl.blocks;
    if (this.openBlock[die] === NONE || blocks.state[this.openBlock[die]] !== BLOCK_OPEN) {
      this.openBlock[die] = blocks.open(die, false);
    }
    const op = this.ops.take(OP_COPY_PROGRAM, die);
    this.ops.block[op] = this.openBlock[die];
    this.ops.offset[op] = blocks.advance(this.openBlock[die], this.geometry.unitsPerProgram);
    this.ops.bytes[op] = this.geometry.unitsPerProgram * UNIT_BYTES;
    this.ops.workNs[op] = this.profile.timing.programNs;
    if (blocks.state[this.openBlock[die]] === BLOCK_FULL) this.openBlock[die] = NONE;
    return op;
  }

  private submitOpen(die: number): void {
    const op = this.openOp[die];
    this.openOp[die] = NONE;
    this.copyPrograms++;
    this.dies.submit(op);
    this.eraseDrained(die);
  }

  /** Pads and programs the copies that wait in memory. */
  private closeOpen(die: number): void {
    const open = this.openOp[die];
    if (open === NONE) return;
    this.paddedUnits += this.ops.bytes[open] / UNIT_BYTES - this.ops.units[open];
    this.submitOpen(die);
  }

  private eraseDrained(die: number): void {
    const timing = this.profile.timing;
    while (this.drained[die].size > 0) {
      const block = this.drained[die].shift();
      const op = this.ops.take(OP_ERASE, die);
      this.ops.block[op] = block;
      this.ops.workNs[op] = this.ftl.blocks.isSlc[block] === 1 ? timing.slcEraseNs : timing.eraseNs;
      this.erasing[die]++;
      this.dies.submit(op);
    }
  }

  private erased(op: number): void {
    const die = this.ops.die[op];
    const block = this.ops.block[op];
    this.ops.release(op);
    this.erasing[die]--;
    const wasSlc = this.ftl.blocks.isSlc[block] === 1;
    this.ftl.blocks.release(block);
    if (wasSlc) {
      this.slcLeaving[die]--;
      this.hostBlocks.slcErased();
    }
    if (this.isMoving[die] === 0) this.proceed(die);
    this.onFreed();
  }
}

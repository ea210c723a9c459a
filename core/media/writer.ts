/**
 * The write path: room in the write buffer, data to places on flash, write-back, flush and FUA.
 *
 * A write waits for buffer room and for room on flash (first come, first served), is done when its data has arrived, and leaves the buffer when programmed.
 * Data is gathered into one open program unit at a time, die after die in turn: a row in SLC mode while the cache has room, else all pages of a native program.
 * An incomplete unit is padded and programmed on flush, on FUA, when the buffer is full of nothing else, or when no write came for a while.
 *
 * Not modelled (`@assume`): overwrites merging inside the buffer (each is programmed), loss of power.
 */
import { wider } from '../engine/columns.ts';
import type { Engine } from '../engine/engine.ts';
import { IntRing } from '../engine/ring.ts';
import type { GaugeLog } from '../trace/log.ts';
import { ST_MEDIA_WAIT, type StageRows } from '../trace/stages.ts';
import type { DieArray } from './dies.ts';
import type { FlashOps } from './flash-ops.ts';
import { OP_PROGRAM, type OpSink } from './flash-ops.ts';
import type { Ftl } from './ftl.ts';
import { UNIT_BYTES, type Geometry } from './geometry.ts';
import type { HostBlocks } from './host-blocks.ts';
import type { MediaProfile } from './profile.ts';
import { markProgram } from './stage-marks.ts';
import type { MediaClient } from './types.ts';
import { WaiterLists } from './waiters.ts';

const NONE = -1;

export class Writer implements OpSink {
  /** Bytes of the buffer that are promised, filled or being programmed. */
  usedBytes = 0;
  peakBytes = 0;
  commands = 0;
  units = 0;
  paddedUnits = 0;
  programs = 0;
  /** Called when a write could not be granted for want of free flash. */
  onNoSpace: () => void = () => undefined;
  /** Called when host data was programmed on a die. */
  onProgrammed: (die: number) => void = () => undefined;

  private readonly engine: Engine;
  private readonly profile: MediaProfile;
  private readonly ftl: Ftl;
  private readonly geometry: Geometry;
  private readonly dies: DieArray;
  private readonly ops: FlashOps;
  private readonly hostBlocks: HostBlocks;
  private readonly client: MediaClient;
  private readonly rows: StageRows;
  private readonly gauges: GaugeLog;
  private readonly gauge: number;
  private readonly writeBackTimer: number;
  private readonly waiting = new IntRing();
  private readonly waiters = new WaiterLists();
  /** The program unit being filled. */
  private openOp = NONE;
  /** Programs submitted and not done. */
  private readonly active = new Set<number>();
  /** Units granted whose data is still to come, each with room for padding. */
  private promisedUnits = 0;
  /** Granted, data still to come. */
  private granted = 0;

  // per command
  private lba = new Float64Array(64);
  private blocks = new Int32Array(64);
  private pendingPrograms = new Int32Array(64);
  private isFlush = new Uint8Array(64);

  constructor(
    engine: Engine,
    profile: MediaProfile,
    ftl: Ftl,
    dies: DieArray,
    hostBlocks: HostBlocks,
    client: MediaClient,
    rows: StageRows,
    gauges: GaugeLog,
  ) {
    this.engine = engine;
    this.profile = profile;
    this.ftl = ftl;
    this.geometry = ftl.geometry;
    this.dies = dies;
    this.ops = dies.ops;
    this.hostBlocks = hostBlocks;
    this.client = client;
    this.rows = rows;
    this.gauges = gauges;
    this.gauge = gauges.define('media.buffer');
    this.writeBackTimer = engine.createTimer(
      engine.register('media.writeBack', () => this.closeOpen()),
      0,
    );
    dies.setSink(OP_PROGRAM, this);
  }

  /** True when no write is waiting, on its way or in the buffer. */
  get isEmpty(): boolean {
    return this.usedBytes === 0 && this.waiting.size === 0;
  }

  /** Writes that wait for room or whose data is still to come. */
  get inFlight(): number {
    return this.waiting.size + this.granted;
  }

  requestWrite(cmd: number, lba: number, blocks: number): void {
    if (cmd >= this.lba.length) this.grow(cmd);
    this.lba[cmd] = lba;
    this.blocks[cmd] = blocks;
    this.waiting.push(cmd);
    if (this.waiting.size === 1) this.grantWaiting();
  }

  write(cmd: number, fua: boolean): void {
    const from = this.lba[cmd];
    const blocks = this.blocks[cmd];
    this.promisedUnits -= blocks + this.geometry.unitsPerProgram;
    this.granted--;
    this.commands++;
    this.units += blocks;
    this.pendingPrograms[cmd] = 0;
    this.isFlush[cmd] = 0;
    for (let lba = from; lba < from + blocks; lba++) {
      if (this.openOp === NONE) this.openUnit();
      const op = this.openOp;
      this.ftl.place(op, lba);
      const isComplete = this.ops.units[op] * UNIT_BYTES === this.ops.bytes[op];
      if (fua && (isComplete || lba === from + blocks - 1)) this.wait(cmd, op);
      if (isComplete) this.submitOpen();
    }
    if (fua) this.closeOpen();
    else {
      if (this.openOp !== NONE) {
        this.engine.armTimer(this.writeBackTimer, this.engine.now + this.profile.buffer.writeBackDelayNs);
      }
      this.rows.mark(cmd, ST_MEDIA_WAIT, this.engine.now); // nothing, unless the host side left a gap
      this.client.writeDone(cmd, true);
    }
  }

  flush(cmd: number): void {
    if (cmd >= this.lba.length) this.grow(cmd);
    this.closeOpen();
    this.pendingPrograms[cmd] = 0;
    this.isFlush[cmd] = 1;
    for (const op of this.active) this.wait(cmd, op);
    if (this.pendingPrograms[cmd] === 0) this.client.flushDone(cmd);
  }

  /** Forgets waiting commands and gives back promised room; data that has arrived stays and is programmed. */
  abortAll(): void {
    this.waiting.clear();
    this.hostBlocks.isBlocked = false;
    this.waiters.clear();
    this.promisedUnits = 0;
    this.granted = 0;
    let held = this.openOp === NONE ? 0 : this.ops.units[this.openOp];
    for (const op of this.active) held += this.ops.units[op];
    this.setUsed(held * UNIT_BYTES);
  }

  /** Grants what waits, as far as there is room: called when buffer or flash became free. */
  grantWaiting(): void {
    while (this.waiting.size > 0) {
      const cmd = this.waiting.at(0);
      const bytes = this.blocks[cmd] * UNIT_BYTES;
      const need = this.blocks[cmd] + this.geometry.unitsPerProgram;
      if (this.usedBytes > 0 && this.usedBytes + bytes > this.profile.buffer.writeBytes) {
        if (this.active.size === 0) this.closeOpen(); // nothing else would ever make room
        return;
      }
      if (this.hostBlocks.roomUnits() < this.promisedUnits + need) {
        this.hostBlocks.isBlocked = true;
        this.onNoSpace();
        return;
      }
      this.hostBlocks.isBlocked = false;
      this.waiting.shift();
      this.promisedUnits += need;
      this.granted++;
      this.setUsed(this.usedBytes + bytes);
      this.rows.mark(cmd, ST_MEDIA_WAIT, this.engine.now);
      this.client.writeGranted(cmd);
    }
  }

  opDone(op: number): void {
    this.active.delete(op);
    this.ftl.blocks.programmed[this.ops.block[op]] += this.ops.bytes[op] / UNIT_BYTES;
    this.setUsed(this.usedBytes - this.ops.units[op] * UNIT_BYTES);
    for (let node = this.ops.waiters[op]; node !== NONE;) {
      const cmd = this.waiters.cmdOf(node);
      node = this.waiters.release(node);
      if (--this.pendingPrograms[cmd] > 0) continue;
      markProgram(this.rows, cmd, this.ops, op, this.engine.now);
      if (this.isFlush[cmd] === 1) this.client.flushDone(cmd);
      else this.client.writeDone(cmd, true);
    }
    const die = this.ops.die[op];
    this.ops.release(op);
    this.onProgrammed(die);
    this.grantWaiting();
  }

  // ------------------------------------------------------------------------------------------------ program units

  private openUnit(): void {
    const block = this.hostBlocks.nextBlock();
    const isSlc = this.ftl.blocks.isSlc[block] === 1;
    const units = isSlc ? this.geometry.unitsPerRow : this.geometry.unitsPerProgram;
    const op = this.ops.take(OP_PROGRAM, this.geometry.dieOfBlock(block));
    this.ops.block[op] = block;
    this.ops.offset[op] = this.hostBlocks.takeUnits(block, units);
    this.ops.bytes[op] = units * UNIT_BYTES;
    this.ops.workNs[op] = isSlc ? this.profile.timing.slcProgramNs : this.profile.timing.programNs;
    this.openOp = op;
  }

  private submitOpen(): void {
    const op = this.openOp;
    this.openOp = NONE;
    this.engine.cancelTimer(this.writeBackTimer);
    this.active.add(op);
    this.programs++;
    this.dies.submit(op);
  }

  /** Pads and programs the incomplete unit, if there is one. */
  private closeOpen(): void {
    if (this.openOp === NONE) return;
    this.paddedUnits += this.ops.bytes[this.openOp] / UNIT_BYTES - this.ops.units[this.openOp];
    this.submitOpen();
  }

  private wait(cmd: number, op: number): void {
    this.ops.waiters[op] = this.waiters.add(cmd, this.ops.waiters[op]);
    this.pendingPrograms[cmd]++;
  }

  private setUsed(bytes: number): void {
    this.usedBytes = bytes;
    if (bytes > this.peakBytes) this.peakBytes = bytes;
    if (this.gauges.on) this.gauges.set(this.gauge, bytes);
  }

  private grow(cmd: number): void {
    let n = this.lba.length;
    while (n <= cmd) n *= 2;
    this.lba = wider(this.lba, new Float64Array(n));
    this.blocks = wider(this.blocks, new Int32Array(n));
    this.pendingPrograms = wider(this.pendingPrograms, new Int32Array(n));
    this.isFlush = wider(this.isFlush, new Uint8Array(n));
  }
}

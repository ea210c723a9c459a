/**
 * The read path: a command becomes one flash read per row it touches (all planes at once), all of them queued at their dies at once; data is handed to
 * the host side as each is ready. Units in the write buffer, prefetched or unmapped come from the device's memory. With a mapping cache, a command whose
 * map is not in it reads that first.
 */
import { wider } from '../engine/columns.ts';
import type { Engine } from '../engine/engine.ts';
import type { StageRows } from '../trace/stages.ts';
import type { DieArray } from './dies.ts';
import type { FlashOps } from './flash-ops.ts';
import { OP_AHEAD, OP_MAP_READ, OP_READ, type OpSink } from './flash-ops.ts';
import type { Ftl } from './ftl.ts';
import { UNIT_BYTES, type Geometry } from './geometry.ts';
import { MapCache } from './map-cache.ts';
import type { MediaProfile } from './profile.ts';
import { ReadAhead } from './read-ahead.ts';
import { markRead } from './stage-marks.ts';
import type { MediaClient } from './types.ts';
import { UNMAPPED } from './unit-map.ts';

const MEMORY = -1;

export class Reader implements OpSink {
  /** Read commands not yet answered in full. */
  inFlight = 0;
  commands = 0;
  units = 0;
  unitsFromMemory = 0;
  flashReads = 0;
  readonly mapCache: MapCache;
  readonly readAhead: ReadAhead;

  private readonly engine: Engine;
  private readonly profile: MediaProfile;
  private readonly ftl: Ftl;
  private readonly geometry: Geometry;
  private readonly dies: DieArray;
  private readonly ops: FlashOps;
  private readonly client: MediaClient;
  private readonly rows: StageRows;
  private readonly memoryKind: number;
  /** Flash operations a command still waits for. */
  private remaining = new Int32Array(64);
  private lba = new Float64Array(64);
  private blocks = new Int32Array(64);

  constructor(engine: Engine, profile: MediaProfile, ftl: Ftl, dies: DieArray, client: MediaClient, rows: StageRows) {
    this.engine = engine;
    this.profile = profile;
    this.ftl = ftl;
    this.geometry = ftl.geometry;
    this.dies = dies;
    this.ops = dies.ops;
    this.client = client;
    this.rows = rows;
    this.memoryKind = engine.register('media.memoryRead', (op) => this.memoryRead(op));
    dies.setSink(OP_READ, this);
    dies.setSink(OP_MAP_READ, { opDone: (op) => this.mapRead(op) });
    this.mapCache = new MapCache(profile.ftl.mapCacheBytes);
    this.readAhead = new ReadAhead(profile.readAhead.windowBytes, this.geometry.unitsPerRow, dies);
    this.readAhead.onReady = (op) => this.opDone(op);
  }

  read(cmd: number, lba: number, blocks: number): void {
    if (cmd >= this.remaining.length) this.grow(cmd);
    this.commands++;
    this.inFlight++;
    this.units += blocks;
    if (this.mapCache.miss(lba)) this.submitMapRead(cmd, lba, blocks);
    else this.readMapped(cmd, lba, blocks);
  }

  /** Submits the flash reads of a command, one per row. */
  private readMapped(cmd: number, lba: number, blocks: number): void {
    this.remaining[cmd] = 1; // held until all operations are submitted
    let fromMemory = 0;
    let row = MEMORY;
    let inRow = 0;
    for (let unit = lba; unit < lba + blocks; unit++) {
      const next = this.rowOf(unit);
      if (next === MEMORY) fromMemory++;
      else if (next === row) inRow++;
      else {
        if (row !== MEMORY) this.submitRow(cmd, row, inRow);
        row = next;
        inRow = 1;
      }
    }
    if (row !== MEMORY) this.submitRow(cmd, row, inRow);
    if (fromMemory > 0) this.submitMemory(cmd, fromMemory);
    this.remaining[cmd]--;
    if (this.readAhead.isOn) this.prefetch(lba, lba + blocks);
  }

  /** Forgets all commands (the operations themselves run on). */
  abortAll(): void {
    this.inFlight = 0;
  }

  opDone(op: number): void {
    const cmd = this.ops.cmd[op];
    if (cmd >= 0) {
      const last = --this.remaining[cmd] === 0;
      const bytes = this.ops.bytes[op];
      if (last) {
        markRead(this.rows, cmd, this.ops, op, this.engine.now);
        this.inFlight--;
      }
      this.ops.release(op);
      this.client.readReady(cmd, bytes, last, true);
    } else this.ops.release(op);
  }

  /** The row a unit is in (counted over the whole device), or MEMORY. */
  private rowOf(lba: number): number {
    const ppa = this.ftl.lookup(lba);
    if (ppa === UNMAPPED || this.ftl.isInMemory(ppa)) return MEMORY;
    const row = (ppa / this.geometry.unitsPerRow) | 0;
    return this.readAhead.isOn && this.readAhead.isReady(row) ? MEMORY : row;
  }

  private submitRow(cmd: number, row: number, units: number): void {
    const op = this.takeRead(OP_READ, row, units);
    this.ops.cmd[op] = cmd;
    this.remaining[cmd]++;
    if (this.readAhead.isOn && this.readAhead.has(row)) {
      this.readAhead.await(row, op);
      return;
    }
    this.flashReads++;
    this.dies.submit(op);
  }

  private takeRead(kind: number, row: number, units: number): number {
    const block = (row / this.geometry.rowsPerBlock) | 0;
    const op = this.ops.take(kind, this.geometry.dieOfBlock(block));
    const timing = this.profile.timing;
    this.ops.workNs[op] = this.ftl.blocks.isSlc[block] === 1 ? timing.slcReadNs : timing.readNs;
    this.ops.bytes[op] = units * UNIT_BYTES;
    return op;
  }

  /** Fetches the rows behind a sequential read that are not in memory yet. */
  private prefetch(lba: number, end: number): void {
    const { from, to } = this.readAhead.follow(lba, end, this.geometry.userUnits);
    for (let unit = from; unit < to; unit++) {
      const row = this.rowOf(unit);
      if (row === MEMORY || this.readAhead.has(row)) continue;
      this.flashReads++;
      this.readAhead.fetch(row, this.takeRead(OP_AHEAD, row, this.geometry.unitsPerRow));
    }
  }

  private submitMapRead(cmd: number, lba: number, blocks: number): void {
    this.lba[cmd] = lba;
    this.blocks[cmd] = blocks;
    // @assume the map is spread over all dies and kept in SLC mode
    const op = this.ops.take(OP_MAP_READ, this.mapCache.segmentOf(lba) % this.geometry.dies);
    this.ops.cmd[op] = cmd;
    this.ops.workNs[op] = this.profile.timing.slcReadNs;
    this.ops.bytes[op] = UNIT_BYTES;
    this.flashReads++;
    this.dies.submit(op);
  }

  private mapRead(op: number): void {
    const cmd = this.ops.cmd[op];
    if (cmd >= 0) markRead(this.rows, cmd, this.ops, op, this.engine.now);
    this.ops.release(op);
    if (cmd >= 0) this.readMapped(cmd, this.lba[cmd], this.blocks[cmd]);
  }

  private submitMemory(cmd: number, units: number): void {
    const op = this.ops.take(OP_READ, 0);
    this.ops.cmd[op] = cmd;
    this.ops.bytes[op] = units * UNIT_BYTES;
    this.ops.startNs[op] = this.engine.now;
    this.remaining[cmd]++;
    this.unitsFromMemory += units;
    this.engine.after(this.profile.buffer.hitNs, this.memoryKind, op);
  }

  private memoryRead(op: number): void {
    this.ops.sensedNs[op] = this.engine.now;
    this.ops.busNs[op] = this.engine.now;
    this.opDone(op);
  }

  private grow(cmd: number): void {
    let n = this.remaining.length;
    while (n <= cmd) n *= 2;
    this.remaining = wider(this.remaining, new Int32Array(n));
    this.lba = wider(this.lba, new Float64Array(n));
    this.blocks = wider(this.blocks, new Int32Array(n));
  }
}

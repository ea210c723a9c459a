/**
 * A flash device behind its command interface: dies on channels, a page-mapped translation layer with garbage collection, a write buffer and an SLC cache
 * (WriteBooster). Commands come from the host side of the device (`core/hosts`), answers go to a `MediaClient`; `types.ts` is the contract.
 *
 * `writeGranted`, `writeDone` and `flushDone` may be called before the method that asked returns; reads and discards are always answered by a later event.
 *
 * Not modelled (`@assume`): read errors and retries, wear-out and static wear levelling (free blocks are taken least worn first), read disturb and refresh, loss of power,
 * the time of the link and of the firmware (both belong to the device in `core/hosts`).
 */
import type { Engine } from '../engine/engine.ts';
import type { DetailLog, GaugeLog } from '../trace/log.ts';
import { ST_MEDIA, type StageRows } from '../trace/stages.ts';
import { Collector } from './collector.ts';
import { DieArray } from './dies.ts';
import type { FlashOps } from './flash-ops.ts';
import { Ftl } from './ftl.ts';
import { Geometry, UNIT_BYTES } from './geometry.ts';
import { HostBlocks } from './host-blocks.ts';
import type { MediaProfile } from './profile.ts';
import { Reader } from './reader.ts';
import { mediaStatistics } from './statistics.ts';
import type { Media, MediaClient } from './types.ts';
import { Writer } from './writer.ts';

const NONE = -1;

export class FlashMedia implements Media {
  readonly geometry: Geometry;
  readonly ftl: Ftl;
  readonly dies: DieArray;
  readonly hostBlocks: HostBlocks;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly collector: Collector;
  discards = 0;
  flushes = 0;

  private readonly engine: Engine;
  private readonly profile: MediaProfile;
  private readonly client: MediaClient;
  private readonly rows: StageRows;
  private readonly ops: FlashOps;
  private readonly idleTimer: number;
  private readonly discardKind: number;
  private discardsInFlight = 0;
  /** Commands of discards under way by slot: -1 free, FORGOTTEN after a reset. */
  private readonly discarding: number[] = [];

  /**
   * @param capacityBytes user capacity; a multiple of 4096
   * @param rows stage rows of the requests, indexed by `cmd`
   */
  constructor(
    engine: Engine,
    profile: MediaProfile,
    capacityBytes: number,
    client: MediaClient,
    rows: StageRows,
    log: DetailLog,
    gauges: GaugeLog,
  ) {
    this.engine = engine;
    this.profile = profile;
    this.client = client;
    this.rows = rows;
    this.geometry = new Geometry(profile, capacityBytes);
    this.dies = new DieArray(engine, profile, this.geometry, log, gauges);
    this.ops = this.dies.ops;
    this.ftl = new Ftl(profile, this.geometry, this.ops);
    this.hostBlocks = new HostBlocks(profile, this.ftl, gauges);
    this.reader = new Reader(engine, profile, this.ftl, this.dies, client, rows);
    this.writer = new Writer(engine, profile, this.ftl, this.dies, this.hostBlocks, client, rows, gauges);
    this.collector = new Collector(profile, this.ftl, this.dies, this.hostBlocks);
    this.hostBlocks.onOpened = (die) => this.collector.check(die);
    this.writer.onNoSpace = () => this.collector.checkAll();
    this.writer.onProgrammed = (die) => this.collector.check(die);
    this.collector.onFreed = () => this.writer.grantWaiting();
    this.discardKind = engine.register('media.discarded', (slot) => this.discarded(slot));
    // A daemon: idle work alone does not keep a run alive.
    this.idleTimer = engine.createTimer(
      engine.register('media.idle', () => this.idleFor()),
      0,
      true,
    );
  }

  read(cmd: number, lba: number, blocks: number): void {
    this.checkRange(lba, blocks);
    this.hostIsActive();
    this.reader.read(cmd, lba, blocks);
  }

  requestWrite(cmd: number, lba: number, blocks: number): void {
    this.checkRange(lba, blocks);
    this.hostIsActive();
    this.writer.requestWrite(cmd, lba, blocks);
  }

  write(cmd: number, fua: boolean): void {
    this.hostIsActive();
    this.writer.write(cmd, fua);
  }

  flush(cmd: number): void {
    this.hostIsActive();
    this.flushes++;
    this.writer.flush(cmd);
  }

  discard(cmd: number, lba: number, blocks: number): void {
    this.checkRange(lba, blocks);
    this.hostIsActive();
    this.discards++;
    this.ftl.unmap(lba, blocks);
    this.discardsInFlight++;
    let slot = this.discarding.indexOf(NONE);
    if (slot < 0) slot = this.discarding.push(NONE) - 1;
    this.discarding[slot] = cmd;
    this.engine.after(this.profile.ftl.discardNs, this.discardKind, slot);
  }

  abortAll(): void {
    this.ops.forgetCommands();
    this.reader.abortAll();
    this.writer.abortAll();
    this.discarding.forEach((cmd, slot) => {
      if (cmd !== NONE) this.discarding[slot] = FORGOTTEN;
    });
  }

  isIdle(): boolean {
    return this.dies.pending === 0 && this.writer.isEmpty && this.isHostQuiet() && !this.collector.isWorking;
  }

  statistics(): Readonly<Record<string, number>> {
    return mediaStatistics(this);
  }

  /** Size of the write buffer (bytes). */
  get bufferBytes(): number {
    return this.profile.buffer.writeBytes;
  }

  /** The host side refuses what is beyond the capacity; here it would corrupt the map. */
  private checkRange(lba: number, blocks: number): void {
    if (lba < 0 || blocks < 1 || lba + blocks > this.geometry.userUnits) {
      throw new Error(`media: blocks ${lba} + ${blocks} are not on a device of ${this.geometry.userUnits}`);
    }
  }

  private discarded(slot: number): void {
    const cmd = this.discarding[slot];
    this.discarding[slot] = NONE;
    this.discardsInFlight--;
    if (cmd === FORGOTTEN) return;
    this.rows.mark(cmd, ST_MEDIA, this.engine.now);
    this.client.discardDone(cmd);
  }

  // ------------------------------------------------------------------------------------------------ idle time

  private isHostQuiet(): boolean {
    return this.reader.inFlight === 0 && this.writer.inFlight === 0 && this.discardsInFlight === 0;
  }

  private hostIsActive(): void {
    this.collector.isIdleTime = false;
    this.engine.armTimer(this.idleTimer, this.engine.now + this.profile.slc.idleDelayNs);
  }

  private idleFor(): void {
    if (!this.isHostQuiet() || !this.writer.isEmpty) {
      this.engine.armTimer(this.idleTimer, this.engine.now + this.profile.slc.idleDelayNs);
      return;
    }
    this.collector.isIdleTime = true;
    this.collector.startIdleWork();
  }
}

/** A discard whose command a reset forgot. */
const FORGOTTEN = -2;

/** Bytes of one logical block. */
export const BLOCK_BYTES = UNIT_BYTES;

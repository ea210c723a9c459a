/**
 * A closed loop around a flash device, without host: so many commands outstanding, each costing firmware time on one of the device's cores and its bytes on a
 * link. A testing aid and a quick prediction: what a profile can do at best, before any CPU of the host is involved.
 *
 * The link is a reservation per direction (one for both when half duplex); the firmware is a first-come, first-served station with `cores` servers.
 */
import { Engine } from '../engine/engine.ts';
import { IntRing } from '../engine/ring.ts';
import { NO_GAUGES, NO_LOG } from '../trace/log.ts';
import { StageRows } from '../trace/stages.ts';
import { FlashMedia } from './flash-media.ts';
import { UNIT_BYTES } from './geometry.ts';
import type { MediaProfile } from './profile.ts';
import type { MediaClient } from './types.ts';

export interface HarnessLink {
  readonly bytesPerS: number;
  readonly isHalfDuplex: boolean;
  /** Time each command takes on the link besides its data (ns). */
  readonly commandNs: number;
}

export interface HarnessLoad {
  readonly op: 'read' | 'write';
  readonly pattern: 'sequential' | 'random';
  readonly blockBytes: number;
  readonly queueDepth: number;
  /** Commands to complete. The first fifth of them is not measured. */
  readonly commands: number;
  readonly capacityBytes: number;
  /** Random accesses stay below this; 0: the whole capacity. */
  readonly spanBytes?: number;
  readonly seed?: number;
}

export interface HarnessResult {
  readonly iops: number;
  readonly bytesPerS: number;
  readonly meanNs: number;
  readonly events: number;
  /** Law: stages of every command add up to its latency. */
  readonly areStagesExact: boolean;
  readonly statistics: Readonly<Record<string, number>>;
}

/** Runs one load to its end and returns what it reached. */
export function measure(profile: MediaProfile, link: HarnessLink, load: HarnessLoad): HarnessResult {
  return new ClosedLoop(profile, link, load).run();
}

class ClosedLoop implements MediaClient {
  readonly engine: Engine;
  readonly media: FlashMedia;
  private readonly rows: StageRows;
  private readonly profile: MediaProfile;
  private readonly link: HarnessLink;
  private readonly load: HarnessLoad;
  private readonly blocks: number;
  private readonly span: number;
  private readonly firmwareQueue = new IntRing();
  private firmwareBusy = 0;
  private downFreeNs = 0;
  private upFreeNs = 0;
  private started = 0;
  private completed = 0;
  private measuredFromNs = 0;
  private lastCompletionNs = 0;
  private measured = 0;
  private latencySumNs = 0;
  private exact = true;
  private readonly startNs: Float64Array;
  private readonly lba: Float64Array;
  private readonly kinds: { firmware: number; arrived: number; complete: number };
  private readonly random;

  constructor(profile: MediaProfile, link: HarnessLink, load: HarnessLoad) {
    this.engine = new Engine(load.seed ?? 1);
    this.rows = new StageRows(load.queueDepth);
    this.profile = profile;
    this.link = link;
    this.load = load;
    this.blocks = load.blockBytes / UNIT_BYTES;
    this.span = Math.floor((load.spanBytes ?? load.capacityBytes) / load.blockBytes);
    this.startNs = new Float64Array(load.queueDepth);
    this.lba = new Float64Array(load.queueDepth);
    this.random = this.engine.stream('harness/offset');
    this.media = new FlashMedia(this.engine, profile, load.capacityBytes, this, this.rows, NO_LOG, NO_GAUGES);
    this.kinds = {
      firmware: this.engine.register('harness.firmware', (cmd) => this.handled(cmd)),
      arrived: this.engine.register('harness.arrived', (cmd) => this.media.write(cmd, false)),
      complete: this.engine.register('harness.complete', (cmd) => this.complete(cmd)),
    };
  }

  run(): HarnessResult {
    for (let cmd = 0; cmd < this.load.queueDepth; cmd++) this.start(cmd);
    while (this.engine.runSlice(1_000_000));
    const elapsedNs = this.lastCompletionNs - this.measuredFromNs;
    const iops = (this.measured * 1e9) / elapsedNs;
    return {
      iops,
      bytesPerS: iops * this.load.blockBytes,
      meanNs: this.latencySumNs / this.measured,
      events: this.engine.events,
      areStagesExact: this.exact,
      statistics: this.media.statistics(),
    };
  }

  private start(cmd: number): void {
    const index = this.started++;
    const slot = this.load.pattern === 'sequential' ? index % this.span : this.random.below(this.span);
    this.lba[cmd] = slot * this.blocks;
    this.startNs[cmd] = this.engine.now;
    this.firmwareQueue.push(cmd);
    this.feedFirmware();
  }

  private feedFirmware(): void {
    const firmware = this.profile.firmware;
    while (this.firmwareBusy < firmware.cores && this.firmwareQueue.size > 0) {
      this.firmwareBusy++;
      const costNs = this.load.op === 'read' ? firmware.readCommandNs : firmware.writeCommandNs;
      this.engine.after(costNs, this.kinds.firmware, this.firmwareQueue.shift());
    }
  }

  private handled(cmd: number): void {
    this.firmwareBusy--;
    this.rows.start(cmd, this.engine.now);
    if (this.load.op === 'read') this.media.read(cmd, this.lba[cmd], this.blocks);
    else this.media.requestWrite(cmd, this.lba[cmd], this.blocks);
    this.feedFirmware();
  }

  /** Reserves the link for `bytes`, returns when they are over. */
  private transfer(bytes: number, up: boolean, commandNs: number): number {
    const ns = commandNs + Math.ceil((bytes * 1e9) / this.link.bytesPerS);
    if (up || this.link.isHalfDuplex) {
      this.upFreeNs = Math.max(this.upFreeNs, this.engine.now) + ns;
      return this.upFreeNs;
    }
    this.downFreeNs = Math.max(this.downFreeNs, this.engine.now) + ns;
    return this.downFreeNs;
  }

  readReady(cmd: number, bytes: number, last: boolean, ok: boolean): void {
    if (!ok) throw new Error('harness: a read failed');
    const atNs = this.transfer(bytes, true, last ? this.link.commandNs : 0);
    if (!last) return;
    this.checkStages(cmd);
    this.engine.at(atNs, this.kinds.complete, cmd);
  }

  writeGranted(cmd: number): void {
    this.checkStages(cmd);
    this.engine.at(this.transfer(this.load.blockBytes, false, this.link.commandNs), this.kinds.arrived, cmd);
  }

  writeDone(cmd: number): void {
    this.checkStages(cmd);
    this.complete(cmd);
  }

  flushDone(): void {
    throw new Error('harness: no flush was sent');
  }

  discardDone(): void {
    throw new Error('harness: no discard was sent');
  }

  private checkStages(cmd: number): void {
    const isAtNow = this.rows.lastNs[cmd] === this.engine.now;
    if (!isAtNow || this.rows.total(cmd) !== this.engine.now - this.rows.startNs[cmd]) this.exact = false;
  }

  private complete(cmd: number): void {
    this.completed++;
    const warmUp = Math.floor(this.load.commands / 5);
    if (this.completed === warmUp) this.measuredFromNs = this.engine.now;
    if (this.completed > warmUp && this.completed <= this.load.commands) {
      this.measured++;
      this.latencySumNs += this.engine.now - this.startNs[cmd];
      this.lastCompletionNs = this.engine.now;
    }
    if (this.started < this.load.commands) this.start(cmd);
  }
}

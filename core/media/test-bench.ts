/**
 * A testing aid: a small flash device with round figures, a client that records answers with their times, and an audit of the translation layer.
 *
 * Figures of `tinyProfile`: 2 channels x 2 dies x 2 planes, 16 KiB pages, 12 pages per block; reads 50 us, programs 1 ms, erases 3 ms, SLC 25 / 200 us;
 * channels at 1,000 MT/s without overhead, so 4 KiB take 4,096 ns.
 */
import { Engine } from '../engine/engine.ts';
import { NO_GAUGES, NO_LOG, type DetailLog, type GaugeLog } from '../trace/log.ts';
import { ST_MEDIA, ST_MEDIA_WAIT, STAGE_STRIDE, StageRows } from '../trace/stages.ts';
import { FlashMedia } from './flash-media.ts';
import { overrideProfile, type MediaProfile, type ProfileOverrides } from './profile.ts';
import { ufs31Tlc } from './profiles/ufs-3.1-tlc.ts';
import type { MediaClient } from './types.ts';
import { UNMAPPED } from './unit-map.ts';

/** A device small enough to compute by hand. No SLC cache, no suspend, unless overridden. */
export function tinyProfile(overrides: ProfileOverrides = {}): MediaProfile {
  const base = overrideProfile(ufs31Tlc, {
    name: 'tiny',
    capacityBytes: 2 ** 24,
    geometry: { channels: 2, diesPerChannel: 2, planesPerDie: 2, pageBytes: 16384, pagesPerBlock: 12 },
    timing: { readNs: 50_000, programNs: 1_000_000, eraseNs: 3_000_000, slcReadNs: 25_000, slcProgramNs: 200_000 },
    bus: { mtPerS: 1000, overheadNs: 0 },
    buffer: { writeBytes: 2 ** 20, hitNs: 1000, writeBackDelayNs: 500_000 },
    slc: { enabled: false },
    ftl: { overprovisioningPermille: 250 },
  });
  const still = overrideProfile(base, { timing: { suspendNs: 0 } });
  return overrideProfile(still, overrides);
}

/** One answer of the media. */
export interface Answer {
  readonly atNs: number;
  readonly what: 'readReady' | 'writeGranted' | 'writeDone' | 'flushDone' | 'discardDone';
  readonly cmd: number;
  readonly bytes: number;
  readonly last: boolean;
  readonly waitNs: number;
  readonly workNs: number;
}

export class TestBench implements MediaClient {
  readonly engine: Engine;
  readonly rows: StageRows;
  readonly media: FlashMedia;
  readonly answers: Answer[] = [];
  /** Commands whose stages did not add up to the time since they were issued; must stay empty. */
  readonly inexact: number[] = [];
  /** Send the data of a write as soon as it is granted. */
  sendsData = true;
  fua = false;

  constructor(
    profile: MediaProfile,
    capacityBytes: number,
    options: { readonly seed?: number; readonly log?: DetailLog; readonly gauges?: GaugeLog } = {},
  ) {
    this.engine = new Engine(options.seed ?? 1);
    this.rows = new StageRows(256);
    const { log = NO_LOG, gauges = NO_GAUGES } = options;
    this.media = new FlashMedia(this.engine, profile, capacityBytes, this, this.rows, log, gauges);
  }

  read(cmd: number, lba: number, blocks = 1): void {
    this.rows.start(cmd, this.engine.now);
    this.media.read(cmd, lba, blocks);
  }

  write(cmd: number, lba: number, blocks = 1): void {
    this.rows.start(cmd, this.engine.now);
    this.media.requestWrite(cmd, lba, blocks);
  }

  flush(cmd: number): void {
    this.rows.start(cmd, this.engine.now);
    this.media.flush(cmd);
  }

  discard(cmd: number, lba: number, blocks: number): void {
    this.rows.start(cmd, this.engine.now);
    this.media.discard(cmd, lba, blocks);
  }

  /** Runs until nothing is pending, or until `untilNs`. */
  run(untilNs = Infinity): void {
    while (this.engine.runSlice(1_000_000, untilNs));
  }

  /** Answers of one kind, in order. */
  of(what: Answer['what']): Answer[] {
    return this.answers.filter((a) => a.what === what);
  }

  readReady(cmd: number, bytes: number, last: boolean): void {
    this.note('readReady', cmd, bytes, last);
  }

  writeGranted(cmd: number): void {
    this.note('writeGranted', cmd, 0, false);
    if (this.sendsData) this.media.write(cmd, this.fua);
  }

  writeDone(cmd: number): void {
    this.note('writeDone', cmd, 0, true);
  }

  flushDone(cmd: number): void {
    this.note('flushDone', cmd, 0, true);
  }

  discardDone(cmd: number): void {
    this.note('discardDone', cmd, 0, true);
  }

  private note(what: Answer['what'], cmd: number, bytes: number, last: boolean): void {
    const row = cmd * STAGE_STRIDE;
    const waitNs = this.rows.ns[row + ST_MEDIA_WAIT];
    const workNs = this.rows.ns[row + ST_MEDIA];
    this.answers.push({ atNs: this.engine.now, what, cmd, bytes, last, waitNs, workNs });
    const isMarked = what !== 'readReady' || last;
    if (isMarked && waitNs + workNs !== this.engine.now - this.rows.startNs[cmd]) this.inexact.push(cmd);
  }
}

/**
 * Checks that every mapped logical unit has exactly one valid place, that every place of a block that claims to be valid is one, and that free blocks hold nothing.
 * Returns the violations as sentences; an empty list is what tests expect.
 */
export function auditTranslation(media: FlashMedia): string[] {
  const { ftl, geometry } = media;
  const problems: string[] = [];
  const counted = new Int32Array(geometry.blocks);
  const seen = new Set<number>();
  for (let lba = 0; lba < geometry.userUnits; lba++) {
    const ppa = ftl.lookup(lba);
    if (ppa === UNMAPPED) continue;
    const block = geometry.blockOf(ppa);
    counted[block]++;
    if (seen.has(ppa)) problems.push(`two units share place ${ppa}`);
    seen.add(ppa);
    if (ftl.ownerOf(block, ppa - block * geometry.unitsPerBlock) !== lba) problems.push(`place ${ppa} denies ${lba}`);
  }
  for (let block = 0; block < geometry.blocks; block++) {
    if (ftl.blocks.valid[block] !== counted[block]) {
      problems.push(`block ${block} counts ${ftl.blocks.valid[block]} valid units, has ${counted[block]}`);
    }
    if (ftl.blocks.state[block] === 0 && counted[block] > 0) problems.push(`free block ${block} holds data`);
  }
  return problems;
}

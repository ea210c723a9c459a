/**
 * The access pattern of one clone on one file: the offset and size of its next I/O.
 *
 * Sequential directions each have a position of their own. Random directions draw a block: every block once per pass where the job keeps a random
 * map, independent draws otherwise. What follows a random I/O sequentially (rand*:N, percentage_random) leaves the map alone, as in fio. A tail smaller than the smallest block
 * is not issued.
 *
 * `@assume` random_generator=lfsr visits every block once like the map does; its order is another one.
 *
 * @source fio 3.33 HOWTO "rw", "norandommap", "blockalign", "percentage_random"; sequences in blk-mq-and-formats.md 2.5.3 and observed with `--write_iolog`
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { FileRegion } from './clones.ts';
import { blockDraw, type BlockDraw } from './distributions.ts';
import type { FioJob } from './fio/job.ts';
import { DDIR_READ, DDIR_TRIM, DDIR_WRITE } from './io.ts';
import { RandomMap } from './random-map.ts';
import { sizeDraw, type SizeDraw } from './sizes.ts';
import { StridedZones } from './zones.ts';

const DIRECTIONS = [DDIR_READ, DDIR_WRITE, DDIR_TRIM] as const;

export class FilePattern {
  /** The I/O that `next` chose last, relative to the device. */
  offsetBytes = 0;
  sizeBytes = 0;

  private readonly job: FioJob;
  private readonly region: FileRegion;
  private readonly engine: Engine;
  private readonly streamName: string;
  /** Starts over by itself at the end instead of ending the pass. */
  private readonly wraps: boolean;
  /** A block of the map. */
  private readonly unitBytes: number;
  private readonly map: RandomMap | undefined;
  private readonly zones: StridedZones | undefined;
  private draws: readonly BlockDraw[] = [];
  private sizes: readonly SizeDraw[] = [];
  private share: RandomStream;
  private zoneStream: RandomStream;
  /** Where the next sequential I/O of each direction begins (relative to the file). */
  private readonly position = new Float64Array(DIRECTIONS.length);
  private readonly lastOffset = new Float64Array(DIRECTIONS.length);
  private readonly leftAtOffset = new Int32Array(DIRECTIONS.length);

  constructor(engine: Engine, name: string, job: FioJob, region: FileRegion, wraps: boolean) {
    this.engine = engine;
    this.job = job;
    this.region = region;
    this.wraps = wraps;
    this.streamName = `workload/${name}`;
    const used = DIRECTIONS.filter((d) => usesDirection(job, d));
    this.unitBytes = Math.min(...used.map((d) => job.blocks.alignBytes[d]));
    const blocks = Math.floor(region.sizeBytes / this.unitBytes);
    this.zones = job.region.zones === undefined ? undefined : new StridedZones(job.region.zones, region.sizeBytes);
    const usesMap = keepsMap(job) && this.zones === undefined && blocks > 0;
    this.map = usesMap ? new RandomMap(blocks) : undefined;
    this.share = engine.stream(`${this.streamName}/share`);
    this.zoneStream = engine.stream(`${this.streamName}/zone`);
    this.makeDraws();
  }

  /** Chooses the next I/O in direction `ddir`; false when the pass over the file is over. */
  next(ddir: number): boolean {
    const { pattern, random } = this.job;
    if (this.zones !== undefined) return this.zoned(this.zones, ddir);
    if (!pattern.isRandom) return this.sequential(ddir);
    if (this.leftAtOffset[ddir] > 0) {
      this.leftAtOffset[ddir]--;
      return pattern.sequencer === 'identical' ? this.again(ddir) : this.following(ddir);
    }
    const percent = random.randomPercent[ddir];
    if (percent < 100 && this.share.below(100) >= percent) return this.following(ddir);
    this.leftAtOffset[ddir] = pattern.ioPerOffset - 1;
    return this.random(ddir, true);
  }

  /** Begins another pass; `fresh`: with the same draws again. */
  restart(fresh: boolean): void {
    this.map?.reset();
    this.zones?.restart();
    this.position.fill(0);
    this.leftAtOffset.fill(0);
    if (!fresh) return;
    this.share = this.engine.stream(`${this.streamName}/share`);
    this.zoneStream = this.engine.stream(`${this.streamName}/zone`);
    this.makeDraws();
  }

  private makeDraws(): void {
    const { blocks, random } = this.job;
    const offsets = this.engine.stream(`${this.streamName}/offset`);
    const sizes = this.engine.stream(`${this.streamName}/size`);
    this.draws = DIRECTIONS.map((d) => {
      const unitBytes = this.map === undefined ? blocks.alignBytes[d] : this.unitBytes;
      const reach = this.region.sizeBytes - (this.map === undefined ? blocks.minBytes[d] : unitBytes);
      const count = Math.max(1, Math.floor(reach / unitBytes) + 1);
      return blockDraw(random.distribution, count, unitBytes, d, offsets);
    });
    this.sizes = DIRECTIONS.map((d) => sizeDraw(blocks.sizes[d], blocks.isUnaligned, sizes));
  }

  private drawSize(ddir: number, isRandom: boolean, roomBytes: number): number {
    if (!this.job.blocks.writeSizesForRandom) return this.sizes[ddir](roomBytes);
    return this.sizes[isRandom ? DDIR_WRITE : DDIR_READ](roomBytes);
  }

  private sequential(ddir: number): boolean {
    const { sizeBytes } = this.region;
    const { holeBytes } = this.job.pattern;
    let at = this.position[ddir];
    if (at >= sizeBytes) {
      if (!this.wraps) return false;
      at = 0;
    }
    if (at > 0 && holeBytes !== 0) {
      at += holeBytes;
      if (at < 0 || at >= sizeBytes) at = holeBytes > 0 ? 0 : sizeBytes + holeBytes;
    }
    if (at < 0) return false; // the step back is larger than the file
    return this.choose(ddir, at, this.drawSize(ddir, false, sizeBytes - at));
  }

  /** The block after the last one; at the end of the file a random one. */
  private following(ddir: number): boolean {
    return this.position[ddir] < this.region.sizeBytes ? this.sequential(ddir) : this.random(ddir, false);
  }

  private random(ddir: number, marks: boolean): boolean {
    const { map } = this;
    if (map === undefined) {
      const at = this.draws[ddir]() * this.job.blocks.alignBytes[ddir];
      return this.choose(ddir, at, this.drawSize(ddir, true, this.region.sizeBytes - at));
    }
    for (let misfits = 0; misfits < map.blocks; misfits++) {
      if (map.free === 0) {
        if (!this.wraps) return false;
        map.reset();
      }
      const block = map.nextFree(this.draws[ddir]());
      const at = this.alignedOffset(ddir, block);
      const size = this.drawSize(ddir, true, this.region.sizeBytes - at);
      if (size > 0) return this.choose(ddir, at, marks ? this.visitRun(map, ddir, at, size) : size);
      map.visit(block); // not even the smallest fits here
    }
    return false;
  }

  private alignedOffset(ddir: number, block: number): number {
    const at = block * this.unitBytes;
    const alignBytes = this.job.blocks.alignBytes[ddir];
    return alignBytes === this.unitBytes ? at : Math.floor(at / alignBytes) * alignBytes;
  }

  /** Marks the blocks of an I/O as visited. An I/O larger than the smallest is cut at the first block that was visited before. */
  private visitRun(map: RandomMap, ddir: number, atBytes: number, sizeBytes: number): number {
    const first = atBytes / this.unitBytes;
    const end = Math.min(map.blocks, first + Math.ceil(sizeBytes / this.unitBytes));
    let block = first;
    while (block < end && !map.isVisited(block)) map.visit(block++);
    if (block === end) return sizeBytes;
    const cutBytes = Math.max(this.job.blocks.minBytes[ddir], (block - first) * this.unitBytes);
    // directions with other blocks may have begun the smallest block already
    for (; block < end && (block - first) * this.unitBytes < cutBytes; block++) {
      if (!map.isVisited(block)) map.visit(block);
    }
    return Math.min(sizeBytes, cutBytes);
  }

  private zoned(zones: StridedZones, ddir: number): boolean {
    if (zones.turn()) this.position.fill(zones.startBytes);
    const { startBytes, windowBytes } = zones;
    const alignBytes = this.job.blocks.alignBytes[ddir];
    const blocks = Math.floor((windowBytes - this.job.blocks.minBytes[ddir]) / alignBytes) + 1;
    if (blocks < 1) return false;
    let at = this.position[ddir];
    if (this.job.pattern.isRandom) at = startBytes + this.zoneStream.below(blocks) * alignBytes;
    else if (at < startBytes || at >= startBytes + windowBytes) at = startBytes;
    const size = this.drawSize(ddir, this.job.pattern.isRandom, startBytes + windowBytes - at);
    zones.issued(size);
    return this.choose(ddir, at, size);
  }

  private again(ddir: number): boolean {
    const at = this.lastOffset[ddir];
    return this.choose(ddir, at, this.drawSize(ddir, true, this.region.sizeBytes - at));
  }

  private choose(ddir: number, atBytes: number, sizeBytes: number): boolean {
    this.lastOffset[ddir] = atBytes;
    this.position[ddir] = atBytes + sizeBytes;
    this.offsetBytes = this.region.startBytes + atBytes;
    this.sizeBytes = sizeBytes;
    return sizeBytes > 0;
  }
}

/** An LFSR visits every block once whether or not a map is wanted. */
function keepsMap(job: FioJob): boolean {
  const { random, pattern } = job;
  if (!pattern.isRandom) return false;
  return random.usesMap || (random.generator === 'lfsr' && random.distribution.kind === 'random');
}

function usesDirection(job: FioJob, ddir: number): boolean {
  const { reads, writes, trims } = job.pattern;
  return [reads, writes, trims][ddir];
}

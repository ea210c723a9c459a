/**
 * The access pattern of one clone on one file: the offset and size of its next I/O.
 *
 * Sequential directions each have a position of their own. Random directions draw a block: every block once per pass where the job keeps a random
 * map, independent draws otherwise. A tail smaller than the smallest block is not issued.
 *
 * @source fio 3.33 HOWTO "rw", "norandommap", "blockalign", "percentage_random"; sequences in blk-mq-and-formats.md 2.5.3
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { FileRegion } from './clones.ts';
import { blockDraw, type BlockDraw } from './distributions.ts';
import type { FioJob } from './fio/job.ts';
import { DDIR_READ, DDIR_TRIM, DDIR_WRITE } from './io.ts';
import { RandomMap } from './random-map.ts';
import { sizeDraw, type SizeDraw } from './sizes.ts';

const DIRECTIONS = [DDIR_READ, DDIR_WRITE, DDIR_TRIM] as const;

export class FilePattern {
  /** The I/O that `next` chose last, relative to the device. */
  offsetBytes = 0;
  sizeBytes = 0;

  private readonly job: FioJob;
  private readonly region: FileRegion;
  private readonly unitBytes: number;
  private readonly map: RandomMap | undefined;
  private readonly streamName: string;
  private readonly engine: Engine;
  private offsets: RandomStream;
  private draws: readonly BlockDraw[] = [];
  private sizes: readonly SizeDraw[] = [];
  private readonly randomShare: RandomStream;
  /** Where the next sequential I/O of each direction begins (relative to the file). */
  private readonly position = new Float64Array(DIRECTIONS.length);
  private readonly lastOffset = new Float64Array(DIRECTIONS.length);
  private readonly leftAtOffset = new Int32Array(DIRECTIONS.length);

  constructor(engine: Engine, name: string, job: FioJob, region: FileRegion) {
    this.engine = engine;
    this.job = job;
    this.region = region;
    this.streamName = `workload/${name}`;
    this.unitBytes = Math.min(...DIRECTIONS.filter((d) => usesDirection(job, d)).map((d) => job.blocks.alignBytes[d]));
    const blocks = Math.floor(region.sizeBytes / this.unitBytes);
    this.map = job.pattern.isRandom && job.random.usesMap && blocks > 0 ? new RandomMap(blocks) : undefined;
    this.randomShare = engine.stream(`${this.streamName}/share`);
    this.offsets = engine.stream(`${this.streamName}/offset`);
    this.makeDraws();
    this.restartPositions();
  }

  /** Chooses the next I/O in direction `ddir`; false when the pass over the file is over. */
  next(ddir: number): boolean {
    const { pattern } = this.job;
    if (!pattern.isRandom) return this.sequential(ddir);
    if (this.leftAtOffset[ddir] > 0) {
      this.leftAtOffset[ddir]--;
      if (pattern.sequencer === 'identical') return this.again(ddir);
      if (this.sequential(ddir)) return true;
    }
    const randomPercent = this.job.random.randomPercent[ddir];
    if (randomPercent < 100 && this.randomShare.below(100) >= randomPercent) {
      if (this.sequential(ddir)) return true;
      this.position[ddir] = 0;
      return this.sequential(ddir);
    }
    this.leftAtOffset[ddir] = pattern.ioPerOffset - 1;
    return this.random(ddir);
  }

  /** Begins another pass. A repeatable job sees the same order again. */
  restart(): void {
    this.map?.reset();
    if (this.job.random.isRepeatable) {
      this.offsets = this.engine.stream(`${this.streamName}/offset`);
      this.makeDraws();
    }
    this.restartPositions();
  }

  private restartPositions(): void {
    const backwards = this.job.pattern.holeBytes < 0;
    for (const d of DIRECTIONS) {
      this.position[d] = backwards ? Math.max(0, this.region.sizeBytes - this.job.blocks.minBytes[d]) : 0;
      this.leftAtOffset[d] = 0;
    }
  }

  private makeDraws(): void {
    const { job } = this;
    const blocks = Math.max(1, Math.floor(this.region.sizeBytes / this.unitBytes));
    const sizes = this.engine.stream(`${this.streamName}/size`);
    this.draws = DIRECTIONS.map((d) => blockDraw(job.random.distribution, blocks, this.unitBytes, d, this.offsets));
    this.sizes = DIRECTIONS.map((d) => sizeDraw(job.blocks.sizes[d], job.blocks.isUnaligned, sizes));
  }

  private drawSize(ddir: number, isRandom: boolean, roomBytes: number): number {
    const { blocks } = this.job;
    const by = blocks.writeSizesForRandom ? (isRandom ? DDIR_WRITE : DDIR_READ) : ddir;
    const drawn = this.sizes[by](roomBytes);
    if (drawn <= roomBytes) return drawn;
    return Math.floor(roomBytes / blocks.minBytes[by]) * blocks.minBytes[by];
  }

  private sequential(ddir: number): boolean {
    const at = this.position[ddir];
    if (at < 0) return false;
    const size = this.drawSize(ddir, false, this.region.sizeBytes - at);
    if (size <= 0) return false;
    const { holeBytes } = this.job.pattern;
    this.position[ddir] = holeBytes < 0 ? at + holeBytes : at + size + holeBytes;
    if (this.map !== undefined) this.markVisited(at, size);
    return this.choose(ddir, at, size);
  }

  private random(ddir: number): boolean {
    const drawn = this.draws[ddir]();
    const block = this.map === undefined ? drawn : this.map.nextFree(drawn);
    if (block < 0) return false;
    const at = block * this.unitBytes;
    let size = this.drawSize(ddir, true, this.region.sizeBytes - at);
    if (size <= 0) {
      if (this.map === undefined) return this.choose(ddir, 0, this.drawSize(ddir, true, this.region.sizeBytes));
      this.map.visit(block);
      return this.random(ddir);
    }
    if (this.map !== undefined) size = this.visitRun(block, size);
    this.position[ddir] = at + size;
    return this.choose(ddir, at, size);
  }

  /** Marks the blocks of an I/O as visited, as far as they are free, and cuts the I/O there. */
  private visitRun(block: number, sizeBytes: number): number {
    const map = this.map;
    if (map === undefined) return sizeBytes;
    const wanted = Math.ceil(sizeBytes / this.unitBytes);
    let n = 0;
    while (n < wanted && block + n < map.blocks && !map.isVisited(block + n)) map.visit(block + n++);
    return n === wanted ? sizeBytes : n * this.unitBytes;
  }

  private markVisited(atBytes: number, sizeBytes: number): void {
    const map = this.map;
    if (map === undefined) return;
    const end = Math.min(map.blocks, Math.ceil((atBytes + sizeBytes) / this.unitBytes));
    for (let block = Math.floor(atBytes / this.unitBytes); block < end; block++) {
      if (!map.isVisited(block)) map.visit(block);
    }
  }

  private again(ddir: number): boolean {
    const at = this.lastOffset[ddir];
    return this.choose(ddir, at, this.drawSize(ddir, true, this.region.sizeBytes - at));
  }

  private choose(ddir: number, atBytes: number, sizeBytes: number): boolean {
    this.lastOffset[ddir] = atBytes;
    this.offsetBytes = this.region.startBytes + atBytes;
    this.sizeBytes = sizeBytes;
    return sizeBytes > 0;
  }
}

function usesDirection(job: FioJob, ddir: number): boolean {
  const { reads, writes, trims } = job.pattern;
  return [reads, writes, trims][ddir];
}

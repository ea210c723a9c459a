/**
 * What a clone does next: the direction, offset and size of its next I/O, over all its files, and when it is through.
 *
 * A clone stops at `loops` times `size` (or `io_size`) bytes issued, or `loops` times `number_ios`; with `time_based` it goes on until the runtime is over. When its files have
 * nothing left before that, the pass is over: what is in flight comes back, the files are synced if the job asks for it, and another pass begins, with the same draws if the job
 * is repeatable (`randrepeat`). A job without `io_size` has as many passes as `loops`.
 *
 * The seed of all draws is the run's: `randseed` has no effect, as in fio 3.33 while randrepeat=1.
 *
 * @source fio 3.33, sequences observed with `--write_iolog`; blk-mq-and-formats.md 2.5.3
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { JobClone } from './clones.ts';
import { FileService } from './file-service.ts';
import { DDIR_READ, DDIR_SYNC, DDIR_TRIM, DDIR_WRITE } from './io.ts';
import type { Pacing } from './pacing.ts';
import { FilePattern } from './pattern.ts';

export class Generator {
  /** The I/O that `next` chose last. */
  ddir = DDIR_READ;
  offsetBytes = 0;
  sizeBytes = 0;
  /** The file it is in. */
  file = 0;
  /** The I/O begins a pass (or ends one with a sync): everything before it must have come back. */
  drainsFirst = false;
  /** Bytes and I/Os issued so far; a trim and the write after it count once. */
  issuedBytes = 0;
  issuedIos = 0;
  /** Syncs that end a pass of this clone: one per file. */
  readonly passSyncs: number;

  private readonly engine: Engine;
  private readonly clone: JobClone;
  private readonly pacing: Pacing;
  private readonly files: readonly FilePattern[];
  private readonly service: FileService;
  private readonly isRepeatable: boolean;
  private mix: RandomStream;
  private passes = 1;
  private issuedInPass = 0;
  private writes = 0;
  private lastWasSync = false;
  private syncsOwed = 0;
  private isPassStart = false;
  private trimmedAt = -1;

  constructor(engine: Engine, clone: JobClone, pacing: Pacing) {
    const { job } = clone;
    this.engine = engine;
    this.clone = clone;
    this.pacing = pacing;
    const wraps = job.schedule.timeBased || FileService.isSkewed(job.files);
    this.files = clone.files.map((region, i) => new FilePattern(engine, `${clone.name}/${i}`, job, region, wraps));
    this.service = new FileService(engine, clone.name, job.files);
    this.mix = engine.stream(`workload/${clone.name}/mix`);
    this.isRepeatable = job.random.isRepeatable || job.random.allRepeatable;
    const { endFsync, fsyncOnClose } = job.sync;
    this.passSyncs = (endFsync || fsyncOnClose) && job.pattern.writes ? this.files.length : 0;
  }

  /** Share of the work that is issued, 0..1; NaN for a job that is bounded by time alone. */
  fraction(): number {
    const { job, ioBytes } = this.clone;
    if (job.schedule.timeBased || ioBytes === 0) return Number.NaN;
    const { loops } = job.schedule;
    const { numberIos } = job.region;
    const byBytes = this.issuedBytes / (ioBytes * loops);
    return Math.min(1, numberIos > 0 ? Math.max(byBytes, this.issuedIos / (numberIos * loops)) : byBytes);
  }

  /** Chooses the next I/O; false when the clone is through. */
  next(): boolean {
    this.drainsFirst = false;
    if (this.trimmedAt >= 0) return this.writeWhatWasTrimmed();
    for (;;) {
      if (this.syncsOwed > 0) return this.endPassWithSync();
      if (this.isExhausted()) return false;
      if (this.syncIsDue()) return this.chooseSync();
      if (this.pick()) return true;
      if (!this.nextPass()) return false;
    }
  }

  private isExhausted(): boolean {
    const { job, ioBytes } = this.clone;
    if (job.schedule.timeBased) return false;
    const { loops } = job.schedule;
    const { numberIos } = job.region;
    return this.issuedBytes >= ioBytes * loops || (numberIos > 0 && this.issuedIos >= numberIos * loops);
  }

  /** Begins another pass over the files; false when there is none. */
  private nextPass(): boolean {
    if (this.issuedInPass === 0) return false; // nothing fits the files at all
    const { schedule, region, blocks } = this.clone.job;
    const leftBytes = region.ioSize === undefined ? 0 : this.clone.ioBytes - this.issuedBytes;
    const goesOn = schedule.timeBased || this.passes < schedule.loops || leftBytes >= Math.max(...blocks.maxBytes);
    if (!goesOn) return false;
    this.passes++;
    this.issuedInPass = 0;
    this.isPassStart = true;
    this.syncsOwed = this.passSyncs;
    for (const file of this.files) file.restart(this.isRepeatable);
    this.service.restart(this.isRepeatable);
    if (this.isRepeatable) this.mix = this.engine.stream(`workload/${this.clone.name}/mix`);
    return true;
  }

  /** Asks the file whose turn it is, then the others; false when the pass is over on all. */
  private pick(): boolean {
    for (let tries = this.files.length; tries > 0; tries--) {
      const index = this.service.next();
      if (index < 0) return false;
      const file = this.files[index];
      const ddir = this.direction();
      if (file.next(ddir)) {
        this.file = index;
        this.choose(ddir, file.offsetBytes, file.sizeBytes);
        return true;
      }
      this.service.done(index);
    }
    return false;
  }

  private direction(): number {
    const { pattern } = this.clone.job;
    if (pattern.trimThenWrite) return DDIR_TRIM;
    if (pattern.reads && pattern.writes) {
      const drawn = this.mix.below(100) + 1 <= pattern.readPercent ? DDIR_READ : DDIR_WRITE;
      return this.pacing.direction(drawn, this.engine.now);
    }
    return pattern.reads ? DDIR_READ : pattern.writes ? DDIR_WRITE : DDIR_TRIM;
  }

  private choose(ddir: number, offsetBytes: number, sizeBytes: number): void {
    this.ddir = ddir;
    this.offsetBytes = offsetBytes;
    this.sizeBytes = sizeBytes;
    this.issuedBytes += sizeBytes;
    this.issuedIos++;
    this.issuedInPass++;
    this.lastWasSync = false;
    this.drainsFirst = this.isPassStart;
    this.isPassStart = false;
    if (ddir === DDIR_WRITE) this.writes++;
    else if (ddir === DDIR_TRIM && this.clone.job.pattern.trimThenWrite) this.trimmedAt = offsetBytes;
  }

  private writeWhatWasTrimmed(): boolean {
    this.offsetBytes = this.trimmedAt;
    this.trimmedAt = -1;
    this.ddir = DDIR_WRITE;
    this.writes++;
    return true;
  }

  /**
   * After every N writes, and again in a mix where a read follows such a sync and no write; with both options fsync is asked first.
   * Data and metadata are all one to a device: fdatasync is the same flush.
   */
  private syncIsDue(): boolean {
    if (this.writes === 0 || this.lastWasSync) return false;
    const { fsyncEvery, fdatasyncEvery } = this.clone.job.sync;
    return (
      (fsyncEvery > 0 && this.writes % fsyncEvery === 0) || (fdatasyncEvery > 0 && this.writes % fdatasyncEvery === 0)
    );
  }

  private endPassWithSync(): boolean {
    this.drainsFirst = this.isPassStart;
    this.isPassStart = false;
    this.syncsOwed--;
    return this.chooseSync();
  }

  private chooseSync(): boolean {
    this.lastWasSync = true;
    this.ddir = DDIR_SYNC;
    this.sizeBytes = 0;
    return true;
  }
}

/**
 * What a clone does next: the direction, offset and size of its next I/O, over all its files, and when it is through.
 *
 * A clone stops at `size` (or `io_size`) bytes issued or `number_ios`, times `loops`; with `time_based` it goes on until the runtime is over. A pass over the
 * files that ends earlier (io_size larger than size) starts over.
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { JobClone } from './clones.ts';
import type { FioJob } from './fio/job.ts';
import { DDIR_READ, DDIR_SYNC, DDIR_TRIM, DDIR_WRITE } from './io.ts';
import { FilePattern } from './pattern.ts';

export class Generator {
  /** The I/O that `next` chose last. */
  ddir = DDIR_READ;
  offsetBytes = 0;
  sizeBytes = 0;
  /** Bytes and I/Os issued so far, in this loop. */
  issuedBytes = 0;
  issuedIos = 0;

  private readonly clone: JobClone;
  private readonly files: readonly FilePattern[];
  private readonly mix: RandomStream;
  private readonly fileStream: RandomStream;
  private file = 0;
  private leftInFile: number;
  private loopsLeft: number;
  private writesSinceSync = 0;
  private trimmedAt = -1;

  constructor(engine: Engine, clone: JobClone) {
    const { job } = clone;
    this.clone = clone;
    this.files = clone.files.map((region, i) => new FilePattern(engine, `${clone.name}/${i}`, job, region));
    this.mix = engine.stream(`workload/${clone.name}/mix`);
    this.fileStream = engine.stream(`workload/${clone.name}/file`);
    this.leftInFile = ioPerFile(job);
    this.loopsLeft = job.schedule.loops;
  }

  /** Share of the work that is issued, 0..1; NaN for a job that is bounded by time alone. */
  fraction(): number {
    const { job, ioBytes } = this.clone;
    if (job.schedule.timeBased || ioBytes === 0) return Number.NaN;
    const done = job.schedule.loops - this.loopsLeft + this.issuedBytes / ioBytes;
    const byBytes = done / job.schedule.loops;
    const { numberIos } = job.region;
    return Math.min(1, numberIos > 0 ? Math.max(byBytes, this.issuedIos / numberIos) : byBytes);
  }

  /** Chooses the next I/O; false when the clone is through. */
  next(): boolean {
    const { job, ioBytes } = this.clone;
    if (this.syncIsDue()) return this.chooseSync();
    if (this.trimmedAt >= 0) return this.writeWhatWasTrimmed();
    for (;;) {
      const loopDone =
        this.issuedBytes >= ioBytes || (job.region.numberIos > 0 && this.issuedIos >= job.region.numberIos);
      if (loopDone && !this.nextLoop()) return false;
      const ddir = this.direction();
      if (this.pick(ddir)) return true;
      if (this.issuedBytes === 0) return false; // nothing fits the file at all
      for (const file of this.files) file.restart(); // the pass ended before io_size did
    }
  }

  private nextLoop(): boolean {
    const { schedule } = this.clone.job;
    if (!schedule.timeBased && --this.loopsLeft <= 0) return false;
    this.issuedBytes = 0;
    this.issuedIos = 0;
    for (const file of this.files) file.restart();
    return true;
  }

  private direction(): number {
    const { pattern } = this.clone.job;
    if (pattern.trimThenWrite) return DDIR_TRIM;
    if (pattern.reads && pattern.writes) {
      return this.mix.below(100) + 1 <= pattern.readPercent ? DDIR_READ : DDIR_WRITE;
    }
    return pattern.reads ? DDIR_READ : pattern.writes ? DDIR_WRITE : DDIR_TRIM;
  }

  /** Asks the file whose turn it is, then the others; false when the pass is over on all. */
  private pick(ddir: number): boolean {
    this.turnFile();
    for (let tries = 0; tries < this.files.length; tries++) {
      const file = this.files[this.file];
      if (file.next(ddir)) {
        this.choose(ddir, file.offsetBytes, file.sizeBytes);
        return true;
      }
      this.file = (this.file + 1) % this.files.length;
    }
    return false;
  }

  private turnFile(): void {
    if (this.files.length === 1 || this.leftInFile-- > 0) return;
    const { service } = this.clone.job.files;
    this.leftInFile = ioPerFile(this.clone.job) - 1;
    if (service.kind === 'roundrobin') this.file = (this.file + 1) % this.files.length;
    else if (service.kind !== 'sequential') this.file = this.fileStream.below(this.files.length);
  }

  private choose(ddir: number, offsetBytes: number, sizeBytes: number): void {
    this.ddir = ddir;
    this.offsetBytes = offsetBytes;
    this.sizeBytes = sizeBytes;
    this.issuedBytes += sizeBytes;
    this.issuedIos++;
    if (ddir === DDIR_WRITE) this.writesSinceSync++;
    if (this.clone.job.pattern.trimThenWrite && ddir === DDIR_TRIM) this.trimmedAt = offsetBytes;
  }

  private writeWhatWasTrimmed(): boolean {
    const at = this.trimmedAt;
    this.trimmedAt = -1;
    this.choose(DDIR_WRITE, at, this.sizeBytes);
    this.issuedBytes -= this.sizeBytes; // the pair counts once
    return true;
  }

  private syncIsDue(): boolean {
    const { fsyncEvery, fdatasyncEvery, barrierEvery } = this.clone.job.sync;
    const every = fsyncEvery || fdatasyncEvery || barrierEvery;
    return every > 0 && this.writesSinceSync >= every;
  }

  private chooseSync(): boolean {
    this.writesSinceSync = 0;
    this.ddir = DDIR_SYNC;
    this.sizeBytes = 0;
    return true;
  }
}

/** I/Os before another file has its turn; the skewed services draw one for every I/O. */
function ioPerFile(job: FioJob): number {
  const { service } = job.files;
  return 'ioPerFile' in service ? service.ioPerFile : 1;
}

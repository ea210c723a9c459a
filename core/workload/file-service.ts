/**
 * Which of a job's files the next I/O goes to: round robin, one after the other, at random, or skewed. At most `openfiles` files are served at a time; the next
 * is opened when one is done.
 *
 * Skewed services (zipf, pareto, normal) favour the files near a random one and never finish a file: it starts over in place.
 *
 * @source fio 3.33 HOWTO "file_service_type", "openfiles"; sequences observed with `--write_iolog`
 */
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import { blockDraw, type BlockDraw } from './distributions.ts';
import type { JobFiles } from './fio/job.ts';

export class FileService {
  private readonly engine: Engine;
  private readonly streamName: string;
  private readonly files: JobFiles;
  private readonly ioPerFile: number;
  private stream: RandomStream;
  private skewed: BlockDraw | undefined = undefined;
  /** Files that still have something to do, in order. */
  private alive: number[] = [];
  /** The file being served, -1 for none, and the I/Os it still gets. */
  private current = -1;
  private left = 0;
  /** Round robin: place in `alive` of the file whose turn is next. */
  private turn = 0;

  constructor(engine: Engine, cloneName: string, files: JobFiles) {
    this.engine = engine;
    this.streamName = `workload/${cloneName}/file`;
    this.files = files;
    this.ioPerFile = 'ioPerFile' in files.service ? files.service.ioPerFile : 1;
    this.stream = engine.stream(this.streamName);
    this.open();
  }

  /** Whether files start over in place instead of being done. */
  static isSkewed(files: JobFiles): boolean {
    return !('ioPerFile' in files.service);
  }

  /** The file of the next I/O; -1 when all are done. */
  next(): number {
    if (this.files.count === 1) return this.alive.length === 0 ? -1 : 0;
    if (this.current >= 0 && (this.files.service.kind === 'sequential' || this.left > 0)) {
      this.left--;
      return this.current;
    }
    if (this.alive.length === 0) return -1;
    this.left = this.ioPerFile - 1;
    this.current = this.choose(Math.min(this.alive.length, this.files.openCount));
    return this.current;
  }

  /** This file has nothing more in this pass. */
  done(file: number): void {
    const place = this.alive.indexOf(file);
    if (place < 0) return;
    this.alive.splice(place, 1);
    if (place < this.turn) this.turn--;
    if (this.current === file) this.current = -1;
  }

  /** Begins a new pass; `fresh`: with the same draws again. */
  restart(fresh: boolean): void {
    if (fresh) this.stream = this.engine.stream(this.streamName);
    this.open();
  }

  private open(): void {
    const { count, service } = this.files;
    this.alive = Array.from({ length: count }, (_, file) => file);
    this.current = -1;
    this.turn = 0;
    if ('ioPerFile' in service) return;
    const center = service.center ?? this.stream.unit();
    this.skewed = blockDraw({ ...service, center }, count, 1, 0, this.stream, false);
  }

  private choose(open: number): number {
    if (this.skewed !== undefined) return this.alive[this.skewed() % this.alive.length];
    if (this.files.service.kind === 'random') return this.alive[this.stream.below(open)];
    const file = this.alive[this.turn % open];
    this.turn = (this.turn % open) + 1;
    return file;
  }
}

/**
 * Jobs multiplied: each fio job becomes `numjobs` clones, each with a task on a CPU of its own and files of its own on the device.
 *
 * Files are parts of the emulated device. With `filename` given, all clones work on the same part, as they would on one block device; without, every clone
 * gets parts of its own, laid out one after another (and over again from the start when the device is full). In each file a job works on the region from `offset` on.
 *
 * `@assume` A clone stays on one CPU: the one its number falls on, counted over the CPUs it may use. Real schedulers move tasks.
 *
 * @source fio 3.33 HOWTO "size", "filesize", "offset", "offset_increment", "nrfiles"; layouts observed with `--write_iolog`
 */
import type { RandomStream } from '../engine/random.ts';
import { extentBytes, type FioJob } from './fio/job.ts';

/** What a clone works on in one file: a region of the device. */
export interface FileRegion {
  readonly startBytes: number;
  /** Where the whole file begins; the region lies `offset` behind it. */
  readonly fileStartBytes: number;
  readonly sizeBytes: number;
}

export interface JobClone {
  /** Unique: `app.0`, `app.1`, … */
  readonly name: string;
  /** The name results are shown under: the job's, a second section of the same name gets ` #2`. */
  readonly reportName: string;
  readonly index: number;
  readonly subjob: number;
  readonly job: FioJob;
  /** Index of the job in the file. */
  readonly jobIndex: number;
  readonly cpu: number;
  readonly files: readonly FileRegion[];
  /** Bytes of I/O in one loop. */
  readonly ioBytes: number;
  /** The task of this clone; set when it is created. */
  task: number;
  /** I/Os submitted from here on are counted (ramp_time); known once the clone has started. */
  countFromNs: number;
}

/** All clones, in the order of the file. `streamOf` gives the stream that file sizes are drawn from. */
export function expandJobs(
  jobs: readonly FioJob[],
  cpus: number,
  capacityBytes: number,
  streamOf: (name: string) => RandomStream,
): JobClone[] {
  const clones: JobClone[] = [];
  const seen = new Map<string, number>();
  let cursorBytes = 0;
  jobs.forEach((job, jobIndex) => {
    const times = (seen.get(job.name) ?? 0) + 1;
    seen.set(job.name, times);
    const reportName = times === 1 ? job.name : `${job.name} #${times}`;
    for (let subjob = 0; subjob < job.numjobs; subjob++) {
      const isShared = job.files.names.length > 0;
      const name = `${reportName}.${subjob}`;
      const sizes = fileSizes(job, subjob, capacityBytes, streamOf(`workload/${name}/filesize`));
      const { files, ioBytes, endBytes } = layout(job, subjob, sizes, isShared ? 0 : cursorBytes, capacityBytes);
      if (!isShared) cursorBytes = endBytes;
      clones.push({
        name,
        reportName,
        index: clones.length,
        subjob,
        job,
        jobIndex,
        cpu: cpuOf(job, subjob, clones.length, cpus),
        files,
        ioBytes,
        task: -1,
        countFromNs: 0,
      });
    }
  });
  return clones;
}

function cpuOf(job: FioJob, subjob: number, index: number, cpus: number): number {
  const allowed = job.cpus.allowed?.filter((cpu) => cpu < cpus);
  if (allowed === undefined || allowed.length === 0) return index % cpus;
  return allowed[subjob % allowed.length];
}

/** Alignment of what is given as a percentage. */
function alignOf(job: FioJob): number {
  return job.region.offsetAlignBytes || Math.min(...job.blocks.minBytes);
}

/** Where a clone's region begins in a file of `wholeBytes`. */
function offsetIn(job: FioJob, subjob: number, wholeBytes: number): number {
  const { offset, offsetIncrement } = job.region;
  const alignBytes = alignOf(job);
  return extentBytes(offset, wholeBytes, alignBytes) + subjob * extentBytes(offsetIncrement, wholeBytes, alignBytes);
}

/** The whole size of each file, from its first byte on: `filesize`, or what `offset` and `size` need, or the device. */
function fileSizes(job: FioJob, subjob: number, capacityBytes: number, stream: RandomStream): number[] {
  const { region, files } = job;
  const unitBytes = Math.min(...job.blocks.minBytes);
  const mostBytes = Math.floor(capacityBytes / files.count);
  const { fileSizeBytes } = region;
  if (fileSizeBytes !== undefined) {
    const { low, high } = fileSizeBytes;
    return Array.from({ length: files.count }, () =>
      Math.min(mostBytes, low === high ? low : floorTo(low + Math.floor((high - low) * stream.unit()), unitBytes)),
    );
  }
  if (region.size?.unit !== 'bytes') return Array.from({ length: files.count }, () => floorTo(mostBytes, unitBytes));
  const endBytes = offsetIn(job, subjob, capacityBytes) + region.size.bytes / files.count;
  return Array.from({ length: files.count }, () => Math.min(mostBytes, Math.ceil(endBytes / unitBytes) * unitBytes));
}

/** Where a clone's regions lie, and how many bytes of I/O it does in one loop. */
function layout(
  job: FioJob,
  subjob: number,
  sizes: readonly number[],
  baseBytes: number,
  capacityBytes: number,
): { files: FileRegion[]; ioBytes: number; endBytes: number } {
  const { region } = job;
  const allBytes = sizes.reduce((sum, size) => sum + size, 0);
  let atBytes = baseBytes + allBytes > capacityBytes ? 0 : baseBytes;
  const files = sizes.map((wholeBytes) => {
    const percentOf = region.fileSizeBytes === undefined ? capacityBytes : wholeBytes;
    const offsetBytes = offsetIn(job, subjob, percentOf);
    const roomBytes = Math.max(0, wholeBytes - offsetBytes);
    const wantedBytes = region.size === undefined ? roomBytes : extentBytes(region.size, percentOf) / job.files.count;
    const sizeBytes = Math.floor(Math.min(roomBytes, wantedBytes));
    const file = { startBytes: atBytes + offsetBytes, fileStartBytes: atBytes, sizeBytes };
    atBytes += wholeBytes;
    return file;
  });
  const regionBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const ioBytes = region.ioSize === undefined ? regionBytes : extentBytes(region.ioSize, regionBytes);
  return { files, ioBytes, endBytes: atBytes };
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

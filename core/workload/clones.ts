/**
 * Jobs multiplied: each fio job becomes `numjobs` clones, each with a task on a CPU of its own and files of its own on the device.
 *
 * Files are regions of the emulated device. With `filename` given, all clones work on the same region, as they would on one block device; without, every clone
 * gets regions of its own, laid out one after another (and over again from the start when the device is full).
 *
 * `@assume` A clone stays on one CPU: the one its number falls on, counted over the CPUs it may use. Real schedulers move tasks.
 */
import { extentBytes, type FioJob } from './fio/job.ts';

/** A file: a region of the device. */
export interface FileRegion {
  readonly startBytes: number;
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

/** All clones, in the order of the file. */
export function expandJobs(jobs: readonly FioJob[], cpus: number, capacityBytes: number): JobClone[] {
  const clones: JobClone[] = [];
  const seen = new Map<string, number>();
  let cursorBytes = 0;
  jobs.forEach((job, jobIndex) => {
    const times = (seen.get(job.name) ?? 0) + 1;
    seen.set(job.name, times);
    const reportName = times === 1 ? job.name : `${job.name} #${times}`;
    for (let subjob = 0; subjob < job.numjobs; subjob++) {
      const shared = job.files.names.length > 0;
      const { files, ioBytes } = layout(job, subjob, shared ? 0 : cursorBytes, capacityBytes);
      const last = files[files.length - 1];
      if (!shared) cursorBytes = last.startBytes + last.sizeBytes;
      clones.push({
        name: `${reportName}.${subjob}`,
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

/** Where a clone's files lie, and how many bytes of I/O it does in one loop. */
function layout(
  job: FioJob,
  subjob: number,
  baseBytes: number,
  capacityBytes: number,
): { files: FileRegion[]; ioBytes: number } {
  const { region, blocks } = job;
  const alignBytes = Math.max(region.offsetAlignBytes, Math.min(...blocks.minBytes));
  const offsetBytes =
    extentBytes(region.offset, capacityBytes, alignBytes) +
    subjob * extentBytes(region.offsetIncrement, capacityBytes, alignBytes);
  const roomBytes = Math.max(0, capacityBytes - offsetBytes);
  const sizeBytes = Math.min(region.size === undefined ? roomBytes : extentBytes(region.size, roomBytes), roomBytes);
  const perFileBytes =
    region.fileSizeBytes === undefined
      ? floorTo(sizeBytes / job.files.count, alignBytes)
      : Math.min(region.fileSizeBytes.high, floorTo(roomBytes / job.files.count, alignBytes));
  const usedBytes = Math.max(perFileBytes, alignBytes) * job.files.count;
  const startBytes = baseBytes + offsetBytes + usedBytes > capacityBytes ? offsetBytes : baseBytes + offsetBytes;
  const files = Array.from({ length: job.files.count }, (_, i) => ({
    startBytes: startBytes + i * perFileBytes,
    sizeBytes: perFileBytes,
  }));
  const wholeBytes = perFileBytes * job.files.count;
  const ioBytes = region.ioSize === undefined ? wholeBytes : extentBytes(region.ioSize, wholeBytes);
  return { files, ioBytes };
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

/** One line about a job for lists and logs: `app: randread 4 KiB, libaio depth 32, 2 jobs, 10 s`. */
import type { BlockSizes, Extent, FioJob } from './job.ts';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const TIME_UNITS: readonly (readonly [label: string, ns: number])[] = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** What a job does, in one line. */
export function describe(job: FioJob): string {
  const depth = job.engine.isAsync ? `${job.engine.name} depth ${job.depth.ioDepth}` : job.engine.name;
  const parts = [`${patternName(job)} ${blockText(job)}`, depth];
  if (job.numjobs > 1) parts.push(`${job.numjobs} jobs`);
  if (job.region.size !== undefined) parts.push(`size ${extentText(job.region.size)}`);
  if (job.region.ioSize !== undefined) parts.push(`I/O ${extentText(job.region.ioSize)}`);
  if (job.region.numberIos > 0) parts.push(`${job.region.numberIos} I/Os`);
  if (job.schedule.runtimeNs > 0)
    parts.push(`${job.schedule.timeBased ? '' : 'at most '}${timeText(job.schedule.runtimeNs)}`);
  if (job.sync.fsyncEvery > 0) parts.push(`fsync every ${job.sync.fsyncEvery}`);
  if (job.sync.fdatasyncEvery > 0) parts.push(`fdatasync every ${job.sync.fdatasyncEvery}`);
  if (job.schedule.stonewall) parts.push('after all before it');
  if (job.schedule.waitFor !== undefined) parts.push(`after ${job.schedule.waitFor}`);
  return `${job.name}: ${parts.join(', ')}`;
}

function patternName(job: FioJob): string {
  const { isRandom, reads, writes, trims, readPercent } = job.pattern;
  const prefix = isRandom ? 'rand' : '';
  if (reads && writes) return `${prefix}rw ${readPercent}/${100 - readPercent}`;
  if (trims && writes) return `${prefix}trimwrite`;
  return prefix + (reads ? 'read' : writes ? 'write' : 'trim');
}

function blockText(job: FioJob): string {
  const { reads, writes, trims } = job.pattern;
  const used = job.blocks.sizes.filter((_sizes, direction) => [reads, writes, trims][direction]);
  return [...new Set(used.map(sizesText))].join(' | ');
}

function sizesText(sizes: BlockSizes): string {
  if (sizes.kind === 'fixed') return byteText(sizes.sizeBytes);
  if (sizes.kind === 'range') return `${byteText(sizes.minBytes)} to ${byteText(sizes.maxBytes)}`;
  return sizes.entries.map((entry) => `${byteText(entry.sizeBytes)} ${entry.percent}%`).join(' + ');
}

function extentText(extent: Extent): string {
  return extent.unit === 'bytes' ? byteText(extent.bytes) : `${extent.percent}%`;
}

/** The largest binary unit that leaves a whole number. */
function byteText(bytes: number): string {
  let power = 0;
  let value = bytes;
  while (value >= 1024 && value % 1024 === 0 && power < BYTE_UNITS.length - 1) {
    value /= 1024;
    power++;
  }
  return `${value} ${BYTE_UNITS[power]}`;
}

function timeText(ns: number): string {
  const [label, unitNs] = TIME_UNITS.find(([, size]) => ns % size === 0 && ns >= size) ?? ['ns', 1];
  return `${ns / unitNs} ${label}`;
}

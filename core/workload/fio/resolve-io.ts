/**
 * The I/O side of a job: what each I/O is, where it goes and how many are in flight, with fio's derived defaults: block sizes from
 * bs, bsrange and bssplit; alignment to the smallest block; batches and marks clamped to the depth.
 *
 * @source fio 3.33 HOWTO "I/O type", "Block size", "I/O size", "I/O depth"; derived defaults observed with fio 3.33
 */
import type { BlockSizes, Extent, JobBlocks, JobDepth, JobPattern, JobRandom, JobRegion } from './job.ts';
import type { SettingsReader } from './reader.ts';
import { mapDirections, type PerDirection } from './values.ts';

export function resolvePattern(reader: SettingsReader): JobPattern {
  const rw = reader.value('rw', 'rw')?.rw ?? { word: 'read', ioPerOffset: 1, holeBytes: 0 };
  const kind = rw.word.replace(/^rand/, '');
  const isMix = kind === 'rw' || kind === 'readwrite';
  const mix = reader.laterOf('rwmixread', 'rwmixwrite');
  const percent = mix === undefined ? reader.count('rwmixread') : reader.count(mix.spec.name);
  return {
    isRandom: rw.word.startsWith('rand'),
    reads: isMix || kind === 'read',
    writes: isMix || kind === 'write' || kind === 'trimwrite',
    trims: kind === 'trim' || kind === 'trimwrite',
    trimThenWrite: kind === 'trimwrite',
    readPercent: mix?.spec.name === 'rwmixwrite' ? 100 - percent : percent,
    ioPerOffset: rw.ioPerOffset,
    holeBytes: rw.holeBytes,
    sequencer: reader.word('rw_sequencer') === 'identical' ? 'identical' : 'sequential',
  };
}

export function resolveBlocks(reader: SettingsReader, pattern: JobPattern): JobBlocks {
  const fixed = reader.triple('bs');
  const ranges = reader.perDirection(reader.values('bsrange', 'ranges').map(({ items }) => items));
  const splits = reader.perDirection(reader.values('bssplit', 'split').map(({ items }) => items));
  const align = reader.triple('ba');
  // a split or a range decides whatever bs says, also when bs stands below it
  const sizesOf = (direction: 0 | 1 | 2): BlockSizes => {
    const entries = splits[direction];
    const range = ranges[direction];
    if (entries !== undefined) return { kind: 'split', entries };
    if (range === undefined) return { kind: 'fixed', sizeBytes: fixed[direction] };
    if (range.lowBytes === range.highBytes) return { kind: 'fixed', sizeBytes: range.lowBytes };
    return { kind: 'range', minBytes: range.lowBytes, maxBytes: range.highBytes };
  };
  const sizes: PerDirection<BlockSizes> = [sizesOf(0), sizesOf(1), sizesOf(2)];
  const minBytes = mapDirections(sizes, smallest);
  return {
    sizes,
    minBytes,
    maxBytes: mapDirections(sizes, largest),
    alignBytes: mapDirections(minBytes, (min, direction) =>
      pattern.isRandom && align[direction] > 0 ? align[direction] : min,
    ),
    isUnaligned: reader.isOn('bs_unaligned'),
    writeSizesForRandom: reader.isOn('bs_is_seq_rand'),
  };
}

function smallest(sizes: BlockSizes): number {
  if (sizes.kind === 'fixed') return sizes.sizeBytes;
  return sizes.kind === 'range' ? sizes.minBytes : Math.min(...sizes.entries.map((entry) => entry.sizeBytes));
}

function largest(sizes: BlockSizes): number {
  if (sizes.kind === 'fixed') return sizes.sizeBytes;
  return sizes.kind === 'range' ? sizes.maxBytes : Math.max(...sizes.entries.map((entry) => entry.sizeBytes));
}

function extent(reader: SettingsReader, name: string): Extent | undefined {
  const amount = reader.amount(name);
  if (amount === undefined) return undefined;
  return amount.unit === 'percent'
    ? { unit: 'percent', percent: amount.value }
    : { unit: 'bytes', bytes: amount.value };
}

/** fio treats a size of 0 like none. */
function sizeExtent(reader: SettingsReader, name: string): Extent | undefined {
  return reader.count(name) === 0 ? undefined : extent(reader, name);
}

export function resolveRegion(reader: SettingsReader): JobRegion {
  const [low, high] = reader.value('filesize', 'amounts')?.items ?? [];
  const zoneBytes = reader.count('zonesize');
  return {
    offset: extent(reader, 'offset') ?? { unit: 'bytes', bytes: 0 },
    offsetIncrement: extent(reader, 'offset_increment') ?? { unit: 'bytes', bytes: 0 },
    offsetAlignBytes: reader.count('offset_align'),
    size: sizeExtent(reader, 'size'),
    ioSize: sizeExtent(reader, 'io_size'),
    fileSizeBytes: low === undefined ? undefined : { low: low.value, high: (high ?? low).value },
    numberIos: reader.count('number_ios'),
    zones:
      reader.word('zonemode') === 'strided'
        ? {
            sizeBytes: zoneBytes,
            rangeBytes: reader.count('zonerange') || zoneBytes,
            skipBytes: reader.count('zoneskip'),
          }
        : undefined,
  };
}

export function resolveRandom(reader: SettingsReader, pattern: JobPattern, blocks: JobBlocks): JobRandom {
  const distribution = reader.value('random_distribution', 'distribution')?.distribution ?? { kind: 'random' };
  const generator = reader.word('random_generator');
  const isOddlyAligned =
    pattern.isRandom && blocks.alignBytes.some((align, direction) => align !== blocks.minBytes[direction]);
  return {
    randomPercent: reader.triple('percentage_random'),
    distribution,
    generator: generator === 'lfsr' || generator === 'tausworthe64' ? generator : 'tausworthe',
    usesMap: !reader.isOn('norandommap') && distribution.kind === 'random' && !isOddlyAligned,
    isRepeatable: reader.isOn('randrepeat'),
    allRepeatable: reader.isOn('allrandrepeat'),
    seed: reader.count('randseed'),
    hasOwnSeed: reader.isGiven('randseed'),
  };
}

export function resolveDepth(reader: SettingsReader, isAsync: boolean, pattern: JobPattern): JobDepth {
  const submitMode = reader.word('io_submit_mode') === 'offload' ? 'offload' : 'inline';
  const ioDepth = isAsync || submitMode === 'offload' ? reader.count('iodepth') : 1;
  const within = (value: number): number => (value === 0 || value > ioDepth ? ioDepth : value);
  const completeMin = Math.min(reader.count('iodepth_batch_complete_min'), ioDepth);
  const changesData = pattern.writes || pattern.trims;
  return {
    ioDepth,
    low: within(reader.count('iodepth_low')),
    submitBatch: within(reader.count('iodepth_batch')),
    completeMin,
    completeMax: Math.max(completeMin, reader.count('iodepth_batch_complete_max')),
    submitMode,
    serializeOverlap: reader.isOn('serialize_overlap') && (submitMode === 'offload' || (changesData && ioDepth > 1)),
  };
}

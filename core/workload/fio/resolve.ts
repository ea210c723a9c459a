/**
 * A job's settings made into a FioJob, with the defaults that fio derives after parsing: block sizes from bs, bsrange and
 * bssplit; alignment; queue marks clamped to the depth; rate_iops as bytes; think time and files within their limits.
 *
 * @source fio 3.33 HOWTO; the derived defaults are those of blk-mq-and-formats 2.5.3, observed with fio 3.33
 */
import type {
  BlockSizes,
  Extent,
  FioEngine,
  FioJob,
  JobBlocks,
  JobDepth,
  JobFiles,
  JobPace,
  JobPattern,
  JobPriority,
  JobRandom,
  JobRegion,
  JobReporting,
  JobSchedule,
  JobSync,
} from './job.ts';
import { EMULATED_ENGINES } from './options-engine.ts';
import { SettingsReader } from './reader.ts';
import type { SectionSettings } from './settings.ts';
import type { PerDirection } from './values.ts';

const NS_PER_US = 1000;
const NS_PER_MS = 1e6;
/** @source linux ioprio(5): class 2 is best effort; @assume a level without class means best effort */
const IOPRIO_CLASS_BE = 2;
/** @source fio 3.33 HOWTO cmdprio_class: class 1, real time, is the default */
const IOPRIO_CLASS_RT = 1;

/** Resolves one section. `groupId` is the reporting group it falls into. */
export function resolveJob(settings: SectionSettings, groupId: number): FioJob {
  const reader = new SettingsReader(settings);
  const { section } = settings;
  const engine = engineOf(reader);
  const pattern = resolvePattern(reader);
  const blocks = resolveBlocks(reader, pattern);
  return {
    name: reader.text('name') ?? section.name,
    section: section.name,
    file: section.file,
    line: section.line,
    description: reader.text('description'),
    numjobs: reader.count('numjobs'),
    isThread: reader.isOn('thread'),
    groupId,
    engine,
    pattern,
    blocks,
    region: resolveRegion(reader),
    random: resolveRandom(reader, pattern, blocks),
    depth: resolveDepth(reader, engine.isAsync, pattern),
    schedule: resolveSchedule(reader),
    pace: resolvePace(reader, blocks),
    sync: resolveSync(reader),
    files: resolveFiles(reader),
    priority: resolvePriority(reader),
    cpus: {
      allowed: resolveCpus(reader),
      policy: reader.word('cpus_allowed_policy') === 'split' ? 'split' : 'shared',
    },
    verify: resolveVerify(reader),
    reporting: resolveReporting(reader),
  };
}

function engineOf(reader: SettingsReader): FioJob['engine'] {
  // only emulated engines pass `settings.ts`
  const name = (reader.text('ioengine') ?? 'psync') as FioEngine;
  return { name, isAsync: EMULATED_ENGINES[name].isAsync, isPolled: reader.isOn('hipri') };
}

function resolvePattern(reader: SettingsReader): JobPattern {
  const rw = reader.value('rw', 'rw')?.rw ?? { word: 'read', ioPerOffset: 1, holeBytes: 0 };
  const kind = rw.word.replace(/^rand/, '');
  const isMix = kind === 'rw' || kind === 'readwrite';
  const mix = reader.lastGiven('rwmixread', 'rwmixwrite');
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

function resolveBlocks(reader: SettingsReader, pattern: JobPattern): JobBlocks {
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

function mapDirections<T, R>(values: PerDirection<T>, map: (value: T, direction: 0 | 1 | 2) => R): PerDirection<R> {
  return [map(values[0], 0), map(values[1], 1), map(values[2], 2)];
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

function resolveRegion(reader: SettingsReader): JobRegion {
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

function resolveRandom(reader: SettingsReader, pattern: JobPattern, blocks: JobBlocks): JobRandom {
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

function resolveDepth(reader: SettingsReader, isAsync: boolean, pattern: JobPattern): JobDepth {
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

function resolveSchedule(reader: SettingsReader): JobSchedule {
  const [low, high] = reader.value('startdelay', 'amounts')?.items ?? [];
  const runtimeNs = reader.count('runtime') * NS_PER_US;
  const lowNs = (low?.value ?? 0) * NS_PER_US;
  return {
    stonewall: reader.isOn('stonewall'),
    waitFor: reader.text('wait_for'),
    startDelayNs: { low: lowNs, high: Math.max(lowNs, (high?.value ?? 0) * NS_PER_US) },
    runtimeNs,
    timeBased: reader.isOn('time_based') && runtimeNs > 0,
    rampNs: reader.count('ramp_time') * NS_PER_US,
    loops: Math.max(1, reader.count('loops')),
  };
}

function resolvePace(reader: SettingsReader, blocks: JobBlocks): JobPace {
  const thinktimeNs = reader.count('thinktime') * NS_PER_US;
  const rateIops = reader.triple('rate_iops');
  const rate = reader.triple('rate');
  return {
    thinktimeNs,
    thinktimeSpinNs: Math.min(reader.count('thinktime_spin') * NS_PER_US, thinktimeNs),
    thinktimeBlocks: reader.count('thinktime_blocks'),
    thinktimeBlocksSet: reader.isGiven('thinktime_blocks'),
    thinktimeCounts: reader.word('thinktime_blocks_type') === 'issue' ? 'issue' : 'complete',
    thinktimeIotimeNs: reader.count('thinktime_iotime') * NS_PER_US,
    rateBytes: mapDirections(rate, (bytes, direction) => bytes || rateIops[direction] * blocks.minBytes[direction]),
    rateIops,
    rateMinBytes: reader.triple('rate_min'),
    rateMinIops: reader.triple('rate_iops_min'),
    rateProcess: reader.word('rate_process') === 'poisson' ? 'poisson' : 'linear',
    rateCycleNs: reader.count('rate_cycle') * NS_PER_MS,
    rateIgnoresThinktime: reader.isOn('rate_ignore_thinktime'),
    latencyTargetNs: reader.count('latency_target') * NS_PER_US,
    latencyWindowNs: reader.count('latency_window') * NS_PER_US,
    latencyPercentile: reader.value('latency_percentile', 'floats')?.items[0] ?? 100,
    latencyKeepsRunning: reader.isOn('latency_run'),
    maxLatencyNs: mapDirections(reader.triple('max_latency'), (us) => us * NS_PER_US),
    flow: reader.count('flow'),
    flowId: reader.count('flow_id'),
  };
}

function resolveSync(reader: SettingsReader): JobSync {
  const word = reader.word('sync');
  const isAtomic = reader.isOn('atomic');
  const last = reader.lastGiven('direct', 'buffered');
  const isDirect = last !== undefined && reader.isOn(last.spec.name) === (last.spec.name === 'direct');
  return {
    fsyncEvery: reader.count('fsync'),
    fdatasyncEvery: reader.count('fdatasync'),
    barrierEvery: reader.count('write_barrier'),
    syncFileRange: reader.value('sync_file_range', 'syncFileRange')?.sync,
    endFsync: reader.isOn('end_fsync'),
    fsyncOnClose: reader.isOn('fsync_on_close'),
    syncWrites: word === 'sync' || word === '1' ? 'sync' : word === 'dsync' ? 'dsync' : 'none',
    isDirect: isAtomic || isDirect,
    isAtomic,
  };
}

function resolveFiles(reader: SettingsReader): JobFiles {
  const names = splitFileNames(reader.text('filename') ?? '');
  const wanted = reader.count('nrfiles');
  // with filename= the files are those named; nrfiles can only leave some out
  const count = names.length === 0 ? wanted : reader.isGiven('nrfiles') ? Math.min(wanted, names.length) : names.length;
  const open = reader.count('openfiles');
  return {
    names,
    directory: reader.text('directory'),
    count,
    openCount: open === 0 || open > count ? count : open,
    service: reader.value('file_service_type', 'fileService')?.service ?? { kind: 'roundrobin', ioPerFile: 1 },
  };
}

/** Names are separated by `:`; `\:` is a colon. */
export function splitFileNames(text: string): string[] {
  const names = text.trim().match(/(?:\\:|[^:])+/g) ?? [];
  return names.map((name) => name.replaceAll('\\:', ':'));
}

function resolvePriority(reader: SettingsReader): JobPriority {
  const hasOwn = reader.isGiven('prio') || reader.isGiven('prioclass');
  const pair = (name: string, fallback: number): readonly [number, number] => {
    if (!reader.isGiven(name)) return [fallback, fallback];
    const [read, write] = reader.triple(name);
    return [read, write];
  };
  const lists = reader.values('cmdprio_bssplit', 'cmdprioSplit').map(({ items }) => items);
  const split = lists.length === 0 ? undefined : mapDirections(reader.perDirection(lists), (list) => list ?? []);
  const hasCommand = split !== undefined || reader.isGiven('cmdprio_percentage');
  return {
    ioprio: hasOwn
      ? {
          class: reader.isGiven('prioclass') ? reader.count('prioclass') : IOPRIO_CLASS_BE,
          level: reader.count('prio'),
        }
      : undefined,
    command: hasCommand
      ? {
          percent: pair('cmdprio_percentage', 0),
          class: pair('cmdprio_class', IOPRIO_CLASS_RT),
          level: pair('cmdprio', 0),
          split,
        }
      : undefined,
  };
}

function resolveCpus(reader: SettingsReader): readonly number[] | undefined {
  const last = reader.lastGiven('cpus_allowed', 'cpumask');
  if (last === undefined) return undefined;
  if (last.value.kind === 'cpus') return last.value.cpus;
  const mask = reader.count('cpumask');
  return Array.from({ length: 32 }, (_unused, cpu) => cpu).filter((cpu) => ((mask >>> cpu) & 1) === 1);
}

function resolveVerify(reader: SettingsReader): FioJob['verify'] {
  const method = reader.word('verify') ?? '0';
  if (method === '0') return undefined;
  return {
    method,
    isDone: reader.isOn('do_verify'),
    backlog: reader.count('verify_backlog'),
    backlogBatch: reader.count('verify_backlog_batch'),
  };
}

function resolveReporting(reader: SettingsReader): JobReporting {
  const unified = reader.word('unified_rw_reporting') ?? 'none';
  return {
    isGrouped: reader.isOn('group_reporting'),
    unified: unified === 'mixed' || unified === '1' ? 'mixed' : unified === 'both' || unified === '2' ? 'both' : 'none',
    percentiles: reader.value('percentile_list', 'floats')?.items ?? [],
    clat: reader.isOn('clat_percentiles'),
    lat: reader.isOn('lat_percentiles'),
    slat: reader.isOn('slat_percentiles'),
  };
}

/**
 * A job's settings made into a FioJob; the larger groups are in `resolve-io.ts` and `resolve-time.ts`.
 *
 * @source fio 3.33 HOWTO "Job description"; derived defaults observed with fio 3.33
 */
import type { FioEngine, FioJob, JobFiles, JobPriority, JobReporting, JobSync } from './job.ts';
import { EMULATED_ENGINES } from './options-engine.ts';
import { SettingsReader } from './reader.ts';
import type { SectionSettings } from './settings.ts';
import { resolveBlocks, resolveDepth, resolvePattern, resolveRandom, resolveRegion } from './resolve-io.ts';
import { resolvePace, resolveSchedule } from './resolve-time.ts';
import { mapDirections } from './values.ts';

/** @source linux ioprio(5): class 2 is best effort; @assume a level without class means best effort */
const IOPRIO_CLASS_BE = 2;
/** @source fio 3.33 HOWTO cmdprio_class: class 1, real time, is the default */
const IOPRIO_CLASS_RT = 1;

/** Resolves one job section; `previous` is the job above it, which it may share its reporting group with. */
export function resolveJob(settings: SectionSettings, previous: FioJob | undefined): FioJob {
  const reader = new SettingsReader(settings);
  const { section } = settings;
  const engine = engineOf(reader);
  const pattern = resolvePattern(reader);
  const blocks = resolveBlocks(reader, pattern);
  const schedule = resolveSchedule(reader);
  const startsGroup = schedule.stonewall || reader.isOn('new_group');
  return {
    name: reader.text('name') ?? section.name,
    section: section.name,
    file: section.file,
    line: section.line,
    description: reader.text('description'),
    numjobs: reader.count('numjobs'),
    isThread: reader.isOn('thread'),
    groupId: previous === undefined ? 0 : previous.groupId + (startsGroup ? 1 : 0),
    engine,
    pattern,
    blocks,
    region: resolveRegion(reader),
    random: resolveRandom(reader, pattern, blocks),
    depth: resolveDepth(reader, engine.isAsync, pattern),
    schedule,
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
    continueOnError: resolveErrors(reader),
  };
}

function resolveErrors(reader: SettingsReader): FioJob['continueOnError'] {
  const word = reader.word('continue_on_error') ?? 'none';
  const all = word === 'all' || word === '1';
  return {
    reads: all || word === 'io' || word === 'read',
    writes: all || word === 'io' || word === 'write',
    verifies: all || word === 'verify',
  };
}

function engineOf(reader: SettingsReader): FioJob['engine'] {
  // only emulated engines pass `settings.ts`
  const name = (reader.text('ioengine') ?? 'psync') as FioEngine;
  return { name, isAsync: EMULATED_ENGINES[name].isAsync, isPolled: reader.isOn('hipri') };
}

function resolveSync(reader: SettingsReader): JobSync {
  const word = reader.word('sync');
  const isAtomic = reader.isOn('atomic');
  const last = reader.laterOf('direct', 'buffered');
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
  const last = reader.laterOf('cpus_allowed', 'cpumask');
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

/**
 * The structured values of fio options: rw with its postfix, block size splits, random distributions, file service, command
 * priorities by size, sync_file_range, CPU lists.
 *
 * @source fio 3.33 HOWTO, each option's paragraph; limits and corner cases observed with `fio --parse-only`
 */
import { readAmount } from './numbers.ts';
import type { OptionSpec } from './options.ts';
import { fillDirections, readFloat, splitWord, type Value, type ValueContext } from './values.ts';

/** rw= with its postfix: how many I/Os follow each random offset, or the gap after each sequential one. */
export interface RwValue {
  readonly word: string;
  readonly ioPerOffset: number;
  readonly holeBytes: number;
}

/** A block size and how many of a hundred I/Os have it. */
export interface SplitEntry {
  readonly sizeBytes: number;
  readonly percent: number;
}

/** A zone of a zoned distribution: its share of the accesses, and of the region (or its size). */
export interface ZoneEntry {
  readonly accessPercent: number;
  readonly size: { readonly unit: 'percent' | 'bytes'; readonly value: number };
}

export type Distribution =
  | { readonly kind: 'random' }
  /** zipf: theta; pareto: h; normal: standard deviation in percent. `center` 0..1 of the region, undefined: scattered. */
  | { readonly kind: 'zipf' | 'pareto' | 'normal'; readonly parameter: number; readonly center: number | undefined }
  | { readonly kind: 'zoned' | 'zoned_abs'; readonly zones: readonly (readonly ZoneEntry[])[] };

export type FileService =
  | { readonly kind: 'random' | 'roundrobin' | 'sequential'; readonly ioPerFile: number }
  | { readonly kind: 'zipf' | 'pareto' | 'normal'; readonly parameter: number; readonly center: number | undefined };

/** Share of the I/Os of one size that get a priority of their own (undefined: the one of cmdprio_class and cmdprio). */
export interface CmdprioEntry {
  readonly sizeBytes: number;
  readonly percent: number;
  readonly priority: { readonly class: number; readonly level: number } | undefined;
}

export interface SyncFileRange {
  readonly flags: readonly string[];
  readonly everyWrites: number;
}

/** @source fio 3.33: 64 sizes of bssplit and 256 zones, per direction */
const MAX_SPLITS = 64;
const MAX_ZONES = 256;
/** @source fio 3.33 HOWTO random_distribution: defaults of theta and h */
const DEFAULT_PARAMETER = { zipf: 1.1, pareto: 0.2, normal: 0 } as const;
/** @assume no emulated machine has more CPUs; keeps "0-4000000000" from filling the memory */
const MAX_CPU = 1023;

const BYTES: OptionSpec = { name: 'size', type: 'int64', min: 1 };

/** rw=WORD, rand*:N (N I/Os per random offset), sequential:BYTES (gap, may be negative). */
export function readRw(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  const split = splitWord(text, spec.words ?? [], context);
  if (split === undefined) return undefined;
  const { word, postfix } = split;
  if (postfix === undefined) return { kind: 'rw', rw: { word, ioPerOffset: 1, holeBytes: 0 } };
  const isRandom = word.startsWith('rand');
  const limits: OptionSpec = isRandom
    ? { name: 'rw', type: 'int32', min: 1 }
    : { name: 'rw', type: 'int64', min: -Number.MAX_SAFE_INTEGER };
  const amount = readAmount(postfix.trim(), limits, context);
  if (amount === undefined) return undefined;
  return {
    kind: 'rw',
    rw: { word, ioPerOffset: isRandom ? amount.value : 1, holeBytes: isRandom ? 0 : amount.value },
  };
}

/** Reads a list per direction; one list holds for all, two for read and for write with trim. */
function readPerDirection<T>(
  text: string,
  context: ValueContext,
  readList: (list: string, context: ValueContext) => T | undefined,
): (T | undefined)[] | undefined {
  const parts = text.trim().split(',');
  if (parts.length > 3) {
    context.error('misread', 'at most 3 lists: read, write, trim');
    return undefined;
  }
  const written: (T | undefined)[] = [];
  for (const part of parts) {
    const list = part === '' ? undefined : readList(part, context);
    if (part !== '' && list === undefined) return undefined;
    written.push(list);
  }
  if (written.every((list) => list === undefined)) {
    context.error('value', 'the list is empty');
    return undefined;
  }
  return fillDirections(written, 3);
}

/** bssplit=SIZE/PERCENT:SIZE/PERCENT… per direction. */
export function readBssplit(text: string, _spec: OptionSpec, context: ValueContext): Value | undefined {
  const items = readPerDirection(text, context, readSplitList);
  return items === undefined ? undefined : { kind: 'split', items };
}

function readSplitList(text: string, context: ValueContext): readonly SplitEntry[] | undefined {
  const entries: { sizeBytes: number; percent: number | undefined }[] = [];
  for (const part of listParts(text)) {
    const [size, percentText, ...more] = part.split('/');
    const amount = readAmount(size, { ...BYTES, name: 'bssplit' }, context);
    const percent = readShare(percentText, context);
    if (amount === undefined || percent === undefined) return undefined;
    if (more.length > 0) {
      context.error('value', `"${part}" is not size/percent`);
      return undefined;
    }
    entries.push({ sizeBytes: amount.value, percent: percent === 'rest' ? undefined : percent });
  }
  if (entries.length > MAX_SPLITS) {
    context.error('range', `bssplit takes at most ${MAX_SPLITS} sizes per direction`);
    return undefined;
  }
  const given = entries.reduce((sum, entry) => sum + (entry.percent ?? 0), 0);
  const blanks = entries.filter((entry) => entry.percent === undefined).length;
  if (given > 100) {
    context.error('range', `bssplit percentages add up to ${given}, more than 100`);
    return undefined;
  }
  if (blanks === 0 && given < 100) {
    context.warning('ambiguous', `bssplit percentages add up to ${given}: the last size also gets the rest`);
  }
  // fio divides in integers and looks the sizes up in the order of their percentages
  const share = blanks === 0 ? 0 : Math.floor((100 - given) / blanks);
  return entries
    .map(({ sizeBytes, percent }) => ({ sizeBytes, percent: percent ?? share }))
    .sort((a, b) => a.percent - b.percent);
}

/** A percentage; blank and 0 both mean "a share of the rest" in fio. */
function readShare(text: string | undefined, context: ValueContext): number | 'rest' | undefined {
  if (text === undefined || text === '' || /^0+$/.test(text)) return 'rest';
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  context.error('range', `"${text}" is not a percentage from 1 to 100`);
  return undefined;
}

/** Entries up to the first empty one, where fio stops; a trailing colon is harmless. */
function listParts(text: string): string[] {
  const parts = text.split(':');
  const end = parts.indexOf('');
  return end < 0 ? parts : end === parts.length - 1 ? parts.slice(0, end) : parts;
}

const DISTRIBUTIONS = ['random', 'zipf', 'pareto', 'normal', 'zoned', 'zoned_abs'];

/** random_distribution=KIND[:parameter[:center]] or zoned[_abs]:lists. */
export function readDistribution(text: string, _spec: OptionSpec, context: ValueContext): Value | undefined {
  const split = splitWord(text, DISTRIBUTIONS, context);
  if (split === undefined) return undefined;
  const { word, postfix } = split;
  if (word === 'zoned' || word === 'zoned_abs') {
    const isAbsolute = word === 'zoned_abs';
    const zones = readPerDirection(postfix ?? '', context, (list) => readZoneList(list, isAbsolute, context));
    if (zones === undefined) return undefined;
    return { kind: 'distribution', distribution: { kind: word, zones: zones.map((list) => list ?? []) } };
  }
  if (word === 'zipf' || word === 'pareto' || word === 'normal') {
    const skew = readSkew(word, postfix, context);
    return skew === undefined ? undefined : { kind: 'distribution', distribution: { kind: word, ...skew } };
  }
  return { kind: 'distribution', distribution: { kind: 'random' } };
}

/** The parameter and center of a skewed distribution. */
function readSkew(
  kind: 'zipf' | 'pareto' | 'normal',
  postfix: string | undefined,
  context: ValueContext,
): { parameter: number; center: number | undefined } | undefined {
  const [parameterText, centerText, ...more] = (postfix ?? String(DEFAULT_PARAMETER[kind])).trim().split(':');
  const parameter = readFloat(parameterText);
  const center = centerText === undefined ? undefined : readFloat(centerText);
  if (parameter === undefined || more.length > 0 || (centerText !== undefined && center === undefined)) {
    context.error('value', `"${postfix ?? ''}" is not ${kind}:parameter or ${kind}:parameter:center`);
    return undefined;
  }
  if (center !== undefined && !(center >= 0 && center <= 1)) {
    context.error('range', `center ${center} is out of range`, 'allowed: 0 to 1');
    return undefined;
  }
  const problem = skewProblem(kind, parameter);
  if (problem !== undefined) {
    context.error('range', problem);
    return undefined;
  }
  return { parameter, center };
}

function skewProblem(kind: 'zipf' | 'pareto' | 'normal', parameter: number): string | undefined {
  if (kind === 'zipf')
    return parameter === 1 ? 'zipf theta must not be 1' : parameter < 0 ? 'zipf theta is negative' : undefined;
  if (kind === 'pareto') return parameter > 0 && parameter < 1 ? undefined : 'pareto h must lie between 0 and 1';
  return parameter >= 0 && parameter < 100 ? undefined : 'the deviation must be at least 0 and below 100 percent';
}

function readZoneList(text: string, isAbsolute: boolean, context: ValueContext): readonly ZoneEntry[] | undefined {
  const entries: { access: number | undefined; size: number | undefined }[] = [];
  for (const part of listParts(text)) {
    const [accessText, sizeText, ...more] = part.split('/');
    const access = readShare(accessText, context);
    const size = isAbsolute
      ? readAmount(sizeText ?? '', { ...BYTES, name: 'random_distribution' }, context)?.value
      : readShare(sizeText, context);
    if (access === undefined || size === undefined) return undefined;
    if (more.length > 0) {
      context.error('value', `"${part}" is not access/size`);
      return undefined;
    }
    entries.push({ access: access === 'rest' ? 0 : access, size: size === 'rest' ? undefined : size });
  }
  const access = entries.reduce((sum, entry) => sum + (entry.access ?? 0), 0);
  const sizes = isAbsolute ? 0 : entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0);
  if (entries.length > MAX_ZONES || access !== 100 || sizes > 100) {
    context.error(
      'range',
      entries.length > MAX_ZONES
        ? `at most ${MAX_ZONES} zones per direction`
        : `accesses of all zones add up to ${access} percent (must be 100) and sizes to ${sizes} (must not exceed 100)`,
    );
    return undefined;
  }
  const blanks = entries.filter((entry) => entry.size === undefined).length;
  const share = blanks === 0 ? 0 : Math.floor((100 - sizes) / blanks);
  return entries.map((entry) => ({
    accessPercent: entry.access ?? 0,
    size: { unit: isAbsolute ? 'bytes' : 'percent', value: entry.size ?? share },
  }));
}

const FILE_SERVICES = ['random', 'zipf', 'pareto', 'normal', 'gauss', 'roundrobin', 'sequential'];

/** file_service_type=random|roundrobin|sequential[:N] or a skewed choice. */
export function readFileService(text: string, _spec: OptionSpec, context: ValueContext): Value | undefined {
  const split = splitWord(text, FILE_SERVICES, context);
  if (split === undefined) return undefined;
  const kind = split.word === 'gauss' ? 'normal' : split.word;
  if (kind === 'zipf' || kind === 'pareto' || kind === 'normal') {
    const skew = readSkew(kind, split.postfix, context);
    return skew === undefined ? undefined : { kind: 'fileService', service: { kind, ...skew } };
  }
  const limits: OptionSpec = { name: 'file_service_type', type: 'int32', min: 1 };
  const count = split.postfix === undefined ? { value: 1 } : readAmount(split.postfix.trim(), limits, context);
  if (count === undefined || (kind !== 'random' && kind !== 'roundrobin' && kind !== 'sequential')) return undefined;
  return { kind: 'fileService', service: { kind, ioPerFile: count.value } };
}

/** cmdprio_bssplit=SIZE/PERCENT[/CLASS/LEVEL]:… per direction. */
export function readCmdprioSplit(text: string, _spec: OptionSpec, context: ValueContext): Value | undefined {
  const items = readPerDirection(text, context, readCmdprioList);
  return items === undefined ? undefined : { kind: 'cmdprioSplit', items };
}

function readCmdprioList(text: string, context: ValueContext): readonly CmdprioEntry[] | undefined {
  const entries: CmdprioEntry[] = [];
  for (const part of listParts(text)) {
    const match = /^([^/]+)\/(\d{0,3})(?:\/([1-3])\/([0-7]))?$/.exec(part);
    const amount = match === null ? undefined : readAmount(match[1], { ...BYTES, name: 'cmdprio_bssplit' }, context);
    const percent = Number(match?.[2] ?? 0);
    if (match === null || percent > 100) {
      context.error('value', `"${part}" is not size/percent or size/percent/class/level`);
      return undefined;
    }
    if (amount === undefined) return undefined;
    const [, , , priorityClass, level] = match;
    const priority = priorityClass === undefined ? undefined : { class: Number(priorityClass), level: Number(level) };
    if (percent > 0) entries.push({ sizeBytes: amount.value, percent, priority });
  }
  return entries.sort((a, b) => a.sizeBytes - b.sizeBytes);
}

const SYNC_FLAGS = ['wait_before', 'write', 'wait_after'];

/** sync_file_range=FLAG[,FLAG…][:N] */
export function readSyncFileRange(text: string, _spec: OptionSpec, context: ValueContext): Value | undefined {
  const colon = text.indexOf(':');
  const flags = (colon < 0 ? text : text.slice(0, colon)).split(',');
  for (const flag of flags) {
    if (splitWord(flag, SYNC_FLAGS, context) === undefined) return undefined;
  }
  const limits: OptionSpec = { name: 'sync_file_range', type: 'int32', min: 1 };
  const every = colon < 0 ? { value: 1 } : readAmount(text.slice(colon + 1).trim(), limits, context);
  return every === undefined ? undefined : { kind: 'syncFileRange', sync: { flags, everyWrites: every.value } };
}

/** CPU numbers and ranges: 0,2-3 */
export function readCpuList(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  const cpus = new Set<number>();
  for (const part of text.trim().split(',')) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part);
    const first = Number(match?.[1] ?? NaN);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (!(first <= last && last <= MAX_CPU)) {
      context.error('value', `"${part}" is no CPU or range of CPUs`, `write ${spec.name}=0,2-3`);
      return undefined;
    }
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return { kind: 'cpus', cpus: [...cpus].sort((a, b) => a - b) };
}

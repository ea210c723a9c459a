/**
 * The values of fio options by kind: numbers by direction, ranges, words, switches, number lists. The structured ones
 * (bssplit, random_distribution, …) are in `lists.ts`, single numbers in `numbers.ts`.
 *
 * Where fio takes the first usable part of a wrong value without a word (`bs=4k,foo`, `iodepth=4,8`, `percentile_list=50:101`),
 * the value is refused here.
 *
 * @source fio 3.33 HOWTO "Parameter types"; behaviour observed with `fio --parse-only --debug=parse`
 */
import type { FioIssueCode } from './issues.ts';
import type { CmdprioEntry, Distribution, FileService, RwValue, SplitEntry, SyncFileRange } from './lists.ts';
import { readAmount, type Amount } from './numbers.ts';
import type { OptionSpec } from './options.ts';
import { suggestWord } from './suggest.ts';

/** What reading a value needs to know and can complain to. */
export interface ValueContext {
  /** Meaning of `k`: set by kb_base, which fio reads before everything else. */
  readonly kbBase: 1000 | 1024;
  error(code: FioIssueCode, message: string, hint?: string): void;
  warning(code: FioIssueCode, message: string, hint?: string): void;
}

/** A value by direction: read, write, trim. */
export type PerDirection<T> = readonly [read: T, write: T, trim: T];

/** The same done to each direction. */
export function mapDirections<T, R>(
  values: PerDirection<T>,
  map: (value: T, direction: 0 | 1 | 2) => R,
): PerDirection<R> {
  return [map(values[0], 0), map(values[1], 1), map(values[2], 2)];
}

export interface ByteRange {
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** A value in fio's terms. In lists by direction `undefined` keeps what was set before. */
export type Value =
  | {
      readonly kind: 'amounts';
      readonly items: readonly (Amount | undefined)[];
      readonly written: readonly (Amount | undefined)[];
    }
  | { readonly kind: 'ranges'; readonly items: readonly (ByteRange | undefined)[] }
  | { readonly kind: 'word'; readonly word: string; readonly postfix: string | undefined }
  | { readonly kind: 'switch'; readonly isOn: boolean; readonly written: number | undefined }
  | { readonly kind: 'floats'; readonly items: readonly number[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'rw'; readonly rw: RwValue }
  | { readonly kind: 'split'; readonly items: readonly (readonly SplitEntry[] | undefined)[] }
  | { readonly kind: 'distribution'; readonly distribution: Distribution }
  | { readonly kind: 'fileService'; readonly service: FileService }
  | { readonly kind: 'cmdprioSplit'; readonly items: readonly (readonly CmdprioEntry[] | undefined)[] }
  | { readonly kind: 'syncFileRange'; readonly sync: SyncFileRange }
  | { readonly kind: 'cpus'; readonly cpus: readonly number[] };

/** Numbers, one or by direction. */
export function readAmounts(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  const slots = spec.slots ?? 1;
  if (slots === 1) return readSingle(text, spec, context);
  const isRange = slots === 2 && (spec.name === 'startdelay' || spec.name === 'filesize');
  const parts = splitDirections(text, spec, context);
  if (parts === undefined) return undefined;
  if (parts.length > slots) {
    context.error('misread', `${spec.name} takes at most ${slots} values, fio skips the rest of "${text}"`);
    return undefined;
  }
  if (parts.length > 1 && spec.unit === 's' && parts.some((part) => /[a-z]/i.test(part))) {
    context.error(
      'misread',
      `fio does not see the unit of the first time in "${text}"`,
      'write both times in seconds, without units',
    );
    return undefined;
  }
  const written: (Amount | undefined)[] = [];
  for (const part of parts) {
    const amount = part.trim() === '' ? undefined : readAmount(part, spec, context);
    if (part.trim() !== '' && amount === undefined) return undefined;
    written.push(amount);
  }
  if (written.every((amount) => amount === undefined)) {
    context.error('value', `${spec.name} needs a number`);
    return undefined;
  }
  const items = fillDirections(written, slots);
  if (isRange && (items[0]?.value ?? 0) > (items[1]?.value ?? 0)) {
    context.error('range', `the low end of "${text}" is above its high end`);
    return undefined;
  }
  return { kind: 'amounts', items, written };
}

function readSingle(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  if (/^[^-,:]+[-,:]/.test(text)) {
    context.error('misread', `${spec.name} takes one value, fio skips the rest of "${text}"`);
    return undefined;
  }
  const amount = readAmount(text, spec, context);
  return amount === undefined ? undefined : { kind: 'amounts', items: [amount], written: [amount] };
}

/** fio separates directions by commas and, when there is none, by `:` or `-`. */
function splitDirections(text: string, spec: OptionSpec, context: ValueContext): string[] | undefined {
  if (text.includes(',')) {
    if (!/[-:]/.test(text)) return text.split(',');
    context.error('misread', `"${text}" mixes separators`, `write ${spec.name}=a,b,c`);
    return undefined;
  }
  const parts = text.split(/[-:]/);
  if (parts.length > 1 && spec.slots === 3 && spec.name === 'bs') {
    context.warning(
      'ambiguous',
      `"${text}" means read ${parts[0]}, write ${parts[1]}, as in fio`,
      `for a range write bsrange=${text}`,
    );
  }
  return parts;
}

/** The last value given also holds for the directions after it, unless the list is left open by a trailing comma. */
export function fillDirections<T>(written: readonly (T | undefined)[], slots: number): (T | undefined)[] {
  const last = written.at(-1);
  return Array.from({ length: slots }, (_unused, direction) =>
    direction < written.length ? written[direction] : last,
  );
}

/** `low-high` or `low:high`, by direction. */
export function readRanges(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  const parts = text.split(',');
  if (parts.length > 3) {
    context.error('misread', `${spec.name} takes at most 3 ranges, fio skips the rest of "${text}"`);
    return undefined;
  }
  const written: (ByteRange | undefined)[] = [];
  for (const part of parts) {
    const range = part === '' ? undefined : readRange(part, spec, context);
    if (part !== '' && range === undefined) return undefined;
    written.push(range);
  }
  if (written.every((range) => range === undefined)) {
    context.error('value', `${spec.name} needs a range`, `write ${spec.name}=4k-64k`);
    return undefined;
  }
  return { kind: 'ranges', items: fillDirections(written, 3) };
}

function readRange(text: string, spec: OptionSpec, context: ValueContext): ByteRange | undefined {
  const ends = text.split(text.includes('-') ? '-' : ':');
  if (ends.length !== 2) {
    context.error('value', `"${text}" is not a range`, `write ${spec.name}=4k-64k`);
    return undefined;
  }
  // the block sizes that a range sets are 1 byte at least
  const limits: OptionSpec = { name: spec.name, type: 'int64', min: 1 };
  const from = readAmount(ends[0], limits, context);
  const to = readAmount(ends[1], limits, context);
  if (from === undefined || to === undefined) return undefined;
  return { lowBytes: Math.min(from.value, to.value), highBytes: Math.max(from.value, to.value) };
}

/** One of the option's words, case-sensitive. */
export function readWord(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  const split = splitWord(text, spec.words ?? [], context);
  if (split === undefined) return undefined;
  if (split.postfix !== undefined && spec.postfix === undefined) {
    context.error('misread', `${spec.name}=${split.word} takes nothing after ":" (fio skips "${split.postfix}")`);
    return undefined;
  }
  if (split.postfix === undefined && spec.postfix === 'required') {
    context.error('value', `${spec.name}=${split.word} needs a limit`, `write ${spec.name}=${split.word}:LIMIT`);
    return undefined;
  }
  return { kind: 'word', ...split };
}

/** Splits `word:postfix` and checks the word. */
export function splitWord(
  text: string,
  words: readonly string[],
  context: ValueContext,
): { readonly word: string; readonly postfix: string | undefined } | undefined {
  const colon = text.indexOf(':');
  const word = colon < 0 ? text : text.slice(0, colon);
  if (words.includes(word)) return { word, postfix: colon < 0 ? undefined : text.slice(colon + 1) };
  if (words.includes(word.trim())) {
    context.error('value', `fio takes no blank before "${word.trim()}"`, `write the value right after the =`);
    return undefined;
  }
  const nearest = suggestWord(word, words);
  context.error(
    'value',
    `"${word}" is not allowed here`,
    `${nearest === undefined ? '' : `did you mean ${nearest}? `}allowed: ${words.join(', ')}`,
  );
  return undefined;
}

/** `bool` (a value is required, 0 or 1) and `flag` (bare, or a number where 0 means off). */
export function readSwitch(text: string | undefined, spec: OptionSpec, context: ValueContext): Value | undefined {
  if (text === undefined) return { kind: 'switch', isOn: true, written: 1 };
  const match = /^\s*(0x[0-9a-f]+|\d+)$/i.exec(text);
  const value = match === null ? NaN : Number(match[1]);
  if (Number.isNaN(value)) {
    context.error('value', `"${text}" is neither 0 nor 1`, 'write 1 for yes, 0 for no');
    return undefined;
  }
  if (value > (spec.type === 'bool' ? 1 : 0x7fff_ffff)) {
    context.error('range', `${text.trim()} is out of range`, 'allowed: 0 and 1');
    return undefined;
  }
  return { kind: 'switch', isOn: value !== 0, written: value };
}

/** A colon-separated list of decimal numbers. */
export function readFloats(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  const parts = text.split(':');
  const maxItems = spec.maxItems ?? 1;
  if (parts.length > maxItems) {
    context.error('range', `${spec.name} takes at most ${maxItems} numbers, these are ${parts.length}`);
    return undefined;
  }
  const items: number[] = [];
  for (const part of parts) {
    const value = readFloat(part);
    if (value === undefined) {
      context.error('value', `"${part}" is not a number`, 'separate the numbers by ":"');
      return undefined;
    }
    if (value < (spec.min ?? -Infinity) || value > (spec.max ?? Infinity)) {
      context.error('range', `${part} is out of range`, `allowed: ${spec.min ?? '-∞'} to ${spec.max ?? '∞'}`);
      return undefined;
    }
    items.push(value);
  }
  return { kind: 'floats', items };
}

/** A decimal number with optional fraction and exponent, or undefined. */
export function readFloat(text: string): number | undefined {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Any text but an empty one. */
export function readText(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  if (text !== '') return { kind: 'text', text };
  context.error('value', `${spec.name} needs a value`);
  return undefined;
}

/** Patterns: a quoted string, hex, decimal, or a quoted file name. */
export function readPattern(text: string, spec: OptionSpec, context: ValueContext): Value | undefined {
  if (/^\s*("[^"]*"|'[^']*'|-?\d+|0x[0-9a-f]+|%o)+\s*$/i.test(text)) return { kind: 'text', text };
  context.error('value', `"${text}" is no pattern for ${spec.name}`, 'write "text", 0xhex or a decimal number');
  return undefined;
}

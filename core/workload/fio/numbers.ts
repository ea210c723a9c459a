/**
 * One number of a job file: decimal or 0x hex, with a byte or time unit, a percentage or a zone count.
 *
 * fio's units are kept, including the inverted ones: at kb_base=1024 `k`, `kb` and `ki` mean 1024 and `kib` means 1000; at
 * kb_base=1000 they mean what they say. What fio accepts but reads as something else than it says is refused here instead:
 * `1.5k` (read as 1), `4*1024` (4), `4 k` and ` 4k` (4), `10sec` (10 µs), `4kfoo` (4096), `0x10k` (16), more than 32 bits.
 *
 * @source fio 3.33 HOWTO "Parameter types"; the misreadings observed with `fio --parse-only --debug=parse`
 */
import type { OptionSpec } from './options.ts';
import type { ValueContext } from './values.ts';

/** A number in base units: bytes, microseconds (as fio keeps times) or a count; or a share of the device; or zones. */
export interface Amount {
  readonly unit: 'plain' | 'percent' | 'zones';
  readonly value: number;
}

const BYTE_POWERS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };
/** µs per unit. @source fio 3.33 HOWTO "Parameter types": time */
const TIME_UNITS_US: Readonly<Record<string, number>> = {
  us: 1,
  usec: 1,
  ms: 1e3,
  msec: 1e3,
  s: 1e6,
  m: 60e6,
  h: 3600e6,
  d: 86_400e6,
};
const MAX_UINT32 = 0xffff_ffff;
const MAX_INT32 = 0x7fff_ffff;
const MAX_PERCENT = 100;

/** Reads one number; undefined (and a problem reported) when it is none or out of the option's range. */
export function readAmount(text: string, spec: OptionSpec, context: ValueContext): Amount | undefined {
  const match = /^(\s*)([+-]?)(0x[0-9a-f]+|\d+)(.*)$/is.exec(text);
  if (match === null) {
    complainNoNumber(text, context);
    return undefined;
  }
  const [, blanks, sign, digits, rest] = match;
  const suffix = rest.toLowerCase();
  if (blanks !== '' && suffix !== '') {
    context.error(
      'misread',
      `fio reads "${text}" as ${digits}: it stops looking for a unit at the leading blank`,
      `write "${text.trim()}" right after the =`,
    );
    return undefined;
  }
  if (suffix === '%') return readPercent(sign + digits, spec, context);
  if (rest === 'z') return readZones(sign + digits, spec, context);
  const scale = spec.unit === undefined ? byteScale(suffix, context.kbBase) : timeScale(suffix, spec.unit);
  if (scale === undefined || (digits.length > 1 && /^0x/i.test(digits) && (suffix !== '' || spec.unit === 's'))) {
    complainUnit(text, digits, suffix, spec, context);
    return undefined;
  }
  return inRange(text, sign, digits, scale, spec, context);
}

function complainNoNumber(text: string, context: ValueContext): void {
  if (text.trim() === '') context.error('value', 'a number is missing');
  else if (text.trimStart().startsWith('(')) {
    context.error('value', `"${text}" is an expression, which needs a specially built fio`, 'write the result');
  } else context.error('value', `"${text}" is not a number`);
}

function complainUnit(text: string, digits: string, suffix: string, spec: OptionSpec, context: ValueContext): void {
  if (/^\.\d/.test(suffix)) {
    context.error('misread', `fractions are not possible: fio reads "${text}" as ${digits}`, 'use a smaller unit');
  } else if (/^\s*[-+*/^%(]/.test(suffix)) {
    context.error('misread', `"${text}" is not computed: fio reads ${digits}`, 'write the result');
  } else if (/^\s/.test(suffix)) {
    context.error('misread', `fio reads "${text}" as ${digits}: no blank may stand before the unit`);
  } else if (/^0x/i.test(digits)) {
    context.error(
      'misread',
      `a hex number takes no unit${spec.unit === 's' ? ' and cannot be a time in seconds' : ''}: "${text}"`,
      'write it in decimal',
    );
  } else {
    const units = spec.unit === undefined ? 'k m g t p, kb …, kib …' : 'us ms s m h d';
    context.error('misread', `"${suffix}" is no unit (fio would skip it)`, `possible units: ${units}`);
  }
}

function readPercent(digits: string, spec: OptionSpec, context: ValueContext): Amount | undefined {
  const value = Number(digits);
  if (spec.extent === undefined) {
    context.error('misread', `${spec.name} takes no percentage (fio reads it as 2^64 - 1 - ${digits})`);
  } else if (!(value >= 0 && value <= MAX_PERCENT)) {
    context.error('range', `${digits}% is out of range`, 'allowed: 0% to 100%');
  } else {
    return { unit: 'percent', value };
  }
  return undefined;
}

function readZones(digits: string, spec: OptionSpec, context: ValueContext): Amount | undefined {
  const value = Number(digits);
  if (spec.extent === undefined) context.error('value', `${spec.name} takes no zone count ("z")`);
  else if (!(value >= 0 && value <= MAX_UINT32)) context.error('range', `${digits} zones are out of range`);
  else return { unit: 'zones', value };
  return undefined;
}

/** Bytes per unit, or undefined when `suffix` is none. The inversion at 1024 is fio's, for old job files. */
function byteScale(suffix: string, kbBase: 1000 | 1024): bigint | undefined {
  const match = /^([kmgtp])(b|i|ib)?$|^b?$/.exec(suffix);
  if (match === null) return undefined;
  const [, prefix, tail] = match;
  if (prefix === undefined) return 1n;
  const inverted = tail === 'ib';
  const base = inverted === (kbBase === 1024) ? 1000n : 1024n;
  return base ** BigInt(BYTE_POWERS[prefix]);
}

/** Microseconds per unit, or undefined when `suffix` is none. */
function timeScale(suffix: string, defaultUnit: 'us' | 's'): bigint | undefined {
  const unit = suffix === '' ? defaultUnit : suffix;
  return Object.hasOwn(TIME_UNITS_US, unit) ? BigInt(TIME_UNITS_US[unit]) : undefined;
}

/** fio keeps "int" options in 32 bits and compares them signed when they have a lower limit. */
function upperLimit(spec: OptionSpec): number {
  if (spec.max !== undefined) return spec.max;
  if (spec.type !== 'int32') return Number.MAX_SAFE_INTEGER;
  return (spec.min ?? 0) > 0 ? MAX_INT32 : MAX_UINT32;
}

function inRange(
  text: string,
  sign: string,
  digits: string,
  scale: bigint,
  spec: OptionSpec,
  context: ValueContext,
): Amount | undefined {
  // 2^64 has 20 digits; longer ones need no exact value to be out of range
  const magnitude = digits.length > 24 ? 2n ** 80n : BigInt(digits) * scale;
  const value = sign === '-' ? -magnitude : magnitude;
  const low = BigInt(spec.min ?? 0);
  const high = BigInt(upperLimit(spec));
  if (value < low || value > high) {
    const unit = spec.unit === undefined ? '' : ' µs';
    context.error('range', `${text.trim()} is out of range`, `allowed: ${low}${unit} to ${high}${unit}`);
    return undefined;
  }
  if (spec.powerOfTwo === true && (value & (value - 1n)) !== 0n) {
    context.error('range', `${text.trim()} is not a power of two`);
    return undefined;
  }
  return { unit: 'plain', value: Number(value) };
}

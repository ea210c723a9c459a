/** Building blocks of the definition schema: quantities with unit texts that become base units, each with its allowed range. */
import * as z from 'zod';
import { formatBytes, formatNs } from '../units/format.ts';
import { parseBytes, parseTimeNs, type Parsed } from '../units/parse.ts';

const BYTES_WORDS = 'must be a number of bytes or a text such as "4k", "64GiB"';
const TIME_WORDS = 'must be integer nanoseconds or a text such as "12us", "10ms"';

export interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly powerOfTwo?: boolean;
}

function quantity(
  parse: (input: number | string) => Parsed,
  show: (value: number) => string,
  words: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, powerOfTwo = false }: Range,
) {
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${show(min)}` : `${show(min)} to ${show(max)}`;
  const allowed = `${min === max ? show(min) : range}${powerOfTwo ? ', a power of two' : ''}`;
  return z.union([z.number(), z.string()], { error: words }).transform((input, context) => {
    const parsed = parse(input);
    if (!parsed.ok) {
      context.addIssue({ code: 'custom', message: parsed.message });
      return z.NEVER;
    }
    const { value } = parsed;
    if (value < min || value > max) {
      context.addIssue({ code: 'custom', message: `${show(value)} is out of range; allowed: ${allowed}` });
      return z.NEVER;
    }
    if (powerOfTwo && !Number.isInteger(Math.log2(value))) {
      context.addIssue({ code: 'custom', message: `${show(value)} is no power of two; allowed: ${allowed}` });
      return z.NEVER;
    }
    return value;
  });
}

/** A size: number of bytes or text ("4k", "64GiB"); becomes bytes. */
export const bytes = (range: Range = {}) => quantity(parseBytes, formatBytes, BYTES_WORDS, range);

/** A time: integer ns or text ("12us"); becomes ns. */
export const timeNs = (range: Range = {}) => quantity(parseTimeNs, formatNs, TIME_WORDS, range);

/** A whole number within a range. */
export const count = (min: number, max: number) =>
  z
    .int({ error: `must be a whole number from ${min} to ${max}` })
    .min(min, { error: `must be a whole number from ${min} to ${max}` })
    .max(max, { error: `must be a whole number from ${min} to ${max}` });

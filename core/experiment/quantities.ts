/** Building blocks of the definition schema: quantities with unit texts that become base units, each with its allowed range. */
import * as z from 'zod';
import { formatBytes, formatNs } from '../units/format.ts';
import { parseBytes, parseTimeNs, type Parsed } from '../units/parse.ts';

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

function quantity(parse: (input: number | string) => Parsed, show: (value: number) => string, range: Range) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  return z.union([z.number(), z.string()]).transform((input, context) => {
    const parsed = parse(input);
    if (!parsed.ok) {
      context.addIssue({ code: 'custom', message: parsed.message });
      return z.NEVER;
    }
    if (parsed.value < min || parsed.value > max) {
      const allowed = range.max === undefined ? `at least ${show(min)}` : `${show(min)} to ${show(max)}`;
      context.addIssue({ code: 'custom', message: `${show(parsed.value)} is out of range; allowed: ${allowed}` });
      return z.NEVER;
    }
    return parsed.value;
  });
}

/** A size: number of bytes or text ("4k", "64GiB"); becomes bytes. */
export const bytes = (range: Range = {}) => quantity(parseBytes, formatBytes, range);

/** A time: integer ns or text ("12us"); becomes ns. */
export const timeNs = (range: Range = {}) => quantity(parseTimeNs, formatNs, range);

/** A whole number within a range. */
export const count = (min: number, max: number) =>
  z
    .int({ error: `must be a whole number from ${min} to ${max}` })
    .min(min, { error: `must be a whole number from ${min} to ${max}` })
    .max(max, { error: `must be a whole number from ${min} to ${max}` });

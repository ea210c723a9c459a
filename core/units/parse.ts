/**
 * The one parser of quantities in definitions and forms: "4k", "64GiB", "0x1000" as bytes, "12us", "10ms" as integer nanoseconds.
 * (fio text has rules of its own, see core/workload/fio/values.ts.)
 *
 * Refused because unclear: fractions of a byte or nanosecond, a time without unit ("100"), "5m" (minutes or milli?).
 */

/** A parsed quantity, or why it was refused and what is allowed. */
export type Parsed = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly message: string };

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  ki: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mi: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gi: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
  t: 1024 ** 4,
  ti: 1024 ** 4,
  tib: 1024 ** 4,
  tb: 1000 ** 4,
};

const TIME_UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  min: 60e9,
  h: 3600e9,
};

const BYTES_ALLOWED = 'write a number of bytes or a text such as "4k", "4KiB", "64GiB", "0x1000"';
const TIME_ALLOWED = 'write integer nanoseconds as a number, or a text such as "100ns", "12us", "10ms", "2s"';

/** Bytes of a number or text. `k`, `Ki` and `KiB` are 1024, `kB` is 1000 (and so on up to T). */
export function parseBytes(input: number | string): Parsed {
  if (typeof input === 'number') return whole(input, 'bytes', BYTES_ALLOWED);
  const text = input.trim();
  if (/^0x[0-9a-f]+$/i.test(text)) return whole(Number(text), 'bytes', BYTES_ALLOWED);
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const factor = match === null ? undefined : BYTE_UNITS[match[2].toLowerCase()];
  if (match === null || factor === undefined) return refuse(`"${input}" is not a size; ${BYTES_ALLOWED}`);
  return whole(Number(match[1]) * factor, 'bytes', BYTES_ALLOWED);
}

/** Integer nanoseconds of a number (already ns) or text with unit. */
export function parseTimeNs(input: number | string): Parsed {
  if (typeof input === 'number') return whole(input, 'nanoseconds', TIME_ALLOWED);
  const text = input.trim();
  if (text === '0') return { ok: true, value: 0 };
  const match = /^(\d+(?:\.\d+)?)\s*([a-zµ]*)$/.exec(text);
  if (match === null) return refuse(`"${input}" is not a time; ${TIME_ALLOWED}`);
  if (match[2] === 'm') return refuse(`"${input}" is unclear: write "min" for minutes or "ms" for milliseconds`);
  const factor = TIME_UNITS[match[2]];
  if (factor === undefined) return refuse(`"${input}" has no unit that is known; ${TIME_ALLOWED}`);
  return whole(roundIfClose(Number(match[1]) * factor), 'nanoseconds', TIME_ALLOWED);
}

function refuse(message: string): Parsed {
  return { ok: false, message };
}

/** 1.1 * 1000 is not 1100 in binary floating point; what differs from an integer by less than a millionth is that integer. */
function roundIfClose(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value - rounded) < 1e-6 ? rounded : value;
}

function whole(value: number, what: string, allowed: string): Parsed {
  if (value < 0) return refuse(`${value} is negative; ${allowed}`);
  const rounded = roundIfClose(value);
  if (!Number.isSafeInteger(rounded)) return refuse(`${value} is not a whole number of ${what} below 2^53; ${allowed}`);
  return { ok: true, value: rounded };
}

/** Quantities as people read them: four significant digits, the unit scaled. Exact values stay exact wherever data is exported. */

const TIME_STEPS: readonly (readonly [number, string])[] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
  [1, 'ns'],
];
const BYTE_STEPS: readonly (readonly [number, string])[] = [
  [1024 ** 4, 'TiB'],
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
  [1, 'B'],
];
const COUNT_STEPS: readonly (readonly [number, string])[] = [
  [1e9, ' G'],
  [1e6, ' M'],
  [1e3, ' k'],
  [1, ''],
];

/** `2_410_000` → `2.410 ms`; 0 → `0`; NaN → `–`. */
export function formatNs(ns: number): string {
  return scaled(ns, TIME_STEPS, ' ');
}

/** `4096` → `4 KiB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, BYTE_STEPS, ' ');
}

/** Bytes per second: `1_048_576` → `1 MiB/s`. */
export function formatBandwidth(bytesPerSecond: number): string {
  return Number.isNaN(bytesPerSecond) ? '–' : `${formatBytes(bytesPerSecond)}/s`;
}

/** `198_234` → `198.2 k`. */
export function formatCount(count: number): string {
  return scaled(count, COUNT_STEPS, '');
}

/** `1234567` → `1 234 567` with thin spaces: the exact number. */
export function formatExact(value: number): string {
  return Number.isNaN(value) ? '–' : value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** `0.221` → `22.1 %`. */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return '–';
  return `${significant(share * 100, 3)} %`;
}

function scaled(value: number, steps: readonly (readonly [number, string])[], gap: string): string {
  if (Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  const step = steps.find(([size]) => Math.abs(value) >= size) ?? steps[steps.length - 1];
  return significant(value / step[0], 4) + gap + step[1];
}

/** At most `digits` significant digits, never cutting the integer part, without trailing zeros after a whole number. */
function significant(value: number, digits: number): string {
  if (Number.isInteger(value)) return String(value);
  const whole = Math.floor(Math.abs(value)).toString().length;
  return value.toFixed(Math.max(0, digits - (Math.abs(value) < 1 ? 1 : whole)));
}

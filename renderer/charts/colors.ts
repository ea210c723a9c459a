/** Token colours for canvases, which do not understand `light-dark()`: asked of the browser through a hidden element. */

let probe: HTMLElement | undefined;

/** The colour of a token as the present theme has it, e.g. `rgb(59, 116, 212)`. */
export function tokenColor(token: string): string {
  if (probe === undefined) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${token})`;
  return getComputedStyle(probe).color;
}

export type Rgb = readonly [number, number, number];

/** Red, green and blue of `rgb(…)`. */
export function rgbOf(color: string): Rgb {
  const [r = 0, g = 0, b = 0] = (color.match(/\d+(\.\d+)?/g) ?? []).map(Number);
  return [r, g, b];
}

const HEAT_TOKENS = ['heat-1', 'heat-2', 'heat-3', 'heat-4', 'heat-5'] as const;
const HEAT_STEPS = 256;

/** 256 colours of the heat scale, few → many. */
export function heatScale(): readonly Rgb[] {
  const stops = HEAT_TOKENS.map((token) => rgbOf(tokenColor(token)));
  return Array.from({ length: HEAT_STEPS }, (_, i) => mix(stops, (i / (HEAT_STEPS - 1)) * (stops.length - 1)));
}

function mix(stops: readonly Rgb[], at: number): Rgb {
  const from = Math.min(stops.length - 2, Math.floor(at));
  const share = at - from;
  const [a, b] = [stops[from], stops[from + 1]];
  const channel = (i: number): number => Math.round(a[i] + (b[i] - a[i]) * share);
  return [channel(0), channel(1), channel(2)];
}

/** Place of a count on the heat scale (0..255): logarithmic, since cells differ by orders of magnitude. */
export function heatStep(count: number, max: number): number {
  if (count <= 0) return -1;
  return max <= 1 ? HEAT_STEPS - 1 : Math.round((Math.log(count) / Math.log(max)) * (HEAT_STEPS - 1));
}

/**
 * Draws keyslot occupancy on a canvas: a row per slot, a bar per span. Programming is solid in the colour of that stage, in use solid in the key's, idle
 * light and hatched; merged spans are layered by the share of their time. Keys are also written as numbers wherever they fit: never colour alone.
 */
import type { KeyslotOccupancy } from '../../core/contract/api.ts';
import { tokenColor } from './colors.ts';
import { KEY_COLORS, SEVERAL_KEYS, stateOf } from './keyslot-spans.ts';
import type { TimeRange } from './time-range.ts';

export interface GanttView {
  readonly range: TimeRange;
  readonly widthPx: number;
  readonly rowPx: number;
  readonly slots: number;
  /** A row with a frame around it. */
  readonly marked: number | undefined;
}

interface Palette {
  readonly bg: string;
  readonly line: string;
  readonly text: string;
  readonly onKey: string;
  readonly program: string;
  readonly many: string;
  readonly keys: readonly string[];
  readonly hatches: ReadonlyMap<string, CanvasPattern>;
}

/** Distance of the lines of a hatch, as of the stages'. */
const HATCH_PX = 5;
/** Between the bars of two slots. */
const GAP_PX = 2;
/** A bar narrower than this has no room for a frame of its own. */
const FRAME_FROM_PX = 4;
const FONT = '11px system-ui, sans-serif';

/** The token of a key's colour: one of eight while there are no more keys, else that of "many". */
export function keyToken(keys: Float64Array, keyId: number): string {
  const place = keys.indexOf(keyId);
  return keyId === SEVERAL_KEYS || keys.length > KEY_COLORS || place < 0 ? 'key-many' : `key-${place + 1}`;
}

function paletteOf(context: CanvasRenderingContext2D): Palette {
  const keys = Array.from({ length: KEY_COLORS }, (_v, i) => tokenColor(`key-${i + 1}`));
  const many = tokenColor('key-many');
  const hatches = new Map<string, CanvasPattern>();
  for (const color of [...keys, many]) {
    const pattern = hatch(context, color);
    if (pattern !== null) hatches.set(color, pattern);
  }
  const [bg, line, text] = ['bg', 'line', 'text'].map(tokenColor);
  return { bg, line, text, onKey: tokenColor('on-key'), program: tokenColor('stage-keyslot'), many, keys, hatches };
}

function hatch(context: CanvasRenderingContext2D, color: string): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = tile.height = HATCH_PX;
  const ink = tile.getContext('2d');
  if (ink === null) return null;
  ink.strokeStyle = color;
  ink.globalAlpha = 0.7;
  ink.beginPath();
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    ink.moveTo(shift, HATCH_PX);
    ink.lineTo(shift + HATCH_PX, 0);
  }
  ink.stroke();
  return context.createPattern(tile, 'repeat');
}

/** Draws everything anew. The context is scaled so that one unit is one CSS pixel. */
export function paintGantt(context: CanvasRenderingContext2D, data: KeyslotOccupancy, view: GanttView): void {
  const { widthPx, rowPx, slots } = view;
  const palette = paletteOf(context);
  context.clearRect(0, 0, widthPx, rowPx * slots);
  context.fillStyle = palette.line;
  for (let slot = 1; slot <= slots; slot++) context.fillRect(0, slot * rowPx - 1, widthPx, 1);
  context.font = FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  for (let row = 0; row < data.slot.length; row++) paintRow(context, data, view, palette, row);
}

function paintRow(
  context: CanvasRenderingContext2D,
  data: KeyslotOccupancy,
  { range, widthPx, rowPx, slots, marked }: GanttView,
  palette: Palette,
  row: number,
): void {
  const slot = data.slot[row];
  if (slot >= slots) return;
  const scale = widthPx / (range.toNs - range.fromNs);
  const left = Math.max(0, (data.startNs[row] - range.fromNs) * scale);
  const right = Math.min(widthPx, (data.endNs[row] - range.fromNs) * scale);
  if (right < 0 || left > widthPx) return;
  const box = { x: left, y: slot * rowPx + 1, w: Math.max(1, right - left), h: rowPx - 1 - GAP_PX };
  const place = data.keys.indexOf(data.keyId[row]);
  const isColored = data.keys.length <= KEY_COLORS && place >= 0;
  const color = isColored ? palette.keys[place] : palette.many;
  if (stateOf(data, row) === 'several') paintShares(context, data, row, box, color, palette);
  else paintState(context, data, row, box, color, palette);
  if (row === marked) {
    context.strokeStyle = palette.text;
    context.lineWidth = 2;
    context.strokeRect(box.x - 1, box.y, box.w + 2, box.h);
  }
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function paintState(
  context: CanvasRenderingContext2D,
  data: KeyslotOccupancy,
  row: number,
  box: Box,
  color: string,
  palette: Palette,
): void {
  const state = stateOf(data, row);
  if (state === 'idle') fillIdle(context, box, color, palette);
  else {
    context.fillStyle = state === 'programming' ? palette.program : color;
    context.fillRect(box.x, box.y, box.w, box.h);
    // Neighbours of one colour are told apart.
    context.fillStyle = palette.bg;
    if (box.w >= FRAME_FROM_PX) context.fillRect(box.x + box.w - 1, box.y, 1, box.h);
  }
  if (state !== 'programming' && data.keyId[row] !== SEVERAL_KEYS)
    writeKey(context, box, String(data.keyId[row]), state === 'idle', palette);
}

function fillIdle(context: CanvasRenderingContext2D, box: Box, color: string, palette: Palette): void {
  context.fillStyle = palette.hatches.get(color) ?? color;
  context.fillRect(box.x, box.y, box.w, box.h);
  if (box.w < FRAME_FROM_PX) return;
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
}

function writeKey(context: CanvasRenderingContext2D, box: Box, text: string, isIdle: boolean, palette: Palette): void {
  const width = context.measureText(text).width;
  if (box.w < width + 6) return;
  const x = box.x + box.w / 2;
  const y = box.y + box.h / 2;
  if (isIdle) {
    context.fillStyle = palette.bg;
    context.fillRect(x - width / 2 - 2, box.y + 1, width + 4, box.h - 2);
  }
  context.fillStyle = isIdle ? palette.text : palette.onKey;
  context.fillText(text, x, y + 0.5);
}

/** Merged spans: from below the share in use, idle, and programming, which is a pixel at least. */
function paintShares(
  context: CanvasRenderingContext2D,
  data: KeyslotOccupancy,
  row: number,
  box: Box,
  color: string,
  palette: Palette,
): void {
  const total = data.programmingNs[row] + data.inUseNs[row] + data.idleNs[row];
  const top = data.programs[row] === 0 ? 0 : Math.max(1, (data.programmingNs[row] / total) * box.h);
  const used = Math.min(box.h - top, (data.inUseNs[row] / total) * box.h);
  context.fillStyle = palette.program;
  context.fillRect(box.x, box.y, box.w, top);
  const idle = box.h - top - used;
  if (idle > 0) fillIdle(context, { x: box.x, y: box.y + top, w: box.w, h: idle }, color, palette);
  context.fillStyle = color;
  context.fillRect(box.x, box.y + box.h - used, box.w, used);
}

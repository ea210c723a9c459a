/**
 * From scroll position to row and back, for tables of any length. Browsers cut elements at a height; beyond it the scrollbar is mapped onto the rows
 * instead of clipped: its ends are still the first and the last row.
 */

/** Height that Chromium still lays out. @source measured: elements are cut at 33 554 428 px */
export const MAX_HEIGHT_PX = 33_554_428;

export interface RowScroll {
  readonly total: number;
  readonly rowPx: number;
  /** Height in which rows are seen. */
  readonly viewPx: number;
}

/** Height of the scrolled content. */
export function contentPx({ total, rowPx }: RowScroll): number {
  return Math.min(total * rowPx, MAX_HEIGHT_PX);
}

/** Is the scrollbar mapped, so that a pixel is more than a pixel? */
export function isMapped({ total, rowPx }: RowScroll): boolean {
  return total * rowPx > MAX_HEIGHT_PX;
}

/** The (fractional) row at the upper edge when the last row is at the lower edge. */
export function lastTopRow({ total, rowPx, viewPx }: RowScroll): number {
  return Math.max(0, total - viewPx / rowPx);
}

/** The (fractional) row at the upper edge. */
export function topRowAt(scroll: RowScroll, scrollTop: number): number {
  const range = contentPx(scroll) - scroll.viewPx;
  return range <= 0 ? 0 : Math.min(1, Math.max(0, scrollTop / range)) * lastTopRow(scroll);
}

/** Where to scroll for a row to be at the upper edge. */
export function scrollTopFor(scroll: RowScroll, topRow: number): number {
  const last = lastTopRow(scroll);
  const range = Math.max(0, contentPx(scroll) - scroll.viewPx);
  return last === 0 ? 0 : (Math.min(last, Math.max(0, topRow)) / last) * range;
}

/** The upper row to go to so that `row` is wholly seen; the present one when it is. */
export function topRowToShow({ total, rowPx, viewPx }: RowScroll, topRow: number, row: number): number {
  const whole = Math.floor(viewPx / rowPx);
  if (row < topRow) return row;
  if (row + 1 > topRow + viewPx / rowPx)
    return Math.min(Math.max(0, row + 1 - viewPx / rowPx), Math.max(0, total - whole));
  return topRow;
}

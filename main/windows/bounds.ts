/** Where the window appears: where it was, unless that is off every screen by now. */
import type { WindowState } from '../settings/settings-file.ts';

export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const DEFAULT_SIZE = { width: 1280, height: 800 };

/** So much of the window must be on a screen to be grabbed with the mouse. */
const GRIP_PX = 100;

/** Bounds for a new window. Without displays to compare with, only the size is taken over. */
export function visibleBounds(state: WindowState | undefined, displays: readonly Bounds[]): Partial<Bounds> {
  if (state === undefined) return DEFAULT_SIZE;
  const { x, y, width, height } = state;
  const isVisible = displays.some(
    (display) =>
      x + width >= display.x + GRIP_PX &&
      x + GRIP_PX <= display.x + display.width &&
      y >= display.y &&
      y + GRIP_PX <= display.y + display.height,
  );
  return isVisible ? { x, y, width, height } : { width, height };
}

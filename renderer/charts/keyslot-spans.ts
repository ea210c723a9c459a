/**
 * The spans of keyslots as a chart uses them: which one is at a point, what it is, in words. Pure functions over the columns of an answer, whose rows are
 * sorted by slot and time and do not overlap within a slot.
 */
import type { KeyslotOccupancy } from '../../core/contract/api.ts';
import { formatExact, formatNs, formatShare } from '../../core/units/format.ts';
import { t } from '../locales/words.ts';

export const SEVERAL_KEYS = -1;

/** Up to so many keys have a colour each; more are told apart by number. */
export const KEY_COLORS = 8;

export type SlotState = 'programming' | 'inUse' | 'idle' | 'several';

/** The state of a row that stands for one span; `several` for merged ones of different states. */
export function stateOf(data: KeyslotOccupancy, row: number): SlotState {
  const total = data.programmingNs[row] + data.inUseNs[row] + data.idleNs[row];
  if (data.programmingNs[row] === total) return 'programming';
  if (data.inUseNs[row] === total) return 'inUse';
  return data.idleNs[row] === total ? 'idle' : 'several';
}

/** The first row of each slot, and the number of rows at the end. */
export function firstRows(data: KeyslotOccupancy, slots: number): Int32Array {
  const first = new Int32Array(slots + 1).fill(data.slot.length);
  for (let row = data.slot.length - 1; row >= 0; row--) if (data.slot[row] < slots) first[data.slot[row]] = row;
  for (let slot = slots - 1; slot >= 0; slot--) if (first[slot] > first[slot + 1]) first[slot] = first[slot + 1];
  return first;
}

/** The row of a slot at an instant, or the nearest within `slackNs` (thin spans are hard to hit); undefined where the slot was empty. */
export function rowAt(
  data: KeyslotOccupancy,
  first: Int32Array,
  slot: number,
  atNs: number,
  slackNs: number,
): number | undefined {
  if (slot < 0 || slot + 1 >= first.length) return undefined;
  let low = first[slot];
  let high = first[slot + 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (data.startNs[middle] <= atNs) low = middle + 1;
    else high = middle;
  }
  const distance = (row: number): number => {
    if (row < first[slot] || row >= first[slot + 1]) return Infinity;
    return Math.max(data.startNs[row] - atNs, atNs - data.endNs[row], 0);
  };
  const nearest = distance(low - 1) <= distance(low) ? low - 1 : low;
  return distance(nearest) <= slackNs ? nearest : undefined;
}

export function keyText(keyId: number): string {
  return keyId === SEVERAL_KEYS ? t('keyslots.severalKeys') : String(keyId);
}

/** `in use`; of merged spans how many they are, and how their time divides. */
export function stateText(data: KeyslotOccupancy, row: number): string {
  const spans = data.spans[row];
  if (spans === 1) return t(`keyslots.${stateOf(data, row)}`);
  const total = data.programmingNs[row] + data.inUseNs[row] + data.idleNs[row];
  const share = (ns: number): string => formatShare(total === 0 ? 0 : ns / total);
  return t('keyslots.several', {
    n: formatExact(spans),
    programs: formatExact(data.programs[row]),
    programming: share(data.programmingNs[row]),
    inUse: share(data.inUseNs[row]),
    idle: share(data.idleNs[row]),
  });
}

/** Slot, key, state, from, to, duration. */
export function cellsOf(data: KeyslotOccupancy, row: number): readonly string[] {
  return [
    String(data.slot[row]),
    keyText(data.keyId[row]),
    stateText(data, row),
    `${formatExact(data.startNs[row])} ns`,
    `${formatExact(data.endNs[row])} ns`,
    formatNs(data.endNs[row] - data.startNs[row]),
  ];
}

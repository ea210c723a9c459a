/**
 * How large the next I/O is: fixed, a range (multiples of the smallest size) or a split by percentages. Near the end of a file only sizes that fit are drawn, as
 * if the others were drawn again until one fits.
 *
 * @source fio 3.33 HOWTO "bs", "bsrange", "bssplit"; sequences observed with `--write_iolog`
 */
import type { RandomStream } from '../engine/random.ts';
import type { BlockSizes, SplitEntry } from './fio/job.ts';

/** Draws a size in bytes of at most `roomBytes`; 0 when not even the smallest fits. */
export type SizeDraw = (roomBytes: number) => number;

export function sizeDraw(sizes: BlockSizes, isUnaligned: boolean, stream: RandomStream): SizeDraw {
  switch (sizes.kind) {
    case 'fixed':
      return (roomBytes) => (sizes.sizeBytes <= roomBytes ? sizes.sizeBytes : 0);
    case 'range':
      return (roomBytes) => rangeDraw(sizes.minBytes, sizes.maxBytes, roomBytes, isUnaligned, stream);
    case 'split':
      return (roomBytes) => splitDraw(sizes.entries, roomBytes, stream);
  }
}

/** min + r × max, rounded down to a multiple of min and capped at max: the largest size is a little less likely than the others. */
function rangeDraw(
  minBytes: number,
  maxBytes: number,
  roomBytes: number,
  isUnaligned: boolean,
  stream: RandomStream,
): number {
  if (roomBytes < minBytes) return 0;
  if (isUnaligned) {
    const span = roomBytes >= maxBytes ? maxBytes : roomBytes - minBytes + 1;
    return Math.min(maxBytes, minBytes + Math.floor(span * stream.unit()));
  }
  const span = roomBytes >= maxBytes ? maxBytes : Math.floor(roomBytes / minBytes) * minBytes;
  const drawn = minBytes + Math.floor(span * stream.unit());
  return Math.min(maxBytes, Math.floor(drawn / minBytes) * minBytes);
}

/** The first entry that fits whose percentages add up to more than the draw; the last entry also gets what is missing to 100. */
function splitDraw(entries: readonly SplitEntry[], roomBytes: number, stream: RandomStream): number {
  const last = entries.length - 1;
  let limit = 0;
  let upTo = 0;
  for (let i = 0; i <= last; i++) {
    upTo += entries[i].percent;
    if (entries[i].sizeBytes <= roomBytes) limit = i === last ? 100 : upTo;
  }
  if (limit === 0) return smallestThatFits(entries, roomBytes);
  const percent = stream.below(limit);
  upTo = 0;
  for (let i = 0; i < last; i++) {
    upTo += entries[i].percent;
    if (percent < upTo && entries[i].sizeBytes <= roomBytes) return entries[i].sizeBytes;
  }
  return entries[last].sizeBytes;
}

/** For entries that share a rest of nothing: they are drawn only where no other fits. */
function smallestThatFits(entries: readonly SplitEntry[], roomBytes: number): number {
  let found = 0;
  for (const { sizeBytes } of entries) {
    if (sizeBytes <= roomBytes && (found === 0 || sizeBytes < found)) found = sizeBytes;
  }
  return found;
}

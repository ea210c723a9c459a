/** How large the next I/O is: fixed, a range (multiples of the smallest size) or a split by percentages. @source fio 3.33 HOWTO "bs", "bsrange", "bssplit" */
import type { RandomStream } from '../engine/random.ts';
import type { BlockSizes } from './fio/job.ts';

/** Draws a size in bytes; `roomBytes` is what is left up to the end of the file (entries of a split that do not fit are passed over). */
export type SizeDraw = (roomBytes: number) => number;

export function sizeDraw(sizes: BlockSizes, isUnaligned: boolean, stream: RandomStream): SizeDraw {
  switch (sizes.kind) {
    case 'fixed':
      return () => sizes.sizeBytes;
    case 'range':
      return () => rangeDraw(sizes.minBytes, sizes.maxBytes, isUnaligned, stream);
    case 'split':
      return (roomBytes) => {
        const percent = stream.below(100);
        let upTo = 0;
        let fallback = sizes.entries[0].sizeBytes;
        for (const entry of sizes.entries) {
          upTo += entry.percent;
          if (entry.sizeBytes <= roomBytes) fallback = entry.sizeBytes;
          if (percent < upTo && entry.sizeBytes <= roomBytes) return entry.sizeBytes;
        }
        return fallback;
      };
  }
}

function rangeDraw(minBytes: number, maxBytes: number, isUnaligned: boolean, stream: RandomStream): number {
  const drawn = minBytes + Math.floor(maxBytes * stream.unit());
  const rounded = isUnaligned ? drawn : Math.floor(drawn / minBytes) * minBytes;
  return Math.min(rounded, maxBytes);
}

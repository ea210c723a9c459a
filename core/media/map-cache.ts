/**
 * The mapping cache of a device whose memory does not hold the whole map: a read outside it first reads a piece of the map from flash. This is what HPB cures.
 *
 * Direct-mapped over segments of 4 MiB of logical space (what 4 KiB of 4-byte entries cover). A segment counts as present from the moment its read is
 * queued, and a command that touches two segments pays at most once (`@assume`: both optimistic, both rare for small random reads).
 */
import { UNIT_BYTES } from './geometry.ts';

/** Logical units that one cached piece of the map covers. */
const UNITS_PER_SEGMENT = UNIT_BYTES / 4;

export class MapCache {
  misses = 0;
  private readonly segmentOfSlot: Int32Array;

  /** @param coverageBytes logical space the cache covers; 0: the whole map is in memory, nothing ever misses */
  constructor(coverageBytes: number) {
    const slots = coverageBytes === 0 ? 0 : Math.max(1, Math.floor(coverageBytes / (UNITS_PER_SEGMENT * UNIT_BYTES)));
    this.segmentOfSlot = new Int32Array(slots).fill(-1);
  }

  /** True when the map of `lba` must be read first; from now on it is present. */
  miss(lba: number): boolean {
    const slots = this.segmentOfSlot.length;
    if (slots === 0) return false;
    const segment = this.segmentOf(lba);
    const slot = segment % slots;
    if (this.segmentOfSlot[slot] === segment) return false;
    this.segmentOfSlot[slot] = segment;
    this.misses++;
    return true;
  }

  segmentOf(lba: number): number {
    return Math.floor(lba / UNITS_PER_SEGMENT);
  }
}

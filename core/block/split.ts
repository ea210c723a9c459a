/**
 * Splitting a bio to the queue limits.
 *
 * The front part is a bio of its own, chained to the submitted one, which keeps the remainder: it ends when all parts have. Every part
 * carries the whole accounting since Q; the submitted bio takes over the row of the part that ended last.
 *
 * Not modelled: segment boundary and virt-boundary gaps (`@assume`: segments are pages, which neither splits).
 *
 * @kernel v6.12 block/blk-merge.c bio_split_rw, bio_split_discard, get_max_io_size
 */
import { advanceRow } from '../crypto/dun.ts';
import { unitBitsOf } from '../crypto/key.ts';
import type { RequestQueue } from './queue.ts';
import { OP_DISCARD, OP_WRITE_ZEROES, REQ_NOMERGE, SECTOR_BYTES } from './types.ts';

/** Physical segments of a bio: its memory segments, cut to the device's segment size. */
export function physicalSegments(q: RequestQueue, bio: number): number {
  const { segments, bytes } = q.bios;
  if (segments[bio] === 0) return 0;
  const segmentBytes = Math.ceil(bytes[bio] / segments[bio]);
  return segments[bio] * Math.ceil(segmentBytes / q.limits.maxSegmentSize);
}

/** Sectors from `sector` on that one request may hold: max_sectors, and no further than the chunk's end. */
export function maxSectorsAt(q: RequestQueue, op: number, sector: number): number {
  const { limits } = q;
  if (op === OP_DISCARD) return limits.maxDiscardSectors;
  if (op === OP_WRITE_ZEROES) return limits.maxWriteZeroesSectors;
  if (limits.chunkSectors === 0) return limits.maxSectors;
  return Math.min(limits.maxSectors, limits.chunkSectors - (sector % limits.chunkSectors));
}

/** Bytes of the front part that has to be split off, or 0 when the bio fits the limits as it is. */
export function frontBytes(q: RequestQueue, bio: number): number {
  const op = q.bios.op[bio];
  if (op === OP_DISCARD) return discardFrontBytes(q, bio);
  if (op === OP_WRITE_ZEROES) {
    const limitBytes = q.limits.maxWriteZeroesSectors * SECTOR_BYTES;
    return q.bios.bytes[bio] > limitBytes ? limitBytes : 0;
  }
  return dataFrontBytes(q, bio);
}

function dataFrontBytes(q: RequestQueue, bio: number): number {
  const { limits, bios } = q;
  const bytes = bios.bytes[bio];
  if (bytes <= q.neverSplitBytes && bios.segments[bio] <= q.neverSplitSegments) return 0;
  const bySize = alignedMaxSectors(q, bios.op[bio], bios.sector[bio]) * SECTOR_BYTES;
  const limitBytes = Math.min(bySize, segmentLimitBytes(q, bio));
  if (bytes <= limitBytes) return 0;
  const unit = Math.max(limits.logicalBlockSize, bios.keyId[bio] >= 0 ? bios.dataUnitSize[bio] : 0);
  return Math.floor(limitBytes / unit) * unit;
}

/** max_sectors, pulled back so that the part ends on a physical block if it can. */
function alignedMaxSectors(q: RequestQueue, op: number, sector: number): number {
  const { limits } = q;
  const max = maxSectorsAt(q, op, sector);
  const physical = limits.physicalBlockSize / SECTOR_BYTES;
  const logical = limits.logicalBlockSize / SECTOR_BYTES;
  const startOffset = sector % physical;
  const end = Math.floor((startOffset + max) / physical) * physical;
  return end > startOffset ? end - startOffset : Math.floor(max / logical) * logical;
}

function segmentLimitBytes(q: RequestQueue, bio: number): number {
  const { limits, bios } = q;
  if (physicalSegments(q, bio) <= limits.maxSegments) return Infinity;
  const segmentBytes = Math.ceil(bios.bytes[bio] / bios.segments[bio]);
  const perSegment = Math.ceil(segmentBytes / limits.maxSegmentSize);
  if (perSegment > limits.maxSegments) return limits.maxSegments * limits.maxSegmentSize;
  return Math.floor(limits.maxSegments / perSegment) * segmentBytes;
}

/** The split point of a discard is pulled back so that the next part starts on the granularity. */
function discardFrontBytes(q: RequestQueue, bio: number): number {
  const granularity = Math.max(q.limits.discardGranularity / SECTOR_BYTES, 1);
  const max = q.limits.maxDiscardSectors - (q.limits.maxDiscardSectors % granularity);
  if (max === 0 || q.bios.bytes[bio] <= max * SECTOR_BYTES) return 0;
  const beyond = (q.bios.sector[bio] + max) % granularity;
  return (max > beyond ? max - beyond : max) * SECTOR_BYTES;
}

/** Splits `bytes` off the front (the X event) and returns the bio of the front part. */
export function splitFront(q: RequestQueue, bio: number, bytes: number): number {
  const { bios } = q;
  const front = bios.alloc();
  bios.serial[front] = bios.serial[bio];
  bios.op[front] = bios.op[bio];
  bios.flags[front] = bios.flags[bio] | REQ_NOMERGE;
  bios.sector[front] = bios.sector[bio];
  bios.bytes[front] = bytes;
  bios.ioprio[front] = bios.ioprio[bio];
  bios.writeHint[front] = bios.writeHint[bio];
  bios.io[front] = bios.io[bio];
  bios.cpu[front] = bios.cpu[bio];
  bios.copyCrypt(front, bio);
  bios.buffer[front] = bios.buffer[bio];
  bios.queuedNs[front] = bios.queuedNs[bio];
  bios.parent[front] = bio;
  bios.remaining[bio]++;
  bios.rows.copyFrom(front, bios.rows, bio);
  if (bios.segments[bio] > 0) {
    const segmentBytes = Math.ceil(bios.bytes[bio] / bios.segments[bio]);
    bios.segments[front] = Math.ceil(bytes / segmentBytes);
    bios.segments[bio] -= Math.floor(bytes / segmentBytes);
  }
  bios.sector[bio] += bytes / SECTOR_BYTES;
  bios.bytes[bio] -= bytes;
  if (bios.keyId[bio] >= 0) advanceRow(bios.dun, bio, bytes, unitBitsOf(bios.dataUnitSize[bio]));
  q.counters.splits++;
  if (q.log.on) q.event('bio.split', bios.serial[bio], bios.sector[bio]);
  return front;
}

/**
 * The memory behind bios in data runs: user buffers of I/Os and bounce pages, as pooled byte arrays, and the way a driver's DMA sees them, request by request.
 *
 * A buffer knows which sector of the device its first byte belongs to. A bio therefore only names its buffer: where its bytes lie follows from its sector, whatever was split off
 * or completed before, and nothing on the path of a bio has to move an offset along.
 *
 * Not modelled: pages as such (a buffer is contiguous), highmem, IOMMU. `@assume` a copy takes no virtual time: the cost model of the rooms has it already.
 */
import { widerFloat64 } from './columns.ts';
import type { BioTable } from './bio.ts';
import type { RequestTable } from './request.ts';
import { SECTOR_BYTES } from './types.ts';

const NONE = -1;
/** Buffers come in powers of two from here on. */
const LEAST_BYTES = 4096;
const LEAST_BITS = 12;
const CLASSES = 32;
const FIRST_CAPACITY = 64;

/** All buffers by handle. Memory is allocated when a size is first needed and used again afterwards. */
export class BufferPool {
  inUse = 0;
  /** Sector of the device that the first byte of a buffer belongs to. */
  private sector = new Float64Array(FIRST_CAPACITY);
  private readonly memory: Uint8Array[] = [];
  private readonly free: number[][] = Array.from({ length: CLASSES }, () => []);

  /** A buffer for `sizeBytes` of the device from `sector` on; what it holds is undefined. */
  take(sizeBytes: number, sector: number): number {
    const sizeClass = sizeBytes <= LEAST_BYTES ? 0 : 32 - Math.clz32(sizeBytes - 1) - LEAST_BITS;
    const buffer = this.free[sizeClass].pop() ?? this.make(LEAST_BYTES * 2 ** sizeClass);
    this.sector[buffer] = sector;
    this.inUse++;
    return buffer;
  }

  put(buffer: number): void {
    this.free[32 - Math.clz32(this.memory[buffer].length - 1) - LEAST_BITS].push(buffer);
    this.inUse--;
  }

  /** The bytes of a buffer that belong to `sizeBytes` of the device from `sector` on. No copy. */
  bytes(buffer: number, sector: number, sizeBytes: number): Uint8Array {
    const at = (sector - this.sector[buffer]) * SECTOR_BYTES;
    return this.memory[buffer].subarray(at, at + sizeBytes);
  }

  /** The bytes of a buffer that a bio covers now. No copy. */
  ofBio(bios: BioTable, bio: number): Uint8Array {
    return this.bytes(bios.buffer[bio], bios.sector[bio], bios.bytes[bio]);
  }

  private make(sizeBytes: number): number {
    const buffer = this.memory.length;
    this.memory.push(new Uint8Array(sizeBytes));
    if (buffer === this.sector.length) this.sector = widerFloat64(this.sector, 2 * buffer);
    return buffer;
  }
}

/** The data of requests as a device moves it: one run of bytes, whatever bios it comes from or goes to. */
export class RequestBytes {
  /** Told of every I/O with data in a request whose key was not the one in the engine, because a fault had seen to that. */
  onWrongKey: ((io: number) => void) | undefined;
  private readonly bios: BioTable;
  private readonly requests: RequestTable;
  private readonly buffers: BufferPool;
  /** What is on its way between host and device: one transfer at a time, because it takes no time. */
  private transit = new Uint8Array(LEAST_BYTES);

  constructor(block: { readonly bios: BioTable; readonly requests: RequestTable }, buffers: BufferPool) {
    this.bios = block.bios;
    this.requests = block.requests;
    this.buffers = buffers;
  }

  /** A copy of the data of a write; valid, and the caller's to change, until the next call. */
  gather(rq: number): Uint8Array {
    const { bios, requests, buffers } = this;
    const transit = this.room(requests.bytes[rq]);
    let at = 0;
    for (let bio = requests.bio[rq]; bio !== NONE; at += bios.bytes[bio], bio = bios.next[bio])
      transit.set(buffers.ofBio(bios, bio), at);
    return transit;
  }

  /** Room for the data of a read, to be filled and scattered; valid until the next call. */
  room(sizeBytes: number): Uint8Array {
    if (this.transit.length < sizeBytes) this.transit = new Uint8Array(2 ** Math.ceil(Math.log2(sizeBytes)));
    return this.transit.subarray(0, sizeBytes);
  }

  /** Puts the data of a read where its bios want it. */
  scatter(rq: number, data: Uint8Array): void {
    const { bios, requests, buffers } = this;
    let at = 0;
    for (let bio = requests.bio[rq]; bio !== NONE; at += bios.bytes[bio], bio = bios.next[bio])
      buffers.ofBio(bios, bio).set(data.subarray(at, at + bios.bytes[bio]));
  }

  /** The request met another key than its own in the engine, after a fault. */
  wrongKey(rq: number): void {
    const { bios, requests } = this;
    for (let bio = requests.bio[rq]; bio !== NONE; bio = bios.next[bio]) this.onWrongKey?.(bios.io[bio]);
  }
}

/**
 * The part of the machine's memory that host controllers read and write by DMA: descriptor lists, command and response units, queues. Bytes in one buffer, handed out by
 * a bump allocator; addresses are offsets plus a base, so that a null address is never valid.
 *
 * Not modelled: the pages that I/O data lives in (addresses above `DATA_WINDOW` are symbolic), IOMMU, cache maintenance.
 * `@assume` a little-endian machine (as every one that runs this): 32-bit views are used for little-endian structures.
 */

/** Physical address of the first byte. @assume any page-aligned address that is not 0 */
export const MEMORY_BASE = 0x8000_0000;
/** Addresses from here on stand for data pages and carry no bytes. @assume */
export const DATA_WINDOW = 0x1_0000_0000;

export class HostMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly view: DataView;
  private used = 0;

  constructor(sizeBytes: number) {
    const buffer = new ArrayBuffer((sizeBytes + 7) & ~7);
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Reserves zeroed bytes and returns their physical address. Throws when the memory is full. `align` is a power of two. */
  allocate(sizeBytes: number, align: number): number {
    const at = Math.ceil(this.used / align) * align;
    if (at + sizeBytes > this.bytes.length) throw new Error(`memory: ${sizeBytes} bytes do not fit`);
    this.used = at + sizeBytes;
    return MEMORY_BASE + at;
  }

  /** True when `sizeBytes` at the address lie in this memory. */
  contains(address: number, sizeBytes: number): boolean {
    return address >= MEMORY_BASE && address + sizeBytes <= MEMORY_BASE + this.bytes.length;
  }

  /** Index into `words` of an address (4-byte aligned). */
  word(address: number): number {
    return (address - MEMORY_BASE) >>> 2;
  }

  /** Address of the word with this index in `words`. */
  address(word: number): number {
    return MEMORY_BASE + word * 4;
  }

  /** Index into `bytes` of an address. */
  byte(address: number): number {
    return address - MEMORY_BASE;
  }
}

/** Bytes of a 32-bit word in the opposite order. */
export function swap32(value: number): number {
  return ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

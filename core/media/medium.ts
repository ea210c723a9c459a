/**
 * What a device holds in data runs: its bytes as the host would read them back, sparse, so that a medium of many GiB costs what was written to it.
 *
 * Modelled: pages of 4 KiB that exist from the first write until they are discarded; what was never written or was discarded reads as zeros (UFS: TPRZ, thin provisioning reads zeros).
 * Data is visible once the device has accepted it: whether it is in the write buffer or on flash makes no difference, because no loss of power is modelled.
 * Not modelled: where on flash the bytes lie (ftl.ts knows places without content), bit errors.
 */

/** Bytes of a page. */
export const PAGE_BYTES = 4096;
/** Pages of a slab: memory is allocated by the MiB. */
const SLAB_PAGES = 256;
const LEAF_PAGES = 1024;
const NONE = -1;

export class Medium {
  readonly capacityBytes: number;
  /** Called once, when more pages are needed than allowed; what does not fit is dropped. */
  onFull: (() => void) | undefined;
  private readonly mostPages: number;
  private readonly slabs: Uint8Array[] = [];
  /** Where each page of the device is in the slabs: leaves of 1024 pages by number. */
  private readonly leaves = new Map<number, Int32Array>();
  private readonly free: number[] = [];
  private fresh = 0;
  private isFull = false;

  /** `limitBytes`: most memory that the pages may take. */
  constructor(capacityBytes: number, limitBytes: number) {
    this.capacityBytes = capacityBytes;
    this.mostPages = Math.floor(limitBytes / PAGE_BYTES);
  }

  /** Bytes of the pages that exist. */
  get usedBytes(): number {
    return (this.fresh - this.free.length) * PAGE_BYTES;
  }

  read(offsetBytes: number, into: Uint8Array): void {
    this.eachPart(offsetBytes, into.length, (page, within, at, sizeBytes) => {
      const bytes = this.existing(page);
      if (bytes === undefined) into.fill(0, at, at + sizeBytes);
      else into.set(bytes.subarray(within, within + sizeBytes), at);
    });
  }

  write(offsetBytes: number, data: Uint8Array): void {
    this.eachPart(offsetBytes, data.length, (page, within, at, sizeBytes) => {
      (this.existing(page) ?? this.make(page))?.set(data.subarray(at, at + sizeBytes), within);
    });
  }

  discard(offsetBytes: number, sizeBytes: number): void {
    this.eachPart(offsetBytes, sizeBytes, (page, within, _at, partBytes) => {
      if (partBytes === PAGE_BYTES) this.drop(page);
      else this.existing(page)?.fill(0, within, within + partBytes);
    });
  }

  /** Every page that exists, in order of its place, until `visit` returns false. The bytes are the medium's own. */
  visitPages(visit: (offsetBytes: number, bytes: Uint8Array) => boolean): void {
    for (const number of [...this.leaves.keys()].sort((a, b) => a - b)) {
      for (let i = 0; i < LEAF_PAGES; i++) {
        const page = number * LEAF_PAGES + i;
        const bytes = this.existing(page);
        if (bytes !== undefined && !visit(page * PAGE_BYTES, bytes)) return;
      }
    }
  }

  /** The pieces of an extent, page by page: page, offset within it, offset within the extent, bytes. */
  private eachPart(
    offsetBytes: number,
    sizeBytes: number,
    part: (page: number, within: number, at: number, sizeBytes: number) => void,
  ): void {
    for (let at = 0; at < sizeBytes;) {
      const page = Math.floor((offsetBytes + at) / PAGE_BYTES);
      const within = offsetBytes + at - page * PAGE_BYTES;
      const now = Math.min(PAGE_BYTES - within, sizeBytes - at);
      part(page, within, at, now);
      at += now;
    }
  }

  private existing(page: number): Uint8Array | undefined {
    const place = this.leaves.get(Math.floor(page / LEAF_PAGES))?.[page % LEAF_PAGES] ?? NONE;
    return place === NONE ? undefined : this.bytesAt(place);
  }

  private bytesAt(place: number): Uint8Array {
    const at = (place % SLAB_PAGES) * PAGE_BYTES;
    return this.slabs[Math.floor(place / SLAB_PAGES)].subarray(at, at + PAGE_BYTES);
  }

  /** A page of zeros; undefined when there may be no more. */
  private make(page: number): Uint8Array | undefined {
    const place = this.free.pop() ?? this.fresh;
    if (place >= this.mostPages) {
      if (!this.isFull) this.onFull?.();
      this.isFull = true;
      return undefined;
    }
    if (place === this.fresh) {
      this.fresh++;
      if (place % SLAB_PAGES === 0) this.slabs.push(new Uint8Array(SLAB_PAGES * PAGE_BYTES));
    }
    this.leafOf(page)[page % LEAF_PAGES] = place;
    return this.bytesAt(place).fill(0);
  }

  private leafOf(page: number): Int32Array {
    const number = Math.floor(page / LEAF_PAGES);
    const leaf = this.leaves.get(number) ?? new Int32Array(LEAF_PAGES).fill(NONE);
    this.leaves.set(number, leaf);
    return leaf;
  }

  private drop(page: number): void {
    const leaf = this.leaves.get(Math.floor(page / LEAF_PAGES));
    const place = leaf?.[page % LEAF_PAGES] ?? NONE;
    if (leaf === undefined || place === NONE) return;
    leaf[page % LEAF_PAGES] = NONE;
    this.free.push(place);
  }
}

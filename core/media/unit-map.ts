/**
 * The logical-to-physical map: one physical address per 4 KiB unit, in pages of 16 units that come into being when one of their units is first written or
 * unmapped. An untouched page answers with the device's initial state, so a terabyte costs nothing until it is used: 64 bytes per 64 KiB touched, plus a
 * directory of 4 bytes per 64 KiB (zero pages, which operating systems do not back with memory until written).
 */

/** The unit is where precondition put it. */
export const FILLED = -1;
/** The unit was never written, or was discarded. */
export const UNMAPPED = -2;

const PAGE_SHIFT = 4;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const REGION_SHIFT = 16;
const PAGES_PER_CHUNK = 4096;
const CHUNK_SHIFT = 12;
/** Directory values: 0 untouched, -1 all unmapped, else page number. */
const ALL_UNMAPPED = -1;

export class UnitMap {
  private readonly initial: number;
  private readonly directory: Int32Array;
  /** 1 for regions of 256 MiB in which a unit was touched: what spares a lookup elsewhere the directory, which no cache holds. */
  private readonly touched: Uint8Array;
  private readonly chunks: Int32Array[] = [];
  /** Page 0 stays unused: 0 means untouched. */
  private nextPage = 1;

  /** @param initial what an untouched unit answers: FILLED or UNMAPPED. */
  constructor(units: number, initial: number) {
    this.initial = initial;
    this.directory = new Int32Array((units >>> PAGE_SHIFT) + 1);
    this.touched = new Uint8Array((units >>> REGION_SHIFT) + 1);
  }

  /** The unit's ppa, FILLED or UNMAPPED. */
  get(lba: number): number {
    if (this.touched[lba >>> REGION_SHIFT] === 0) return this.initial;
    const page = this.directory[lba >>> PAGE_SHIFT];
    if (page <= 0) return page === 0 ? this.initial : UNMAPPED;
    return this.chunks[page >>> CHUNK_SHIFT][((page & (PAGES_PER_CHUNK - 1)) << PAGE_SHIFT) | (lba & PAGE_MASK)];
  }

  set(lba: number, value: number): void {
    let page = this.directory[lba >>> PAGE_SHIFT];
    if (page <= 0) page = this.createPage(lba >>> PAGE_SHIFT, page === 0 ? this.initial : UNMAPPED);
    this.chunks[page >>> CHUNK_SHIFT][((page & (PAGES_PER_CHUNK - 1)) << PAGE_SHIFT) | (lba & PAGE_MASK)] = value;
  }

  /** Unmaps the 16 units from `lba` (a multiple of 16) when none of them was ever touched; returns whether it did. */
  unmapUntouchedPage(lba: number): boolean {
    if (this.directory[lba >>> PAGE_SHIFT] !== 0) return false;
    this.directory[lba >>> PAGE_SHIFT] = ALL_UNMAPPED;
    this.touched[lba >>> REGION_SHIFT] = 1;
    return true;
  }

  /** Memory of the touched pages (bytes). */
  get pageBytes(): number {
    return this.chunks.length * (PAGES_PER_CHUNK << PAGE_SHIFT) * 4;
  }

  private createPage(index: number, value: number): number {
    const page = this.nextPage++;
    if (page >>> CHUNK_SHIFT >= this.chunks.length) this.chunks.push(new Int32Array(PAGES_PER_CHUNK << PAGE_SHIFT));
    const at = (page & (PAGES_PER_CHUNK - 1)) << PAGE_SHIFT;
    this.chunks[page >>> CHUNK_SHIFT].fill(value, at, at + PAGE_MASK + 1);
    this.directory[index] = page;
    this.touched[index >>> (REGION_SHIFT - PAGE_SHIFT)] = 1;
    return page;
  }
}

export const UNITS_PER_MAP_PAGE = PAGE_MASK + 1;

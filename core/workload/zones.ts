/**
 * Strided zones (zonemode=strided): `zonesize` bytes of I/O in a window of `zonerange` bytes, then the window moves on by `zonerange` + `zoneskip`, and from the end of the
 * file back to its start. Within a window sequential I/O wraps around and random I/O draws freely, without a random map.
 *
 * @source fio 3.33 HOWTO "zonemode"; sequences observed with `--write_iolog`
 */
import type { JobRegion } from './fio/job.ts';

export class StridedZones {
  /** Where the window begins (relative to the file). */
  startBytes = 0;
  readonly rangeBytes: number;

  private readonly fileBytes: number;
  private readonly sizeBytes: number;
  private readonly strideBytes: number;
  private doneBytes = 0;

  constructor(zones: NonNullable<JobRegion['zones']>, fileBytes: number) {
    this.rangeBytes = zones.rangeBytes;
    this.sizeBytes = zones.sizeBytes;
    this.strideBytes = zones.rangeBytes + zones.skipBytes;
    this.fileBytes = fileBytes;
  }

  /** Bytes of the window that lie inside the file. */
  get windowBytes(): number {
    return Math.min(this.rangeBytes, this.fileBytes - this.startBytes);
  }

  /** Counts an I/O. */
  issued(sizeBytes: number): void {
    this.doneBytes += sizeBytes;
  }

  /** Moves the window when this one has had its share; true when it moved. */
  turn(): boolean {
    if (this.doneBytes < this.sizeBytes) return false;
    this.doneBytes = 0;
    this.startBytes += this.strideBytes;
    if (this.startBytes >= this.fileBytes) this.startBytes = 0;
    return true;
  }

  restart(): void {
    this.doneBytes = 0;
    this.startBytes = 0;
  }
}

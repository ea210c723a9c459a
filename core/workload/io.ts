/**
 * The I/Os of the load generators: what fio would call an io_u, from the system call that submits it to the moment its submitter has reaped it.
 *
 * An I/O becomes one bio, or several when it has more than 256 segments. Its accounting row covers `submitNs` to `completeNs`; the bios'
 * rows are adopted on the critical path (the bio that ended last).
 */
import { wider } from '../engine/columns.ts';
import { StageRows } from '../trace/stages.ts';

/** Directions of an I/O, fio's ddir. */
export const DDIR_READ = 0;
export const DDIR_WRITE = 1;
export const DDIR_TRIM = 2;
export const DDIR_SYNC = 3;
export const DDIR_NAMES = ['read', 'write', 'trim', 'sync'] as const;

/** Columns of all I/Os in flight, indexed by a pooled handle. */
export class IoTable {
  /** Ordinal of the I/O in the run, from 1 in order of submission: the `io_id` of the trace. */
  id: Float64Array;
  /** Index of the job clone (thread) that submitted it. */
  job: Int32Array;
  ddir: Uint8Array;
  offsetBytes: Float64Array;
  sizeBytes: Float64Array;
  cpu: Int32Array;
  keyId: Int32Array;
  /** Worst BLK_STS_* of its bios. */
  status: Uint8Array;
  /** REQ_* flags of its bios beyond those of its direction. */
  flags: Int32Array;
  submitNs: Float64Array;
  completeNs: Float64Array;
  biosLeft: Int32Array;
  /** Requests that began with one of its bios; 0 when all its data travelled in requests of other I/Os (merged). */
  requests: Int32Array;
  /** For the owner's intrusive lists. */
  next: Int32Array;
  readonly rows: StageRows;
  /** I/Os allocated now. */
  inUse = 0;

  private capacity: number;
  private freeTop = 0;
  private freeList: Int32Array;

  constructor(capacity = 256) {
    this.capacity = capacity;
    this.id = new Float64Array(capacity);
    this.job = new Int32Array(capacity);
    this.ddir = new Uint8Array(capacity);
    this.offsetBytes = new Float64Array(capacity);
    this.sizeBytes = new Float64Array(capacity);
    this.cpu = new Int32Array(capacity);
    this.keyId = new Int32Array(capacity);
    this.status = new Uint8Array(capacity);
    this.flags = new Int32Array(capacity);
    this.submitNs = new Float64Array(capacity);
    this.completeNs = new Float64Array(capacity);
    this.biosLeft = new Int32Array(capacity);
    this.requests = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.rows = new StageRows(capacity);
    this.freeList = new Int32Array(capacity);
    this.release(0, capacity);
  }

  /** A handle whose columns the caller fills. */
  alloc(): number {
    if (this.freeTop === 0) this.grow();
    this.inUse++;
    return this.freeList[--this.freeTop];
  }

  free(io: number): void {
    this.inUse--;
    this.freeList[this.freeTop++] = io;
  }

  /** Puts handles `from..to-1` on the free list so that the lowest leaves first. */
  private release(from: number, to: number): void {
    for (let io = to - 1; io >= from; io--) this.freeList[this.freeTop++] = io;
  }

  private grow(): void {
    const from = this.capacity;
    const n = from * 2;
    this.id = wider(this.id, new Float64Array(n));
    this.job = wider(this.job, new Int32Array(n));
    this.ddir = wider(this.ddir, new Uint8Array(n));
    this.offsetBytes = wider(this.offsetBytes, new Float64Array(n));
    this.sizeBytes = wider(this.sizeBytes, new Float64Array(n));
    this.cpu = wider(this.cpu, new Int32Array(n));
    this.keyId = wider(this.keyId, new Int32Array(n));
    this.status = wider(this.status, new Uint8Array(n));
    this.flags = wider(this.flags, new Int32Array(n));
    this.submitNs = wider(this.submitNs, new Float64Array(n));
    this.completeNs = wider(this.completeNs, new Float64Array(n));
    this.biosLeft = wider(this.biosLeft, new Int32Array(n));
    this.requests = wider(this.requests, new Int32Array(n));
    this.next = wider(this.next, new Int32Array(n));
    this.rows.grow(n);
    this.freeList = wider(this.freeList, new Int32Array(n));
    this.capacity = n;
    this.release(from, n);
  }
}

/**
 * Read-ahead: when a read begins where the last one ended, the rows behind it are fetched into the device's memory before they are asked for.
 *
 * One stream is followed (`@assume`; interleaved streams look random, as they do to small controllers). Rows are remembered by their place on flash, so data that was
 * rewritten since is never served stale. A read of a row that is still on its way waits for it instead of reading it twice.
 */
import type { DieArray } from './dies.ts';
import type { FlashOps } from './flash-ops.ts';
import { OP_AHEAD, type OpSink } from './flash-ops.ts';
import { UNIT_BYTES } from './geometry.ts';

const NONE = -1;
const READY = -1;

export class ReadAhead implements OpSink {
  prefetchedRows = 0;
  /** Told of every operation that waited for a prefetched row. */
  onReady: (op: number) => void = () => undefined;

  private readonly windowUnits: number;
  private readonly rowCapacity: number;
  private readonly dies: DieArray;
  private readonly ops: FlashOps;
  /** Row to the operation that fetches it, or READY; in the order they were fetched. */
  private readonly rows = new Map<number, number>();
  private nextLba = NONE;
  /** End of what was prefetched. */
  private aheadLba = 0;

  constructor(windowBytes: number, unitsPerRow: number, dies: DieArray) {
    this.windowUnits = Math.floor(windowBytes / UNIT_BYTES);
    this.rowCapacity = 2 * (Math.ceil(this.windowUnits / unitsPerRow) + 1);
    this.dies = dies;
    this.ops = dies.ops;
    dies.setSink(OP_AHEAD, this);
  }

  get isOn(): boolean {
    return this.windowUnits > 0;
  }

  /** A read of [lba, end) came: [from, to) is what to prefetch now (empty unless the stream goes on). */
  follow(lba: number, end: number, userUnits: number): { readonly from: number; readonly to: number } {
    const goesOn = lba === this.nextLba;
    this.nextLba = end;
    if (!goesOn) this.aheadLba = end;
    const from = Math.max(end, this.aheadLba);
    const to = goesOn ? Math.min(end + this.windowUnits, userUnits) : from;
    this.aheadLba = Math.max(from, to);
    return { from, to: this.aheadLba };
  }

  /** True when the row is in memory or on its way there. */
  has(row: number): boolean {
    return this.rows.has(row);
  }

  /** True when the row is in memory. */
  isReady(row: number): boolean {
    return this.rows.get(row) === READY;
  }

  /** Fetches a row by `op` (taken and filled by the caller). */
  fetch(row: number, op: number): void {
    if (this.rows.size >= this.rowCapacity) {
      for (const [old, state] of this.rows) {
        if (state !== READY) continue;
        this.rows.delete(old);
        break;
      }
    }
    this.ops.block[op] = row;
    this.rows.set(row, op);
    this.prefetchedRows++;
    this.dies.submit(op);
  }

  /** Lets `op` (never submitted to a die) wait for a row on its way; it gets the times of the fetch. */
  await(row: number, op: number): void {
    const fetching = this.rows.get(row);
    if (fetching === undefined || fetching === READY) throw new Error(`media: row ${row} is not being prefetched`);
    this.ops.waiters[op] = this.ops.waiters[fetching];
    this.ops.waiters[fetching] = op;
  }

  opDone(op: number): void {
    this.rows.set(this.ops.block[op], READY);
    for (let waiting = this.ops.waiters[op]; waiting !== NONE;) {
      const next = this.ops.waiters[waiting];
      this.ops.startNs[waiting] = this.ops.startNs[op];
      this.ops.sensedNs[waiting] = this.ops.sensedNs[op];
      this.ops.busNs[waiting] = this.ops.busNs[op];
      this.onReady(waiting);
      waiting = next;
    }
    this.ops.release(op);
  }
}

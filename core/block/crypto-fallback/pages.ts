/**
 * The pool of bounce pages. Whoever wants more than there are sleeps; pages are given in order of arrival, all of one encrypted bio at once, so that two that hold
 * some and want more cannot wait for each other.
 *
 * @kernel v6.16 mm/mempool.c mempool_alloc_bulk; block/blk-crypto-fallback.c blk_crypto_alloc_enc_bio
 */
import type { Machine } from '../../engine/machine.ts';
import { IntRing } from '../../engine/ring.ts';

export class BouncePages {
  readonly size: number;
  free: number;
  private readonly machine: Machine;
  /** Sleepers: context and pages, in turn. */
  private readonly queue = new IntRing();

  constructor(machine: Machine, size: number) {
    this.machine = machine;
    this.size = size;
    this.free = size;
  }

  get waiters(): number {
    return this.queue.size / 2;
  }

  /** Takes pages (no more than `size`) if they are free and nobody waits before. */
  take(pages: number): boolean {
    if (this.queue.size > 0 || this.free < pages) return false;
    this.free -= pages;
    return true;
  }

  /** `x` sleeps until it has its pages, then goes on at `kind(x)`. Context: a task. */
  sleep(x: number, pages: number, kind: number): void {
    this.queue.push(x);
    this.queue.push(pages);
    this.machine.sleep(x, kind, x);
  }

  /** Gives pages back, and to those who wait. `x` (-1 for none) pays for waking them. */
  put(x: number, pages: number): void {
    this.free += pages;
    while (this.queue.size > 0 && this.queue.at(1) <= this.free) {
      const sleeper = this.queue.shift();
      this.free -= this.queue.shift();
      this.machine.wake(x, sleeper);
    }
  }

  /** The sleeping contexts, first come first. */
  sleepers(): number[] {
    return Array.from({ length: this.waiters }, (_, i) => this.queue.at(2 * i));
  }
}

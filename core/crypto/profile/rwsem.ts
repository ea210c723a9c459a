/**
 * A sleeping reader-writer semaphore: the profile's `lock`. Readers share, a writer is alone, and whoever cannot have it sleeps in one queue, first come first
 * served.
 *
 * `@assume` ownership is handed to the head of the queue at release. The kernel wakes the head and lets a running task steal the lock, spins on an owner
 * that is on a CPU, and wakes all queued readers together; strict order shows the same convoy without depending on who is on which CPU.
 *
 * @kernel v6.12 kernel/locking/rwsem.c
 */
import type { Machine } from '../../engine/machine.ts';
import { IntRing } from '../../engine/ring.ts';
import type { WaitEdge } from '../../engine/waits.ts';

const NONE = -1;

export class RwSem {
  /** The context that holds it for writing, or -1. */
  writer = NONE;
  /** Contexts that hold it for reading. */
  readers = 0;
  readonly name: string;
  private readonly machine: Machine;
  /** Sleepers: context × 2, plus 1 for writers. */
  private readonly queue = new IntRing();

  constructor(machine: Machine, name: string) {
    this.machine = machine;
    this.name = name;
  }

  /** Contexts asleep for it. */
  get waiters(): number {
    return this.queue.size;
  }

  get isHeldForWriting(): boolean {
    return this.writer !== NONE;
  }

  /** Nobody holds it and nobody waits. */
  get isFree(): boolean {
    return this.writer === NONE && this.readers === 0 && this.queue.size === 0;
  }

  /** A reader would have it at once. */
  get isReadable(): boolean {
    return this.writer === NONE && this.queue.size === 0;
  }

  /** down_read_trylock. Any context; never sleeps. */
  tryRead(): boolean {
    if (!this.isReadable) return false;
    this.readers++;
    return true;
  }

  /** down_write_trylock. Any context; never sleeps. */
  tryWrite(x: number): boolean {
    if (!this.isFree) return false;
    this.writer = x;
    return true;
  }

  /** down_read: true when `x` has it at once; else `x` sleeps and goes on at `kind(x)` as a reader. Context: a task. */
  downRead(x: number, kind: number): boolean {
    if (this.tryRead()) return true;
    this.queue.push(2 * x);
    this.machine.sleep(x, kind, x);
    return false;
  }

  /** down_write: true when `x` has it at once; else `x` sleeps and goes on at `kind(x)` as the writer. Context: a task. */
  downWrite(x: number, kind: number): boolean {
    if (this.tryWrite(x)) return true;
    this.queue.push(2 * x + 1);
    this.machine.sleep(x, kind, x);
    return false;
  }

  /** up_read. `x` pays for waking who comes next. */
  upRead(x: number): void {
    if (this.readers === 0) throw new Error(`crypto: ${this.name} is not held for reading`);
    this.readers--;
    this.grant(x);
  }

  /** up_write. */
  upWrite(x: number): void {
    if (this.writer !== x) throw new Error(`crypto: ${this.name} is not held for writing by ${this.machine.name(x)}`);
    this.writer = NONE;
    this.grant(x);
  }

  /** Hands the lock to the head of the queue: one writer, or all readers up to the next writer. */
  private grant(x: number): void {
    const { queue, machine } = this;
    while (queue.size > 0 && this.writer === NONE) {
      const head = queue.at(0);
      const next = head >> 1;
      if ((head & 1) === 1) {
        if (this.readers > 0) return;
        this.writer = next;
      } else this.readers++;
      queue.shift();
      machine.wake(x, next);
    }
  }

  /** Who waits for the lock, held by whom. */
  reportWaits(add: (edge: WaitEdge) => void): void {
    const { machine, queue } = this;
    const holders = this.writer === NONE ? [] : [machine.name(this.writer)];
    for (let i = 0; i < queue.size; i++) {
      add({ waiter: machine.name(queue.at(i) >> 1), resource: this.name, holders });
    }
  }
}

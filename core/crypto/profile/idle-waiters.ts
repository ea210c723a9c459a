/**
 * The tasks that sleep until a keyslot is idle, in both manners of waking them (config.ts, WakeUp).
 *
 * A woken task looks at the idle list when it runs; if the slot is gone it sleeps again, in its old place. With `one`, a task that was woken and then needs no slot
 * hands the wake-up on, so that nobody sleeps while a slot is idle and nobody is about to take it.
 *
 * @kernel v6.12 include/linux/wait.h wait_event, kernel/sched/wait.c (non-exclusive waiters join at the head and are all woken)
 */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import { IntRing } from '../../engine/ring.ts';
import type { WakeUp } from './config.ts';
import type { SlotTable } from './slots.ts';

export class IdleWaiters {
  private readonly machine: Machine;
  private readonly mode: WakeUp;
  private readonly table: SlotTable;
  private readonly wokenKind: number;
  /** First come first. */
  private readonly queue = new IntRing();
  /** Woken, but not yet at the idle list. */
  private onTheirWay = 0;

  /** `retry(x)`: a woken task found the idle list non-empty. */
  constructor(engine: Engine, machine: Machine, mode: WakeUp, table: SlotTable, retry: (x: number) => void) {
    this.machine = machine;
    this.mode = mode;
    this.table = table;
    this.wokenKind = engine.register('crypto.get-woken', (x) => {
      this.onTheirWay--;
      if (table.idleCount > 0) retry(x);
      else this.sleepAgain(x);
    });
  }

  /** `x` sleeps until a slot is idle. Context: a task. */
  sleep(x: number): void {
    this.queue.push(x);
    this.machine.sleep(x, this.wokenKind, x);
  }

  /** A slot is idle (or may be tried by somebody else): wakes one or all. `x` pays. Any context. */
  wake(x: number): void {
    const { queue } = this;
    if (queue.size === 0) return;
    if (this.mode === 'one') this.wakeOne(x, queue.shift());
    else {
      const newestFirst = this.sleepers().reverse();
      queue.clear();
      for (const sleeper of newestFirst) this.wakeOne(x, sleeper);
    }
  }

  /** `x` found its key loaded: whoever sleeps beside an idle slot that nobody comes for is woken. */
  passOn(x: number): void {
    if (this.queue.size > 0 && this.table.idleCount > this.onTheirWay) this.wake(x);
  }

  /** Somebody sleeps beside an idle slot that nobody who was woken comes for. */
  get isForgotten(): boolean {
    return this.queue.size > 0 && this.onTheirWay === 0 && this.table.idleCount > 0;
  }

  /** The sleeping tasks, first come first. */
  sleepers(): number[] {
    return Array.from({ length: this.queue.size }, (_, i) => this.queue.at(i));
  }

  private wakeOne(x: number, sleeper: number): void {
    this.onTheirWay++;
    this.machine.wake(x, sleeper);
  }

  private sleepAgain(x: number): void {
    if (this.mode === 'one') this.queue.unshift(x);
    else this.queue.push(x); // joins at the end that is woken first
    this.machine.sleep(x, this.wokenKind, x);
  }
}

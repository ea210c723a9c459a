/**
 * Keys that take time to make: before any job starts, one task makes all hardware-wrapped keys, one after the other, as whoever unlocks an encrypted directory does before files are opened.
 *
 * A key that could not be made is one that no engine takes: its I/Os fail.
 *
 * @kernel v6.16 block/blk-crypto.c blk_crypto_ioctl, fs/crypto/keyring.c; inline-crypto.md 1.11
 */
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { IoKeys } from './encryption.ts';

/** Makes one wrapped key. */
export interface WrappedKeyMaker {
  /** Ends with `machine.ret(x)`, then `bytes(x)`. Context: a task. */
  make(x: number, isImport: boolean): void;
  /** The key as it can be programmed; empty when it could not be made. */
  bytes(x: number): Uint8Array;
}

export class KeySetup {
  private readonly machine: Machine;
  private readonly keys: IoKeys;
  private readonly maker: WrappedKeyMaker;
  private readonly onDone: () => void;
  private readonly madeKind: number;
  private readonly task: number;
  private readonly todo: { readonly index: number; readonly place: number }[];
  private at = 0;

  constructor(
    { engine, machine }: { readonly engine: Engine; readonly machine: Machine },
    keys: IoKeys,
    maker: WrappedKeyMaker,
    onDone: () => void,
  ) {
    this.machine = machine;
    this.keys = keys;
    this.maker = maker;
    this.onDone = onDone;
    this.todo = keys.unmade();
    this.madeKind = engine.register('workload.key-made', (x) => this.made(x));
    this.task = machine.createTask(
      'key setup',
      0,
      engine.register('workload.key-setup', (x) => this.next(x)),
    );
  }

  /** Makes the keys, then calls `onDone`. */
  start(): void {
    this.machine.wake(-1, this.task);
  }

  private next(x: number): void {
    if (this.at === this.todo.length) {
      this.machine.exit(x);
      this.onDone();
      return;
    }
    this.machine.pushReturn(x, this.madeKind, x);
    this.maker.make(x, this.keys.isImported(this.todo[this.at].index));
  }

  private made(x: number): void {
    const { index, place } = this.todo[this.at++];
    this.keys.put(index, place, this.maker.bytes(x));
    this.next(x);
  }
}

/**
 * Keys that come and go: one kernel task per policy that evicts the keys which were replaced, once nobody uses them.
 *
 * Modelled: a period after which the oldest key of the policy makes way for a new one, the wait until the last I/O under the old one is over (the keyring holds the inode
 * until then), the eviction from the device (may resume it, may wait for the profile's lock), the end of the key.
 * A wrapped key is made by the same task before it takes the place of the old one.
 * Not modelled: `@assume` the time that deriving a new raw key takes in its caller, which is no part of any I/O.
 *
 * @kernel v6.12 fs/crypto/keyring.c, fs/crypto/inline_crypt.c fscrypt_destroy_inline_crypt_key; inline-crypto.md 1.9
 */
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { IntRing } from '../engine/ring.ts';
import type { IoKeys } from './encryption.ts';
import type { WrappedKeyMaker } from './key-setup.ts';

/** Takes a key off the device. Ends with `machine.ret(x)`. Context: a task, may sleep. */
export type EvictKey = (x: number, keyId: number) => void;

export class KeyChurn {
  /** Keys replaced, and those of them that were evicted and ended. */
  replaced = 0;
  evicted = 0;
  /** Called when the last eviction is over after `stop`. */
  onQuiet: (() => void) | undefined;

  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly keys: IoKeys;
  private readonly evict: EvictKey;
  private readonly maker: WrappedKeyMaker | undefined;
  private readonly timers: readonly number[];
  private readonly periods: readonly number[];
  private readonly delays: readonly number[];
  private readonly indexes: readonly number[];
  private readonly task: number;
  private readonly kNext: number;
  private readonly kEvicted: number;
  private readonly kRetired: number;
  private readonly kMade: number;
  /** Churning policies that are owed a wrapped key, and the one whose key is being made. */
  private readonly owed = new IntRing();
  private making = -1;
  private readonly due = new IntRing();
  /** Keys whose time has come while I/Os use them. */
  private readonly lingering = new Set<number>();
  private current = -1;
  private isWoken = false;
  /** `evict` is being called: a key that is in no slot is evicted when it returns. */
  private isEvicting = false;
  private isStopped = false;

  constructor(
    env: { readonly engine: Engine; readonly machine: Machine },
    keys: IoKeys,
    evict: EvictKey,
    maker?: WrappedKeyMaker,
  ) {
    const { engine, machine } = env;
    this.engine = engine;
    this.machine = machine;
    this.keys = keys;
    this.evict = evict;
    this.maker = maker;
    const churning = keys.churning();
    this.indexes = churning.map(({ index }) => index);
    this.periods = churning.map(({ churn }) => churn.periodNs);
    this.delays = churning.map(({ churn }) => churn.evictAfterNs);
    this.kNext = engine.register('workload.keyring', () => this.next());
    this.kEvicted = engine.register('workload.key-evicted', () => this.keyEvicted());
    this.kRetired = engine.register('workload.key-retired', (keyId) => this.retire(keyId));
    this.kMade = engine.register('workload.churn-key-made', (x) => this.keyMade(x));
    const kReplace = engine.register('workload.key-replaced', (i) => this.replace(i));
    this.timers = churning.map((_, i) => engine.createTimer(kReplace, i, true));
    this.task = machine.createTask('keyring', 0, this.kNext);
    keys.onIdle = (keyId) => {
      if (this.lingering.delete(keyId)) this.enqueue(keyId);
    };
  }

  start(): void {
    this.timers.forEach((timer, i) => this.engine.armTimer(timer, this.engine.now + this.periods[i]));
  }

  /** No key is replaced or evicted from now on; an eviction under way goes on. */
  stop(): void {
    this.isStopped = true;
    for (const timer of this.timers) this.engine.cancelTimer(timer);
    this.lingering.clear();
    while (this.due.size > 0) this.due.shift();
    while (this.owed.size > 0) this.owed.shift();
  }

  /** An eviction is under way, or a wrapped key is being made. */
  get isBusy(): boolean {
    return this.current >= 0 || this.making >= 0;
  }

  private replace(i: number): void {
    this.engine.armTimer(this.timers[i], this.engine.now + this.periods[i]);
    if (!this.keys.isWrapped(this.indexes[i])) {
      this.exchange(i);
      return;
    }
    this.owed.push(i);
    this.wake();
  }

  /** `bytes`: those of the new key, when it is a wrapped one. */
  private exchange(i: number, bytes?: Uint8Array): void {
    const old = this.keys.replaceOldest(this.indexes[i], bytes);
    this.replaced++;
    this.engine.after(this.delays[i], this.kRetired, old);
  }

  private keyMade(x: number): void {
    this.exchange(this.making, this.maker?.bytes(x));
    this.making = -1;
    if (this.isStopped) this.onQuiet?.();
    this.next();
  }

  private retire(keyId: number): void {
    if (this.isStopped) return;
    if (this.keys.users[keyId] > 0) this.lingering.add(keyId);
    else this.enqueue(keyId);
  }

  private enqueue(keyId: number): void {
    this.due.push(keyId);
    this.wake();
  }

  private wake(): void {
    if (this.isBusy || this.isWoken) return;
    this.isWoken = true;
    this.machine.wake(this.machine.current, this.task);
  }

  private next(): void {
    this.isWoken = false;
    if (this.owed.size > 0 && this.maker !== undefined) {
      this.making = this.owed.shift();
      this.machine.pushReturn(this.task, this.kMade, this.task);
      this.maker.make(this.task, this.keys.isImported(this.indexes[this.making]));
      return;
    }
    while (this.due.size > 0) {
      this.current = this.due.shift();
      this.machine.pushReturn(this.task, this.kEvicted, 0);
      this.isEvicting = true;
      this.evict(this.task, this.current);
      this.isEvicting = false;
      if (this.current >= 0) return; // it takes its time, and goes on at keyEvicted
    }
    this.machine.sleep(this.task, this.kNext, 0);
  }

  private keyEvicted(): void {
    this.keys.table.free(this.current);
    this.evicted++;
    this.current = -1;
    if (this.isStopped) this.onQuiet?.();
    if (!this.isEvicting) this.next();
  }
}

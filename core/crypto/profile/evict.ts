/**
 * Removing keys from a crypto profile, and restoring all of them after a reset that lost them.
 *
 * Evicting may be needed with no I/O pending, so it resumes the device. Restoring is called from resume and reset paths, so it must not. Restoring does not skip idle
 * slots: a cached key is a promise too.
 *
 * @kernel v6.12 block/blk-crypto-profile.c __blk_crypto_evict_key, blk_crypto_reprogram_all_keys; generations: config.ts
 */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { EvictGeneration } from './config.ts';
import type { CryptoProfile } from './profile.ts';
import { SPAN_EMPTY, SPAN_IDLE, SPAN_PROGRAMMING } from './spans.ts';
import { type CryptoProfileOps, EBUSY, ENOKEY, errnoName, NO_KEY, NO_SLOT, OK } from './types.ts';

export class Evictor {
  private readonly profile: CryptoProfile;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly ops: CryptoProfileOps;
  private readonly generation: EvictGeneration;
  private readonly enteredKind: number;
  private readonly evictedKind: number;
  private readonly restoreKind: number;
  private readonly restoredKind: number;
  /** Keys are being restored: slots may hold anything until that is over. */
  isRestoring = false;
  /** The key that each context evicts. */
  private readonly keys = new Map<number, number>();

  constructor(
    profile: CryptoProfile,
    engine: Engine,
    machine: Machine,
    ops: CryptoProfileOps,
    generation: EvictGeneration,
  ) {
    this.profile = profile;
    this.engine = engine;
    this.machine = machine;
    this.ops = ops;
    this.generation = generation;
    this.enteredKind = engine.register('crypto.evict-entered', (x) => this.entered(x));
    this.evictedKind = engine.register('crypto.evicted', (x) => this.evicted(x));
    this.restoreKind = engine.register('crypto.restore', (x) => {
      this.isRestoring = true;
      this.restoreFrom(x, 0);
    });
    this.restoredKind = engine.register('crypto.restored', (x) => this.restored(x));
  }

  /** See CryptoProfile.evict. */
  evict(x: number, keyId: number): void {
    this.machine.assertMaySleep(x, 'blk_crypto_evict_key');
    if (this.profile.slots === 0 && this.ops.keyslotEvict === undefined) {
      this.end(x, OK);
      return;
    }
    this.keys.set(x, keyId);
    this.machine.pushReturn(x, this.enteredKind, x);
    this.profile.hardware.enter(x);
  }

  private entered(x: number): void {
    const { profile } = this;
    const { table, hardware } = profile;
    const keyId = this.keys.get(x) ?? NO_KEY;
    this.keys.delete(x);
    if (profile.slots === 0) {
      hardware.evict(x, keyId, NO_SLOT, this.evictedKind);
      return;
    }
    const slot = table.find(keyId);
    if (slot === NO_SLOT) {
      // Not a mistake of the caller: there may be more keys than slots.
      this.leave(x, this.generation === 'copied' ? ENOKEY : OK);
    } else if (table.refs[slot] > 0) {
      if (this.generation !== 'copied') profile.warnOnce('evicting a key that is in use by I/O');
      profile.counters.evictErrors++;
      if (this.generation === 'unlinked') this.unlink(slot);
      this.leave(x, EBUSY);
    } else hardware.evict(x, keyId, slot, this.evictedKind);
  }

  private evicted(x: number): void {
    const { counters, hardware } = this.profile;
    const { slot, status } = hardware;
    if (status === OK) counters.evictions++;
    else {
      counters.evictErrors++;
      this.profile.warnOnce(`evicting a key failed with ${errnoName(status)}`);
    }
    if (slot !== NO_SLOT && (status === OK || this.generation === 'unlinked')) this.unlink(slot);
    this.profile.event(status === OK ? 'keyslot.evicted' : 'keyslot.evict_failed', slot, hardware.keyId);
    this.leave(x, status);
  }

  /** The slot has no key any more; it keeps its place among the idle ones. */
  private unlink(slot: number): void {
    this.profile.setSlotKey(slot, NO_KEY);
    this.profile.spans.change(slot, SPAN_EMPTY, NO_KEY, this.engine.now);
  }

  private leave(x: number, status: number): void {
    this.profile.hardware.exit(x);
    this.end(x, status);
  }

  private end(x: number, status: number): void {
    this.profile.setStatus(x, status);
    this.machine.ret(x);
  }

  // ------------------------------------------------------------------------------------------------ restoring

  /** See CryptoProfile.reprogramAll. */
  reprogramAll(x: number): void {
    this.machine.assertMaySleep(x, 'blk_crypto_reprogram_all_keys');
    if (this.profile.slots === 0) {
      this.end(x, OK);
      return;
    }
    this.machine.pushReturn(x, this.restoreKind, x);
    this.profile.hardware.takeLock(x);
  }

  /** Programs the first slot with a key from `slot` on, or ends. */
  private restoreFrom(x: number, slot: number): void {
    const { table, hardware, spans, slots } = this.profile;
    let next = slot;
    while (next < slots && table.key[next] === NO_KEY) next++;
    if (next === slots) {
      this.isRestoring = false;
      hardware.dropLock(x);
      this.end(x, OK);
      return;
    }
    const keyId = table.key[next];
    if (table.refs[next] === 0) spans.change(next, SPAN_PROGRAMMING, keyId, this.engine.now);
    hardware.program(x, keyId, next, this.restoredKind);
  }

  private restored(x: number): void {
    const { table, hardware, spans, counters } = this.profile;
    const { slot, keyId, status } = hardware;
    if (table.refs[slot] === 0) spans.change(slot, SPAN_IDLE, keyId, this.engine.now);
    if (status === OK) counters.restored++;
    else {
      counters.programErrors++;
      this.profile.warnOnce(`restoring a key failed with ${errnoName(status)}`);
    }
    this.profile.event(status === OK ? 'keyslot.restored' : 'keyslot.program_failed', slot, keyId);
    this.restoreFrom(x, slot + 1);
  }
}

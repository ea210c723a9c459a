/**
 * What a crypto profile is built from and what it counts.
 *
 * The generations differ in what eviction does when it cannot succeed, and in whom a freed slot wakes.
 */
import type { CryptoCapabilities } from './capabilities.ts';
import type { RuntimePm } from './types.ts';

/**
 * What evicting does, by kernel generation (inline-crypto.md 1.7):
 * - `copied`, series of 2019 and early 2020: an absent key is -ENOKEY, a busy one -EBUSY; after any error the key stays.
 * - `linked`, Linux 5.8 to 6.3: an absent key is fine, a busy one warns and is -EBUSY; after any error the key stays linked.
 * - `unlinked`, Linux 6.4 and later: an absent key is fine, a busy one warns and is -EBUSY; the key is unlinked in every case.
 */
export type EvictGeneration = 'copied' | 'linked' | 'unlinked';

/**
 * Whom a slot that became idle wakes:
 * - `one`: the waiter that came first; if it finds its key loaded meanwhile, it wakes the next. Fair, and with few slots and many keys it programs at almost
 *   every get: sleepers whose key is loaded do not notice.
 * - `all`: every waiter, the newest first, as the kernel's wait_event and wake_up do (its waiters are not exclusive); those whose key is loaded go on, one takes the slot, the
 *   rest sleep again.
 */
export type WakeUp = 'one' | 'all';

export interface ProfileGeneration {
  readonly evict: EvictGeneration;
  readonly wakeUp: WakeUp;
}

export const DEFAULT_GENERATION: ProfileGeneration = { evict: 'unlinked', wakeUp: 'all' };

export interface ProfileConfig extends CryptoCapabilities {
  /** Shown in reports; default `crypto profile`. */
  readonly name?: string;
  /** Keyslots; 0: keys travel with the requests, or the device is layered. */
  readonly slots: number;
  /** The device to resume around driver operations; none: it never sleeps. */
  readonly runtimePm?: RuntimePm;
  readonly generation?: Partial<ProfileGeneration>;
}

export interface ProfileCounters {
  /** Keys programmed for a `get` (restored keys apart). */
  programs: number;
  /** Programmings that put another key out of its slot. */
  replacements: number;
  programErrors: number;
  /** Gets that found their key in a slot, at once or after a wait. */
  hits: number;
  /** Keys removed by `evict`. */
  evictions: number;
  evictErrors: number;
  /** Keys programmed by `reprogramAll`. */
  restored: number;
  /** Gets that slept for an idle slot, each counted once. */
  waits: number;
  /** Time gets waited for an idle slot or the lock: their stage `wait.keyslot`. */
  waitNs: number;
  /** Time gets spent in the driver's programming. */
  programNs: number;
}

export function newCounters(): ProfileCounters {
  return {
    programs: 0,
    replacements: 0,
    programErrors: 0,
    hits: 0,
    evictions: 0,
    evictErrors: 0,
    restored: 0,
    waits: 0,
    waitNs: 0,
    programNs: 0,
  };
}

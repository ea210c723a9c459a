/**
 * The slot table of a crypto profile: which key each slot holds, how many requests use it, the list of idle slots in order of their last use, and the hash
 * by which a key finds its slot. Pure bookkeeping: no time, no waiting.
 *
 * @kernel v6.12 block/blk-crypto-profile.c: list order (front = least recently used), 2^ceil(log2 N) buckets but at least two, initial order 0..N-1
 */
import { NO_KEY, NO_SLOT } from './types.ts';

/** @source Linux include/linux/hash.h: GOLDEN_RATIO_32 */
const GOLDEN_RATIO = 0x61c88647;

export class SlotTable {
  readonly size: number;
  /** The key each slot holds as far as software knows; NO_KEY for none. */
  readonly key: Int32Array;
  /** Requests that hold the slot. */
  readonly refs: Int32Array;
  /** Slots on the idle list. */
  idleCount = 0;
  /** The least recently used idle slot; NO_SLOT when none is idle. */
  idleHead = NO_SLOT;

  private idleTail = NO_SLOT;
  private readonly idleNext: Int32Array;
  private readonly idlePrev: Int32Array;
  private readonly buckets: Int32Array;
  private readonly hashNext: Int32Array;
  private readonly shift: number;

  constructor(size: number) {
    this.size = size;
    this.key = new Int32Array(size).fill(NO_KEY);
    this.refs = new Int32Array(size);
    this.idleNext = new Int32Array(size).fill(NO_SLOT);
    this.idlePrev = new Int32Array(size).fill(NO_SLOT);
    this.hashNext = new Int32Array(size).fill(NO_SLOT);
    const bits = Math.max(1, Math.ceil(Math.log2(Math.max(size, 1))));
    this.buckets = new Int32Array(1 << bits).fill(NO_SLOT);
    this.shift = 32 - bits;
    for (let slot = 0; slot < size; slot++) this.addIdle(slot);
  }

  /** The slot that holds `keyId`, or NO_SLOT. */
  find(keyId: number): number {
    let slot = this.buckets[this.bucket(keyId)];
    while (slot !== NO_SLOT && this.key[slot] !== keyId) slot = this.hashNext[slot];
    return slot;
  }

  /** Takes a reference; the first one takes the slot off the idle list. Returns true for the first one. */
  grab(slot: number): boolean {
    if (this.refs[slot]++ > 0) return false;
    this.removeIdle(slot);
    return true;
  }

  /** Gives a reference back; the last one puts the slot at the tail of the idle list. Returns true for the last one. */
  release(slot: number): boolean {
    if (this.refs[slot] === 0) throw new Error(`crypto: keyslot ${slot} is put more often than it was got`);
    if (--this.refs[slot] > 0) return false;
    this.addIdle(slot);
    return true;
  }

  /** The slot holds another key from now on (NO_KEY: none). */
  setKey(slot: number, keyId: number): void {
    if (this.key[slot] !== NO_KEY) this.unhash(slot);
    this.key[slot] = keyId;
    if (keyId === NO_KEY) return;
    const bucket = this.bucket(keyId);
    this.hashNext[slot] = this.buckets[bucket];
    this.buckets[bucket] = slot;
  }

  /** The idle slots, least recently used first. */
  idleSlots(): number[] {
    const slots: number[] = [];
    for (let slot = this.idleHead; slot !== NO_SLOT; slot = this.idleNext[slot]) slots.push(slot);
    return slots;
  }

  /** Forgets everything a freed table could still tell. */
  zero(): void {
    this.key.fill(NO_KEY);
    this.refs.fill(0);
    this.buckets.fill(NO_SLOT);
  }

  private bucket(keyId: number): number {
    return Math.imul(keyId, GOLDEN_RATIO) >>> this.shift;
  }

  private unhash(slot: number): void {
    const bucket = this.bucket(this.key[slot]);
    if (this.buckets[bucket] === slot) this.buckets[bucket] = this.hashNext[slot];
    else {
      let before = this.buckets[bucket];
      while (this.hashNext[before] !== slot) before = this.hashNext[before];
      this.hashNext[before] = this.hashNext[slot];
    }
    this.hashNext[slot] = NO_SLOT;
  }

  private addIdle(slot: number): void {
    this.idlePrev[slot] = this.idleTail;
    this.idleNext[slot] = NO_SLOT;
    if (this.idleTail === NO_SLOT) this.idleHead = slot;
    else this.idleNext[this.idleTail] = slot;
    this.idleTail = slot;
    this.idleCount++;
  }

  private removeIdle(slot: number): void {
    const before = this.idlePrev[slot];
    const after = this.idleNext[slot];
    if (before === NO_SLOT) this.idleHead = after;
    else this.idleNext[before] = after;
    if (after === NO_SLOT) this.idleTail = before;
    else this.idlePrev[after] = before;
    this.idleCount--;
  }
}

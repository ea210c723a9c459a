/**
 * The "hardware" of the fallback: a slot holds one cipher object per mode, of which one is active. Programming sets a key, evicting sets a blank one.
 *
 * The cipher objects themselves exist in data runs only (data.ts).
 *
 * @kernel v6.16 block/blk-crypto-fallback.c blk_crypto_fallback_keyslot_program, blk_crypto_fallback_evict_keyslot
 */
import type { KeyTable } from '../../crypto/key.ts';
import { MODE_INVALID } from '../../crypto/mode.ts';
import { type CryptoProfileOps, NO_KEY, OK, type OpOwner } from '../../crypto/profile/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { FallbackData } from './data.ts';

export class FallbackOps implements CryptoProfileOps {
  readonly maySleep = false;
  /** The key that each slot's active cipher object holds, and its mode. */
  readonly key: Int32Array;
  readonly mode: Uint8Array;
  private readonly machine: Machine;
  private readonly keys: Pick<KeyTable, 'mode'>;
  private readonly setKeyNs: number;
  private readonly programmedKind: number;
  private readonly data: FallbackData | undefined;
  private owner: OpOwner | undefined = undefined;

  constructor(
    engine: Engine,
    machine: Machine,
    keys: Pick<KeyTable, 'mode'>,
    slots: number,
    setKeyNs: number,
    data?: FallbackData,
  ) {
    this.data = data;
    this.machine = machine;
    this.keys = keys;
    this.setKeyNs = setKeyNs;
    this.key = new Int32Array(slots).fill(NO_KEY);
    this.mode = new Uint8Array(slots).fill(MODE_INVALID);
    this.programmedKind = engine.register('crypto-fallback.key-set', (x) => this.owner?.opDone(x, OK));
  }

  attach(owner: OpOwner): void {
    this.owner = owner;
  }

  /** A slot that was used in another mode is blanked in that one first, which is a second key to set. */
  keyslotProgram(x: number, keyId: number, slot: number): void {
    const mode = this.keys.mode[keyId];
    const changesMode = this.mode[slot] !== MODE_INVALID && this.mode[slot] !== mode;
    this.key[slot] = keyId;
    this.mode[slot] = mode;
    this.data?.programmed(slot, keyId);
    this.machine.run(x, changesMode ? 2 * this.setKeyNs : this.setKeyNs, this.programmedKind, x);
  }

  keyslotEvict(x: number, _keyId: number, slot: number): void {
    this.key[slot] = NO_KEY;
    this.mode[slot] = MODE_INVALID;
    this.data?.evicted(slot);
    this.machine.run(x, this.setKeyNs, this.programmedKind, x);
  }
}

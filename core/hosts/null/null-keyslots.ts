/**
 * Keyslots of the null device: programming takes a fixed time, one slot at a time, as the crypto profile serialises it; it fails only when told to.
 *
 * Modelled: the time, spent by the programming task on its CPU (register writes), waited for (a slow call elsewhere), or left to an engine beside the device (`post`): then
 * the request goes on, and its service begins once the key is there. Posting takes a register write. Evicting costs the CPU as much.
 * Deliberately not: key material, errors of its own, loss of keys, a cost of encrypting itself.
 */
import { type CryptoProfileOps, EIO, NO_KEY, OK, type OpOwner } from '../../crypto/profile/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';

export interface NullKeyslotsConfig {
  readonly slots: number;
  readonly programNs: number;
  /** What the programming task does meanwhile: burns CPU time, sleeps, or goes on. */
  readonly programming: 'spin' | 'sleep' | 'post';
}

const NONE = -1;

export class NullKeyslots implements CryptoProfileOps {
  readonly maySleep: boolean;
  /** The key in each slot. */
  readonly keyOf: Int32Array;
  /** Fault hook: so many of the next operations are refused with -EIO. */
  failNext = 0;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly programNs: number;
  private readonly isPosted: boolean;
  /** Until when the programming engine is busy with what was posted to it. */
  private engineFreeNs = 0;
  /** When the key posted to each slot is there. */
  private readonly readyNs: Float64Array;
  private readonly doneKind: number;
  private readonly wakeKind: number;
  private owner: OpOwner | undefined = undefined;
  // the operation in progress: a profile has one at a time
  private slot = NONE;
  private keyId = NO_KEY;

  constructor(
    { engine, machine }: { readonly engine: Engine; readonly machine: Machine },
    { slots, programNs, programming }: NullKeyslotsConfig,
  ) {
    this.engine = engine;
    this.machine = machine;
    this.maySleep = programming === 'sleep';
    this.isPosted = programming === 'post';
    this.programNs = programNs;
    this.readyNs = new Float64Array(slots);
    this.keyOf = new Int32Array(slots).fill(NO_KEY);
    this.doneKind = engine.register('null.key-done', (x) => this.done(x));
    this.wakeKind = engine.register('null.key-wake', (x) => machine.wake(NONE, x));
  }

  attach(owner: OpOwner): void {
    this.owner = owner;
  }

  /** Context: any; with `maySleep` a task. */
  keyslotProgram(x: number, keyId: number, slot: number): void {
    this.begin(x, keyId, slot);
  }

  /** As programming. */
  keyslotEvict(x: number, _keyId: number, slot: number): void {
    this.begin(x, NO_KEY, slot);
  }

  private begin(x: number, keyId: number, slot: number): void {
    this.keyId = keyId;
    this.slot = slot;
    if (this.maySleep) {
      this.engine.after(this.programNs, this.wakeKind, x);
      this.machine.sleep(x, this.doneKind, x);
      return;
    }
    if (this.isPosted && keyId !== NO_KEY) this.post(slot);
    this.machine.run(x, this.isPosted ? this.machine.costs.mmioWriteNs : this.programNs, this.doneKind, x);
  }

  private post(slot: number): void {
    this.engineFreeNs = Math.max(this.engine.now, this.engineFreeNs) + this.programNs;
    this.readyNs[slot] = this.engineFreeNs;
  }

  /** When a request that uses a slot can be served: its key is there. */
  serviceFromNs(slot: number): number {
    return Math.max(this.engine.now, this.readyNs[slot]);
  }

  private done(x: number): void {
    if (this.failNext > 0) {
      this.failNext--;
      this.owner?.opDone(x, EIO);
      return;
    }
    if (this.slot >= 0) this.keyOf[this.slot] = this.keyId;
    this.owner?.opDone(x, OK);
  }
}

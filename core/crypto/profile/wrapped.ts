/**
 * The operations of a crypto profile on hardware-wrapped keys: import, generate, prepare, derive. They run alone and with the device resumed, as programming
 * does, and are rare: bytes travel as arrays.
 *
 * @kernel v6.12 block/blk-crypto-profile.c blk_crypto_import_key and siblings; inline-crypto.md 1.11
 */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import { KEY_TYPE_HW_WRAPPED, MAX_RAW_KEY_BYTES, MAX_WRAPPED_KEY_BYTES } from '../mode.ts';
import type { CryptoProfile } from './profile.ts';
import { type CryptoProfileOps, EINVAL, EOPNOTSUPP, NO_KEY, NO_SLOT, OK } from './types.ts';

/** Least bytes of a raw key that can be imported. @source inline-crypto.md 1.11 */
const MIN_RAW_BYTES = 16;

type DriverCall = (x: number, input: Uint8Array) => void;

export class WrappedKeys {
  private readonly profile: CryptoProfile;
  private readonly machine: Machine;
  private readonly ops: CryptoProfileOps;
  private readonly enteredKind: number;
  private readonly doneKind: number;
  private readonly pending = new Map<number, { readonly call: DriverCall; readonly input: Uint8Array }>();
  private readonly outputs = new Map<number, Uint8Array>();

  constructor(profile: CryptoProfile, engine: Engine, machine: Machine, ops: CryptoProfileOps) {
    this.profile = profile;
    this.machine = machine;
    this.ops = ops;
    this.enteredKind = engine.register('crypto.wrapped-entered', (x) => this.entered(x));
    this.doneKind = engine.register('crypto.wrapped-done', (x) => this.done(x));
  }

  /** What the last operation of `x` gave; undefined after an error. */
  output(x: number): Uint8Array | undefined {
    return this.outputs.get(x);
  }

  /** Raw key → long-term wrapped key. All four end with `machine.ret(x)`, then `profile.status(x)` and `output(x)`. Context: a task. */
  importKey(x: number, raw: Uint8Array): void {
    const { ops } = this;
    const fits = raw.length >= MIN_RAW_BYTES && raw.length <= MAX_RAW_KEY_BYTES;
    this.start(x, ops.importKey && ((c, input) => ops.importKey?.(c, input)), raw, fits);
  }

  /** A new long-term wrapped key that software never sees in the clear. */
  generateKey(x: number): void {
    const { ops } = this;
    this.start(x, ops.generateKey && ((c) => ops.generateKey?.(c)), new Uint8Array(0), true);
  }

  /** Long-term wrapped key → ephemerally wrapped key, the form that can be programmed. */
  prepareKey(x: number, longTerm: Uint8Array): void {
    const { ops } = this;
    const fits = longTerm.length <= MAX_WRAPPED_KEY_BYTES;
    this.start(x, ops.prepareKey && ((c, input) => ops.prepareKey?.(c, input)), longTerm, fits);
  }

  /** Ephemerally wrapped key → software secret. */
  deriveSwSecret(x: number, ephemeral: Uint8Array): void {
    const { ops } = this;
    this.start(x, ops.deriveSwSecret && ((c, input) => ops.deriveSwSecret?.(c, input)), ephemeral, true);
  }

  private start(x: number, call: DriverCall | undefined, input: Uint8Array, fits: boolean): void {
    this.machine.assertMaySleep(x, 'an operation on wrapped keys');
    this.outputs.delete(x);
    const isSupported = (this.profile.config.keyTypes & KEY_TYPE_HW_WRAPPED) !== 0;
    if (!isSupported || call === undefined || !fits) {
      this.profile.setStatus(x, isSupported && call !== undefined ? EINVAL : EOPNOTSUPP);
      this.machine.ret(x);
      return;
    }
    this.pending.set(x, { call, input });
    this.machine.pushReturn(x, this.enteredKind, x);
    this.profile.hardware.enter(x);
  }

  private entered(x: number): void {
    const operation = this.pending.get(x);
    if (operation === undefined) throw new Error(`crypto: ${this.machine.name(x)} has no operation on wrapped keys`);
    this.pending.delete(x);
    this.profile.hardware.begin(x, NO_KEY, NO_SLOT, this.doneKind, 'an operation on wrapped keys');
    operation.call(x, operation.input);
  }

  private done(x: number): void {
    const { hardware } = this.profile;
    if (hardware.status === OK && hardware.output !== undefined) this.outputs.set(x, hardware.output);
    const { status } = hardware;
    hardware.exit(x);
    this.profile.setStatus(x, status);
    this.machine.ret(x);
  }
}

/**
 * The driver operations by which a crypto profile uses the inline crypto engine: keys go through the secure monitor, in raw or in wrapped form.
 *
 * One of these per storage host; the engine, its power and the secure monitor are shared by all hosts of the chip. The host may have to keep its own clocks on meanwhile
 * (UFS does): `IceHost`.
 *
 * @kernel v6.16 drivers/soc/qcom/ice.c qcom_ice_program_key, qcom_ice_evict_key; drivers/ufs/host/ufs-qcom.c; inline-crypto.md 5.3, 5.4
 */
import type { KeyTable } from '../crypto/key.ts';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MODE_AES_256_XTS } from '../crypto/mode.ts';
import { type CryptoProfileOps, EBADMSG, EINVAL, EIO, OK, type OpOwner } from '../crypto/profile/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { IceEngine } from './engine.ts';
import * as firmware from './firmware.ts';
import type { IcePower } from './power.ts';
import * as r from './registers.ts';
import * as scm from './scm.ts';

/** What the storage host does around programming and evicting. */
export interface IceHost {
  /** Keeps the host's clocks on. Ends with `machine.ret(x)`. */
  hold(x: number): void;
  release(x: number): void;
  /** `hold` may sleep. */
  readonly maySleep: boolean;
}

/** What the driver asks of a key. */
export type IceKeys = Pick<KeyTable, 'bytes' | 'mode' | 'keyType' | 'dataUnitSize'>;

export interface IceParts {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly ice: IceEngine;
  readonly power: IcePower;
  readonly monitor: scm.SecureMonitor;
  readonly keys: IceKeys;
  readonly host?: IceHost;
}

/** Bytes of a raw AES-256-XTS key. */
const RAW_KEY_BYTES = 64;
const NONE = -1;
const UNIT = 512;

export class IceOps implements CryptoProfileOps {
  private readonly parts: IceParts;
  private readonly heldKind: number;
  private readonly firmwareKind: number;
  private readonly returnedKind: number;
  private readonly plainFirmwareKind: number;
  private readonly plainReturnedKind: number;
  private owner: OpOwner | undefined = undefined;
  // the operation in progress: a profile has one at a time
  private command = NONE;
  private keyId = NONE;
  private slot = NONE;
  private buffer: Uint8Array = new Uint8Array(0);
  private output: Uint8Array | undefined = undefined;

  constructor(parts: IceParts) {
    this.parts = parts;
    const { engine } = parts;
    this.heldKind = engine.register('ice.held', (x) => this.held(x));
    this.firmwareKind = engine.register('ice.firmware', () => parts.monitor.answer(this.runFirmware()));
    this.returnedKind = engine.register('ice.returned', (x) => this.returned(x));
    this.plainFirmwareKind = engine.register('ice.wrapped-firmware', () => parts.monitor.answer(this.runWrapped()));
    this.plainReturnedKind = engine.register('ice.wrapped-returned', (x) => this.wrappedReturned(x));
  }

  /** True unless the monitor is called atomically and the host's clocks need no waiting. */
  get maySleep(): boolean {
    return this.parts.monitor.maySleep || (this.parts.host?.maySleep ?? false);
  }

  /** The form of keys that the engine takes: chosen at probe. */
  private get keyType(): number {
    return this.parts.ice.config.useWrappedKeys ? KEY_TYPE_HW_WRAPPED : KEY_TYPE_RAW;
  }

  attach(owner: OpOwner): void {
    this.owner = owner;
  }

  keyslotProgram(x: number, keyId: number, slot: number): void {
    this.begin(x, scm.SCM_SET_KEY, keyId, slot);
  }

  keyslotEvict(x: number, keyId: number, slot: number): void {
    this.begin(x, scm.SCM_INVALIDATE_KEY, keyId, slot);
  }

  private begin(x: number, command: number, keyId: number, slot: number): void {
    const { host, machine } = this.parts;
    this.command = command;
    this.keyId = keyId;
    this.slot = slot;
    if (host === undefined) {
      this.held(x);
      return;
    }
    machine.pushReturn(x, this.heldKind, x);
    host.hold(x);
  }

  private held(x: number): void {
    const { machine, monitor, ice } = this.parts;
    if (this.command === scm.SCM_SET_KEY) {
      if (!this.isAccepted()) {
        this.end(x, EINVAL);
        return;
      }
      this.fillBuffer();
      if (ice.config.useWrappedKeys) this.configure(x, 0); // not usable while its key changes
    }
    machine.pushReturn(x, this.returnedKind, x);
    monitor.call(x, this.command, this.firmwareKind);
  }

  /** Only AES-256-XTS, and only the form of keys that the mode takes. */
  private isAccepted(): boolean {
    const { keys, ice, power } = this.parts;
    if (keys.mode[this.keyId] !== MODE_AES_256_XTS || keys.keyType[this.keyId] !== this.keyType) return false;
    return ice.config.useWrappedKeys ? power.hwkmReady : keys.bytes(this.keyId).length === RAW_KEY_BYTES;
  }

  /** Raw keys travel as big-endian words, wrapped ones as they are. */
  private fillBuffer(): void {
    const bytes = this.parts.keys.bytes(this.keyId);
    this.buffer = this.parts.ice.config.useWrappedKeys ? bytes.slice() : firmware.swapWords(bytes);
  }

  /** The firmware's part of programming or evicting. */
  private runFirmware(): number {
    const { ice, power, keys } = this.parts;
    const entry = power.hwkmReady ? ice.entryOf(this.slot) : this.slot;
    if (this.command === scm.SCM_INVALIDATE_KEY) return firmware.invalidateKey(ice, entry);
    const units = keys.dataUnitSize(this.keyId) / UNIT;
    return firmware.setKey(ice, entry, this.buffer, firmware.CIPHER_AES_256_XTS, units);
  }

  private returned(x: number): void {
    const { monitor, ice, keys } = this.parts;
    this.buffer.fill(0);
    const status = monitor.status(x);
    const isProgrammed = this.command === scm.SCM_SET_KEY && status === OK;
    if (isProgrammed && ice.config.useWrappedKeys) this.configure(x, r.cryptocfgWord(keys.dataUnitSize(this.keyId)));
    this.end(x, status);
  }

  private configure(x: number, word: number): void {
    const { machine, ice } = this.parts;
    machine.charge(x, machine.costs.mmioWriteNs);
    ice.write(r.CRYPTOCFG + this.slot * r.CRYPTOCFG_STRIDE, word);
  }

  private end(x: number, status: number): void {
    this.parts.host?.release(x);
    this.owner?.opDone(x, status);
  }

  // ------------------------------------------------------------------------------------------------ wrapped keys

  importKey(x: number, raw: Uint8Array): void {
    this.callWrapped(x, scm.SCM_IMPORT, raw);
  }

  generateKey(x: number): void {
    this.callWrapped(x, scm.SCM_GENERATE, new Uint8Array(0));
  }

  prepareKey(x: number, longTerm: Uint8Array): void {
    this.callWrapped(x, scm.SCM_PREPARE, longTerm);
  }

  deriveSwSecret(x: number, ephemeral: Uint8Array): void {
    this.callWrapped(x, scm.SCM_DERIVE_SECRET, ephemeral);
  }

  private callWrapped(x: number, command: number, input: Uint8Array): void {
    const { machine, monitor } = this.parts;
    this.command = command;
    this.buffer = input.slice();
    this.output = undefined;
    machine.pushReturn(x, this.plainReturnedKind, x);
    monitor.call(x, command, this.plainFirmwareKind);
  }

  private runWrapped(): number {
    const { keyManager } = this.parts.ice;
    switch (this.command) {
      case scm.SCM_IMPORT:
        this.output = keyManager.import(this.buffer);
        break;
      case scm.SCM_GENERATE:
        this.output = keyManager.generate();
        break;
      case scm.SCM_PREPARE:
        this.output = keyManager.prepare(this.buffer);
        break;
      default:
        this.output = keyManager.softwareSecret(this.buffer);
    }
    return this.output === undefined ? scm.SCM_BAD_ARGUMENT : scm.SCM_OK;
  }

  /** What the firmware calls a bad argument is, for prepare and derive, a key that is not a wrapped one. */
  private wrappedReturned(x: number): void {
    const status = this.parts.monitor.status(x);
    this.buffer.fill(0);
    const takesWrapped = this.command === scm.SCM_PREPARE || this.command === scm.SCM_DERIVE_SECRET;
    const isBadKey = takesWrapped && (status === EIO || status === EINVAL);
    this.owner?.opDone(x, isBadKey ? EBADMSG : status, this.output);
  }
}

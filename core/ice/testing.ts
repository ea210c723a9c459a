/** For specs: an inline crypto engine with as many keys as anybody asks for, and the hands on it that the keyslot laws need. */
import { softwarePorts } from '../crypto/ciphers/software-ports.ts';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MODE_AES_256_XTS } from '../crypto/mode.ts';
import type { DriverUnderTest, MakeDriver } from '../crypto/profile/testing.ts';
import { NO_KEY } from '../crypto/profile/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { DetailLog } from '../trace/log.ts';
import { Ice, type IceOptions } from './ice.ts';
import type { IceHost, IceKeys } from './ice-ops.ts';
import { SCM_ERROR } from './scm.ts';

const KEY_TABLE_SIZE = 4096;
const DATA_UNIT_SIZE = 4096;

/** Keys by number, made when they are first asked for: raw ones, or ephemeral ones of the engine's key manager. */
export class TestKeys implements IceKeys {
  readonly mode = new Uint8Array(KEY_TABLE_SIZE).fill(MODE_AES_256_XTS);
  readonly keyType = new Uint8Array(KEY_TABLE_SIZE);
  ice: Ice | undefined;
  private readonly made = new Map<number, Uint8Array>();
  /** First word of the key as the engine uses it → its number. */
  private readonly byWord = new Map<number, number>();
  private readonly isWrapped: boolean;

  constructor(isWrapped: boolean) {
    this.isWrapped = isWrapped;
    this.keyType.fill(isWrapped ? KEY_TYPE_HW_WRAPPED : KEY_TYPE_RAW);
  }

  dataUnitSize(): number {
    return DATA_UNIT_SIZE;
  }

  bytes(keyId: number): Uint8Array {
    const known = this.made.get(keyId);
    if (known !== undefined) return known;
    const bytes = this.isWrapped ? this.wrapped() : rawKey(keyId);
    const used = this.isWrapped ? this.ice?.engine.keyManager.inlineKey(bytes) : bytes;
    this.made.set(keyId, bytes);
    if (used !== undefined) this.byWord.set(firstWord(used), keyId);
    return bytes;
  }

  /** The number of the key with these bytes in the engine. */
  numberOf(used: Uint8Array): number {
    return this.byWord.get(firstWord(used)) ?? NO_KEY;
  }

  private wrapped(): Uint8Array {
    const manager = this.ice?.engine.keyManager;
    return manager?.prepare(manager.generate()) ?? new Uint8Array(0);
  }
}

/** 64 bytes that tell the key's number. */
export function rawKey(keyId: number): Uint8Array {
  return Uint8Array.from({ length: 64 }, (_, i) => (i < 4 ? (keyId >> (8 * i)) & 0xff : (keyId * 31 + i) & 0xff));
}

function firstWord(bytes: Uint8Array): number {
  return bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
}

export interface IceUnderTest extends DriverUnderTest {
  readonly ice: Ice;
  readonly keys: TestKeys;
}

/** An engine of `slots` slots, enabled, and the operations of one host on it. */
export function makeIce(
  engine: Engine,
  machine: Machine,
  slots: number,
  options: IceOptions & { readonly host?: IceHost; readonly log?: DetailLog } = {},
): IceUnderTest {
  const keys = new TestKeys(options.ice?.useWrappedKeys ?? false);
  const env = { engine, machine, aes: softwarePorts.aesEcb, keys, ...(options.log && { log: options.log }) };
  const ice = new Ice(env, { ...options, ice: { slots, ...options.ice } });
  keys.ice = ice;
  return {
    ice,
    keys,
    ops: ice.operations(options.host),
    hardwareKey(slot) {
      const used = ice.engine.keyOf(slot);
      return used === undefined ? NO_KEY : keys.numberOf(used);
    },
    failNext: () => ice.monitor.injectAnswer(SCM_ERROR),
    loseKeys: () => ice.engine.loseKeys(),
  };
}

/** The engine of a storage host under test, with hands on its secure monitor. */
export interface HostIce {
  readonly ice: Ice;
  /** The next call fails. */
  failNext(): void;
  /** The next tries find the firmware busy. */
  beBusy(tries: number): void;
}

/** A factory of engines for specs of a host that has one. */
export function iceOfHost(
  options: IceOptions = {},
): (engine: Engine, machine: Machine, keys: IceKeys, slots: number) => HostIce {
  return (engine, machine, keys, slots) => {
    const env = { engine, machine, aes: softwarePorts.aesEcb, keys };
    const ice = new Ice(env, { scm: { tailEvery: 0 }, ...options, ice: { slots, ...options.ice } });
    return {
      ice,
      failNext: () => ice.monitor.injectAnswer(SCM_ERROR),
      beBusy: (tries) => ice.monitor.injectBusy(tries),
    };
  };
}

/** A factory for the keyslot laws; the key manager is set up at once, as after a probe. */
export function iceDriver(options: IceOptions = {}): MakeDriver {
  return (engine, machine, slots) => {
    const made = makeIce(engine, machine, slots, options);
    made.ice.power.setUpNow();
    return made;
  };
}

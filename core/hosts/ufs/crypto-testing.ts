/** For specs of inline encryption on UFS: keys that tell their number, a host that encrypts, and the hands on it that the keyslot laws need. Test aid, not part of any run. */
import { KeyTable } from '../../crypto/key.ts';
import { KEY_TYPE_RAW, MODE_AES_256_XTS } from '../../crypto/mode.ts';
import type { CryptoProfile } from '../../crypto/profile/profile.ts';
import type { DriverUnderTest, MakeDriver } from '../../crypto/profile/testing.ts';
import { NO_KEY } from '../../crypto/profile/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import { NO_GAUGES, NO_LOG, type DetailLog } from '../../trace/log.ts';
import { buildUfs } from './build.ts';
import { defaultUfsConfig, type UfsConfig } from './config.ts';
import type { UfsCryptoConfig } from './crypto-config.ts';
import type { IcePort } from './ice-port.ts';
import { type Bench, makeBench, type MakeParts, ScriptedBlock } from './testing.ts';
import type { UfshcdCrypto } from './ufshcd-crypto.ts';
import { configOffset, configWord } from './ufshci-cryptocfg.ts';

/** Data unit size of the keys here. */
export const UNIT = 4096;
/** More keys than any law asks for. */
const KEYS = 1_100;
const KEY_BYTES = 64;
/** AES-256-XTS with data units of 512 B to 32 KiB. @source inline-crypto.md 3.2, CRYPTOCAP1 of one core */
export const CAPABILITY = 0x00037f00;

/** 64 bytes; the first four are the key's number. */
export function testKey(keyId: number): Uint8Array {
  return Uint8Array.from({ length: KEY_BYTES }, (_, i) => (i < 4 ? keyId >>> (8 * i) : keyId * 31 + i) & 0xff);
}

export function testKeys(count = KEYS, dataUnitSize = UNIT): KeyTable {
  const keys = new KeyTable();
  const config = { mode: MODE_AES_256_XTS, dataUnitSize, dunBytes: 8, keyType: KEY_TYPE_RAW };
  for (let keyId = 0; keyId < count; keyId++) keys.create(testKey(keyId), config);
  return keys;
}

/** The number of the key with these bytes. */
export function numberOf(key: Uint8Array | undefined): number {
  return key === undefined ? NO_KEY : key[0] | (key[1] << 8) | (key[2] << 16) | (key[3] << 24);
}

/** Qualcomm's engine for a host under test, which a spec brings along (this room does not know the other). */
export interface TestIce {
  readonly ice: IcePort;
  failNext(): void;
  beBusy(tries: number): void;
}

export type MakeIce = (engine: Engine, machine: Machine, keys: KeyTable, slots: number) => TestIce;

export interface CryptoBench extends Bench {
  readonly keys: KeyTable;
  readonly crypto: UfshcdCrypto;
  readonly profile: CryptoProfile;
  /** Qualcomm's engine, if the host has it. */
  readonly ice: TestIce | undefined;
  /** A task that gets a slot with the key at `atNs`; then `then(slot)`. */
  get(atNs: number, keyId: number, then?: (slot: number, status: number) => void): void;
  /** A task that evicts a key. */
  evict(atNs: number, keyId: number): void;
  /** `what` happens outside any context. */
  at(atNs: number, what: () => void): void;
  /** Violations of laws, as `law`. */
  laws(): string[];
}

/** A host that encrypts, power saving off unless overridden, with ten keys. */
export function cryptoBench(
  crypto: Partial<UfsCryptoConfig> = {},
  overrides: Partial<UfsConfig> = {},
  options: { log?: DetailLog; ice?: MakeIce; dataUnitSize?: number; probed?: boolean } = {},
): CryptoBench {
  const config = { capabilities: [CAPABILITY], keyslots: 4, ...crypto };
  const keys = testKeys(10, options.dataUnitSize);
  let ice: TestIce | undefined;
  const makeParts: MakeParts = (e, m) => {
    ice = options.ice?.(e, m, keys, config.keyslots);
    return { keys, ice: ice?.ice };
  };
  const bench = makeBench({ ...overrides, crypto: config }, { ...options, crypto: makeParts });
  const { engine, machine, ufs } = bench;
  const driver = ufs.lld.crypto;
  if (driver === undefined) throw new Error('the host has no crypto profile');
  const { profile } = driver;
  let tasks = 0;
  const wake = engine.register('test.wake', (x) => machine.wake(-1, x));
  const start = (atNs: number, begin: (x: number) => void, ended: (x: number) => void): void => {
    const endedKind = engine.register('test.ended', (x) => {
      ended(x);
      machine.exit(x);
    });
    const task = engine.register('test.task', (x) => {
      machine.pushReturn(x, endedKind, x);
      begin(x);
    });
    engine.at(atNs, wake, machine.createTask(`task ${tasks++}`, 1, task));
  };
  return {
    ...bench,
    keys,
    crypto: driver,
    profile,
    ice,
    get: (atNs, keyId, then = () => undefined) => {
      const got = (x: number): void => then(profile.gotSlot(x), profile.status(x));
      start(atNs, (x) => profile.get(x, keyId), got);
    },
    evict: (atNs, keyId) => {
      start(
        atNs,
        (x) => profile.evict(x, keyId),
        () => undefined,
      );
    },
    at: (atNs, what) => {
      engine.at(atNs, engine.register('test.at', what), 0);
    },
    laws: () => machine.violations.map((v) => v.law),
  };
}

/** A slot programmed by hand, in the specified order, with nobody holding it. */
export function programmed(bench: CryptoBench, slot = 0, keyId = 1, config = configWord(0, UNIT)): void {
  const { hci } = bench.ufs.lld;
  const view = new DataView(testKey(keyId).buffer);
  hci.write(configOffset(slot, 16), 0);
  for (let i = 0; i < 16; i++) hci.write(configOffset(slot, i), view.getUint32(4 * i, true));
  hci.write(configOffset(slot, 17), 0);
  hci.write(configOffset(slot, 16), config);
  hci.crypto.boundKey[slot] = keyId;
  bench.profile.table.setKey(slot, keyId);
}

/** What makes a scripted request an encrypted one. */
export const encrypted = (slot = 0, keyId = 1) => ({ keyslot: slot, keyId, dunLow: 7 });

/** OCS of every command that ends from now on, in order. */
export function ocsOf(bench: Bench): number[] {
  const seen: number[] = [];
  const { lld } = bench.ufs;
  const finish = lld.finishSlot.bind(lld);
  lld.finishSlot = (x, slot, ocs) => {
    seen.push(ocs);
    finish(x, slot, ocs);
  };
  return seen;
}

/** A register write by software. */
export interface SeenWrite {
  readonly name: string;
  readonly value: number;
  readonly atNs: number;
}

/** Every register write of software from now on, those that change nothing included. */
export function writesOf({ engine, ufs }: Pick<Bench, 'engine' | 'ufs'>): SeenWrite[] {
  const seen: SeenWrite[] = [];
  const { hci } = ufs.lld;
  const names = new Map(hci.registers.snapshot().map(({ name, offset }) => [offset, name]));
  const write = hci.write.bind(hci);
  hci.write = (offset, value) => {
    seen.push({ name: names.get(offset) ?? `0x${offset.toString(16)}`, value: value >>> 0, atNs: engine.now });
    write(offset, value);
  };
  return seen;
}

/** A host whose clocks are mostly off, and which suspends after `autosuspendNs` (0: never). */
export const gating = (generation: 'busy' | 'blocking', autosuspendNs = 0): Partial<UfsConfig> => ({
  clockGating: { on: true, generation, gateAfterNs: 200_000, ungateNs: 50_000 },
  hibern8: { enterNs: 20_000, exitNs: 30_000, withClockGating: true },
  runtimePm: { autosuspendNs, resumeNs: 2_000_000 },
});

/** The number of the key that the hardware uses a slot with. */
export const keyIn = (bench: CryptoBench, slot: number): number =>
  numberOf(bench.ufs.lld.hci.crypto.engine.keyOf(slot));

/** A log that keeps what `keep` picks of register changes, as `name=value`. */
export function registerLog(keep: RegExp): { readonly log: DetailLog; readonly lines: string[] } {
  const lines: string[] = [];
  const log: DetailLog = {
    ...NO_LOG,
    on: true,
    register: (block, _offset, name, _before, after) => {
      if (block === 'ufshci' && keep.test(name)) lines.push(`${name}=${after.toString(16)}`);
    },
  };
  return { log, lines };
}

/** Registers that tell the order of a reset: configurations as a whole, enabling, doorbells. */
export const ORDER = /^(CRYPTOCFG\.16|HCE|UTRLDBR)/;

/** Made once: the laws make hundreds of hosts and no law changes a key. */
const LAW_KEYS = testKeys();

/** A factory for the keyslot laws. */
export function ufsDriver(
  overrides: Partial<UfsConfig> = {},
  crypto: Partial<UfsCryptoConfig> = {},
  makeIce?: MakeIce,
): MakeDriver {
  return (engine, machine, slots): DriverUnderTest => {
    const words = { capabilities: [CAPABILITY], keyslots: slots, ...crypto };
    const config: UfsConfig = { ...defaultUfsConfig('ufs-3.1'), strict: true, ...overrides, crypto: words };
    const env = { engine, machine, workqueues: new Workqueues(engine, machine), log: NO_LOG, gauges: NO_GAUGES };
    const ice = makeIce?.(engine, machine, LAW_KEYS, slots);
    const ufs = buildUfs(env, config, new ScriptedBlock(engine, machine, 1), { keys: LAW_KEYS, ice: ice?.ice });
    ufs.bringUp();
    const { lld } = ufs;
    lld.power.hasResumed = () => true; // the laws' own profile has no runtime power management
    const driver = lld.crypto;
    if (driver === undefined) throw new Error('the host has no crypto profile');
    const failNext = (): void => {
      if (driver.keyslots !== undefined) driver.keyslots.failNext.push('refused');
      else ice?.failNext();
    };
    return {
      ops: driver.ops,
      hardwareKey: (slot) => numberOf(lld.hci.crypto.engine.keyOf(slot)),
      failNext,
      loseKeys: () => lld.hci.crypto.engine.loseKeys(),
    };
  };
}

/**
 * Inline encryption in the UFS driver: the crypto profile, crypto fields of commands, and its part in probing, host reset, suspend and resume.
 *
 * Probe: every slot is evicted, then the host is enabled. Every enable: all keys of the profile are programmed again (profile lock, no runtime resume), then HCE is written with
 * CGE; Qualcomm's engine is enabled afterwards. A key that is lost in between (hibern8, power) nobody restores, as in the kernel: its commands end with OCS 9.
 * Not modelled: crypto capabilities that a vendor's firmware call takes away (`@assume` it succeeds).
 *
 * @kernel v6.12 drivers/ufs/core/ufshcd-crypto.c, ufs-qcom.c, ufs-exynos.c (facts); inline-crypto.md 3.5, 3.14, 5.4, 6.1-6.4
 */
import { OP_READ, OP_WRITE } from '../../block/types.ts';
import { DUN_WORDS } from '../../crypto/dun.ts';
import type { KeyTable } from '../../crypto/key.ts';
import type { ProfileConfig } from '../../crypto/profile/config.ts';
import { CryptoProfile, type ProfileEnv } from '../../crypto/profile/profile.ts';
import type { CryptoProfileOps } from '../../crypto/profile/types.ts';
import type { UfsEnv } from './env.ts';
import {
  cryptoSettings,
  DATA_UNIT,
  hasInlineCrypto,
  profileCapabilities,
  type UfsCryptoSettings,
} from './crypto-config.ts';
import * as d from './descriptors.ts';
import { type HostClocks, type IcePort, SCM_INVALIDATE_KEY } from './ice-port.ts';
import * as prdt from './prdt-keys.ts';
import * as r from './registers.ts';
import { PRDT_OPS, RegisterKeyslots } from './ufshcd-keyslots.ts';
import { HELD, SLEEPS } from './ufshcd-power.ts';
import { NEXT } from './ufshcd-scripts.ts';
import type { Ufshcd } from './ufshcd.ts';

/** What the builder gives a host that encrypts. */
export interface UfsCryptoParts {
  readonly keys: KeyTable;
  /** The chip's engine; needed with `engine: 'ice'`. */
  readonly ice?: IcePort | undefined;
  /** Settings of the profile other than its capabilities and slots. */
  readonly profile?: Pick<ProfileConfig, 'generation'> | undefined;
  /** Who records and accounts for the profile. */
  readonly env?: Pick<ProfileEnv, 'spans' | 'marks' | 'holders' | 'beforeSleep'> | undefined;
}

const NONE = -1;

export class UfshcdCrypto {
  readonly profile: CryptoProfile;
  readonly ops: CryptoProfileOps;
  /** Operations on the configuration array; undefined with the other engines. */
  readonly keyslots: RegisterKeyslots | undefined;
  /** Commands that met a slot with another key than theirs. */
  wrongKeys = 0;
  private readonly hba: Ufshcd;
  private readonly keys: KeyTable;
  private readonly ice: IcePort | undefined;
  private readonly settings: UfsCryptoSettings;
  private readonly clockedKind: number;
  private readonly clearKind: number;
  /** Slot that the probe evicts next (ice). */
  private clearing = 0;

  constructor(hba: Ufshcd, env: UfsEnv, parts: UfsCryptoParts) {
    this.hba = hba;
    this.keys = parts.keys;
    this.settings = cryptoSettings(hba.config.crypto);
    this.ice = this.settings.engine === 'ice' ? engineOf(parts) : undefined;
    if (this.ice !== undefined) hba.hci.crypto.engine = this.ice.engine;
    this.clockedKind = hba.engine.register('ufshcd.ice-clocks-on', (x) => hba.machine.ret(x));
    this.clearKind = hba.engine.register('ufshcd.ice-clear', () => this.clearSlot());
    this.keyslots = this.settings.engine === 'registers' ? new RegisterKeyslots(hba, parts.keys) : undefined;
    this.ops = this.makeOps();
    const { machine, engine, log } = env;
    const { capabilities } = this;
    this.profile = new CryptoProfile(
      { engine, machine, log, keys: parts.keys, ...parts.env },
      { ...capabilities, ...parts.profile, name: 'ufs', slots: this.settings.keyslots, runtimePm: hba.power },
      this.ops,
    );
  }

  private get capabilities(): ReturnType<typeof profileCapabilities> {
    const own = profileCapabilities(this.hba.config.crypto);
    return this.ice === undefined ? own : this.ice.capabilities(own.maxDunBytes, Object.values(own.modes)[0] ?? 0);
  }

  private makeOps(): CryptoProfileOps {
    return this.ice?.operations(this.iceHost()) ?? this.keyslots ?? PRDT_OPS;
  }

  /** Clocks of the host are held around every call for a key. */
  private iceHost(): HostClocks {
    const { power, machine, config } = this.hba;
    return {
      maySleep: config.clockGating.generation === 'blocking' && config.clockGating.on,
      hold: (x) => {
        const clocks = power.holdSync(x, this.clockedKind, x);
        if (clocks === SLEEPS) return;
        if (clocks !== HELD) {
          machine.violate('ufs-clocks', 'a key is programmed in atomic context while the clocks are off');
          power.refs++; // given back by release
        }
        machine.ret(x);
      },
      release: () => power.release(),
    };
  }

  // ------------------------------------------------------------------------------------------------ commands

  /** Crypto fields of the command in `slot`, whose descriptor at word `utrd` is otherwise complete. Context: the issuer's, atomic. */
  prepare(rq: number, slot: number, utrd: number): void {
    const { requests } = this.hba.block;
    if (this.settings.engine === 'prdt') {
      this.writePrdtKeys(rq, slot);
      return;
    }
    const keyslot = requests.keyslot[rq];
    if (keyslot < 0) {
      if (requests.keyId[rq] >= 0) this.lacksSlot(rq);
      return;
    }
    const { words } = this.hba.mem.memory;
    this.checkSlot(rq, keyslot);
    words[utrd] |= d.UTRD_CE | keyslot;
    words[utrd + 1] = requests.dun[rq * DUN_WORDS];
    words[utrd + 3] = requests.dun[rq * DUN_WORDS + 1];
  }

  /** I-8: an encrypted request without a slot goes to the medium as it is. */
  private lacksSlot(rq: number): void {
    const { requests } = this.hba.block;
    const op = requests.op[rq];
    if (op === OP_READ || op === OP_WRITE)
      this.hba.machine.violate('keyslot-key', `request ${rq} with key ${requests.keyId[rq]} has no keyslot`);
  }

  /** Law 4, I-8, I-9 and I-17: the slot holds the request's key, and the DUN fits its 64 bits. */
  private checkSlot(rq: number, keyslot: number): void {
    const { block, machine, hci } = this.hba;
    const { requests } = block;
    const keyId = requests.keyId[rq];
    const held = this.profile.table.key[keyslot];
    if (held !== keyId) machine.violate('keyslot-key', `request ${rq} with key ${keyId} uses a slot with key ${held}`);
    if (this.ice === undefined && hci.crypto.boundKey[keyslot] !== keyId) this.wrongKeys++;
    const at = rq * DUN_WORDS;
    if (requests.dun[at + 1] !== 0xffffffff && requests.dun[at + 2] === 0) return;
    const units = requests.bytes[rq] / Math.max(requests.dataUnitSize[rq], DATA_UNIT);
    let isWide = requests.dun[at + 1] === 0xffffffff && requests.dun[at] + units > 2 ** 32;
    for (let w = 2; w < DUN_WORDS; w++) isWide ||= requests.dun[at + w] !== 0;
    if (isWide) machine.violate('dun-width', `the DUN of request ${rq} needs more than 64 bits`);
  }

  private writePrdtKeys(rq: number, slot: number): void {
    const { requests } = this.hba.block;
    const op = requests.op[rq];
    if (requests.keyId[rq] < 0 || (op !== OP_READ && op !== OP_WRITE)) return;
    const { mem } = this.hba;
    const key = this.keys.bytes(requests.keyId[rq]);
    const entries = requests.bytes[rq] / prdt.PRDT_DATA_UNIT;
    prdt.writeKeys(mem.memory.words, mem.prdtWord(slot), entries, key, requests.dun, rq * DUN_WORDS);
  }

  /** The command in `slot` is over: no key stays in memory. */
  finished(rq: number, slot: number): void {
    if (this.settings.engine !== 'prdt' || this.hba.block.requests.keyId[rq] < 0) return;
    const { mem } = this.hba;
    prdt.clear(mem.memory.words, mem.prdtWord(slot), d.PRDT_ENTRIES);
  }

  // ------------------------------------------------------------------------------------------------ steps of the driver's sequences

  /** Step of the probe: no key of a boot loader survives. */
  initialise(x: number): number {
    const { ice, keyslots, settings } = this;
    if (x === NONE) {
      keyslots?.clearAllNow();
      ice?.engine.loseKeys();
      return NEXT;
    }
    if (keyslots !== undefined) return this.hba.scripts.call(() => keyslots.clearAll(x));
    if (ice === undefined || this.clearing === settings.keyslots) return NEXT;
    return this.hba.scripts.callAgain(() => ice.monitor.call(x, SCM_INVALIDATE_KEY, this.clearKind));
  }

  /** The firmware's part of evicting a slot in the probe. */
  private clearSlot(): void {
    const engine = this.ice?.engine;
    engine?.clearKey(engine.entryOf(this.clearing++));
  }

  /** Step before HCE is written: every key back into its slot. */
  reprogram(x: number): number {
    if (x === NONE) return NEXT; // before time starts there are no keys
    return this.hba.scripts.call(() => this.profile.reprogramAll(x));
  }

  /** Bits of the write that enables the host. */
  get enableBits(): number {
    return this.isSwitchedOn('with-hce') ? r.HCE_CGE : 0;
  }

  private isSwitchedOn(how: UfsCryptoSettings['generalEnable']): boolean {
    return this.settings.generalEnable === how && this.settings.engine !== 'prdt';
  }

  /** Step after HCE reads 1. */
  afterEnable(x: number): number {
    const { hba, ice } = this;
    if (this.isSwitchedOn('after-hce')) {
      hba.machine.charge(x, hba.machine.costs.mmioReadNs + hba.machine.costs.mmioWriteNs);
      hba.hci.write(r.HCE, hba.hci.read(r.HCE) | r.HCE_CGE);
    }
    if (ice === undefined) return NEXT;
    if (x !== NONE) return hba.scripts.call(() => ice.power.enable(x));
    ice.power.setUpNow();
    return NEXT;
  }

  /** Step of runtime resume, clocks on. */
  resume(x: number): number {
    const { ice } = this;
    return ice === undefined ? NEXT : this.hba.scripts.call(() => ice.power.resume(x));
  }

  /** End of runtime suspend. */
  suspended(): void {
    this.ice?.power.suspend();
    this.hba.hci.crypto.happened('runtime-suspend');
  }

  /** A reset begins on a suspended host: the engine's clock comes back with the host's. */
  clocksOn(): void {
    if (this.ice !== undefined) this.ice.engine.clockOn = true;
  }
}

function engineOf(parts: UfsCryptoParts): IcePort {
  if (parts.ice === undefined) throw new Error("ufs: crypto.engine 'ice' needs an engine");
  return parts.ice;
}

/** The crypto part of a driver; undefined for a host that cannot encrypt, or that nobody gives keys. */
export function makeCrypto(hba: Ufshcd, env: UfsEnv, parts: UfsCryptoParts | undefined): UfshcdCrypto | undefined {
  return parts !== undefined && hasInlineCrypto(hba.config.crypto) ? new UfshcdCrypto(hba, env, parts) : undefined;
}

/**
 * The inline crypto of a Qualcomm chip, put together: one engine, its power sequences and the secure monitor, and the operations for the crypto profile of each
 * storage host that uses it.
 *
 * Scope and sources: README.md.
 */
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW } from '../crypto/mode.ts';
import type { AesEcbPort } from '../crypto/ports.ts';
import type { CryptoCapabilities } from '../crypto/profile/capabilities.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { type DetailLog, NO_LOG } from '../trace/log.ts';
import { DEFAULT_ICE, DEFAULT_SCM, type IceConfig, type ScmConfig } from './config.ts';
import { IceEngine } from './engine.ts';
import { type IceHost, type IceKeys, IceOps } from './ice-ops.ts';
import { IcePower } from './power.ts';
import { SecureMonitor } from './scm.ts';

export interface IceEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  /** For the derivation of wrapped keys. */
  readonly aes: AesEcbPort;
  readonly keys: IceKeys;
  readonly log?: DetailLog;
}

export interface IceOptions {
  readonly ice?: Partial<IceConfig>;
  readonly scm?: Partial<ScmConfig>;
}

export class Ice {
  readonly engine: IceEngine;
  readonly power: IcePower;
  readonly monitor: SecureMonitor;
  private readonly env: IceEnv;

  constructor(env: IceEnv, options: IceOptions = {}) {
    const { engine, machine, aes, log } = env;
    this.env = env;
    this.engine = new IceEngine(engine, machine, { ...DEFAULT_ICE, ...options.ice }, log ?? NO_LOG, aes);
    this.power = new IcePower(engine, machine, this.engine);
    this.monitor = new SecureMonitor(engine, machine, { ...DEFAULT_SCM, ...options.scm });
  }

  /** Operations for the crypto profile of one storage host. */
  operations(host?: IceHost): IceOps {
    const { engine, machine, keys } = this.env;
    const { power, monitor } = this;
    return new IceOps({ engine, machine, ice: this.engine, power, monitor, keys, ...(host && { host }) });
  }

  /** What a profile over this engine announces. `dataUnitSizes`: or-ed, as the controller's capability entry has them; `maxDunBytes`: 8 for UFS, 4 for eMMC. */
  capabilities(maxDunBytes: number, dataUnitSizes: number): CryptoCapabilities {
    return { maxDunBytes, modes: { 'AES-256-XTS': dataUnitSizes }, keyTypes: this.keyTypes };
  }

  /** The raw key that the engine encrypts with when it is given a hardware-wrapped one; undefined when it is none. */
  readonly inlineKey = (keyBytes: Uint8Array): Uint8Array | undefined => this.engine.keyManager.inlineKey(keyBytes);

  private get keyTypes(): number {
    return this.engine.config.useWrappedKeys ? KEY_TYPE_HW_WRAPPED : KEY_TYPE_RAW;
  }
}

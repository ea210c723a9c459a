/** What writes and reads of the fallback share: its slots, what each context is in the middle of, what a cipher costs, how bios end. */
import type { KeyTable } from '../../crypto/key.ts';
import { modeById } from '../../crypto/mode.ts';
import { CryptoProfile } from '../../crypto/profile/profile.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { Workqueues } from '../../engine/workqueue.ts';
import type { BioTable } from '../bio.ts';
import type { Block } from '../block.ts';
import { STS_OK } from '../types.ts';
import {
  DEFAULT_SET_KEY_NS,
  type FallbackConfig,
  type FallbackCounters,
  MODE_FACTORS,
  newFallbackCounters,
  profileConfigOf,
} from './config.ts';
import { FallbackData, type FallbackDataParts } from './data.ts';
import { FallbackOps } from './ops.ts';

const NONE = -1;

export interface FallbackEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly block: Block;
  readonly keys: KeyTable;
  /** Real bytes are encrypted; absent: only costs are modelled. */
  readonly data?: FallbackDataParts | undefined;
}

/** What a context is in the middle of: the bio whose waits are its own, and the write it encrypts. */
export class FallbackTask {
  bio = NONE;
  slot = NONE;
  /** Bytes of the source not yet encrypted, and of the encrypted bio being made. */
  restBytes = 0;
  partBytes = 0;
}

export class FallbackState {
  readonly env: FallbackEnv;
  readonly bios: BioTable;
  readonly ops: FallbackOps;
  readonly profile: CryptoProfile;
  readonly counters: FallbackCounters = newFallbackCounters();
  readonly data: FallbackData | undefined;
  private readonly tasks: FallbackTask[] = [];

  constructor(env: FallbackEnv, config: FallbackConfig) {
    const { engine, machine, block, keys } = env;
    this.env = env;
    this.bios = block.bios;
    if (env.data !== undefined) this.data = new FallbackData(block.bios, keys, env.data);
    const profileConfig = profileConfigOf(config);
    const setKeyNs = config.setKeyNs ?? DEFAULT_SET_KEY_NS;
    this.ops = new FallbackOps(engine, machine, keys, profileConfig.slots, setKeyNs, this.data);
    const marks = {
      mark: (x: number, stage: number) => this.bios.rows.mark(this.task(x).bio, stage, engine.now),
    };
    const beforeSleep = (x: number): void => block.flushPlugFromSchedule(x);
    this.profile = new CryptoProfile({ engine, machine, marks, beforeSleep, keys }, profileConfig, this.ops);
  }

  /** The state of a context, made when first asked for. */
  task(x: number): FallbackTask {
    while (this.tasks.length <= x) this.tasks.push(new FallbackTask());
    return this.tasks[x];
  }

  /** A bio of the submitter's, or one of its encrypted parts, is over: it ends with the last of them, with the first error. */
  endSource(bio: number, status: number): void {
    const { bios } = this;
    if (status !== STS_OK && bios.status[bio] === STS_OK) bios.status[bio] = status;
    if (--bios.remaining[bio] === 0) this.env.engine.call(bios.endKind[bio], bio);
  }

  /** CPU time of the cipher over `bytes` under a key. */
  cipherNs(keyId: number, bytes: number): number {
    const { keys, machine } = this.env;
    const { cipherUnitNs, cipherKibNs } = machine.costs;
    const factor = MODE_FACTORS[modeById(keys.mode[keyId])?.name ?? ''] ?? 1;
    const units = bytes / keys.dataUnitSize(keyId);
    const costNs = Math.round(units * cipherUnitNs + (bytes / 1024) * cipherKibNs * factor);
    this.counters.cipherNs += costNs;
    return costNs;
  }
}

/** The keyslot laws over a UFS host: keys in its own registers and in Qualcomm's engine, with clocks that always run and clocks that are mostly off. */
import { describe, it } from 'vitest';
import { KEYSLOT_LAWS } from '../../crypto/profile/contract.ts';
import { iceOfHost } from '../../ice/testing.ts';
import type { UfsConfig } from './config.ts';
import type { UfsCryptoConfig } from './crypto-config.ts';
import { ufsDriver } from './crypto-testing.ts';

const awake: Partial<UfsConfig> = {
  clockGating: { on: false, generation: 'blocking', gateAfterNs: 0, ungateNs: 0 },
  runtimePm: { autosuspendNs: 0, resumeNs: 0 },
};
const sleepy = (generation: 'busy' | 'blocking'): Partial<UfsConfig> => ({
  clockGating: { on: true, generation, gateAfterNs: 20_000, ungateNs: 30_000 },
  hibern8: { enterNs: 10_000, exitNs: 20_000, withClockGating: true },
  runtimePm: { autosuspendNs: 500_000, resumeNs: 100_000 },
});

const HOSTS: [string, Partial<UfsConfig>, Partial<UfsCryptoConfig>][] = [
  ['registers', awake, {}],
  ['registers and clock gating, blocking', sleepy('blocking'), {}],
  ['registers and clock gating, busy', sleepy('busy'), {}],
  ['registers that are slow to program', awake, { programNs: 50_000 }],
  ["Qualcomm's engine", awake, { engine: 'ice' }],
  ["Qualcomm's engine and clock gating", sleepy('blocking'), { engine: 'ice' }],
];

describe.each(HOSTS)('keyslots of a UFS host with %s', (_name, config, crypto) => {
  it.each(KEYSLOT_LAWS.map((law) => [law.name, law] as const))('%s', (_law, law) => {
    law.check(ufsDriver(config, crypto, crypto.engine === 'ice' ? iceOfHost() : undefined));
  });
});

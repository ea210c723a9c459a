/** The keyslot laws over the null device, which programs in its caller's time, sleeps meanwhile or goes on. */
import { describe, it } from 'vitest';
import { KEYSLOT_LAWS } from '../../crypto/profile/contract.ts';
import { type MakeDriver, withFailures } from '../../crypto/profile/testing.ts';
import { NO_KEY } from '../../crypto/profile/types.ts';
import { NullKeyslots, type NullKeyslotsConfig } from './null-keyslots.ts';

const nullDriver =
  (programming: NullKeyslotsConfig['programming'], programNs: number): MakeDriver =>
  (engine, machine, slots) => {
    const ops = new NullKeyslots({ engine, machine }, { slots, programNs, programming });
    return withFailures(ops, { hardwareKey: (slot) => ops.keyOf[slot], loseKeys: () => ops.keyOf.fill(NO_KEY) });
  };

describe.each([
  ['burns CPU time to program', nullDriver('spin', 12_000)],
  ['sleeps to program', nullDriver('sleep', 50_000)],
  ['leaves programming to an engine beside it', nullDriver('post', 50_000)],
  ['programs in no time', nullDriver('spin', 0)],
])('keyslots of a null device that %s', (_name, driver) => {
  it.each(KEYSLOT_LAWS.map((law) => [law.name, law] as const))('%s', (_law, law) => {
    law.check(driver);
  });
});

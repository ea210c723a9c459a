/** The keyslot laws with the scripted driver, in each of its ways to pass time. */
import { describe, it } from 'vitest';
import { KEYSLOT_LAWS } from './contract.ts';
import { ScriptedOps, type ScriptedWay } from './scripted-ops.ts';

const WAYS: ScriptedWay[] = ['at-once', 'burn', 'sleep'];

describe.each(WAYS)('keyslots of a scripted driver that programs %s', (way) => {
  it.each(KEYSLOT_LAWS.map((law) => [law.name, law] as const))('%s', (_name, law) => {
    law.check((engine, machine, slots) => new ScriptedOps(engine, machine, slots, way));
  });
});

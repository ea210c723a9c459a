/** Inline encryption between the real block layer and flash media: random encrypted and plain I/O, power saving, resets at random times. */
import { describe, expect, it } from 'vitest';
import type { RandomStream } from '../../engine/random.ts';
import { iceOfHost } from '../../ice/testing.ts';
import type { Ufs } from './build.ts';
import * as r from './registers.ts';
import { busyPower, CLEAN, noPower, type Plan, runPlan } from './stack-testing.ts';

const MS = 1_000_000;
const LOAD = { tasks: 16, iosPerTask: 40, pauseNs: 1 * MS } as const;
const resets = (ufs: Ufs, random: RandomStream): void => {
  ufs.lld.hci.injectError([r.IS_DFES, r.IS_HCFES, r.IS_CEFES, r.IS_ULLS][random.below(4)]);
};

const HOSTS: [string, Pick<Plan, 'config' | 'crypto' | 'ice'>][] = [
  ['four slots, nine keys', { config: noPower, crypto: { keys: 9 } }],
  ['one slot, two keys', { config: noPower, crypto: { keys: 2, keyslots: 1 } }],
  ['submission queues', { config: { ...noPower, mcqQueues: 4, mcqDepth: 31 }, crypto: { keys: 9 } }],
  ['power saving, blocking', { config: busyPower('blocking'), crypto: { keys: 9 } }],
  ['power saving, busy', { config: busyPower('busy'), crypto: { keys: 9 } }],
  ["Qualcomm's engine", { config: noPower, crypto: { keys: 9, engine: 'ice' }, ice: iceOfHost() }],
  [
    "Qualcomm's engine, power saving",
    { config: busyPower('blocking'), crypto: { keys: 9, engine: 'ice' }, ice: iceOfHost() },
  ],
  ['keys in the PRDT', { config: noPower, crypto: { keys: 9, engine: 'prdt', keyslots: 0 } }],
  ['an engine at half the link rate', { config: noPower, crypto: { keys: 9, bytesPerUs: 1_000 } }],
  ['slots taken before tags', { config: noPower, crypto: { keys: 9, policy: 'before-tag' } }],
  ['slots taken at dispatch', { config: noPower, crypto: { keys: 9, policy: 'dispatch-block' } }],
  [
    'slots taken at dispatch, power saving',
    { config: busyPower('busy'), crypto: { keys: 9, policy: 'dispatch-hold-key' } },
  ],
];

describe('every request meets its key and DUN in the hardware, and every nanosecond is explained', () => {
  it.each(HOSTS)('I-30: %s', (_name, host) => {
    const outcome = runPlan({ ...LOAD, ...host });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 640 });
    expect(outcome.statistics.inlineCommands).toBeGreaterThan(200);
    expect(outcome.statistics).toMatchObject({ inlineRefused: 0, wrongKeyCommands: 0 });
  });

  it.each(HOSTS)('I-69: host resets at random times (I-46, I-54): %s', (_name, host) => {
    const plan = { ...LOAD, ...host, faults: resets, faultEveryNs: 60 * MS };
    const outcome = runPlan(plan);
    expect(outcome).toMatchObject({ ...CLEAN, ended: 640 });
    expect(outcome.statistics.hostResets).toBeGreaterThan(0);
    expect(outcome.statistics).toMatchObject({ inlineRefused: 0, wrongKeyCommands: 0 });
  });

  it('I-70: the same plan gives the same outcome to the nanosecond', () => {
    const plan = { ...LOAD, config: busyPower('busy'), crypto: { keys: 9 }, faults: resets, faultEveryNs: 60 * MS };
    expect(runPlan(plan)).toEqual(runPlan(plan));
  });

  it('with as many slots as keys there are exactly as many programs as keys', () => {
    expect(runPlan({ ...LOAD, config: noPower, crypto: { keys: 9, keyslots: 9 } }).programs).toBe(9);
  });
});

/** The room between its real neighbours: the block layer above, flash media below, random I/O and random faults. */
import { describe, expect, it } from 'vitest';
import type { RandomStream } from '../../engine/random.ts';
import type { Ufs } from './build.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import { busyPower, CLEAN, noPower, runPlan } from './stack-testing.ts';

const MS = 1_000_000;

describe('between the block layer and flash media, every bio ends well and every nanosecond is explained', () => {
  it.each([
    ['single doorbell', noPower],
    ['interrupt aggregation', { ...noPower, interruptAggregation: { on: true, counter: 0, timeoutUnits: 2 } }],
    ['multi-circular queues', { ...noPower, mcqQueues: 4, mcqDepth: 31 }],
    ['more queues than needed on few tags', { ...noPower, mcqQueues: 3, mcqDepth: 5 }],
    ['a host of four slots', { ...noPower, nutrs: 4 }],
    ['auto-hibern8', { ...noPower, autoHibern8Ns: 300_000 }],
  ] as const)('%s', (_name, config) => {
    const outcome = runPlan({ config, tasks: 24, iosPerTask: 60, pauseNs: 400_000 });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 24 * 60 });
  });

  it.each(['busy', 'blocking'] as const)('gating and suspending all the time, generation %s', (generation) => {
    const outcome = runPlan({ config: busyPower(generation), tasks: 2, iosPerTask: 200, pauseNs: 2 * MS });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 400 });
    expect(outcome.statistics.gates).toBeGreaterThan(10);
    expect(outcome.statistics.runtimeSuspends).toBeGreaterThan(10);
  });

  it.each([
    ['single doorbell', noPower],
    ['multi-circular queues', { ...noPower, mcqQueues: 4, mcqDepth: 31 }],
    ['power saving, blocking', busyPower('blocking')],
    ['power saving, busy', busyPower('busy')],
  ] as const)('host resets at random times: %s', (_name, config) => {
    const faults = (ufs: Ufs, random: RandomStream): void => {
      ufs.lld.hci.injectError([r.IS_DFES, r.IS_HCFES, r.IS_SBFES, r.IS_ULLS][random.below(4)]);
    };
    const plan = { config, tasks: 16, iosPerTask: 40, pauseNs: 1 * MS, faults, faultEveryNs: 80 * MS };
    const outcome = runPlan(plan);
    expect(outcome).toMatchObject({ ...CLEAN, ended: 640 });
    expect(outcome.statistics.hostResets).toBeGreaterThan(0);
    expect(runPlan(plan).endNs).toBe(outcome.endNs);
  });

  it.each([
    ['single doorbell', noPower],
    ['multi-circular queues', { ...noPower, mcqQueues: 2, mcqDepth: 31 }],
    ['power saving', busyPower('blocking')],
  ] as const)('lost commands, errors and unit attentions: %s', (_name, config) => {
    const faults = (ufs: Ufs, random: RandomStream): void => {
      const { hci } = ufs.lld;
      const which = random.below(5);
      if (which === 0) hci.device.loseNext = 1;
      else if (which === 1) hci.forcedOcs = d.OCS_ABORTED;
      else if (which === 2) hci.device.unitAttention = true;
      else if (which === 3) hci.injectError(r.IS_UE, 1);
      else hci.tasks.loseNext = random.below(8) === 0 ? 1 : 0;
    };
    const outcome = runPlan({
      config,
      tasks: 12,
      iosPerTask: 60,
      pauseNs: 1 * MS,
      faults,
      faultEveryNs: 2 * MS,
      faultCount: 40,
      timeoutNs: 300 * MS,
    });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 720 });
    expect(outcome.statistics.aborts).toBeGreaterThan(0);
  });

  it('links that break on leaving hibern8', () => {
    const faults = (ufs: Ufs): void => {
      ufs.lld.hci.uic.breakNextExit = true;
    };
    const config = busyPower('blocking');
    const outcome = runPlan({ config, tasks: 2, iosPerTask: 60, pauseNs: 2 * MS, faults, faultEveryNs: 60 * MS });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 120 });
    expect(outcome.statistics.linkErrors).toBeGreaterThan(0);
  });

  it('a host that cannot be brought up again fails everything, and nothing hangs', () => {
    const faults = (ufs: Ufs): void => {
      ufs.lld.hci.uic.neverStarts = true;
      ufs.lld.hci.injectError(r.IS_HCFES);
    };
    const outcome = runPlan({
      config: noPower,
      tasks: 12,
      iosPerTask: 20,
      pauseNs: 1 * MS,
      faults: (ufs) => {
        if (ufs.lld.completed > 50) faults(ufs);
      },
      faultEveryNs: 1 * MS,
    });
    expect(outcome).toMatchObject({ ended: 240, unexplainedNs: 0, negativeStages: [], violations: [] });
    expect(outcome.left).toEqual([]);
    expect(outcome.warnings).toEqual(['the UFS host is in its error state: 5 host resets did not bring it up']);
    expect(outcome.failed).toBeGreaterThan(100);
  });
});

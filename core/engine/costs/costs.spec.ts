import { describe, expect, it } from 'vitest';
import type { MachineCosts } from './costs.ts';
import { FREE } from './free.ts';
import { MACHINE_PROFILES, machineProfile } from './index.ts';
import { PHONE_A76 } from './phone-a76.ts';
import { SERVER_X86 } from './server-x86.ts';
import { Engine } from '../engine.ts';
import { Machine } from '../machine.ts';

/** Time from a wake() on CPU 0 until the task, alone on CPU 1 that has idled for `sleptNs`, executes, with what the waker burns for it. */
function wakeNs(costs: MachineCosts, sleptNs: number): number {
  const engine = new Engine(1);
  const machine = new Machine(engine, costs, 2);
  let ranNs = NaN;
  let wokeNs = NaN;
  const sleeper = machine.createTask(
    'sleeper',
    1,
    engine.register('ran', (x) => {
      ranNs = engine.now;
      machine.exit(x);
    }),
  );
  const waker = machine.createTask(
    'waker',
    0,
    engine.register('waker', (x) => {
      wokeNs = engine.now;
      machine.wake(x, sleeper);
      machine.exit(x);
    }),
  );
  engine.after(
    sleptNs,
    engine.register('start', () => {
      machine.wake(-1, waker);
    }),
    0,
  );
  engine.runSlice(1000);
  const burnt = machine.busyNs[2] - costs.contextSwitchNs; // the waker's own switch
  return ranNs - wokeNs + burnt;
}

describe('the machine profiles', () => {
  it('are found by name', () => {
    expect(MACHINE_PROFILES.map((p) => machineProfile(p.name))).toEqual([PHONE_A76, SERVER_X86, FREE]);
    expect(machineProfile('vax')).toBeUndefined();
  });

  it('consist of whole, positive nanoseconds, and idle states of rising residency and exit latency', () => {
    for (const { costs } of [PHONE_A76, SERVER_X86]) {
      for (const [name, value] of Object.entries(costs)) {
        if (typeof value === 'number') expect(Number.isInteger(value) && value > 0, name).toBe(true);
      }
      const states = costs.idleStates;
      for (let i = 1; i < states.length; i++) {
        expect(states[i].minResidencyNs).toBeGreaterThan(states[i - 1].minResidencyNs);
        expect(states[i].exitNs).toBeGreaterThan(states[i - 1].exitNs);
      }
    }
  });

  it('have one in which nothing takes time', () => {
    const { idleStates, ...costs } = FREE.costs;
    expect(idleStates).toEqual([]);
    expect(new Set(Object.values(costs))).toEqual(new Set([0]));
    expect(Object.keys(FREE.costs)).toEqual(Object.keys(SERVER_X86.costs));
  });

  it('make a remote wake cost 2.86 µs on an idle server, as derived from the published dm-crypt measurement (calibration C.7)', () => {
    expect(wakeNs(SERVER_X86.costs, 50_000)).toBe(2_860);
  });

  it('make a wake on a phone cost 3.95 µs after a short sleep and 189 µs more once the core is powered down (gs101 state c2)', () => {
    expect(wakeNs(PHONE_A76.costs, 1_000_000)).toBe(3_950);
    expect(wakeNs(PHONE_A76.costs, 3_000_000)).toBe(3_950 + 189_000);
  });

  it('keep the path from submission to issue between 1.0 and 1.6 µs on the server (blk-mq-and-formats, section 4)', () => {
    const c = SERVER_X86.costs;
    const qToD = c.bioQueueNs + c.requestInitNs + c.plugAddNs + c.unplugNs + c.directIssueNs;
    expect(qToD).toBeGreaterThan(1_000);
    expect(qToD).toBeLessThan(1_600);
  });

  it('keep interrupt, softirq and completion at about 1.5 µs on the server and 5 µs on the phone with its UFS handler (calibration C.11)', () => {
    const common = (c: MachineCosts): number =>
      c.hardirqEntryNs + c.softirqEntryNs + c.completeIrqNs + c.completeRequestNs + c.endIoNs;
    const phone = PHONE_A76.costs;
    expect(common(SERVER_X86.costs)).toBeGreaterThan(1_300);
    expect(common(SERVER_X86.costs)).toBeLessThan(1_700);
    const onPhone = common(phone) + phone.ufsIsrNs + phone.mmioReadNs + phone.ufsCompleteNs;
    expect(onPhone).toBeGreaterThan(4_500);
    expect(onPhone).toBeLessThan(5_500);
  });
});

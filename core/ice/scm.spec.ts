/** Calls of the secure monitor: time, contention, answers. Paragraphs are those of inline-crypto.md. */
import { describe, expect, it } from 'vitest';
import { KeyslotRig, use } from '../crypto/profile/testing.ts';
import { EBUSY, EINVAL, EIO, ENOMEM, EOPNOTSUPP, OK } from '../crypto/profile/types.ts';
import { COSTS, NO_WAKER } from '../engine/testing.ts';
import { Engine } from '../engine/engine.ts';
import { Machine } from '../engine/machine.ts';
import { DEFAULT_SCM, type ScmConfig } from './config.ts';
import { functionId, SCM_INVALIDATE_KEY, SCM_SET_KEY, scmErrno, SecureMonitor } from './scm.ts';
import { iceDriver } from './testing.ts';

const MS = 1_000_000;

interface Ended {
  readonly x: number;
  readonly atNs: number;
  readonly status: number;
}

/** A machine whose tasks call the monitor once each, at 0, on CPUs 0, 1, … */
function callers(
  count: number,
  config: Partial<ScmConfig> = {},
  prepare?: (monitor: SecureMonitor, engine: Engine, machine: Machine) => void,
): { ended: Ended[]; monitor: SecureMonitor; machine: Machine; engine: Engine; ran: number[] } {
  const engine = new Engine(1);
  const machine = new Machine(engine, { ...COSTS, contextSwitchNs: 0 }, 4);
  const monitor = new SecureMonitor(engine, machine, { ...DEFAULT_SCM, jitterNs: 0, tailEvery: 0, ...config });
  prepare?.(monitor, engine, machine);
  const ended: Ended[] = [];
  const ran: number[] = [];
  const firmware = engine.register('test.firmware', () => ran.push(engine.now));
  const over = engine.register('test.over', (x) => {
    ended.push({ x, atNs: engine.now, status: monitor.status(x) });
    if (machine.isTask(x)) machine.exit(x);
  });
  const start = engine.register('test.start', (x) => {
    machine.pushReturn(x, over, x);
    monitor.call(x, SCM_SET_KEY, firmware);
  });
  for (let i = 0; i < count; i++) machine.wake(NO_WAKER, machine.createTask(`caller ${i}`, i, start));
  if (count === 0) machine.raiseSoftirq(0, 0, start, machine.softirqContext(0));
  engine.runSlice(100_000);
  return { ended, monitor, machine, engine, ran };
}

describe('function ids (5.2)', () => {
  it.each([
    [SCM_SET_KEY, false, 0x42001004],
    [SCM_INVALIDATE_KEY, false, 0x42001003],
    [SCM_SET_KEY, true, 0xc2001004],
  ])('of command %i, fast %s', (command, isFast, id) => {
    expect(functionId(command, isFast)).toBe(id);
  });
});

describe('answers (5.2)', () => {
  it.each([
    [0, OK],
    [-1, EIO],
    [-2, EINVAL],
    [-3, EINVAL],
    [-4, EOPNOTSUPP],
    [-5, ENOMEM],
    [-12, EBUSY],
  ])('%i is errno %i', (result, status) => {
    expect(scmErrno(result)).toBe(status);
  });
});

describe('blocking calls', () => {
  it('burn the time of the secure world on the calling CPU', () => {
    const { ended, machine } = callers(1);
    expect(ended[0]).toMatchObject({ atNs: 80_000, status: OK });
    expect(machine.busyUntilNow(0)).toBe(80_000);
  });

  it('of different CPUs go one after the other', () => {
    expect(callers(3).ended.map((e) => e.atNs)).toEqual([80_000, 160_040, 240_080]); // 40 ns: the IPI of a wake-up
  });

  it('are tried again after 30 ms while the firmware is busy', () => {
    const { ended, monitor } = callers(1, {}, (m) => m.injectBusy(2));
    expect(ended[0].status).toBe(OK);
    expect(ended[0].atNs).toBe(2 * 30 * MS + 3 * 80_000);
    expect(monitor.busyAnswers).toBe(2);
  });

  it('give up after 21 pauses, 630 ms', () => {
    const { ended, ran } = callers(1, {}, (m) => m.injectBusy(1_000));
    expect(ended[0].status).toBe(EBUSY);
    expect(ended[0].atNs).toBe(630 * MS + 22 * 80_000);
    expect(ran).toEqual([]);
  });

  it('let others in while they pause', () => {
    const { ended } = callers(2, {}, (m) => m.injectBusy(1));
    expect(ended.map((e) => e.atNs < MS)).toEqual([true, false]);
  });

  it('keep others out while they sleep on the wait queue of the firmware', () => {
    const { ended } = callers(2, {}, (m) => m.injectWait(5 * MS));
    expect(ended.every((e) => e.atNs > 5 * MS)).toBe(true);
  });

  it('in atomic context are a breach', () => {
    const { machine, ended } = callers(0);
    expect(machine.violations.map((v) => v.what)).toEqual(['qcom_scm_call may sleep, called in softirq/0']);
    expect(ended[0].status).toBe(OK);
  });
});

describe('atomic calls', () => {
  it('work in any context and side by side', () => {
    expect(callers(0, { mode: 'atomic' }).machine.violations).toEqual([]);
    expect(callers(3, { mode: 'atomic' }).ended.map((e) => e.atNs)).toEqual([80_000, 80_000, 80_000]);
  });

  it('that find the firmware busy fail at once', () => {
    const { ended } = callers(1, { mode: 'atomic' }, (m) => m.injectBusy(1));
    expect(ended[0]).toMatchObject({ atNs: 80_000, status: EBUSY });
  });
});

describe('an interrupt during a call (Arm SMCCC, fast and yielding calls)', () => {
  /** When the handler of an interrupt at 30 µs ran, on the CPU that calls from 0 to 80 µs or on another; and when the call ended. */
  function interrupted(mode: ScmConfig['mode'], cpu: number): { handledNs: number; endedNs: number } {
    let handledNs = NaN;
    const { ended } = callers(1, { mode }, (_monitor, engine, machine) => {
      const handler = engine.register('test.irq', () => (handledNs = engine.now));
      engine.at(
        30_000,
        engine.register('test.raise', () => machine.raiseHardirq(cpu, 0, handler, 0)),
        0,
      );
    });
    return { handledNs, endedNs: ended[0].atNs };
  }
  const ENTRY_NS = COSTS.hardirqEntryNs;

  it('preempts a blocking one', () => {
    expect(interrupted('blocking', 0)).toEqual({ handledNs: 30_000 + ENTRY_NS, endedNs: 80_000 + ENTRY_NS });
  });

  it('waits for the end of an atomic one, on that CPU alone', () => {
    expect(interrupted('atomic', 0)).toEqual({ handledNs: 80_000 + ENTRY_NS, endedNs: 80_000 });
    expect(interrupted('atomic', 1)).toEqual({ handledNs: 30_000 + ENTRY_NS, endedNs: 80_000 });
  });

  it('shows how long interrupts were off', () => {
    expect(callers(3, { mode: 'atomic' }).monitor.statistics()).toMatchObject({
      smcCalls: 3,
      smcNs: 240_000,
      smcIrqsOffNs: 240_000,
      smcLongestIrqsOffNs: 80_000,
    });
    expect(callers(3).monitor.statistics()).toMatchObject({ smcNs: 240_000, smcIrqsOffNs: 0 });
  });
});

describe('the time of a call', () => {
  it('spreads over the jitter, with a tail', () => {
    const rig = new KeyslotRig({ slots: 1, driver: iceDriver() });
    rig.task(
      'task',
      0,
      Array.from({ length: 1_000 }, (_, i) => [{ do: 'get', key: i } as const, { do: 'put', key: i } as const]).flat(),
    );
    rig.run();
    const times = rig.outcomes.filter((o) => o.what === 'get').map((o) => o.endedNs - o.startedNs);
    const tail = times.filter((ns) => ns >= MS).length;
    const body = times.filter((ns) => ns < MS);
    expect(tail).toBeGreaterThan(2);
    expect(tail).toBeLessThan(25);
    expect(Math.min(...body)).toBeGreaterThanOrEqual(80_000);
    expect(Math.max(...body)).toBeLessThan(120_000);
  });

  it('S-18: a busy firmware makes a convoy of all who want any key of the profile', () => {
    const rig = new KeyslotRig({ slots: 8, driver: iceDriver({ scm: { jitterNs: 0, tailEvery: 0 } }) });
    rig.task('loaded', 0, [...use(1), { do: 'sleep', ns: 5 * MS }, ...use(1)]);
    const monitors = rig.driver as unknown as { ice: { monitor: SecureMonitor } };
    rig.at(2 * MS, () => monitors.ice.monitor.injectBusy(20));
    for (let i = 0; i < 5; i++) rig.task(`task ${i}`, 3 * MS + i, use(10 + i));
    rig.run();
    const gets = rig.outcomes.filter((o) => o.what === 'get').slice(1);
    expect(gets).toHaveLength(6);
    expect(gets.every((o) => o.endedNs > 600 * MS)).toBe(true);
    expect(rig.problems()).toEqual([]);
  });
});

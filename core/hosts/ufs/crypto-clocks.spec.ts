/** Inline encryption on a host that saves power: who waits for clocks, who resumes the device, and what is never touched without them (inline-crypto.md 3.13; 7, I-48 to I-53). */
import { describe, expect, it } from 'vitest';
import { OP_READ, STS_OK } from '../../block/types.ts';
import { EBUSY, OK } from '../../crypto/profile/types.ts';
import { iceOfHost } from '../../ice/testing.ts';
import type { Ufs } from './build.ts';
import { cryptoBench, gating, keyIn, UNIT } from './crypto-testing.ts';
import * as r from './registers.ts';
import { busyPower, CLEAN, type Plan, runPlan } from './stack-testing.ts';
import { CLKS_OFF, CLKS_ON } from './ufshcd-power.ts';
import { DME_HIBERNATE_ENTER, DME_HIBERNATE_EXIT, LINK_ACTIVE } from './ufshci-uic.ts';

const US = 1_000;
const MS = 1_000_000;
/** As busyPower has it. */
const UNGATE_NS = 50 * US;

describe('programming needs clocks (inline-crypto.md 3.13)', () => {
  it.each(['busy', 'blocking'] as const)('I-48: it waits for them in both generations: %s', (generation) => {
    const bench = cryptoBench({}, gating(generation));
    const got: number[] = [];
    const states: number[] = [];
    bench.at(10 * MS, () => states.push(bench.ufs.lld.power.clocks));
    bench.get(10 * MS, 1, () => got.push(bench.engine.now - 10 * MS, bench.ufs.lld.power.clocks));
    bench.run();
    expect(states).toEqual([CLKS_OFF]);
    expect(got[0]).toBeGreaterThan(80 * US); // ungate and hibern8 exit
    expect(keyIn(bench, 0)).toBe(1);
    expect(bench.ufs.lld.hci.crypto.unclockedWrites).toBe(0);
    expect(bench.laws()).toEqual([]);
  });

  it('I-52: the clocks go off after the reference was given back, not before', () => {
    const bench = cryptoBench({ programNs: 2 * MS }, gating('blocking'));
    const during: number[] = [];
    bench.get(10 * MS, 1);
    bench.at(11 * MS, () => during.push(bench.ufs.lld.power.clocks, bench.ufs.lld.power.refs));
    bench.run();
    expect(during).toEqual([CLKS_ON, 1]);
    expect([bench.ufs.lld.power.clocks, bench.ufs.lld.power.refs]).toEqual([CLKS_OFF, 0]);
    expect(bench.profile.counters.programNs).toBeGreaterThan(2 * MS);
  });

  it.each([
    ['busy', [EBUSY, OK]],
    ['blocking', [OK, OK]],
  ] as const)('a dispatcher of the %s generation that finds the clocks off is answered %o', (generation, expected) => {
    const bench = cryptoBench({}, gating(generation));
    const statuses: number[] = [];
    const { machine, engine } = bench;
    const done = engine.register('test.done', (x) => {
      statuses.push(bench.profile.status(x));
      machine.exit(x);
    });
    const tryIt = engine.register('test.try', () => {
      const x = machine.current;
      machine.pushReturn(x, done, x);
      bench.profile.tryProgram(x, statuses.length);
    });
    for (const ms of [10, 10.2]) {
      bench.at(ms * MS, () => machine.wake(-1, machine.createTask('dispatcher', 1, tryIt)));
    }
    bench.run();
    expect(statuses).toEqual(expected);
    expect(bench.laws()).toEqual([]);
  });

  it('I-49: evicting resumes a suspended host; it is not suspended while the eviction runs', () => {
    const bench = cryptoBench({ programNs: 5 * MS }, gating('blocking', 1 * MS));
    bench.get(0, 1, (slot) => bench.profile.put(-1, slot));
    const seen: boolean[] = [];
    bench.at(30 * MS, () => seen.push(bench.ufs.lld.power.suspended));
    bench.evict(30 * MS, 1);
    bench.at(36 * MS, () => seen.push(bench.ufs.lld.power.suspended));
    bench.run();
    expect(seen).toEqual([true, false]);
    expect(keyIn(bench, 0)).toBe(-1);
    expect(bench.profile.counters.evictions).toBe(1);
    expect(bench.ufs.lld.power.suspended).toBe(true); // and it is again, in the end
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });

  it('I-49: who holds the host resumed keeps it from being suspended, clocks or not', () => {
    const bench = cryptoBench({}, gating('blocking', 1 * MS));
    const { power } = bench.ufs.lld;
    const seen: boolean[] = [];
    const got = bench.engine.register('test.resumed', (x) => {
      seen.push(power.suspended);
      bench.at(bench.engine.now + 20 * MS, () => {
        seen.push(power.suspended);
        power.putSync(x);
      });
      bench.machine.exit(x);
    });
    const start = bench.engine.register('test.resume', (x) => {
      bench.machine.pushReturn(x, got, x);
      power.getSync(x);
    });
    bench.at(30 * MS, () => {
      seen.push(power.suspended);
      bench.machine.wake(-1, bench.machine.createTask('user', 1, start));
    });
    bench.run();
    expect(seen).toEqual([true, false, false]);
    expect(power.suspended).toBe(true);
  });

  it('an eviction that comes at any moment of going to sleep wakes the host up again', () => {
    for (let at = 900; at < 1_400; at += 9) {
      const bench = cryptoBench({}, gating('blocking', 1 * MS));
      bench.get(0, 1, (slot) => bench.profile.put(-1, slot));
      bench.evict(at * US, 1);
      bench.run();
      expect([at, bench.profile.counters.evictions, keyIn(bench, 0)]).toEqual([at, 1, -1]);
      expect(bench.ufs.checkEmpty()).toEqual([]);
    }
  });

  it('keys outlive clock gating and runtime suspend, and nobody programs them again', () => {
    const bench = cryptoBench({}, gating('blocking', 1 * MS));
    bench.get(0, 1);
    bench.block.submitAt(30 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    expect(bench.profile.counters).toMatchObject({ programs: 1, restored: 0 });
    expect(bench.ufs.statistics().runtimeSuspends).toBeGreaterThan(0);
  });
});

/** Random encrypted I/O on a host that saves all the power it can, without resets, under the eyes of `watch`. */
function watched(watch: NonNullable<Plan['watch']>): void {
  for (const generation of ['busy', 'blocking'] as const) {
    for (const engine of ['registers', 'ice'] as const) {
      const ice = engine === 'ice' ? { ice: iceOfHost() } : {};
      const config = { ...busyPower(generation) };
      const plan = { config, tasks: 3, iosPerTask: 60, pauseNs: 2 * MS, crypto: { keys: 9, engine }, ...ice, watch };
      const outcome = runPlan(plan);
      expect(outcome).toMatchObject({ ...CLEAN, ended: 180 });
      expect(outcome.statistics.gates).toBeGreaterThan(10);
    }
  }
}

/** Calls `changed` whenever the clocks go off or are asked for again. */
function onClocks(ufs: Ufs, changed: (hasClocks: boolean) => void): void {
  let now = true;
  Object.defineProperty(ufs.lld.hci.crypto, 'hasClocks', {
    get: () => now,
    set: (hasClocks: boolean) => {
      if (hasClocks !== now) changed(hasClocks);
      now = hasClocks;
    },
  });
}

describe('clocks under load', () => {
  it('I-48: no register is touched while the clocks are off or on their way', () => {
    let accesses = 0;
    const early: number[] = [];
    watched((ufs, engine) => {
      const { hci } = ufs.lld;
      let runningNs = 0;
      onClocks(ufs, (hasClocks) => (runningNs = hasClocks ? engine.now + UNGATE_NS : Infinity));
      const [read, write] = [hci.read.bind(hci), hci.write.bind(hci)];
      const look = (offset: number): void => {
        accesses++;
        if (engine.now < runningNs) early.push(offset);
      };
      hci.read = (offset) => {
        look(offset);
        return read(offset);
      };
      hci.write = (offset, value) => {
        look(offset);
        write(offset, value);
      };
    });
    expect(early).toEqual([]);
    expect(accesses).toBeGreaterThan(10_000);
  });

  it('I-48: an access without clocks is reported', () => {
    const bench = cryptoBench({}, gating('blocking'));
    bench.at(10 * MS, () => {
      expect(bench.ufs.lld.power.clocks).toBe(CLKS_OFF);
      bench.ufs.lld.hci.read(r.IS);
      bench.ufs.lld.hci.write(r.IE, 0);
    });
    bench.run();
    expect(bench.machine.violations.map(({ what }) => what)).toEqual([
      'register 0x20 is read without clocks',
      'register 0x24 is written without clocks',
    ]);
  });

  it('I-51: references are the commands in flight and who uses registers', () => {
    const bench = cryptoBench({ programNs: 2 * MS }, gating('blocking'));
    const { power } = bench.ufs.lld;
    const seen: number[] = [];
    bench.media.readNs = 5 * MS;
    for (let i = 0; i < 3; i++) bench.block.submitAt(0, OP_READ, 8 * i, UNIT);
    bench.get(1 * MS, 1);
    for (const at of [0.9, 2, 3.9, 10]) bench.at(at * MS, () => seen.push(power.refs));
    bench.run();
    expect(seen).toEqual([3, 4, 3, 0]);
    expect(bench.laws()).toEqual([]);
  });

  it('I-51: one reference too many given back is reported', () => {
    const bench = cryptoBench({}, gating('blocking'));
    bench.at(MS, () => bench.ufs.lld.power.release());
    bench.run();
    expect(bench.laws()).toEqual(['ufs-clocks']);
  });

  it('I-52: the clocks never go off while there are references', () => {
    const refs = new Set<number>();
    watched((ufs) => {
      onClocks(ufs, (hasClocks) => {
        if (!hasClocks) refs.add(ufs.lld.power.refs);
      });
    });
    expect([...refs]).toEqual([0]);
  });

  it('I-53: nothing is sent between a hibern8 command and the interrupt that ends it', () => {
    let commands = 0;
    const between: string[] = [];
    watched((ufs) => {
      const { hci } = ufs.lld;
      let awaited = 0;
      const [write, raise] = [hci.write.bind(hci), hci.raise.bind(hci)];
      hci.write = (offset, value) => {
        if (awaited !== 0 && (offset === r.UTRLDBR || offset === r.UICCMD)) between.push(`${offset} = ${value}`);
        if (offset === r.UICCMD && value === DME_HIBERNATE_ENTER) awaited = r.IS_UHES;
        if (offset === r.UICCMD && value === DME_HIBERNATE_EXIT) awaited = r.IS_UHXS;
        if (awaited !== 0) commands++;
        write(offset, value);
      };
      hci.raise = (bits) => {
        if ((bits & awaited) !== 0) awaited = 0;
        raise(bits);
      };
    });
    expect(between).toEqual([]);
    expect(commands).toBeGreaterThan(100);
  });

  it('I-53: a command that is sent in between makes the hardware refuse to sleep', () => {
    const bench = cryptoBench({}, { hibern8: { enterNs: 20 * US, exitNs: 30 * US, withClockGating: false } });
    const { hci } = bench.ufs.lld;
    hci.write(r.IE, 0); // the driver is not to see it
    hci.write(r.UICCMD, DME_HIBERNATE_ENTER);
    bench.media.readNs = MS;
    bench.block.submitAt(0, OP_READ, 0, UNIT);
    bench.run(100 * US);
    expect(hci.read(r.IS) & r.IS_UHES).not.toBe(0);
    expect((hci.read(r.HCS) >>> 8) & 7).toBe(r.UPMCRS_FATAL);
    expect(hci.uic.linkState).toBe(LINK_ACTIVE);
  });
});

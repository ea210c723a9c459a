/** What is not the same for every driver: generations, runtime PM, accounting, reports, lifetime. The laws of keyslots are in contract.ts. */
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import { NO_WAKER } from '../../engine/testing.ts';
import { Waits } from '../../engine/waits.ts';
import { STAGE_IDS } from '../../trace/stages.ts';
import { KeyTable } from '../key.ts';
import { KEY_TYPE_RAW, MODE_AES_256_XTS } from '../mode.ts';
import type { ProfileGeneration } from './config.ts';
import { KeyslotRig, ScriptedOps, use } from './testing.ts';
import { EBUSY, EIO, ENOKEY, NO_KEY, NO_SLOT, NULL_SLOT, OK, type RuntimePm } from './types.ts';

const PROGRAM_NS = 10_000;

describe('eviction by generation (inline-crypto.md 1.7)', () => {
  function evictions(evict: ProfileGeneration['evict']): {
    absent: number;
    busy: number;
    failed: number;
    keys: number[];
    warnings: number;
  } {
    const rig = new KeyslotRig({ slots: 2, config: { generation: { evict } } });
    rig.task('task', 0, [
      { do: 'evict', key: 9 },
      { do: 'get', key: 1 },
      { do: 'evict', key: 1 },
      { do: 'put', key: 1 },
      ...use(2),
      { do: 'sleep', ns: 1_000_000 },
      { do: 'evict', key: 2 },
    ]);
    rig.at(500_000, () => rig.driver.failNext());
    rig.run();
    const [absent, busy, failed] = rig.outcomes.filter((o) => o.what === 'evict').map((o) => o.status);
    return { absent, busy, failed, keys: [...rig.profile.table.key], warnings: rig.profile.warnings.length };
  }

  it('copied: an absent key is -ENOKEY, and after any error the key stays', () => {
    expect(evictions('copied')).toEqual({ absent: ENOKEY, busy: EBUSY, failed: EIO, keys: [1, 2], warnings: 1 });
  });

  it('linked: an absent key is fine, a busy one is warned of, and after any error the key stays linked', () => {
    expect(evictions('linked')).toEqual({ absent: OK, busy: EBUSY, failed: EIO, keys: [1, 2], warnings: 2 });
  });

  it('unlinked: the key is gone in every case', () => {
    expect(evictions('unlinked')).toEqual({
      absent: OK,
      busy: EBUSY,
      failed: EIO,
      keys: [NO_KEY, NO_KEY],
      warnings: 2,
    });
  });
});

describe('waking by generation', () => {
  function grants(wakeUp: ProfileGeneration['wakeUp']): KeyslotRig {
    const rig = new KeyslotRig({ slots: 1, config: { generation: { wakeUp } } });
    rig.task('holder', 0, use(1, 1_000_000));
    for (let i = 0; i < 3; i++) rig.task(`waiter ${i}`, 100_000 * (1 + i), use(10 + i, 50_000), 1 + i);
    return rig.run();
  }

  it('one: the first that came gets the slot', () => {
    const rig = grants('one');
    expect(rig.got()).toEqual(['1 in 0', '10 in 0', '11 in 0', '12 in 0']);
    expect(rig.problems()).toEqual([]);
  });

  it('all: every waiter is woken by every put; the newest gets the slot, and the losers join anew', () => {
    const rig = grants('all');
    expect(rig.got()).toEqual(['1 in 0', '12 in 0', '10 in 0', '11 in 0']);
    expect(rig.machine.wakeups).toBeGreaterThan(grants('one').machine.wakeups);
    expect(rig.problems()).toEqual([]);
  });
});

/** A device that takes its time to resume, and tells what was asked of it. */
class TestPm implements RuntimePm {
  usage = 0;
  readonly log: string[] = [];
  private readonly machine: Machine;
  private readonly resumedKind: number;

  constructor(engine: Engine, machine: Machine) {
    this.machine = machine;
    this.resumedKind = engine.register('test.resumed', (x) => {
      this.usage++;
      this.log.push('resumed');
      machine.ret(x);
    });
  }

  getSync(x: number): void {
    this.machine.run(x, 30_000, this.resumedKind, x);
  }

  putSync(): void {
    this.usage--;
    this.log.push('put');
  }
}

describe('runtime PM (1.8)', () => {
  function withPm(slots: number): { rig: KeyslotRig; pm: TestPm } {
    const made: TestPm[] = [];
    const rig = new KeyslotRig({
      slots,
      pm: (engine, machine) => {
        made.push(new TestPm(engine, machine));
        return made[0];
      },
    });
    return { rig, pm: made[0] };
  }

  it('I-49: the device is resumed before the lock is taken, and held until a programming is over', () => {
    const { rig, pm } = withPm(2);
    const seen: string[] = [];
    rig.task('task', 0, use(1));
    const ops = rig.scripted;
    rig.at(20_000, () => seen.push(`resuming: lock ${rig.profile.hardware.lock.isFree ? 'free' : 'held'}`));
    rig.at(35_000, () => seen.push(`programming: usage ${pm.usage}`));
    rig.run();
    expect(seen).toEqual(['resuming: lock free', 'programming: usage 1']);
    expect(ops.calls('program')).toEqual(['0=1']);
    expect(pm.usage).toBe(0);
  });

  it('a get that finds its key resumes nothing', () => {
    const { rig, pm } = withPm(2);
    rig.task('task', 0, [...use(1), ...use(1)]);
    rig.run();
    expect(pm.log).toEqual(['resumed', 'put']);
  });

  it('a waiter does not keep the device awake while it sleeps', () => {
    const { rig, pm } = withPm(1);
    rig.task('holder', 0, use(1, 1_000_000));
    rig.task('waiter', 100_000, use(2));
    rig.at(500_000, () => expect(pm.usage).toBe(0));
    rig.run();
    expect(rig.problems()).toEqual([]);
  });

  it('I-50: restoring all keys never resumes the device', () => {
    const { rig, pm } = withPm(2);
    rig.task('task', 0, [...use(1), { do: 'restore' }]);
    rig.run();
    expect(pm.log).toEqual(['resumed', 'put']);
    expect(rig.scripted.calls('program')).toEqual(['0=1', '0=1']);
  });

  it('evicting resumes the device even when the key is unknown', () => {
    const { rig, pm } = withPm(2);
    rig.task('task', 0, [{ do: 'evict', key: 5 }]);
    rig.run();
    expect(pm.log).toEqual(['resumed', 'put']);
    expect(rig.scripted.seen).toEqual([]);
  });
});

describe('the lock (1.8)', () => {
  it('S-18: while one key is programmed, gets of loaded keys wait too', () => {
    const rig = new KeyslotRig({ slots: 2, driver: (e, m, slots) => new ScriptedOps(e, m, slots, 'sleep', 600_000) });
    rig.task('loaded', 0, [...use(1), { do: 'sleep', ns: 1_000_000 }, ...use(1)], 0);
    rig.task('programmer', 1_500_000, use(2), 1);
    rig.run();
    const second = rig.outcomes.filter((o) => o.task === 'loaded' && o.what === 'get')[1];
    expect(second.endedNs - second.startedNs).toBeGreaterThan(400_000);
    expect(rig.profile.counters.waitNs).toBe(second.endedNs - second.startedNs);
    expect(rig.profile.counters.waits).toBe(0); // waits for slots, not for the lock
    expect(rig.problems()).toEqual([]);
  });

  it('I-55: driver operations of one profile never overlap', () => {
    const rig = new KeyslotRig({ slots: 4, driver: (e, m, slots) => new ScriptedOps(e, m, slots, 'sleep') });
    for (let i = 0; i < 4; i++) rig.task(`task ${i}`, 0, [...use(i), { do: 'evict', key: i }]);
    rig.run();
    const starts = rig.scripted.seen.map((op) => op.atNs);
    expect(starts.slice(1).every((at, i) => at - starts[i] >= 1_000)).toBe(true);
    expect(rig.problems()).toEqual([]);
  });
});

describe('a task that is going to sleep', () => {
  it('flushes its plug first, once per sleep, and not for a hit or a free lock', () => {
    const flushed: string[] = [];
    const rig: KeyslotRig = new KeyslotRig({
      slots: 1,
      driver: (e, m, slots) => new ScriptedOps(e, m, slots, 'sleep', 100_000),
      env: { beforeSleep: (x) => flushed.push(`${rig.machine.name(x)} ${rig.machine.taskState(x)}`) },
    });
    rig.task('holder', 0, [...use(1, 500_000), ...use(1, 500_000)], 0);
    rig.task('reader', 50_000, use(1, 600_000), 1); // meets the lock held for programming
    rig.task('waiter', 200_000, use(2), 2); // finds no idle slot
    rig.run();
    expect(flushed).toEqual(['reader 0', 'waiter 0']);
    expect(rig.problems()).toEqual([]);
  });
});

describe('a profile without slots', () => {
  it('I-8: gives the null slot, calls no driver and waits for nothing', () => {
    const rig = new KeyslotRig({ slots: 0 });
    rig.task('task', 0, [{ do: 'get', key: 1 }, { do: 'put', key: 1 }, { do: 'restore' }]);
    rig.run();
    expect(rig.got()).toEqual([`1 in ${NULL_SLOT}`]);
    expect(rig.scripted.seen).toEqual([]);
    expect(rig.problems()).toEqual([]);
  });

  it('passes evictions on to the driver, with slot -1', () => {
    const rig = new KeyslotRig({ slots: 0 });
    rig.task('task', 0, [{ do: 'evict', key: 7 }]);
    rig.run();
    expect(rig.scripted.calls('evict')).toEqual(['-1=7']);
  });
});

describe('slots taken at dispatch', () => {
  /** Tries at the given times from interrupt context, programming where it is told to. */
  function dispatcher(
    way: 'burn' | 'sleep',
    slots: number,
  ): { rig: KeyslotRig; tries: string[]; at(ns: number, key: number): void } {
    const rig = new KeyslotRig({ slots, driver: (e, m, n) => new ScriptedOps(e, m, n, way) });
    const { engine, machine, profile } = rig;
    const tries: string[] = [];
    const done = engine.register('test.dispatched', (x) => {
      tries.push(profile.status(x) === OK ? `programmed ${profile.gotSlot(x)}` : `status ${profile.status(x)}`);
    });
    const attempt = engine.register('test.dispatch', (key) => {
      const x = machine.current;
      const slot = profile.tryGet(x, key);
      if (slot >= NO_SLOT) tries.push(`slot ${slot}`);
      else {
        machine.pushReturn(x, done, x);
        profile.tryProgram(x, key);
      }
    });
    return { rig, tries, at: (ns, key) => rig.at(ns, () => machine.raiseSoftirq(0, 0, attempt, key)) };
  }

  it('finds a loaded key, programs into an idle slot, and is refused when none is idle', () => {
    const { rig, tries, at } = dispatcher('burn', 1);
    at(0, 1);
    at(100_000, 1);
    at(200_000, 2);
    rig.run();
    expect(tries).toEqual(['programmed 0', 'slot 0', 'slot -1']);
    expect(rig.machine.violations).toEqual([]);
  });

  it('is told once when another try may succeed', () => {
    const { rig, tries, at } = dispatcher('burn', 1);
    const told: number[] = [];
    rig.profile.onAvailable = rig.engine.register('test.available', () => told.push(rig.engine.now));
    at(0, 1);
    at(100_000, 2);
    rig.at(200_000, () => rig.profile.put(-1, 0));
    at(300_000, 2);
    rig.at(400_000, () => rig.profile.put(-1, 0));
    rig.run();
    expect(tries).toEqual(['programmed 0', 'slot -1', 'programmed 0']);
    expect(told).toEqual([200_000]);
  });

  it('finds nothing while keys are restored, not even a key whose own turn is over or to come', () => {
    const { rig, tries, at } = dispatcher('burn', 2);
    rig.task('task', 0, [...use(1), ...use(2), { do: 'sleep', ns: 100_000 }, { do: 'restore' }], 1);
    for (const ns of [90_000, 125_000, 135_000]) at(ns, 1);
    rig.at(90_500, () => rig.profile.put(-1, 0));
    rig.run();
    const [before, restored] = [rig.scripted.seen[1].atNs, rig.scripted.seen.slice(2).map((op) => op.atNs)];
    expect(before).toBeLessThan(90_000);
    expect(restored.length).toBe(2);
    expect(restored[0] < 125_000 && 135_000 < restored[1] + PROGRAM_NS).toBe(true);
    expect(tries).toEqual(['slot 0', 'slot -1', 'slot -1']);
  });

  it('I-56: an operation that may sleep, begun in softirq, is reported as a breach', () => {
    const { rig, at } = dispatcher('sleep', 1);
    at(0, 1);
    expect(() => rig.run()).toThrow('sleep() in atomic context');
    expect(rig.machine.violations[0].what).toContain('keyslot_program may sleep');
  });

  it('I-56: a get in atomic context is reported as a breach', () => {
    const rig = new KeyslotRig({ slots: 1, driver: (e, m, n) => new ScriptedOps(e, m, n, 'at-once') });
    const over = rig.engine.register('test.over', () => undefined);
    const get = rig.engine.register('test.get', (x) => {
      rig.machine.pushReturn(x, over, x);
      rig.profile.get(x, 1);
    });
    rig.at(0, () => rig.machine.raiseHardirq(0, 0, get, 0));
    rig.run();
    expect(rig.machine.violations.map((v) => v.law)).toEqual(['atomic-sleep']);
  });
});

describe('accounting', () => {
  it('attributes a slow get to waiting, resuming and programming without a gap', () => {
    const marks: string[] = [];
    let lastNs = 150_000;
    const rig: KeyslotRig = new KeyslotRig({
      slots: 1,
      pm: (engine, machine) => new TestPm(engine, machine),
      env: {
        marks: {
          mark: (x, stage) => {
            if (rig.machine.name(x) !== 'waiter') return;
            marks.push(`${STAGE_IDS[stage]} ${rig.engine.now - lastNs}`);
            lastNs = rig.engine.now;
          },
        },
      },
    });
    rig.task('holder', 0, use(1, 1_000_000));
    rig.task('waiter', 150_000, use(2));
    rig.run();
    const get = rig.outcomes.find((o) => o.task === 'waiter' && o.what === 'get');
    expect(marks.map((mark) => mark.split(' ')[0])).toEqual([
      'wait.power',
      'wait.keyslot',
      'wait.power',
      'keyslot.program',
    ]);
    expect(marks.at(-1)).toBe(`keyslot.program ${PROGRAM_NS}`);
    expect(lastNs).toBe(get?.endedNs);
    expect(rig.profile.counters.waits).toBe(1);
  });

  it('records spans of programming, use and idling that neither overlap nor leave gaps', () => {
    const rows: string[] = [];
    const rig = new KeyslotRig({
      slots: 1,
      env: {
        spans: { on: true, span: (slot, key, state, from, to) => rows.push(`${slot} ${key} ${state} ${from}-${to}`) },
      },
    });
    rig.task('task', 0, [...use(1, 50_000), { do: 'sleep', ns: 20_000 }, ...use(2, 50_000), { do: 'evict', key: 2 }]);
    rig.run();
    rig.profile.finishSpans();
    expect(rows).toEqual([
      '0 1 programming 100-10100',
      '0 1 in_use 10100-60200',
      '0 1 idle 60200-80300',
      '0 2 programming 80300-90300',
      '0 2 in_use 90300-140400',
      '0 2 idle 140400-141400',
    ]);
  });

  it('after a failed programming the slot idles with its old key', () => {
    const rows: string[] = [];
    const rig = new KeyslotRig({
      slots: 1,
      env: { spans: { on: true, span: (_slot, key, state) => rows.push(`${key} ${state}`) } },
    });
    rig.task('task', 0, [...use(1), { do: 'sleep', ns: 100_000 }, { do: 'get', key: 2 }]);
    rig.at(60_000, () => rig.driver.failNext());
    rig.run();
    rig.engine.at(
      rig.engine.now + 1_000,
      rig.engine.register('test.later', () => undefined),
      0,
    );
    rig.run();
    rig.profile.finishSpans();
    expect(rows).toEqual(['1 programming', '1 in_use', '1 idle', '2 programming', '1 idle']);
  });
});

describe('reports', () => {
  it('a task that sleeps for a slot that is never put ends in a wait-for chain', () => {
    const rig = new KeyslotRig({ slots: 1, env: { holders: () => ['request 4'] } });
    rig.task('holder', 0, [{ do: 'get', key: 1 }]);
    rig.task('waiter', 100_000, use(2));
    rig.run();
    const waits = new Waits();
    waits.register(rig.profile);
    expect(waits.chain()).toEqual([
      'waiter waits for an idle keyslot of crypto profile (for key 2), held by request 4',
    ]);
    expect(rig.profile.checkEmpty()).toEqual([
      'crypto profile: slot 0 (key 1) has 1 references',
      'crypto profile: 1 tasks asleep for an idle keyslot',
    ]);
  });

  it('a slot that is put twice is a programmer’s mistake', () => {
    const rig = new KeyslotRig({ slots: 1 });
    expect(() => rig.profile.put(NO_WAKER, 0)).toThrow('put more often than it was got');
  });
});

describe('lifetime', () => {
  it('I-64: a queue with integrity never takes the profile', () => {
    const { profile } = new KeyslotRig({ slots: 1 });
    expect([profile.register(false), profile.register(true)]).toEqual([true, false]);
    expect(profile.warnings).toHaveLength(1);
  });

  it('I-62: a profile that is destroyed while a queue has it is reported', () => {
    const { profile, machine } = new KeyslotRig({ slots: 1 });
    profile.register(false);
    profile.destroy();
    expect(machine.violations.map((v) => v.law)).toEqual(['keyslot-lifetime']);
  });

  it('I-63: destroying leaves no key and no slot, and twice is once', () => {
    const rig = new KeyslotRig({ slots: 2 });
    rig.task('task', 0, use(1));
    rig.run();
    rig.profile.destroy();
    rig.profile.destroy();
    expect([rig.profile.slots, [...rig.profile.table.key]]).toEqual([0, [NO_KEY, NO_KEY]]);
    expect(rig.machine.violations).toEqual([]);
  });

  it('I-61: a key that a slot points at cannot be freed before it was evicted', () => {
    const keys = new KeyTable();
    const config = { mode: MODE_AES_256_XTS, dataUnitSize: 4096, dunBytes: 8, keyType: KEY_TYPE_RAW };
    const key = keys.create(new Uint8Array(64), config);
    const rig = new KeyslotRig({ slots: 2, env: { keys } });
    rig.task('task', 0, [...use(key), { do: 'sleep', ns: 100_000 }, { do: 'evict', key }]);
    rig.at(50_000, () => expect(() => keys.free(key)).toThrow('is freed while'));
    rig.run();
    keys.free(key);
    expect(keys.isLive(key)).toBe(false);
  });
});

describe('wrapped keys (1.11)', () => {
  function callWrapped(
    keyTypes: number,
    raw: Uint8Array,
  ): { status: number; output: Uint8Array | undefined; rig: KeyslotRig } {
    const rig = new KeyslotRig({ slots: 1, config: { keyTypes } });
    const { engine, machine, profile } = rig;
    let status = NaN;
    const over = engine.register('test.over', (x) => {
      status = profile.status(x);
      machine.exit(x);
    });
    const start = engine.register('test.start-import', (x) => {
      machine.pushReturn(x, over, x);
      profile.wrapped.importKey(x, raw);
    });
    const x = machine.createTask('ioctl', 0, start);
    rig.at(0, () => machine.wake(NO_WAKER, x));
    rig.run();
    return { status, output: profile.wrapped.output(x), rig };
  }

  it('run under the lock and give what the driver gave', () => {
    const { status, output, rig } = callWrapped(
      2,
      Uint8Array.from({ length: 16 }, (_, i) => i),
    );
    expect([status, output?.[0]]).toEqual([OK, 15]);
    expect(rig.problems()).toEqual([]);
  });

  it.each([
    ['-EOPNOTSUPP from a profile that takes raw keys only', KEY_TYPE_RAW, 32, -95],
    ['-EINVAL for a raw key that is too short', 2, 15, -22],
    ['-EINVAL for a raw key that is too long', 2, 65, -22],
  ])('are %s', (_what, keyTypes, bytes, status) => {
    const call = callWrapped(keyTypes, new Uint8Array(bytes));
    expect([call.status, call.output]).toEqual([status, undefined]);
    expect(call.rig.scripted.seen).toEqual([]);
  });
});

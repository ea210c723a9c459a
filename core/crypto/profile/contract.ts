/**
 * The laws of keyslots, as one list that every driver of inline encryption hardware must pass: a spec gives a factory of its driver and registers each law as a
 * test. Laws throw when they are broken. Numbers in names are those of inline-crypto.md 7 (I-…) and 6.7 (S-…).
 *
 * The profile under test is of the current generation with one waiter woken at a time; generations have specs of their own.
 */
import { RandomStream } from '../../engine/random.ts';
import { STORM_LAWS } from './contract-storms.ts';
import { same } from './contract-tools.ts';
import { KeyslotRig, type MakeDriver, type Step, use } from './testing.ts';
import { EBUSY, EIO, NO_KEY, NO_SLOT, OK } from './types.ts';

export interface KeyslotLaw {
  readonly name: string;
  /** Throws when the driver, or the profile with it, breaks the law. */
  check(driver: MakeDriver): void;
}

const get = (key: number): Step => ({ do: 'get', key });
const put = (key: number): Step => ({ do: 'put', key });
const evict = (key: number): Step => ({ do: 'evict', key });
const sleep = (ns: number): Step => ({ do: 'sleep', ns });
const restore: Step = { do: 'restore' };

/** Long enough for any driver to program a few keys. */
const LONG_NS = 100_000_000;

function rig(driver: MakeDriver, slots: number): KeyslotRig {
  return new KeyslotRig({ slots, driver, config: { generation: { evict: 'unlinked', wakeUp: 'one' } } });
}

/** Runs one task of these steps and expects nothing wrong. */
function runOne(driver: MakeDriver, slots: number, steps: Step[]): KeyslotRig {
  const r = rig(driver, slots);
  r.task('task', 0, steps);
  r.run();
  same(r.problems(), [], 'problems');
  return r;
}

const REUSE_LAWS: KeyslotLaw[] = [
  {
    name: 'I-5: the first keys go into slots 0, 1, 2, …',
    check(driver) {
      const r = runOne(
        driver,
        4,
        [10, 11, 12, 13].flatMap((k) => use(k)),
      );
      same(r.got(), ['10 in 0', '11 in 1', '12 in 2', '13 in 3'], 'slots');
    },
  },
  {
    name: 'a key that was given back is found in its slot without programming',
    check(driver) {
      const r = runOne(driver, 2, [...use(7), ...use(7), ...use(7)]);
      same(r.got(), ['7 in 0', '7 in 0', '7 in 0'], 'slots');
      same([r.profile.counters.programs, r.profile.counters.hits], [1, 2], 'programs and hits');
      same(r.driver.hardwareKey(0), 7, 'hardware');
    },
  },
  {
    name: 'I-2: holders of one key share its slot, which is idle after the last of them',
    check(driver) {
      const r = rig(driver, 2);
      const refs: number[] = [];
      r.task('first', 0, use(7, 2 * LONG_NS));
      r.task('second', LONG_NS, use(7, 2 * LONG_NS));
      for (const at of [0.9, 1.5, 2.5, 4]) r.at(at * LONG_NS, () => refs.push(r.profile.table.refs[0]));
      r.run();
      same(refs, [1, 2, 1, 0], 'references over time');
      same(r.profile.counters.programs, 1, 'programs');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-5: a new key takes the slot whose last use is longest ago',
    check(driver) {
      const steps = [get(1), get(2), get(3), put(2), put(1), put(3), get(4), get(5), get(6), put(4), put(5), put(6)];
      const r = runOne(driver, 3, steps);
      same(r.got().slice(3), ['4 in 1', '5 in 0', '6 in 2'], 'slots in order of last use');
    },
  },
  {
    name: 'S-2: N + 1 keys in turn over N slots never hit, the worst case of least recently used',
    check(driver) {
      const r = runOne(driver, 4, Array.from({ length: 25 }, (_, i) => use(i % 5)).flat());
      same([r.profile.counters.programs, r.profile.counters.hits], [25, 0], 'programs and hits');
    },
  },
  {
    name: 'with as many slots as keys there are exactly as many programs as keys',
    check(driver) {
      const r = runOne(driver, 5, Array.from({ length: 40 }, (_, i) => use((i * 7) % 5)).flat());
      same(r.profile.counters.programs, 5, 'programs');
    },
  },
  {
    name: 'with one slot every change of key costs one program, a repetition none',
    check(driver) {
      const r = runOne(
        driver,
        1,
        [1, 1, 2, 2, 1, 2, 2, 2].flatMap((k) => use(k)),
      );
      same([r.profile.counters.programs, r.profile.counters.replacements], [4, 3], 'programs and replacements');
    },
  },
];

/** What the tables of a profile and the hardware show at every instant. */
const TABLE_LAWS: KeyslotLaw[] = [
  {
    name: 'I-1: a slot in use is neither programmed nor evicted: who needs another key waits, who evicts its key is refused',
    check(driver) {
      const r = rig(driver, 2);
      const seen: number[][] = [];
      r.task('holder 1', 0, use(1, 4 * LONG_NS));
      r.task('holder 2', LONG_NS / 2, use(2, 4 * LONG_NS));
      r.task('other', LONG_NS, use(3));
      r.task('evictor', LONG_NS, [evict(1)]);
      for (const at of [2, 3.9])
        r.at(at * LONG_NS, () =>
          seen.push(
            [0, 1].map((slot) => r.driver.hardwareKey(slot)),
            [r.profile.counters.programs],
          ),
        );
      r.run();
      same(seen, [[1, 2], [2], [1, 2], [2]], 'keys in the hardware, programs');
      same(r.outcomes.find((o) => o.what === 'evict')?.status, EBUSY, 'the eviction');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-3: a key that several want at one instant is programmed once, into one slot',
    check(driver) {
      const r = rig(driver, 4);
      for (let i = 0; i < 4; i++) r.task(`task ${i}`, 0, use(7, LONG_NS), i);
      r.run();
      same(r.got(), ['7 in 0', '7 in 0', '7 in 0', '7 in 0'], 'slots');
      same(
        [0, 1, 2, 3].filter((slot) => r.driver.hardwareKey(slot) === 7),
        [0],
        'slots with the key',
      );
      same(r.profile.counters.programs, 1, 'programs');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-4: the idle list has exactly the slots that nobody holds, each once',
    check(driver) {
      const r = rig(driver, 3);
      const idle: number[][] = [];
      r.task('task', 0, [get(1), get(2), sleep(LONG_NS), put(1), sleep(LONG_NS), put(2)]);
      for (const at of [0.9, 1.9, 4]) r.at(at * LONG_NS, () => idle.push(r.profile.table.idleSlots()));
      r.run();
      same(idle, [[2], [2, 0], [2, 0, 1]], 'idle lists');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-6: a key is found where it is: after programming, replacing and evicting it',
    check(driver) {
      const r = rig(driver, 1);
      const found: number[][] = [];
      r.task('task', 0, [...use(1), sleep(LONG_NS), ...use(2), sleep(LONG_NS), evict(2)]);
      for (const at of [0.9, 1.9, 4])
        r.at(at * LONG_NS, () =>
          found.push(
            [1, 2].map((key) => r.profile.table.find(key)),
            [r.profile.table.key[0]],
          ),
        );
      r.run();
      same(
        found,
        [[0, NO_SLOT], [1], [NO_SLOT, 0], [2], [NO_SLOT, NO_SLOT], [NO_KEY]],
        'slots of keys 1 and 2, key of slot 0',
      );
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-7: the key of a slot in use does not change, whatever others program, evict and restore',
    check(driver) {
      const r = rig(driver, 2);
      const seen: number[] = [];
      r.task('holder', 0, use(1, 10 * LONG_NS));
      r.task('restorer', 4 * LONG_NS, [restore]);
      for (let i = 0; i < 4; i++)
        r.task(`task ${i}`, (1 + i) * LONG_NS, [...use(10 + i), ...use(20 + i), evict(20 + i)]);
      for (let at = 1; at < 10; at += 0.25) r.at(at * LONG_NS, () => seen.push(r.profile.table.key[0]));
      r.run();
      same(new Set(seen), new Set([1]), 'keys of slot 0');
      same(r.driver.hardwareKey(0), 1, 'hardware');
      same(r.problems(), [], 'problems');
    },
  },
];

const WAIT_LAWS: KeyslotLaw[] = [
  {
    name: 'who finds no idle slot waits until one is put',
    check(driver) {
      const r = rig(driver, 1);
      r.task('holder', 0, use(1, 2 * LONG_NS));
      r.task('waiter', LONG_NS, use(2));
      r.run();
      const waiter = r.outcomes.find((o) => o.task === 'waiter' && o.what === 'get');
      same(waiter === undefined ? -1 : waiter.endedNs > 2 * LONG_NS, true, 'the waiter got its slot after the put');
      same(r.profile.counters.waits, 1, 'waits');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'S-1: waiters get the slot in the order in which they came',
    check(driver) {
      const r = rig(driver, 1);
      r.task('holder', 0, use(1, 10 * LONG_NS));
      for (let i = 0; i < 6; i++) r.task(`waiter ${i}`, (1 + i) * LONG_NS, use(100 + i), i % 4);
      r.run();
      const order = r.outcomes.filter((o) => o.what === 'get').map((o) => o.key);
      same(order, [1, 100, 101, 102, 103, 104, 105], 'order of gets');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-10: a waiter whose key was loaded meanwhile leaves the idle slot to the next waiter',
    check(driver) {
      const r = rig(driver, 2);
      r.task('holder 1', 0, use(1, 10 * LONG_NS));
      r.task('holder 2', 0, use(2, 11 * LONG_NS));
      r.task('twin', LONG_NS, use(3, 20 * LONG_NS));
      r.task('its twin', 2 * LONG_NS, use(3, 20 * LONG_NS));
      r.task('other', 3 * LONG_NS, use(4));
      r.run();
      same(r.profile.counters.programs, 4, 'programs');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-57: a slot is put in interrupt context without sleeping',
    check(driver) {
      const r = rig(driver, 1);
      const kind = r.engine.register('test.irq-put', (slot) => r.profile.put(r.machine.current, slot));
      const x = r.task('holder', 0, [get(1)]);
      r.task('waiter', LONG_NS, use(2));
      r.at(2 * LONG_NS, () => r.machine.raiseHardirq(1, 0, kind, r.profile.gotSlot(x)));
      r.forget('holder', 1);
      r.run();
      same(r.got('waiter'), ['2 in 0'], 'the waiter was woken');
      same(r.problems(), [], 'problems');
    },
  },
];

const EVICT_LAWS: KeyslotLaw[] = [
  {
    name: 'I-31: evicting an idle key takes it out of the hardware, and the next get programs it again',
    check(driver) {
      const r = runOne(driver, 2, [...use(1), evict(1), sleep(LONG_NS), ...use(1)]);
      same(r.outcomes.find((o) => o.what === 'evict')?.status, OK, 'status');
      same([r.profile.counters.evictions, r.profile.counters.programs], [1, 2], 'evictions and programs');
      const evicted = runOne(driver, 2, [...use(1), evict(1)]);
      same(
        [evicted.driver.hardwareKey(0), evicted.profile.table.key[0]],
        [NO_KEY, NO_KEY],
        'slot 0 after the eviction',
      );
    },
  },
  {
    name: 'I-5: eviction does not move a slot in the idle list',
    check(driver) {
      const r = runOne(driver, 3, [
        ...use(1),
        ...use(2),
        ...use(3),
        evict(2),
        get(4),
        get(5),
        get(6),
        put(4),
        put(5),
        put(6),
      ]);
      same(r.got().slice(3), ['4 in 0', '5 in 1', '6 in 2'], 'slots');
    },
  },
  {
    name: 'evicting a key in use is -EBUSY, leaves the hardware alone and unlinks the key',
    check(driver) {
      const r = runOne(driver, 2, [get(1), evict(1), sleep(LONG_NS), put(1), ...use(1)]);
      same(r.outcomes.find((o) => o.what === 'evict')?.status, EBUSY, 'status');
      same(r.profile.counters.evictions, 0, 'evictions');
      same(r.got(), ['1 in 0', '1 in 1'], 'slots before and after');
      same(r.profile.warnings.length, 1, 'warnings');
    },
  },
  {
    name: 'I-60: evicting an unknown key succeeds and touches no hardware',
    check(driver) {
      const r = runOne(driver, 2, [...use(1), evict(99)]);
      same(r.outcomes.find((o) => o.what === 'evict')?.status, OK, 'status');
      same([r.profile.counters.evictions, r.driver.hardwareKey(0)], [0, 1], 'evictions, hardware');
    },
  },
  {
    name: 'I-59: evicting after the last put never finds the key in use',
    check(driver) {
      const steps = Array.from({ length: 20 }, (_, i) => [...use(i), evict(i)]).flat();
      const r = runOne(driver, 3, steps);
      same(r.outcomes.filter((o) => o.status !== OK).length, 0, 'failures');
      same(r.profile.counters.evictions, 20, 'evictions');
    },
  },
  {
    name: 'a failed eviction unlinks the key all the same',
    check(driver) {
      const r = rig(driver, 1);
      r.task('task', 0, [...use(1), sleep(LONG_NS), evict(1), ...use(1)]);
      r.at(LONG_NS / 2, () => r.driver.failNext());
      r.run();
      same(r.outcomes.find((o) => o.what === 'evict')?.status, EIO, 'status');
      same([r.profile.counters.programs, r.profile.counters.evictErrors], [2, 1], 'programs, failed evictions');
      same(r.problems(), [], 'problems');
    },
  },
];

const FAILURE_LAWS: KeyslotLaw[] = [
  {
    name: 'S-4: after a reset every slot with a key is programmed again, idle ones too, and no empty one',
    check(driver) {
      const r = rig(driver, 4);
      r.task('task', 0, [get(1), get(2), put(2), sleep(LONG_NS), restore, put(1), ...use(1), ...use(2)]);
      r.at(LONG_NS / 2, () => {
        r.isIntact = false;
        r.driver.loseKeys();
      });
      r.at(1.7 * LONG_NS, () => (r.isIntact = true));
      r.run();
      const held = [0, 1, 2, 3].map((slot) => r.driver.hardwareKey(slot));
      same(held, [1, 2, NO_KEY, NO_KEY], 'hardware');
      same([r.profile.counters.programs, r.profile.counters.restored], [2, 2], 'programs and restored keys');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-11: a failed programming is the error of its get alone and leaves the slot idle for the next',
    check(driver) {
      const r = rig(driver, 1);
      r.driver.failNext();
      r.task('task', 0, [get(1), ...use(2)]);
      r.run();
      const [failed, next] = r.outcomes.filter((o) => o.what === 'get');
      same([failed.slot, failed.status], [NO_SLOT, EIO], 'the failed get');
      same([next.slot, next.status], [0, OK], 'the next get');
      same(r.profile.counters.programErrors, 1, 'errors');
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'I-11, S-5: a failed programming wakes one waiter, who tries again',
    check(driver) {
      const r = rig(driver, 1);
      r.task('holder', 0, use(1, 5 * LONG_NS));
      r.task('unlucky', LONG_NS, use(2));
      r.task('next', 2 * LONG_NS, use(3));
      r.at(4 * LONG_NS, () => r.driver.failNext());
      r.run();
      same(
        r.outcomes.filter((o) => o.what === 'get').map((o) => [o.task, o.status]),
        [
          ['holder', OK],
          ['unlucky', EIO],
          ['next', OK],
        ],
        'gets',
      );
      same(r.problems(), [], 'problems');
    },
  },
  {
    name: 'S-5: after a failed programming the old key is still found in the slot, whatever the hardware holds',
    check(driver) {
      const r = rig(driver, 1);
      r.task('task', 0, [...use(1), sleep(LONG_NS), get(2), ...use(1)]);
      r.at(LONG_NS / 2, () => r.driver.failNext());
      r.run();
      same([r.profile.counters.hits, r.profile.table.key[0]], [1, 1], 'hits, key of slot 0');
    },
  },
];

const LONGER_LAWS: KeyslotLaw[] = [
  {
    name: 'a plain model of slots, fed the same gets, puts and evictions, chooses the same slots and counts the same programs',
    check(driver) {
      for (let seed = 1; seed <= 3; seed++) compareWithModel(driver, seed);
    },
  },
  ...STORM_LAWS,
];

/** All laws. */
export const KEYSLOT_LAWS: readonly KeyslotLaw[] = [
  ...REUSE_LAWS,
  ...TABLE_LAWS,
  ...WAIT_LAWS,
  ...EVICT_LAWS,
  ...FAILURE_LAWS,
  ...LONGER_LAWS,
];

/** What a slot is in the plain model. */
interface ModelSlot {
  key: number;
  refs: number;
  idleSince: number;
}

/** One task with random steps against arrays and linear searches. */
function compareWithModel(driver: MakeDriver, seed: number): void {
  const random = new RandomStream(seed, 'keyslot-model');
  const slots = 1 + random.below(6);
  const model: ModelSlot[] = Array.from({ length: slots }, (_, i) => ({ key: NO_KEY, refs: 0, idleSince: i - slots }));
  const held = new Map<number, ModelSlot>();
  const steps: Step[] = [];
  const expected: string[] = [];
  let programs = 0;
  for (let i = 0; i < 150; i++) {
    const key = random.below(slots + 3);
    const holder = held.get(key);
    if (holder !== undefined) {
      steps.push(put(key));
      held.delete(key);
      if (--holder.refs === 0) holder.idleSince = i;
    } else if (random.below(5) === 0) {
      steps.push(evict(key));
      for (const slot of model) if (slot.key === key) slot.key = NO_KEY;
    } else {
      const idle = model.filter((s) => s.refs === 0).sort((a, b) => a.idleSince - b.idleSince);
      const slot = model.find((s) => s.key === key) ?? idle.at(0);
      if (slot === undefined) continue;
      if (slot.key !== key) programs++;
      slot.key = key;
      slot.refs++;
      held.set(key, slot);
      steps.push(get(key));
      expected.push(`${key} in ${model.indexOf(slot)}`);
    }
  }
  for (const key of held.keys()) steps.push(put(key));
  const r = runOne(driver, slots, steps);
  same(r.got(), expected, `slots with seed ${seed}`);
  same(r.profile.counters.programs, programs, `programs with seed ${seed}`);
}

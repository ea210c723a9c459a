/** The engine, its firmware and its power sequences; the paragraph in a name is one of inline-crypto.md. */
import { describe, expect, it } from 'vitest';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MODE_ADIANTUM } from '../crypto/mode.ts';
import { KeyslotRig, TEST_CONFIG, use } from '../crypto/profile/testing.ts';
import { EBADMSG, EINVAL, EIO, EOPNOTSUPP, ETIMEDOUT, NO_KEY, OK } from '../crypto/profile/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { NO_WAKER } from '../engine/testing.ts';
import type { DetailLog } from '../trace/log.ts';
import { swapWords } from './firmware.ts';
import type { IceOptions } from './ice.ts';
import * as r from './registers.ts';
import { type IceUnderTest, makeIce, rawKey } from './testing.ts';

const EXACT: NonNullable<IceOptions['scm']> = { jitterNs: 0, tailEvery: 0 };

interface Bench {
  readonly rig: KeyslotRig;
  readonly made: IceUnderTest;
  /** A task that calls `what` at `atNs`; `what` ends with ret, then `after` is called. */
  task(atNs: number, what: (x: number) => void, after?: (x: number) => void): void;
}

function bench(options: IceOptions & { slots?: number; log?: DetailLog } = {}, isUp = true): Bench {
  const made: IceUnderTest[] = [];
  const isWrapped = options.ice?.useWrappedKeys ?? false;
  const rig = new KeyslotRig({
    slots: options.slots ?? 4,
    config: { ...TEST_CONFIG, keyTypes: isWrapped ? KEY_TYPE_HW_WRAPPED : KEY_TYPE_RAW },
    driver: (engine: Engine, machine: Machine, slots: number) => {
      made.push(makeIce(engine, machine, slots, { ...options, scm: { ...EXACT, ...options.scm } }));
      if (isUp) made[0].ice.power.setUpNow();
      return made[0];
    },
  });
  const { engine, machine } = rig;
  return {
    rig,
    made: made[0],
    task(atNs, what, after) {
      const over = engine.register('test.over', (x) => {
        after?.(x);
        machine.exit(x);
      });
      const start = engine.register('test.start-task', (x) => {
        machine.pushReturn(x, over, x);
        what(x);
      });
      const x = machine.createTask('task', 0, start);
      rig.at(atNs, () => machine.wake(NO_WAKER, x));
    },
  };
}

const WRAPPED = (hwkm: 1 | 2): IceOptions => ({ ice: { useWrappedKeys: true, hwkm } });

describe('raw keys (5.3)', () => {
  it('travel as big-endian words: 00 01 02 03 becomes 03 02 01 00', () => {
    const key = Uint8Array.from({ length: 64 }, (_, i) => i);
    expect([...swapWords(key).subarray(0, 16)]).toEqual([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);
    expect(swapWords(swapWords(key))).toEqual(key);
  });

  it('are in the engine as they were, with the slot enabled for their data unit size by the firmware', () => {
    const { rig, made } = bench();
    rig.task('task', 0, use(0x123));
    rig.run();
    expect(made.ice.engine.keyOf(0)).toEqual(rawKey(0x123));
    expect(made.ice.engine.dataUnitSizeOf(0)).toBe(4096);
    expect(rig.problems()).toEqual([]);
  });

  it('are taken for AES-256-XTS only', () => {
    const { rig, made } = bench();
    made.keys.mode[1] = MODE_ADIANTUM;
    rig.task('task', 0, use(1));
    rig.run();
    expect(rig.outcomes[0].status).toBe(EINVAL);
    expect(made.ice.monitor.calls).toBe(0);
  });

  it('I-31: leave zeroes behind when they are evicted', () => {
    const { rig, made } = bench();
    rig.task('task', 0, [...use(1), { do: 'evict', key: 1 }]);
    rig.run();
    expect(made.ice.engine.keyOf(0)).toBeUndefined();
    made.ice.engine.setConfiguration(0, r.cryptocfgWord(4096));
    expect(made.ice.engine.keyOf(0)).toBeUndefined();
    expect(made.ice.engine.registers.snapshot().find((reg) => reg.name === 'CRYPTOCFG[1]')?.value).toBe(0);
  });

  it('I-67, S-15: a wrapped key in legacy mode is -EINVAL', () => {
    const { rig, made } = bench();
    made.keys.keyType[1] = KEY_TYPE_HW_WRAPPED;
    rig.task('task', 0, use(1));
    rig.run();
    expect(rig.outcomes[0].status).toBe(EINVAL);
  });
});

describe.each([1, 2] as const)('wrapped keys with key manager %i (5.3)', (hwkm) => {
  it('I-67, S-15: a raw key is -EINVAL', () => {
    const { rig, made } = bench(WRAPPED(hwkm));
    made.keys.keyType[1] = KEY_TYPE_RAW;
    rig.task('task', 0, use(1));
    rig.run();
    expect(rig.outcomes[0].status).toBe(EINVAL);
  });

  it('put the translated slot into the key table and the slot itself into CRYPTOCFG', () => {
    const { rig, made } = bench(WRAPPED(hwkm));
    rig.task('task', 0, [...use(1), ...use(2), ...use(3)]);
    rig.run();
    const ice = made.ice.engine;
    expect([ice.entryOf(2), ice.entries]).toEqual([2 * hwkm, 4 * hwkm]);
    expect(ice.read(r.CRYPTOCFG + 2 * r.CRYPTOCFG_STRIDE)).toBe(0x80000308); // 8.3: DUS 4096
    expect([0, 1, 2, 3].map((slot) => made.hardwareKey(slot))).toEqual([1, 2, 3, NO_KEY]);
  });

  it('disable the slot before its key changes, and leave it disabled when that fails', () => {
    const log: string[] = [];
    const seen: DetailLog = {
      on: true,
      event: () => undefined,
      span: () => undefined,
      register: (_block, _offset, name, before, after) =>
        log.push(`${name} ${before.toString(16)}→${after.toString(16)}`),
    };
    const { rig, made } = bench({ ...WRAPPED(hwkm), slots: 1, log: seen });
    rig.task('task', 0, [...use(1), { do: 'sleep', ns: 1_000_000 }, { do: 'get', key: 2 }]);
    rig.at(500_000, () => {
      rig.isIntact = false;
      made.failNext();
    });
    rig.run();
    expect(log.filter((line) => line.startsWith('CRYPTOCFG[0]'))).toEqual([
      'CRYPTOCFG[0] 0→80000308',
      'CRYPTOCFG[0] 80000308→0',
    ]);
    expect(rig.outcomes.at(-1)?.status).toBe(EIO);
    expect(made.ice.engine.keyOf(0)).toBeUndefined();
  });

  it('are refused after a suspend until the engine is resumed', () => {
    const { rig, made, task } = bench(WRAPPED(hwkm));
    rig.at(0, () => made.ice.power.suspend());
    rig.at(10_000, () => (made.ice.engine.clockOn = true));
    rig.task('early', 20_000, use(1));
    task(1_000_000, (x) => made.ice.power.resume(x));
    rig.task('late', 2_000_000, use(2));
    rig.run();
    expect(rig.outcomes.filter((o) => o.what === 'get').map((o) => o.status)).toEqual([EINVAL, OK]);
    expect(rig.machine.violations).toEqual([]);
  });

  it('go from generated or imported over prepared to a slot, and give software a secret of 32 bytes', () => {
    const { made, rig, task } = bench(WRAPPED(hwkm));
    const { wrapped } = rig.profile;
    const found: (Uint8Array | undefined)[] = [];
    const keep = (x: number): number => found.push(wrapped.output(x));
    task(0, (x) => wrapped.importKey(x, new Uint8Array(32).fill(9)), keep);
    task(1_000_000, (x) => wrapped.prepareKey(x, found[0] ?? new Uint8Array(0)), keep);
    task(2_000_000, (x) => wrapped.deriveSwSecret(x, found[1] ?? new Uint8Array(0)), keep);
    task(3_000_000, (x) => wrapped.generateKey(x), keep);
    rig.run();
    expect(found.map((bytes) => bytes?.length)).toEqual([
      hwkm === 1 ? 68 : 100,
      hwkm === 1 ? 68 : 100,
      32,
      hwkm === 1 ? 68 : 100,
    ]);
    expect(found[2]).toEqual(made.ice.engine.keyManager.softwareSecret(found[1] ?? new Uint8Array(0)));
    expect(rig.problems()).toEqual([]);
  });

  it('that are not wrapped keys of this boot are -EBADMSG', () => {
    const { made, rig, task } = bench(WRAPPED(hwkm));
    const { keyManager } = made.ice.engine;
    const longTerm = keyManager.generate();
    const ephemeral = keyManager.prepare(longTerm) ?? new Uint8Array(0);
    keyManager.reboot();
    const statuses: number[] = [];
    const keep = (x: number): number => statuses.push(rig.profile.status(x));
    task(0, (x) => rig.profile.wrapped.deriveSwSecret(x, ephemeral), keep);
    task(1_000_000, (x) => rig.profile.wrapped.prepareKey(x, new Uint8Array(100)), keep);
    task(2_000_000, (x) => rig.profile.wrapped.prepareKey(x, longTerm), keep);
    rig.run();
    expect(statuses).toEqual([EBADMSG, EBADMSG, OK]);
  });
});

describe('power (5.3)', () => {
  it('the engine is in bypass from power-on until it is enabled', () => {
    const { made, rig, task } = bench({}, false);
    const { engine, power } = made.ice;
    expect(engine.isBypassed).toBe(true);
    task(0, (x) => power.enable(x));
    rig.run();
    expect(engine.isBypassed).toBe(false);
    expect(engine.read(r.ADVANCED_CONTROL)).toBe(0xd807100); // the low-power bits are among them
  });

  it('keys stay through suspend and resume, and nobody programs them again', () => {
    const { made, rig, task } = bench();
    rig.task('task', 0, use(1));
    rig.at(1_000_000, () => made.ice.power.suspend());
    task(2_000_000, (x) => made.ice.power.resume(x));
    rig.run();
    expect(made.hardwareKey(0)).toBe(1);
    expect(made.ice.monitor.calls).toBe(1);
    expect(rig.problems()).toEqual([]);
  });

  it.each([
    [false, NO_KEY],
    [true, 1],
  ])('a power domain that goes off loses them unless they are kept (%s)', (keepsKeysWithoutPower, key) => {
    const { made, rig } = bench({ ice: { keepsKeysWithoutPower } });
    rig.task('task', 0, use(1));
    rig.at(1_000_000, () => made.ice.engine.powerOff());
    rig.at(2_000_000, () => made.ice.engine.powerOn());
    rig.run();
    expect(made.hardwareKey(0)).toBe(key);
    expect(made.ice.engine.isBypassed).toBe(true);
  });

  it('enable waits for the self-test, looking every 50 µs', () => {
    const { made, rig, task } = bench({ ice: { selfTestNs: 220_000 } }, false);
    const ended: [number, number][] = [];
    rig.at(0, () => made.ice.engine.powerOn());
    task(
      0,
      (x) => made.ice.power.enable(x),
      (x) => ended.push([rig.engine.now, made.ice.power.status(x)]),
    );
    rig.run();
    expect(ended).toHaveLength(1);
    expect(ended[0][1]).toBe(OK);
    expect(ended[0][0]).toBeGreaterThan(220_000);
    expect(ended[0][0]).toBeLessThan(280_000);
  });

  it('a self-test that does not end is -ETIMEDOUT after 5 ms', () => {
    const { made, rig, task } = bench({}, false);
    made.ice.engine.selfTestHangs = true;
    const ended: [number, number][] = [];
    rig.at(0, () => made.ice.engine.powerOn());
    task(
      0,
      (x) => made.ice.power.enable(x),
      (x) => ended.push([rig.engine.now, made.ice.power.status(x)]),
    );
    rig.run();
    expect(ended[0][1]).toBe(ETIMEDOUT);
    expect(ended[0][0]).toBeGreaterThanOrEqual(5_000_000);
  });

  it('I-48: a key set while the clock is off is a breach, and fails', () => {
    const { made, rig } = bench();
    rig.at(0, () => made.ice.power.suspend());
    rig.task('task', 10_000, use(1));
    rig.run();
    expect(rig.outcomes[0].status).toBe(EIO);
    expect(rig.machine.violations.map((v) => v.law)).toEqual(['ice-access']);
  });

  it.each([
    ['version 3.2.1 without blown fuses', {}, OK],
    ['version 2', { VERSION: 0x02000000 }, EOPNOTSUPP],
    ['a blown fuse', { FUSE_SETTING: 2 }, EOPNOTSUPP],
  ])('the probe judges %s (5.4)', (_what, changed, status) => {
    const { made } = bench();
    for (const [name, value] of Object.entries(changed))
      made.ice.engine.registers.set(made.ice.engine.registers.offsetOf(name), value);
    expect(made.ice.power.probe()).toBe(status);
  });
});

describe('the host around it (5.4)', () => {
  it('holds its clocks during programming and eviction, also when they fail', () => {
    const log: string[] = [];
    const rig = new KeyslotRig({
      slots: 1,
      driver: (engine, machine, slots) => {
        const host = {
          maySleep: true,
          hold(x: number): void {
            log.push('hold');
            machine.ret(x);
          },
          release: () => log.push('release'),
        };
        const made = makeIce(engine, machine, slots, { scm: EXACT, host });
        made.failNext();
        made.ice.power.setUpNow();
        return made;
      },
    });
    rig.task('task', 0, [{ do: 'get', key: 1 }, ...use(2), { do: 'evict', key: 2 }]);
    rig.run();
    expect(rig.outcomes.map((o) => o.status)).toContain(EIO);
    expect(log).toEqual(['hold', 'release', 'hold', 'release', 'hold', 'release']);
  });
});

describe('keys set at dispatch, in softirq (queue.blocking)', () => {
  function dispatch(mode: 'blocking' | 'atomic'): { laws: string[]; slot: number; maySleep: boolean } {
    const { rig, made } = bench({ scm: { mode } });
    const { engine, machine, profile } = rig;
    const over = engine.register('test.dispatched', () => undefined);
    const start = engine.register('test.dispatch', (key) => {
      machine.pushReturn(machine.current, over, 0);
      profile.tryProgram(machine.current, key);
    });
    rig.at(0, () => machine.raiseSoftirq(0, 0, start, 1));
    rig.run();
    const slot = profile.gotSlot(machine.softirqContext(0));
    return { laws: machine.violations.map((v) => v.law), slot, maySleep: made.ops.maySleep };
  }

  it('work with atomic calls', () => {
    expect(dispatch('atomic')).toEqual({ laws: [], slot: 0, maySleep: false });
  });

  it('I-56: are a breach with blocking calls, which want a queue that may block', () => {
    const { laws, maySleep } = dispatch('blocking');
    expect(maySleep).toBe(true);
    expect(new Set(laws)).toEqual(new Set(['atomic-sleep']));
  });
});

describe('the data path', () => {
  it('at line rate adds its latency and nothing per byte', () => {
    const { engine } = bench().made.ice;
    expect(engine.leaveNs(0, 4096, 1_000, 5_000)).toBe(6_000);
    expect(engine.leaveNs(0, 1 << 20, 5_000, 1_000_000)).toBe(1_001_000);
  });

  it('slower than the link, transfers of one direction queue and those of the other do not', () => {
    const { engine } = bench({ ice: { bytesPerUs: 1_000, latencyNs: 0 } }).made.ice;
    expect(engine.leaveNs(0, 4_000, 0, 1_000)).toBe(4_000);
    expect(engine.leaveNs(0, 4_000, 1_000, 2_000)).toBe(8_000);
    expect(engine.leaveNs(1, 4_000, 1_000, 2_000)).toBe(5_000);
  });
});

import { describe, expect, it } from 'vitest';
import { Engine, MAX_ARG } from './engine.ts';
import { RandomStream } from './random.ts';

/** An engine with a kind that logs `now:arg`. */
function logging(): { engine: Engine; log: string[]; kind: number } {
  const engine = new Engine(1);
  const log: string[] = [];
  const kind = engine.register('log', (arg) => {
    log.push(`${engine.now}:${arg}`);
  });
  return { engine, log, kind };
}

describe('events', () => {
  it('run in order of time, first scheduled first run, and time never runs back', () => {
    const { engine, log, kind } = logging();
    engine.at(20, kind, 1);
    engine.at(10, kind, 2);
    engine.at(20, kind, 3);
    engine.after(10, kind, 4);
    expect(engine.runSlice(100)).toBe(false);
    expect(log).toEqual(['10:2', '10:4', '20:1', '20:3']);
    expect(() => engine.at(19, kind, 0)).toThrow('before now');
    expect(() => engine.at(NaN, kind, 0)).toThrow('before now');
  });

  it('carry arguments up to the limit and refuse what would not fit', () => {
    const { engine, log, kind } = logging();
    engine.at(1, kind, MAX_ARG - 1);
    engine.runSlice(1);
    expect(log).toEqual([`1:${MAX_ARG - 1}`]);
    expect(() => engine.at(2, kind, MAX_ARG)).toThrow(RangeError);
    expect(() => engine.at(2, kind, -1)).toThrow(RangeError);
  });

  it('run in slices that stop at a count or at a time and go on where they stopped', () => {
    const { engine, log, kind } = logging();
    for (let i = 0; i < 5; i++) engine.at(i * 10, kind, i);
    expect(engine.runSlice(2)).toBe(true);
    expect(log).toHaveLength(2);
    expect(engine.runSlice(100, 30)).toBe(false);
    expect(log).toHaveLength(4);
    expect(engine.runSlice(100)).toBe(false);
    expect([log.length, engine.events, engine.now]).toEqual([5, 5, 40]);
  });

  it('may be scheduled by handlers for the same instant, after all that already wait for it', () => {
    const { engine, log, kind } = logging();
    const spawn = engine.register('spawn', (arg) => {
      log.push(`spawn${arg}`);
      engine.after(0, kind, arg);
    });
    engine.at(5, spawn, 1);
    engine.at(5, kind, 2);
    engine.runSlice(10);
    expect(log).toEqual(['spawn1', '5:2', '5:1']);
  });

  it('are told apart by the sequence number that scheduling returned', () => {
    const engine = new Engine(1);
    const seen: number[] = [];
    const kind = engine.register('seq', () => {
      seen.push(engine.seq);
    });
    const first = engine.at(5, kind, 0);
    const second = engine.at(4, kind, 0);
    engine.runSlice(10);
    expect(seen).toEqual([second, first]);
  });

  it('stop when the run is halted', () => {
    const { engine, log, kind } = logging();
    const halt = engine.register('halt', () => {
      engine.halt();
    });
    engine.at(1, kind, 1);
    engine.at(2, halt, 0);
    engine.at(3, kind, 3);
    expect(engine.runSlice(10)).toBe(false);
    expect(engine.runSlice(10)).toBe(false);
    expect(log).toEqual(['1:1']);
    expect(engine.lastEvents()).toEqual(['1 log(1)', '2 halt(0)']);
  });
});

describe('timers', () => {
  it('fire once, when due', () => {
    const { engine, log, kind } = logging();
    const timer = engine.createTimer(kind, 7);
    engine.armTimer(timer, 50);
    expect(engine.timerDue(timer)).toBe(50);
    engine.runSlice(10);
    expect(log).toEqual(['50:7']);
    expect(engine.timerDue(timer)).toBe(Infinity);
    expect(engine.isQuiet()).toBe(true);
  });

  it('fire at the last time they were armed for, later or earlier', () => {
    const { engine, log, kind } = logging();
    const timer = engine.createTimer(kind, 1);
    engine.armTimer(timer, 50);
    engine.armTimer(timer, 80);
    engine.armTimer(timer, 30);
    engine.armTimer(timer, 60);
    engine.runSlice(10);
    expect(log).toEqual(['60:1']);
    expect(engine.events).toBe(1);
  });

  it('keep the place in line of their last arming', () => {
    const { engine, log, kind } = logging();
    const timer = engine.createTimer(kind, 9);
    engine.armTimer(timer, 50);
    engine.at(60, kind, 1);
    engine.armTimer(timer, 60);
    engine.at(60, kind, 2);
    engine.runSlice(10);
    expect(log).toEqual(['60:1', '60:9', '60:2']);
  });

  it('armed again for the same instant go to the end of the line', () => {
    const { engine, log, kind } = logging();
    const timer = engine.createTimer(kind, 9);
    engine.armTimer(timer, 50);
    engine.at(50, kind, 1);
    engine.cancelTimer(timer);
    engine.armTimer(timer, 50);
    engine.runSlice(10);
    expect(log).toEqual(['50:1', '50:9']);
  });

  it('do not fire after being cancelled and do not keep the run alive', () => {
    const { engine, log, kind } = logging();
    const timer = engine.createTimer(kind, 1);
    engine.armTimer(timer, 50);
    engine.cancelTimer(timer);
    engine.cancelTimer(timer);
    expect(engine.isQuiet()).toBe(true);
    expect(engine.runSlice(10)).toBe(false);
    expect([log, engine.now, engine.events]).toEqual([[], 0, 0]);
  });

  it('that are daemons fire while there is other work and do not keep the run alive', () => {
    const { engine, log, kind } = logging();
    const sampler: number = engine.createTimer(
      engine.register('sample', () => {
        log.push(`sample ${engine.now}`);
        engine.armTimer(sampler, engine.now + 10);
      }),
      0,
      true,
    );
    engine.armTimer(sampler, 10);
    engine.at(35, kind, 1);
    expect(engine.runSlice(100)).toBe(false);
    expect(log).toEqual(['sample 10', 'sample 20', 'sample 30', '35:1']);
  });

  it('agree with a model over random arming and cancelling of many timers', () => {
    const random = new RandomStream(3, 'timers');
    const { engine, log, kind } = logging();
    const timers = Array.from({ length: 100 }, (_, i) => engine.createTimer(kind, i));
    const due = new Map<number, { atNs: number; order: number }>();
    let order = 0;
    for (let step = 0; step < 500; step++) {
      const i = random.below(100);
      if (random.below(4) === 0) {
        engine.cancelTimer(timers[i]);
        due.delete(i);
      } else {
        const atNs = random.below(50);
        engine.armTimer(timers[i], atNs);
        due.set(i, { atNs, order: order++ });
      }
    }
    engine.runSlice(10_000);
    const expected = [...due].sort(([, a], [, b]) => a.atNs - b.atNs || a.order - b.order);
    expect(log).toEqual(expected.map(([i, { atNs }]) => `${atNs}:${i}`));
    expect(engine.events).toBe(expected.length);
    expect(engine.isQuiet()).toBe(true);
  });
});

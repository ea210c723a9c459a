import { describe, expect, it } from 'vitest';
import { Alarms } from './alarms.ts';
import { Engine } from './engine.ts';
import { RandomStream } from './random.ts';

describe('alarms', () => {
  it('come in order of time and then of sequence, whatever is set and taken back between', () => {
    const random = new RandomStream(1, 'alarms');
    const alarms = new Alarms();
    alarms.create(9);
    const model = new Map<number, { readonly atNs: number; readonly seq: number }>();
    const first = (): number | undefined =>
      [...model].sort(([, a], [, b]) => a.atNs - b.atNs || a.seq - b.seq).map(([id]) => id)[0];
    for (let seq = 0; seq < 5000; seq++) {
      const id = random.below(9);
      if (!model.has(id)) {
        const atNs = random.below(6);
        alarms.set(id, atNs, seq);
        model.set(id, { atNs, seq });
      } else if (random.below(2) === 0) {
        alarms.clear(id);
        model.delete(id);
      } else {
        const taken = alarms.takeFirst();
        expect(taken).toBe(first());
        model.delete(taken);
      }
      const next = first();
      expect(alarms.pending).toBe(model.size);
      expect(alarms.firstNs).toBe(next === undefined ? Infinity : model.get(next)?.atNs);
    }
  });

  it('are set once at a time', () => {
    const alarms = new Alarms();
    alarms.create(1);
    expect(() => alarms.clear(0)).toThrow('not set');
    alarms.set(0, 5, 0);
    expect(() => alarms.set(0, 6, 1)).toThrow('set already');
  });
});

describe('alarms of an engine', () => {
  it('keep their place in line among events of the same instant, and do not count when they are taken back', () => {
    const engine = new Engine(1);
    const log: string[] = [];
    const event = engine.register('event', (arg) => log.push(`${engine.now} event ${arg}`));
    engine.createAlarms('alarm', 3, (id) => log.push(`${engine.now} alarm ${id}`));
    engine.at(7, event, 1);
    engine.setAlarm(0, 7);
    engine.at(7, event, 2);
    engine.setAlarm(1, 3);
    engine.setAlarm(2, 4);
    engine.clearAlarm(2);
    expect(engine.isQuiet()).toBe(false);
    expect(engine.runSlice(10, 6)).toBe(false);
    expect(log).toEqual(['3 alarm 1']);
    expect(engine.runSlice(10)).toBe(false);
    expect(log.slice(1)).toEqual(['7 event 1', '7 alarm 0', '7 event 2']);
    expect([engine.events, engine.isQuiet()]).toEqual([4, true]);
    expect(engine.lastEvents()).toEqual(['3 alarm(1)', '7 event(1)', '7 alarm(0)', '7 event(2)']);
  });

  it('keep a run alive by themselves, and belong to one room', () => {
    const engine = new Engine(1);
    const rung: number[] = [];
    engine.createAlarms('alarm', 1, (id) => {
      rung.push(engine.now);
      if (engine.now < 30) engine.setAlarm(id, engine.now + 10);
    });
    engine.setAlarm(0, 10);
    expect(engine.runSlice(2)).toBe(true);
    expect(engine.runSlice(10)).toBe(false);
    expect(rung).toEqual([10, 20, 30]);
    expect(() => engine.setAlarm(0, 29)).toThrow('before now');
    expect(() => engine.createAlarms('other', 1, () => undefined)).toThrow('alarms of alarm and other');
  });
});

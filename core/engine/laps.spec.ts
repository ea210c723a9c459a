import { describe, expect, it } from 'vitest';
import { NO_WAKER, Rig } from './testing.ts';

/** A task whose burst has laps of 100 and 50 ns and a rest of 30 ns; the rig's context switch (100 ns) comes first. */
function lapper(rig: Rig, ends: number[]): void {
  const { machine } = rig;
  const done = rig.kind('done', (x) => {
    ends.push(machine.lapEndNs(x, 0), machine.lapEndNs(x, 1));
    machine.exit(x);
  });
  const task = machine.createTask(
    'laps',
    0,
    rig.kind('start', (x) => {
      machine.charge(x, 7);
      machine.lap(x, 100);
      machine.lap(x, 50);
      machine.run(x, 30, done, x);
    }),
  );
  machine.wake(NO_WAKER, task);
}

describe('laps of a burst', () => {
  it('are stamped at their ends, after what the context was charged', () => {
    const rig = new Rig();
    const ends: number[] = [];
    lapper(rig, ends);
    expect(rig.go().at(-1)).toBe('287 done@laps');
    expect(ends).toEqual([207, 257]);
  });

  it('are stamped late by as long as an interrupt kept the CPU before their end', () => {
    const rig = new Rig();
    const ends: number[] = [];
    lapper(rig, ends);
    const irq = rig.kind('irq', () => undefined);
    rig.at(220, () => {
      rig.machine.raiseHardirq(0, 1000, irq, 0);
    });
    rig.go();
    const awayNs = 1000 + rig.machine.costs.hardirqEntryNs;
    expect(ends).toEqual([207, 257 + awayNs]);
  });

  it('that end at the very instant of an interrupt are not delayed by it', () => {
    const rig = new Rig();
    const ends: number[] = [];
    lapper(rig, ends);
    const irq = rig.kind('irq', () => undefined);
    rig.at(207, () => {
      rig.machine.raiseHardirq(0, 1000, irq, 0);
    });
    rig.go();
    expect(ends[0]).toBe(207);
  });
});

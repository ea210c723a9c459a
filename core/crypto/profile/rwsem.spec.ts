import { describe, expect, it } from 'vitest';
import { NO_WAKER, Rig } from '../../engine/testing.ts';
import { RwSem } from './rwsem.ts';

/** Tasks that take the semaphore at a time and give it back after a while; the log tells who had it when. */
function crowd(wants: readonly { name: string; atNs: number; write: boolean; holdNs: number }[]): string[] {
  const rig = new Rig(4);
  const { engine, machine } = rig;
  const sem = new RwSem(machine, 'the semaphore');
  const seen: string[] = [];
  wants.forEach(({ name, atNs, write, holdNs }, i) => {
    const over = engine.register(`${name} over`, (x) => {
      seen.push(`${name} -`);
      if (write) sem.upWrite(x);
      else sem.upRead(x);
      machine.exit(x);
    });
    const has = engine.register(`${name} has`, (x) => {
      seen.push(`${name} +`);
      machine.run(x, holdNs, over, x);
    });
    const start = engine.register(`${name} starts`, (x) => {
      if (write ? sem.downWrite(x, has) : sem.downRead(x, has)) engine.call(has, x);
    });
    const x = machine.createTask(name, i % 4, start);
    rig.at(atNs, () => machine.wake(NO_WAKER, x));
  });
  rig.go();
  expect(sem.isFree).toBe(true);
  return seen;
}

describe('the reader-writer semaphore', () => {
  it('lets readers share', () => {
    const seen = crowd([
      { name: 'r1', atNs: 0, write: false, holdNs: 10_000 },
      { name: 'r2', atNs: 1_000, write: false, holdNs: 10_000 },
    ]);
    expect(seen).toEqual(['r1 +', 'r2 +', 'r1 -', 'r2 -']);
  });

  it('keeps a writer alone', () => {
    const seen = crowd([
      { name: 'w1', atNs: 0, write: true, holdNs: 10_000 },
      { name: 'r1', atNs: 1_000, write: false, holdNs: 10_000 },
      { name: 'w2', atNs: 2_000, write: true, holdNs: 10_000 },
    ]);
    expect(seen).toEqual(['w1 +', 'w1 -', 'r1 +', 'r1 -', 'w2 +', 'w2 -']);
  });

  it('makes a reader that comes after a waiting writer wait behind it', () => {
    const seen = crowd([
      { name: 'r1', atNs: 0, write: false, holdNs: 10_000 },
      { name: 'w1', atNs: 1_000, write: true, holdNs: 10_000 },
      { name: 'r2', atNs: 2_000, write: false, holdNs: 10_000 },
    ]);
    expect(seen).toEqual(['r1 +', 'r1 -', 'w1 +', 'w1 -', 'r2 +', 'r2 -']);
  });

  it('refuses to be given up by who does not hold it', () => {
    const sem = new RwSem(new Rig(1).machine, 'the semaphore');
    expect(() => sem.upRead(0)).toThrow('not held for reading');
    expect(() => sem.upWrite(0)).toThrow('not held for writing');
  });
});

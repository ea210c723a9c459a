import { describe, expect, it } from 'vitest';
import { ioprio, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, IOPRIO_CLASS_RT } from '../block/types.ts';
import { Engine } from '../engine/engine.ts';
import { DDIR_READ, DDIR_SYNC, DDIR_WRITE } from './io.ts';
import { IoPriority } from './priority.ts';
import { jobs } from './testing.ts';

const RT0 = ioprio(IOPRIO_CLASS_RT, 0);

function priority(options: string): IoPriority {
  return new IoPriority(new Engine(1), 'j.0', jobs(`ioengine=libaio size=1m ${options}`)[0].priority);
}

/** Share of 10 000 I/Os that have this ioprio. */
function share(of: IoPriority, ddir: number, sizeBytes: number, wanted: number): number {
  let n = 0;
  for (let i = 0; i < 10_000; i++) if (of.of(ddir, sizeBytes) === wanted) n++;
  return n / 10_000;
}

describe('I/O priority', () => {
  it('is none without an option, best effort with a level alone', () => {
    expect(priority('').of(DDIR_READ, 4096)).toBe(0);
    expect(priority('prio=3').of(DDIR_READ, 4096)).toBe(ioprio(IOPRIO_CLASS_BE, 3));
    expect(priority('prioclass=3').of(DDIR_WRITE, 4096)).toBe(ioprio(IOPRIO_CLASS_IDLE, 0));
  });

  it('is another one for cmdprio_percentage of the commands of a direction', () => {
    const drawn = priority('rw=rw cmdprio_percentage=30,0');
    expect(share(drawn, DDIR_READ, 4096, RT0)).toBeCloseTo(0.3, 1);
    expect(share(drawn, DDIR_WRITE, 4096, RT0)).toBe(0);
  });

  it('depends on the size with cmdprio_bssplit', () => {
    const drawn = priority('rw=randread bssplit=4k/50:64k/50 cmdprio_bssplit=4k/20:64k/100');
    expect(share(drawn, DDIR_READ, 4096, RT0)).toBeCloseTo(0.2, 1);
    expect(share(drawn, DDIR_READ, 65_536, RT0)).toBe(1);
    expect(share(drawn, DDIR_READ, 8192, RT0)).toBe(0);
  });

  it('takes class and level from the entry that was drawn', () => {
    const drawn = priority('rw=randread cmdprio_bssplit=4k/10/1/5:4k/40/3/0');
    expect(share(drawn, DDIR_READ, 4096, ioprio(IOPRIO_CLASS_RT, 5))).toBeCloseTo(0.1, 1);
    expect(share(drawn, DDIR_READ, 4096, ioprio(IOPRIO_CLASS_IDLE, 0))).toBeCloseTo(0.4, 1);
  });

  it('is never another one for a sync', () => {
    expect(share(priority('rw=rw cmdprio_percentage=100'), DDIR_SYNC, 0, RT0)).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { ST_WAIT_PLUG } from '../trace/stages.ts';
import { Rig, type BioSpec, type Step } from './testing.ts';
import { OP_WRITE } from './types.ts';

/** One task that submits these bios within one plug. */
function plugged(bios: readonly BioSpec[]): Step[] {
  return [{ plug: 'start' }, ...bios.map((submit) => ({ submit })), { plug: 'finish' }];
}

/** `count` bios that touch each other nowhere. */
function apart(count: number, bytes = 4096): BioSpec[] {
  return Array.from({ length: count }, (_, i) => ({ sector: i * 8000, bytes }));
}

describe('the plug', () => {
  it('check 8: 40 requests leave as 32 and 8', () => {
    const rig = new Rig({ queueDepth: 64 });
    rig.task(plugged(apart(40)));
    rig.finish();
    expect(rig.log.of('U').map((e) => e.id1)).toEqual([32, 8]);
    expect(rig.log.count('P')).toBe(2);
  });

  it('check 8: a request of 128 KiB leaves when the next one comes', () => {
    const rig = new Rig();
    rig.task(plugged(apart(4, 131_072)));
    rig.finish();
    expect(rig.log.of('U').map((e) => e.id1)).toEqual([1, 1, 1, 1]);
  });

  it('check 8: with nomerges a big request stays on the plug', () => {
    const rig = new Rig({ nomerges: 2 });
    rig.task(plugged(apart(4, 131_072)));
    rig.finish();
    expect(rig.log.of('U').map((e) => e.id1)).toEqual([4]);
  });

  it('check 9: an explicit finish issues directly, without a single I', () => {
    const rig = new Rig();
    rig.task(plugged(apart(5)));
    rig.finish();
    expect(rig.log.count('I')).toBe(0);
    expect(rig.lld.seen.map((rq) => rq.last)).toEqual([false, false, false, false, true]);
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([0, 8000, 16_000, 24_000, 32_000]);
    expect(rig.lld.seen.map((rq) => rq.context)).toEqual(Array(5).fill('submitter/0'));
  });

  it('check 9: a task that sleeps inserts each request (UT, I) and kblockd issues them', () => {
    const rig = new Rig();
    rig.task([...plugged(apart(5)).slice(0, -1), { sleepPlugged: 50_000 }, { plug: 'finish' }]);
    rig.finish();
    expect(rig.log.count('UT')).toBe(1);
    expect(rig.log.count('U')).toBe(0);
    expect(rig.log.count('I')).toBe(5);
    expect(new Set(rig.lld.seen.map((rq) => rq.context.split('/')[0]))).toEqual(new Set(['kworker']));
  });

  it('check 10: 16 sequential 4 KiB writes become one D of 64 KiB after 15 M', () => {
    const rig = new Rig();
    rig.task(plugged(Array.from({ length: 16 }, (_, i) => ({ op: OP_WRITE, sector: i * 8 }))));
    rig.finish();
    expect(rig.log.count('M')).toBe(15);
    expect(rig.log.count('G')).toBe(1);
    expect(rig.lld.seen).toHaveLength(1);
    expect(rig.lld.seen[0]).toMatchObject({ sector: 0, sectors: 128 });
    expect(rig.requests[0]).toMatchObject({ bios: 16, bytes: 65_536 });
    for (const bio of rig.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
  });

  it('keeps requests until the outermost of nested plugs is finished', () => {
    const rig = new Rig();
    rig.task([
      { plug: 'start' },
      { plug: 'start' },
      { submit: {} },
      { plug: 'finish' },
      { sleepNs: 20_000 },
      { plug: 'finish' },
    ]);
    rig.finish();
    expect(rig.lld.seen[0].atNs).toBeGreaterThan(20_000);
    expect(rig.requests[0].stages[ST_WAIT_PLUG]).toBeGreaterThanOrEqual(20_000);
  });

  it('is opened around a lone bio by default, and not when told so', () => {
    const lone = (plugPerBio: boolean): string => {
      const rig = new Rig({ plugPerBio });
      rig.task([{ submit: {} }]);
      return rig.finish().log.letters().join(' ');
    };
    expect(lone(true)).toBe('Q G P U D C');
    expect(lone(false)).toBe('Q G D C');
  });

  it('takes two bursts of CPU from Q to the driver', () => {
    const rig = new Rig();
    rig.lld.completes = false;
    rig.task([{ submit: {} }]);
    rig.run(1_000_000);
    // the wake-up, the first burst of the task, Q to G, G to the driver, and the task's exit
    expect(rig.engine.events).toBeLessThanOrEqual(5);
    expect(rig.lld.seen).toHaveLength(1);
  });
});

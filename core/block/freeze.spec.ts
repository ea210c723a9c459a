import { describe, expect, it } from 'vitest';
import { ST_WAIT_QUEUE } from '../trace/stages.ts';
import { Rig } from './testing.ts';
import { REQ_NOWAIT, STS_AGAIN } from './types.ts';

describe('freeze', () => {
  it('check 27: waits for what is inside, keeps new bios from their G, and admits them in order of arrival', () => {
    const rig = new Rig({ cpus: 4 });
    let frozenNs = 0;
    rig.task([{ submit: { sector: 0 } }]);
    rig.task(
      [
        { enter: (x) => rig.block.freeze(x) },
        { call: () => (frozenNs = rig.engine.now) },
        { sleepNs: 500_000 },
        { call: (x) => rig.block.unfreeze(x) },
      ],
      1,
      20_000,
    );
    rig.task([{ submit: { sector: 800 } }], 2, 40_000);
    rig.task([{ submit: { sector: 1600 } }], 2, 41_000);
    rig.task([{ submit: { sector: 2400 } }], 2, 42_000);
    rig.finish();
    expect(frozenNs).toBeGreaterThanOrEqual(rig.requests[0].completedNs);
    expect(rig.log.of('Q')).toHaveLength(4);
    expect(rig.log.of('Q')[3].atNs).toBeLessThan(frozenNs);
    expect(
      rig.log
        .of('G')
        .slice(1)
        .every((e) => e.atNs > frozenNs + 500_000),
    ).toBe(true);
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([0, 800, 1600, 2400]);
    expect(rig.requests[1].stages[ST_WAIT_QUEUE]).toBeGreaterThan(500_000);
    for (const rq of rig.requests) expect(rq.totalNs).toBe(rq.completedNs - rq.queuedNs);
  });

  it('fails NOWAIT bios with EAGAIN', () => {
    const rig = new Rig();
    rig.task([
      { enter: (x) => rig.block.freeze(x) },
      { submit: { flags: REQ_NOWAIT } },
      { call: (x) => rig.block.unfreeze(x) },
    ]);
    rig.finish();
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_AGAIN]);
  });

  it('nests: only the last unfreeze thaws', () => {
    const rig = new Rig();
    rig.task([
      { enter: (x) => rig.block.freeze(x) },
      { enter: (x) => rig.block.freeze(x) },
      { sleepNs: 10_000 },
      { call: (x) => rig.block.unfreeze(x) },
      { sleepNs: 100_000 },
      { call: (x) => rig.block.unfreeze(x) },
    ]);
    rig.task([{ submit: {} }], 1, 5_000);
    rig.finish();
    expect(rig.log.of('G')[0].atNs).toBeGreaterThan(110_000);
  });
});

describe('quiesce', () => {
  it('check 27: stops D but not G; unquiesce lets everything go', () => {
    const rig = new Rig();
    rig.task([
      { call: () => rig.block.quiesce() },
      { submit: { sector: 0 } },
      { plug: 'start' },
      { submit: { sector: 800 } },
      { submit: { sector: 1600 } },
      { plug: 'finish' },
      { sleepNs: 200_000 },
      { call: () => expect(rig.lld.seen).toHaveLength(0) },
      { call: (x) => rig.block.unquiesce(x) },
    ]);
    rig.finish();
    expect(rig.log.of('G').every((e) => e.atNs < 200_000)).toBe(true);
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([0, 800, 1600]);
  });

  it('waits for a call of queueRq under way', () => {
    const rig = new Rig();
    rig.lld.queueCostNs = 40_000;
    let quietNs = 0;
    rig.task([{ submit: {} }]);
    rig.task(
      [
        { enter: (x) => rig.block.quiesceAndWait(x) },
        { call: () => (quietNs = rig.engine.now) },
        { call: (x) => rig.block.unquiesce(x) },
      ],
      1,
      10_000,
    );
    rig.finish();
    expect(quietNs).toBeGreaterThanOrEqual(rig.lld.seen[0].atNs);
    expect(quietNs).toBeGreaterThan(40_000);
  });

  it('a stopped hardware queue inserts instead of issuing, until it is started', () => {
    const rig = new Rig();
    rig.block.stopHwQueue(0);
    rig.task([{ submit: {} }, { sleepNs: 100_000 }, { call: (x) => rig.block.startHwQueue(x, 0) }]);
    rig.finish();
    expect(rig.log.letters().join(' ')).toBe('Q G I D C');
    expect(rig.lld.seen[0].atNs).toBeGreaterThan(100_000);
  });
});

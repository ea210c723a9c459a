import { describe, expect, it } from 'vitest';
import { ST_WAIT_DISPATCH, ST_WAIT_REQUEUE, ST_WAIT_SCHED } from '../trace/stages.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { Rig, type Step } from './testing.ts';
import { REQ_PASSTHROUGH, STS_DEV_RESOURCE, STS_IOERR, STS_OK, STS_RESOURCE } from './types.ts';

/** Answers in this order, then OK. */
function answers(...list: number[]): () => number {
  return () => list.shift() ?? STS_OK;
}

function submits(...sectors: number[]): Step[] {
  return sectors.map((sector) => ({ submit: { sector } }));
}

describe('dispatch_busy', () => {
  it('check 21: rises 0, 2, 3, 4, … on busy answers and decays to 0', () => {
    const { queue } = new Rig().block;
    const [hctx] = queue.hctxs;
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      hctx.updateBusy(true);
      seen.push(hctx.dispatchBusy);
    }
    expect(seen).toEqual([2, 3, 4, 5]);
    const decay: number[] = [];
    for (let i = 0; i < 6; i++) {
      hctx.updateBusy(false);
      decay.push(hctx.dispatchBusy);
    }
    expect(decay).toEqual([4, 3, 2, 1, 0, 0]);
  });

  it('check 21: while it is above zero the scheduler is asked for one request at a time', () => {
    const asked: number[] = [];
    const scheduler = new MqDeadline();
    const rig = new Rig({ scheduler });
    const dispatch = scheduler.dispatch.bind(scheduler);
    let pulled = 0;
    scheduler.dispatch = () => {
      const rq = dispatch();
      if (rq >= 0) pulled++;
      return rq;
    };
    rig.lld.answer = () => {
      asked.push(pulled);
      pulled = 0;
      return STS_OK;
    };
    rig.task([
      { call: () => rig.block.quiesce() },
      ...submits(0, 800, 1600, 2400),
      {
        call: (x) => {
          rig.block.queue.hctxs[0].dispatchBusy = 16;
          rig.block.unquiesce(x);
        },
      },
    ]);
    rig.finish();
    expect(asked).toEqual([1, 1, 1, 1]);
  });

  it('check 21: with an idle driver the scheduler gives all it has in one go', () => {
    const asked: number[] = [];
    const scheduler = new MqDeadline();
    const rig = new Rig({ scheduler });
    const dispatch = scheduler.dispatch.bind(scheduler);
    let pulled = 0;
    scheduler.dispatch = () => {
      const rq = dispatch();
      if (rq >= 0) pulled++;
      return rq;
    };
    rig.lld.answer = () => {
      asked.push(pulled);
      pulled = 0;
      return STS_OK;
    };
    rig.task([
      { call: () => rig.block.quiesce() },
      ...submits(0, 800, 1600, 2400),
      { call: (x) => rig.block.unquiesce(x) },
    ]);
    rig.finish();
    expect(asked).toEqual([4, 0, 0, 0]);
  });
});

describe('a busy driver', () => {
  it('check 22: RESOURCE with nothing in flight is tried again after 3 ms', () => {
    const rig = new Rig();
    const atNs: number[] = [];
    // direct issue, the run that follows at once, and then the delayed one
    const script = answers(STS_RESOURCE, STS_RESOURCE);
    rig.lld.answer = () => {
      atNs.push(rig.engine.now);
      return script();
    };
    rig.task(submits(0));
    rig.finish();
    expect(atNs).toHaveLength(3);
    expect(atNs[1] - atNs[0]).toBeLessThan(10_000);
    expect(atNs[2] - atNs[1]).toBeGreaterThanOrEqual(3_000_000);
    expect(atNs[2] - atNs[1]).toBeLessThan(3_020_000);
    expect(rig.requests[0].stages[ST_WAIT_DISPATCH]).toBeGreaterThan(2_990_000);
    expect(rig.log.letters().join(' ')).toBe('Q G R R D C');
  });

  it('check 22: DEV_RESOURCE is tried again at the next completion', () => {
    const rig = new Rig();
    const atNs: number[] = [];
    const script = answers(STS_OK, STS_DEV_RESOURCE, STS_DEV_RESOURCE);
    rig.lld.answer = () => {
      atNs.push(rig.engine.now);
      return script();
    };
    rig.task(submits(0, 800));
    rig.finish();
    expect(atNs).toHaveLength(4);
    const firstDoneNs = rig.requests[0].completedNs;
    expect(atNs[3]).toBeGreaterThan(firstDoneNs);
    expect(atNs[3] - firstDoneNs).toBeLessThan(15_000); // kblockd's wake-up
  });

  it('check 29: the restart mark is set once and taken once, by the freed request', () => {
    const rig = new Rig();
    rig.lld.answer = answers(STS_OK, STS_DEV_RESOURCE, STS_DEV_RESOURCE);
    rig.task([...submits(0, 800), { sleepNs: 50_000 }, { call: () => expect(hctx.restart).toBe(true) }]);
    const [hctx] = rig.block.queue.hctxs;
    rig.finish();
    expect(rig.block.counters.restarts).toBe(2); // once by the first request, once by the one that ran from the dispatch list
    expect(hctx.restart).toBe(false);
  });

  it('check 29: a lack of driver tags marks the queue, and the next freed one restarts it', () => {
    const rig = new Rig({ scheduler: new MqDeadline(), queueDepth: 2 });
    rig.task(submits(0, 800, 1600, 2400, 3200));
    rig.finish();
    expect(rig.lld.mostInFlight).toBe(2);
    expect(rig.block.counters.restarts).toBeGreaterThan(0);
    expect(rig.requests).toHaveLength(5);
  });

  it('is told that no more follows when a batch ends early', () => {
    const rig = new Rig();
    rig.lld.answer = answers(STS_OK, STS_DEV_RESOURCE, STS_DEV_RESOURCE, STS_DEV_RESOURCE);
    rig.task([{ plug: 'start' }, ...submits(0, 800, 1600), { plug: 'finish' }]);
    rig.finish();
    expect(rig.lld.commits.length).toBeGreaterThan(0);
    expect(rig.requests).toHaveLength(3);
  });

  it('fails a request in queueRq, which ends with that status and never was at the device', () => {
    const rig = new Rig();
    rig.lld.answer = answers(STS_IOERR);
    rig.task(submits(0, 800));
    rig.finish();
    expect(rig.ended.map((bio) => bio.status).toSorted((a, b) => a - b)).toEqual([STS_OK, STS_IOERR]);
    expect(rig.lld.seen).toHaveLength(1);
  });
});

describe('requeue', () => {
  /** Four requests wait in the software queue; two that are at the device come back. */
  function giveTwoBack(dontprep: boolean): Rig {
    const rig = new Rig();
    rig.lld.latencyNs = () => 500_000;
    rig.lld.completes = false;
    rig.task([
      ...submits(0, 800),
      { call: () => rig.block.stopHwQueue(0) },
      ...submits(1600, 2400),
      {
        call: (x) => {
          rig.lld.completes = true;
          for (const { rq } of rig.lld.seen.slice()) {
            rig.block.requests.dontprep[rq] = dontprep ? 1 : 0;
            rig.lld.giveBack(x, rq, 0);
          }
        },
      },
      { sleepNs: 100_000 },
      { submit: { sector: 8 } }, // would merge with the request at 0
      { call: (x) => rig.block.startHwQueue(x, 0) },
    ]);
    return rig.finish();
  }

  it('check 23: puts requests before what waits, in their order', () => {
    const rig = giveTwoBack(false);
    expect(rig.lld.seen.slice(2).map((rq) => rq.sector)).toEqual([0, 800, 1600, 2400, 8]);
    expect(rig.requests.find((rq) => rq.sector === 0)).toMatchObject({ attempts: 2, bytes: 4096 });
  });

  it('check 23: a request with private state of the driver goes to the dispatch list and takes no bio', () => {
    const rig = giveTwoBack(true);
    expect(rig.lld.seen.slice(2).map((rq) => rq.sector)).toEqual([0, 800, 1600, 2400, 8]);
    expect(rig.block.counters.merges).toBe(0);
    expect(rig.log.count('I')).toBe(3);
  });

  it('waits as long as the driver asks, in wait.requeue', () => {
    const rig = new Rig();
    rig.lld.completes = false;
    rig.task([
      ...submits(0),
      {
        call: (x) => {
          rig.lld.completes = true;
          rig.lld.giveBack(x, rig.lld.seen[0].rq, 2_000_000);
        },
      },
    ]);
    rig.finish();
    expect(rig.lld.seen[1].atNs - rig.lld.seen[0].atNs).toBeGreaterThanOrEqual(2_000_000);
    expect(rig.requests[0].stages[ST_WAIT_REQUEUE]).toBeGreaterThanOrEqual(2_000_000);
    expect(rig.requests[0].totalNs).toBe(rig.requests[0].completedNs - rig.requests[0].queuedNs);
  });

  it('brings back the rest of a request that completed in part', () => {
    const rig = new Rig();
    rig.lld.completes = false;
    rig.task([
      { plug: 'start' },
      ...submits(0, 8, 16, 24),
      { plug: 'finish' },
      { sleepNs: 10_000 },
      {
        call: () => {
          rig.lld.completes = true;
          rig.lld.complete(rig.lld.seen[0].rq, 6144);
        },
      },
    ]);
    rig.finish();
    expect(rig.lld.seen.map((rq) => [rq.sector, rq.sectors])).toEqual([
      [0, 32],
      [12, 20],
    ]);
    expect(rig.lld.seen.map((rq) => rq.segments)).toEqual([4, 3]);
    expect(rig.ended).toHaveLength(4);
    expect(rig.ended[0].endedNs).toBeLessThan(rig.ended[1].endedNs);
    for (const bio of rig.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
  });
});

describe('the software queues', () => {
  it('check 30: get equal shares, one request each in turn, while the driver is busy', () => {
    const rig = new Rig({ cpus: 4, queueDepth: 64 });
    const [hctx] = rig.block.queue.hctxs;
    rig.lld.answer = () => {
      hctx.dispatchBusy = 16;
      return STS_OK;
    };
    rig.block.quiesce();
    for (let cpu = 0; cpu < 4; cpu++)
      rig.task(submits(...Array.from({ length: 8 }, (_, i) => cpu * 100_000 + i * 800)), cpu);
    rig.task(
      [
        {
          call: (x) => {
            hctx.dispatchBusy = 16;
            rig.block.unquiesce(x);
          },
        },
      ],
      0,
      1_000_000,
    );
    rig.finish();
    const ofCpu = rig.lld.seen.map((rq) => Math.floor(rq.sector / 100_000));
    expect(ofCpu).toHaveLength(32);
    for (let n = 1; n <= 32; n++) {
      const counts = [0, 1, 2, 3].map((cpu) => ofCpu.slice(0, n).filter((c) => c === cpu).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  it('go out together, in order of CPU, while the driver is not busy', () => {
    const rig = new Rig({ cpus: 2 });
    rig.block.quiesce();
    rig.task(submits(0, 800), 1);
    rig.task(submits(100_000, 100_800), 0);
    rig.task([{ call: (x) => rig.block.unquiesce(x) }], 0, 1_000_000);
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([100_000, 100_800, 0, 800]);
    expect(rig.requests[0].stages[ST_WAIT_SCHED]).toBeGreaterThan(900_000);
  });
});

describe('a BLOCKING driver', () => {
  it('sleeps in queueRq, in tasks only, while other submitters go on', () => {
    const rig = new Rig({ blocking: true, cpus: 2 });
    rig.lld.sleepNs = 50_000;
    rig.task(submits(0, 800), 0);
    rig.task(submits(1600, 2400), 1);
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([0, 1600, 800, 2400]);
    expect(rig.lld.seen[1].atNs - rig.lld.seen[0].atNs).toBeLessThan(50_000);
    expect(rig.machine.violations).toEqual([]);
    for (const rq of rig.requests) expect(rq.totalNs).toBe(rq.completedNs - rq.queuedNs);
  });

  it('is restarted from a completion by kblockd, never in the interrupt', () => {
    const rig = new Rig({ blocking: true });
    rig.lld.sleepNs = 5_000;
    rig.lld.answer = answers(STS_OK, STS_DEV_RESOURCE, STS_DEV_RESOURCE);
    rig.task(submits(0, 800));
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.context.split('/')[0])).toEqual(['submitter', 'kworker']);
  });
});

describe('a passthrough request', () => {
  it('goes to the dispatch list, past the scheduler, without merge and before what waits', () => {
    const rig = new Rig({ scheduler: new MqDeadline() });
    rig.task([
      { call: () => rig.block.quiesce() },
      ...submits(0),
      { submit: { sector: 8, flags: REQ_PASSTHROUGH } },
      { call: (x) => rig.block.unquiesce(x) },
    ]);
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([8, 0]);
    expect(rig.log.count('I')).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import { Waits } from '../engine/waits.ts';
import { ST_WAIT_TAG } from '../trace/stages.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { Tags } from './tags.ts';
import { Rig } from './testing.ts';
import { REQ_NOWAIT, STS_AGAIN, STS_OK } from './types.ts';

describe('a set of tags', () => {
  it('check 5: gives every tag once, and none beyond its depth', () => {
    const tags = new Tags(70, 'test');
    const got = Array.from({ length: 70 }, () => tags.get(70));
    expect(new Set(got).size).toBe(70);
    expect(Math.max(...got)).toBe(69);
    expect(tags.get(70)).toBe(-1);
    tags.put(33);
    expect(tags.get(70)).toBe(33);
  });

  it('refuses an allocation at its shallow depth while tags are free', () => {
    const tags = new Tags(8, 'test');
    for (let i = 0; i < 3; i++) expect(tags.get(3)).toBeGreaterThanOrEqual(0);
    expect(tags.get(3)).toBe(-1);
    expect(tags.get(8)).toBe(3);
  });

  it('throws when a tag is freed twice', () => {
    const tags = new Tags(4, 'hctx 0');
    tags.put(tags.get(4));
    expect(() => tags.put(0)).toThrow('tag 0 of hctx 0 freed twice');
  });

  it.each([
    [4, 1],
    [8, 1],
    [16, 2],
    [31, 3],
    [32, 4],
    [64, 8],
    [1024, 8],
  ])('check 6: depth %i has a wake batch of %i', (depth, batch) => {
    expect(new Tags(depth, 'test').wakeBatch).toBe(batch);
  });

  it('check 6: wakes nobody before a batch of tags is free, then a whole batch', () => {
    const tags = new Tags(32, 'test');
    for (let i = 0; i < 32; i++) tags.get(32);
    for (let x = 100; x < 110; x++) tags.join(x);
    expect([tags.put(0), tags.put(1), tags.put(2)]).toEqual([0, 0, 0]);
    expect(tags.put(3)).toBe(4);
    const woken: number[] = [];
    tags.wake(4, (x) => woken.push(x));
    expect(woken).toEqual([100, 108, 101, 109]); // two queues hold two sleepers each: eight queues, joined in turn
    expect(tags.waiters).toBe(6);
  });

  it('counts no frees while nobody waits', () => {
    const tags = new Tags(32, 'test');
    for (let i = 0; i < 32; i++) tags.get(32);
    for (let i = 0; i < 3; i++) tags.put(i);
    tags.join(7);
    expect([tags.put(3), tags.put(4), tags.put(5)]).toEqual([0, 0, 0]);
    expect(tags.put(6)).toBe(1);
  });
});

describe('tag exhaustion', () => {
  it('check 6: with depth N and more submitters exactly N requests are between G and C, the others wait', () => {
    const rig = new Rig({ queueDepth: 4, cpus: 2 });
    rig.lld.completes = false;
    for (let i = 0; i < 7; i++) rig.task([{ submit: { sector: i * 800 } }], i % 2);
    rig.run(1_000_000);
    expect(rig.log.count('G')).toBe(4);
    expect(rig.log.count('S')).toBe(3);
    expect(rig.block.counters.tagWaits).toBe(3);
    for (const { rq } of rig.lld.seen.slice()) rig.lld.completeAfter(rq, 1000);
    rig.lld.completes = true;
    rig.finish();
    expect(rig.ended).toHaveLength(7);
  });

  it('check 6: the wait is in wait.tag, to the nanosecond', () => {
    const rig = new Rig({ queueDepth: 1 });
    rig.task([{ submit: { sector: 0 } }]);
    rig.task([{ submit: { sector: 800 } }]);
    rig.finish();
    const [first, second] = rig.requests;
    expect(first.stages[ST_WAIT_TAG]).toBe(0);
    const sleptNs = rig.log.of('S')[0].atNs;
    expect(second.stages[ST_WAIT_TAG]).toBe(second.gotNs - sleptNs);
    expect(second.totalNs).toBe(second.completedNs - second.queuedNs);
  });

  it('check 7: NOWAIT ends with EAGAIN and without a G', () => {
    const rig = new Rig({ queueDepth: 2 });
    rig.task([{ submit: { sector: 0 } }, { submit: { sector: 800 } }, { submit: { sector: 1600, flags: REQ_NOWAIT } }]);
    rig.finish();
    expect(rig.log.count('G')).toBe(2);
    expect(rig.ended.map((bio) => bio.status).toSorted((a, b) => a - b)).toEqual([STS_OK, STS_OK, STS_AGAIN]);
  });

  it('lets the plug of a task go before the task sleeps for a tag', () => {
    const rig = new Rig({ queueDepth: 2 });
    rig.task([
      { plug: 'start' },
      { submit: { sector: 0 } },
      { submit: { sector: 800 } },
      { submit: { sector: 1600 } },
      { plug: 'finish' },
    ]);
    rig.finish();
    expect(rig.log.letters().join(' ')).toMatch(/^Q G P Q G Q S UT I I /);
    expect(rig.ended).toHaveLength(3);
  });

  it('names who waits for a tag, and who holds it', () => {
    const rig = new Rig({ queueDepth: 1 });
    rig.lld.completes = false;
    rig.task([{ submit: { sector: 0 } }]);
    rig.task([{ submit: { sector: 800 } }]);
    rig.run(1_000_000);
    const edges: string[] = [];
    rig.block.reportWaits(({ waiter, resource, holders }) => edges.push(`${waiter}: ${resource}: ${holders.join()}`));
    expect(edges[0]).toBe('submitter/1: the submission of its bio: bio 2');
    expect(edges[1]).toMatch(/^bio 2: tag of hctx 0: request \d+$/);
    expect(rig.block.checkEmpty().join('\n')).toContain('block: 1 tasks asleep for a tag of hctx 0');
  });

  it('leads a deadlock from the sleeping task to the request that the device never finished', () => {
    const rig = new Rig({ queueDepth: 1, nrRequests: 1, scheduler: new MqDeadline(), timeoutNs: 1_000_000_000 });
    rig.lld.completes = false; // and its timeout handler takes over for good
    rig.task([{ submit: { sector: 0 } }]);
    rig.task([{ submit: { sector: 800 } }]);
    rig.run();
    const waits = new Waits();
    waits.register(rig.block);
    expect(waits.chain()).toEqual([
      'submitter/1 waits for the submission of its bio, held by bio 2',
      expect.stringMatching(/^bio 2 waits for tag of the scheduler of hctx 0, held by request \d+$/),
      expect.stringMatching(/^request \d+ waits for its completion, held by the device$/),
    ]);
  });
});

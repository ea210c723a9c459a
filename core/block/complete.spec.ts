import { describe, expect, it } from 'vitest';
import { ST_COMPLETE_CPU, ST_COMPLETE_SOFTIRQ } from '../trace/stages.ts';
import { Rig, type RigOptions } from './testing.ts';
import { REQ_POLLED, STS_NOTSUPP } from './types.ts';

/** Where a request submitted on CPU 1 ends when its interrupt comes on CPU 0. */
function endOf(options: RigOptions): string {
  const rig = new Rig({ cpus: 4, ...options });
  rig.lld.irqCpu = 0;
  rig.task([{ submit: {} }], 1);
  return rig.finish().ended[0].context;
}

describe('completion', () => {
  it.each<[string, RigOptions, string]>([
    ['0 stays where the interrupt landed', { rqAffinity: 0 }, 'softirq/0'],
    ['1 stays within the cache group', { rqAffinity: 1 }, 'softirq/0'],
    ['1 goes to the submitting CPU of another group', { rqAffinity: 1, cacheOfCpu: [0, 1, 1, 1] }, 'softirq/1'],
    ['2 goes to the submitting CPU', { rqAffinity: 2 }, 'softirq/1'],
    ['0 completes inline with several hardware queues', { rqAffinity: 0, hwQueues: 4 }, 'hardirq/0'],
    ['2 goes to the submitting CPU with several hardware queues', { rqAffinity: 2, hwQueues: 4 }, 'softirq/1'],
  ])('check 28: rq_affinity %s', (_name, options, context) => {
    expect(endOf(options)).toBe(context);
  });

  it('check 28: is inline on the only CPU of a hardware queue', () => {
    const rig = new Rig({ cpus: 4, hwQueues: 4, rqAffinity: 2 });
    rig.lld.irqCpu = 1;
    rig.task([{ submit: {} }], 1);
    rig.finish();
    expect(rig.ended[0].context).toBe('hardirq/1');
    expect(rig.machine.ipis).toBe(0);
  });

  it('check 28: one IPI serves all requests that completed before it was handled', () => {
    const rig = new Rig({ cpus: 2, rqAffinity: 2 });
    rig.lld.completes = false;
    rig.task(
      [0, 800, 1600].map((sector) => ({ submit: { sector } })),
      1,
    );
    const irq = rig.engine.register('test.three', () => {
      for (const { rq } of rig.lld.seen) rig.lld.complete(rq);
    });
    rig.engine.after(
      200_000,
      rig.engine.register('test.raise', () => rig.machine.raiseHardirq(0, 0, irq, 0)),
      0,
    );
    rig.finish();
    expect(rig.machine.ipis).toBe(1);
    expect(rig.ended.map((bio) => bio.context)).toEqual(['softirq/1', 'softirq/1', 'softirq/1']);
  });

  it('check 28: a polled bio is refused', () => {
    const rig = new Rig();
    rig.task([{ submit: { flags: REQ_POLLED } }]);
    expect(rig.finish().ended.map((bio) => bio.status)).toEqual([STS_NOTSUPP]);
  });

  it('takes one burst per request in softirq; the time before is complete.softirq', () => {
    const rig = new Rig();
    rig.task([{ submit: {} }]);
    rig.finish();
    const { completeRequestNs, endIoNs, softirqEntryNs } = rig.machine.costs;
    const [{ stages }] = rig.requests;
    expect(stages[ST_COMPLETE_CPU]).toBe(completeRequestNs + endIoNs);
    expect(stages[ST_COMPLETE_SOFTIRQ]).toBeGreaterThanOrEqual(softirqEntryNs);
  });

  it('of several requests in one handler: the second waits in complete.softirq while the first is ended', () => {
    const rig = new Rig();
    rig.lld.completes = false;
    rig.task([0, 800].map((sector) => ({ submit: { sector } })));
    const irq = rig.engine.register('test.two', () => {
      for (const { rq } of rig.lld.seen) rig.lld.complete(rq);
    });
    rig.engine.after(
      200_000,
      rig.engine.register('test.raise', () => rig.machine.raiseHardirq(0, 0, irq, 0)),
      0,
    );
    rig.finish();
    const { completeIrqNs, completeRequestNs, endIoNs } = rig.machine.costs;
    const perRequestNs = completeIrqNs + completeRequestNs + endIoNs;
    const [first, second] = rig.requests;
    expect(second.completedNs - first.completedNs).toBe(perRequestNs);
    expect(second.stages[ST_COMPLETE_SOFTIRQ] - first.stages[ST_COMPLETE_SOFTIRQ]).toBe(perRequestNs);
  });
});

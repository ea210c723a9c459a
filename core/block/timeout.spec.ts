import { describe, expect, it } from 'vitest';
import { Rig } from './testing.ts';
import { STS_OK, STS_TIMEOUT } from './types.ts';

const SECOND_NS = 1_000_000_000;

describe('request timeouts', () => {
  it.each([2, 4, 10, 30])(
    'check 26: a timeout of %i s is noticed between the deadline and 1.1 s later',
    (timeoutSeconds) => {
      const rig = new Rig({ timeoutNs: timeoutSeconds * SECOND_NS });
      rig.lld.completes = false;
      rig.lld.onTimeout = (rq) => {
        rig.lld.completeAfter(rq, 1000);
        return true;
      };
      rig.task([{ submit: {} }]);
      rig.finish();
      const lateNs = rig.lld.timeouts[0].atNs - (rig.lld.seen[0].atNs + timeoutSeconds * SECOND_NS);
      expect(rig.lld.timeouts).toHaveLength(1);
      expect(lateNs).toBeGreaterThanOrEqual(0);
      expect(lateNs).toBeLessThanOrEqual(1.1 * SECOND_NS);
    },
  );

  it('check 26: RESET arms the timer again', () => {
    const rig = new Rig({ timeoutNs: 2 * SECOND_NS });
    rig.lld.completes = false;
    rig.lld.onTimeout = (rq) => {
      if (rig.lld.timeouts.length < 3) return false;
      rig.lld.completeAfter(rq, 1000);
      return true;
    };
    rig.task([{ submit: {} }]);
    rig.finish();
    const [first, second, third] = rig.lld.timeouts.map(({ atNs }) => atNs);
    expect(rig.lld.timeouts).toHaveLength(3);
    expect(second - first).toBeGreaterThanOrEqual(2 * SECOND_NS);
    expect(third - second).toBeLessThanOrEqual(3.2 * SECOND_NS);
  });

  it('check 26: a completion after the driver took over and ended the request is ignored', () => {
    const rig = new Rig({ timeoutNs: 2 * SECOND_NS });
    rig.lld.latencyNs = () => 10 * SECOND_NS; // the device answers much too late
    rig.lld.onTimeout = (rq) => {
      rig.block.completeRequest(rig.machine.current, rq, STS_TIMEOUT);
      return true;
    };
    rig.task([{ submit: {} }]);
    rig.finish();
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_TIMEOUT]);
    expect(rig.block.counters.lateCompletions).toBe(1);
  });

  it('is marked once per arming: a driver that took over is not asked again', () => {
    const rig = new Rig({ timeoutNs: 2 * SECOND_NS });
    rig.lld.latencyNs = () => 20 * SECOND_NS;
    rig.lld.onTimeout = () => true;
    rig.task([{ submit: {} }, { sleepNs: 5 * SECOND_NS }, { submit: { sector: 800 } }]);
    rig.finish();
    expect(new Set(rig.lld.timeouts.map(({ rq }) => rq)).size).toBe(rig.lld.timeouts.length);
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_OK, STS_OK]);
  });

  it('does not keep an idle queue running', () => {
    const rig = new Rig();
    rig.task([{ submit: {} }]);
    rig.finish();
    expect(rig.engine.now).toBeLessThan(SECOND_NS);
  });
});

import { describe, expect, it } from 'vitest';
import { OP_READ, STS_OK } from '../../block/types.ts';
import { ST_WAIT_POWER, STAGE_STRIDE } from '../../trace/stages.ts';
import { defaultUfsConfig, type UfsConfig } from './config.ts';
import { makeBench, readAt, type Bench } from './testing.ts';
import * as r from './registers.ts';
import { LINK_ACTIVE, LINK_HIBERN8 } from './ufshci-uic.ts';
import { CLKS_OFF, CLKS_ON, REQ_CLKS_OFF } from './ufshcd-power.ts';
import { autoHibern8Ns, encodeAhit } from './ufshci-auto-hibern8.ts';

const MS = 1_000_000;
const base = defaultUfsConfig('ufs-3.1');

function gating(generation: 'busy' | 'blocking', withClockGating = true): Partial<UfsConfig> {
  return {
    clockGating: { on: true, generation, gateAfterNs: 10 * MS, ungateNs: 200_000 },
    hibern8: { ...base.hibern8, withClockGating },
  };
}

const waitPower = (bench: Bench, rq: number): number => bench.block.requests.rows.ns[rq * STAGE_STRIDE + ST_WAIT_POWER];
const latency = (bench: Bench, rq: number, fromNs: number): number =>
  bench.block.completed.find((c) => c.rq === rq)!.atNs - fromNs;

describe('clock gating (inline-crypto.md 3.13)', () => {
  it('gates after the delay from the last release, hibern8 first, and a run ends in CLKS_OFF', () => {
    const bench = makeBench(gating('blocking'));
    readAt(bench, 0, 1);
    bench.run(9 * MS);
    expect(bench.ufs.lld.power.clocks).toBe(REQ_CLKS_OFF);
    bench.run();
    expect(bench.ufs.lld.power.clocks).toBe(CLKS_OFF);
    expect(bench.ufs.lld.hci.uic.linkState).toBe(LINK_HIBERN8);
    expect(bench.ufs.lld.hci.read(r.HCS) >>> 8).toBe(r.UPMCRS_LOCAL);
    expect(bench.ufs.statistics()).toMatchObject({ gates: 1, hibern8Enters: 1, ungates: 0 });
  });

  it('a command within the delay cancels the gating and pays nothing', () => {
    const bench = makeBench(gating('blocking'));
    readAt(bench, 0, 1);
    const second = readAt(bench, 8 * MS, 2);
    bench.run(17 * MS); // 10 ms after the first release
    expect(bench.ufs.lld.power.clocks).toBe(REQ_CLKS_OFF);
    expect(waitPower(bench, second)).toBe(0);
    bench.run();
    expect(bench.ufs.statistics().gates).toBe(1);
  });

  it('blocking generation: the dispatcher sleeps through ungating and hibern8 exit, all of it in wait.power', () => {
    const bench = makeBench(gating('blocking'));
    readAt(bench, 0, 1);
    const late = readAt(bench, 50 * MS, 2);
    bench.run(51 * MS);
    expect(bench.block.refused).toEqual([]);
    expect(bench.ufs.lld.hci.uic.linkState).toBe(LINK_ACTIVE);
    expect(waitPower(bench, late)).toBeGreaterThanOrEqual(200_000 + base.hibern8.exitNs);
    expect(waitPower(bench, late)).toBeLessThan(200_000 + base.hibern8.exitNs + 100_000); // and the CPU work around it
    expect(bench.block.requests.rows.total(late)).toBe(latency(bench, late, 50 * MS));
    expect(bench.machine.violations).toEqual([]);
  });

  it('without hibern8 only the clocks are waited for', () => {
    const bench = makeBench(gating('blocking', false));
    readAt(bench, 0, 1);
    const late = readAt(bench, 50 * MS, 2);
    bench.run(51 * MS);
    expect(waitPower(bench, late)).toBeGreaterThanOrEqual(200_000);
    expect(waitPower(bench, late)).toBeLessThan(base.hibern8.exitNs);
  });

  it('busy generation: host busy, host blocked, queues run when the clocks are on, the wait is wait.power', () => {
    const bench = makeBench(gating('busy'));
    readAt(bench, 0, 1);
    const late = readAt(bench, 50 * MS, 2);
    bench.run(50 * MS + 100_000);
    expect(bench.block.refused).toEqual([late]);
    expect(bench.block.started).not.toContain(late);
    expect(bench.ufs.lld.power.hostBlocked).toBe(true);
    bench.run(52 * MS); // sooner than the 3 ms rerun
    expect(bench.block.completed.map((c) => c.rq)).toContain(late);
    expect(waitPower(bench, late)).toBeGreaterThanOrEqual(200_000 + base.hibern8.exitNs);
    expect(bench.block.requests.rows.total(late)).toBe(latency(bench, late, 50 * MS));
  });

  it('a command that comes while the gate work enters hibern8 is served after an ungate', () => {
    const bench = makeBench(gating('blocking'));
    const first = readAt(bench, 0, 1);
    bench.run(5 * MS);
    const releasedNs = bench.block.completed.find((c) => c.rq === first)!.atNs;
    const late = readAt(bench, releasedNs + 10 * MS + 60_000, 2); // inside the 100 µs of hibern8 enter
    bench.run(releasedNs + 12 * MS);
    expect(bench.ufs.statistics()).toMatchObject({ gates: 1, ungates: 1 });
    expect(bench.block.completed.find((c) => c.rq === late)?.status).toBe(STS_OK);
    expect(bench.ufs.lld.power.clocks).toBe(REQ_CLKS_OFF);
  });

  it('several dispatchers wait for one ungate', () => {
    const bench = makeBench({ ...gating('blocking'), mcqQueues: 4 });
    bench.block.submitAt(0, OP_READ, 0, 4096, { tag: 0 });
    for (let q = 0; q < 4; q++) bench.block.submitAt(50 * MS, OP_READ, 8 * q, 4096, { hctx: q, tag: q });
    bench.run(52 * MS);
    expect(bench.block.completed).toHaveLength(5);
    expect(bench.ufs.statistics()).toMatchObject({ ungates: 1, powerWaits: 4 });
  });

  it('waiting dispatchers are reported for the wait-for chain', () => {
    const bench = makeBench(gating('blocking'));
    readAt(bench, 0, 1);
    readAt(bench, 50 * MS, 2);
    bench.run(50 * MS + 100_000);
    const waiters: string[] = [];
    bench.ufs.reportWaits((edge) => waiters.push(`${edge.waiter} waits for ${edge.resource}`));
    expect(waiters).toEqual(['dispatch/0 waits for clocks of the UFS host']);
  });
});

describe('auto-hibern8 (inline-crypto.md 3.1 AHIT, 3.13)', () => {
  it('AHIT counts in powers of ten of microseconds', () => {
    expect(autoHibern8Ns((3 << 10) | 150)).toBe(150 * MS); // the kernel's default
    expect(autoHibern8Ns((5 << 10) | 1023)).toBe(102_300 * MS); // the maximum
    expect(autoHibern8Ns(encodeAhit(5 * MS))).toBe(5 * MS);
    expect(autoHibern8Ns(0)).toBe(0);
  });

  it('a command after the idle time pays the exit, one before it pays nothing, and no event is spent on the timer', () => {
    const bench = makeBench({ autoHibern8Ns: 5 * MS });
    readAt(bench, 0, 1);
    const early = readAt(bench, 4 * MS, 2);
    const late = readAt(bench, 20 * MS, 3);
    bench.run();
    expect(waitPower(bench, early)).toBe(0);
    expect(waitPower(bench, late)).toBe(base.hibern8.exitNs);
    expect(bench.ufs.statistics().autoHibern8Enters).toBe(1);
    expect(bench.block.requests.rows.total(late)).toBe(latency(bench, late, 20 * MS));
  });

  it('a command that meets the link on its way into hibern8 waits for enter and exit', () => {
    const bench = makeBench({ autoHibern8Ns: 5 * MS });
    const first = readAt(bench, 0, 1);
    bench.run();
    const idleNs = bench.block.completed.find((c) => c.rq === first)!.atNs;
    const late = readAt(bench, idleNs + 5 * MS + 20_000, 2);
    bench.run();
    expect(waitPower(bench, late)).toBeGreaterThan(base.hibern8.exitNs);
    expect(waitPower(bench, late)).toBeLessThan(base.hibern8.exitNs + base.hibern8.enterNs);
  });
});

describe('runtime suspend', () => {
  const config: Partial<UfsConfig> = {
    ...gating('blocking'),
    runtimePm: { autosuspendNs: 100 * MS, resumeNs: 10 * MS },
  };

  it('puts device and link to sleep after the autosuspend delay, and a command pays the resume', () => {
    const bench = makeBench(config);
    readAt(bench, 0, 1);
    bench.run(200 * MS);
    expect(bench.ufs.statistics()).toMatchObject({ runtimeSuspends: 1, runtimeResumes: 0 });
    expect(bench.ufs.lld.hci.device.asleep).toBe(true);
    const late = readAt(bench, 300 * MS, 2);
    bench.run(330 * MS);
    expect(bench.block.completed.find((c) => c.rq === late)?.status).toBe(STS_OK);
    expect(waitPower(bench, late)).toBeGreaterThanOrEqual(10 * MS + base.hibern8.exitNs);
    expect(bench.ufs.statistics()).toMatchObject({ runtimeResumes: 1 });
    expect(bench.ufs.lld.hci.device.asleep).toBe(false);
  });

  it('does not suspend while commands come more often than the delay', () => {
    const bench = makeBench(config);
    for (let i = 0; i < 6; i++) readAt(bench, i * 80 * MS, i);
    bench.run(450 * MS);
    expect(bench.ufs.statistics().runtimeSuspends).toBe(0);
  });

  it('with gating off the clocks stay on until then', () => {
    const bench = makeBench({ ...config, clockGating: { ...base.clockGating, on: false } });
    readAt(bench, 0, 1);
    bench.run(90 * MS);
    expect(bench.ufs.lld.power.clocks).toBe(CLKS_ON);
    bench.run();
    expect(bench.ufs.lld.power.clocks).toBe(CLKS_OFF);
  });
});

/** Submission and completion from end to end: workload, block layer, null device (blk-mq-and-formats.md 1.18, 2.5.3). */
import { describe, expect, it } from 'vitest';
import { REQ_FUA, STS_IOERR, STS_OK } from '../block/types.ts';
import { DDIR_SYNC, DDIR_TRIM, DDIR_WRITE } from './io.ts';
import { Bench, deepest, type DoneIo } from './testing.ts';

const DEVICE = { latency: { kind: 'fixed', latencyNs: 50_000 } } as const;
const SLOW_SERVERS = { ...DEVICE, parallelism: 4 };

function run(text: string, device: ConstructorParameters<typeof Bench>[1] = DEVICE): Bench {
  const bench = new Bench(text, device).run();
  expect(bench.problems()).toEqual([]);
  return bench;
}

/** Sizes of the groups of I/Os that were submitted without waiting in between. */
function instants(ios: readonly DoneIo[], at: 'completeNs'): number[] {
  const groups = new Map<number, number>();
  for (const io of ios) groups.set(io[at], (groups.get(io[at]) ?? 0) + 1);
  return [...groups].sort(([a], [b]) => a - b).map(([, n]) => n);
}

describe('synchronous engines', () => {
  it.each(['sync', 'psync', 'pvsync2'])('%s has one I/O at a time, whatever iodepth says', (engine) => {
    const { done } = run(`rw=randread size=256k ioengine=${engine} iodepth=8`);
    expect(done.length).toBe(64);
    expect(deepest(done)).toBe(1);
  });

  it('sleep while the device works: the CPU is idle most of the time', () => {
    const bench = run('rw=randread size=1m ioengine=psync', { latency: { kind: 'fixed', latencyNs: 1e6 } });
    expect(bench.machine.busyUntilNow(0) / bench.finishedAtNs).toBeLessThan(0.05);
    expect(bench.machine.contextSwitches).toBeGreaterThanOrEqual(256);
  });
});

describe('asynchronous engines', () => {
  it.each(['libaio', 'io_uring'])('%s keeps iodepth I/Os in flight and never more', (engine) => {
    const { done } = run(`rw=randread size=4m ioengine=${engine} iodepth=16`, SLOW_SERVERS);
    expect(done.length).toBe(1024);
    expect(deepest(done)).toBe(16);
  });

  it('reap one event at a time, all that is left at the end', () => {
    const { done } = run('rw=randread size=1m ioengine=libaio iodepth=16', { ...DEVICE, parallelism: 1 });
    const groups = instants(done, 'completeNs');
    expect(groups.at(-1)).toBe(15);
    expect(new Set(groups.slice(0, -1))).toEqual(new Set([1]));
  });

  it('wait for iodepth_batch_complete_min events', () => {
    const { done } = run(
      'rw=randread size=1m ioengine=libaio iodepth=16 iodepth_batch=4 iodepth_batch_complete_min=4',
      SLOW_SERVERS,
    );
    for (const n of instants(done, 'completeNs').slice(0, -1)) expect(n).toBe(4);
  });

  it('take up to iodepth_batch_complete_max events where more are there', () => {
    const { done } = run(
      'rw=randread size=1m ioengine=libaio iodepth=16 iodepth_batch=16 iodepth_batch_complete_max=8',
      DEVICE,
    );
    const groups = instants(done, 'completeNs').slice(0, -1);
    expect(Math.max(...groups)).toBeGreaterThan(1);
    expect(Math.max(...groups)).toBeLessThanOrEqual(8);
  });

  it('with iodepth_batch_complete_min=0 wait for an event after every submission, as fio does', () => {
    const { done } = run('rw=randread size=256k ioengine=libaio iodepth=16 iodepth_batch_complete_min=0');
    expect(deepest(done)).toBe(1);
  });

  it('let the depth fall to iodepth_low before they refill', () => {
    const { done } = run('rw=randread size=1m ioengine=libaio iodepth=16 iodepth_low=4', { ...DEVICE, parallelism: 1 });
    const edges = done.flatMap((io) => [
      { atNs: io.submitNs, step: 1 },
      { atNs: io.completeNs, step: -1 },
    ]);
    edges.sort((a, b) => a.atNs - b.atNs || a.step - b.step);
    let depth = 0;
    const turns = edges.flatMap(({ step }, i) => {
      depth += step;
      return i > 0 && step > 0 && edges[i - 1].step < 0 ? [depth - 1] : [];
    });
    expect(turns.length).toBeGreaterThan(5);
    expect(new Set(turns)).toEqual(new Set([4]));
  });

  it('submit iodepth_batch I/Os with one system call: the same I/Os cost less CPU', () => {
    const busyNs = (options: string): number =>
      run(`rw=randread size=4m ioengine=libaio iodepth=32 ${options}`).machine.busyUntilNow(0);
    expect(busyNs('iodepth_batch=16 iodepth_batch_complete_min=16')).toBeLessThan(0.9 * busyNs(''));
  });

  it('plug a batch: neighbours in it merge', () => {
    const merged = run('rw=write size=1m ioengine=libaio iodepth=32 iodepth_batch=32 iodepth_batch_complete_min=32')
      .block.counters;
    expect(merged.merges + merged.requestMerges).toBeGreaterThan(100);
    const single = run('rw=write size=1m ioengine=libaio iodepth=32').block.counters;
    expect(single.merges + single.requestMerges).toBe(0);
  });
});

describe('syncs', () => {
  it('wait for everything queued to be submitted, and are over before the next I/O', () => {
    const ios = run('rw=write size=128k ioengine=libaio iodepth=8 iodepth_batch=8 fsync=4').of(0);
    const order = ios.map(({ ddir }) => (ddir === DDIR_SYNC ? 'S' : 'W')).join('');
    expect(order).toBe('WWWWS'.repeat(7) + 'WWWW');
    ios.forEach((io, i) => {
      if (io.ddir === DDIR_SYNC && i + 1 < ios.length)
        expect(ios[i + 1].submitNs).toBeGreaterThanOrEqual(io.completeNs);
    });
  });

  it('are flushes', () => {
    const { block } = run('rw=write size=64k fsync=4 end_fsync=1');
    expect(block.counters.flushes).toBe(4);
  });

  it('end_fsync comes last, when everything is back', () => {
    const ios = run('rw=randwrite size=64k ioengine=libaio iodepth=16 end_fsync=1').of(0);
    const last = ios[ios.length - 1];
    expect(last.ddir).toBe(DDIR_SYNC);
    for (const io of ios.slice(0, -1)) expect(io.completeNs).toBeLessThanOrEqual(last.submitNs);
  });

  it('O_SYNC and O_DSYNC writes carry FUA, reads and plain writes do not', () => {
    const flagsOf = (options: string): Set<number> => {
      const bench = new Bench(`rw=rw size=64k ${options}`, DEVICE);
      const seen = new Set<number>();
      const { block } = bench;
      block.onRequestDone = (rq) => {
        seen.add(block.requests.flags[rq] & REQ_FUA ? block.requests.op[rq] : -1);
      };
      expect(bench.run().problems()).toEqual([]);
      return seen;
    };
    expect(flagsOf('')).toEqual(new Set([-1]));
    expect(flagsOf('sync=1')).toEqual(new Set([-1, DDIR_WRITE]));
    expect(flagsOf('sync=dsync')).toEqual(new Set([-1, DDIR_WRITE]));
  });
});

describe('trims', () => {
  it('are synchronous, each before the write to the same block', () => {
    const ios = run('rw=trimwrite size=64k ioengine=libaio iodepth=8').of(0);
    expect(ios.length).toBe(32);
    for (let i = 0; i < ios.length; i += 2) {
      expect([ios[i].ddir, ios[i + 1].ddir]).toEqual([DDIR_TRIM, DDIR_WRITE]);
      expect(ios[i + 1].offsetBytes).toBe(ios[i].offsetBytes);
      expect(ios[i + 1].submitNs).toBeGreaterThanOrEqual(ios[i].completeNs);
    }
  });
});

describe('large I/Os', () => {
  it('become several bios of 256 segments and are complete when the last has ended', () => {
    const bench = run('rw=read bs=40m size=80m');
    expect(bench.done.length).toBe(2);
    expect(bench.block.counters.bios).toBeGreaterThanOrEqual(6);
    expect(bench.block.counters.bytesCompleted).toBe(80 << 20);
  });
});

describe('passes', () => {
  it('do not overlap: everything is back before the next begins', () => {
    const ios = run('rw=randread size=64k loops=3 ioengine=libaio iodepth=8', SLOW_SERVERS).of(0);
    for (const start of [16, 32]) {
      const before = Math.max(...ios.slice(0, start).map(({ completeNs }) => completeNs));
      expect(ios[start].submitNs).toBeGreaterThanOrEqual(before);
    }
  });
});

describe('the end of a job', () => {
  it('comes with the runtime, what is in flight drains', () => {
    const bench = run('rw=randread size=64m runtime=10ms ioengine=libaio iodepth=8');
    expect(bench.finishedAtNs).toBeGreaterThanOrEqual(10e6);
    expect(bench.finishedAtNs).toBeLessThan(10.2e6);
    expect(Math.max(...bench.done.map(({ submitNs }) => submitNs))).toBeLessThan(10.01e6);
  });

  it('comes later by ramp_time, from which on I/Os count', () => {
    const bench = run('rw=randread size=64m time_based=1 runtime=10ms ramp_time=5ms');
    expect(bench.finishedAtNs).toBeGreaterThanOrEqual(15e6);
    expect(bench.finishedAtNs).toBeLessThan(15.2e6);
    expect(bench.workload.clones[0].countFromNs).toBe(5e6);
  });

  it('comes with a stop from outside, also for jobs that think, wait or have not begun', () => {
    const bench = new Bench(
      '[a] rw=randread size=64m ioengine=libaio iodepth=8 [b] rw=read size=1m thinktime=10s [c] rw=read size=1m rate=4k [d] rw=read size=1m startdelay=100 [e] stonewall=1 rw=read size=4k',
      DEVICE,
    ).run(1_000_000);
    expect(bench.problems()).toEqual([]);
    expect(bench.finishedAtNs).toBeGreaterThanOrEqual(1_000_000);
    expect(bench.finishedAtNs).toBeLessThan(1_200_000);
    expect(bench.of(3)).toEqual([]);
    expect(bench.of(4)).toEqual([]);
  });

  it('comes with the first failed I/O, and says why', () => {
    const bench = run('rw=read bs=1000 size=100000 ioengine=libaio iodepth=4');
    expect(bench.done.length).toBeLessThan(10);
    expect(bench.done.some(({ status }) => status === STS_IOERR)).toBe(true);
    expect(bench.workload.errors()).toEqual([expect.stringMatching(/^j\.0 ended early: I\/O \d+ failed: EIO$/)]);
  });

  it('comes with an I/O above max_latency, and says why', () => {
    const bench = run('rw=read size=1m max_latency=20us');
    expect(bench.done.length).toBe(1);
    expect(bench.done[0].status).toBe(STS_OK);
    expect(bench.workload.errors()[0]).toMatch(/^j\.0 ended early: I\/O 1 took \d+ ns, above max_latency$/);
  });

  it('is told how far away it is', () => {
    const bench = new Bench('rw=read size=400k', DEVICE);
    bench.workload.start();
    expect(bench.workload.fraction()).toBe(0);
    while (bench.done.length < 50) bench.engine.runSlice(10);
    expect(bench.workload.fraction()).toBeCloseTo(0.5, 1);
    bench.engine.runSlice(1e6);
    expect(bench.workload.fraction()).toBe(1);
  });
});

describe('a deadlock', () => {
  it('names the task and what it waits for', () => {
    const bench = new Bench('rw=read size=64k', { latency: { kind: 'fixed', latencyNs: 1e15 } });
    bench.workload.start();
    bench.engine.runSlice(1000, 1e9);
    const edges: string[] = [];
    bench.workload.reportWaits(({ waiter, resource }) => edges.push(`${waiter}: ${resource}`));
    expect(edges).toEqual(['j.0: completion of its read']);
    expect(bench.workload.checkEmpty()).toEqual(['1 I/Os were never reaped']);
  });
});

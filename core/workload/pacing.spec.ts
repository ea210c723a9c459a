/** Rates and think time (blk-mq-and-formats.md 2.5.3 "rate", "rate_process", "thinktime"; totals as fio 3.33 shows them on the null engine). */
import { describe, expect, it } from 'vitest';
import { DDIR_READ, DDIR_WRITE } from './io.ts';
import { Bench, type DoneIo } from './testing.ts';

const MS = 1e6;
const FAST = { latency: { kind: 'fixed', latencyNs: 10_000 } } as const;
/** What an I/O may lag behind its schedule here: one I/O of the fast device and its CPU time. */
const SLACK_NS = 60_000;

function run(text: string): Bench {
  const bench = new Bench(text, FAST).run();
  expect(bench.problems()).toEqual([]);
  return bench;
}

const bytesOf = (ios: readonly DoneIo[]): number => ios.reduce((sum, io) => sum + io.sizeBytes, 0);

describe('rate', () => {
  it('issues each I/O when the bytes before it are due', () => {
    const ios = run('rw=randread size=4m rate=4m').of(0);
    let bytes = 0;
    for (const io of ios) {
      const dueNs = (bytes / (4 << 20)) * 1e9;
      expect(io.submitNs).toBeGreaterThanOrEqual(Math.floor(dueNs));
      expect(io.submitNs).toBeLessThan(dueNs + SLACK_NS);
      bytes += io.sizeBytes;
    }
    expect(ios.length).toBe(1024);
  });

  it('rate_iops counts in smallest blocks, whatever the sizes', () => {
    const ios = run('rw=randread bssplit=4k/50:64k/50 size=64m runtime=1 rate_iops=1000').of(0);
    expect(bytesOf(ios) / 4096 / 1000).toBeCloseTo(1, 1);
  });

  it('holds for each direction by itself, the other one of a mix takes over', () => {
    const ios = run('rw=randrw rwmixread=90 size=64m runtime=1 rate=400k,400k').of(0);
    for (const ddir of [DDIR_READ, DDIR_WRITE]) {
      expect(ios.filter((io) => io.ddir === ddir).length).toBeGreaterThanOrEqual(99);
      expect(ios.filter((io) => io.ddir === ddir).length).toBeLessThanOrEqual(101);
    }
  });

  it('does not outlast the runtime', () => {
    const bench = run('rw=read size=1m rate=4k runtime=100ms');
    expect(bench.done.length).toBe(1);
    expect(bench.finishedAtNs).toBeLessThan(101 * MS);
  });

  it('drains the queue while it waits', () => {
    const ios = run('rw=randread size=256k ioengine=libaio iodepth=16 rate_iops=1000').of(0);
    for (let i = 1; i < ios.length; i++) expect(ios[i].submitNs).toBeGreaterThanOrEqual(ios[i - 1].completeNs);
  });

  it('has gaps with mean 1/rate and an exponential spread as a Poisson process', () => {
    const ios = run('rw=randread size=40m rate_iops=1000 rate_process=poisson').of(0);
    const gaps = ios.slice(1).map((io, i) => io.submitNs - ios[i].submitNs);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(Math.abs(mean / MS - 1)).toBeLessThan(4 / Math.sqrt(gaps.length));
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  });
});

describe('think time', () => {
  it('stalls after every I/O, the last one too', () => {
    const bench = run('rw=read size=40k thinktime=10ms');
    expect(bench.finishedAtNs).toBeGreaterThanOrEqual(100 * MS);
    expect(bench.finishedAtNs).toBeLessThan(101 * MS);
  });

  it('stalls after every thinktime_blocks I/Os', () => {
    const ios = run('rw=read size=40k thinktime=10ms thinktime_blocks=5').of(0);
    const stalls = ios.slice(1).map((io, i) => io.submitNs - ios[i].completeNs > 9 * MS);
    expect(stalls.flatMap((stall, i) => (stall ? [i + 1] : []))).toEqual([5]);
  });

  it('drains the queue first', () => {
    const ios = run('rw=randread size=256k ioengine=libaio iodepth=8 thinktime=1ms thinktime_blocks=16').of(0);
    ios.slice(1).forEach((io, i) => {
      if (io.submitNs - ios[i].submitNs < 0.9 * MS) return;
      expect(Math.max(...ios.slice(0, i + 1).map(({ completeNs }) => completeNs))).toBeLessThanOrEqual(
        io.submitNs - MS,
      );
    });
  });

  it('counts issued I/Os with thinktime_blocks_type=issue', () => {
    const ios = run(
      'rw=randread size=64k ioengine=libaio iodepth=16 thinktime=1ms thinktime_blocks=4 thinktime_blocks_type=issue',
    ).of(0);
    expect(ios.map(({ submitNs }) => Math.floor(submitNs / MS))).toEqual(
      [0, 1, 2, 3].flatMap((ms) => [ms, ms, ms, ms]),
    );
  });

  it('burns CPU for thinktime_spin of it', () => {
    const busyNs = (text: string): number => run(text).machine.busyUntilNow(0);
    const idle = busyNs('rw=read size=40k thinktime=1ms');
    const spinning = busyNs('rw=read size=40k thinktime=1ms thinktime_spin=400us');
    expect(spinning - idle).toBeGreaterThan(3.9 * MS);
    expect(spinning - idle).toBeLessThan(4.1 * MS);
  });

  it('stalls after thinktime_iotime of activity', () => {
    const ios = run('rw=read size=16m thinktime=1s thinktime_iotime=1s runtime=5s time_based=1 rate_iops=100').of(0);
    const seconds = new Set(ios.map(({ submitNs }) => Math.floor(submitNs / 1e9)));
    expect([...seconds]).toEqual([0, 2, 4]);
  });

  it('is caught up by a rate, unless rate_ignore_thinktime says no', () => {
    const text = 'rw=read size=1m rate_iops=10 thinktime=450ms thinktime_blocks=3 runtime=6s';
    const caughtUp = run(text).done.length;
    const ignored = run(`${text} rate_ignore_thinktime=1`).done.length;
    // fio 3.33: 39 and 30 I/Os
    expect(Math.abs(caughtUp - 39)).toBeLessThanOrEqual(2);
    expect(Math.abs(ignored - 30)).toBeLessThanOrEqual(2);
  });
});

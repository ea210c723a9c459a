/** The depth search of latency_target (fio 3.33 HOWTO; blk-mq-and-formats.md 2.5.3). */
import { describe, expect, it } from 'vitest';
import { Bench, deepest } from './testing.ts';

/** With four servers of 50 µs, depth d takes about d / 4 × 50 µs. */
const DEVICE = { latency: { kind: 'fixed', latencyNs: 50_000 }, parallelism: 4 } as const;
const JOB = 'rw=randread size=1g ioengine=libaio iodepth=64 latency_window=2ms time_based=1 runtime=1s';

function run(options: string): Bench {
  const bench = new Bench(`${JOB} ${options}`, DEVICE).run();
  expect(bench.problems()).toEqual([]);
  return bench;
}

/** Depth in the window that counts. */
function settledDepth(bench: Bench): number {
  const [{ countFromNs }] = bench.workload.clones;
  expect(countFromNs).toBeGreaterThan(0);
  return deepest(bench.done.filter(({ submitNs }) => submitNs > countFromNs));
}

describe('latency target', () => {
  it.each([
    [70, 4, 5],
    [130, 8, 9],
    [260, 17, 19],
  ])('of %i us is met by a depth from %i to %i', (targetUs, least, most) => {
    const bench = run(`latency_target=${targetUs} latency_percentile=90`);
    expect(bench.workload.errors()).toEqual([]);
    expect(bench.finishedAtNs).toBeLessThan(100e6);
    expect(settledDepth(bench)).toBeGreaterThanOrEqual(least);
    expect(settledDepth(bench)).toBeLessThanOrEqual(most);
  });

  it('that no depth misses ends at iodepth', () => {
    expect(settledDepth(run('latency_target=10ms latency_percentile=90'))).toBe(64);
  });

  it('that even depth 1 misses ends the job with an error', () => {
    const bench = run('latency_target=20us latency_percentile=90');
    expect(bench.workload.errors()).toEqual(['j.0 ended early: latency_target is not met with one I/O at a time']);
    expect(bench.finishedAtNs).toBeLessThan(3e6);
  });

  it('at percentile 100 falls with the first late I/O', () => {
    const bench = run('latency_target=20us latency_percentile=100');
    expect(bench.done.length).toBe(1);
  });

  it('runs on to the end of the runtime with latency_run', () => {
    const bench = run('latency_target=130us latency_percentile=90 latency_run=1');
    expect(bench.finishedAtNs).toBeGreaterThanOrEqual(1e9);
    expect(deepest(bench.done.filter(({ submitNs }) => submitNs > 0.9e9))).toBeLessThanOrEqual(10);
  });
});

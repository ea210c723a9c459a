/** Check 20 of the blk-mq sheet (section 5), the part about latencies: histograms, percentiles, depth adjustment, patience. */
import { describe, expect, it } from 'vitest';
import {
  adjustedDepth,
  KyberLatency,
  LATENCY_IO,
  LATENCY_TOTAL,
  latencyBucket,
  percentileBucket,
} from './kyber-latency.ts';

const READ = 0;
const WRITE = 1;
const TARGETS_NS = [2_000_000, 10_000_000, 5_000_000_000];
const SECOND = 1_000_000_000;

/** The depths a timer run sets, by domain, from 256/128/64. */
function evaluate(latency: KyberLatency, nowNs: number): Map<number, number> {
  const depths = new Map<number, number>();
  latency.evaluate(
    nowNs,
    (domain) => [256, 128, 64][domain],
    (domain, depth) => depths.set(domain, depth),
  );
  return depths;
}

describe('buckets', () => {
  it('are a quarter of the target wide, the first four good, the last open', () => {
    const bucket = (ns: number): number => latencyBucket(ns, 2_000_000);
    expect([0, 1, 500_000, 500_001, 2_000_000, 2_000_001, 3_500_000, 3_500_001, 1e12].map(bucket)).toEqual([
      0, 0, 0, 1, 3, 4, 6, 7, 7,
    ]);
  });

  it('give the percentile by rank, rounded up', () => {
    const buckets = Uint32Array.from([90, 9, 1, 0, 0, 0, 0, 0]);
    expect(percentileBucket(buckets, 0, 100, 90)).toBe(0);
    expect(percentileBucket(buckets, 0, 100, 91)).toBe(1);
    expect(percentileBucket(buckets, 0, 100, 99)).toBe(1);
    expect(percentileBucket(buckets, 0, 100, 100)).toBe(2);
  });
});

describe('check 20: the depth adjustment', () => {
  it('scales the depth by (p99 bucket + 1) / 4', () => {
    expect([0, 1, 2, 3, 4, 7].map((p99) => adjustedDepth(128, p99))).toEqual([32, 64, 96, 128, 160, 256]);
  });

  it('shrinks good domains and grows bad ones when the I/O p90 of any domain is bad', () => {
    const latency = new KyberLatency(TARGETS_NS, 2);
    latency.addSamples(READ, LATENCY_IO, 5, 500); // congestion
    latency.addSamples(READ, LATENCY_TOTAL, 7, 500);
    latency.addSamples(WRITE, LATENCY_IO, 0, 500);
    latency.addSamples(WRITE, LATENCY_TOTAL, 1, 500);
    expect([...evaluate(latency, 0)]).toEqual([
      [READ, 512],
      [WRITE, 64],
    ]);
  });

  it('leaves good domains alone without congestion, and grows one whose total latency is bad', () => {
    const latency = new KyberLatency(TARGETS_NS, 2);
    latency.addSamples(READ, LATENCY_IO, 0, 500);
    latency.addSamples(READ, LATENCY_TOTAL, 5, 500);
    latency.addSamples(WRITE, LATENCY_IO, 0, 500);
    latency.addSamples(WRITE, LATENCY_TOTAL, 1, 500);
    expect([...evaluate(latency, 0)]).toEqual([[READ, 384]]);
  });

  it('remembers the p99 of a quiet window for one congestion, then forgets it', () => {
    const latency = new KyberLatency(TARGETS_NS, 1);
    latency.addSamples(WRITE, LATENCY_IO, 0, 500);
    latency.addSamples(WRITE, LATENCY_TOTAL, 0, 500);
    expect([...evaluate(latency, 0)]).toEqual([]);
    const congestReads = (): void => {
      latency.addSamples(READ, LATENCY_IO, 6, 500);
    };
    congestReads();
    expect([...evaluate(latency, 100_000_000)]).toEqual([[WRITE, 32]]);
    congestReads();
    expect([...evaluate(latency, 200_000_000)]).toEqual([]);
  });

  it('makes no adjustment before 500 samples or one second', () => {
    const latency = new KyberLatency(TARGETS_NS, 1);
    latency.addSamples(READ, LATENCY_IO, 7, 499);
    latency.addSamples(WRITE, LATENCY_TOTAL, 7, 1);
    expect([...evaluate(latency, SECOND)]).toEqual([]);
    expect([...evaluate(latency, 2 * SECOND - 1)]).toEqual([]);
    expect([...evaluate(latency, 2 * SECOND)]).toEqual([[WRITE, 256]]);
  });

  it('computes at 500 samples without waiting', () => {
    const latency = new KyberLatency(TARGETS_NS, 1);
    latency.addSamples(READ, LATENCY_TOTAL, 7, 500);
    expect([...evaluate(latency, 5)]).toEqual([[READ, 512]]);
  });

  it('uses the deadline of few samples up on the I/O percentile, as the kernel does', () => {
    const latency = new KyberLatency(TARGETS_NS, 1);
    latency.addSamples(READ, LATENCY_IO, 7, 10);
    latency.addSamples(READ, LATENCY_TOTAL, 7, 10);
    expect([...evaluate(latency, 0)]).toEqual([]);
    expect([...evaluate(latency, SECOND)]).toEqual([]); // congested, but the total percentile has begun a new second
    expect([...evaluate(latency, 2 * SECOND)]).toEqual([[READ, 512]]);
  });

  it('gathers the histograms of all CPUs', () => {
    const latency = new KyberLatency(TARGETS_NS, 3);
    for (let i = 0; i < 500; i++) latency.addSample(i % 3, READ, 5_000_000, 1_000);
    expect([...evaluate(latency, 0)]).toEqual([[READ, 512]]);
    expect([...evaluate(latency, 5 * SECOND)]).toEqual([]); // and cleared them
  });
});

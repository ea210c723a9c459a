import { describe, expect, it } from 'vitest';
import {
  OP_DISCARD,
  OP_FLUSH,
  OP_READ,
  OP_WRITE,
  OP_WRITE_ZEROES,
  REQ_FUA,
  STS_MEDIUM,
  STS_NOTSUPP,
  STS_OK,
} from '../../block/types.ts';
import { STAGE_IDS, STAGE_STRIDE } from '../../trace/stages.ts';
import { makeBench, readAt, type Bench } from './testing.ts';

/** Non-zero stages of a request, by name. */
function stagesOf(bench: Bench, rq: number): Record<string, number> {
  const { ns } = bench.block.requests.rows;
  return Object.fromEntries(
    STAGE_IDS.map((id, s) => [id, ns[rq * STAGE_STRIDE + s]] as const).filter(([, value]) => value !== 0),
  );
}

describe('a request through driver, controller, link, device and back', () => {
  it('reads 4 KiB, and every nanosecond from submission to completion is in a stage', () => {
    const bench = makeBench();
    const rq = readAt(bench, 1_000, 5);
    bench.run();
    expect(bench.media.calls).toEqual(['read 5+1']);
    expect(bench.block.completed).toHaveLength(1);
    expect(bench.block.completed[0].status).toBe(STS_OK);
    const stages = stagesOf(bench, rq);
    expect(Object.values(stages).reduce((a, b) => a + b, 0)).toBe(bench.block.completed[0].atNs - 1_000);
    expect(stages).toMatchObject({ media: 50_000, 'device.cpu': 8_000 });
    expect(bench.ufs.checkEmpty()).toEqual([]);
    expect(bench.engine.events).toBeLessThanOrEqual(9); // submission and wake-up of the test included
  });

  it('writes in two link transfers, with FUA in the CDB, and marks the data on the link', () => {
    const bench = makeBench();
    const rq = bench.block.submitAt(0, OP_WRITE, 80, 16384, { flags: REQ_FUA });
    bench.run();
    expect(bench.media.calls).toEqual(['write 10+4', 'data fua']);
    const stages = stagesOf(bench, rq);
    expect(stages.media).toBe(10_000);
    expect(Object.values(stages).reduce((a, b) => a + b, 0)).toBe(bench.block.completed[0].atNs);
    expect(stages.link).toBeGreaterThan(bench.ufs.lld.hci.link.transferNs(16384));
  });

  it('flushes and unmaps', () => {
    const bench = makeBench();
    bench.block.submitAt(0, OP_FLUSH, 0, 0);
    bench.block.submitAt(0, OP_DISCARD, 8 * 1000, 4096 * 64);
    bench.run();
    expect(bench.media.calls).toEqual(['flush', 'discard 1000+64']);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK, STS_OK]);
  });

  it('has no command for write zeroes', () => {
    const bench = makeBench();
    bench.block.submitAt(0, OP_WRITE_ZEROES, 0, 4096);
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_NOTSUPP]);
  });

  it('reports a medium error as ENODATA', () => {
    const bench = makeBench();
    bench.media.failNext = true;
    readAt(bench, 0, 1);
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_MEDIUM]);
  });

  it('keeps 31 requests in flight and accounts each to the nanosecond', () => {
    const bench = makeBench();
    bench.media.readNs = bench.media.writeNs = 500_000;
    const rqs = Array.from({ length: 31 }, (_, i) =>
      bench.block.submitAt(0, i % 3 === 0 ? OP_WRITE : OP_READ, i * 8000, 4096 * (1 + (i % 5))),
    );
    bench.run();
    expect(bench.ufs.statistics().maxInFlight).toBe(31);
    for (const rq of rqs) {
      const done = bench.block.completed.find((c) => c.rq === rq);
      expect(Object.values(stagesOf(bench, rq)).reduce((a, b) => a + b, 0)).toBe(done?.atNs);
      expect(Math.min(...Object.values(stagesOf(bench, rq)))).toBeGreaterThan(0);
    }
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });
});

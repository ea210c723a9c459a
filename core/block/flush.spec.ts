import { describe, expect, it } from 'vitest';
import { ST_WAIT_FLUSH } from '../trace/stages.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { Rig, type RigOptions } from './testing.ts';
import { OP_WRITE, REQ_FUA, REQ_PREFLUSH, REQ_SYNC, STS_IOERR, STS_OK } from './types.ts';

const CACHE = { writeCache: true, fua: false };
const CACHE_AND_FUA = { writeCache: true, fua: true };
const FSYNC = { op: OP_WRITE, bytes: 0, segments: 0, flags: REQ_PREFLUSH | REQ_SYNC };

function ops(rig: Rig): string[] {
  return rig.lld.seen.map((rq) => (rq.op === 'write' && (rq.flags & REQ_FUA) !== 0 ? 'write fua' : rq.op));
}

describe.each<[string, () => RigOptions]>([
  ['none', () => ({})],
  ['mq-deadline', () => ({ scheduler: new MqDeadline() })],
])('the flush machine with %s', (_name, base) => {
  it('check 24: ten concurrent fsyncs need at most two flush commands', () => {
    const rig = new Rig({ ...base(), limits: CACHE, cpus: 2 });
    for (let i = 0; i < 10; i++) rig.task([{ submit: FSYNC }], i % 2);
    rig.finish();
    expect(rig.lld.seen.length).toBeLessThanOrEqual(2);
    expect(new Set(ops(rig))).toEqual(new Set(['flush']));
    expect(rig.ended.map((bio) => bio.status)).toEqual(Array(10).fill(STS_OK));
    expect(rig.block.counters.flushes).toBe(rig.lld.seen.length);
  });

  it('check 24: those that come while a flush runs wait for the next one', () => {
    const rig = new Rig({ ...base(), limits: CACHE });
    rig.lld.latencyNs = () => 300_000;
    rig.task([{ submit: FSYNC }]);
    rig.task([{ submit: FSYNC }], 0, 100_000);
    rig.task([{ submit: FSYNC }], 0, 110_000);
    rig.finish();
    expect(rig.lld.seen).toHaveLength(2);
    expect(rig.lld.seen[1].atNs).toBeGreaterThan(rig.lld.seen[0].atNs + 300_000);
    expect(rig.ended[1].stages[ST_WAIT_FLUSH]).toBeGreaterThan(400_000);
  });

  it.each([
    ['PREFLUSH and FUA without FUA support', REQ_PREFLUSH | REQ_FUA, CACHE, ['flush', 'write', 'flush']],
    ['PREFLUSH and FUA with FUA support', REQ_PREFLUSH | REQ_FUA, CACHE_AND_FUA, ['flush', 'write fua']],
    ['FUA without FUA support', REQ_FUA, CACHE, ['write', 'flush']],
    ['FUA with FUA support', REQ_FUA, CACHE_AND_FUA, ['write fua']],
    ['PREFLUSH', REQ_PREFLUSH, CACHE, ['flush', 'write']],
    ['PREFLUSH and FUA without a write cache', REQ_PREFLUSH | REQ_FUA, { writeCache: false }, ['write']],
  ])('check 24: %s gives its sequence', (_case, flags, limits, expected) => {
    const rig = new Rig({ ...base(), limits });
    rig.task([{ submit: { op: OP_WRITE, flags } }]);
    rig.finish();
    expect(ops(rig)).toEqual(expected);
    expect(rig.ended).toHaveLength(1);
    expect(rig.ended[0].totalNs).toBe(rig.ended[0].endedNs - rig.ended[0].queuedNs);
  });

  it('check 24 (C2): sequenced data in flight defers the flush', () => {
    const rig = new Rig({ ...base(), limits: CACHE });
    rig.lld.latencyNs = (rq) => (rig.block.requests.op[rq] === OP_WRITE ? 900_000 : 50_000);
    rig.task([{ submit: { op: OP_WRITE, flags: REQ_FUA } }]); // DATA, then POST
    rig.task([{ submit: FSYNC }], 0, 100_000);
    rig.finish();
    expect(ops(rig)).toEqual(['write', 'flush']); // one flush serves both
    expect(rig.lld.seen[1].atNs).toBeGreaterThan(900_000);
  });

  it('check 24 (C3): after five seconds of waiting the flush is issued in spite of data in flight', () => {
    const rig = new Rig({ ...base(), limits: CACHE, timeoutNs: 60_000_000_000 });
    rig.lld.latencyNs = (rq) => (rig.block.requests.op[rq] === OP_WRITE ? 8_000_000_000 : 50_000);
    rig.task([{ submit: { op: OP_WRITE, flags: REQ_FUA } }]);
    rig.task([{ submit: FSYNC }], 0, 1_000_000);
    rig.task([{ submit: FSYNC }], 0, 4_900_000_000); // too early
    rig.task([{ submit: FSYNC }], 0, 5_100_000_000); // kicks the machine when the first has waited 5 s
    rig.finish();
    expect(ops(rig).slice(0, 2)).toEqual(['write', 'flush']);
    expect(rig.lld.seen[1].atNs).toBeGreaterThan(5_100_000_000);
    expect(rig.lld.seen[1].atNs).toBeLessThan(5_101_000_000);
  });

  it('check 24: the error of a flush reaches everybody who waited for it', () => {
    const rig = new Rig({ ...base(), limits: CACHE });
    rig.lld.outcome = () => STS_IOERR;
    rig.task([{ submit: FSYNC }]);
    rig.task([{ submit: { op: OP_WRITE, flags: REQ_PREFLUSH } }]);
    rig.finish();
    expect(ops(rig).every((op) => op === 'flush')).toBe(true);
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_IOERR, STS_IOERR]);
  });

  it('check 25: an empty flush without a write cache ends at once, without Q and D', () => {
    const rig = new Rig({ ...base(), limits: { writeCache: false } });
    rig.task([{ submit: FSYNC }]);
    rig.finish();
    expect(rig.log.letters()).toEqual([]);
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_OK]);
  });

  it('issues the flush command from kblockd, before everything else', () => {
    const rig = new Rig({ ...base(), limits: CACHE });
    rig.task([{ submit: FSYNC }]);
    rig.finish();
    expect(rig.log.letters()).toEqual(['Q', 'G', 'D', 'C', 'C']);
    expect(rig.lld.seen[0].context).toMatch(/^kworker/);
  });
});

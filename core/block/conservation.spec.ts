import { describe, expect, it } from 'vitest';
import { Kyber } from './schedulers/kyber.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { Rig, type RigOptions, type Step } from './testing.ts';
import {
  OP_READ,
  OP_WRITE,
  REQ_FUA,
  REQ_PREFLUSH,
  REQ_SYNC,
  STS_DEV_RESOURCE,
  STS_IOERR,
  STS_OK,
  STS_RESOURCE,
} from './types.ts';

/** Four tasks with random reads, writes, flushes, plugs and pauses; small tags, small limits, a moody driver. */
function stormyRig(options: RigOptions = {}): Rig {
  const rig = new Rig({
    queueDepth: 6,
    cpus: 3,
    limits: { maxSectors: 64, maxSegments: 12, writeCache: true },
    ...options,
  });
  const random = rig.engine.stream('storm');
  const below = (n: number): number => random.below(n);
  for (let task = 0; task < 4; task++) {
    const steps: Step[] = [];
    let sector = below(1000) * 8;
    for (let i = 0; i < 25; i++) {
      const isPlugged = below(3) === 0;
      if (isPlugged) steps.push({ plug: 'start' });
      for (let k = below(6); k >= 0; k--) {
        if (below(3) === 0) sector = below(1000) * 8;
        const bytes = (1 + below(12)) * 4096;
        const op = below(2) === 0 ? OP_READ : OP_WRITE;
        const flags = op === OP_WRITE && below(6) === 0 ? [REQ_PREFLUSH, REQ_FUA, REQ_SYNC][below(3)] : 0;
        steps.push({ submit: { op, sector, bytes, flags } });
        sector += bytes / 512;
      }
      if (isPlugged) steps.push({ plug: 'finish' });
      steps.push({ sleepNs: below(40_000) });
    }
    rig.task(steps, task % 3);
  }
  rig.lld.latencyNs = () => 5_000 + below(60_000);
  rig.lld.queueCostNs = 300;
  rig.lld.answer = () => {
    if (below(12) === 0) return STS_RESOURCE;
    return below(12) === 0 && rig.block.inFlight > 0 ? STS_DEV_RESOURCE : STS_OK;
  };
  rig.lld.bounces = () => (below(25) === 0 ? below(2) * 15_000 : undefined);
  rig.lld.partDone = (rq) => {
    const bytes = rig.block.requests.bytes[rq];
    return bytes > 4096 && below(20) === 0 ? 4096 + 512 : undefined;
  };
  rig.lld.outcome = () => (below(30) === 0 ? STS_IOERR : STS_OK);
  return rig;
}

const VARIANTS: readonly [string, () => RigOptions][] = [
  ['one hardware queue', () => ({})],
  ['a plug per bio', () => ({ plugPerBio: true })],
  ['one hardware queue per CPU', () => ({ hwQueues: 3 })],
  ['hardware queues on one tag set', () => ({ hwQueues: 3, hostTagset: true })],
  ['completion on the submitting CPU', () => ({ rqAffinity: 2 })],
  ['a blocking driver', () => ({ blocking: true })],
  ['native FUA', () => ({ limits: { maxSectors: 64, maxSegments: 12, writeCache: true, fua: true } })],
  ['mq-deadline', () => ({ scheduler: new MqDeadline() })],
  ['kyber', () => ({ scheduler: new Kyber() })],
  ['mq-deadline over several hardware queues', () => ({ scheduler: new MqDeadline(), hwQueues: 3 })],
];

describe.each(VARIANTS)('a stormy run with %s', (_name, makeOptions) => {
  let done: Rig | undefined;
  const storm = (): Rig => (done ??= stormyRig(makeOptions()).finish());

  it('check 1: ends every bio once, with as many bytes as were queued', () => {
    const rig = storm();
    const { counters } = rig.block;
    expect(rig.ended).toHaveLength(counters.bios);
    expect(new Set(rig.ended.map((bio) => bio.spec)).size).toBe(counters.bios);
    expect(counters.bytesCompleted + counters.bytesFailed).toBe(counters.bytesQueued);
    expect(counters.bytesFailed).toBeGreaterThan(0);
    expect(rig.block.bios.inUse).toBe(0);
  });

  it('check 2: has as many Qs and Xs as Gs and merges', () => {
    const { log, block } = storm();
    expect(log.count('G') + block.counters.merges).toBe(log.count('Q') + log.count('X'));
    expect(log.count('X')).toBeGreaterThan(0);
    expect(block.counters.merges).toBeGreaterThan(0);
  });

  it('check 3: issues every request once, completes each D and each flush sequence', () => {
    const { log, lld, block } = storm();
    const bounced = lld.bounced;
    expect(log.count('D')).toBe(lld.seen.length);
    expect(log.count('D')).toBe(block.counters.issues);
    const finals = log.count('C') - (log.count('D') - bounced);
    expect(finals).toBeGreaterThan(0); // the sequenced flush finals
    expect(finals).toBeLessThanOrEqual(log.count('G'));
    expect(bounced).toBeGreaterThan(0);
    expect(log.count('R')).toBe(block.counters.requeues);
  });

  it('check 4: stamps rise and the stages sum to the total, for bios and requests', () => {
    const rig = storm();
    for (const rq of rig.requests) {
      expect(rq.gotNs).toBeGreaterThanOrEqual(rq.queuedNs);
      if (rq.insertedNs === rq.insertedNs) expect(rq.insertedNs).toBeGreaterThanOrEqual(rq.gotNs);
      if (rq.attempts > 0) expect(rq.issuedNs).toBeGreaterThanOrEqual(rq.gotNs);
      if (rq.attempts > 0) expect(rq.completedNs).toBeGreaterThanOrEqual(rq.issuedNs);
      expect(rq.totalNs).toBe(rq.completedNs - rq.queuedNs);
      expect(Math.min(...rq.stages)).toBeGreaterThanOrEqual(0);
    }
    for (const bio of rig.ended) {
      expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
      expect(Math.min(...bio.stages)).toBeGreaterThanOrEqual(0);
    }
  });

  it('check 5: never has more requests at the device than driver tags, nor one tag twice', () => {
    const rig = storm();
    const options = makeOptions();
    const queues = options.hostTagset === true ? 1 : (options.hwQueues ?? 1);
    expect(rig.lld.mostInFlight).toBeLessThanOrEqual(6 * queues);
    expect(rig.lld.mostInFlight).toBeGreaterThan(1);
    expect(Math.max(...rig.lld.seen.map((rq) => rq.tag))).toBeLessThan(6);
  });

  it('check 31: gives the same events when repeated', () => {
    expect(stormyRig(makeOptions()).finish().log.events).toEqual(storm().log.events);
  });
});

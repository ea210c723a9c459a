/** kyber against a bare queue: check 20 of the blk-mq sheet (section 5), section 1.16 rule by rule, and properties. The latency part is in kyber-latency.spec.ts. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { MERGE_BACK, MERGE_FRONT, MERGE_NONE } from '../scheduler.ts';
import { OP_DISCARD, OP_READ, OP_WRITE, OP_WRITE_ZEROES, REQ_SYNC } from '../types.ts';
import {
  Kyber,
  KYBER_BATCH,
  KYBER_DEPTH,
  KYBER_DISCARD,
  KYBER_OTHER,
  KYBER_READ,
  KYBER_WRITE,
  kyberDomain,
} from './kyber.ts';
import { type RigOptions, SchedulerRig } from './testing.ts';
import type { KyberTunables } from './tunables.ts';

const MS = 1_000_000;
const OPS = [OP_READ, OP_WRITE, OP_DISCARD, OP_WRITE_ZEROES];

class KyberRig extends SchedulerRig<Kyber> {
  private nextSector = 0;

  constructor(options: RigOptions = {}, tunables: Partial<KyberTunables> = {}) {
    super(new Kyber(tunables), { nrRequests: 2048, ...options });
  }

  /** Inserts `count` requests that cannot merge. */
  fill(op: number, count: number, cpu = 0): number[] {
    return Array.from({ length: count }, () => this.insert({ op, sector: (this.nextSector += 16), cpu }));
  }

  domainOf(rq: number): number {
    return kyberDomain(this.requests.op[rq]);
  }

  depths(): number[] {
    return this.scheduler.tokens.map((tokens) => tokens.depth);
  }
}

describe('check 20: tokens', () => {
  it('are never exceeded: 256 reads, 128 writes, 64 discards, 16 others in the driver', () => {
    const rig = new KyberRig();
    for (const op of OPS) rig.fill(op, 300);
    const counts = [0, 0, 0, 0];
    for (const rq of rig.dispatchMany(2000)) counts[rig.domainOf(rq)]++;
    expect(counts).toEqual([...KYBER_DEPTH]);
    expect(rig.scheduler.hasWork(0)).toBe(true);
  });

  it('are shared by all hardware queues', () => {
    const rig = new KyberRig({ cpus: 2, hwQueues: 2 });
    rig.fill(OP_READ, 200, 0);
    rig.fill(OP_READ, 200, 1);
    expect(rig.dispatchMany(1000, 0).length + rig.dispatchMany(1000, 1).length).toBe(256);
  });

  it('come back at completion and at requeue, and a requeued request needs one again', () => {
    const rig = new KyberRig();
    rig.fill(OP_WRITE_ZEROES, 17);
    const inDriver = rig.dispatchMany(100);
    expect(inDriver.length).toBe(16);
    rig.scheduler.requeue(inDriver[0]);
    rig.scheduler.insert(inDriver[0], 0, true);
    expect(rig.scheduler.tokens[KYBER_OTHER].held).toBe(15);
    expect(rig.dispatchMany(100).length).toBe(1);
    rig.complete(inDriver[1]);
    expect(rig.dispatchMany(100).length).toBe(1);
  });

  it('that were missing re-run the waiting hardware queues when enough came back', () => {
    const rig = new KyberRig({ cpus: 2, hwQueues: 2 });
    rig.fill(OP_WRITE_ZEROES, 20, 0);
    rig.fill(OP_WRITE_ZEROES, 20, 1);
    const inDriver = rig.dispatchMany(100, 0);
    expect(rig.dispatch(1)).toBe(-1);
    rig.complete(inDriver[0]);
    expect(rig.ranHctxs).toEqual([]); // a batch is 16 / 8 tokens
    rig.complete(inDriver[1]);
    expect(rig.ranHctxs).toEqual([0, 1]);
    rig.complete(inDriver[2]);
    rig.complete(inDriver[3]);
    expect(rig.ranHctxs).toEqual([0, 1]); // nobody waits now
  });
});

describe('check 20: domains and batches', () => {
  it('go round read, write, discard, other in batches of 16, 8, 1 and 1', () => {
    const rig = new KyberRig();
    for (const op of OPS) rig.fill(op, 64);
    const domains = rig.dispatchMany(52).map((rq) => rig.domainOf(rq));
    const round = KYBER_BATCH.flatMap((batch, domain) => Array<number>(batch).fill(domain));
    expect(domains).toEqual([...round, ...round]);
  });

  it('pass over a domain without requests and one without tokens', () => {
    const rig = new KyberRig();
    rig.fill(OP_WRITE_ZEROES, 17);
    rig.dispatchMany(16);
    rig.fill(OP_READ, 2);
    expect(rig.dispatchMany(100).map((rq) => rig.domainOf(rq))).toEqual([KYBER_READ, KYBER_READ]);
  });

  it('put every other operation into the fourth', () => {
    expect(OPS.map(kyberDomain)).toEqual([KYBER_READ, KYBER_WRITE, KYBER_DISCARD, KYBER_OTHER]);
  });
});

describe('check 20: the timer', () => {
  /** Completes `count` requests that spent `ioNs` each in the device, as many at a time as there are tokens. */
  const measure = (rig: KyberRig, op: number, count: number, ioNs: number): void => {
    for (let left = count; left > 0;) {
      rig.fill(op, Math.min(left, rig.depths()[kyberDomain(op)]));
      const inDriver = rig.dispatchMany(left);
      rig.sleep(ioNs);
      for (const rq of inDriver) rig.complete(rq);
      left -= inDriver.length;
    }
  };

  it('adjusts 100 ms after the completion that armed it, not before', () => {
    const rig = new KyberRig();
    rig.scheduler.tokens[KYBER_READ].resize(100);
    measure(rig, OP_READ, 500, 3 * MS); // bucket 5: × 6/4; completions at 3, 6, … 15 ms
    rig.sleep(88 * MS - 1);
    expect(rig.depths()[KYBER_READ]).toBe(100);
    rig.sleep(1);
    expect(rig.depths()[KYBER_READ]).toBe(150);
  });

  it('makes no adjustment before 500 samples or a second', () => {
    const rig = new KyberRig();
    rig.scheduler.tokens[KYBER_READ].resize(100);
    measure(rig, OP_READ, 499, 3 * MS);
    rig.sleep(200 * MS);
    expect(rig.depths()[KYBER_READ]).toBe(100);
    measure(rig, OP_READ, 1, 3 * MS);
    rig.sleep(100 * MS);
    expect(rig.depths()[KYBER_READ]).toBe(150);
  });

  it('does not go beyond the maximum of the domain', () => {
    const rig = new KyberRig();
    measure(rig, OP_READ, 600, 5 * MS);
    rig.sleep(200 * MS);
    expect(rig.depths()[KYBER_READ]).toBe(256);
  });

  it('throttles good writes while reads are slow, and lets go when it is writes that are slow', () => {
    const rig = new KyberRig();
    measure(rig, OP_WRITE, 600, 1000); // bucket 0: × 1/4
    measure(rig, OP_READ, 600, 5 * MS);
    rig.sleep(200 * MS);
    expect(rig.depths()).toEqual([256, 32, 64, 16]);
    measure(rig, OP_WRITE, 600, 12 * MS); // bucket 4: × 5/4; the second window ends within these
    rig.sleep(2000 * MS);
    expect(rig.depths()[KYBER_WRITE]).toBeGreaterThan(32);
  });

  it('takes its targets from read_lat_nsec and write_lat_nsec', () => {
    const rig = new KyberRig({}, { readLatNs: 20 * MS });
    rig.scheduler.tokens[KYBER_READ].resize(100);
    measure(rig, OP_READ, 600, 5 * MS); // good under this target
    rig.sleep(200 * MS);
    expect(rig.depths()[KYBER_READ]).toBe(100);
  });

  it('does not keep a run alive', () => {
    const rig = new KyberRig();
    measure(rig, OP_READ, 1, MS);
    expect(rig.engine.isQuiet()).toBe(true);
  });
});

describe('merging', () => {
  it('tries the newest eight requests of the CPU and domain, newest first', () => {
    const rig = new KyberRig();
    const requests = rig.fill(OP_WRITE, 9);
    const end = (rq: number): number => rig.requests.sector[rq] + 8;
    expect(rig.offer({ op: OP_WRITE, sector: end(requests[0]), sectors: 4 })).toBe(MERGE_NONE);
    expect(rig.offer({ op: OP_WRITE, sector: end(requests[1]), sectors: 4 })).toBe(MERGE_BACK);
    expect(rig.offer({ op: OP_READ, sector: end(requests[2]), sectors: 4 })).toBe(MERGE_NONE);
    expect(rig.offer({ op: OP_WRITE, sector: end(requests[2]), sectors: 4, cpu: 1 })).toBe(MERGE_NONE);
    expect(rig.offer({ op: OP_WRITE, sector: rig.requests.sector[requests[3]] - 4, sectors: 4 })).toBe(MERGE_FRONT);
  });

  it('stays possible while the domain is out of tokens', () => {
    const rig = new KyberRig();
    rig.fill(OP_WRITE, 128);
    rig.dispatchMany(128);
    const [waiting] = rig.fill(OP_WRITE, 1);
    expect(rig.dispatch()).toBe(-1);
    expect(rig.offer({ op: OP_WRITE, sector: rig.requests.sector[waiting] + 8 })).toBe(MERGE_BACK);
  });

  it('is over once the lists were flushed for a dispatch', () => {
    const rig = new KyberRig();
    const [first, second] = rig.fill(OP_WRITE, 2);
    expect(rig.dispatch()).toBe(first);
    expect(rig.offer({ op: OP_WRITE, sector: rig.requests.sector[second] + 8 })).toBe(MERGE_NONE);
  });

  it('is off with nomerges 2', () => {
    const rig = new KyberRig({ nomerges: 2 });
    const [rq] = rig.fill(OP_WRITE, 1);
    expect(rig.offer({ op: OP_WRITE, sector: rig.requests.sector[rq] + 8 })).toBe(MERGE_NONE);
  });
});

describe('the scheduler', () => {
  it('leaves a quarter of the tags to synchronous requests', () => {
    const { scheduler } = new KyberRig({ nrRequests: 256 });
    expect(scheduler.limitDepth(OP_WRITE, 0)).toBe(192);
    expect(scheduler.limitDepth(OP_WRITE, REQ_SYNC)).toBe(256);
    expect(scheduler.limitDepth(OP_READ, 0)).toBe(256);
  });

  it('serves the CPUs of a hardware queue in order, and only those', () => {
    const rig = new KyberRig({ cpus: 4, hwQueues: 2 });
    const onThree = rig.fill(OP_READ, 2, 3);
    const onOne = rig.fill(OP_READ, 2, 1);
    const onZero = rig.fill(OP_READ, 1, 0);
    expect(rig.dispatchMany(10, 0)).toEqual([...onZero, ...onOne]);
    expect(rig.scheduler.hasWork(0)).toBe(false);
    expect(rig.scheduler.hasWork(1)).toBe(true);
    expect(rig.dispatchMany(10, 1)).toEqual(onThree);
  });

  it('dispatches what was inserted at the head first', () => {
    const rig = new KyberRig();
    const [normal] = rig.fill(OP_READ, 1);
    const urgent = rig.insert({ op: OP_READ, sector: 8000 }, true);
    expect(rig.dispatchMany(2)).toEqual([urgent, normal]);
  });

  it.each([1, 2, 3])('lets every request out exactly once under random load, within its tokens (seed %i)', (seed) => {
    const rig = new KyberRig({ cpus: 4, hwQueues: 2 });
    const random = new RandomStream(seed, 'kyber');
    const inDriver: number[] = [];
    const left: number[] = [];
    let inserted = 0;
    let overdrawn = 0;
    const issue = (hctx: number): void => {
      const rq = rig.dispatch(hctx);
      if (rq === -1) return;
      left.push(rig.requests.serial[rq]);
      inDriver.push(rq);
    };
    for (let step = 0; step < 20_000; step++) {
      const action = random.below(12);
      if (action < 6) {
        rig.insert({ op: OPS[random.below(4)], sector: random.below(5000) * 8, cpu: random.below(4) });
        inserted++;
      } else if (action < 9) issue(random.below(2));
      else if (action < 11 && inDriver.length > 0) rig.complete(inDriver.splice(random.below(inDriver.length), 1)[0]);
      else rig.sleep(random.below(100_000));
      if (rig.scheduler.tokens.some((tokens) => tokens.held > tokens.maxDepth)) overdrawn++;
    }
    while (rig.scheduler.hasWork(0) || rig.scheduler.hasWork(1)) {
      issue(0);
      issue(1);
      for (const rq of inDriver.splice(0)) rig.complete(rq);
    }
    for (const rq of inDriver) rig.complete(rq);
    expect(overdrawn).toBe(0);
    expect(left.length).toBe(inserted);
    expect(new Set(left).size).toBe(inserted);
    expect(rig.scheduler.checkEmpty()).toEqual([]);
  });
});

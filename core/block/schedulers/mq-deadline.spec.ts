/** mq-deadline against a bare queue: checks 12 and 15-19 of the blk-mq sheet (section 5), section 1.15 rule by rule, and properties. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { MERGE_BACK, MERGE_FAILED, MERGE_FRONT, MERGE_NONE } from '../scheduler.ts';
import {
  IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE,
  IOPRIO_CLASS_RT,
  ioprio,
  OP_DISCARD,
  OP_READ,
  OP_WRITE,
  OP_WRITE_ZEROES,
  REQ_SYNC,
} from '../types.ts';
import { MqDeadline } from './mq-deadline.ts';
import { type Extent, type RigOptions, SchedulerRig } from './testing.ts';
import { MQ_DEADLINE_DEFAULTS, type MqDeadlineTunables } from './tunables.ts';

const MS = 1_000_000;
const RT = ioprio(IOPRIO_CLASS_RT, 4);
const BE = ioprio(IOPRIO_CLASS_BE, 4);
const IDLE = ioprio(IOPRIO_CLASS_IDLE, 0);

const rigOf = (tunables: Partial<MqDeadlineTunables> = {}, options: RigOptions = {}): SchedulerRig<MqDeadline> =>
  new SchedulerRig(new MqDeadline(tunables), options);
const read = (sector: number, more: Partial<Extent> = {}): Extent => ({ op: OP_READ, sector, ...more });
const write = (sector: number, more: Partial<Extent> = {}): Extent => ({ op: OP_WRITE, sector, ...more });
/** Sectors of the requests that leave the scheduler, until it has none. */
const drain = (rig: SchedulerRig<MqDeadline>): number[] =>
  rig.dispatchMany(10_000).map((rq) => {
    const sector = rig.requests.sector[rq];
    rig.complete(rq);
    return sector;
  });

describe('check 12: a front merge', () => {
  it('re-sorts: the next dispatch uses the new start', () => {
    const rig = rigOf();
    rig.insert(read(1000));
    rig.insert(read(500));
    rig.insert(read(108));
    expect(rig.offer(read(8, { sectors: 100 }))).toBe(MERGE_FRONT);
    expect(rig.offer(read(300, { sectors: 200 }))).toBe(MERGE_FRONT);
    rig.insert(read(400));
    expect(drain(rig)).toEqual([8, 300, 400, 1000]);
  });

  it('does not happen with front_merges off, except into the one-hit cache', () => {
    const rig = rigOf({ frontMerges: false });
    rig.insert(read(1000));
    rig.insert(read(500));
    expect(rig.offer(read(492))).toBe(MERGE_NONE);
    expect(rig.offer(read(992))).toBe(MERGE_FRONT);
  });
});

describe('check 15: expiry', () => {
  it('dispatches an expired read within fifo_batch dispatches, though lower sectors keep coming', () => {
    const rig = rigOf();
    const late = rig.insert(read(1_000_000));
    let sector = 0;
    rig.insert(read((sector += 16)));
    let dispatchesAfterExpiry = 0;
    for (let step = 0; step < 1000; step++) {
      rig.insert(read((sector += 16)));
      const rq = rig.dispatch();
      if (rq === late) break;
      if (rig.engine.now >= MQ_DEADLINE_DEFAULTS.readExpireNs) dispatchesAfterExpiry++;
      rig.complete(rq);
      rig.sleep(MS);
    }
    expect(rig.scheduler.dispatched[1]).toBeLessThan(1000);
    expect(dispatchesAfterExpiry).toBeGreaterThan(0);
    expect(dispatchesAfterExpiry).toBeLessThanOrEqual(MQ_DEADLINE_DEFAULTS.fifoBatch);
  });

  it('is looked at only when a batch ends', () => {
    const rig = rigOf({ fifoBatch: 4 });
    rig.insert(read(100));
    rig.dispatch();
    rig.insert(read(8)); // behind the position of the batch
    rig.sleep(499 * MS);
    for (let i = 0; i < 8; i++) rig.insert(read(1000 + 16 * i));
    rig.sleep(1 * MS);
    expect(drain(rig).slice(0, 5)).toEqual([1000, 1016, 1032, 8, 1048]);
  });

  it('counts from the insertion, 500 ms for reads and 5 s for writes', () => {
    const rig = rigOf();
    const r = rig.insert(read(0));
    const w = rig.insert(write(0));
    expect(rig.requests.fifoTimeNs[r]).toBe(500 * MS);
    expect(rig.requests.fifoTimeNs[w]).toBe(5000 * MS);
  });
});

describe('check 16: writes_starved', () => {
  it('lets at most two read batches of 16 pass between write batches', () => {
    const rig = rigOf();
    let readSector = 0;
    let writeSector = 0;
    const kinds: string[] = [];
    for (let i = 0; i < 64; i++) {
      rig.insert(read((readSector += 16)));
      rig.insert(write((writeSector += 16)));
    }
    for (let i = 0; i < 600; i++) {
      const rq = rig.dispatch();
      const isRead = rig.requests.op[rq] === OP_READ;
      kinds.push(isRead ? 'R' : 'W');
      rig.complete(rq);
      rig.insert(isRead ? read((readSector += 16)) : write((writeSector += 16)));
    }
    const runs = kinds.join('').match(/R+|W+/g)!;
    expect(runs[0]).toBe('W'.repeat(16));
    expect(runs.slice(1, -1).every((run) => run === 'R'.repeat(32) || run === 'W'.repeat(16))).toBe(true);
    expect(runs.length).toBeGreaterThan(20);
  });

  it('serves a lone write after no more than two read batches and the one being finished', () => {
    const rig = rigOf();
    let sector = 0;
    for (let i = 0; i < 100; i++) rig.insert(read((sector += 16)));
    rig.dispatchMany(5);
    const lone = rig.insert(write(8));
    const order = rig.dispatchMany(95);
    expect(order.indexOf(lone)).toBe(16 - 5 + 32);
  });
});

describe('check 17: the first dispatch', () => {
  it('is the write when three reads and a write were queued together', () => {
    const rig = rigOf();
    for (const sector of [2048, 4096, 8192]) rig.insert(read(sector));
    const w = rig.insert(write(16384));
    expect(rig.dispatch()).toBe(w);
  });
});

describe('check 18: priorities', () => {
  it('IDLE waits while BE has requests queued or in flight', () => {
    const rig = rigOf();
    const idle = rig.insert(read(0, { ioprio: IDLE }));
    const be = rig.insert(read(800, { ioprio: BE }));
    expect(rig.dispatch()).toBe(be);
    expect(rig.dispatch()).toBe(-1);
    expect(rig.scheduler.hasWork()).toBe(true);
    rig.complete(be);
    expect(rig.dispatch()).toBe(idle);
  });

  it('after prio_aging_expire IDLE is served though BE still has requests', () => {
    const rig = rigOf();
    const idle = rig.insert(read(0, { ioprio: IDLE }));
    rig.sleep(10_000 * MS - 1);
    const be = rig.insert(read(800, { ioprio: BE }));
    const later = rig.insert(read(1600, { ioprio: BE }));
    expect(rig.dispatch()).toBe(be);
    rig.sleep(1);
    expect(rig.dispatch()).toBe(idle);
    expect(rig.dispatch()).toBe(later);
  });

  it('RT goes before BE, and class NONE is BE', () => {
    const rig = rigOf();
    const none = rig.insert(read(0));
    const rt = rig.insert(read(800, { ioprio: RT }));
    expect(rig.dispatch()).toBe(rt);
    expect(rig.dispatch()).toBe(-1);
    rig.complete(rt);
    expect(rig.dispatch()).toBe(none);
  });

  it('a requeued request is not counted twice', () => {
    const rig = rigOf();
    const be = rig.insert(read(800, { ioprio: BE }));
    const idle = rig.insert(read(0, { ioprio: IDLE }));
    expect(rig.dispatch()).toBe(be);
    rig.scheduler.requeue();
    rig.scheduler.insert(be, 0, true);
    expect(rig.dispatch()).toBe(be);
    rig.complete(be);
    expect(rig.dispatch()).toBe(idle);
    rig.complete(idle);
    expect(rig.scheduler.checkEmpty()).toEqual([]);
  });
});

describe('check 19: async depth', () => {
  it('limits writes and other operations, not reads', () => {
    const { scheduler } = rigOf({ asyncDepth: 48 }, { nrRequests: 64 });
    expect(scheduler.limitDepth(OP_READ)).toBe(64);
    expect([OP_WRITE, OP_DISCARD, OP_WRITE_ZEROES].map((op) => scheduler.limitDepth(op))).toEqual([48, 48, 48]);
  });

  it('follows nr_requests unless set, and is at least 1', () => {
    expect(rigOf({}, { nrRequests: 64 }).scheduler.limitDepth(OP_WRITE)).toBe(64);
    expect(rigOf({ asyncDepth: 0 }).scheduler.limitDepth(OP_WRITE)).toBe(1);
  });
});

describe('order', () => {
  it('is that of sectors within a batch, going on from the last position and back to the oldest', () => {
    const rig = rigOf();
    for (const sector of [500, 100, 900]) rig.insert(read(sector));
    expect(rig.requests.sector[rig.dispatch()]).toBe(100);
    rig.insert(read(50));
    expect(drain(rig)).toEqual([500, 900, 50]);
  });

  it('requests inserted at the head go first, the last one inserted foremost', () => {
    const rig = rigOf();
    rig.insert(read(0, { ioprio: RT }));
    rig.insert(write(100), true);
    rig.insert(read(200), true);
    const first = rig.dispatch();
    expect(rig.requests.sector[first]).toBe(200);
    rig.complete(first);
    expect(drain(rig)).toEqual([100, 0]);
  });

  it('discards and write-zeroes go with the writes', () => {
    const rig = rigOf();
    rig.insert(read(0));
    rig.insert({ op: OP_DISCARD, sector: 64 });
    rig.insert({ op: OP_WRITE_ZEROES, sector: 8 });
    expect(drain(rig)).toEqual([8, 64, 0]);
  });
});

describe('merging', () => {
  it('finds the request that ends where a bio begins, and joins it with the next above', () => {
    const rig = rigOf();
    const first = rig.insert(write(0));
    const last = rig.insert(write(16));
    expect(rig.offer(write(8))).toBe(MERGE_BACK);
    expect(rig.mergedAway).toEqual([last]);
    expect(rig.requests.bytes[first]).toBe(3 * 4096);
    expect(drain(rig)).toEqual([0]);
    expect(rig.scheduler.checkEmpty()).toEqual([]);
  });

  it('lets the neighbour below swallow what a front merge has grown', () => {
    const rig = rigOf();
    const high = rig.insert(write(16)); // becomes the one-hit cache
    const low = rig.insert(write(0));
    expect(rig.offer(write(8))).toBe(MERGE_FRONT);
    expect(rig.mergedAway).toEqual([high]);
    expect(rig.requests.bytes[low]).toBe(3 * 4096);
    expect(drain(rig)).toEqual([0]);
  });

  it('appends an inserted request to a queued one, and the result to the next', () => {
    const rig = rigOf();
    const a = rig.insert(write(0));
    const c = rig.insert(write(16, { sectors: 8 }));
    const b = rig.insert(write(8));
    expect(rig.mergedAway).toEqual([b]);
    expect(rig.requests.bytes[a]).toBe(2 * 4096);
    expect(rig.insertedRqs).toEqual([a, c]);
  });

  it('keeps the earlier expiry and its place in the FIFO', () => {
    const rig = rigOf({ fifoBatch: 1 });
    const early = rig.insert(read(16));
    rig.sleep(MS);
    const other = rig.insert(read(4000));
    rig.sleep(MS);
    const low = rig.insert(read(0));
    expect(rig.offer(read(8))).toBe(MERGE_FRONT);
    expect(rig.mergedAway).toEqual([early]);
    expect(rig.requests.fifoTimeNs[low]).toBe(500 * MS);
    rig.sleep(600 * MS);
    expect(rig.dispatchMany(2)).toEqual([low, other]);
  });

  it('stops at a request that would grow too large, which is out of the race afterwards', () => {
    const rig = rigOf();
    rig.insert(write(0, { sectors: 2560 }));
    expect(rig.offer(write(2560))).toBe(MERGE_FAILED);
    expect(rig.offer(write(2560))).toBe(MERGE_NONE);
  });

  it('with nomerges 1 tries only the one-hit cache, with 2 nothing', () => {
    const restricted = rigOf({}, { nomerges: 1 });
    restricted.insert(write(0)); // becomes the cache
    restricted.insert(write(100));
    expect(restricted.offer(write(108))).toBe(MERGE_NONE);
    expect(restricted.offer(write(8))).toBe(MERGE_BACK);
    const off = rigOf({}, { nomerges: 2 });
    off.insert(write(0));
    off.insert(write(8));
    expect(off.mergedAway).toEqual([]);
  });

  it('does not cross priorities', () => {
    const rig = rigOf();
    rig.insert(write(0, { ioprio: BE }));
    expect(rig.offer(write(8, { ioprio: RT }))).toBe(MERGE_NONE);
  });
});

describe('properties under random load', () => {
  /** Random extents; with `isDense` many of them adjacent. */
  const randomExtent = (random: RandomStream, isDense: boolean): Extent => ({
    op: random.below(3) === 0 ? OP_WRITE : OP_READ,
    sector: random.below(isDense ? 200 : 100_000) * 8,
    ioprio: [0, BE, BE, RT, IDLE][random.below(5)],
    flags: random.below(2) === 0 ? REQ_SYNC : 0,
  });

  it.each([
    [1, true],
    [2, true],
    [3, false],
    [4, false],
  ])('every inserted request leaves exactly once, dispatched or merged away (seed %i, dense %s)', (seed, isDense) => {
    const rig = rigOf({ fifoBatch: 4, readExpireNs: 3 * MS, writeExpireNs: 20 * MS, prioAgingExpireNs: 40 * MS });
    const random = new RandomStream(seed, 'deadline');
    const serials = new Set<number>();
    const left: number[] = [];
    const inDriver: number[] = [];
    let sectorsIn = 0;
    let sectorsOut = 0;
    for (let step = 0; step < 8000; step++) {
      const action = random.below(10);
      if (action < 4 && rig.requests.inUse < 256) {
        const extent = randomExtent(random, isDense);
        sectorsIn += 8;
        if (rig.offer(extent) === MERGE_NONE)
          serials.add(rig.requests.serial[rig.insert(extent, random.below(50) === 0)]);
      } else if (action < 7) {
        const rq = rig.dispatch();
        if (rq !== -1) {
          left.push(rig.requests.serial[rq]);
          sectorsOut += rig.requests.bytes[rq] / 512;
          inDriver.push(rq);
        }
      } else if (action < 9 && inDriver.length > 0) rig.complete(inDriver.splice(random.below(inDriver.length), 1)[0]);
      else rig.sleep(random.below(MS));
    }
    for (const rq of inDriver) rig.complete(rq);
    for (const rq of rig.dispatchMany(10_000)) {
      left.push(rig.requests.serial[rq]);
      sectorsOut += rig.requests.bytes[rq] / 512;
      rig.complete(rq);
    }
    while (rig.scheduler.hasWork()) {
      const rq = rig.dispatch();
      left.push(rig.requests.serial[rq]);
      sectorsOut += rig.requests.bytes[rq] / 512;
      rig.complete(rq);
    }
    expect(new Set(left).size).toBe(left.length);
    expect(left.length + rig.mergedAway.length).toBe(serials.size);
    expect(sectorsOut).toBe(sectorsIn);
    expect(rig.scheduler.checkEmpty()).toEqual([]);
  });

  it.each([11, 12, 13])(
    'an overdue request waits for no more than the batches that may precede it (seed %i)',
    (seed) => {
      const fifoBatch = 8;
      const writesStarved = 2;
      const rig = rigOf({ fifoBatch, writesStarved, readExpireNs: 2 * MS, writeExpireNs: 4 * MS }, { nomerges: 2 });
      const random = new RandomStream(seed, 'starvation');
      const bornNs = new Map<number, number>();
      const overtakes = new Map<number, number>();
      let worst = 0;
      const add = (): void => {
        const rq = rig.insert({ op: random.below(4) === 0 ? OP_WRITE : OP_READ, sector: random.below(100_000) * 8 });
        bornNs.set(rq, rig.engine.now);
        overtakes.set(rq, 0);
      };
      for (let i = 0; i < 32; i++) add();
      for (let step = 0; step < 5000; step++) {
        const rq = rig.dispatch();
        // Counted for the first of each FIFO: what stands behind it waits for it, too.
        for (const dir of [OP_READ, OP_WRITE]) {
          const waiting = [...bornNs.keys()].filter((other) => rig.requests.op[other] === dir);
          const oldest = waiting[0];
          if (oldest === undefined || oldest === rq) continue;
          if (rig.requests.fifoTimeNs[oldest] <= rig.engine.now) overtakes.set(oldest, overtakes.get(oldest)! + 1);
        }
        worst = Math.max(worst, overtakes.get(rq)!);
        bornNs.delete(rq);
        rig.complete(rq);
        rig.sleep(100_000);
        add();
      }
      // The batch being finished, then writes_starved read batches and one more for the direction to come round again.
      expect(worst).toBeGreaterThan(fifoBatch);
      expect(worst).toBeLessThanOrEqual((writesStarved + 2) * fifoBatch);
    },
  );
});

import { describe, expect, it } from 'vitest';
import { loadDun } from '../crypto/dun.ts';
import { EBUSY } from '../crypto/profile/types.ts';
import { RandomStream } from '../engine/random.ts';
import type { WaitEdge } from '../engine/waits.ts';
import { NO_GAUGES } from '../trace/log.ts';
import { ST_WAIT_DISPATCH, ST_WAIT_KEYSLOT, ST_WAIT_TAG } from '../trace/stages.ts';
import { Block } from './block.ts';
import type { KeyslotPolicy } from './crypto.ts';
import { CryptoRig, type CryptoRigOptions, encrypted, plain } from './crypto-testing.ts';
import { Kyber } from './schedulers/kyber.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { ScriptedLld, type Step, TEST_LIMITS } from './testing.ts';
import { REQ_NOWAIT, STS_AGAIN, STS_OK } from './types.ts';

const POLICIES: readonly KeyslotPolicy[] = [
  'submit',
  'before-tag',
  'dispatch-block',
  'dispatch-hold-encrypted',
  'dispatch-hold-key',
];
const AT_DISPATCH = POLICIES.slice(2);

/** Each step submitted by a task of its own, 20 µs after the one before; 100 µs at the device. */
function arrivals(options: CryptoRigOptions, ...steps: Step[]): CryptoRig {
  const rig = new CryptoRig({ cpus: 8, programNs: 1_000, ...options });
  steps.forEach((step, i) => rig.task([step], i % 8, i * 20_000));
  return rig.finish();
}

/** First sectors in the order in which the driver got them. */
function order(rig: CryptoRig): number[] {
  return rig.lld.seen.map((rq) => rq.sector);
}

describe('a request that waits for its slot in the submission', () => {
  const FOUR = [encrypted(1, 0), encrypted(2, 800), encrypted(3, 1600), plain(2400)];

  it('holds a tag while it sleeps under `submit`: plain bios wait for a tag', () => {
    const rig = arrivals({ keyslotPolicy: 'submit', queueDepth: 3 }, ...FOUR);
    expect(rig.block.counters.tagWaits).toBe(1);
    const plainBio = rig.ended.find((bio) => bio.spec.sector === 2400);
    expect(plainBio?.stages[ST_WAIT_TAG]).toBeGreaterThan(30_000);
  });

  it('holds no tag under `before-tag`: plain bios pass', () => {
    const rig = arrivals({ keyslotPolicy: 'before-tag', queueDepth: 3 }, ...FOUR);
    expect(rig.block.counters.tagWaits).toBe(0);
    expect(order(rig).slice(0, 2)).toEqual([0, 2400]);
  });

  it.each(['submit', 'before-tag'] as const)('lets its plug go before it sleeps, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    rig.task([{ plug: 'start' }, encrypted(1, 0), encrypted(2, 800), { plug: 'finish' }]);
    rig.finish();
    expect(rig.log.count('UT')).toBe(1);
    expect(order(rig)).toEqual([0, 800]);
  });

  it.each(['submit', 'before-tag'] as const)('keeps its plug when it need not sleep, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 2 });
    rig.task([{ plug: 'start' }, encrypted(1, 0), encrypted(2, 800), { plug: 'finish' }]);
    rig.finish();
    expect(rig.log.count('UT')).toBe(0);
  });

  it('lets its plug go before its key is programmed by an operation that sleeps', () => {
    const rig = new CryptoRig({ keyslotPolicy: 'submit', slots: 2, way: 'sleep' });
    rig.task([{ plug: 'start' }, encrypted(1, 0), encrypted(2, 800), { plug: 'finish' }]);
    rig.finish();
    expect(rig.log.count('UT')).toBe(1);
  });

  it('sleeps although its bio is no-wait: nothing looks at the flag (1.6)', () => {
    const rig = arrivals({ keyslotPolicy: 'submit' }, encrypted(1, 0), encrypted(2, 800, { flags: REQ_NOWAIT }));
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_OK, STS_OK]);
    expect(rig.profile.counters.waits).toBe(1);
  });

  it('gives the slot back when a no-wait bio finds no tag under `before-tag`', () => {
    const options = { keyslotPolicy: 'before-tag', queueDepth: 1, slots: 1 } as const;
    const rig = arrivals(options, plain(0), encrypted(1, 800, { flags: REQ_NOWAIT }));
    expect(rig.ended[0].status).toBe(STS_AGAIN);
    expect(rig.profile.counters.programs).toBe(1);
    expect(rig.profile.table.idleCount).toBe(1);
  });

  it('keeps its slot when the driver gives it back', () => {
    const rig = new CryptoRig({ keyslotPolicy: 'submit' });
    rig.lld.bounces = () => (rig.lld.bounced < 2 ? 0 : undefined);
    rig.task([encrypted(1, 0)]);
    rig.finish();
    expect(rig.block.keyslots.gets).toBe(1);
    expect(rig.requests[0].attempts).toBe(3);
  });
});

describe('a request that sleeps for its slot with a tag', () => {
  it('is shown as waiting for the requests that hold the slots', () => {
    const rig = new CryptoRig({ keyslotPolicy: 'submit' });
    rig.lld.completes = false;
    rig.task([encrypted(1, 0), encrypted(2, 800)]);
    rig.run();
    const edges: WaitEdge[] = [];
    rig.block.reportWaits((edge) => edges.push(edge));
    rig.profile.reportWaits((edge) => edges.push(edge));
    expect(edges).toContainEqual({ waiter: 'request 3', resource: 'a keyslot for key 2', holders: ['request 2'] });
    expect(edges).toContainEqual(expect.objectContaining({ waiter: 'submitter/0', holders: ['request 2'] }));
  });

  it('I-54: keeps slot and DUN when it is requeued, and is issued once per dispatch', () => {
    const rig = new CryptoRig({ keyslotPolicy: 'submit' });
    const issued: string[] = [];
    const { answer } = rig.lld;
    rig.lld.answer = (rq) => {
      issued.push(`slot ${rig.block.requests.keyslot[rq]}, DUN ${loadDun(rig.block.requests.dun, rq)}`);
      return answer(rq);
    };
    rig.lld.bounces = () => (rig.lld.bounced < 1 ? 10_000 : undefined);
    rig.task([encrypted(1, 0, { dun: 2n ** 64n })]);
    rig.finish();
    expect(issued).toEqual([`slot 0, DUN ${2n ** 64n}`, `slot 0, DUN ${2n ** 64n}`]);
  });
});

describe('a request that finds no slot at dispatch', () => {
  // 0: takes the only slot; 800: must wait; 1600: key loaded; 2400: plain
  const MIX = [encrypted(1, 0), encrypted(2, 800), encrypted(1, 1600), plain(2400)];

  it('blocks everything behind it under `dispatch-block`: plain requests and those whose key is loaded', () => {
    const rig = arrivals({ keyslotPolicy: 'dispatch-block' }, ...MIX);
    expect(order(rig)[1]).toBe(800);
    const plainBio = rig.ended.find((bio) => bio.spec.sector === 2400);
    expect(plainBio?.queuedNs).toBeLessThan(rig.lld.seen[0].atNs + 100_000);
    expect(rig.lld.seen.find((rq) => rq.sector === 2400)?.atNs).toBeGreaterThan(rig.lld.seen[0].atNs + 100_000);
    expect(rig.block.keyslots.blocks).toBeGreaterThan(0);
    expect(rig.block.keyslots.blockedNs).toBeGreaterThan(50_000);
  });

  it('tells its own wait for the slot from that of those behind it, under `dispatch-block`', () => {
    const rig = arrivals({ keyslotPolicy: 'dispatch-block' }, encrypted(1, 0), encrypted(2, 800), plain(1600));
    const [, blocker] = rig.ended.toSorted((a, b) => a.queuedNs - b.queuedNs);
    const victim = rig.ended.find((bio) => bio.spec.sector === 1600);
    expect(blocker.stages[ST_WAIT_KEYSLOT]).toBeGreaterThan(50_000);
    expect(blocker.stages[ST_WAIT_DISPATCH]).toBeLessThan(10_000);
    expect(victim?.stages[ST_WAIT_KEYSLOT]).toBe(0);
  });

  it('holds back encrypted requests only under `dispatch-hold-encrypted`, also those whose key is loaded', () => {
    const rig = arrivals({ keyslotPolicy: 'dispatch-hold-encrypted' }, ...MIX);
    expect(order(rig)).toEqual([0, 2400, 800, 1600]);
  });

  it('holds back nobody else under `dispatch-hold-key`', () => {
    const rig = arrivals({ keyslotPolicy: 'dispatch-hold-key' }, ...MIX);
    expect(order(rig)).toEqual([0, 1600, 2400, 800]);
  });

  it('gets a slot in order of arrival under `dispatch-hold-key`, and takes those of its key along', () => {
    const keys = [1, 2, 3, 2, 4];
    const rig = arrivals(
      { keyslotPolicy: 'dispatch-hold-key' },
      ...keys.map((key, i) => encrypted(key, 800 * i, { flags: 0 })),
    );
    expect(order(rig)).toEqual([0, 800, 2400, 1600, 3200]);
    expect(rig.profile.counters.programs).toBe(4);
  });

  it.each(AT_DISPATCH)('loses the slot with the driver, and gets it anew, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    rig.lld.bounces = () => (rig.lld.bounced < 2 ? 0 : undefined);
    rig.task([encrypted(1, 0)]);
    rig.finish();
    expect(rig.block.keyslots.gets).toBe(3);
    expect(rig.profile.counters.programs).toBe(1);
  });

  it.each(AT_DISPATCH)('is tried again after 3 ms when the hardware was busy, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    rig.ops.statuses.push(EBUSY);
    rig.task([encrypted(1, 0)]);
    rig.finish();
    expect(rig.ended[0].status).toBe(STS_OK);
    expect(rig.block.counters.requeues).toBe(1);
  });

  it.each(AT_DISPATCH)(
    'has its key programmed by an operation that sleeps, in a BLOCKING tag set, under `%s`',
    (keyslotPolicy) => {
      const rig = arrivals({ keyslotPolicy, way: 'sleep', blocking: true, programNs: 30_000 }, ...MIX);
      expect(rig.machine.violations).toEqual([]);
      expect(rig.ended).toHaveLength(4);
    },
  );

  it.each(AT_DISPATCH)('goes on after a quiesce during which the slot came free, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    rig.task([
      encrypted(1, 0),
      encrypted(2, 800),
      { call: () => rig.block.quiesce() },
      { sleepNs: 500_000 },
      { call: (x) => rig.block.unquiesce(x) },
    ]);
    rig.finish();
    expect(rig.lld.seen[1].atNs).toBeGreaterThan(500_000);
    expect(rig.ended).toHaveLength(2);
  });

  it.each(AT_DISPATCH)('is waited for by a freeze, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    let frozenNs = NaN;
    rig.task([
      encrypted(1, 0),
      encrypted(2, 800),
      { enter: (x) => rig.block.freeze(x) },
      { call: () => (frozenNs = rig.engine.now) },
      { call: (x) => rig.block.unfreeze(x) },
    ]);
    rig.finish();
    expect(frozenNs).toBeGreaterThanOrEqual(rig.ended[1].endedNs);
  });

  it.each(AT_DISPATCH)('is shown as waiting for the holders of slots, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    rig.lld.completes = false;
    rig.task([encrypted(1, 0), encrypted(2, 800)]);
    rig.run();
    const edges: WaitEdge[] = [];
    rig.block.reportWaits((edge) => edges.push(edge));
    expect(edges).toContainEqual({ waiter: 'request 3', resource: 'a keyslot for key 2', holders: ['request 2'] });
  });
});

describe('two queues on the slots of one profile', () => {
  it.each(AT_DISPATCH)('both hear of a free slot, under `%s`', (keyslotPolicy) => {
    const rig = new CryptoRig({ keyslotPolicy });
    const { engine, machine, workqueues, log, profile } = rig;
    const config = { limits: TEST_LIMITS, queueDepth: 4, hwQueues: 1, keyslotPolicy };
    const other = new Block({ engine, machine, workqueues, log, gauges: NO_GAUGES }, config);
    const lld = new ScriptedLld(engine, machine);
    lld.block = other;
    other.attach(lld);
    other.attachProfile(profile);
    const submitToOther = (x: number): void => {
      const bio = other.bios.alloc();
      other.bios.bytes[bio] = 4096;
      other.bios.segments[bio] = 1;
      other.bios.setCrypt(bio, 2, 0n, 4096);
      other.bios.endKind[bio] = engine.register('test.other-end', (ended) => other.bios.release(ended));
      other.bios.rows.start(bio, engine.now);
      other.submitBio(x, bio);
    };
    rig.task([encrypted(1, 0), { enter: submitToOther }, { sleepNs: 20_000 }, encrypted(3, 800)]);
    rig.run();
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_OK, STS_OK]);
    expect(lld.seen).toHaveLength(1);
    expect([...other.checkEmpty(), ...rig.block.checkEmpty(), ...profile.checkEmpty()]).toEqual([]);
  });
});

describe('storms of plain and encrypted bios', () => {
  const schedulers: [string, () => CryptoRigOptions][] = [
    ['no scheduler', () => ({})],
    ['mq-deadline', () => ({ scheduler: new MqDeadline() })],
    ['kyber', () => ({ scheduler: new Kyber() })],
    ['two hardware queues', () => ({ hwQueues: 2 })],
    ['two hardware queues on one tag set', () => ({ hwQueues: 2, hostTagset: true })],
  ];
  const cases = POLICIES.flatMap((policy) => schedulers.map(([name, options]) => [policy, name, options] as const));

  it.each(cases)(
    'end whole, without a lost wake-up or a slot left, under `%s` with %s',
    (keyslotPolicy, name, options) => {
      for (let seed = 1; seed <= 4; seed++) {
        const random = new RandomStream(seed, `storm/${keyslotPolicy}/${name}`);
        const rig = new CryptoRig({ keyslotPolicy, slots: 1 + random.below(3), queueDepth: 4, cpus: 4, ...options() });
        rig.lld.latencyNs = () => 1_000 + random.below(100_000);
        rig.lld.bounces = () => (random.below(20) === 0 ? random.below(50_000) : undefined);
        for (let task = 0; task < 8; task++) rig.task(stormSteps(random), task % 4, random.below(30_000));
        rig.finish();
        expect(rig.ended.length).toBe(8 * 12);
        for (const bio of rig.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
      }
    },
  );
});

function stormSteps(random: RandomStream): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < 12; i++) {
    const sector = 8 * random.below(64);
    if (i % 4 === 0) steps.push({ plug: 'start' });
    steps.push(random.below(3) === 0 ? plain(sector) : encrypted(1 + random.below(5), sector));
    if (i % 4 === 3) steps.push({ plug: 'finish' });
    if (random.below(4) === 0) steps.push({ sleepPlugged: random.below(60_000) });
  }
  return steps;
}

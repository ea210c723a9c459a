import { describe, expect, it } from 'vitest';
import { loadDun } from '../crypto/dun.ts';
import { KeyTable } from '../crypto/key.ts';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MODE_ADIANTUM, MODE_AES_256_XTS } from '../crypto/mode.ts';
import { OK } from '../crypto/profile/types.ts';
import { ST_KEYSLOT_PROGRAM, ST_WAIT_KEYSLOT } from '../trace/stages.ts';
import type { KeyslotPolicy } from './crypto.ts';
import { CryptoRig, encrypted, plain } from './crypto-testing.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { OP_DISCARD, OP_WRITE, REQ_FUA, REQ_PREFLUSH, STS_INVAL, STS_IOERR, STS_NOTSUPP, STS_OK } from './types.ts';

const POLICIES: readonly KeyslotPolicy[] = [
  'submit',
  'before-tag',
  'dispatch-block',
  'dispatch-hold-encrypted',
  'dispatch-hold-key',
];

/** Statuses of the ended bios, in order of their submission times. */
function statuses(rig: CryptoRig): number[] {
  return rig.ended.map((bio) => bio.status);
}

describe.each(POLICIES)('under the policy %s', (keyslotPolicy) => {
  it('I-8: every encrypted request reaches the driver with the slot of its key', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 2 });
    for (let task = 0; task < 6; task++)
      rig.task([encrypted(task % 4, 800 * task), plain(800 * task + 400), encrypted(task % 3, 800 * task + 200)], 0);
    rig.finish();
    expect(rig.breaches).toEqual([]);
    expect(rig.ended).toHaveLength(18);
    expect(statuses(rig).every((status) => status === STS_OK)).toBe(true);
  });

  it('I-9: a plain request never has a slot, wherever it waits', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1, queueDepth: 4 });
    const slots = new Set<number>();
    const lookAtAll = rig.engine.register('test.look', () => {
      const { requests } = rig.block;
      for (let rq = 0; rq < requests.highWater; rq++) if (requests.keyId[rq] < 0) slots.add(requests.keyslot[rq]);
    });
    for (let at = 0; at < 1_000_000; at += 3_000) rig.engine.at(at, lookAtAll, 0);
    for (let task = 0; task < 6; task++) rig.task([encrypted(task, 800 * task), plain(800 * task + 400)], task % 2);
    rig.finish();
    expect([...slots]).toEqual([-1]);
    expect(rig.lld.seen).toHaveLength(12);
  });

  it('I-2: the references of a slot are the requests that point at it, at every instant', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 2, queueDepth: 4, scheduler: new MqDeadline(), nrRequests: 8 });
    const counts = new Set<number>();
    const count = rig.engine.register('test.count', () => counts.add(rig.profile.table.refs[0]));
    for (let at = 0; at < 1_000_000; at += 5_000) rig.engine.at(at, count, 0);
    for (let task = 0; task < 8; task++)
      rig.task(
        [0, 8, 400].map((sector) => encrypted(task % 3, 8000 * task + sector)),
        task % 2,
      );
    rig.finish(); // counts after every event
    expect(rig.breaches).toEqual([]);
    expect(Math.max(...counts)).toBeGreaterThan(1);
  });

  it('I-2: a reference that no request has is seen at once', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 2 });
    rig.task([encrypted(1, 0), { call: () => rig.profile.table.grab(0) }]);
    expect(() => rig.finish()).toThrow(
      /I-2: slot 0 has 2 references for 1 requests|I-2: slot 0 has 1 references for 0/,
    );
  });

  it('I-12: after all I/O no slot is in use, and the time slots were held is accounted', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 3 });
    rig.task([encrypted(1, 0), encrypted(2, 800), encrypted(1, 1600)]);
    rig.finish();
    expect(rig.profile.table.idleCount).toBe(3);
    expect(rig.block.keyslots.gets).toBe(3);
    expect(rig.block.keyslots.heldNs).toBeGreaterThanOrEqual(300_000);
    expect(rig.block.keyslots.inFlightNs).toBeLessThanOrEqual(rig.block.keyslots.heldNs);
  });

  it('programs each of N keys once when there are N slots, whatever the order of the requests', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 4 });
    for (let task = 0; task < 4; task++)
      rig.task(Array.from({ length: 8 }, (_, i) => encrypted((task + i) % 4, 8000 * task + 800 * i)));
    rig.finish();
    expect(rig.profile.counters.programs).toBe(4);
  });

  it('programs at every change of key when there is one slot and one request at a time', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1 });
    const keys = [1, 1, 2, 1, 2, 2, 3];
    rig.task(keys.flatMap((key, i) => [encrypted(key, 800 * i), { sleepNs: 1_000_000 }]));
    rig.finish();
    expect(rig.profile.counters.programs).toBe(5);
  });

  it('accounts every nanosecond: the wait for a slot and the programming have stages of their own', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1 });
    rig.task([encrypted(1, 0)]);
    rig.task([encrypted(2, 800)], 1, 20_000);
    rig.finish();
    for (const bio of rig.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
    const second = rig.ended[1];
    expect(second.stages[ST_WAIT_KEYSLOT]).toBeGreaterThan(50_000);
    expect(rig.ended[0].stages[ST_KEYSLOT_PROGRAM]).toBeGreaterThanOrEqual(10_000);
    expect(second.stages[ST_KEYSLOT_PROGRAM]).toBeGreaterThanOrEqual(10_000);
  });

  it('ends a bio with the error of a failed programming, and frees its request and tag', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1 });
    rig.ops.failNext();
    rig.task([encrypted(1, 0)]);
    rig.task([encrypted(2, 800)], 1, 5_000);
    rig.finish();
    expect(statuses(rig).toSorted()).toEqual([STS_OK, STS_IOERR]);
    expect(rig.block.keyslots.errors).toBe(1);
  });

  it('I-58: the slot is given back before the last bio of the request ends, so that the key can be evicted at once (I-59)', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1 });
    const evicted: number[] = [];
    rig.lld.partDone = () => undefined;
    const refsAtEnd: number[] = [];
    rig.block.onRequestDone = () => refsAtEnd.push(rig.profile.table.refs[0]);
    rig.task([
      encrypted(1, 0),
      { sleepNs: 1_000_000 },
      { enter: (x) => rig.profile.evict(x, 1) },
      { call: (x) => evicted.push(rig.profile.status(x)) },
    ]);
    const endedAtPut: number[] = [];
    const put = rig.profile.put.bind(rig.profile);
    rig.profile.put = (x, slot) => {
      endedAtPut.push(rig.ended.length);
      put(x, slot);
    };
    rig.finish();
    expect(evicted).toEqual([OK]);
    expect(endedAtPut).toEqual([0]); // of one bio
    expect(refsAtEnd).toEqual([0]);
    expect(rig.profile.warnings).toEqual([]);
  });

  it('keeps one slot and one reference through a merge of requests in the scheduler (release point of 1.6)', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 2, scheduler: new MqDeadline(), queueDepth: 1, nrRequests: 16 });
    rig.task([
      plain(4000), // has the only driver tag
      plain(8000), // waits for it
      { sleepNs: 20_000 },
      encrypted(1, 800),
      encrypted(1, 816),
      encrypted(1, 808), // closes the gap
    ]);
    rig.finish();
    expect(rig.block.counters.requestMerges).toBe(1);
    expect(rig.lld.seen.at(-1)).toMatchObject({ sector: 800, sectors: 24 });
  });

  it('gives the slot of the data step back before a flush that follows it', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1, limits: { writeCache: true } });
    const refsAtFlush: number[] = [];
    const { answer } = rig.lld;
    rig.lld.answer = (rq) => {
      if (rig.block.requests.isFlushRq[rq] !== 0) refsAtFlush.push(rig.profile.table.refs[0]);
      return answer(rq);
    };
    rig.task([encrypted(1, 0, { op: OP_WRITE, flags: REQ_FUA | REQ_PREFLUSH })]);
    rig.finish();
    expect(refsAtFlush.at(-1)).toBe(0);
    expect(statuses(rig)).toEqual([STS_OK]);
  });

  it('I-13: what is left of a request that was done in part is issued with the DUN that follows', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1 });
    const duns: bigint[] = [];
    const { answer } = rig.lld;
    rig.lld.answer = (rq) => {
      duns.push(loadDun(rig.block.requests.dun, rq));
      return answer(rq);
    };
    rig.lld.partDone = () => (duns.length === 1 ? 8192 : undefined);
    rig.task([encrypted(1, 0, { bytes: 16_384, dun: 0xffff_fffen })]);
    rig.finish();
    expect(duns).toEqual([0xffff_fffen, 0x1_0000_0000n]);
    expect(rig.machine.violations).toEqual([]);
  });

  it('I-13: as Linux has it (hazard S-8) the rest goes out under the DUN that was used, which is reported', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1, partialDun: 'kept' });
    const seen: [number, bigint][] = [];
    const { answer } = rig.lld;
    rig.lld.answer = (rq) => {
      seen.push([rig.block.requests.sector[rq], loadDun(rig.block.requests.dun, rq)]);
      return answer(rq);
    };
    rig.lld.partDone = () => (seen.length < 4 ? 4096 : undefined);
    rig.task([encrypted(1, 800, { bytes: 16_384, dun: 7 })]);
    expect(() => rig.finish()).toThrow('dun-requeue: request 2 goes on with the DUN that it began with');
    expect(seen).toEqual([800, 808, 816, 824].map((sector) => [sector, 7n]));
    expect(rig.machine.violations.map(({ law }) => law)).toEqual(['dun-requeue', 'dun-requeue', 'dun-requeue']);
  });

  it.each(['advanced', 'kept'] as const)('I-13: a retry of less than a data unit is reported, DUN %s', (partialDun) => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 1, partialDun });
    rig.lld.partDone = () => (rig.lld.seen.length === 1 ? 512 : undefined);
    rig.task([encrypted(1, 0, { bytes: 8192, segments: 1 })]);
    expect(() => rig.finish()).toThrow('dun-requeue: request 2 goes on in the midst of a data unit');
  });

  it('I-8: takes no slots from a profile that has none', () => {
    const rig = new CryptoRig({ keyslotPolicy, slots: 0 });
    rig.task([encrypted(1, 0), encrypted(2, 800)]);
    rig.finish();
    expect(statuses(rig)).toEqual([STS_OK, STS_OK]);
    expect(rig.block.keyslots.gets).toBe(0);
  });
});

describe('bios with an encryption context', () => {
  it('I-15: are refused as invalid when a segment is not a whole number of data units', () => {
    const rig = new CryptoRig();
    rig.task([
      encrypted(1, 0, { bytes: 6144, segments: 1 }),
      encrypted(1, 800, { bytes: 8192, segments: 4 }),
      encrypted(1, 1600, { bytes: 8192, segments: 2 }),
    ]);
    rig.finish();
    expect(statuses(rig)).toEqual([STS_INVAL, STS_INVAL, STS_OK]);
    expect(rig.block.keyslots.refused).toBe(2);
  });

  it('fail when they carry no data, with one warning', () => {
    const rig = new CryptoRig();
    rig.task([0, 800].map((sector) => encrypted(1, sector, { op: OP_DISCARD, segments: 0 })));
    rig.finish();
    expect(statuses(rig)).toEqual([STS_IOERR, STS_IOERR]);
    expect(rig.profile.warnings).toHaveLength(1);
  });

  it('I-18: end with NOTSUPP when mode, data unit size, DUN width or kind of key are not native', () => {
    const keys = new KeyTable();
    const config = { mode: MODE_AES_256_XTS, dataUnitSize: 4096, dunBytes: 8, keyType: KEY_TYPE_RAW };
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
    const ids = [
      keys.create(bytes, config),
      keys.create(bytes.subarray(0, 32), { ...config, mode: MODE_ADIANTUM }),
      keys.create(bytes, { ...config, dataUnitSize: 1024 }),
      keys.create(bytes, { ...config, dunBytes: 16 }),
      keys.create(bytes, { ...config, keyType: KEY_TYPE_HW_WRAPPED }),
    ];
    const rig = new CryptoRig({ keys });
    rig.task(ids.map((id, i) => encrypted(id, 800 * i)));
    rig.finish();
    const expected = [STS_NOTSUPP, STS_NOTSUPP, STS_NOTSUPP, STS_NOTSUPP, STS_OK]; // the refused ones end at once
    expect(statuses(rig).toSorted((a, b) => b - a)).toEqual(expected);
    expect(rig.lld.seen).toHaveLength(1);
  });

  it('I-19: in a merged request the DUN of every bio is the request’s plus the data units before it', () => {
    for (const scheduler of [undefined, new MqDeadline()]) {
      const rig = new CryptoRig({ slots: 2, ...(scheduler && { scheduler, queueDepth: 1, nrRequests: 16 }) });
      const wrong: string[] = [];
      let merged = 0;
      rig.lld.answer = (rq) => {
        const { requests, bios } = rig.block;
        let units = 0n;
        for (let bio = requests.bio[rq]; bio >= 0 && requests.keyId[rq] >= 0; bio = bios.next[bio]) {
          if (loadDun(bios.dun, bio) !== loadDun(requests.dun, rq) + units) wrong.push(`bio ${bio} of request ${rq}`);
          units += BigInt(bios.bytes[bio] / 4096);
        }
        if (units > 1n) merged++;
        return STS_OK;
      };
      const order = [4, 5, 6, 7, 3, 2, 1, 0];
      const bio = (i: number) => encrypted(1, 8 * i, { dun: 0xffff_fffcn + BigInt(i) });
      rig.task([plain(8000), plain(8800), { plug: 'start' }, ...order.map(bio), { plug: 'finish' }]);
      rig.task([{ sleepNs: 10_000 }, ...order.map((i) => encrypted(1, 800 + 8 * i))], 1);
      rig.finish();
      expect(wrong).toEqual([]);
      expect(merged).toBeGreaterThan(0);
      expect(rig.block.counters.merges).toBeGreaterThan(4);
    }
  });

  it.each([
    [
      'two key objects, even of equal bytes',
      [
        { keyId: 1, dun: 4 },
        { keyId: 2, dun: 5 },
      ],
    ],
    ['an encrypted one behind a plain one', [{}, { keyId: 1, dun: 5 }]],
    ['a plain one behind an encrypted one', [{ keyId: 1, dun: 5 }, {}]],
    [
      'DUNs with a gap',
      [
        { keyId: 1, dun: 4 },
        { keyId: 1, dun: 6 },
      ],
    ],
    [
      'the same DUN twice',
      [
        { keyId: 1, dun: 4 },
        { keyId: 1, dun: 4 },
      ],
    ],
    [
      'DUNs that run backwards',
      [
        { keyId: 1, dun: 5 },
        { keyId: 1, dun: 4 },
      ],
    ],
  ])('I-20: never merge: %s', (_what, [first, second]) => {
    for (const specs of [
      [
        { ...first, sector: 0 },
        { ...second, sector: 8 },
      ],
      [
        { ...second, sector: 8 },
        { ...first, sector: 0 },
      ],
    ]) {
      const rig = new CryptoRig({ slots: 2 });
      rig.task([{ plug: 'start' }, ...specs.map((submit) => ({ submit })), { plug: 'finish' }]);
      rig.finish();
      expect(rig.block.counters.merges + rig.block.counters.requestMerges).toBe(0);
      expect(rig.lld.seen).toHaveLength(2);
    }
  });

  it('I-20: merge only where the DUN runs on with carry, also over 2^64', () => {
    const last = 2n ** 64n - 1n;
    const rig = new CryptoRig();
    const duns: bigint[] = [];
    rig.lld.answer = (rq) => {
      duns.push(loadDun(rig.block.requests.dun, rq));
      return STS_OK;
    };
    rig.task([
      { plug: 'start' },
      encrypted(1, 8, { dun: 2n ** 64n }),
      encrypted(1, 0, { dun: last }), // in front
      encrypted(1, 16, { dun: 2n ** 64n + 1n }), // behind
      encrypted(1, 24, { dun: 2n }), // would follow if only 64 bits counted
      { plug: 'finish' },
    ]);
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.sectors)).toEqual([24, 8]);
    expect(duns).toEqual([last, 2n]);
  });

  it('I-20: a range that wraps through zero at the full width never merges', () => {
    const rig = new CryptoRig();
    rig.task([
      { plug: 'start' },
      encrypted(1, 0, { dun: 2n ** 256n - 1n }),
      encrypted(1, 8, { dun: 0 }),
      { plug: 'finish' },
    ]);
    rig.finish();
    expect(rig.block.counters.merges).toBe(0);
  });

  it('I-21: the parts of a split carry the key and DUNs that run on, exact above 2^53', () => {
    const dun = (7n << 32n) * 2n ** 24n + 0xffff_ffffn; // an inode in the upper half, as IV_INO_LBLK_64 has it
    const rig = new CryptoRig({ limits: { maxSectors: 16 } });
    const duns: bigint[] = [];
    rig.lld.answer = (rq) => {
      duns.push(loadDun(rig.block.requests.dun, rq));
      rig.lookAt(rq);
      return STS_OK;
    };
    rig.task([encrypted(3, 0, { bytes: 6 * 4096, dun })]);
    rig.finish();
    expect(duns).toEqual([dun, dun + 2n, dun + 4n]);
  });
});

describe('the life of keys and profiles', () => {
  const config = { mode: MODE_AES_256_XTS, dataUnitSize: 4096, dunBytes: 8, keyType: KEY_TYPE_RAW };

  it.each(POLICIES)('I-61: a key is not freed while a request has bios under it, under `%s`', (keyslotPolicy) => {
    const keys = new KeyTable();
    const keyId = keys.create(new Uint8Array(64), config);
    const rig = new CryptoRig({ keys, keyslotPolicy, slots: 0 }); // no slot points at it
    const told: unknown[] = [];
    const free = (): void => {
      try {
        keys.free(keyId);
        told.push('freed');
      } catch (error) {
        told.push((error as Error).message);
      }
    };
    rig.task([encrypted(keyId, 0), { sleepNs: 20_000 }, { call: free }, { sleepNs: 1_000_000 }, { call: free }]);
    rig.finish();
    expect(told).toEqual(['key 0 is freed while it is used by request 2', 'freed']);
  });

  it('I-62: a profile is destroyed after its queue has let it go, and then no slot points at any key', () => {
    const keys = new KeyTable();
    const keyId = keys.create(new Uint8Array(64), config);
    const rig = new CryptoRig({ keys, slots: 2 });
    rig.task([encrypted(keyId, 0)]);
    rig.finish();
    rig.block.detachProfile();
    rig.profile.destroy();
    keys.free(keyId);
    expect(rig.machine.violations).toEqual([]);
    expect(rig.profile.slots).toBe(0);
    rig.task([plain(800)], 0, rig.engine.now);
    rig.finish(); // the queue goes on without it
    expect(statuses(rig)).toEqual([STS_OK, STS_OK]);
  });

  it('I-62: a queue that goes with requests inside is reported', () => {
    const rig = new CryptoRig({ slots: 2 });
    rig.task([encrypted(1, 0), { call: () => rig.block.detachProfile() }]);
    expect(() => rig.finish()).toThrow('keyslot-lifetime: a queue goes with 1 users inside');
  });
});

describe('attaching a profile', () => {
  it('I-64: is refused by a queue that does integrity', () => {
    const rig = new CryptoRig({ integrity: true });
    expect(rig.attached).toBe(false);
    rig.task([plain(0), encrypted(1, 800)]);
    rig.finish();
    expect(rig.profile.warnings).toHaveLength(1);
    expect(statuses(rig).toSorted((a, b) => a - b)).toEqual([STS_OK, STS_NOTSUPP]);
    expect(rig.lld.seen.map(({ sector }) => sector)).toEqual([0]); // never a request with both
  });

  it('I-56: makes it a breach to program keys at dispatch by an operation that sleeps, unless the tag set is BLOCKING', () => {
    const program = (blocking: boolean): CryptoRig => {
      const rig = new CryptoRig({ keyslotPolicy: 'dispatch-hold-key', way: 'sleep', blocking });
      rig.task([encrypted(1, 0)]);
      return rig;
    };
    const breaching = program(false);
    expect(() => breaching.run()).toThrow(
      /^atomic-sleep: programming a key may sleep, called in submitter.*, in the dispatch of a queue that is not BLOCKING$/,
    );
    expect(breaching.machine.violations).toHaveLength(1);
    expect(breaching.ended).toHaveLength(1);
    expect(program(true).finish().ended).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { CryptoRig } from './crypto-testing.ts';
import { MqDeadline } from './schedulers/mq-deadline.ts';
import { Rig, type BioSpec, type RigOptions } from './testing.ts';
import { OP_READ, OP_WRITE, OP_WRITE_ZEROES, REQ_FUA, REQ_NOMERGE, REQ_PREFLUSH, ioprio } from './types.ts';

/** Submits two bios in one plug, to a device that encrypts without keyslots, and says how many requests the driver saw. */
function requestsOf(first: BioSpec, second: BioSpec, options: RigOptions = {}): Rig {
  const rig = new CryptoRig({ slots: 0, ...options });
  rig.task([{ plug: 'start' }, { submit: first }, { submit: second }, { plug: 'finish' }]);
  return rig.finish();
}

const SAME = { keyId: 1, dataUnitSize: 4096 };
const WRITE_CACHE = { limits: { writeCache: true, fua: true } };

describe('merging a bio', () => {
  it.each<[string, BioSpec, BioSpec, RigOptions?]>([
    ['behind a request', { sector: 0 }, { sector: 8 }],
    ['in front of a request', { sector: 8 }, { sector: 0 }],
    ['with the same ioprio', { sector: 0, ioprio: ioprio(2, 4) }, { sector: 8, ioprio: ioprio(2, 4) }],
    ['with the same key and data units that run on', { sector: 0, dun: 7, ...SAME }, { sector: 8, dun: 8, ...SAME }],
    ['in front with data units that run on', { sector: 8, dun: 8, ...SAME }, { sector: 0, dun: 7, ...SAME }],
    ['up to max_sectors', { bytes: 32_768 }, { sector: 64, bytes: 32_768 }, { limits: { maxSectors: 128 } }],
  ])('happens %s', (_name, first, second, options) => {
    const rig = requestsOf(first, second, options);
    expect(rig.lld.seen).toHaveLength(1);
    expect(rig.lld.seen[0].sectors * 512).toBe((first.bytes ?? 4096) + (second.bytes ?? 4096));
    expect(rig.lld.seen[0].sector).toBe(Math.min(first.sector ?? 0, second.sector ?? 0));
    expect(rig.ended).toHaveLength(2);
  });

  it.each<[string, BioSpec, BioSpec, RigOptions?]>([
    ['ioprio', { ioprio: ioprio(2, 4) }, { sector: 8, ioprio: ioprio(1, 4) }],
    ['write hint', { op: OP_WRITE, writeHint: 1 }, { op: OP_WRITE, sector: 8, writeHint: 2 }],
    ['crypto key', { dun: 0, ...SAME }, { sector: 8, dun: 1, ...SAME, keyId: 2 }],
    ['presence of a crypto key', {}, { sector: 8, dun: 1, ...SAME }],
    ['data unit numbers: a gap behind', { dun: 7, ...SAME }, { sector: 8, dun: 9, ...SAME }],
    ['data unit numbers: a gap in front', { sector: 8, dun: 9, ...SAME }, { sector: 0, dun: 7, ...SAME }],
    ['PREFLUSH', { op: OP_WRITE }, { op: OP_WRITE, sector: 8, flags: REQ_PREFLUSH }, WRITE_CACHE],
    ['FUA', { op: OP_WRITE }, { op: OP_WRITE, sector: 8, flags: REQ_FUA }, WRITE_CACHE],
    ['NOMERGE', {}, { sector: 8, flags: REQ_NOMERGE }],
    ['segments', { bytes: 16_384 }, { sector: 32, bytes: 16_384 }, { limits: { maxSegments: 7 } }],
    ['max_sectors', { bytes: 32_768 }, { sector: 64 }, { limits: { maxSectors: 64 } }],
    ['the chunk boundary', { sector: 120 }, { sector: 128 }, { limits: { chunkSectors: 128 } }],
    ['direction', { op: OP_READ }, { op: OP_WRITE, sector: 8 }],
    ['operation: write zeroes', { op: OP_WRITE_ZEROES }, { op: OP_WRITE_ZEROES, sector: 8 }],
    ['place', {}, { sector: 16 }],
    ['nomerges 2', {}, { sector: 8 }, { nomerges: 2 }],
  ])('check 11: is refused by %s', (_name, first, second, options) => {
    const rig = requestsOf(first, second, options);
    expect(rig.lld.seen.filter((rq) => rq.op !== 'flush')).toHaveLength(2);
    expect(rig.block.counters.merges).toBe(0);
  });

  it('reaches a request in the software queue of its CPU, among the newest eight', () => {
    const rig = new Rig();
    rig.task([
      { call: () => rig.block.quiesce() },
      ...Array.from({ length: 9 }, (_, i) => ({ submit: { sector: i * 800 } })),
      { submit: { sector: 808 } }, // behind the second: eighth from the end
      { submit: { sector: 8 } }, // behind the first: ninth from the end
      { call: (x) => rig.block.unquiesce(x) },
    ]);
    rig.finish();
    expect(rig.block.counters.merges).toBe(1);
    expect(rig.requests.filter((rq) => rq.bios === 2).map((rq) => rq.sector)).toEqual([800]);
  });

  it('check 12: a front merge moves the request to its new start, and mq-deadline sorts it anew', () => {
    const rig = new Rig({ scheduler: new MqDeadline(), queueDepth: 1, nrRequests: 16 });
    rig.task([
      { submit: { sector: 4000 } }, // has the only driver tag
      { submit: { sector: 8000 } }, // was taken out of the scheduler and waits for the tag
      { sleepNs: 20_000 },
      { submit: { sector: 816 } },
      { submit: { sector: 812, bytes: 1024 } },
      { submit: { sector: 814, bytes: 1024 } }, // touches 816 in front
    ]);
    rig.finish();
    expect(rig.lld.seen.slice(2).map((rq) => rq.sector)).toEqual([812]);
    expect(rig.block.counters.merges + rig.block.counters.requestMerges).toBe(2);
    for (const bio of rig.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
  });

  it('keeps exact accounting when one request is appended to another', () => {
    const rig = new Rig({ scheduler: new MqDeadline(), queueDepth: 1, nrRequests: 16 });
    rig.task([
      { submit: { sector: 4000 } },
      { submit: { sector: 8000 } },
      { sleepNs: 20_000 },
      { submit: { sector: 8 } }, // the older one, swallowed by the younger
      { submit: { sector: 24 } },
      { sleepNs: 7_000 },
      { submit: { sector: 16 } },
      { submit: { sector: 0 } },
    ]);
    rig.finish();
    expect(rig.ended).toHaveLength(6);
    for (const bio of rig.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
    for (const rq of rig.requests) expect(rq.totalNs).toBe(rq.completedNs - rq.queuedNs);
    expect(rig.requests.at(-1)).toMatchObject({ sector: 0, bytes: 16_384, bios: 4 });
  });
});

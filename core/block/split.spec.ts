import { describe, expect, it } from 'vitest';
import { loadDun } from '../crypto/dun.ts';
import { CryptoRig } from './crypto-testing.ts';
import { Rig, type BioSpec, type RigOptions } from './testing.ts';
import {
  OP_DISCARD,
  OP_WRITE,
  OP_WRITE_ZEROES,
  REQ_NOWAIT,
  STS_AGAIN,
  STS_IOERR,
  STS_NOTSUPP,
  STS_OK,
} from './types.ts';

function submitted(bio: BioSpec, options: RigOptions = {}): Rig {
  const rig = new Rig(options);
  rig.task([{ submit: bio }]);
  return rig.finish();
}

/** [sector, sectors] of every request the driver saw. */
function extents(rig: Rig): number[][] {
  return rig.lld.seen.map((rq) => [rq.sector, rq.sectors]);
}

describe('splitting', () => {
  it('check 13: a 4 MiB read splits at every max_sectors, with one Q', () => {
    const rig = submitted(
      { bytes: 4 << 20, segments: 64 },
      { limits: { maxSectors: 2560, maxSegments: 256, maxSegmentSize: 65_536 } },
    );
    expect(extents(rig)).toEqual([
      [0, 2560],
      [2560, 2560],
      [5120, 2560],
      [7680, 512],
    ]);
    expect(rig.log.of('X').map((e) => e.id2)).toEqual([2560, 5120, 7680]);
    expect(rig.log.count('Q')).toBe(1);
    expect(rig.log.count('G')).toBe(4);
  });

  it('check 13: a segment limit splits before max_sectors does', () => {
    const rig = submitted({ bytes: 40 * 4096 }, { limits: { maxSegments: 16 } });
    expect(extents(rig)).toEqual([
      [0, 128],
      [128, 128],
      [256, 64],
    ]);
  });

  it('check 13: a segment longer than the segment size counts as several', () => {
    const rig = submitted({ bytes: 4 * 65_536, segments: 4 }, { limits: { maxSegments: 4, maxSegmentSize: 32_768 } });
    expect(extents(rig)).toEqual([
      [0, 256],
      [256, 256],
    ]);
  });

  it('check 13: a split ends on a physical block', () => {
    const rig = submitted({ sector: 3, bytes: 61 * 512, segments: 8 }, { limits: { maxSectors: 36 } });
    expect(extents(rig)).toEqual([
      [3, 29],
      [32, 32],
    ]);
  });

  it('check 13: a discard splits so that the next part starts on the granularity', () => {
    const rig = submitted(
      { op: OP_DISCARD, sector: 5, bytes: 200 * 512, segments: 0 },
      { limits: { maxDiscardSectors: 100, discardGranularity: 8192 } },
    );
    expect(extents(rig)).toEqual([
      [5, 91],
      [96, 96],
      [192, 13],
    ]);
  });

  it('splits write zeroes at their own limit', () => {
    const rig = submitted(
      { op: OP_WRITE_ZEROES, bytes: 300 * 512, segments: 0 },
      { limits: { maxWriteZeroesSectors: 128 } },
    );
    expect(extents(rig)).toEqual([
      [0, 128],
      [128, 128],
      [256, 44],
    ]);
  });

  it('check 14: no request crosses a chunk boundary', () => {
    const rig = submitted({ sector: 100, bytes: 400 * 512, segments: 50 }, { limits: { chunkSectors: 128 } });
    for (const [sector, sectors] of extents(rig))
      expect(Math.floor(sector / 128)).toBe(Math.floor((sector + sectors - 1) / 128));
    expect(extents(rig)[0]).toEqual([100, 28]);
    expect(extents(rig).reduce((sum, [, sectors]) => sum + sectors, 0)).toBe(400);
  });

  it('I-15: keeps data units whole, and their numbers running on (I-21)', () => {
    const duns: bigint[] = [];
    const rig = new CryptoRig({ slots: 0, limits: { maxSectors: 20, physicalBlockSize: 512 } });
    rig.lld.answer = (rq) => {
      duns.push(loadDun(rig.block.requests.dun, rq));
      return STS_OK;
    };
    rig.task([{ submit: { bytes: 8 * 4096, keyId: 3, dun: 100, dataUnitSize: 4096 } }]);
    rig.finish();
    expect(extents(rig).map(([, sectors]) => sectors)).toEqual([16, 16, 16, 16]);
    expect(duns).toEqual([100n, 102n, 104n, 106n]);
  });

  it('check 11: the front part of a split never grows', () => {
    const rig = new Rig({ limits: { maxSectors: 64 } });
    rig.task([
      { plug: 'start' },
      { submit: { bytes: 34_816, sector: 8 } },
      { submit: { sector: 76 } },
      { plug: 'finish' },
    ]);
    rig.finish();
    expect(extents(rig)).toEqual([
      [8, 64],
      [72, 12],
    ]);
  });

  it('ends the bio with its last part, with the first error, and accounts for that part', () => {
    const rig = new Rig({ limits: { maxSectors: 64 } });
    rig.lld.latencyNs = (rq) => (rig.block.requests.sector[rq] === 64 ? 900_000 : 50_000);
    rig.lld.outcome = (rq) => (rig.block.requests.sector[rq] === 0 ? STS_IOERR : STS_OK);
    rig.task([{ submit: { bytes: 192 * 512, op: OP_WRITE } }]);
    rig.finish();
    expect(rig.ended).toHaveLength(1);
    const [bio] = rig.ended;
    expect(bio.status).toBe(STS_IOERR);
    expect(bio.endedNs).toBeGreaterThan(900_000);
    expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
    expect(rig.block.counters).toMatchObject({ bytesCompleted: 128 * 512, bytesFailed: 64 * 512 });
  });

  it('fails a NOWAIT bio that needs a split with EAGAIN', () => {
    const rig = submitted({ bytes: 65_536, flags: REQ_NOWAIT }, { limits: { maxSectors: 64 } });
    expect(rig.ended[0].status).toBe(STS_AGAIN);
    expect(rig.lld.seen).toHaveLength(0);
  });
});

describe('the checks of submit_bio', () => {
  it.each<[string, BioSpec, number, RigOptions?]>([
    ['beyond the end of the device', { sector: 1000 }, STS_IOERR, { capacitySectors: 1000 }],
    ['a discard without discard support', { op: OP_DISCARD }, STS_NOTSUPP, { limits: { maxDiscardSectors: 0 } }],
    ['write zeroes without support', { op: OP_WRITE_ZEROES }, STS_NOTSUPP, { limits: { maxWriteZeroesSectors: 0 } }],
    ['off the logical block', { sector: 1 }, STS_IOERR, { limits: { logicalBlockSize: 4096 } }],
  ])('refuse %s', (_name, bio, status, options) => {
    const rig = submitted(bio, options);
    expect(rig.ended.map((e) => e.status)).toEqual([status]);
    expect(rig.log.count('G')).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { ufs31Tlc } from './profiles/ufs-3.1-tlc.ts';
import type { ProfileOverrides } from './profile.ts';
import { auditTranslation, TestBench, tinyProfile } from './test-bench.ts';

const CAPACITY = 2 ** 25;

/** `count` random 4 KiB overwrites from a seeded stream, 16 at a time, until the device is quiet. */
function overwrite(overrides: ProfileOverrides, count: number, seed = 1, blocks = 1): TestBench {
  const bench = new TestBench(tinyProfile(overrides), CAPACITY, { seed });
  const offsets = bench.engine.stream('test/offsets');
  let left = count;
  const next = bench.engine.register('test.next', (cmd) => {
    if (left-- > 0) bench.write(cmd, offsets.below(CAPACITY / 4096 - blocks), blocks);
  });
  const plain = bench.writeDone.bind(bench);
  bench.writeDone = (cmd) => {
    plain(cmd);
    bench.engine.after(0, next, cmd);
  };
  for (let cmd = 0; cmd < 16; cmd++) bench.engine.after(0, next, cmd);
  bench.run();
  return bench;
}

const cases: [string, ProfileOverrides][] = [
  ['25 % spare', { ftl: { overprovisioningPermille: 250 } }],
  ['7 % spare', { ftl: { overprovisioningPermille: 73 } }],
  ['an SLC cache', { slc: { enabled: true, permille: 100 } }],
  ['an SLC cache that migrates under load', { slc: { enabled: true, permille: 100, migrate: 'exhausted' } }],
  ['a fresh device with a dynamic cache', { ftl: { precondition: 'none' }, slc: { enabled: true, dynamic: true } }],
  ['suspended programs and erases', { timing: { suspendNs: 20_000 } }],
  ['four bits per cell', { geometry: { pagesPerBlock: 16, pagesPerProgram: 4 } }],
];

describe.each(cases)('random overwrites on %s', (_name, overrides) => {
  const bench = overwrite(overrides, 20_000);

  it('are all done, and every logical unit has exactly one valid place', () => {
    expect(bench.of('writeDone').length).toBe(20_000);
    expect(bench.inexact).toEqual([]);
    expect(auditTranslation(bench.media)).toEqual([]);
  });

  it('cost copies, within reason, and wear the blocks evenly enough', () => {
    const statistics = bench.media.statistics();
    expect(statistics.erases).toBeGreaterThan(100);
    expect(statistics.writeAmplification).toBeGreaterThan(1);
    expect(statistics.writeAmplification).toBeLessThan(8);
    expect(statistics.programmedBytes).toBe(
      statistics.writtenBytes + statistics.collectedBytes + statistics.migratedBytes + statistics.paddedBytes,
    );
  });

  it('leave the device idle with nothing in its pools', () => {
    expect(bench.media.isIdle()).toBe(true);
    const open = bench.media.dies.ops.inUse;
    expect(open).toBeLessThanOrEqual(bench.media.geometry.dies); // copies that wait for company
  });
});

describe('collection', () => {
  it('costs less the more spare flash there is', () => {
    const waf = (permille: number): number => {
      const { media } = overwrite({ ftl: { overprovisioningPermille: permille } }, 20_000);
      return media.statistics().writeAmplification;
    };
    const [little, medium, much] = [waf(300), waf(600), waf(1500)];
    expect(little).toBeGreaterThan(medium);
    expect(medium).toBeGreaterThan(much);
  });

  it('of sequentially overwritten data copies next to nothing', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    let at = 0;
    const units = CAPACITY / 4096;
    const next = bench.engine.register('test.next', (cmd) => {
      if (at < 3 * units) bench.write(cmd, (at += 8) % (units - 8), 8);
    });
    bench.writeDone = (cmd) => {
      bench.engine.after(0, next, cmd);
    };
    for (let cmd = 0; cmd < 8; cmd++) bench.engine.after(0, next, cmd);
    bench.run();
    expect(bench.media.statistics().writeAmplification).toBeLessThan(1.2);
  });

  it('goes on with large writes that need much room at once', () => {
    const bench = overwrite({ ftl: { overprovisioningPermille: 73 } }, 400, 3, 128);
    expect(bench.of('writeDone').length).toBe(400);
    expect(auditTranslation(bench.media)).toEqual([]);
  });

  it('gives the same answers at the same times for the same seed', () => {
    const times = (seed: number): number[] => overwrite({}, 5_000, seed).answers.map((a) => a.atNs);
    expect(times(5)).toEqual(times(5));
    expect(times(5)).not.toEqual(times(6));
  });
});

describe('a terabyte', () => {
  it('needs memory only for what was touched', () => {
    const capacity = 2 ** 40;
    const bench = new TestBench(ufs31Tlc, capacity);
    const offsets = bench.engine.stream('test/offsets');
    for (let round = 0; round < 100; round++) {
      for (let cmd = 0; cmd < 200; cmd++) bench.write(cmd, offsets.below(capacity / 4096));
      bench.run();
    }
    bench.read(0, capacity / 4096 - 1);
    bench.run();
    expect(bench.of('writeDone').length).toBe(20_000);
    expect(bench.media.statistics().mapMemoryBytes).toBeLessThan(4 * 2 ** 20); // 64 bytes a page, and the open blocks
  });
});

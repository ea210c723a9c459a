import { describe, expect, it } from 'vitest';
import type { GaugeLog } from '../trace/log.ts';
import { auditTranslation, TestBench, tinyProfile } from './test-bench.ts';

const CAPACITY = 2 ** 24;
const KIB = 1024;
/** An SLC program of a row: 32 KiB over the channel, then 200 us. */
const SLC_PROGRAM_NS = 232_768;
/** A cache of one block per die, 128 KiB each. */
const cached = { slc: { enabled: true, sizeBytes: 512 * KIB, idleDelayNs: 1_000_000 } };

/** Keeps the run alive up to `untilNs`, as a host that is merely idle does. */
function idleUntil(bench: TestBench, untilNs: number): void {
  bench.engine.at(
    untilNs,
    bench.engine.register('test.idle', () => undefined),
    0,
  );
  bench.run();
}

describe('write buffer', () => {
  it('takes a write at once while it has room, and makes the next wait for the program that frees it', () => {
    const bench = new TestBench(tinyProfile({ ...cached, buffer: { writeBytes: 32 * KIB } }), CAPACITY);
    bench.write(0, 0, 8);
    bench.write(1, 8, 8);
    bench.run();
    expect(bench.of('writeGranted').map((a) => [a.cmd, a.atNs, a.waitNs])).toEqual([
      [0, 0, 0],
      [1, SLC_PROGRAM_NS, SLC_PROGRAM_NS],
    ]);
    expect(bench.of('writeDone').map((a) => a.atNs)).toEqual([0, SLC_PROGRAM_NS]);
    expect(bench.media.statistics().bufferPeakBytes).toBe(32 * KIB);
    expect(bench.media.isIdle()).toBe(true);
  });

  it('grants in order: a small write does not overtake a large one', () => {
    const bench = new TestBench(tinyProfile({ ...cached, buffer: { writeBytes: 64 * KIB } }), CAPACITY);
    bench.write(0, 0, 12);
    bench.write(1, 100, 8);
    bench.write(2, 200, 1);
    bench.run();
    expect(bench.of('writeGranted').map((a) => a.cmd)).toEqual([0, 1, 2]);
    expect(bench.of('writeGranted')[2].atNs).toBeGreaterThan(0);
  });

  it('lets a write larger than itself through once it is empty', () => {
    const bench = new TestBench(tinyProfile({ ...cached, buffer: { writeBytes: 32 * KIB } }), CAPACITY);
    bench.write(0, 0, 1);
    bench.write(1, 8, 64);
    bench.run();
    expect(bench.of('writeDone').map((a) => a.cmd)).toEqual([0, 1]);
    expect(auditTranslation(bench.media)).toEqual([]);
  });

  it('answers reads of data that is not on flash yet from memory', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    bench.write(0, 40, 1);
    bench.read(1, 40, 2); // 40 in memory, 41 on flash
    bench.run(100_000);
    expect(bench.of('readReady').map((a) => [a.atNs, a.bytes, a.last])).toEqual([
      [1_000, 4096, false],
      [54_096, 4096, true],
    ]);
    expect(bench.media.isIdle()).toBe(false);
    bench.run(); // the write-back timer ends it
    expect(bench.media.isIdle()).toBe(true);
    expect(bench.media.statistics().paddedBytes).toBe(7 * 4096);
  });

  it('reports its fill level as a gauge', () => {
    const seen: [string, number][] = [];
    const names: string[] = [];
    const gauges: GaugeLog = {
      on: true,
      define: (name) => names.push(name) - 1,
      set: (gauge, value) => seen.push([names[gauge], value]),
    };
    const bench = new TestBench(tinyProfile(cached), CAPACITY, { gauges });
    bench.write(0, 0, 8);
    bench.run();
    expect(seen).toEqual([
      ['media.slc.free', 512 * KIB],
      ['media.buffer', 32 * KIB],
      ['media.slc.free', 480 * KIB],
      ['media.dies.busy', 1],
      ['media.dies.busy', 0],
      ['media.buffer', 0],
    ]);
  });
});

describe('flush, FUA and discard', () => {
  it('a flush ends when everything written before is on flash', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    bench.write(0, 0, 1);
    bench.flush(1);
    bench.write(2, 8, 1);
    bench.run();
    expect(bench.of('flushDone').map((a) => [a.cmd, a.atNs, a.waitNs, a.workNs])).toEqual([
      [1, SLC_PROGRAM_NS, 0, SLC_PROGRAM_NS],
    ]);
    expect(bench.inexact).toEqual([]);
  });

  it('a flush of nothing is over at once', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    bench.flush(0);
    expect(bench.of('flushDone').map((a) => a.atNs)).toEqual([0]);
  });

  it('a FUA write ends when its last program has ended, not before', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    bench.fua = true;
    bench.write(0, 0, 20); // dies 0, 1, 2: the third queues for the channel of the first
    bench.run();
    expect(bench.of('writeDone').map((a) => [a.atNs, a.waitNs, a.workNs])).toEqual([
      [SLC_PROGRAM_NS + 32_768, 32_768, SLC_PROGRAM_NS],
    ]);
  });

  it('discarded blocks read from memory and leave nothing valid behind', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.discard(0, 10, 100);
    bench.run();
    expect(bench.of('discardDone').map((a) => [a.atNs, a.workNs])).toEqual([[50_000, 50_000]]);
    bench.read(1, 50);
    bench.read(2, 9);
    bench.run();
    expect(bench.of('readReady').map((a) => [a.cmd, a.atNs])).toEqual([
      [1, 51_000],
      [2, 104_096],
    ]);
    expect(auditTranslation(bench.media)).toEqual([]);
  });

  it('a whole device can be discarded, and written again', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.discard(0, 0, CAPACITY / 4096);
    bench.write(1, 77, 3);
    bench.run();
    const valid = bench.media.ftl.blocks.valid.reduce((a, b) => a + b, 0);
    expect(valid).toBe(3);
    expect(auditTranslation(bench.media)).toEqual([]);
  });
});

describe('SLC cache', () => {
  function fill(bench: TestBench, kib: number): void {
    for (let cmd = 0; cmd < kib / 32; cmd++) bench.write(cmd, cmd * 8, 8);
    bench.run();
  }

  it('takes writes until it is full; then they go to native blocks', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    fill(bench, 512);
    expect(bench.media.statistics().slcFreeBytes).toBe(0);
    expect(bench.media.statistics().programs).toBe(16); // a row each
    fill(bench, 96);
    expect(bench.media.statistics().programs).toBe(17); // three rows in one
  });

  it('is emptied into native blocks in idle time', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    fill(bench, 512);
    expect(bench.media.statistics().migratedBytes).toBe(0);
    idleUntil(bench, 1e9);
    expect(bench.media.statistics().migratedBytes).toBe(512 * KIB);
    expect(bench.media.statistics().slcFreeBytes).toBe(512 * KIB);
    expect(bench.media.isIdle()).toBe(true);
    expect(auditTranslation(bench.media)).toEqual([]);
  });

  it('is emptied under load when the profile says so', () => {
    const bench = new TestBench(tinyProfile({ slc: { ...cached.slc, migrate: 'exhausted' } }), CAPACITY);
    fill(bench, 1024);
    expect(bench.media.statistics().migratedBytes).toBeGreaterThan(0);
    expect(auditTranslation(bench.media)).toEqual([]);
  });

  it('stops migrating when a command comes, and idle work alone does not keep a run alive', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    fill(bench, 512);
    expect(bench.engine.isQuiet()).toBe(true);
    const moved = (): number => bench.media.statistics().migratedBytes;
    bench.engine.at(
      bench.engine.now + 1e9, // the run goes on
      bench.engine.register('test.idle', () => undefined),
      0,
    );
    for (let atNs = bench.engine.now; moved() === 0; atNs += 10_000) bench.run(atNs);
    bench.read(0, 2000);
    bench.run(bench.engine.now + 900_000); // less than the delay after which idle work begins
    const interrupted = moved();
    expect(interrupted).toBeLessThanOrEqual(2 * 4 * 32 * KIB); // at most one row more per die
    bench.run();
    expect(moved()).toBe(512 * KIB);
  });

  it('reads faster than native blocks', () => {
    const bench = new TestBench(tinyProfile(cached), CAPACITY);
    fill(bench, 32);
    const fromNs = bench.engine.now;
    bench.read(0, 3);
    bench.run();
    expect(bench.answers.at(-1)?.atNs).toBe(fromNs + 25_000 + 4096);
  });
});

describe('addresses', () => {
  it('beyond the capacity are a mistake of the caller', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    expect(() => bench.read(0, CAPACITY / 4096)).toThrow('not on a device of 4096');
    expect(() => bench.write(0, CAPACITY / 4096 - 1, 2)).toThrow('not on a device of 4096');
    expect(() => bench.discard(0, -1, 1)).toThrow('not on a device of 4096');
  });

  it('of a preconditioned device and their inverse agree, on every die and channel', () => {
    const { geometry } = new TestBench(tinyProfile(), CAPACITY - 12 * KIB).media;
    const dies = new Set<number>();
    for (let lba = 0; lba < geometry.userUnits; lba++) {
      const ppa = geometry.filledPpa(lba);
      expect(geometry.filledLba(ppa)).toBe(lba);
      dies.add(geometry.dieOfBlock(geometry.blockOf(ppa)));
    }
    expect([...dies].sort()).toEqual([0, 1, 2, 3]);
    let filled = 0;
    for (let die = 0; die < 4; die++) {
      for (let i = 0; i < geometry.filledBlocksPerDie; i++) filled += geometry.filledUnits(die, i);
    }
    expect(filled).toBe(geometry.userUnits);
  });
});

describe('host reset', () => {
  it('forgets commands, keeps data, and ends idle', () => {
    const bench = new TestBench(tinyProfile({ ...cached, buffer: { writeBytes: 64 * KIB } }), CAPACITY);
    bench.sendsData = false;
    bench.write(0, 0, 12); // granted, data never comes
    bench.sendsData = true;
    bench.write(1, 16, 4);
    bench.write(2, 24, 4); // waits
    bench.read(3, 500);
    bench.flush(4);
    bench.discard(5, 900, 8);
    const before = bench.answers.length;
    bench.media.abortAll();
    bench.run();
    expect(bench.answers.length).toBe(before);
    expect(bench.media.isIdle()).toBe(true);
    expect(bench.media.ftl.ownerOf(bench.media.geometry.blockOf(bench.media.ftl.lookup(17)), 1)).toBe(17);
    bench.write(0, 0, 16);
    bench.run();
    expect(bench.answers.at(-1)?.what).toBe('writeDone');
    expect(bench.media.dies.ops.inUse).toBe(0);
  });
});

describe('mapping cache and read-ahead', () => {
  it('a read outside the mapping cache reads the map first', () => {
    const bench = new TestBench(tinyProfile({ ftl: { mapCacheBytes: 2 ** 22 } }), CAPACITY);
    bench.read(0, 0);
    bench.run();
    bench.read(1, 1);
    bench.run();
    const done = bench.of('readReady').map((a) => a.atNs);
    expect(done[0]).toBe(25_000 + 4096 + 54_096);
    expect(done[1] - done[0]).toBe(54_096);
    expect(bench.inexact).toEqual([]);
  });

  it('read-ahead makes a sequential stream at depth 1 faster, and never serves rewritten data from memory', () => {
    const run = (windowBytes: number): TestBench => {
      const bench = new TestBench(tinyProfile({ readAhead: { windowBytes } }), CAPACITY);
      let at = 0;
      const plain = bench.readReady.bind(bench);
      bench.readReady = (cmd, bytes, last) => {
        plain(cmd, bytes, last);
        if (last && (at += 4) < 256) bench.read(cmd, at, 4);
      };
      bench.read(0, at, 4);
      bench.run();
      expect(bench.inexact).toEqual([]);
      return bench;
    };
    const plain = run(0);
    const ahead = run(128 * KIB);
    expect(ahead.of('readReady').length).toBe(64);
    expect(ahead.engine.now).toBeLessThan(plain.engine.now / 3);
    ahead.fua = true;
    ahead.write(1, 260); // was prefetched
    ahead.run();
    const fromNs = ahead.engine.now;
    ahead.read(0, 260);
    ahead.run();
    expect(ahead.engine.now - fromNs).toBe(54_096);
    expect(ahead.media.dies.ops.inUse).toBe(0);
  });
});

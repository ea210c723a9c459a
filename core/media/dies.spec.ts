/** Hand-computed times of the tiny device: tR 50,000 ns, TLC program 1,000,000, SLC program 200,000, one byte per ns on a channel, rows of 32 KiB. */
import { describe, expect, it } from 'vitest';
import { TestBench, tinyProfile } from './test-bench.ts';

const CAPACITY = 2 ** 24;
const UNIT_NS = 4096;
const ROW_NS = 32_768;

function lastReads(bench: TestBench): [number, number, number, number][] {
  return bench
    .of('readReady')
    .filter((a) => a.last)
    .map((a) => [a.cmd, a.atNs, a.waitNs, a.workNs]);
}

describe('reads', () => {
  it('take tR and the transfer of what was asked for', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.read(0, 5);
    bench.run();
    expect(lastReads(bench)).toEqual([[0, 50_000 + UNIT_NS, 0, 50_000 + UNIT_NS]]);
    expect(bench.engine.events).toBe(2);
  });

  it('of one die follow each other, and the second waits for the first', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.read(0, 0);
    bench.read(1, 4 * 8); // row 4: die 0 again
    bench.run();
    expect(lastReads(bench)[1]).toEqual([1, 2 * 54_096, 54_096, 54_096]);
  });

  it('of two dies of a channel overlap in the array and queue for the channel', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.read(0, 0);
    bench.read(1, 2 * 8); // row 2: die 2, channel 0
    bench.read(2, 1 * 8); // row 1: die 1, channel 1
    bench.run();
    expect(lastReads(bench)).toEqual([
      [0, 54_096, 0, 54_096],
      [2, 54_096, 0, 54_096],
      [1, 58_192, UNIT_NS, 54_096],
    ]);
  });

  it('of a whole row use all planes at once', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.read(0, 8, 8);
    bench.run();
    expect(lastReads(bench)).toEqual([[0, 50_000 + ROW_NS, 0, 50_000 + ROW_NS]]);
    expect(bench.media.statistics().flashReads).toBe(1);
  });

  it('of four rows stripe over channels and dies, and the last to arrive carries the stages', () => {
    const bench = new TestBench(tinyProfile(), CAPACITY);
    bench.read(0, 0, 32);
    bench.run();
    expect(bench.of('readReady').map((a) => [a.atNs, a.bytes, a.last])).toEqual([
      [82_768, 32_768, false],
      [82_768, 32_768, false],
      [115_536, 32_768, false],
      [115_536, 32_768, true],
    ]);
    expect(lastReads(bench)).toEqual([[0, 115_536, ROW_NS, 82_768]]);
  });

  it('vary only by the stream media/tR, and only when the profile says so', () => {
    const times = (jitterNs: number, seed: number): number[] => {
      const bench = new TestBench(tinyProfile({ timing: { readJitterNs: jitterNs } }), CAPACITY, { seed });
      for (let cmd = 0; cmd < 32; cmd++) bench.read(cmd, cmd * 8);
      bench.run();
      expect(bench.inexact).toEqual([]);
      return bench.answers.map((a) => a.atNs);
    };
    expect(times(0, 1)).toEqual(times(0, 2));
    expect(times(9_000, 1)).toEqual(times(9_000, 1));
    expect(times(9_000, 1)).not.toEqual(times(9_000, 2));
  });
});

describe('programs and reads of one die', () => {
  const PROGRAM_END = 3 * ROW_NS + 1_000_000; // a native unit is three rows

  function programThenRead(suspendNs: number, readAtNs: number): TestBench {
    const bench = new TestBench(tinyProfile({ timing: { suspendNs, maxSuspends: 1 } }), CAPACITY);
    bench.fua = true;
    bench.write(0, 100);
    const readKind = bench.engine.register('test.read', (cmd) => bench.read(cmd, cmd === 1 ? 0 : 32));
    bench.engine.at(readAtNs, readKind, 1);
    bench.run();
    expect(bench.inexact).toEqual([]);
    return bench;
  }

  it('a read waits for the program when the die cannot suspend', () => {
    const bench = programThenRead(0, 500_000);
    expect(bench.of('writeDone')[0].atNs).toBe(PROGRAM_END);
    expect(lastReads(bench)).toEqual([[1, PROGRAM_END + 54_096, PROGRAM_END - 500_000, 54_096]]);
  });

  it('a read suspends the program, which ends later by the read and the time to suspend', () => {
    const bench = programThenRead(20_000, 500_000);
    expect(lastReads(bench)).toEqual([[1, 520_000 + 54_096, 20_000, 54_096]]);
    expect(bench.of('writeDone')[0].atNs).toBe(PROGRAM_END + 20_000 + 54_096);
    expect(bench.media.statistics().suspends).toBe(1);
  });

  it('a program about to end is not suspended', () => {
    const bench = programThenRead(20_000, PROGRAM_END - 20_000);
    expect(bench.of('writeDone')[0].atNs).toBe(PROGRAM_END);
    expect(bench.media.statistics().suspends).toBe(0);
  });

  it('reads overtake a queued program up to maxReadsInRow times', () => {
    const profile = tinyProfile({ scheduling: { maxReadsInRow: 2 } });
    const bench = new TestBench(profile, CAPACITY);
    bench.fua = true;
    for (let cmd = 0; cmd < 4; cmd++) bench.read(cmd, cmd * 32); // all on die 0
    bench.write(4, 100); // die 0 is next for host data
    bench.run();
    expect(bench.answers.filter((a) => a.last).map((a) => a.cmd)).toEqual([0, 1, 2, 4, 3]);
    expect(bench.of('writeDone')[0].atNs).toBe(3 * 54_096 + PROGRAM_END);
  });

  it('no more dies program at once than the supply allows', () => {
    const bench = new TestBench(tinyProfile({ scheduling: { programBudgetDies: 1 } }), CAPACITY);
    bench.fua = true;
    bench.write(0, 100);
    bench.write(1, 200);
    bench.run();
    expect(bench.of('writeDone').map((a) => [a.cmd, a.atNs, a.waitNs])).toEqual([
      [0, PROGRAM_END, 0],
      [1, 2 * PROGRAM_END, PROGRAM_END],
    ]);
  });
});

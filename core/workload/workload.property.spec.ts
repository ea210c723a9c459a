/** What holds for every job: drawn job files (from a seed) run on drawn devices, all laws checked. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { DDIR_SYNC } from './io.ts';
import { Bench, deepest } from './testing.ts';

const RUNS = 60;

interface Case {
  readonly text: string;
  readonly seed: number;
  readonly latencyNs: number;
  readonly parallelism: number;
}

function drawCase(seed: number): Case {
  const stream = new RandomStream(seed, 'case');
  const oneOf = <T>(...options: readonly T[]): T => options[stream.below(options.length)];
  const maybe = (percent: number, option: () => string): string => (stream.below(100) < percent ? option() : '');
  const depth = oneOf(1, 2, 3, 8, 17, 32);
  const text = [
    `rw=${oneOf('read', 'write', 'rw', 'randread', 'randwrite', 'randrw', 'trimwrite', 'randtrimwrite', 'trim', 'randread:3')}`,
    `ioengine=${oneOf('psync', 'libaio', 'libaio', 'io_uring')} iodepth=${depth}`,
    oneOf('bs=4k', 'bs=16k', 'bs=4k,8k,16k', 'bsrange=4k-32k', 'bssplit=4k/60:20k/40', 'bs=2m'),
    `size=${oneOf('2m', '3m', '3000k', '4100k')}`,
    maybe(40, () => `iodepth_batch=${1 + stream.below(depth)}`),
    maybe(30, () => `iodepth_batch_complete_min=${stream.below(depth + 1)}`),
    maybe(30, () => `iodepth_batch_complete_max=${stream.below(depth + 4)}`),
    maybe(20, () => `iodepth_low=${1 + stream.below(depth)}`),
    maybe(30, () => `numjobs=${1 + stream.below(5)}`),
    maybe(
      20,
      () => `nrfiles=${1 + stream.below(4)} file_service_type=${oneOf('random', 'roundrobin:3', 'sequential')}`,
    ),
    maybe(25, () => `fsync=${1 + stream.below(6)}`),
    maybe(15, () => 'end_fsync=1'),
    maybe(15, () => `loops=${1 + stream.below(3)}`),
    maybe(15, () => `io_size=${oneOf('300k', '2m')}`),
    maybe(15, () => `number_ios=${1 + stream.below(60)}`),
    maybe(15, () => 'norandommap=1'),
    maybe(15, () => `random_distribution=${oneOf('zipf:1.1', 'pareto:0.3', 'normal:10', 'zoned:70/20:30/80')}`),
    maybe(15, () => `percentage_random=${stream.below(101)}`),
    maybe(15, () => `thinktime=${stream.below(200)} thinktime_blocks=${1 + stream.below(20)}`),
    maybe(15, () => `rate_iops=${1000 + stream.below(50_000)}`),
    maybe(15, () => `runtime=${1 + stream.below(20)}ms`),
    maybe(15, () => 'sync=1'),
  ].join(' ');
  return { text, seed, latencyNs: 1000 + stream.below(200_000), parallelism: stream.below(9) };
}

function bench({ text, seed, latencyNs, parallelism }: Case): Bench {
  return new Bench(text, { latency: { kind: 'exponential', meanNs: latencyNs }, parallelism }, {}, seed).run();
}

describe('any job', () => {
  it.each(Array.from({ length: RUNS }, (_, i) => drawCase(i + 1)))('$seed: $text', (drawn) => {
    const b = bench(drawn);
    expect(b.problems()).toEqual([]);
    expect(b.workload.errors()).toEqual([]);
    for (const { index, job, files, ioBytes } of b.workload.clones) {
      const ios = b.of(index);
      const data = ios.filter(({ ddir }) => ddir !== DDIR_SYNC);
      expect(deepest(ios)).toBeLessThanOrEqual(job.depth.ioDepth);
      const unitBytes = Math.min(...job.blocks.minBytes);
      for (const io of data) {
        const file = files.find(
          ({ startBytes, sizeBytes }) => io.offsetBytes >= startBytes && io.offsetBytes < startBytes + sizeBytes,
        );
        expect(file).toBeDefined();
        if (file === undefined) continue;
        expect(io.offsetBytes + io.sizeBytes).toBeLessThanOrEqual(file.startBytes + file.sizeBytes);
        expect((io.offsetBytes - file.startBytes) % unitBytes).toBe(0);
        expect(io.sizeBytes).toBeGreaterThan(0);
      }
      const counted = job.pattern.trimThenWrite ? data.filter(({ ddir }) => ddir === 1) : data;
      const bytes = counted.reduce((sum, io) => sum + io.sizeBytes, 0);
      const { loops } = job.schedule;
      expect(bytes).toBeLessThan(ioBytes * loops + Math.max(...job.blocks.maxBytes));
      if (job.region.numberIos > 0) expect(counted.length).toBeLessThanOrEqual(job.region.numberIos * loops);
    }
  });

  it('does the same again with the same seed', () => {
    for (const seed of [3, 7, 11]) {
      const [one, two] = [bench(drawCase(seed)), bench(drawCase(seed))];
      expect(two.done).toEqual(one.done);
      expect(two.engine.events).toBe(one.engine.events);
    }
  });
});

describe('a job with a random map', () => {
  it.each([1, 2, 3, 4, 5])('issues exactly its bytes, every block once (seed %i)', (seed) => {
    const text = 'rw=randrw bsrange=4k-32k size=2m ioengine=libaio iodepth=16 iodepth_batch=4';
    const { done } = bench({ text, seed, latencyNs: 20_000, parallelism: 4 });
    const seen = new Uint8Array(512);
    for (const { offsetBytes, sizeBytes } of done) {
      for (let block = offsetBytes / 4096; block < (offsetBytes + sizeBytes) / 4096; block++) seen[block]++;
    }
    expect(seen.every((n) => n === 1)).toBe(true);
  });
});

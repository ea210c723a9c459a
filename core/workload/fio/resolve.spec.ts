/** Defaults and derived defaults of blk-mq-and-formats 2.5.3. */
import { describe, expect, it } from 'vitest';
import { describe as describeJob, extentBytes, parseFio, type FioJob } from './index.ts';
import { HONOURED_OPTIONS } from './options-honoured.ts';

function jobs(text: string): readonly FioJob[] {
  const result = parseFio(text);
  const errors = result.issues.filter((issue) => issue.severity === 'error');
  expect(errors).toEqual([]);
  return result.jobs;
}

const job = (...lines: readonly string[]): FioJob => jobs(`[a]\n${lines.join('\n')}\n`)[0];

describe('an empty job', () => {
  it('has fio’s defaults: psync, read, 4 KiB, depth 1, the whole device, once', () => {
    const { engine, pattern, blocks, depth, region, schedule, numjobs, sync } = job();
    expect(engine).toEqual({ name: 'psync', isAsync: false, isPolled: false });
    expect(pattern).toMatchObject({
      isRandom: false,
      reads: true,
      writes: false,
      trims: false,
      readPercent: 50,
      ioPerOffset: 1,
    });
    expect(blocks).toMatchObject({
      minBytes: [4096, 4096, 4096],
      maxBytes: [4096, 4096, 4096],
      alignBytes: [4096, 4096, 4096],
    });
    expect(depth).toMatchObject({
      ioDepth: 1,
      low: 1,
      submitBatch: 1,
      completeMin: 1,
      completeMax: 1,
      submitMode: 'inline',
    });
    expect(region).toMatchObject({
      size: undefined,
      ioSize: undefined,
      offset: { unit: 'bytes', bytes: 0 },
      numberIos: 0,
    });
    expect(schedule).toMatchObject({ runtimeNs: 0, timeBased: false, loops: 1, stonewall: false, rampNs: 0 });
    expect(numjobs).toBe(1);
    expect(sync).toMatchObject({ isDirect: false, fsyncEvery: 0, syncWrites: 'none' });
  });

  it('draws from a repeatable tausworthe generator over a random map, seed 0x89', () => {
    expect(job('rw=randread').random).toMatchObject({
      generator: 'tausworthe',
      usesMap: true,
      isRepeatable: true,
      seed: 0x89,
      hasOwnSeed: false,
      randomPercent: [100, 100, 100],
      distribution: { kind: 'random' },
    });
  });
});

describe('inheritance', () => {
  it('gives each job the globals above it, later ones over earlier', () => {
    const list = jobs('[global]\nbs=4k\nrw=randread\n[one]\n[global]\nbs=8k\n[two]\nrw=write\n');
    expect(list.map(({ name, blocks, pattern }) => [name, blocks.minBytes[0], pattern.writes])).toEqual([
      ['one', 4096, false],
      ['two', 8192, true],
    ]);
  });

  it('works direction by direction', () => {
    const [a] = jobs('[global]\nbs=1k,2k,3k\n[a]\nbs=8k,32k,\n');
    expect(a.blocks.minBytes).toEqual([8192, 32768, 3072]);
  });

  it('drops engine options that the job’s engine does not have', () => {
    const [a, b] = jobs('[global]\nioengine=libaio\ncmdprio_percentage=10\n[a]\nioengine=psync\n[b]\n');
    expect(a.priority.command).toBeUndefined();
    expect(b.priority.command).toMatchObject({ percent: [10, 10], class: [1, 1], level: [0, 0] });
  });

  it('lets the later of two opposites win', () => {
    expect(job('direct=1', 'buffered=1').sync.isDirect).toBe(false);
    expect(job('buffered=1', 'direct=1').sync.isDirect).toBe(true);
    expect(job('direct=0', 'buffered=0').sync.isDirect).toBe(true);
    expect(job('rwmixread=30', 'rwmixwrite=20').pattern.readPercent).toBe(80);
    expect(job('rwmixwrite=20', 'rwmixread=30').pattern.readPercent).toBe(30);
  });
});

describe('what the I/Os are', () => {
  it.each<[string, Partial<FioJob['pattern']>]>([
    ['read', { isRandom: false, reads: true, writes: false, trims: false }],
    ['randwrite', { isRandom: true, reads: false, writes: true, trims: false }],
    ['randtrim', { isRandom: true, reads: false, writes: false, trims: true }],
    ['readwrite', { isRandom: false, reads: true, writes: true, trims: false }],
    ['randrw', { isRandom: true, reads: true, writes: true, trims: false }],
    ['trimwrite', { isRandom: false, reads: false, writes: true, trims: true, trimThenWrite: true }],
    ['randtrimwrite', { isRandom: true, reads: false, writes: true, trims: true, trimThenWrite: true }],
  ])('rw=%s', (word, pattern) => {
    expect(job(`rw=${word}`).pattern).toMatchObject(pattern);
  });

  it('takes block sizes from bssplit before bsrange before bs', () => {
    expect(job('bssplit=4k/50:64k/50', 'bs=8k').blocks).toMatchObject({
      minBytes: [4096, 4096, 4096],
      maxBytes: [65536, 65536, 65536],
    });
    expect(job('bsrange=1k-4k,8k-8k').blocks.sizes).toEqual([
      { kind: 'range', minBytes: 1024, maxBytes: 4096 },
      { kind: 'fixed', sizeBytes: 8192 },
      { kind: 'fixed', sizeBytes: 8192 },
    ]);
  });

  it('aligns sequential I/O to the block whatever blockalign says, and loses the map with another alignment', () => {
    expect(job('rw=read', 'ba=512').blocks.alignBytes).toEqual([4096, 4096, 4096]);
    const random = job('rw=randread', 'ba=512');
    expect(random.blocks.alignBytes).toEqual([512, 512, 512]);
    expect(random.random.usesMap).toBe(false);
  });

  it('loses the map with a distribution that is not uniform', () => {
    expect(job('rw=randread', 'random_distribution=zipf:1.2').random.usesMap).toBe(false);
    expect(job('rw=randread', 'norandommap').random.usesMap).toBe(false);
  });
});

describe('depth', () => {
  it('clamps batches and marks to the depth, 0 means the depth', () => {
    const { depth } = job(
      'ioengine=libaio',
      'iodepth=8',
      'iodepth_batch=16',
      'iodepth_low=64',
      'iodepth_batch_complete_min=4',
    );
    expect(depth).toMatchObject({ ioDepth: 8, submitBatch: 8, low: 8, completeMin: 4, completeMax: 4 });
    expect(job('ioengine=libaio', 'iodepth=8', 'iodepth_batch=0', 'iodepth_low=2').depth).toMatchObject({
      submitBatch: 8,
      low: 2,
    });
  });

  it('is 1 for synchronous engines unless submission is offloaded', () => {
    expect(job('iodepth=8').depth.ioDepth).toBe(1);
    expect(job('iodepth=8', 'io_submit_mode=offload').depth.ioDepth).toBe(8);
  });

  it('serialises overlaps only where they can happen', () => {
    expect(job('ioengine=libaio', 'iodepth=8', 'serialize_overlap=1').depth.serializeOverlap).toBe(false);
    expect(job('ioengine=libaio', 'iodepth=8', 'rw=write', 'serialize_overlap=1').depth.serializeOverlap).toBe(true);
  });
});

describe('time, in nanoseconds', () => {
  it('comes from seconds, microseconds and milliseconds', () => {
    const { schedule, pace } = job(
      'runtime=2',
      'time_based',
      'ramp_time=500ms',
      'startdelay=1-3',
      'thinktime=10',
      'rate_cycle=100',
      'max_latency=5ms,6ms',
    );
    expect(schedule).toMatchObject({
      runtimeNs: 2e9,
      timeBased: true,
      rampNs: 5e8,
      startDelayNs: { low: 1e9, high: 3e9 },
    });
    expect(pace).toMatchObject({ thinktimeNs: 10_000, rateCycleNs: 1e8, maxLatencyNs: [5e6, 6e6, 6e6] });
  });

  it('spins at most as long as it thinks', () => {
    expect(job('thinktime=10', 'thinktime_spin=50').pace.thinktimeSpinNs).toBe(10_000);
  });

  it('turns rate_iops into bytes by the smallest block', () => {
    expect(job('rate_iops=100,200', 'bsrange=2k-8k').pace).toMatchObject({
      rateBytes: [204_800, 409_600, 409_600],
      rateIops: [100, 200, 200],
    });
    expect(job('rate=1m').pace).toMatchObject({ rateBytes: [2 ** 20, 2 ** 20, 2 ** 20], rateIops: [0, 0, 0] });
  });
});

describe('groups, files, priorities', () => {
  it('starts a reporting group at stonewall and new_group', () => {
    const list = jobs('[a]\nstonewall\n[b]\n[c]\nstonewall\n[d]\nnew_group\n[e]\n');
    expect(list.map((each) => each.groupId)).toEqual([0, 0, 1, 2, 2]);
  });

  it('counts the named files, of which nrfiles can leave some out', () => {
    expect(job('filename=a:b\\:c:d').files).toMatchObject({ names: ['a', 'b:c', 'd'], count: 3, openCount: 3 });
    expect(job('filename=a:b:c', 'nrfiles=2', 'openfiles=8').files).toMatchObject({ count: 2, openCount: 2 });
    expect(job('nrfiles=4', 'openfiles=2').files).toMatchObject({ names: [], count: 4, openCount: 2 });
  });

  it('pins to CPUs by list or mask', () => {
    expect(job('cpus_allowed=0,2-3').cpus.allowed).toEqual([0, 2, 3]);
    expect(job('cpumask=0x80000001').cpus.allowed).toEqual([0, 31]);
    expect(job().cpus.allowed).toBeUndefined();
  });

  it('is best effort when only a level is given', () => {
    expect(job('prio=3').priority.ioprio).toEqual({ class: 2, level: 3 });
    expect(job('prioclass=1').priority.ioprio).toEqual({ class: 1, level: 0 });
    expect(job().priority.ioprio).toBeUndefined();
  });

  it('takes its name from name= before the section', () => {
    expect(job('name=other')).toMatchObject({ name: 'other', section: 'a', line: 1 });
  });
});

describe('extents', () => {
  it('are shares of the device until it is known', () => {
    expect(job('size=25%', 'offset=1m').region).toMatchObject({
      size: { unit: 'percent', percent: 25 },
      offset: { unit: 'bytes', bytes: 2 ** 20 },
    });
    expect(extentBytes({ unit: 'percent', percent: 25 }, 1_000_000)).toBe(250_000);
    expect(extentBytes({ unit: 'percent', percent: 25 }, 1_000_000, 4096)).toBe(253_952);
    expect(extentBytes({ unit: 'bytes', bytes: 100 }, 1_000_000, 4096)).toBe(100);
  });

  it('zones of strided jobs span what they hold unless a range is given', () => {
    expect(job('zonemode=strided', 'zonesize=1m', 'zoneskip=2m').region.zones).toEqual({
      sizeBytes: 2 ** 20,
      rangeBytes: 2 ** 20,
      skipBytes: 2 ** 21,
    });
    expect(job().region.zones).toBeUndefined();
  });
});

/** A value of each honoured option that differs from its default, with the lines it needs to have an effect. */
const SAMPLES =
  `description=x|name=x|ioengine=libaio|numjobs=2|thread|group_reporting|stonewall|rw=write|rw_sequencer=identical
rwmixread=10|rwmixwrite=10|bs=8k|bsrange=4k-8k|bssplit=4k/50:8k/50|ba=512 rw=randread|bs_unaligned|bs_is_seq_rand=1|filename=x|directory=x|nrfiles=2
openfiles=1 nrfiles=2|file_service_type=random|size=1m|io_size=1m|filesize=1m|offset=1m|offset_align=4k|offset_increment=1m|number_ios=9
zonesize=2m zonemode=strided zonesize=1m|zonerange=8m zonemode=strided zonesize=1m
zoneskip=8m zonemode=strided zonesize=1m|percentage_random=50|random_distribution=zipf:1.2|random_generator=lfsr|norandommap|randrepeat=0
allrandrepeat=1|randseed=7|iodepth=4 ioengine=libaio|iodepth_low=2 ioengine=libaio iodepth=8|iodepth_batch=2 ioengine=libaio iodepth=8
iodepth_batch_complete_min=2 ioengine=libaio iodepth=8|iodepth_batch_complete_max=2 ioengine=libaio iodepth=8|io_submit_mode=offload
serialize_overlap=1 ioengine=libaio iodepth=8 rw=write|startdelay=1|runtime=1|time_based runtime=1|ramp_time=1|loops=2|thinktime=1
thinktime_spin=1 thinktime=2|thinktime_blocks=2|thinktime_blocks_type=issue|thinktime_iotime=1|rate=1m|rate_min=1m|rate_iops=9|rate_iops_min=9
rate_process=poisson|rate_cycle=9|rate_ignore_thinktime=1|latency_target=1|latency_window=1|latency_percentile=9|latency_run=1|max_latency=1
flow=1|flow_id=1|direct=1|buffered=0|atomic=1|sync=1|fsync=1|fdatasync=1|end_fsync=1|fsync_on_close=1|write_barrier=1|sync_file_range=write
cpus_allowed=1|cpus_allowed_policy=split|cpumask=1|prio=1|prioclass=1|verify=md5|do_verify=0 verify=md5|verify_backlog=1 verify=md5
verify_backlog_batch=1 verify=md5|unified_rw_reporting=both|percentile_list=50|clat_percentiles=0|lat_percentiles=1|slat_percentiles=1
continue_on_error=io`
    .split(/[|\n]/)
    .map((sample) => sample.split(' '))
    .map(([line, ...needed]) => ({ line, needed }));

describe('every honoured option', () => {
  it.each(SAMPLES)('$line changes the job', ({ line, needed }) => {
    expect(job(...needed, line)).not.toEqual(job(...needed));
  });

  it('has such a sample, but for those that cannot act alone', () => {
    const sampled = new Set(SAMPLES.map(({ line }) => line.split('=')[0]));
    const others = HONOURED_OPTIONS.map(({ name }) => name).filter((name) => !sampled.has(name));
    expect(others).toEqual(['new_group', 'wait_for', 'kb_base', 'zonemode']);
  });

  it('includes those that need another job, a unit or a zone', () => {
    expect(jobs('[a]\n[b]\nnew_group\n')[1].groupId).toBe(1);
    expect(job('zonemode=strided', 'zonesize=1m').region.zones).toBeDefined();
    expect(jobs('[a]\n[b]\nwait_for=a\n')[1].schedule.waitFor).toBe('a');
    expect(job('kb_base=1000', 'bs=4k').blocks.minBytes[0]).toBe(4000);
  });
});

describe('describe', () => {
  it('tells a job in one line', () => {
    expect(
      describeJob(
        job(
          'rw=randrw',
          'rwmixread=70',
          'bs=4k,16k',
          'ioengine=libaio',
          'iodepth=32',
          'numjobs=2',
          'runtime=1500ms',
          'time_based',
        ),
      ),
    ).toBe('a: randrw 70/30 4 KiB | 16 KiB, libaio depth 32, 2 jobs, 1500 ms');
    expect(describeJob(job('rw=write', 'bssplit=4k/40:64k/60', 'size=1g', 'fsync=8', 'stonewall'))).toBe(
      'a: write 4 KiB 40% + 64 KiB 60%, psync, size 1 GiB, fsync every 8, after all before it',
    );
  });
});

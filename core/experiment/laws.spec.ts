/** The laws of the design (section 4) over a covering set of runs: every pair of device, scheduler, workload, engine and power saving meets in one of them. */
import { describe, expect, it } from 'vitest';
import { rowProblems, runDefinition, type TagRules } from './testing.ts';

interface Device {
  readonly name: string;
  readonly tags: TagRules;
  readonly device: (power: Power) => object;
}

interface Power {
  readonly name: string;
  readonly ufs: object;
  /** What a device without clocks varies instead. */
  readonly latency: unknown;
}

const POWERS: readonly Power[] = [
  { name: 'always on', ufs: { clockGating: false, runtimePm: false, autoHibern8: 0 }, latency: '80us' },
  {
    name: 'gating that waits',
    ufs: { generation: 'blocking', gateAfter: '30us', autosuspend: '3ms', autoHibern8: 0 },
    latency: { distribution: 'uniform', min: '20us', max: '200us' },
  },
  {
    name: 'gating that answers busy',
    ufs: { generation: 'busy', gateAfter: '30us', autosuspend: '3ms', autoHibern8: '100us' },
    latency: { distribution: 'exponential', mean: '90us' },
  },
];

const ufs =
  (host: object, profile: string, more: object = {}) =>
  (power: Power) => ({
    kind: 'ufs',
    capacity: '1GiB',
    host,
    media: { profile },
    power: power.ufs,
    ...more,
  });

const DEVICES: readonly Device[] = [
  {
    name: 'null with two queues',
    tags: { depth: 16, isShared: false },
    device: ({ latency }) => ({
      kind: 'null',
      capacity: '1GiB',
      queueDepth: 16,
      hwQueues: 2,
      parallelism: 6,
      bandwidth: '2GB',
      latency,
    }),
  },
  {
    name: 'UFS 2.1',
    tags: { depth: 31, isShared: false },
    device: ufs({ generation: 'ufs-2.1', interruptAggregation: true }, 'ufs-2.1-tlc'),
  },
  { name: 'UFS 3.1', tags: { depth: 31, isShared: false }, device: ufs({ generation: 'ufs-3.1' }, 'ufs-3.1-tlc') },
  {
    name: 'UFS 3.1 with five slots',
    tags: { depth: 4, isShared: false },
    device: ufs({ generation: 'ufs-3.1', lanes: 1 }, 'ufs-3.1-tlc', { queueDepth: 5 }),
  },
  {
    name: 'UFS 4.0 with MCQ',
    tags: { depth: 63, isShared: true },
    device: ufs({ generation: 'ufs-4.0' }, 'ufs-4.0-tlc'),
  },
];

const SCHEDULERS = ['none', 'mq-deadline', 'kyber'];
const ENGINES = ['libaio', 'io_uring', 'psync'];

const thinking = 'thinktime=400us\nthinktime_blocks=16\n';
const WORKLOADS: readonly { readonly name: string; readonly jobs: string }[] = [
  {
    name: 'random reads',
    jobs: `[read]\nrw=randread\nbs=4k\nnorandommap\nsize=512k\nnumber_ios=120\nnumjobs=3\n${thinking}`,
  },
  {
    name: 'mixed sizes with fsync',
    jobs: `[mix]\nrw=randrw\nbsrange=4k-64k\nfsync=5\nnumber_ios=60\nnumjobs=2\n${thinking}[log]\nrw=write\nbs=4k\nsync=dsync\nnumber_ios=30\n`,
  },
  {
    name: 'large sequential writes',
    jobs: `[write]\nrw=write\nbs=2m\nnumber_ios=8\n${thinking}[plugged]\nrw=write\nbs=4k\noffset=8m\niodepth_batch=8\nnumber_ios=64\n`,
  },
  {
    name: 'trims between reads and writes',
    jobs: `[trim]\nrw=randtrim\nbs=64k\nnumber_ios=40\n[pair]\nrw=trimwrite\nbs=16k\nnumber_ios=30\n${thinking}[read]\nrw=randread\nbs=8k\nnumber_ios=60\n`,
  },
];

/**
 * Devices × schedulers × workloads. Engine and power saving run through their values against each other: every pair of them occurs with every device,
 * every scheduler and every workload.
 */
/** After a pause in which a device that may suspend does, some reads that find it suspended. */
const AFTER_A_PAUSE = '[late]\nstonewall\nstartdelay=12ms\nrw=randread\nbs=4k\nnumber_ios=20\n';

const CASES = DEVICES.flatMap((device, d) =>
  SCHEDULERS.flatMap((scheduler, s) =>
    WORKLOADS.map((workload, w) => ({
      device,
      scheduler,
      workload,
      engine: ENGINES[(d + s + w) % 3],
      power: POWERS[(2 * d + s + 2 * w) % 3],
    })),
  ),
);

type Case = (typeof CASES)[number];

function definitionOf({ device, scheduler, workload, engine, power }: Case): unknown {
  return {
    format: 1,
    seed: 7,
    device: device.device(power),
    queue: { scheduler },
    workload: {
      fio: `[global]\nioengine=${engine}\ndirect=1\nfilename=/dev/sda\niodepth=12\nsize=16m\n${workload.jobs}${AFTER_A_PAUSE}`,
    },
  };
}

const nameOf = ({ device, scheduler, workload, engine, power }: Case): string =>
  `${workload.name} by ${engine} on ${device.name}, ${scheduler}, ${power.name}`;

describe('the laws hold', () => {
  it.each(CASES.map((c) => [nameOf(c), c] as const))('%s', (_, c) => {
    const run = runDefinition(definitionOf(c));
    const { violations, deadlock } = run.summary;
    const { status } = run.summary.run;
    expect({ status, violations, deadlock }).toEqual({ status: 'done', violations: [], deadlock: null });
    expect(rowProblems(run, c.device.tags)).toEqual([]);
    expect(run.summary.run.ios).toBeGreaterThan(50);
    expect(runDefinition(definitionOf(c)).summary.run.traceHash).toBe(run.summary.run.traceHash);
  });

  it('when requests merge with requests: what is left lies within the I/O whose stamps it carries', () => {
    const device = DEVICES[3];
    const run = runDefinition({
      format: 1,
      device: device.device(POWERS[0]),
      queue: { scheduler: 'mq-deadline', nrRequests: 64 },
      workload: {
        fio: '[read]\nioengine=libaio\ndirect=1\nrw=randread\nbs=4k\nfilename=/dev/sda\nsize=512k\nnorandommap\nloops=5\niodepth=16\nnumjobs=4\n',
      },
    });
    expect(run.summary.block.merges).toBeGreaterThan(100);
    expect(rowProblems(run, device.tags)).toEqual([]);
  });
});

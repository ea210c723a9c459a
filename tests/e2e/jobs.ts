/** Definitions that specs run. */

/** Short, with every kind of I/O: done in a second. */
export const SHORT_JOB = `[global]
ioengine=libaio
direct=1
bs=4k
size=64m
runtime=100ms
time_based=1

[app]
rw=randread
iodepth=16

[writer]
rw=write
offset=64m
fsync=8
`;

/** Runs for many minutes unless it is stopped. */
export const ENDLESS_JOB = SHORT_JOB.replace('100ms', '3600s');

export const MANY_IOS = 204_800;

/** `MANY_IOS` I/Os on a device of pure latency. */
export const manyIos = {
  format: 1,
  name: 'Many I/Os',
  seed: 7,
  device: { kind: 'null', latency: { distribution: 'exponential', mean: '80us' } },
  workload: { fio: '[many]\nioengine=libaio\ndirect=1\nrw=randread\nbs=4k\nsize=800m\niodepth=32\n' },
  run: { detail: 'requests' },
};

/** Eight readers draw one of `keys` keys for every I/O, and share `keyslots` slots. */
export const encrypted = (keyslots: number, keys: number) => ({
  format: 1,
  name: 'Keys and slots',
  seed: 3,
  device: {
    kind: 'null',
    latency: { distribution: 'exponential', mean: '100us' },
    queueDepth: 64,
    crypto: { keyslots, programTime: '15us' },
  },
  encryption: { jobs: { reader: { keyPer: 'io', keys } } },
  queue: { keyslotPolicy: 'before-tag' },
  workload: {
    fio: '[reader]\nioengine=psync\ndirect=1\nrw=randread\nbs=4k\nsize=64m\nnumjobs=8\ntime_based=1\nruntime=20ms\n',
  },
  run: { detail: 'requests' },
});

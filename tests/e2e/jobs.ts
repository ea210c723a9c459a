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

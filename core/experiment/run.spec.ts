/** How runs end, and what they answer: repeatability, deadlock with its chain, stopping, time limit, warm-up, broken laws. */
import { describe, expect, it } from 'vitest';
import { STS_OK } from '../block/types.ts';
import { ROUNDING_NS } from '../block/timeout.ts';
import { buildStack, type Stack } from './build.ts';
import { createRun } from './run.ts';
import type { RunObject } from './run-port.ts';
import { runDefinition, validExperiment } from './testing.ts';

const nothing = (): void => undefined;

const nullDevice = { kind: 'null', capacity: '1GiB', queueDepth: 4 };
const ufsDevice = { kind: 'ufs', capacity: '1GiB' };

function definitionOf(more: object = {}, jobs = 'iodepth=8\nnumber_ios=400\n'): object {
  return {
    format: 1,
    name: 'reads',
    device: nullDevice,
    workload: { fio: `[read]\nioengine=libaio\ndirect=1\nrw=randread\nbs=4k\nsize=64m\n${jobs}` },
    ...more,
  };
}

/** A run over a device whose driver accepts every request from the `from`-th on and never completes it, nor after its timeout. */
function runWithSilentDevice(definition: object, from: number): { readonly run: RunObject; readonly stack: Stack } {
  const experiment = validExperiment(definition);
  const stack = buildStack(experiment, nothing);
  const { lld } = stack.device;
  const accept = lld.queueRq.bind(lld);
  let seen = 0;
  lld.queueRq = (x, rq, last) => {
    if (++seen < from) {
      accept(x, rq, last);
      return;
    }
    stack.block.startRequest(rq);
    stack.block.queueRqDone(x, rq, STS_OK);
  };
  lld.timeout = () => true; // it says that it will see to it
  return { run: createRun(experiment, nothing, stack), stack };
}

describe('a run repeats', () => {
  const hashOf = (definition: object, sliceEvents?: number): string =>
    runDefinition(definition, sliceEvents).summary.run.traceHash;
  const base = definitionOf({ device: ufsDevice, seed: 3 });

  it('with the same hash and the same summary', () => {
    expect(runDefinition(base).summary).toEqual(runDefinition(base).summary);
  });

  it('with another hash for another seed', () => {
    expect(hashOf({ ...base, seed: 4 })).not.toBe(hashOf(base));
  });

  it('with the same hash at every level of detail', () => {
    const hashes = ['summary', 'requests', 'full'].map((detail) => hashOf({ ...base, run: { detail } }));
    expect(new Set(hashes)).toEqual(new Set([hashOf(base)]));
  });

  it('with the same hash whatever the size of a slice, and with the checks off', () => {
    expect(hashOf(base, 1)).toBe(hashOf(base));
    expect(hashOf(base, 977)).toBe(hashOf(base));
    expect(hashOf({ ...base, run: { check: false } })).toBe(hashOf(base));
  });
});

describe('detail', () => {
  it('summary gives no rows, requests the rows of I/Os and requests, full also events and spans', () => {
    const tablesAt = (detail: string): string[] => {
      const { tables } = runDefinition(definitionOf({ device: ufsDevice, run: { detail } }));
      return [...tables].filter(([, rows]) => rows.rows > 0).map(([table]) => table);
    };
    expect(tablesAt('summary')).toEqual([]);
    expect(tablesAt('requests').toSorted()).toEqual(['io', 'request']);
    expect(tablesAt('full')).toEqual(
      expect.arrayContaining(['io', 'request', 'event', 'span', 'gauge', 'register_log']),
    );
  });

  it('only stages that the stack can produce have a column', () => {
    const { io } = runDefinition(definitionOf());
    expect(io.names).toContain('st_wait_tag_ns');
    expect(io.names.filter((name) => name.includes('dm_') || name === 'st_link_ns')).toEqual([]);
  });
});

describe('a device that falls silent', () => {
  it('makes the run a deadlock: a result with the chain from the task over its bio and the tag to the device', () => {
    const { run } = runWithSilentDevice(definitionOf(), 101);
    while (run.slice(1000));
    const { run: end, deadlock, violations } = run.finish(false);
    expect(end.status).toBe('deadlock');
    expect(end.requests).toBe(100);
    expect(violations).toEqual([]);
    expect(deadlock?.chain).toEqual([
      'read.0 waits for the submission of its bio, held by bio 105',
      'bio 105 waits for tag of hctx 0, held by request 105 (and 3 more)',
      'request 105 waits for its completion, held by the device',
    ]);
    expect(deadlock?.lastEvents.at(-1)).toMatch(/^\d+ cpu\.burst/);
  });

  it('makes a run with tags to spare a deadlock too', () => {
    const { run } = runWithSilentDevice(definitionOf({}, 'iodepth=2\nnumber_ios=10\n'), 10);
    while (run.slice(1000));
    const { run: end, deadlock } = run.finish(false);
    expect(end).toMatchObject({ status: 'deadlock', requests: 9 });
    expect(deadlock?.chain.join()).toContain('read.0 waits for completion of 1 I/Os');
  });

  it('makes the run a deadlock also when the driver lets lost requests time out for ever', () => {
    const { run, stack } = runWithSilentDevice(definitionOf({ queue: { timeout: '1s' } }), 101);
    stack.device.lld.timeout = () => false; // it arms the timer again
    while (run.slice(1000));
    const { run: end, deadlock } = run.finish(false);
    expect(end).toMatchObject({ status: 'deadlock', requests: 100 });
    // at most two periods of ten timeouts, each noticed up to its rounding late
    expect(end.simNs).toBeLessThanOrEqual(2 * 10 * (1_000_000_000 + ROUNDING_NS));
    expect(deadlock?.chain.at(-1)).toBe('request 105 waits for its completion, held by the device');
  });

  it('is no deadlock when the user stops the run before', () => {
    const { run } = runWithSilentDevice(definitionOf(), 101);
    run.slice(200);
    expect(run.finish(true)).toMatchObject({ run: { status: 'stopped' }, deadlock: null });
  });
});

describe('the end of a run', () => {
  it('stopped: what was measured so far is summed up, nothing left over is blamed', () => {
    const run = createRun(validExperiment(definitionOf()), nothing);
    expect(run.slice(500)).toBe(true);
    const { fraction, events } = run.snapshot();
    expect(fraction).toBeGreaterThan(0);
    expect(fraction).toBeLessThan(1);
    expect(events).toBe(500);
    const summary = run.finish(true);
    expect(summary.run.status).toBe('stopped');
    expect(summary.jobs.read.read?.ios).toBe(summary.run.ios);
    expect(summary.violations).toEqual([]);
  });

  it('is done when asked to stop after it was over anyway', () => {
    const run = createRun(validExperiment(definitionOf()), nothing);
    while (run.slice(10_000));
    expect(run.slice(1)).toBe(false);
    expect(run.finish(true).run.status).toBe('done');
  });

  it('comes at run.until: nothing is submitted from then on, what is in flight drains', () => {
    const timed = definitionOf({ run: { until: '5ms' } }, 'iodepth=8\ntime_based\nruntime=1s\n');
    const { summary, io } = runDefinition(timed);
    const lastSubmitNs = Math.max(...io.column('submit_ns'));
    expect(summary.run.status).toBe('done');
    expect(lastSubmitNs).toBeLessThan(5_000_000);
    expect(lastSubmitNs).toBeGreaterThan(4_800_000);
    expect(summary.run.simNs).toBeGreaterThan(5_000_000);
    expect(summary.run.simNs).toBeLessThan(5_500_000);
  });

  it('is failed when a law was broken', () => {
    const experiment = validExperiment(definitionOf());
    const stack = buildStack(experiment, nothing);
    const run = createRun(experiment, nothing, stack);
    run.slice(200);
    stack.block.counters.bytesQueued += 512;
    while (run.slice(10_000));
    const { run: end, violations } = run.finish(false);
    expect(end.status).toBe('failed');
    expect(violations.join('\n')).toMatch(/bytes at \d+ ns: \d+ bytes queued, \d+ completed, 0 failed/);
  });

  it('breaks the law of the unexplained nanosecond when a stage is changed behind its back', () => {
    const experiment = validExperiment(definitionOf({}, 'iodepth=1\nnumber_ios=3\n'));
    const stack = buildStack(experiment, nothing);
    const run = createRun(experiment, nothing, stack);
    run.slice(10);
    stack.workload.ios.rows.ns[0] += 1;
    while (run.slice(10_000));
    expect(run.finish(false).violations.join('\n')).toMatch(/unexplained-time at \d+ ns: I\/O 1: stages sum to/);
  });
});

describe('warm-up', () => {
  it('leaves I/Os submitted before its end out of the statistics, not out of the rows', () => {
    const { summary, io } = runDefinition(definitionOf({ run: { warmup: '3ms' } }));
    const counted = [...io.column('submit_ns')].filter((ns) => ns >= 3_000_000).length;
    expect(counted).toBeGreaterThan(100);
    expect(counted).toBeLessThan(300);
    expect(summary.jobs.read.read?.ios).toBe(counted);
    expect(io.rows).toBe(400);
  });
});

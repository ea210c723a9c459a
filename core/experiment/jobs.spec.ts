/** What job files mean for the summary of a run: what counts, what ended early, what is cut. */
import { describe, expect, it } from 'vitest';
import { runDefinition } from './testing.ts';
import { validateDefinition } from './validate.ts';

function definitionOf(fio: string): object {
  return {
    format: 1,
    name: 'jobs',
    device: { kind: 'null', capacity: '1GiB', latency: '100us' },
    workload: { fio: `[global]\ndirect=1\nrw=randread\nbs=4k\n${fio}` },
  };
}

describe('ramp_time', () => {
  it('runs, but does not count', () => {
    const { summary } = runDefinition(definitionOf('[a]\nsize=64m\ntime_based\nruntime=10ms\nramp_time=10ms\n'));
    const counted = summary.jobs.a.read?.ios ?? 0;
    expect(summary.run.simNs).toBeGreaterThanOrEqual(20e6);
    expect(counted / summary.run.ios).toBeCloseTo(0.5, 1);
  });
});

describe('warnings of a run', () => {
  it('are none when every job did its work', () => {
    expect(runDefinition(definitionOf('[a]\nsize=64k\n')).summary.warnings).toEqual([]);
  });

  it('name the job that ended early, and why', () => {
    const { summary } = runDefinition(definitionOf('[a]\nsize=64k\nmax_latency=50us\n[b]\nsize=64k\n'));
    expect(summary.run.status).toBe('done');
    expect(summary.warnings).toEqual([
      expect.stringMatching(/^a\.0 ended early: I\/O \d+ took \d+ ns, above max_latency$/),
    ]);
    expect(summary.jobs.b.read?.ios).toBe(16);
  });
});

describe('validation of jobs against the machine', () => {
  const warningsOf = (fio: string): string[] =>
    validateDefinition(definitionOf(fio))
      .problems.filter(({ severity }) => severity === 'warning')
      .map(({ message }) => message);

  it('warns of a size that the device does not have', () => {
    expect(warningsOf('[a]\nsize=2g\n')).toEqual([expect.stringContaining('job "a": its size is cut to')]);
    expect(warningsOf('[a]\nsize=1g\n')).toEqual([]);
  });

  it('warns of CPUs that the machine does not have', () => {
    expect(warningsOf('[a]\nsize=1m\ncpus_allowed=0,99\n')).toEqual([expect.stringContaining('does not have: 99')]);
  });
});

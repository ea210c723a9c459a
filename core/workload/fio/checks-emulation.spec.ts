import { describe, expect, it } from 'vitest';
import { NOT_ACTED_ON } from './checks-emulation.ts';
import { parseFio } from './index.ts';

const ASKED: Readonly<Record<string, string>> = {
  hipri: 'ioengine=io_uring\nhipri',
  flow: 'flow=3',
  serialize_overlap: 'ioengine=libaio\niodepth=4\nrw=randwrite\nserialize_overlap=1',
  sync_file_range: 'sync_file_range=write:8',
  write_barrier: 'write_barrier=8',
  atomic: 'atomic=1',
  io_submit_mode: 'ioengine=libaio\nio_submit_mode=offload',
  rate_min: 'rate=1m\nrate_min=1k',
  rate_iops_min: 'rate_iops=100\nrate_iops_min=10',
  randseed: 'randseed=7',
};

function warningsOf(options: string): { readonly line: number; readonly message: string }[] {
  const { jobs, issues } = parseFio(`[a]\nsize=1m\ndirect=1\n${options}\n`);
  expect(jobs.length).toBe(1);
  return issues.filter(({ code }) => code === 'ignored').map(({ line, message }) => ({ line, message }));
}

describe('options that no generator acts on', () => {
  it('are all tried here', () => {
    expect(Object.keys(ASKED).sort()).toEqual(NOT_ACTED_ON.map(({ option }) => option).sort());
  });

  it.each(NOT_ACTED_ON.map(({ option, message }) => [option, message]))(
    '%s is reported at its line',
    (option, message) => {
      const options = ASKED[option];
      const line = 4 + options.split('\n').findIndex((text) => text.startsWith(option));
      expect(warningsOf(options)).toEqual([{ line, message: `${option}: ${message}` }]);
    },
  );

  it('are not reported for a job that does not ask for them', () => {
    expect(warningsOf('rw=randrw\nioengine=libaio\niodepth=8\nfsync=4\nsync=1\nrate_iops=100')).toEqual([]);
  });
});

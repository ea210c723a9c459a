import { describe, expect, it } from 'vitest';
import type { FioIssueCode } from './issues.ts';
import { findEngineOption, findOption } from './options.ts';
import { readValue } from './settings.ts';
import type { Value } from './values.ts';

function read(key: string, text: string): { value: Value | undefined; codes: FioIssueCode[] } {
  const codes: FioIssueCode[] = [];
  const spec = findOption(key) ?? findEngineOption(key, 'libaio');
  if (spec === undefined) throw new Error(`no such option: ${key}`);
  const complain = (code: FioIssueCode): void => {
    codes.push(code);
  };
  return { value: readValue(text, spec, { kbBase: 1024, error: complain, warning: complain }), codes };
}

describe('rw', () => {
  it('rand*:N keeps N I/Os per random offset, sequential:SIZE leaves a hole (2.5.3)', () => {
    expect(read('rw', 'randread:8').value).toEqual({
      kind: 'rw',
      rw: { word: 'randread', ioPerOffset: 8, holeBytes: 0 },
    });
    expect(read('rw', 'read:4k').value).toEqual({ kind: 'rw', rw: { word: 'read', ioPerOffset: 1, holeBytes: 4096 } });
    expect(read('rw', 'write:-8k').value).toMatchObject({ rw: { holeBytes: -8192 } });
  });

  it.each(['randread:0', 'randread:x', 'read:x', 'randread,4', 'rand'])('%s is refused', (text) => {
    expect(read('rw', text).value).toBeUndefined();
  });
});

describe('bssplit', () => {
  const percents = (text: string): unknown => {
    const { value } = read('bssplit', text);
    return value?.kind === 'split' ? value.items[0]?.map(({ sizeBytes, percent }) => [sizeBytes, percent]) : undefined;
  };

  it('orders the sizes by their share, as fio looks them up', () => {
    expect(percents('4k/10:64k/50:32k/40')).toEqual([
      [4096, 10],
      [32768, 40],
      [65536, 50],
    ]);
  });

  it('shares the rest equally among blank (and zero) percentages, in whole percents', () => {
    expect(percents('4k/50:1k/:32k/')).toEqual([
      [1024, 25],
      [32768, 25],
      [4096, 50],
    ]);
    expect(percents('1k:2k:4k')).toEqual([
      [1024, 33],
      [2048, 33],
      [4096, 33],
    ]);
    expect(percents('4k/0')).toEqual([[4096, 100]]);
  });

  it('has lists by direction, the last one for those after it', () => {
    const { value } = read('bssplit', '2k/50:4k/50,8k');
    const sizes = value?.kind === 'split' ? value.items.map((list) => list?.map((entry) => entry.sizeBytes)) : [];
    expect(sizes).toEqual([[2048, 4096], [8192], [8192]]);
  });

  it('warns when shares leave a rest', () => {
    expect(read('bssplit', '4k/50:8k/40').codes).toEqual(['ambiguous']);
  });

  it.each([
    '4k/60:8k/60',
    '4k/101',
    '4k/x',
    'x/50',
    '4k/50/1',
    '',
    ',',
    '1k,1k,1k,1k',
    '0/50',
    Array(65).fill('4k').join(':'),
  ])('%s is refused', (text) => {
    expect(read('bssplit', text).value).toBeUndefined();
    expect(read('bssplit', text).codes.length).toBeGreaterThan(0);
  });
});

describe('random_distribution', () => {
  it('has a parameter and a center', () => {
    expect(read('random_distribution', 'zipf').value).toMatchObject({
      distribution: { kind: 'zipf', parameter: 1.1, center: undefined },
    });
    expect(read('random_distribution', 'zipf:1.2:0.5').value).toMatchObject({
      distribution: { parameter: 1.2, center: 0.5 },
    });
    expect(read('random_distribution', 'pareto:0.3').value).toMatchObject({
      distribution: { kind: 'pareto', parameter: 0.3 },
    });
    expect(read('random_distribution', 'normal:20').value).toMatchObject({
      distribution: { kind: 'normal', parameter: 20 },
    });
  });

  it('zoned gives each zone its share of accesses and of the region', () => {
    expect(read('random_distribution', 'zoned:60/10:30/20:8/30:2/').value).toMatchObject({
      distribution: {
        kind: 'zoned',
        zones: Array(3).fill([
          { accessPercent: 60, size: { unit: 'percent', value: 10 } },
          { accessPercent: 30, size: { unit: 'percent', value: 20 } },
          { accessPercent: 8, size: { unit: 'percent', value: 30 } },
          { accessPercent: 2, size: { unit: 'percent', value: 40 } },
        ]),
      },
    });
    expect(read('random_distribution', 'zoned_abs:60/1g:40/2g').value).toMatchObject({
      distribution: { zones: [[{ size: { unit: 'bytes', value: 2 ** 30 } }, { size: { value: 2 ** 31 } }], {}, {}] },
    });
  });

  it.each([
    'zipf:1',
    'zipf:x',
    'zipf:1.2:2',
    'zipf:1:1:1',
    'pareto:0',
    'pareto:1',
    'normal:100',
    'normal:-1',
    'zoned',
    'zoned:50/50',
    'zoned:100/101',
    'zoned_abs:100/',
    'uniform',
  ])('%s is refused', (text) => {
    expect(read('random_distribution', text).value).toBeUndefined();
    expect(read('random_distribution', text).codes.length).toBeGreaterThan(0);
  });
});

describe('other lists', () => {
  it('file_service_type counts I/Os per file or skews the choice', () => {
    expect(read('file_service_type', 'roundrobin:4').value).toMatchObject({
      service: { kind: 'roundrobin', ioPerFile: 4 },
    });
    expect(read('file_service_type', 'gauss:10').value).toMatchObject({ service: { kind: 'normal', parameter: 10 } });
    expect(read('file_service_type', 'random:0').value).toBeUndefined();
  });

  it('cmdprio_bssplit gives sizes a share and a priority', () => {
    expect(read('cmdprio_bssplit', '64k/50/1/3:4k/10:8k/').value).toMatchObject({
      items: Array(3).fill([
        { sizeBytes: 4096, percent: 10, priority: undefined },
        { sizeBytes: 65536, percent: 50, priority: { class: 1, level: 3 } },
      ]),
    });
    expect(read('cmdprio_bssplit', '4k/10/1').codes).toEqual(['value']);
    expect(read('cmdprio_bssplit', '4k/10/4/0').codes).toEqual(['value']);
  });

  it('sync_file_range names its flags and an interval', () => {
    expect(read('sync_file_range', 'wait_before,write:8').value).toMatchObject({
      sync: { flags: ['wait_before', 'write'], everyWrites: 8 },
    });
    expect(read('sync_file_range', 'later').value).toBeUndefined();
  });

  it('cpus_allowed names CPUs and ranges of them', () => {
    expect(read('cpus_allowed', '3,0-1,1').value).toEqual({ kind: 'cpus', cpus: [0, 1, 3] });
    expect(read('cpus_allowed', '2-1').codes).toEqual(['value']);
    expect(read('cpus_allowed', '0-9999').codes).toEqual(['value']);
    expect(read('cpus_allowed', 'x').codes).toEqual(['value']);
  });
});

/** Rules of blk-mq-and-formats 2.5.2. */
import { describe, expect, it } from 'vitest';
import type { FioIssueCode } from './issues.ts';
import { findOption } from './options.ts';
import { readValue } from './settings.ts';
import type { Value } from './values.ts';

function read(line: string): { value: Value | undefined; codes: FioIssueCode[]; hints: string[] } {
  const codes: FioIssueCode[] = [];
  const hints: string[] = [];
  const equals = line.indexOf('=');
  const spec = findOption(equals < 0 ? line : line.slice(0, equals));
  if (spec === undefined) throw new Error(`no such option: ${line}`);
  const complain = (code: FioIssueCode, _message: string, hint?: string): void => {
    codes.push(code);
    hints.push(hint ?? '');
  };
  const value = readValue(equals < 0 ? undefined : line.slice(equals + 1), spec, {
    kbBase: 1024,
    error: complain,
    warning: complain,
  });
  return { value, codes, hints };
}

function numbers(line: string): (number | undefined)[] {
  const { value } = read(line);
  return value?.kind === 'amounts' ? value.items.map((item) => item?.value) : [];
}

describe('values by direction', () => {
  it.each<[string, (number | undefined)[]]>([
    ['bs=4k', [4096, 4096, 4096]],
    ['bs=4k,8k', [4096, 8192, 8192]],
    ['bs=4k,8k,16k', [4096, 8192, 16384]],
    ['bs=8k,32k,', [8192, 32768, undefined]],
    ['bs=4k,', [4096, undefined, undefined]],
    ['bs=,8k', [undefined, 8192, 8192]],
    ['bs=4k,,16k', [4096, undefined, 16384]],
    ['bs=4k:8k', [4096, 8192, 8192]],
    ['percentage_random=100,50', [100, 50, 50]],
  ])('%s means %j', (line, items) => {
    expect(numbers(line)).toEqual(items);
  });

  it('takes bs=4k-8k as read and write sizes like fio, and says so', () => {
    expect(numbers('bs=4k-8k')).toEqual([4096, 8192, 8192]);
    expect(read('bs=4k-8k')).toMatchObject({ codes: ['ambiguous'], hints: ['for a range write bsrange=4k-8k'] });
  });

  it.each([
    'bs=4k,foo',
    'bs=foo,4k',
    'bs=,',
    'bs=',
    'bs=4k,8k,16k,32k',
    'bs=4k,8k-16k',
    'iodepth=4,8',
    'iodepth=4-8',
    'bs=4k,0',
  ])('refuses %s', (line) => {
    expect(read(line).value).toBeUndefined();
    expect(read(line).codes).toHaveLength(1);
  });
});

describe('ranges', () => {
  it('go from low to high whichever way they are written', () => {
    expect(read('bsrange=64k-4k').value).toMatchObject({ items: Array(3).fill({ lowBytes: 4096, highBytes: 65536 }) });
    expect(read('bsrange=1k:2k,4k-8k').value).toMatchObject({
      items: [{ lowBytes: 1024 }, { lowBytes: 4096 }, { lowBytes: 4096, highBytes: 8192 }],
    });
  });

  it('of a start delay or file size have two ends', () => {
    expect(numbers('startdelay=5-10')).toEqual([5e6, 10e6]);
    expect(numbers('startdelay=5ms')).toEqual([5000, 5000]);
    expect(numbers('filesize=1m-4m')).toEqual([2 ** 20, 2 ** 22]);
    expect(read('filesize=4m-1m').codes).toEqual(['range']);
    expect(read('startdelay=5s-10s').codes).toEqual(['misread']);
  });

  it.each(['bsrange=4k', 'bsrange=4k-', 'bsrange=4k-8k-16k', 'bsrange=,', 'bsrange=0-4k', 'bsrange=1-2,1-2,1-2,1-2'])(
    '%s is none',
    (line) => {
      expect(read(line).value).toBeUndefined();
    },
  );
});

describe('words and switches', () => {
  it('are case-sensitive, with a suggestion', () => {
    expect(read('rw=READ')).toMatchObject({ value: undefined, codes: ['value'] });
    expect(read('rw=READ').hints[0]).toContain('did you mean read?');
    expect(read('rw=ranread').hints[0]).toContain('did you mean randread?');
  });

  it('take no blank before them, as in fio', () => {
    expect(read('rw= read').codes).toEqual(['value']);
    expect(read('ioengine= libaio').hints).toEqual(['write ioengine=libaio']);
  });

  it('bool options need 0 or 1, flags may stand alone', () => {
    expect(read('direct=1').value).toMatchObject({ isOn: true });
    expect(read('direct= 0').value).toMatchObject({ isOn: false });
    expect(read('direct').codes).toEqual(['value']);
    expect(read('direct=2').codes).toEqual(['range']);
    expect(read('direct=yes').codes).toEqual(['value']);
    expect(read('stonewall').value).toMatchObject({ isOn: true });
    expect(read('stonewall=0').value).toMatchObject({ isOn: false });
    expect(read('stonewall=x').codes).toEqual(['value']);
  });

  it('with a needed limit say so', () => {
    expect(read('steadystate=iops').codes).toEqual(['value']);
    expect(read('steadystate=iops:1%').value).toMatchObject({ word: 'iops', postfix: '1%' });
    expect(read('zonemode=none:x').codes).toEqual(['misread']);
  });
});

describe('number lists and texts', () => {
  it('are separated by colons and checked one by one', () => {
    expect(read('percentile_list=50:99.9:1e1').value).toMatchObject({ items: [50, 99.9, 10] });
    expect(read('percentile_list=50:101').codes).toEqual(['range']);
    expect(read('percentile_list=50,99').codes).toEqual(['value']);
    expect(read('latency_percentile=50:99').codes).toEqual(['range']);
    expect(read(`percentile_list=${'1:'.repeat(20)}1`).codes).toEqual(['range']);
  });

  it('cannot be empty', () => {
    expect(read('filename=').codes).toEqual(['value']);
    expect(read('filename').codes).toEqual(['value']);
    expect(read('write_bw_log').value).toMatchObject({ kind: 'text' });
  });

  it('verify patterns are text, hex or decimal', () => {
    expect(read('verify_pattern=0xff').codes).toEqual([]);
    expect(read('verify_pattern="abc"').codes).toEqual([]);
    expect(read('verify_pattern=zz').codes).toEqual(['value']);
  });
});

describe('ioengine', () => {
  it('says whether it is unknown or just not emulated', () => {
    expect(read('ioengine=rbd').codes).toEqual(['not-emulated']);
    expect(read('ioengine=libiao')).toMatchObject({ codes: ['value'] });
    expect(read('ioengine=libiao').hints[0]).toContain('did you mean libaio?');
  });
});

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { parseFio, type FioIssue } from './index.ts';
import { GENERAL_OPTIONS } from './options.ts';
import { readValue } from './settings.ts';

const issuesOf = (text: string): readonly FioIssue[] => parseFio(text).issues;
/** A job that is direct, so that only the tested line can have an issue. */
const issuesOfLine = (line: string): readonly FioIssue[] => issuesOf(`[a]\ndirect=1\n${line}\n`);

describe('problems', () => {
  it('are all listed with line and column, and leave no jobs', () => {
    const { jobs, issues } = parseFio('[a]\n  rw=READ\nbs=0\niodepht=4\n[b]\ndirect=1\nprio=9\n');
    expect(jobs).toEqual([]);
    const errors = issues.filter((issue) => issue.severity === 'error');
    expect(errors.map(({ line, column, code }) => [line, column, code])).toEqual([
      [2, 6, 'value'],
      [3, 4, 'range'],
      [4, 1, 'unknown-option'],
      [7, 6, 'range'],
    ]);
    expect(errors[2].hint).toBe('did you mean iodepth?');
  });

  it('name the include file they stand in', () => {
    const { issues } = parseFio('[a]\ninclude x.inc', { fileName: 'main.fio', readInclude: () => 'bs=x' });
    expect(issues.filter((issue) => issue.severity === 'error')).toMatchObject([{ file: 'x.inc', line: 1 }]);
  });

  it('are none for a plain direct job', () => {
    expect(issuesOf('[a]\nioengine=libaio\ndirect=1\nrw=randread\niodepth=32\nruntime=1\ntime_based\n')).toEqual([]);
  });

  it('say that there is nothing to run', () => {
    expect(issuesOf('')).toMatchObject([{ severity: 'error', code: 'no-jobs' }]);
    expect(issuesOf('[global]\nbs=4k')).toMatchObject([{ severity: 'error', code: 'no-jobs' }]);
  });

  it('warn of known options without effect, by line', () => {
    expect(issuesOfLine('exec_prerun=rm -rf /')).toMatchObject([{ line: 3, severity: 'warning', code: 'ignored' }]);
  });

  it.each([
    'read_iolog=x',
    'verify_only',
    'opendir=/data',
    'create_only=1',
    'rwmixcycle=1',
    'profile=act',
    'zonemode=zbd',
    'size=4z',
  ])('%s is refused: the job would be another one', (line) => {
    expect(issuesOfLine(line)).toMatchObject([{ line: 3, severity: 'error', code: 'not-emulated' }]);
  });

  it('accept a refused option that is switched off', () => {
    expect(issuesOfLine('create_only=0')).toEqual([]);
  });

  it('say which engine an option belongs to', () => {
    const [issue] = issuesOfLine('userspace_reap');
    expect(issue).toMatchObject({ code: 'wrong-engine', hint: 'set ioengine=libaio in this section' });
    expect(issuesOfLine('userspace_reap\nioengine=libaio')).toMatchObject([{ severity: 'warning', code: 'ignored' }]);
  });
});

describe('conflicts that fio finds when it starts', () => {
  it.each([
    ['bs=8k\nsize=4k', 4],
    ['rate=1m\nrate_iops=10', 4],
    ['rate_min=1m\nrate_iops_min=10', 2],
    ['rate=1m\nrate_min=2m', 4],
    ['rate_iops=1\nrate_iops_min=2', 4],
    ['wait_for=a', 3],
    ['wait_for=nobody', 3],
    ['zonesize=4k', 3],
    ['zonemode=strided', 3],
  ])('%j is an error', (lines, line) => {
    const errors = issuesOfLine(lines).filter((issue) => issue.severity === 'error');
    expect(errors).toMatchObject([{ code: 'conflict' }]);
    if (line > 2) expect(errors[0].line).toBe(line);
  });

  it('wait_for needs exactly one job of that name above', () => {
    const direct = '[global]\ndirect=1\n';
    expect(issuesOf(`${direct}[a]\n[b]\nwait_for=a\n`)).toEqual([]);
    expect(issuesOf(`${direct}[b]\nwait_for=a\n[a]\n`)).toMatchObject([{ line: 4, code: 'conflict' }]);
    expect(issuesOf(`${direct}[a]\n[a]\n[b]\nwait_for=a\n`)).toMatchObject([{ line: 6, code: 'conflict' }]);
    expect(issuesOf(`${direct}[a]\nname=x\n[b]\nwait_for=x\n`)).toEqual([]);
  });

  it.each(['numjobs=0', 'nrfiles=0'])('%s is out of range', (line) => {
    expect(issuesOfLine(line)).toMatchObject([{ line: 3, severity: 'error', code: 'range' }]);
  });
});

describe('differences of the emulation', () => {
  it('buffered jobs are told once per file that they run direct', () => {
    const issues = issuesOf('[a]\n[b]\ndirect=1\n[c]\n');
    expect(issues).toMatchObject([{ line: 1, severity: 'warning', code: 'ignored' }]);
    expect(issues[0].message).toContain('a, c');
  });

  it('different filenames all stand for the one device', () => {
    expect(issuesOf('[global]\ndirect=1\n[a]\nfilename=x\n[b]\nfilename=y\n')).toMatchObject([
      { severity: 'warning', code: 'ambiguous' },
    ]);
    expect(issuesOf('[global]\ndirect=1\nfilename=x\ndirectory=/data\n[a]\n[b]\n')).toEqual([]);
  });

  it.each([
    ['iodepth=4', 'ambiguous'],
    ['time_based', 'ambiguous'],
    ['ioengine=mmap', 'ambiguous'],
    ['bsrange=4k-8k\nbs=4k', 'ambiguous'],
    ['rw=randread\nba=512', 'ambiguous'],
    ['rw=write\nverify=md5', 'ignored'],
  ])('%j gives a warning', (lines, code) => {
    expect(issuesOfLine(lines)).toMatchObject([{ severity: 'warning', code }]);
  });
});

/** Pieces of job files, good and bad, for the generated ones. */
const PIECES = [
  '[',
  ']',
  '=',
  ':',
  ',',
  '-',
  '/',
  '%',
  ';',
  '#',
  '$',
  '{',
  '}',
  '(',
  ')',
  '*',
  '+',
  '^',
  '.',
  ' ',
  '\t',
  '\r',
  '\0',
  '\\',
  '"',
  "'",
  'é',
  '🙂',
  '0',
  '1',
  '4k',
  '0x',
  '99999999999999999999999',
  'kib',
  'ms',
  'z',
  'global',
  'include ',
  '${A}',
  '$pagesize',
  '$ncpus',
  '__proto__',
  'constructor',
  'toString',
  'bs',
  'rw',
  'size',
  'randread',
  'bssplit',
  'zoned',
  'zipf',
  'ioengine',
  'libaio',
  'cpus_allowed',
  'startdelay',
  'percentile_list',
  'stonewall',
];

function randomText(random: RandomStream, pieces: number): string {
  let text = '';
  for (let i = 0; i < pieces; i++) text += PIECES[random.u32() % PIECES.length];
  return text;
}

describe('any text', () => {
  it('of ten thousand lines of garbage ends in issues, not in an exception', () => {
    const random = new RandomStream(1, 'fio/garbage');
    const lines = Array.from({ length: 10_000 }, () => randomText(random, 1 + (random.u32() % 6)));
    const { jobs, issues } = parseFio(lines.join('\n'), { env: { A: '[x]\n=' }, readInclude: () => 'bs=1' });
    expect(jobs).toEqual([]);
    expect(issues.length).toBeGreaterThan(1000);
  });

  it('of options with random values is either read or reported, for every option', () => {
    const random = new RandomStream(2, 'fio/values');
    const silent: string[] = [];
    for (const spec of GENERAL_OPTIONS) {
      for (let round = 0; round < 200; round++) {
        const text = randomText(random, random.u32() % 6);
        let errors = 0;
        const value = readValue(text, spec, { kbBase: 1024, error: () => errors++, warning: () => undefined });
        if ((value === undefined) !== errors > 0) silent.push(`${spec.name}=${text}`);
      }
    }
    expect(silent).toEqual([]);
  });

  it('in one huge line is read in reasonable time', () => {
    const { issues } = parseFio(
      `[a]\ndirect=1\nbssplit=${'4k/1:'.repeat(100_000)}\n${'x'.repeat(200_000)}=1\nbs=${'1'.repeat(200_000)}\n`,
    );
    expect(issues.filter((issue) => issue.severity === 'error')).toHaveLength(3);
  });
});

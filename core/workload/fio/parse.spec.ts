import { describe, expect, it } from 'vitest';
import { IssueList } from './issues.ts';
import { parseSections, type FioSection, type FioSources } from './parse.ts';

function parse(text: string, sources: FioSources = {}): { sections: FioSection[]; issues: IssueList['issues'] } {
  const list = new IssueList();
  return { sections: parseSections(text, sources, list), issues: list.issues };
}

describe('sections and lines', () => {
  it('keep key, value, raw text, line and columns of every option', () => {
    const { sections } = parse('; first line\n[a]\n  bs=4k ; comment\n\ndirect\n');
    expect(sections[0].lines).toEqual([
      { file: 'job.fio', line: 3, column: 3, valueColumn: 6, key: 'bs', value: '4k', raw: 'bs=4k' },
      { file: 'job.fio', line: 5, column: 1, valueColumn: 1, key: 'direct', value: undefined, raw: 'direct' },
    ]);
  });

  it('are cut at ; and # anywhere in the line (2.5.1)', () => {
    const { sections } = parse('[a] # name\ndescription=one;two\nname=x#y');
    expect(sections[0].lines.map((line) => line.value)).toEqual(['one', 'x']);
  });

  it('keep the blanks after = and drop those before it', () => {
    const { sections } = parse('[a]\niodepth = 4  ');
    expect(sections[0].lines[0]).toMatchObject({ key: 'iodepth', value: ' 4' });
  });

  it('split at the first = only', () => {
    expect(parse('[a]\ndescription=a=b').sections[0].lines[0].value).toBe('a=b');
  });

  it('are global when the name begins with global, and may repeat', () => {
    const { sections } = parse('[global]\n[a]\n[a]\n[global two]\n');
    expect(sections.map(({ name, isGlobal }) => [name, isGlobal])).toEqual([
      ['global', true],
      ['a', false],
      ['a', false],
      ['global two', true],
    ]);
  });

  it('read Windows line ends', () => {
    const { sections } = parse('[a]\r\nbs=4k\r\n');
    expect(sections[0]).toMatchObject({ name: 'a', lines: [{ value: '4k' }] });
  });

  it.each(['[a', '[a]b', '[]', '[ ]', `[${'x'.repeat(256)}]`])(
    'report the broken header %s and still read its options',
    (header) => {
      const { sections, issues } = parse(`${header}\nbs=4k`);
      expect(issues).toMatchObject([{ line: 1, severity: 'error', code: 'section' }]);
      expect(sections[0].lines).toHaveLength(1);
    },
  );

  it('report options before the first section once', () => {
    const { issues } = parse('bs=4k\nrw=read\n[a]\n');
    expect(issues).toMatchObject([{ line: 1, code: 'section' }]);
  });
});

describe('include files', () => {
  const files: Record<string, string> = {
    'common.inc': 'bs=8k\n; comment\nrw=write',
    'sub/outer.inc': 'include inner.inc\niodepth=4',
    'sub/inner.inc': 'size=1m',
    'loop.inc': 'include loop.inc',
    'section.inc': '[b]\nbs=4k',
  };
  const readInclude = (name: string): string | undefined => files[name];

  it('bring their options into the section, with their own lines', () => {
    const { sections } = parse('[a]\ninclude common.inc\nnumjobs=2', { readInclude });
    expect(sections[0].lines.map(({ file, line, raw }) => [file, line, raw])).toEqual([
      ['common.inc', 1, 'bs=8k'],
      ['common.inc', 3, 'rw=write'],
      ['job.fio', 3, 'numjobs=2'],
    ]);
  });

  it('are looked for beside the file that includes them', () => {
    const { sections, issues } = parse('[a]\ninclude sub/outer.inc', { readInclude });
    expect(issues).toEqual([]);
    expect(sections[0].lines.map(({ file, raw }) => [file, raw])).toEqual([
      ['sub/inner.inc', 'size=1m'],
      ['sub/outer.inc', 'iodepth=4'],
    ]);
  });

  it('are also looked for beside the job file itself', () => {
    const { sections } = parse('[a]\ninclude inner.inc', { fileName: 'sub/job.fio', readInclude });
    expect(sections[0].lines).toMatchObject([{ file: 'sub/inner.inc', raw: 'size=1m' }]);
  });

  it.each([
    ['nowhere.inc', 2, 'cannot be read'],
    ['loop.inc', 1, 'includes itself'],
    ['section.inc', 1, 'cannot hold sections'],
  ])('%s is an error', (name, line, message) => {
    const { issues } = parse(`[a]\ninclude ${name}`, { readInclude });
    expect(issues[0]).toMatchObject({ line, code: 'include', severity: 'error' });
    expect(issues[0].message).toContain(message);
  });

  it('cannot nest without end', () => {
    const { issues } = parse('[a]\ninclude 0', { readInclude: (name) => `include ${Number(name) + 1}` });
    expect(issues).toMatchObject([{ code: 'include' }]);
  });
});

/**
 * Our reading of job files beside fio's own, over the corpus in tests/fixtures/fio.
 *
 * The first part of a file's name says what must hold: `ok-` both accept and every numeric value is equal; `bad-` both refuse;
 * `run-` fio accepts the text but refuses to start the job, we refuse at once; `dev-` we differ from fio on purpose, with the reason in the
 * table below. Values are compared with `fio --parse-only --debug=parse`, inheritance with `fio --showcmd`.
 * (blk-mq-and-formats checks 40 and 41; written against fio 3.33.)
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseFio } from '../../core/workload/fio/index.ts';
import { IssueList } from '../../core/workload/fio/issues.ts';
import { EMULATED_ENGINES, OTHER_ENGINES } from '../../core/workload/fio/options-engine.ts';
import { findEngineOption, findOption } from '../../core/workload/fio/options.ts';
import { parseSections, type FioSources } from '../../core/workload/fio/parse.ts';
import { interpretSections, type Setting } from '../../core/workload/fio/settings.ts';

const CORPUS = fileURLToPath(new URL('../fixtures/fio/', import.meta.url));
const VARIABLES = { BLKLAB_SIZE: '1m', BLKLAB_KB: '8', BLKLAB_JOBS: '2' };
const FILES = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.fio'))
  .sort();
const group = (prefix: string): string[] => FILES.filter((name) => name.startsWith(prefix));

const fioVersion = spawnSync('fio', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const isFioThere = fioVersion.startsWith('fio-');
const isTheVersion = fioVersion.startsWith('fio-3.33');
const withFio = isFioThere ? 'beside fio' : 'beside fio (SKIPPED: fio is not installed)';

/** Where we decide otherwise than fio 3.33. `option` is where the difference lies, `fio` what fio does. */
const DEVIATIONS: Readonly<Record<string, { option: string; fio: 'accepts' | 'refuses'; why: string }>> = {
  'dev-bssplit-sum.fio': { option: 'bssplit', fio: 'accepts', why: 'shares above 100 % can never be drawn' },
  'dev-blank-inside.fio': { option: 'bs', fio: 'accepts', why: 'fio reads "4 k" as 4' },
  'dev-blank-number-junk.fio': { option: 'iodepth', fio: 'accepts', why: 'fio reads "4 8" as 4' },
  'dev-blank-unit.fio': { option: 'bs', fio: 'accepts', why: 'fio reads " 4k" as 4' },
  'dev-delay-units.fio': { option: 'startdelay', fio: 'accepts', why: 'fio reads "5s-10s" as 5 µs to 10 s' },
  'dev-empty.fio': { option: '', fio: 'accepts', why: 'an experiment needs a job' },
  'dev-engine.fio': { option: 'ioengine', fio: 'accepts', why: 'rbd has no emulated counterpart' },
  'dev-fraction.fio': { option: 'bs', fio: 'accepts', why: 'fio reads 1.5k as 1' },
  'dev-header-empty.fio': { option: '', fio: 'accepts', why: 'fio runs a job without a name' },
  'dev-header-junk.fio': { option: '', fio: 'accepts', why: 'fio names the job "a]"' },
  'dev-header-open.fio': { option: '', fio: 'accepts', why: 'fio cuts the last letter of the name' },
  'dev-hex-seconds.fio': { option: 'runtime', fio: 'accepts', why: 'fio reads 0x10 as 16 µs instead of seconds' },
  'dev-hex-unit.fio': { option: 'size', fio: 'accepts', why: 'fio reads 0x10k as 16' },
  'dev-huge.fio': { option: 'size', fio: 'accepts', why: 'above 2^53 bytes, no device is so large' },
  'dev-include-missing.fio': {
    option: 'include',
    fio: 'accepts',
    why: 'fio prints an error and goes on without the file',
  },
  'dev-include-section.fio': {
    option: 'include',
    fio: 'accepts',
    why: 'fio prints an error and goes on without the rest',
  },
  'dev-list-first-junk.fio': { option: 'bs', fio: 'accepts', why: 'fio skips "foo"' },
  'dev-list-junk.fio': { option: 'bs', fio: 'accepts', why: 'fio skips "foo"' },
  'dev-list-long.fio': { option: 'bs', fio: 'accepts', why: 'fio skips the fourth value' },
  'dev-list-mixed.fio': {
    option: 'bs',
    fio: 'accepts',
    why: 'fio takes "-" for a comma, a reader takes it for a range',
  },
  'dev-negative-depth.fio': { option: 'iodepth', fio: 'accepts', why: 'fio skips -4 and keeps 1' },
  'dev-negative-loops.fio': { option: 'loops', fio: 'accepts', why: 'fio reads -1 as 4294967295' },
  'dev-negative-runtime.fio': { option: 'runtime', fio: 'accepts', why: 'fio reads -5 as 584 thousand years' },
  'dev-no-job.fio': { option: '', fio: 'accepts', why: 'an experiment needs a job' },
  'dev-numjobs-zero.fio': { option: 'numjobs', fio: 'accepts', why: 'no job would run' },
  'dev-one-value-dash.fio': { option: 'iodepth', fio: 'accepts', why: 'fio skips the second value' },
  'dev-one-value.fio': { option: 'iodepth', fio: 'accepts', why: 'fio skips the second value' },
  'dev-percent.fio': { option: 'fsync', fio: 'accepts', why: 'fio reads 50% as 2^64 - 51, cut to 32 bits' },
  'dev-percentiles-comma.fio': {
    option: 'percentile_list',
    fio: 'accepts',
    why: 'fio skips everything after the comma',
  },
  'dev-percentiles-tail.fio': { option: 'percentile_list', fio: 'accepts', why: 'fio skips 101' },
  'dev-product.fio': { option: 'bs', fio: 'accepts', why: 'fio reads 4*1024 as 4' },
  'dev-read-iolog.fio': { option: 'read_iolog', fio: 'accepts', why: 'traces are replayed through workload.replay' },
  'dev-rw-comma.fio': { option: 'rw', fio: 'accepts', why: 'fio skips ",4"' },
  'dev-rw-zero.fio': { option: 'rw', fio: 'accepts', why: 'no I/O per random offset' },
  'dev-sec.fio': { option: 'runtime', fio: 'accepts', why: 'fio reads 10sec as 10 µs' },
  'dev-size-percent.fio': { option: 'size', fio: 'accepts', why: 'fio reads 150% as 2^64 - 151 bytes' },
  'dev-truncated.fio': { option: 'iodepth', fio: 'accepts', why: 'fio cuts 5000000000 to 32 bits: 705032704' },
  'dev-unit-junk.fio': { option: 'bs', fio: 'accepts', why: 'fio reads 4kfoo as 4096' },
  'dev-word-postfix.fio': { option: 'kb_base', fio: 'accepts', why: 'fio skips ":x"' },
  'dev-zbd.fio': { option: 'zonemode', fio: 'accepts', why: 'zoned devices are not emulated' },
  'dev-zoned-directions.fio': {
    option: 'random_distribution',
    fio: 'refuses',
    why: 'documented; a fault of fio 3.33, mended later',
  },
  'dev-zones.fio': { option: 'size', fio: 'accepts', why: 'zones need a zoned device, which is not emulated' },
};
/** Deviations where we are the ones who accept; what fio 3.33 has wrong, later versions may not. */
const WE_ACCEPT = new Set(['dev-zoned-directions.fio']);

/** Single values of accepted files that differ from fio's. */
const VALUE_DEVIATIONS: Readonly<Record<string, { option: string; why: string }>> = {
  'ok-signs.fio': {
    option: 'nice',
    why: 'fio takes the minus for a separator too and reads a second value, which it drops',
  },
};

/** Files whose flattened option lists are compared with `fio --showcmd`. */
const SHOWCMD_FILES = [
  'ok-blanks.fio',
  'ok-comments.fio',
  'ok-globals-accumulate.fio',
  'ok-include.fio',
  'ok-order.fio',
  'ok-same-name.fio',
  'ok-triple-inherit.fio',
];

const textOf = (file: string): string => readFileSync(join(CORPUS, file), 'utf8');

function sourcesOf(file: string): FioSources {
  const readInclude = (name: string): string | undefined => {
    const path = join(CORPUS, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  return { fileName: file, env: VARIABLES, readInclude };
}

const ours = (file: string): ReturnType<typeof parseFio> => parseFio(textOf(file), sourcesOf(file));

/** Runs fio; a non-zero exit is a result, not a failure. */
function runFio(args: readonly string[], cwd = CORPUS): Promise<{ status: number; output: string }> {
  const options = { cwd, encoding: 'utf8', env: { ...process.env, ...VARIABLES }, timeout: 30_000 } as const;
  return new Promise((resolve, reject) => {
    execFile('fio', args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(new Error('fio did not run', { cause: error }));
      else resolve({ status: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

type ValuesByOption = Map<string, string[]>;

/** Numeric values by option, a map per section, from the debug output of fio. */
function fioValues(debugOutput: string): ValuesByOption[] {
  const sections: ValuesByOption[] = [];
  let option = '';
  for (const line of debugOutput.split('\n')) {
    if (line.includes(' Parsing section [')) sections.push(new Map());
    const handled = /__handle_option=([^,]+), type=/.exec(line);
    if (handled !== null) option = handled[1];
    // ret=0, out=N for numbers, out=N.NNNNNN for the items of float lists
    const value = /(?:ret=0, |\s)out=(-?[\d.]+)$/.exec(line);
    const values = sections.at(-1);
    if (value === null || values === undefined || line.includes('ret=1')) continue;
    values.set(option, [...(values.get(option) ?? []), value[1]]);
  }
  return sections;
}

/** The same from our side. */
function ourValues(file: string): ValuesByOption[] {
  const issues = new IssueList();
  return interpretSections(parseSections(textOf(file), sourcesOf(file), issues), issues).map(({ own }) => {
    const values: ValuesByOption = new Map();
    for (const setting of own) {
      const written = writtenNumbers(setting);
      if (written.length > 0) values.set(setting.spec.name, [...(values.get(setting.spec.name) ?? []), ...written]);
    }
    return values;
  });
}

/** Numbers as fio prints them: unsigned 64-bit, percentages as 2^64 - 1 - percent. */
function writtenNumbers({ value }: Setting): string[] {
  if (value.kind === 'switch') return [String(value.written)];
  if (value.kind === 'floats') return value.items.map((item) => item.toFixed(6));
  if (value.kind !== 'amounts') return [];
  return value.written.flatMap((amount) => {
    if (amount === undefined) return [];
    const number = BigInt(amount.value);
    return [String(BigInt.asUintN(64, amount.unit === 'percent' ? -1n - number : number))];
  });
}

/** The command line that `fio --showcmd` prints: global sections with all accumulated options, jobs with their own. */
function showCommand(file: string): string {
  const issues = new IssueList();
  const sections = interpretSections(parseSections(textOf(file), sourcesOf(file), issues), issues);
  const words = sections.flatMap(({ section, inherited, own }) => {
    const listed = section.isGlobal ? [...inherited, ...own] : own;
    const general = listed.filter(({ spec }) => spec.engines === undefined);
    const engine = listed.filter(({ spec }) => spec.engines !== undefined);
    const options = [...general, ...engine].map(
      ({ spec, line }) => `--${spec.name}${line?.value === undefined ? '' : `=${line.value}`}`,
    );
    return [...(section.isGlobal ? [] : [`--name=${section.name}`]), ...options];
  });
  return ['fio', ...words].join(' ');
}

describe('the corpus of job files', () => {
  it('has at least seventy files', () => {
    expect(FILES.length).toBeGreaterThanOrEqual(70);
  });

  it.each(group('ok-'))('accepts %s', (file) => {
    const { jobs, issues } = ours(file);
    expect(issues.filter((issue) => issue.severity === 'error')).toEqual([]);
    expect(jobs.length).toBeGreaterThan(0);
  });

  it.each([...group('bad-'), ...group('run-')])('refuses %s and says at which line', (file) => {
    const { jobs, issues } = ours(file);
    const errors = issues.filter((issue) => issue.severity === 'error');
    const lines = textOf(file).split('\n').length;
    expect(jobs).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error.line >= 1 && error.line <= lines).toBe(true);
  });

  it('lists every deviation from fio, and nothing else, in the table', () => {
    expect(Object.keys(DEVIATIONS).sort()).toEqual(group('dev-'));
  });

  it.each(Object.entries(DEVIATIONS))('decides on %s as the table says', (file, { option }) => {
    const errors = ours(file).issues.filter((issue) => issue.severity === 'error');
    expect(errors.length > 0).toBe(!WE_ACCEPT.has(file));
    for (const error of errors) expect(error.message).toContain(option);
  });
});

describe.skipIf(!isFioThere)(withFio, () => {
  let scratch = '';
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'blklab-fio-'));
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });

  it.concurrent.each(group('ok-'))('reads every number of %s as fio does', async (file) => {
    const fio = await runFio(['--parse-only', '--debug=parse', file]);
    expect(fio.status).toBe(0);
    const theirs = fioValues(fio.output);
    const own = ourValues(file);
    expect(own.length).toBe(theirs.length);
    for (const [index, values] of own.entries()) {
      for (const [option, numbers] of values) {
        if (VALUE_DEVIATIONS[file]?.option === option) continue;
        // an ioengine's own defaults come first in fio's output
        const expected = (theirs[index].get(option) ?? []).slice(-numbers.length);
        expect({ section: index, option, numbers }).toEqual({ section: index, option, numbers: expected });
      }
      const missing = [...theirs[index].keys()].filter((option) => !values.has(option));
      expect(missing.filter((option) => !ENGINE_DEFAULTS.includes(option))).toEqual([]);
    }
  });

  it.concurrent.each(group('bad-'))('fio refuses %s too', async (file) => {
    expect((await runFio(['--parse-only', file])).status).not.toBe(0);
  });

  it.concurrent.each(group('run-'))('fio accepts the text of %s and refuses to start it', async (file) => {
    expect((await runFio(['--parse-only', file])).status).toBe(0);
    expect((await runFio([join(CORPUS, file)], scratch)).status).not.toBe(0);
  });

  const decided = Object.entries(DEVIATIONS).filter(([file]) => isTheVersion || !WE_ACCEPT.has(file));
  it.concurrent.each(decided)('fio decides on %s as the table says', async (file, { fio }) => {
    expect((await runFio(['--parse-only', file])).status === 0).toBe(fio === 'accepts');
  });

  it.skipIf(!isTheVersion)('knows every option that fio 3.33 lists', async () => {
    const listed = (await runFio(['--cmdhelp=all'])).output.matchAll(/^ *([a-z_-]+) *: /gm);
    const names = [...listed].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(200);
    expect(names.filter((name) => findOption(name) === undefined)).toEqual([]);
  });

  it.skipIf(!isTheVersion)('knows every option of every ioengine that fio 3.33 has', async () => {
    const engines = [...(await runFio(['--enghelp'])).output.matchAll(/^\t(\S+)$/gm)].map((match) => match[1]);
    expect(engines).toContain('libaio');
    const unknown: string[] = [];
    for (const engine of engines) {
      const listed = (await runFio([`--enghelp=${engine}`])).output.matchAll(/^ *([a-z_-]+) +: /gm);
      const names = [...listed].map((match) => match[1]);
      unknown.push(
        ...names.filter((name) => findEngineOption(name, engine) === undefined).map((name) => `${engine}: ${name}`),
      );
    }
    expect(unknown).toEqual([]);
    expect(engines.filter((name) => !OTHER_ENGINES.includes(name) && !Object.hasOwn(EMULATED_ENGINES, name))).toEqual(
      [],
    );
  });

  it.concurrent.each(SHOWCMD_FILES)('flattens %s to the options that fio --showcmd prints', async (file) => {
    expect((await runFio(['--showcmd', file])).output.trim()).toBe(showCommand(file).trim());
  });
});

/** Options of ioengines with a default, which fio parses whether the job names them or not. */
const ENGINE_DEFAULTS = ['nonvectored', 'hipri_percentage'];

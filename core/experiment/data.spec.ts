/** Data runs: real bytes through every layer, times as without them, law 7 held, and broken where it must be. */
import { describe, expect, it, vi } from 'vitest';
import { OP_WRITE } from '../block/types.ts';
import { RandomStream } from '../engine/random.ts';
import { buildStack, type Stack } from './build.ts';
import { createRun } from './run.ts';
import type { RunSummary } from './summary.ts';
import { problemsAt, runDefinition, validExperiment } from './testing.ts';

vi.setConfig({ testTimeout: 60_000 }); // ciphers in TypeScript, on a machine that may be busy

const CAPACITY = '1GiB';
const ALWAYS_ON = { clockGating: false, runtimePm: false, autoHibern8: 0 };
const SAVING = { generation: 'busy', gateAfter: '30us', autosuspend: '3ms', autoHibern8: '100us' };
const ufs = (more: object = {}): object => ({ kind: 'ufs', capacity: CAPACITY, power: ALWAYS_ON, ...more });
const slots = (keyslots: number, more: object = {}): object => ({ crypto: { keyslots, ...more } });
const PRDT = { engine: 'prdt', algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [4096] }] };

const DEVICES: Readonly<Record<string, object>> = {
  'a null device': { kind: 'null', capacity: CAPACITY, parallelism: 4, ...slots(3) },
  'a null device of 512-byte blocks': { kind: 'null', capacity: CAPACITY, logicalBlockSize: 512, hwQueues: 2 },
  'a null device without slots': { kind: 'null', capacity: CAPACITY, ...slots(0) },
  'UFS without an engine': ufs(),
  'UFS with keys in registers': ufs(slots(3)),
  'UFS that saves power': ufs({ ...slots(3), power: SAVING }),
  'UFS with MCQ and ICE': ufs({
    host: { generation: 'ufs-4.0' },
    media: { profile: 'ufs-4.0-tlc' },
    ...slots(3, { engine: 'qcom-ice' }),
  }),
  'UFS with keys in the PRDT': ufs({ crypto: PRDT }),
};

/** All over the same 2 MiB, so that accesses overlap: merges, splits, trims, flushes, FUA. */
const region = 'filename=/dev/sda\nsize=2m\n';
const JOBS: Readonly<Record<string, string>> = {
  'a random mix': `[mix]\nrw=randrw\nbsrange=4k-64k\nnorandommap\niodepth=12\nnumjobs=3\nnumber_ios=80\n${region}`,
  'trims and syncs': `[mix]\nrw=randrw\nbs=8k\nnorandommap\niodepth=8\nfsync=7\nnumber_ios=160\n${region}[trim]\nrw=randtrim\nbs=64k\nnumber_ios=20\n${region}[log]\nrw=write\nbs=4k\nsync=dsync\nnumber_ios=40\n${region}`,
  'large and small': `[large]\nrw=rw\nbs=2m\nnumber_ios=6\niodepth=2\n${region}[plugged]\nrw=write\nbs=4k\niodepth=16\niodepth_batch=8\nnumber_ios=64\n${region}[reader]\nrw=read\nbs=16k\nnumber_ios=60\niodepth=4\n${region}`,
};

const KEYS: Readonly<Record<string, object | undefined>> = {
  plain: undefined,
  'a key per file': { keyPer: 'file' },
  'a key per file, units of 512 bytes': { keyPer: 'file', dataUnitSize: 512 },
  'keys that change': { keyPer: 'job', churn: { createPerSecond: 2000, evictAfter: '50us' } },
  'keys drawn anew, a third plain': { keyPer: 'io', keys: 7, plainShare: 0.33, ivLayout: 'lba' },
};

function definition(device: object, jobs: string, keys: object | undefined, more: object = {}): object {
  return {
    format: 1,
    seed: 11,
    device,
    queue: { scheduler: 'mq-deadline', blocking: true },
    ...(keys && { encryption: { jobs: { '*': keys }, fallback: { bouncePages: 64 } } }),
    workload: { fio: `[global]\ndirect=1\nioengine=libaio\n${jobs}` },
    ...more,
  };
}

const withData = (given: object): object => ({ ...given, run: { data: 'verify' } });

function dataOf({ data }: RunSummary): Readonly<Record<string, number>> {
  if (data === undefined) throw new Error('the run had no data');
  return data;
}

/** Data units lie within blocks. */
const keyNamesOf = (device: object): string[] => {
  const isNarrow = 'logicalBlockSize' in device;
  return isNarrow ? ['plain', 'a key per file, units of 512 bytes'] : Object.keys(KEYS);
};

const CASES = Object.entries(DEVICES).flatMap(([deviceName, device], d) =>
  Object.entries(JOBS).flatMap(([jobsName, jobs], j) => {
    const names = keyNamesOf(device);
    const keysName = names[(2 * d + j) % names.length];
    const second = names[(2 * d + j + 3) % names.length];
    return [keysName, second].map((k) => ({
      name: `${jobsName}, ${k}, on ${deviceName}`,
      device,
      jobs,
      keys: KEYS[k],
    }));
  }),
);

describe('law 7 holds, and data costs no time', () => {
  it.each(CASES.map((c) => [c.name, c] as const))('%s', (_name, { device, jobs, keys }) => {
    const given = definition(device, jobs, keys);
    const run = runDefinition(withData(given));
    const { violations } = run.summary;
    expect({ status: run.summary.run.status, violations }).toEqual({ status: 'done', violations: [] });
    const data = dataOf(run.summary);
    expect(data).toMatchObject({ blocksVerified: data.blocksRead, blocksMismatched: 0, blocksUnread: 0 });
    expect(data.blocksRead).toBeGreaterThan(100);
    expect(data.blocksWritten).toBeGreaterThan(100);
    const plain = runDefinition(given);
    expect(plain.summary.data).toBeUndefined();
    expect(run.summary.run).toEqual(plain.summary.run); // the hash, the events, the time
  });

  it('is not said of reads of blocks that nobody wrote', () => {
    const jobs = `[r]\nrw=read\nbs=64k\n${region}`;
    const read = (keys: object | undefined): object =>
      dataOf(runDefinition(withData(definition(DEVICES['UFS with keys in registers'], jobs, keys))).summary);
    expect(read(undefined)).toMatchObject({ blocksVerified: 512, blocksUnderOtherKey: 0, mediumBytes: 0 });
    expect(read({ keyPer: 'file' })).toMatchObject({ blocksVerified: 512, blocksUnderOtherKey: 512 });
  });

  it('is the same whether a run is checked or not, and in which slices it is run', () => {
    const given = definition(DEVICES['UFS with keys in registers'], JOBS['a random mix'], KEYS['a key per file']);
    const whole = runDefinition(withData(given)).summary;
    const sliced = runDefinition({ ...given, run: { data: 'verify', check: false, detail: 'summary' } }, 7).summary;
    expect(sliced.data).toEqual(whole.data);
    expect(sliced.run).toEqual(whole.run);
  });
});

describe('hardware-wrapped keys', () => {
  it.each(['v1', 'v2'])('with key manager %s the medium holds what the derived keys make of it', (keyManager) => {
    const device = ufs(slots(3, { engine: 'qcom-ice', keyManager }));
    const given = definition(device, JOBS['a random mix'], { keyPer: 'job', keyType: 'hw-wrapped' });
    const alone = { ...given, encryption: { jobs: { '*': { keyPer: 'job', keyType: 'hw-wrapped' } } } };
    const { summary } = runDefinition(withData(alone));
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    const data = dataOf(summary);
    expect(data.blocksRead).toBeGreaterThan(100);
    expect(data).toMatchObject({ blocksVerified: data.blocksRead, blocksMismatched: 0 });
    expect(summary.run.traceHash).toBe(runDefinition(alone).summary.run.traceHash);
  });
});

describe('random definitions', () => {
  const pick = <T>(random: RandomStream, of: readonly T[]): T => of[random.below(of.length)];

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('hold law 7 at the same times (seed %i)', (seed) => {
    const random = new RandomStream(seed, 'data-runs');
    const device = pick(random, Object.values(DEVICES));
    const job = (n: number): string => {
      const rw = pick(random, ['randrw', 'rw', 'randwrite', 'randread', 'trimwrite', 'randtrim', 'write']);
      const bs = pick(random, ['bs=4k', 'bs=16k', 'bsrange=4k-128k', 'bs=1m']);
      const more = pick(random, ['fsync=9\n', 'iodepth_batch=4\n', 'sync=1\n', 'thinktime=200us\n', '']);
      const engine = pick(random, ['libaio', 'io_uring', 'psync']);
      return `[j${n}]\nrw=${rw}\n${bs}\nioengine=${engine}\niodepth=${1 + random.below(16)}\nnorandommap\nnumber_ios=${20 + random.below(60)}\n${more}${region}`;
    };
    const jobs = Array.from({ length: 2 + random.below(3) }, (_, n) => job(n)).join('');
    const queue = { scheduler: pick(random, ['none', 'mq-deadline', 'kyber']), blocking: true };
    const given = { ...definition(device, jobs, KEYS[pick(random, keyNamesOf(device))]), queue };
    const { summary } = runDefinition(withData(given));
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
    expect(dataOf(summary).blocksVerified).toBe(dataOf(summary).blocksRead);
    expect(summary.run).toEqual(runDefinition(given).summary.run);
  });
});

/** Runs with data after something was done to the stack. */
function sabotaged(given: object, sabotage: (stack: Stack) => void): RunSummary {
  const experiment = validExperiment(withData(given));
  const stack = buildStack(experiment, () => undefined);
  sabotage(stack);
  const run = createRun(experiment, () => undefined, stack);
  while (run.slice(10_000));
  return run.finish(false);
}

describe('law 7 is broken', () => {
  const given = definition(DEVICES['UFS with keys in registers'], JOBS['a random mix'], { keyPer: 'file' });

  it('by a bit that flips on the medium', () => {
    const summary = sabotaged(given, ({ data }) => {
      const medium = data?.medium;
      if (medium === undefined) throw new Error('no medium');
      const write = medium.write.bind(medium);
      let writes = 0;
      medium.write = (at, bytes) => {
        if (++writes === 20) bytes[5] ^= 1;
        write(at, bytes);
      };
    });
    expect(summary.run.status).toBe('failed');
    expect(summary.violations[0]).toMatch(
      /^data at \d+ ns: I\/O \d+ read garbage in block \d+, which may hold write \d+/,
    );
    expect(dataOf(summary).blocksExplained).toBe(0);
  });

  it('by a write that goes elsewhere, and by a read that brings nothing', () => {
    const lost = sabotaged(given, ({ data }) => {
      if (data) data.medium.write = () => undefined;
    });
    expect(lost.violations.length).toBeGreaterThan(0);
    const silent = sabotaged(given, ({ data }) => {
      if (data) data.host.scatter = () => undefined;
    });
    expect(dataOf(silent).blocksVerified).toBe(0);
    expect(silent.run.status).toBe('failed');
  });

  it('by an engine that takes another DUN, and by one that does not encrypt one way', () => {
    const wrongDun = sabotaged(given, ({ block }) => {
      const setUp = block.startRequest.bind(block);
      block.startRequest = (rq) => {
        if (block.requests.op[rq] === OP_WRITE) block.requests.dun[8 * rq] ^= 1;
        setUp(rq);
      };
    });
    expect(dataOf(wrongDun).blocksMismatched).toBeGreaterThan(0);
    expect(wrongDun.violations.some((v) => v.startsWith('data at'))).toBe(true);
  });
});

describe('a data run', () => {
  it('fails with a clear word when the medium needs more memory than it may have', () => {
    const given = definition(ufs(), `[w]\nrw=write\nbs=64k\nfilename=/dev/sda\nsize=4m\n`, undefined);
    const { summary } = runDefinition({ ...given, run: { data: 'verify', dataLimit: '1MiB' } });
    expect(summary.run.status).toBe('failed');
    expect(summary.deadlock).toBeNull();
    expect(summary.violations.join()).toContain('the data run would need more than 1 MiB of medium (run.dataLimit)');
  });

  it('is refused where a data unit is larger than a block', () => {
    const given = definition(
      ufs({ crypto: { algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [8192] }] } }),
      `[w]\nrw=write\nbs=64k\n${region}`,
      { dataUnitSize: 8192, keyPer: 'file' },
    );
    expect(problemsAt(given, '/encryption/jobs/*/dataUnitSize')).toEqual([]);
    const [problem] = problemsAt(withData(given), '/encryption/jobs/*/dataUnitSize');
    expect(problem.message).toContain('logical blocks of 4096 bytes: data units must not be larger, not 8192');
    expect(problemsAt({ ...given, run: { data: 'some' } }, '/run/data')[0].message).toContain('"none"');
  });
});

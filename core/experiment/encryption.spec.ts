/** Encrypted runs: the laws over devices, engines, policies and keys; what validation refuses; what the tables and the summary tell. */
import { describe, expect, it } from 'vitest';
import { definitionOf, problemsOf, rowProblems, runDefinition, type FinishedRun } from './testing.ts';
import { validateDefinition } from './validate.ts';

const JOBS = {
  random: '[a]\nioengine=libaio\nrw=randrw\nbsrange=4k-64k\niodepth=12\nsize=32m\nnrfiles=8\nnumber_ios=150\n',
  psync: '[a]\nioengine=psync\nrw=randread\nbs=4k\nsize=8m\nnumjobs=6\nnumber_ios=40\nthinktime=200us\n',
  batch: '[a]\nioengine=libaio\nrw=write\nbs=4k\nsize=8m\niodepth=16\niodepth_batch=8\nfsync=16\nnumber_ios=128\n',
};

const DEVICES: readonly (readonly [string, object, depth: number, isShared: boolean])[] = [
  ['null', { kind: 'null', capacity: '1GiB', crypto: { keyslots: 3 } }, 64, false],
  [
    'null with two queues that sleeps',
    { kind: 'null', capacity: '1GiB', hwQueues: 2, queueDepth: 8, crypto: { keyslots: 2, programming: 'sleep' } },
    8,
    false,
  ],
  ['null without slots', { kind: 'null', capacity: '1GiB', crypto: { keyslots: 0 } }, 64, false],
  ['UFS', { kind: 'ufs', capacity: '1GiB', crypto: { keyslots: 3 } }, 31, false],
  [
    'UFS that gates and answers busy',
    {
      kind: 'ufs',
      capacity: '1GiB',
      crypto: { keyslots: 3 },
      power: { generation: 'busy', gateAfter: '30us', autosuspend: '3ms' },
    },
    31,
    false,
  ],
  [
    'UFS that gates and waits',
    { kind: 'ufs', capacity: '1GiB', crypto: { keyslots: 3 }, power: { gateAfter: '30us', autosuspend: '3ms' } },
    31,
    false,
  ],
  [
    'UFS with MCQ and ICE',
    {
      kind: 'ufs',
      capacity: '1GiB',
      host: { generation: 'ufs-4.0' },
      media: { profile: 'ufs-4.0-tlc' },
      crypto: { keyslots: 3, engine: 'qcom-ice' },
    },
    63,
    true,
  ],
  [
    'UFS with keys in the PRDT',
    {
      kind: 'ufs',
      capacity: '1GiB',
      crypto: { engine: 'prdt', algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [4096] }] },
    },
    31,
    false,
  ],
  ['UFS without an engine', { kind: 'ufs', capacity: '1GiB' }, 31, false],
];
const POLICIES = ['submit', 'before-tag', 'dispatch-block', 'dispatch-hold-encrypted', 'dispatch-hold-key'];
const KEYS: readonly (readonly [string, object])[] = [
  ['a key per file', { keyPer: 'file' }],
  ['a key per job that changes', { keyPer: 'job', churn: { createPerSecond: 2000, evictAfter: '50us' } }],
  ['keys drawn anew, a third plain', { keyPer: 'io', keys: 7, plainShare: 0.33, ivLayout: 'iv-ino-lblk-32' }],
  ['a key for all, numbered by block', { ivLayout: 'lba' }],
];

const CASES = DEVICES.flatMap(([device, definition, depth, isShared], d) =>
  POLICIES.flatMap((policy, p) =>
    [0, 1].map((n) => {
      const [keys, entry] = KEYS[(d + p + 2 * n) % KEYS.length];
      const jobs = Object.keys(JOBS)[(d + 2 * p + n) % 3] as keyof typeof JOBS;
      return { device, definition, tags: { depth, isShared }, policy, keys, entry, jobs };
    }),
  ),
);

function encrypted(device: object, entry: object, more: { policy?: string; jobs?: string; run?: object } = {}): object {
  return {
    format: 1,
    seed: 3,
    device,
    queue: { keyslotPolicy: more.policy ?? 'submit', blocking: true, scheduler: 'mq-deadline' },
    encryption: { jobs: { '*': entry }, fallback: {} },
    workload: { fio: `[global]\ndirect=1\n${more.jobs ?? JOBS.random}` },
    ...(more.run && { run: more.run }),
  };
}

describe('the laws hold', () => {
  it.each(CASES.map((c) => [`${c.device}, ${c.policy}, ${c.keys}, ${c.jobs}`, c] as const))('%s', (_name, c) => {
    const definition = encrypted(c.definition, c.entry, { policy: c.policy, jobs: JOBS[c.jobs] });
    const run = runDefinition(definition);
    const { violations, deadlock, warnings } = run.summary;
    const { status, traceHash } = run.summary.run;
    expect({ status, violations, deadlock, warnings }).toEqual({
      status: 'done',
      violations: [],
      deadlock: null,
      warnings: [],
    });
    expect(rowProblems(run, c.tags)).toEqual([]);
    expect(run.summary.crypto.encryptedIos).toBeGreaterThan(50);
    expect(runDefinition({ ...definition, run: { detail: 'summary', check: false } }).summary.run.traceHash).toBe(
      traceHash,
    );
  });
});

/** The keys of the rows of a table, NaN for plain ones. */
const keysOf = (run: FinishedRun, table: 'io' | 'request'): Float64Array => run[table].column('key_id');

describe('an encrypted run', () => {
  const device = { kind: 'null', capacity: '1GiB', crypto: { keyslots: 4 } };

  it('does the same accesses as the plain one', () => {
    const run = runDefinition(encrypted(device, { keyPer: 'io', keys: 9, plainShare: 0.5 }));
    const plain = runDefinition({ ...encrypted(device, {}), encryption: undefined });
    const offsetsOf = ({ io }: FinishedRun): number[] => {
      const at = io.column('offset_bytes');
      const order = io.column('io_id');
      return Array.from(at.keys())
        .sort((a, b) => order[a] - order[b])
        .map((row) => at[row]);
    };
    expect(offsetsOf(run)).toEqual(offsetsOf(plain));
    expect(keysOf(plain, 'io').every((key) => Number.isNaN(key))).toBe(true);
  });

  it('tells key, slot, data unit number and size of every encrypted request, and of no other', () => {
    const run = runDefinition(encrypted(device, { keyPer: 'file', plainShare: 0.5 }));
    const { request } = run;
    const [slot, dun, unit] = ['keyslot', 'dun', 'data_unit_size'].map((name) => request.column(name));
    const keys = keysOf(run, 'request');
    const isPlain = Array.from(keys, (key) => Number.isNaN(key));
    expect(new Set(isPlain).size).toBe(2);
    isPlain.forEach((plain, row) => {
      expect([slot[row] >= 0, dun[row] >= 0, unit[row] === 4096]).toEqual([!plain, !plain, !plain]);
    });
  });

  it('numbers data units by the block of the device with "lba"', () => {
    const { request } = runDefinition(encrypted(device, { ivLayout: 'lba' }));
    const sector = request.column('sector');
    expect(request.column('dun')).toEqual(sector.map((n) => n / 8));
  });

  it('uses as many keys as there are files, jobs, or one', () => {
    const countOf = (entry: object, jobs: string): number =>
      new Set(keysOf(runDefinition(encrypted(device, entry, { jobs })), 'io')).size;
    expect(countOf({ keyPer: 'file' }, JOBS.random)).toBe(8);
    expect(countOf({ keyPer: 'file', keys: 3 }, JOBS.random)).toBe(3);
    expect(countOf({ keyPer: 'job' }, JOBS.psync)).toBe(6);
    expect(countOf({}, JOBS.psync)).toBe(1);
  });

  it('lets clones that share a file share its key and numbers', () => {
    const shared = JOBS.psync.replace('size=8m', 'size=8m\nfilename=/dev/sda');
    const run = runDefinition(encrypted(device, { keyPer: 'file' }, { jobs: shared }));
    expect(new Set(keysOf(run, 'io')).size).toBe(1);
  });

  it('replaces keys and evicts the old ones', () => {
    const churn = { createPerSecond: 1000, evictAfter: '100us' };
    const { crypto } = runDefinition(encrypted(device, { keyPer: 'job', churn }, { jobs: JOBS.psync })).summary;
    expect(crypto.keysReplaced).toBeGreaterThan(5);
    expect(crypto.keysReplaced - crypto.keysEvicted).toBeLessThanOrEqual(2);
    expect(crypto.keys).toBe(6 + crypto.keysReplaced);
  });

  it('uses the device for what it can do and the CPU for the rest', () => {
    const both = { ...encrypted(device, {}), encryption: { fallback: {}, jobs: { a: { mode: 'Adiantum' } } } };
    const { crypto, stages } = runDefinition(both).summary;
    expect(crypto.fallbackReads + crypto.fallbackWrites).toBeGreaterThanOrEqual(150);
    expect(stages['fallback.cpu'].meanNs).toBeGreaterThan(0);
    expect(runDefinition(encrypted(device, {})).summary.crypto.fallbackReads).toBe(0);
  });

  it('has the same hash as before when it does not encrypt, whatever engine the device has', () => {
    const hashOf = (more: object): string =>
      runDefinition({ ...encrypted(device, {}), encryption: undefined, ...more }).summary.run.traceHash;
    expect(hashOf({ device: { kind: 'null', capacity: '1GiB' } })).toBe(hashOf({}));
  });
});

describe('hardware-wrapped keys', () => {
  const CALL_NS = 10_000;
  const device = (keyManager: string): object => ({
    kind: 'ufs',
    capacity: '1GiB',
    crypto: {
      keyslots: 3,
      engine: 'qcom-ice',
      keyManager,
      programTime: CALL_NS,
      secureMonitor: { jitter: 0, tailEvery: 0 },
    },
    power: { clockGating: false, runtimePm: false, autoHibern8: 0 },
  });
  const job = { keyPer: 'job', keyType: 'hw-wrapped' };

  it.each(['v1', 'v2'].flatMap((manager) => POLICIES.map((policy) => [manager, policy] as const)))(
    'hold the laws with key manager %s under %s, while keys come and go',
    (manager, policy) => {
      const entry = { ...job, churn: { createPerSecond: 2000, evictAfter: '50us' } };
      const run = runDefinition(encrypted(device(manager), entry, { policy, jobs: JOBS.psync }));
      const { violations, warnings, crypto } = run.summary;
      expect({ violations, warnings, status: run.summary.run.status }).toEqual({
        violations: [],
        warnings: [],
        status: 'done',
      });
      expect(rowProblems(run, { depth: 31, isShared: false })).toEqual([]);
      expect(crypto).toMatchObject({
        encryptedIos: 240,
        fallbackReads: 0,
        programErrors: 0,
        keysNotMade: 0,
        keysPrepared: 6 + crypto.keysReplaced,
      });
      expect(crypto.keysReplaced).toBeGreaterThan(5);
    },
  );

  it.each(['generate', 'import'])('are made before the first I/O, by two calls each: %s and prepare', (keySource) => {
    const run = runDefinition(encrypted(device('v2'), { ...job, keySource }, { jobs: JOBS.psync }));
    const { crypto, keyslots, device: counters } = run.summary;
    const [generated, imported] = keySource === 'generate' ? [6, 0] : [0, 6];
    expect(crypto).toMatchObject({ keys: 6, keysGenerated: generated, keysImported: imported, keysPrepared: 6 });
    expect(crypto.keyMakingNs).toBe(12 * CALL_NS);
    expect(Math.min(...run.io.column('submit_ns'))).toBeGreaterThan(12 * CALL_NS);
    expect(counters.smcCalls).toBe(12 + keyslots.programs);
  });

  it('show in the capabilities of the device, as in sysfs', () => {
    const files = runDefinition(encrypted(device('v2'), job, { jobs: JOBS.psync })).summary.cryptoSysfs;
    expect(files).toEqual({
      max_dun_bits: '64',
      num_keyslots: '3',
      'modes/AES-256-XTS': '0x1200',
      hw_wrapped_keys: 'supported',
    });
  });

  it('stopped while they are made end the run without I/O', () => {
    const { run } = runDefinition(encrypted(device('v2'), job, { jobs: JOBS.psync, run: { until: '25us' } })).summary;
    expect(run).toMatchObject({ status: 'done', ios: 0 });
  });
});

const encryptedBy = (jobs: object, more: object = {}): object =>
  definitionOf({ device: { kind: 'ufs', crypto: {} }, encryption: { jobs }, ...more });

/** One bad definition each: where its problem is, and what it says. */
const RULES: readonly (readonly [what: string, definition: object, path: string, message: string])[] = [
  [
    'a job that does not exist',
    encryptedBy({ raed: {} }),
    '/encryption/jobs/raed',
    'there is no job "raed"; jobs: read',
  ],
  [
    'a device without an engine',
    encryptedBy({ '*': {} }, { device: { kind: 'ufs' } }),
    '/encryption/jobs/*',
    'the device has no inline encryption engine',
  ],
  [
    'a mode that the device does not have',
    encryptedBy({ read: { mode: 'Adiantum' } }),
    '/encryption/jobs/read/mode',
    'the device cannot do Adiantum; it can do: AES-256-XTS',
  ],
  [
    'a data unit size that the device does not have',
    encryptedBy({ read: { dataUnitSize: 1024 } }),
    '/encryption/jobs/read/dataUnitSize',
    'the device does AES-256-XTS with data units of 512, 4096 bytes, not 1024',
  ],
  [
    'a layout wider than the numbers of the device',
    encryptedBy({ read: { ivLayout: 'iv-ino-lblk-64' } }, { device: { kind: 'ufs', crypto: { dunBytes: 4 } } }),
    '/encryption/jobs/read/ivLayout',
    'iv-ino-lblk-64 needs data unit numbers of 8 bytes, the device has 4',
  ],
  [
    'I/Os that are no whole data units',
    encryptedBy(
      { read: { dataUnitSize: 8192 } },
      { device: { kind: 'null', crypto: { algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [8192] }] } } },
    ),
    '/encryption/jobs/read/dataUnitSize',
    'job "read": 4 KiB is no multiple of the data unit size 8 KiB',
  ],
  [
    'several keys of one policy',
    encryptedBy({ read: { keys: 2 } }),
    '/encryption/jobs/read/keys',
    'must be 1: the entry has one key',
  ],
  [
    'keys to draw from without their number',
    encryptedBy({ read: { keyPer: 'io' } }),
    '/encryption/jobs/read/keys',
    'is missing; must say how many keys there are to draw from',
  ],
  [
    'sleeping at dispatch in a queue that does not block',
    encryptedBy(
      { '*': {} },
      {
        queue: { keyslotPolicy: 'dispatch-block' },
        device: { kind: 'null', crypto: { programming: 'sleep' } },
      },
    ),
    '/queue/keyslotPolicy',
    'dispatch-block programs keys at dispatch, which may sleep on this device; that needs a blocking queue',
  ],
  [
    'wrapped keys of a device that takes raw ones',
    encryptedBy({ read: { keyType: 'hw-wrapped' } }),
    '/encryption/jobs/read/keyType',
    'the device takes raw keys only, not hw-wrapped ones',
  ],
  [
    'wrapped keys in the fallback',
    encryptedBy({}, { encryption: { fallback: {}, jobs: { read: { keyType: 'hw-wrapped' } } } }),
    '/encryption/jobs/read/keyType',
    'the device takes raw keys only, not hw-wrapped ones',
  ],
  [
    'raw keys of an engine with a key manager (I-67)',
    encryptedBy({ read: {} }, { device: { kind: 'ufs', crypto: { engine: 'qcom-ice', keyManager: 'v1' } } }),
    '/encryption/jobs/read/keyType',
    'the device takes hw-wrapped keys only, not raw ones',
  ],
  [
    'a key manager without its engine',
    definitionOf({ device: { kind: 'ufs', crypto: { keyManager: 'v2' } } }),
    '/device/crypto/keyManager',
    'engine registers has none; only qcom-ice does',
  ],
  [
    'an unknown policy',
    definitionOf({ queue: { keyslotPolicy: 'later' } }),
    '/queue/keyslotPolicy',
    'must be one of "submit"',
  ],
];

describe('validation refuses', () => {
  it.each(RULES)('%s', (_what, definition, path, message) => {
    const found = problemsOf(definition).filter((p) => p.path === path);
    expect(found.map((p) => p.message)).toEqual([expect.stringContaining(message)]);
  });

  it('a misspelt setting with the nearest name, and the names that there are', () => {
    const [problem] = problemsOf(encryptedBy({ read: { keyper: 'file' } }));
    expect(problem).toMatchObject({ path: '/encryption/jobs/read/keyper', hint: 'did you mean "keyPer"?' });
    expect(problem.message).toContain('keyPer, keys, ivLayout, plainShare, churn');
  });

  it('a misspelt job with the nearest name', () => {
    const [problem] = problemsOf(encryptedBy({ raed: {} }));
    expect(problem.hint).toBe('did you mean "read"?');
  });
});

describe('validation warns', () => {
  const warningsOf = (definition: object): string[] =>
    validateDefinition(definition)
      .problems.filter((p) => p.severity === 'warning')
      .map((p) => p.code);

  it('of numbers that repeat under one key', () => {
    expect(warningsOf(encryptedBy({ read: { ivLayout: 'file-dun' } }))).toEqual(['iv-reuse']);
    expect(warningsOf(encryptedBy({ read: { keyPer: 'file' } }))).toEqual([]);
  });

  it('of a queue that shall not block although keys are programmed in its dispatch by calls that may sleep', () => {
    const queue = { keyslotPolicy: 'dispatch-block', blocking: false };
    expect(warningsOf(encryptedBy({ '*': {} }, { queue }))).toEqual(['blocking']);
  });

  it('of wrapped keys per file, which fscrypt does not have', () => {
    const crypto = { engine: 'qcom-ice', keyManager: 'v2' };
    const wrapped = { keyPer: 'file', keyType: 'hw-wrapped' };
    expect(warningsOf(encryptedBy({ read: wrapped }, { device: { kind: 'ufs', crypto } }))).toEqual(['unusual']);
  });

  it('of what is left to the CPU', () => {
    const left = { fallback: {}, jobs: { read: { mode: 'Adiantum' } } };
    expect(warningsOf(encryptedBy({}, { encryption: left }))).toEqual(['fallback']);
  });
});

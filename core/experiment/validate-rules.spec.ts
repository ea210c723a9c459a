/** Validation refuses: every rule of the definition, where its problem is reported, what the message says is allowed, and what it suggests. */
import { describe, expect, it } from 'vitest';
import { definitionOf, problemsAt, problemsOf, WORKLOAD } from './testing.ts';
import { validateDefinition } from './validate.ts';

const ufs = (more: object): object => definitionOf({ device: { kind: 'ufs', ...more } });
const nullDevice = (more: object): object => definitionOf({ device: { kind: 'null', ...more } });
const job = (lines: string): object => definitionOf({ workload: { fio: `[read]\nrw=randread\ndirect=1\n${lines}` } });

const BYTES = 'must be a number of bytes or a text such as "4k", "64GiB"';
const TIME = 'must be integer nanoseconds or a text such as "12us", "10ms"';
const WORKLOAD_WORDS = 'must hold either "fio" (the text of a job file) or "fioFile" (its path)';

/** One bad definition each: its problem's path, and its message (or a part of it). */
const RULES: readonly (readonly [what: string, definition: unknown, path: string, message: string | RegExp])[] = [
  ['a definition that is no object', [], '', 'must be an object { … }'],
  ['null for a definition', null, '', 'must be an object { … }'],
  [
    'no format',
    { device: { kind: 'ufs' }, workload: WORKLOAD },
    '/format',
    'is missing; must be 1: the only format there is',
  ],
  ['another format', definitionOf({ format: 2 }), '/format', 'must be 1: the only format there is'],
  ['an empty name', definitionOf({ name: '' }), '/name', 'must not be empty'],
  ['a long name', definitionOf({ name: 'x'.repeat(201) }), '/name', 'must have at most 200 characters'],
  ['a number as name', definitionOf({ name: 3 }), '/name', 'must be a text'],
  ['a fractional seed', definitionOf({ seed: 1.5 }), '/seed', 'must be a whole number from 0 to 9007199254740991'],
  ['a negative seed', definitionOf({ seed: -1 }), '/seed', 'must be a whole number from 0 to 9007199254740991'],
  [
    'an unknown machine',
    definitionOf({ machine: { profile: 'pc' } }),
    '/machine/profile',
    'must be one of "phone-a76", "server-x86", "free"',
  ],
  ['no CPU', definitionOf({ machine: { cpus: 0 } }), '/machine/cpus', 'must be a whole number from 1 to 64'],
  ['CPUs as a text', definitionOf({ machine: { cpus: '4' } }), '/machine/cpus', 'must be a whole number from 1 to 64'],
  ['a list of costs', definitionOf({ machine: { costs: [] } }), '/machine/costs', 'must be an object { … }'],
  ['a cost that is no time', definitionOf({ machine: { costs: { wakeNs: true } } }), '/machine/costs/wakeNs', TIME],
  [
    'another idle state',
    definitionOf({ machine: { idleStates: 'c1' } }),
    '/machine/idleStates',
    'must be one of "profile", "none"',
  ],
  ['no device', { format: 1, workload: WORKLOAD }, '/device', 'is missing; must have a "kind": "ufs" or "null"'],
  [
    'a device without kind',
    definitionOf({ device: {} }),
    '/device/kind',
    'is missing; must have a "kind": "ufs" or "null"',
  ],
  ['an unknown kind', definitionOf({ device: { kind: 'ssd' } }), '/device/kind', 'must have a "kind": "ufs" or "null"'],
  ['a small capacity', ufs({ capacity: '1k' }), '/device/capacity', '1 KiB is out of range; allowed: 64 MiB to 16 TiB'],
  ['a capacity that is no size', ufs({ capacity: {} }), '/device/capacity', BYTES],
  [
    'a capacity of broken blocks',
    nullDevice({ capacity: 1024 ** 3 + 512 }),
    '/device/capacity',
    /not a multiple of the logical block size 4096/,
  ],
  [
    'small UFS blocks',
    ufs({ logicalBlockSize: 512 }),
    '/device/logicalBlockSize',
    '512 B is out of range; allowed: 4 KiB',
  ],
  [
    'odd blocks',
    nullDevice({ logicalBlockSize: 777 }),
    '/device/logicalBlockSize',
    '777 B is no power of two; allowed: 512 B to 4 KiB, a power of two',
  ],
  ['one UTRL slot', ufs({ queueDepth: 1 }), '/device/queueDepth', /^must be from 2 to 32 without MCQ/],
  [
    'more slots than a doorbell has',
    ufs({ queueDepth: 33 }),
    '/device/queueDepth',
    /^must be from 2 to 32 without MCQ/,
  ],
  [
    'one MCQ entry',
    ufs({ queueDepth: 1, host: { mcq: true } }),
    '/device/queueDepth',
    /^must be from 2 to 256 with MCQ/,
  ],
  ['queues without MCQ', ufs({ hwQueues: 2 }), '/device/hwQueues', 'must be 1 without MCQ (host.mcq)'],
  [
    'too many MCQ queues',
    ufs({ hwQueues: 33, host: { generation: 'ufs-4.0' } }),
    '/device/hwQueues',
    'must be at most 32',
  ],
  [
    'a gear too fast',
    ufs({ host: { generation: 'ufs-2.1', gear: 'HS-G4' } }),
    '/device/host/gear',
    'HS-G4 is faster than ufs-2.1 allows; allowed: HS-G1, HS-G2, HS-G3',
  ],
  ['three lanes', ufs({ host: { lanes: 3 } }), '/device/host/lanes', 'must be a whole number from 1 to 2'],
  [
    'an unknown generation',
    ufs({ host: { generation: 'ufs-9' } }),
    '/device/host/generation',
    'must be one of "ufs-2.1", "ufs-3.0", "ufs-3.1", "ufs-4.0"',
  ],
  [
    'another cipher',
    ufs({ crypto: { algorithms: [{ mode: 'DES', dataUnitSizes: [512] }] } }),
    '/device/crypto/algorithms/0/mode',
    'must be "AES-256-XTS"',
  ],
  [
    'no data unit size',
    ufs({ crypto: { algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [] }] } }),
    '/device/crypto/algorithms/0/dataUnitSizes',
    'must not be empty',
  ],
  [
    'an odd data unit size',
    ufs({ crypto: { algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [1536] }] } }),
    '/device/crypto/algorithms/0/dataUnitSizes/0',
    /no power of two/,
  ],
  [
    'an unknown flash',
    ufs({ media: { profile: 'ufs-3.1' } }),
    '/device/media/profile',
    /^unknown profile "ufs-3.1"; allowed: emmc-5.1-tlc, ufs-2.1-tlc/,
  ],
  [
    'a negative flash time',
    ufs({ media: { overrides: { timing: { readNs: -1 } } } }),
    '/device/media/overrides/timing/readNs',
    /must be an integer from 0/,
  ],
  [
    'an unknown flash figure',
    ufs({ media: { overrides: { foo: 1 } } }),
    '/device/media/overrides/foo',
    /not a field; known here: name, capacityBytes/,
  ],
  [
    'an unclear time',
    ufs({ power: { gateAfter: '5m' } }),
    '/device/power/gateAfter',
    '"5m" is unclear: write "min" for minutes or "ms" for milliseconds',
  ],
  [
    'a time beyond the register',
    ufs({ power: { autoHibern8: '200s' } }),
    '/device/power/autoHibern8',
    '200 s is out of range; allowed: 0 to 102.3 s',
  ],
  ['a text for a switch', ufs({ power: { clockGating: 'yes' } }), '/device/power/clockGating', 'must be true or false'],
  ['no latency', nullDevice({ latency: 0 }), '/device/latency', '0 is out of range; allowed: at least 1 ns'],
  ['a list of latencies', nullDevice({ latency: [] }), '/device/latency', /^must be a time such as "100us", or/],
  [
    'an unknown distribution',
    nullDevice({ latency: { distribution: 'normal' } }),
    '/device/latency/distribution',
    /"uniform" \(with min and max\) or "exponential" \(with mean\)/,
  ],
  [
    'a distribution without mean',
    nullDevice({ latency: { distribution: 'exponential' } }),
    '/device/latency/mean',
    `is missing; ${TIME}`,
  ],
  [
    'a maximum below the minimum',
    nullDevice({ latency: { distribution: 'uniform', min: '2us', max: '1us' } }),
    '/device/latency/max',
    'must not be below /device/latency/min',
  ],
  [
    'an unknown scheduler',
    definitionOf({ queue: { scheduler: 'bfq' } }),
    '/queue/scheduler',
    'must be one of "none", "mq-deadline", "kyber"',
  ],
  [
    'an unknown affinity',
    definitionOf({ queue: { rqAffinity: 3 } }),
    '/queue/rqAffinity',
    'must be a whole number from 0 to 2',
  ],
  [
    'no timeout',
    definitionOf({ queue: { timeout: 0 } }),
    '/queue/timeout',
    '0 is out of range; allowed: at least 1 ns',
  ],
  [
    'a device-mapper target',
    definitionOf({ stack: [{ target: 'crypt' }] }),
    '/stack/0',
    'no device-mapper target exists yet',
  ],
  ['a stack that is no list', definitionOf({ stack: {} }), '/stack', 'must be a list [ … ]'],
  [
    'a fault without a name',
    definitionOf({ faults: [{}] }),
    '/faults/0/fault',
    /must have a "fault": one of .*host-reset/,
  ],
  ['no workload', { format: 1, device: { kind: 'ufs' } }, '/workload', `is missing; ${WORKLOAD_WORDS}`],
  ['an empty workload', definitionOf({ workload: {} }), '/workload', WORKLOAD_WORDS],
  ['two workloads', definitionOf({ workload: { ...WORKLOAD, fioFile: 'a.fio' } }), '/workload', WORKLOAD_WORDS],
  ['a workload that is a text', definitionOf({ workload: '[read]' }), '/workload', WORKLOAD_WORDS],
  ['a job file that is a number', definitionOf({ workload: { fio: 3 } }), '/workload/fio', 'must be a text'],
  [
    'a job file where none can be read',
    definitionOf({ workload: { fioFile: 'a.fio' } }),
    '/workload/fioFile',
    'a.fio: job files on disk cannot be read here; paste the text under "fio"',
  ],
  ['a job file without job', definitionOf({ workload: { fio: '[global]\nrw=read\n' } }), '/workload/fio', /no job/],
  [
    'blocks below the logical block',
    job('bs=512\n'),
    '/workload/fio',
    /block size 512 is not a multiple of the device's logical block size 4096/,
  ],
  [
    'a job beyond the device',
    job('offset=65g\n'),
    '/workload/fio',
    /job "read" starts at 69793218560, beyond the device's 64 GiB/,
  ],
  [
    'a run without time',
    definitionOf({ run: { until: 0 } }),
    '/run/until',
    '0 is out of range; allowed: at least 1 ns',
  ],
  [
    'another detail',
    definitionOf({ run: { detail: 'all' } }),
    '/run/detail',
    'must be one of "summary", "requests", "full"',
  ],
  ['data of another kind', definitionOf({ run: { data: 'real' } }), '/run/data', 'must be one of "none", "verify"'],
  [
    'too many repeats',
    definitionOf({ run: { repeats: 1001 } }),
    '/run/repeats',
    'must be a whole number from 1 to 1000',
  ],
];

/** Misspelt names: where, and what is suggested. */
const MISSPELT: readonly (readonly [definition: unknown, path: string, suggestion: string])[] = [
  [definitionOf({ sede: 1 }), '/sede', 'seed'],
  [definitionOf({ machine: { costs: { contextSwichNs: 1 } } }), '/machine/costs/contextSwichNs', 'contextSwitchNs'],
  [ufs({ host: { gaer: 'HS-G4' } }), '/device/host/gaer', 'gear'],
  [ufs({ crypto: { algorithms: [{ mod: 'x' }] } }), '/device/crypto/algorithms/0/mod', 'mode'],
  [nullDevice({ latency: { distribution: 'exponential', mean: '1us', maen: 1 } }), '/device/latency/maen', 'mean'],
  [
    definitionOf({ queue: { schedulerOptions: { readexpire: 1 } } }),
    '/queue/schedulerOptions/readexpire',
    'readExpire',
  ],
  [definitionOf({ workload: { foi: '[read]' } }), '/workload/foi', 'fio'],
  [ufs({ media: { profile: 'ufs-31-tlc' } }), '/device/media/profile', 'ufs-3.1-tlc'],
];

describe('validation refuses', () => {
  it.each(RULES)('%s', (_, definition, path, message) => {
    const [problem, ...others] = problemsOf(definition);
    expect(problem).toMatchObject({ severity: 'error', path });
    if (typeof message === 'string') expect(problem.message).toBe(message);
    else expect(problem.message).toMatch(message);
    expect(others).toEqual([]);
    expect(validateDefinition(definition).experiment).toBeUndefined();
  });

  it.each(MISSPELT)('a misspelt name with a suggestion: %j', (definition, path, suggestion) => {
    const [problem] = problemsAt(definition, path);
    expect(problem.message).toMatch(/^unknown .*; allowed( here)?: /);
    expect(problem.hint).toBe(`did you mean "${suggestion}"?`);
  });

  it('with every problem at once, in the order of the definition', () => {
    const definition = { format: 2, name: 1, sede: 1, device: { kind: 'ufs', capacty: 1 }, queue: { scheduler: 'x' } };
    const paths = problemsOf({ ...definition, workload: {} }).map((p) => p.path);
    expect(paths).toEqual(['/format', '/name', '/device/capacty', '/queue/scheduler', '/workload', '/sede']);
  });

  it('everything that takes two fields to see, at once too', () => {
    const definition = definitionOf({
      machine: { costs: { nonsense: 1 } },
      device: { kind: 'ufs', queueDepth: 64, hwQueues: 4, host: { generation: 'ufs-3.0', gear: 'HS-G5' } },
      workload: { fio: '[a]\nrw=read\ndirect=1\nbs=1k\n[b]\nrw=raed\n' },
    });
    const paths = problemsOf(definition).map((p) => p.path);
    expect(paths).toEqual([
      '/machine/costs/nonsense',
      '/device/queueDepth',
      '/device/hwQueues',
      '/device/host/gear',
      ...paths.filter((path) => path === '/workload/fio'),
    ]);
    expect(paths.filter((path) => path === '/workload/fio').length).toBeGreaterThan(0);
  });
});

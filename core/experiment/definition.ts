/**
 * The experiment definition, format 1 (design, section 6): the schema that refuses, fills defaults and converts to base units, and the types of what comes out.
 *
 * Two shapes: the *definition* is what the user wrote (unit texts kept, parts left out), `ValidExperiment` is frozen plain data in base units with every
 * default filled. Only `validate.ts` turns one into the other. Historical variants are settings whose description names the kernel generation.
 */
import * as z from 'zod';
import type { MachineCosts } from '../engine/costs/costs.ts';
import type { PlannedFault } from '../faults/plan.ts';
import type { MediaProfile } from '../media/profile.ts';
import { mediaProfileNames } from '../media/profiles/index.ts';
import type { FioJob } from '../workload/fio/job.ts';
import type { Encryption } from '../workload/encryption.ts';
import { encryption, keyslotPolicy, nullCrypto, type ParsedEncryption, ufsCrypto } from './definition-crypto.ts';
import { faults } from './definition-faults.ts';
import { bytes, count, timeNs } from './quantities.ts';

const machine = z
  .strictObject({
    profile: z
      .enum(['phone-a76', 'server-x86', 'free'])
      .default('phone-a76')
      .describe('cost table of the CPUs; free: nothing costs CPU time, for comparison with queueing models'),
    cpus: count(1, 64).optional().describe('number of CPUs; default from the profile'),
    costs: z
      .record(z.string(), timeNs())
      .default({})
      .describe('overrides of the cost table, by name, e.g. {"contextSwitchNs": "2us"}'),
    idleStates: z
      .enum(['profile', 'none'])
      .default('profile')
      .describe('whether idle CPUs fall into the idle states of the profile, which cost time to leave'),
  })
  .prefault({});

const power = z
  .strictObject({
    clockGating: z.boolean().default(true).describe('gate the host clocks when idle'),
    generation: z
      .enum(['blocking', 'busy'])
      .default('blocking')
      .describe(
        'a command that finds the clocks off: waits for them (Linux since 2023) or is answered busy and requeued (before)',
      ),
    gateAfter: timeNs().prefault('150ms').describe('idle time before gating'),
    ungate: timeNs().prefault('200us').describe('clocks and PHY on'),
    hibern8WithGating: z.boolean().default(true).describe('the link enters hibern8 when the clocks are gated'),
    hibern8Enter: timeNs().prefault('100us'),
    hibern8Exit: timeNs().prefault('300us'),
    autoHibern8: timeNs({ max: 102_300_000_000 }).prefault('150ms').describe('controller timer; 0 turns it off'),
    runtimePm: z.boolean().default(true).describe('suspend the device after autosuspend without I/O'),
    autosuspend: timeNs().prefault('2s'),
    resume: timeNs().prefault('10ms').describe('runtime resume: regulators, full link start'),
  })
  .prefault({});

const ufsHost = z
  .strictObject({
    generation: z.enum(['ufs-2.1', 'ufs-3.0', 'ufs-3.1', 'ufs-4.0']).default('ufs-3.1'),
    gear: z
      .enum(['HS-G1', 'HS-G2', 'HS-G3', 'HS-G4', 'HS-G5'])
      .optional()
      .describe('default: the fastest of the generation'),
    lanes: count(1, 2).default(2),
    mcq: z.boolean().optional().describe('multi-circular-queue mode; default: on for ufs-4.0'),
    interruptAggregation: z.boolean().default(false),
  })
  .prefault({});

const blockSize = bytes({ min: 512, max: 4096, powerOfTwo: true });

const ufsDevice = z.strictObject({
  kind: z.literal('ufs'),
  capacity: bytes({ min: 64 * 1024 ** 2, max: 16 * 1024 ** 4 }).prefault('64GiB'),
  logicalBlockSize: bytes({ min: 4096, max: 4096 }).prefault(4096).describe('UFS devices have 4 KiB logical blocks'),
  queueDepth: count(1, 256)
    .optional()
    .describe('UTRL slots (NUTRS) or, with MCQ, entries in flight; default 32, MCQ 64'),
  hwQueues: count(1, 64).optional().describe('default 1; with MCQ one per CPU'),
  host: ufsHost,
  crypto: ufsCrypto.optional().describe('inline encryption engine; absent: none'),
  media: z
    .strictObject({
      profile: z.string().meta({ examples: mediaProfileNames() }).default('ufs-3.1-tlc'),
      overrides: z.record(z.string(), z.unknown()).default({}).describe('any field of the profile'),
    })
    .prefault({}),
  power,
});

const latency = z.union(
  [
    timeNs({ min: 1 }),
    z.discriminatedUnion(
      'distribution',
      [
        z.strictObject({ distribution: z.literal('uniform'), min: timeNs(), max: timeNs() }),
        z.strictObject({ distribution: z.literal('exponential'), mean: timeNs({ min: 1 }) }),
      ],
      { error: 'must have a "distribution": "uniform" (with min and max) or "exponential" (with mean)' },
    ),
  ],
  { error: 'must be a time such as "100us", or { "distribution": "uniform" or "exponential", … }' },
);

const nullDevice = z.strictObject({
  kind: z.literal('null').describe('a device of pure latency, for queueing studies'),
  capacity: bytes({ min: 1024 ** 2 }).prefault('64GiB'),
  logicalBlockSize: blockSize.prefault(4096),
  queueDepth: count(1, 10_240).default(64),
  hwQueues: count(1, 64).default(1),
  latency: latency.prefault('100us').describe('service time: fixed, uniform or exponential'),
  parallelism: count(0, 100_000).default(0).describe('requests served at once; 0: no limit'),
  bandwidth: bytes().prefault(0).describe('bytes per second through the device; 0: no limit'),
  crypto: nullCrypto.optional().describe('inline encryption: keyslots; absent: none'),
});

const schedulerOptions = z
  .strictObject({
    readExpire: timeNs().optional(),
    writeExpire: timeNs().optional(),
    prioAgingExpire: timeNs().optional(),
    fifoBatch: count(1, 10_000).optional(),
    writesStarved: count(0, 10_000).optional(),
    frontMerges: z.boolean().optional(),
    asyncDepth: count(1, 10_240).optional(),
    readLat: timeNs().optional(),
    writeLat: timeNs().optional(),
  })
  .prefault({});

const queue = z
  .strictObject({
    scheduler: z.enum(['none', 'mq-deadline', 'kyber']).default('none'),
    schedulerOptions: schedulerOptions.describe(
      'tunables under their sysfs names; mq-deadline: readExpire … asyncDepth; kyber: readLat, writeLat',
    ),
    blocking: z.boolean().optional().describe('BLK_MQ_F_BLOCKING; default: what the driver asks for'),
    nrRequests: count(4, 10_240).optional(),
    rqAffinity: count(0, 2).default(1),
    nomerges: count(0, 2).default(0),
    tagWakeBatch: count(1, 8)
      .optional()
      .describe(
        'freed tags per wake-up of those who sleep for one (wake_batch of sbitmap); default as Linux has it: an eighth of the depth, from 1 to 8',
      ),
    plugPerBio: z.boolean().default(true).describe('a plug around every bio that has none (Linux 6.11 and later)'),
    timeout: timeNs({ min: 1 }).prefault('30s'),
    keyslotPolicy,
  })
  .prefault({});

const EITHER_FIO = 'must hold either "fio" (the text of a job file) or "fioFile" (its path)';

const workload = z
  .strictObject(
    {
      fio: z.string().min(1).optional().describe('text of a job file'),
      fioFile: z.string().min(1).optional().describe('path of a job file, relative to the definition'),
    },
    { error: EITHER_FIO },
  )
  .refine(({ fio, fioFile }) => (fio === undefined) !== (fioFile === undefined), { error: EITHER_FIO })
  .transform(({ fio, fioFile }) => (fio === undefined ? { fioFile: fioFile ?? '' } : { fio }))
  .describe('what the jobs do: exactly one of the two');

const run = z
  .strictObject({
    until: timeNs({ min: 1 })
      .optional()
      .describe('ends the run at this simulated time; default: when all jobs have ended'),
    warmup: timeNs().prefault(0).describe('I/Os submitted before this time are not counted'),
    repeats: count(1, 1000).default(1).describe('runs with seeds seed, seed + 1, …'),
    detail: z.enum(['summary', 'requests', 'full']).default('requests'),
    data: z
      .enum(['none', 'verify'])
      .default('none')
      .describe(
        'none: only costs are modelled; verify: real bytes travel through all layers to the medium, and what is read is checked (times stay the same)',
      ),
    dataLimit: bytes({ min: 1024 ** 2, max: 64 * 1024 ** 3 })
      .prefault('2GiB')
      .describe('with data "verify": most memory for the content of the medium; the run fails when it needs more'),
    check: z.boolean().default(true).describe('check the laws at the end'),
  })
  .prefault({});

/** The schema of a definition. Its input type is what users write, its output is in base units. */
export const definitionSchema = z
  .strictObject({
    format: z.literal(1, { error: 'must be 1: the only format there is' }),
    name: z.string().min(1).max(200).default('Untitled'),
    seed: count(0, Number.MAX_SAFE_INTEGER).default(1),
    machine,
    device: z.discriminatedUnion('kind', [ufsDevice, nullDevice], { error: 'must have a "kind": "ufs" or "null"' }),
    queue,
    encryption,
    stack: z.array(z.never({ error: 'no device-mapper target exists yet' })).default([]),
    workload,
    faults,
    run,
  })
  .describe('blklab experiment definition');

export type Definition = z.input<typeof definitionSchema>;
type Parsed = z.output<typeof definitionSchema>;
type ParsedUfs = Extract<Parsed['device'], { kind: 'ufs' }>;
/** A UFS device with its flash profile resolved. */
export type ValidUfs = Omit<ParsedUfs, 'media'> & { readonly media: MediaProfile };
export type ValidNullDevice = Extract<Parsed['device'], { kind: 'null' }>;

/** Who encrypts, with what; and what the CPU does where the device cannot. */
export interface ValidEncryption extends Encryption {
  readonly fallback?: NonNullable<ParsedEncryption['fallback']>;
}

/** A definition in base units with every default filled: what a run is built from. Plain data, survives structured clone. */
export interface ValidExperiment {
  readonly name: string;
  readonly seed: number;
  readonly machine: { readonly profile: string; readonly cpus: number; readonly costs: MachineCosts };
  readonly device: ValidUfs | ValidNullDevice;
  readonly queue: Parsed['queue'];
  readonly jobs: readonly FioJob[];
  /** Absent: no job encrypts. */
  readonly encryption?: ValidEncryption;
  readonly faults: readonly PlannedFault[];
  readonly run: Parsed['run'];
}

/** The definition as JSON Schema (draft 2020-12), of what users write. */
export function jsonSchema(): unknown {
  return z.toJSONSchema(definitionSchema, { io: 'input', unrepresentable: 'any' });
}

/**
 * Inline encryption in the definition: what a device's engine can do (`device.crypto`), and which jobs encrypt with which keys (`encryption`).
 *
 * What fio has no word for is said beside the job file, by job name. What the parts must be to fit each other is checked in `validate-encryption.ts`.
 */
import * as z from 'zod';
import { bytes, count, timeNs } from './quantities.ts';

/** Names of the modes as sysfs has them. @kernel block/blk-crypto.c blk_crypto_modes */
export const MODE_NAMES = ['AES-256-XTS', 'AES-128-CBC-ESSIV', 'Adiantum', 'SM4-XTS'] as const;

const dataUnitSize = (): ReturnType<typeof bytes> => bytes({ min: 512, max: 65_536, powerOfTwo: true });

const secureMonitor = z
  .strictObject({
    calls: z
      .enum(['blocking', 'atomic'])
      .default('blocking')
      .describe(
        'blocking: a mutex, retries, may sleep, preemptible (Linux); atomic: one try without sleeping, interrupts of the CPU wait',
      ),
    jitter: timeNs().prefault('40us').describe('added to each call: uniform in [0, jitter)'),
    tailEvery: count(0, 1_000_000).default(100).describe('one call in so many takes "tail" instead; 0: none'),
    tail: timeNs().prefault('1ms'),
  })
  .prefault({});

/** The engine of a UFS host. */
export const ufsCrypto = z.strictObject({
  keyslots: count(0, 256).default(32),
  dunBytes: count(1, 16).default(8).describe('widest data unit number; at most 8 but with engine "prdt"'),
  engine: z
    .enum(['registers', 'qcom-ice', 'prdt', 'none'])
    .default('registers')
    .describe(
      'registers: keys in the configuration array (UFSHCI); qcom-ice: keys by secure-monitor calls; prdt: no keyslots, keys in the PRDT (Exynos)',
    ),
  algorithms: z
    .array(z.strictObject({ mode: z.enum(['AES-256-XTS']), dataUnitSizes: z.array(dataUnitSize()).min(1) }))
    .prefault([{ mode: 'AES-256-XTS', dataUnitSizes: [512, 4096] }]),
  programTime: timeNs()
    .optional()
    .describe('programming one slot; default: 19 register writes of the machine, or 80us of the secure monitor'),
  latency: timeNs().prefault('1us').describe('added to every encrypted transfer'),
  lineRate: bytes({ min: 1_000_000 })
    .optional()
    .describe('bytes per second that the engine can stream; default: never the bottleneck'),
  keysLostOn: z
    .array(z.enum(['host-reset', 'hce-disable', 'hibernate', 'runtime-suspend']))
    .optional()
    .describe('what makes the engine forget its keys; default: host-reset and hce-disable, with qcom-ice nothing'),
  secureMonitor: secureMonitor.describe('calls for keys, with engine "qcom-ice"'),
});

/** The engine of a null device: keyslots and nothing else, for queueing studies. */
export const nullCrypto = z.strictObject({
  keyslots: count(0, 10_000).default(32).describe('0: keys travel with the requests'),
  dunBytes: count(1, 32).default(8),
  algorithms: z
    .array(z.strictObject({ mode: z.enum(MODE_NAMES), dataUnitSizes: z.array(dataUnitSize()).min(1) }))
    .prefault([{ mode: 'AES-256-XTS', dataUnitSizes: [512, 4096] }]),
  programTime: timeNs().prefault('15us').describe('programming one slot; one at a time'),
  programming: z
    .enum(['spin', 'sleep', 'post'])
    .default('spin')
    .describe(
      'spin: the programming task burns CPU time; sleep: it waits for the device; post: it goes on at once, and the request is served once an engine beside the device has its key (for comparison with queueing models)',
    ),
});

const churn = z
  .strictObject({
    createPerSecond: z.number().min(0.001).max(1_000_000).describe('keys replaced by new ones, the oldest first'),
    evictAfter: timeNs().prefault(0).describe('a replaced key is evicted this long after, and not while I/Os use it'),
  })
  .describe('keys that come and go');

const jobEncryption = z.strictObject({
  mode: z.enum(MODE_NAMES).default('AES-256-XTS'),
  dataUnitSize: dataUnitSize().prefault(4096),
  keyPer: z
    .enum(['policy', 'job', 'file', 'io'])
    .default('policy')
    .describe(
      'policy: one key for all jobs of this entry; job: one per job and clone; file: one per file; io: drawn anew for each I/O (queueing studies)',
    ),
  keys: count(1, 100_000)
    .optional()
    .describe('number of different keys; default: as many as there are jobs or files; must be given for "io"'),
  ivLayout: z
    .enum(['file-dun', 'iv-ino-lblk-64', 'iv-ino-lblk-32', 'lba'])
    .optional()
    .describe(
      'where data unit numbers come from: per-file index, inode and index in 64 or 32 bits (fscrypt), or the block of the device; default: file-dun for keys per file, else iv-ino-lblk-64, or -32 where DUNs are narrow',
    ),
  plainShare: z.number().min(0).max(1).default(0).describe('share of reads and writes that are not encrypted'),
  churn: churn.optional(),
});

const fallback = z
  .strictObject({
    slots: count(1, 1000).default(100).describe('its keyslots (cipher objects)'),
    bouncePages: count(1, 65_536).default(256).describe('pages for the ciphertext of writes'),
  })
  .optional()
  .describe('what the device cannot encrypt, the CPU does (blk-crypto-fallback); absent: it is refused');

/** Who encrypts. */
export const encryption = z
  .strictObject({
    jobs: z.record(z.string(), jobEncryption).describe('by fio job name; "*": all jobs without an entry of their own'),
    fallback,
  })
  .optional()
  .describe('inline encryption; absent: all I/O is plain');

export type ParsedEncryption = NonNullable<z.output<typeof encryption>>;
export type ParsedJobEncryption = z.output<typeof jobEncryption>;
export type ValidUfsCrypto = z.output<typeof ufsCrypto>;
export type ValidNullCrypto = z.output<typeof nullCrypto>;

/** Where a request waits for its keyslot. */
export const keyslotPolicy = z
  .enum(['submit', 'before-tag', 'dispatch-block', 'dispatch-hold-encrypted', 'dispatch-hold-key'])
  .default('submit')
  .describe(
    'where a request waits for its keyslot, and who waits with it. submit: in its submission, tag first (Linux since 5.8); before-tag: slot first, then tag; dispatch-block: at dispatch, the whole hardware queue waits; dispatch-hold-encrypted: at dispatch, encrypted requests wait; dispatch-hold-key: at dispatch, only requests without a slot wait, set aside',
  );

/**
 * `encryption` of a definition against the jobs, the device and the queue: which policy each job has, whether the device can do it, whether data units fit the
 * I/Os, whether keys can be programmed where the queue's policy wants it.
 */
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MAX_WRAPPED_KEY_BYTES, modeByName } from '../crypto/mode.ts';
import { formatBytes } from '../units/format.ts';
import type { EncryptionPolicy } from '../workload/encryption.ts';
import { extentBytes, type FioJob } from '../workload/fio/job.ts';
import { dunBytesOf, type IvLayout } from '../workload/iv-layout.ts';
import type { ParsedEncryption, ParsedJobEncryption } from './definition-crypto.ts';
import type { ValidEncryption } from './definition.ts';
import type { Problem } from './problem.ts';
import { nearest } from './problems-of-zod.ts';

/** What the device's engine can do, as validation sees it. */
export interface DeviceCrypto {
  readonly keyslots: number;
  readonly dunBytes: number;
  readonly algorithms: readonly { readonly mode: string; readonly dataUnitSizes: readonly number[] }[];
  /** The one form of keys that it takes, and the size of a wrapped one. */
  readonly keyType: 'raw' | 'hw-wrapped';
  readonly wrappedKeyBytes?: number;
  /** Programming a key may sleep. */
  readonly mayProgrammingSleep: boolean;
}

export interface EncryptionContext {
  readonly jobs: readonly FioJob[];
  readonly capacityBytes: number;
  /** Undefined: the device cannot encrypt. */
  readonly device: DeviceCrypto | undefined;
  readonly keyslotPolicy: string;
  /** The tag set is BLOCKING: as the definition says, or as the driver asks for. */
  readonly isBlocking: boolean;
  /** The definition says that it is not. */
  readonly isNonBlockingOnPurpose: boolean;
}

const NANOSECONDS = 1e9;
/** Data unit indexes of the inode layouts have 32 bits. @source inline-crypto.md 1.13 */
const MOST_INDEXES = 2 ** 32;

/** The policies of the jobs; undefined when there is a problem of severity `error` or nobody encrypts. */
export function resolveEncryption(
  encryption: ParsedEncryption,
  context: EncryptionContext,
  problems: Problem[],
): ValidEncryption | undefined {
  const before = problems.length;
  const names = Object.keys(encryption.jobs);
  checkNames(names, context.jobs, problems);
  const policies = names.map((name) => policyOf(encryption.jobs[name], context));
  const policyOfJob = context.jobs.map((job) => {
    const own = names.indexOf(job.name);
    return own >= 0 ? own : names.indexOf('*');
  });
  names.forEach((name, p) => {
    const path = `/encryption/jobs/${pointerPart(name)}`;
    const jobs = context.jobs.filter((_, j) => policyOfJob[j] === p);
    checkPolicy(policies[p], context.capacityBytes, path, problems);
    const limits = capabilityProblems(encryption.jobs[name].mode, policies[p], context.device, path);
    const mayFallBack = encryption.fallback !== undefined && encryption.jobs[name].keyType === 'raw';
    problems.push(...(mayFallBack ? limits.slice(0, 1).map(leftToFallback) : limits));
    for (const job of jobs) checkJob(job, policies[p], context.capacityBytes, path, problems);
  });
  if (context.device !== undefined && policyOfJob.some((p) => p >= 0)) checkDispatch(context, context.device, problems);
  const isGood = !problems.slice(before).some((problem) => problem.severity === 'error');
  if (!isGood || !policyOfJob.some((p) => p >= 0)) return undefined;
  return { policies, policyOfJob, ...(encryption.fallback && { fallback: encryption.fallback }) };
}

/** RFC 6901. */
export function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function error(path: string, code: string, message: string, hint?: string): Problem {
  return { severity: 'error', path, code, message, ...(hint === undefined ? {} : { hint }) };
}

function checkNames(names: readonly string[], jobs: readonly FioJob[], problems: Problem[]): void {
  const known = [...new Set(jobs.map((job) => job.name))];
  if (known.length === 0) return; // the job file has problems of its own
  for (const name of names) {
    if (name === '*' || known.includes(name)) continue;
    const near = nearest(name, known);
    const message = `there is no job "${name}"; jobs: ${known.join(', ')}; "*" stands for all`;
    problems.push(
      error(`/encryption/jobs/${pointerPart(name)}`, 'unknown-name', message, near && `did you mean "${near}"?`),
    );
  }
}

/** With the fallback, what the device cannot do is no error. */
function leftToFallback({ path, message }: Problem): Problem {
  const text = `${message}; the CPU encrypts instead (/encryption/fallback)`;
  return { severity: 'warning', path, code: 'fallback', message: text };
}

function layoutOf(job: ParsedJobEncryption, device: DeviceCrypto | undefined): IvLayout {
  if (job.ivLayout !== undefined) return job.ivLayout;
  if (job.keyPer === 'file') return 'file-dun';
  return (device?.dunBytes ?? 8) >= 8 ? 'iv-ino-lblk-64' : 'iv-ino-lblk-32';
}

function policyOf(job: ParsedJobEncryption, { device, capacityBytes }: EncryptionContext): EncryptionPolicy {
  const mode = modeByName(job.mode);
  if (mode === undefined) throw new Error(`no mode ${job.mode}`); // the schema lists them
  const ivLayout = layoutOf(job, device);
  const { churn, dataUnitSize } = job;
  const isWrapped = job.keyType === 'hw-wrapped';
  return {
    config: {
      mode: mode.id,
      dataUnitSize,
      dunBytes: dunBytesOf(ivLayout, dataUnitSize, capacityBytes),
      keyType: isWrapped ? KEY_TYPE_HW_WRAPPED : KEY_TYPE_RAW,
    },
    keyBytes: isWrapped ? (device?.wrappedKeyBytes ?? MAX_WRAPPED_KEY_BYTES) : mode.keyBytes,
    isImported: isWrapped && job.keySource === 'import',
    keyPer: job.keyPer,
    keys: job.keys ?? 0,
    ivLayout,
    inodeHash: job.inodeHash,
    plainShare: job.plainShare,
    churn: churn && {
      periodNs: Math.max(1, Math.round(NANOSECONDS / churn.createPerSecond)),
      evictAfterNs: churn.evictAfter,
    },
  };
}

/** The entry by itself. */
function checkPolicy(policy: EncryptionPolicy, capacityBytes: number, path: string, problems: Problem[]): void {
  const { keyPer, keys, config } = policy;
  if (keyPer === 'file' && config.keyType === KEY_TYPE_HW_WRAPPED)
    problems.push({
      severity: 'warning',
      path: `${path}/keyPer`,
      code: 'unusual',
      message: 'fscrypt uses hw-wrapped keys with one key per policy only (IV_INO_LBLK_64 and _32)',
    });
  if (keyPer === 'policy' && keys > 1)
    problems.push(
      error(`${path}/keys`, 'range', 'must be 1: the entry has one key', 'set "keyPer" to "file" or "job"'),
    );
  if (keyPer === 'io' && keys === 0)
    problems.push(error(`${path}/keys`, 'range', 'is missing; must say how many keys there are to draw from'));
  checkUniqueness(policy, capacityBytes, path, problems);
}

/** What the device cannot do of an entry. */
function capabilityProblems(
  modeName: string,
  { ivLayout, config }: EncryptionPolicy,
  device: DeviceCrypto | undefined,
  path: string,
): Problem[] {
  const problems: Problem[] = [];
  if (device === undefined) {
    const message = 'the device has no inline encryption engine';
    const hint = 'add "crypto": {} to /device, or "fallback": {} to /encryption';
    return [error(path, 'no-crypto', message, hint)];
  }
  const keyTypes = keyTypeProblem(config.keyType, device, path);
  if (keyTypes !== undefined) problems.push(keyTypes);
  const sizes = device.algorithms.filter(({ mode }) => mode === modeName).flatMap((a) => a.dataUnitSizes);
  if (sizes.length === 0) {
    const modes = [...new Set(device.algorithms.map(({ mode }) => mode))].join(', ');
    problems.push(error(`${path}/mode`, 'capability', `the device cannot do ${modeName}; it can do: ${modes}`));
  } else if (!sizes.includes(config.dataUnitSize)) {
    const message = `the device does ${modeName} with data units of ${sizes.join(', ')} bytes, not ${config.dataUnitSize}`;
    problems.push(error(`${path}/dataUnitSize`, 'capability', message, 'see /device/crypto/algorithms'));
  }
  if (config.dunBytes > device.dunBytes) {
    const message = `${ivLayout} needs data unit numbers of ${config.dunBytes} bytes, the device has ${device.dunBytes}`;
    const hint = ivLayout === 'iv-ino-lblk-64' ? 'use "iv-ino-lblk-32"' : 'see /device/crypto/dunBytes';
    problems.push(error(`${path}/ivLayout`, 'capability', message, hint));
  }
  return problems;
}

/** Raw keys are for the legacy mode of an engine, wrapped ones for its key manager: never both (I-67). */
function keyTypeProblem(keyType: number, device: DeviceCrypto, path: string): Problem | undefined {
  const asked = keyType === KEY_TYPE_HW_WRAPPED ? 'hw-wrapped' : 'raw';
  if (asked === device.keyType) return undefined;
  return error(
    `${path}/keyType`,
    'capability',
    `the device takes ${device.keyType} keys only, not ${asked} ones`,
    asked === 'raw'
      ? 'set "keyType" to "hw-wrapped"'
      : 'wrapped keys need engine "qcom-ice" with /device/crypto/keyManager',
  );
}

/** Data unit numbers must say which data unit it is, under one key. */
function checkUniqueness(policy: EncryptionPolicy, capacityBytes: number, path: string, problems: Problem[]): void {
  const { ivLayout, keyPer, config } = policy;
  if (policy.inodeHash !== undefined && ivLayout !== 'iv-ino-lblk-32')
    problems.push(error(`${path}/inodeHash`, 'unused', `is of iv-ino-lblk-32; the layout here is ${ivLayout}`));
  const hasInode = ivLayout === 'iv-ino-lblk-64' || ivLayout === 'iv-ino-lblk-32';
  if (hasInode && capacityBytes / config.dataUnitSize > MOST_INDEXES)
    problems.push(
      error(`${path}/ivLayout`, 'range', `${ivLayout} numbers data units with 32 bits: use larger data units`),
    );
  if (ivLayout === 'file-dun' && keyPer !== 'file')
    problems.push({
      severity: 'warning',
      path: `${path}/ivLayout`,
      code: 'iv-reuse',
      message: 'file-dun under a key that several files share encrypts different data with the same key and IV',
    });
}

/** Every I/O of an encrypted job must be whole data units. */
function checkJob(
  job: FioJob,
  { config: { dataUnitSize } }: EncryptionPolicy,
  capacityBytes: number,
  path: string,
  problems: Problem[],
): void {
  const { minBytes, maxBytes, sizes, alignBytes, isUnaligned } = job.blocks;
  const { reads, writes } = job.pattern;
  const directions = [...(reads ? [0] : []), ...(writes ? [1] : [])];
  const amounts = directions.flatMap((d) => {
    const size = sizes[d];
    const split = size.kind === 'split' ? size.entries.map((e) => e.sizeBytes) : [];
    return [minBytes[d], maxBytes[d], alignBytes[d], ...split];
  });
  const offsets = [job.region.offset, job.region.offsetIncrement].map((e) => extentBytes(e, capacityBytes));
  const odd = [...amounts, ...offsets].find((n) => n % dataUnitSize !== 0);
  if (odd === undefined && !isUnaligned) return;
  const what = odd === undefined ? 'bs_unaligned' : formatBytes(odd);
  const message = `job "${job.name}": ${what} is no multiple of the data unit size ${formatBytes(dataUnitSize)}`;
  const hint = `use block sizes and offsets of whole data units, or a smaller "dataUnitSize"`;
  problems.push(error(`${path}/dataUnitSize`, 'data-unit-size', message, hint));
}

/** Keys are programmed at dispatch only where that may sleep, or does not; who says `blocking: false` wants to see what comes of it. */
function checkDispatch(context: EncryptionContext, device: DeviceCrypto, problems: Problem[]): void {
  const { keyslotPolicy, isBlocking } = context;
  if (!keyslotPolicy.startsWith('dispatch-') || device.keyslots === 0) return;
  if (!device.mayProgrammingSleep || isBlocking) return;
  const message = `${keyslotPolicy} programs keys at dispatch, which may sleep on this device; that needs a blocking queue`;
  if (context.isNonBlockingOnPurpose) {
    const text = `${message}: the run will report sleeping in atomic context`;
    problems.push({ severity: 'warning', path: '/queue/blocking', code: 'blocking', message: text });
  } else problems.push(error('/queue/keyslotPolicy', 'blocking', message, 'set /queue/blocking to true'));
}

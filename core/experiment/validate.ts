/**
 * From definition to `ValidExperiment`: the schema, the profiles, the fio job file, and the checks that need more than one field. Every
 * problem is listed, with a JSON pointer or the line of the fio text; with an error nothing runs.
 *
 * Pure: reading a job file (`workload.fioFile`, includes) goes through a port. The same code runs in the renderer and in main.
 */
import { MACHINE_PROFILES, machineProfile } from '../engine/costs/index.ts';
import type { MachineCosts } from '../engine/costs/costs.ts';
import { nullDeviceCrypto } from './build-null.ts';
import { ufsDeviceCrypto, ufsProblems, ufsQueueShape } from './build-ufs.ts';
import type { PlannedFault } from '../faults/plan.ts';
import { checkOverrides, overrideProfile, type MediaProfile } from '../media/profile.ts';
import { mediaProfile, mediaProfileNames } from '../media/profiles/index.ts';
import { formatBytes } from '../units/format.ts';
import { parseFio, type FioIssue } from '../workload/fio/index.ts';
import { extentBytes, type FioJob } from '../workload/fio/job.ts';
import { definitionSchema, jsonSchema, type ValidEncryption, type ValidExperiment } from './definition.ts';
import type { Problem } from './problem.ts';
import { nearest, problemsOfZod } from './problems-of-zod.ts';
import { checkData } from './validate-data.ts';
import { resolveEncryption } from './validate-encryption.ts';
import { resolveFaults } from './validate-faults.ts';
import type * as z from 'zod';

/** What validation may ask of the outside world. */
export interface ValidationPorts {
  /** Text of a file named in the definition or included by a job file; undefined when it cannot be read. Absent: no files here. */
  readonly readFile?: (path: string) => string | undefined;
  /** Environment variables for `${NAME}` in job files. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Validated {
  /** Present when there is no problem of severity `error`. */
  readonly experiment?: ValidExperiment;
  readonly problems: readonly Problem[];
}

type Parsed = z.output<typeof definitionSchema>;

/** Checks a definition. Never throws for bad input. */
export function validateDefinition(definition: unknown, ports: ValidationPorts = {}): Validated {
  const parsed = definitionSchema.safeParse(definition);
  const problems: Problem[] = [];
  if (!parsed.success) {
    const around = {
      keysAt: (path: readonly PropertyKey[]) => keysAt(definition, path),
      valueAt: (path: readonly PropertyKey[]) => valueAt(definition, path),
    };
    problems.push(...problemsOfZod(parsed.error.issues, around));
  }
  const parts = parsed.success ? parsed.data : soundParts(definition);
  const { machine, device, jobs, encryption, faults } = resolve(parts, ports, problems);
  if (!parsed.success || problems.some((p) => p.severity === 'error')) return { problems };
  if (machine === undefined || device === undefined) return { problems };
  const { name, seed, queue, run } = parsed.data;
  const experiment = { name, seed, machine, device, queue, jobs, faults, run, ...(encryption && { encryption }) };
  return { experiment, problems };
}

/** Of a definition that the schema refuses, the parts that are right by themselves: what else is wrong with them is told at the same time. */
function soundParts(definition: unknown): Partial<Parsed> {
  const parts: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(definitionSchema.shape)) {
    const part = schema.safeParse(valueAt(definition, [key]));
    if (part.success) parts[key] = part.data;
  }
  return parts;
}

interface Resolved {
  readonly machine: ValidExperiment['machine'] | undefined;
  readonly device: ValidExperiment['device'] | undefined;
  readonly jobs: readonly FioJob[];
  readonly encryption: ValidEncryption | undefined;
  readonly faults: readonly PlannedFault[];
}

/** The checks beyond the schema, on whatever parts there are. */
function resolve(parts: Partial<Parsed>, ports: ValidationPorts, problems: Problem[]): Resolved {
  const machine = parts.machine && resolveMachine(parts.machine, problems);
  const cpus = machine?.cpus ?? MACHINE_PROFILES[0].cpus;
  const device = parts.device && resolveDevice(parts.device, cpus, problems);
  const jobs = parts.workload === undefined ? [] : resolveJobs(parts.workload, ports, cpus, problems);
  if (parts.workload !== undefined && parts.device !== undefined) {
    checkJobs(jobs, parts.device, cpus, 'fio' in parts.workload ? '/workload/fio' : '/workload/fioFile', problems);
  }
  if (parts.device !== undefined && parts.queue !== undefined) checkQueue(parts.device, parts.queue, problems);
  if (parts.run?.data === 'verify' && parts.device !== undefined)
    checkData({ encryption: parts.encryption, blockBytes: parts.device.logicalBlockSize }, problems);
  const encryption = device && resolveKeys(parts, jobs, device, cpus, problems);
  return { machine, device, jobs, encryption, faults: device === undefined ? [] : planOf(parts, device, problems) };
}

/** What shall go wrong. */
function planOf(
  { encryption, faults, run }: Partial<Parsed>,
  device: ValidExperiment['device'],
  problems: Problem[],
): readonly PlannedFault[] {
  return resolveFaults(faults ?? [], { device, encrypts: encryption !== undefined, untilNs: run?.until }, problems);
}

/** Who encrypts with what. */
function resolveKeys(
  { encryption, queue }: Partial<Parsed>,
  jobs: readonly FioJob[],
  device: ValidExperiment['device'],
  cpus: number,
  problems: Problem[],
): ValidEncryption | undefined {
  if (encryption === undefined || queue === undefined) return undefined;
  const isUfs = device.kind === 'ufs';
  const context = {
    jobs,
    capacityBytes: device.capacity,
    device: isUfs ? ufsDeviceCrypto(device, cpus) : nullDeviceCrypto(device),
    keyslotPolicy: queue.keyslotPolicy,
    isBlocking: queue.blocking ?? (isUfs && ufsQueueShape(device, cpus).blocking),
    isNonBlockingOnPurpose: queue.blocking === false,
  };
  return resolveEncryption(encryption, context, problems);
}

function error(path: string, code: string, message: string, hint?: string): Problem {
  return { severity: 'error', path, code, message, ...(hint === undefined ? {} : { hint }) };
}

function resolveMachine(machine: Parsed['machine'], problems: Problem[]): ValidExperiment['machine'] {
  const profile = machineProfile(machine.profile) ?? MACHINE_PROFILES[0];
  const names = Object.keys(profile.costs).filter((name) => name !== 'idleStates');
  for (const name of Object.keys(machine.costs)) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    problems.push(
      error(
        `/machine/costs/${name}`,
        'unknown-name',
        `unknown cost "${name}"; allowed: ${names.join(', ')}`,
        near && `did you mean "${near}"?`,
      ),
    );
  }
  const costs: MachineCosts = {
    ...profile.costs,
    ...machine.costs,
    idleStates: machine.idleStates === 'none' ? [] : profile.costs.idleStates,
  };
  return { profile: profile.name, cpus: machine.cpus ?? profile.cpus, costs };
}

function resolveDevice(
  device: Parsed['device'],
  cpus: number,
  problems: Problem[],
): ValidExperiment['device'] | undefined {
  if (device.capacity % device.logicalBlockSize !== 0) {
    const message = `${device.capacity} bytes are not a multiple of the logical block size ${device.logicalBlockSize}`;
    problems.push(error('/device/capacity', 'range', message));
  }
  if (device.kind === 'null') {
    if (
      typeof device.latency === 'object' &&
      device.latency.distribution === 'uniform' &&
      device.latency.max < device.latency.min
    ) {
      problems.push(error('/device/latency/max', 'range', 'must not be below /device/latency/min'));
    }
    return device;
  }
  const media = resolveMedia(device.media, problems);
  if (media === undefined) return undefined;
  const resolved = { ...device, media };
  for (const { path, message } of ufsProblems(resolved, cpus)) problems.push(error(`/device${path}`, 'range', message));
  return resolved;
}

function resolveMedia(
  media: { readonly profile: string; readonly overrides: Readonly<Record<string, unknown>> },
  problems: Problem[],
): MediaProfile | undefined {
  const profile = mediaProfile(media.profile);
  if (profile === undefined) {
    const names = mediaProfileNames();
    const near = nearest(media.profile, names);
    problems.push(
      error(
        '/device/media/profile',
        'choice',
        `unknown profile "${media.profile}"; allowed: ${names.join(', ')}`,
        near && `did you mean "${near}"?`,
      ),
    );
    return undefined;
  }
  const issues = checkOverrides(profile, media.overrides);
  for (const issue of issues) {
    problems.push(error(`/device/media/overrides${issue.path}`, 'range', `${issue.path.slice(1)} ${issue.message}`));
  }
  return issues.length > 0 ? undefined : overrideProfile(profile, media.overrides);
}

function resolveJobs(
  workload: Parsed['workload'],
  ports: ValidationPorts,
  cpus: number,
  problems: Problem[],
): readonly FioJob[] {
  const fromFile = 'fioFile' in workload ? workload.fioFile : undefined;
  const text = 'fio' in workload ? workload.fio : ports.readFile?.(workload.fioFile);
  if (text === undefined) {
    const why =
      ports.readFile === undefined
        ? 'job files on disk cannot be read here; paste the text under "fio"'
        : 'cannot be read';
    problems.push(error('/workload/fioFile', 'file', `${fromFile ?? ''}: ${why}`));
    return [];
  }
  const path = fromFile === undefined ? '/workload/fio' : '/workload/fioFile';
  const { jobs, issues } = parseFio(text, {
    ...(fromFile === undefined ? {} : { fileName: fromFile }),
    ...(ports.env === undefined ? {} : { env: ports.env }),
    ...(ports.readFile === undefined ? {} : { readInclude: ports.readFile }),
    keywords: { pagesize: 4096, mbMemory: 8192, ncpus: cpus },
  });
  for (const issue of issues) problems.push(ofFio(issue, path));
  if (jobs.length === 0 && !issues.some((i) => i.severity === 'error')) {
    problems.push(error(path, 'no-jobs', 'the job file has no job: add a section such as [randread]'));
  }
  return jobs;
}

function ofFio(issue: FioIssue, path: string): Problem {
  return {
    severity: issue.severity,
    path,
    line: issue.line,
    ...(issue.file === undefined ? {} : { file: issue.file }),
    code: issue.code,
    message: issue.message,
    ...(issue.hint === undefined ? {} : { hint: issue.hint }),
  };
}

/** What no single field can tell: the jobs against the device. */
function checkJobs(
  jobs: readonly FioJob[],
  device: Parsed['device'],
  cpus: number,
  path: string,
  problems: Problem[],
): void {
  for (const job of jobs) {
    const { minBytes, maxBytes } = job.blocks;
    const odd = [...minBytes, ...maxBytes].find((size) => size % device.logicalBlockSize !== 0);
    if (odd !== undefined) {
      problems.push({
        ...error(
          path,
          'block-size',
          `job "${job.name}": block size ${odd} is not a multiple of the device's logical block size ${device.logicalBlockSize}`,
        ),
        line: job.line,
      });
    }
    const startBytes = extentBytes(job.region.offset, device.capacity);
    if (startBytes + Math.min(...minBytes) > device.capacity) {
      problems.push({
        ...error(
          path,
          'capacity',
          `job "${job.name}" starts at ${startBytes}, beyond the device's ${formatBytes(device.capacity)}`,
        ),
        line: job.line,
      });
    }
  }
  for (const job of jobs) problems.push(...jobWarnings(job, device.capacity, cpus, path));
}

function checkQueue(device: Parsed['device'], queue: Parsed['queue'], problems: Problem[]): void {
  if (queue.scheduler !== 'none' && device.kind === 'ufs' && (device.hwQueues ?? 1) > 1) {
    problems.push({
      severity: 'warning',
      path: '/queue/scheduler',
      code: 'unusual',
      message: `Linux uses no scheduler by default when a device has several hardware queues; ${queue.scheduler} will serialise them`,
    });
  }
}

/** Where a job asks for more than the machine or the device has, and gets less. */
function jobWarnings(job: FioJob, capacityBytes: number, cpus: number, path: string): Problem[] {
  const found: Problem[] = [];
  const warn = (code: string, message: string): void => {
    found.push({ severity: 'warning', path, line: job.line, code, message: `job "${job.name}": ${message}` });
  };
  const { size, offset } = job.region;
  const roomBytes = capacityBytes - extentBytes(offset, capacityBytes);
  if (size?.unit === 'bytes' && size.bytes > roomBytes) {
    warn('capacity', `its size is cut to the ${formatBytes(roomBytes)} that the device has from its offset on`);
  }
  const missing = (job.cpus.allowed ?? []).filter((cpu) => cpu >= cpus);
  if (missing.length > 0) warn('cpus', `cpus_allowed names CPUs that the machine does not have: ${missing.join(', ')}`);
  return found;
}

function valueAt(definition: unknown, path: readonly PropertyKey[]): unknown {
  let value = definition;
  for (const part of path)
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined;
  return value;
}

/** The names allowed at a path of the definition, from the JSON Schema (for the message about an unknown name). */
function keysAt(definition: unknown, path: readonly PropertyKey[]): readonly string[] {
  let schema = jsonSchema() as SchemaNode | undefined;
  let value: unknown = definition;
  for (const part of path) {
    const branch = branchFor(schema, value);
    schema = branch?.properties?.[String(part)] ?? branch?.items ?? branch?.additionalProperties;
    value = valueAt(value, [part]);
  }
  return Object.keys(branchFor(schema, value)?.properties ?? {});
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
}

/** Of a union, the branch whose `kind`, `distribution` or `fault` is the value's, else the first object. */
function branchFor(schema: SchemaNode | undefined, value: unknown): SchemaNode | undefined {
  const direct = schema?.oneOf ?? schema?.anyOf;
  if (direct === undefined) return schema;
  const branches = direct.flatMap((branch) => branch.oneOf ?? branch.anyOf ?? [branch]);
  const own = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const matching = branches.find((b) =>
    ['kind', 'distribution', 'fault'].some(
      (key) => b.properties?.[key]?.const !== undefined && b.properties[key].const === own[key],
    ),
  );
  return matching ?? branches.find((b) => b.properties !== undefined);
}

/** The definition of a new experiment: random reads on the default UFS phone. */
export function defaultDefinition(): unknown {
  return {
    format: 1,
    name: 'UFS 3.1 phone',
    seed: 1,
    machine: { profile: 'phone-a76' },
    device: {
      kind: 'ufs',
      capacity: '64GiB',
      host: { generation: 'ufs-3.1', gear: 'HS-G4', lanes: 2 },
      media: { profile: 'ufs-3.1-tlc' },
    },
    queue: { scheduler: 'none' },
    workload: {
      fio: '[global]\nioengine=libaio\ndirect=1\nbs=4k\nsize=1g\nruntime=200ms\ntime_based\n\n[randread]\nrw=randread\niodepth=32\n',
    },
    run: { detail: 'requests' },
  };
}

/**
 * What a flash device is made of, as data: geometry, cell timing, buses, buffer, SLC cache (WriteBooster), translation layer, firmware.
 *
 * A profile is plain and complete; a definition names one and overrides single figures of it (`overrideProfile`). Every override is checked: an unknown field, a
 * wrong type or a value out of range is a message that names the field. All times are integer ns, all sizes bytes.
 *
 * The figures of the shipped devices, each with its source, are in `profiles/`.
 */

/** What the device was filled with before the run: nothing, or every logical block once, in order. */
export type Precondition = 'none' | 'sequential';

export interface MediaProfile {
  readonly name: string;
  /** Capacity when the definition does not say (bytes). */
  readonly capacityBytes: number;
  readonly geometry: {
    readonly channels: number;
    readonly diesPerChannel: number;
    readonly planesPerDie: number;
    /** Bytes of user data in one page of one plane. */
    readonly pageBytes: number;
    /** Pages of one plane's block in its native mode (all bits per cell). */
    readonly pagesPerBlock: number;
    /** Pages per plane that one program operation writes in native mode: 3 for one-pass TLC, 4 for QLC. */
    readonly pagesPerProgram: number;
  };
  readonly timing: {
    readonly readNs: number;
    /** One program operation: all `pagesPerProgram` pages of all planes of a die. */
    readonly programNs: number;
    readonly eraseNs: number;
    readonly slcReadNs: number;
    /** One page of all planes in SLC mode. */
    readonly slcProgramNs: number;
    readonly slcEraseNs: number;
    /** Array reads take up to this much longer, uniformly, from the stream `media/tR`. 0: exact. */
    readonly readJitterNs: number;
    /** A program or erase is suspended this long after a read asked for it. 0: the die cannot suspend. */
    readonly suspendNs: number;
    /** How often one program or erase may be suspended. */
    readonly maxSuspends: number;
  };
  readonly bus: {
    /** Mega-transfers per second of a channel, one byte wide. */
    readonly mtPerS: number;
    /** Command and address cycles per operation (ns on the bus). */
    readonly overheadNs: number;
  };
  readonly scheduling: {
    /** Host reads overtake queued programs, erases and copies of the same die. */
    readonly readPriority: boolean;
    /** So many reads in a row, then one waiting program or erase gets its turn. */
    readonly maxReadsInRow: number;
    /** Dies that may program or erase at one time (supply current); 0: all. */
    readonly programBudgetDies: number;
  };
  readonly buffer: {
    readonly writeBytes: number;
    /** Reading from the device's own memory: data still in the write buffer, prefetched data, unmapped blocks. */
    readonly hitNs: number;
    /** An incomplete program unit is padded and written when no write came for so long. */
    readonly writeBackDelayNs: number;
  };
  readonly slc: {
    readonly enabled: boolean;
    /** Size as thousandths of the capacity, used when `sizeBytes` is 0. */
    readonly permille: number;
    readonly sizeBytes: number;
    /** Beyond its size the cache may grow over unmapped space. */
    readonly dynamic: boolean;
    /** When cached data moves to native blocks: in idle time only, or also as soon as the cache is full. */
    readonly migrate: 'idle' | 'exhausted';
    /** Idle time after which migration and background collection start. */
    readonly idleDelayNs: number;
  };
  readonly ftl: {
    readonly precondition: Precondition;
    readonly overprovisioningPermille: number;
    /** Collection starts when a die has no more free blocks than this. */
    readonly gcLowBlocks: number;
    /** In idle time collection goes on up to so many free blocks. */
    readonly gcIdleBlocks: number;
    /** Logical space that the mapping cache covers; 0: the whole map is in memory. */
    readonly mapCacheBytes: number;
    /** Time of one UNMAP or ERASE command inside the translation layer. */
    readonly discardNs: number;
  };
  /** Bytes prefetched behind a sequential stream of reads; 0: off. */
  readonly readAhead: { readonly windowBytes: number };
  /** The device's processor: used by the host-interface model of the device, not by this room. */
  readonly firmware: { readonly readCommandNs: number; readonly writeCommandNs: number; readonly cores: number };
}

/** A partial profile: any group, any field. */
export type ProfileOverrides = { readonly [group: string]: unknown };

export interface ProfileIssue {
  /** The field, as a JSON pointer within the profile: `/timing/readNs`. */
  readonly path: string;
  readonly message: string;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

const SECOND = 1_000_000_000;
const time: Range = { min: 0, max: 10 * SECOND };
const TERABYTE = 2 ** 40;

/** Allowed values of every number; what is not here may be any boolean or one of WORDS. */
const RANGES: Readonly<Record<string, Range>> = {
  '/capacityBytes': { min: 2 ** 20, max: 4 * TERABYTE },
  '/geometry/channels': { min: 1, max: 16 },
  '/geometry/diesPerChannel': { min: 1, max: 32 },
  '/geometry/planesPerDie': { min: 1, max: 16 },
  '/geometry/pageBytes': { min: 4096, max: 65536 },
  '/geometry/pagesPerBlock': { min: 1, max: 8192 },
  '/geometry/pagesPerProgram': { min: 1, max: 4 },
  '/timing/readNs': time,
  '/timing/programNs': time,
  '/timing/eraseNs': time,
  '/timing/slcReadNs': time,
  '/timing/slcProgramNs': time,
  '/timing/slcEraseNs': time,
  '/timing/readJitterNs': time,
  '/timing/suspendNs': time,
  '/timing/maxSuspends': { min: 0, max: 1000 },
  '/bus/mtPerS': { min: 1, max: 10_000 },
  '/bus/overheadNs': time,
  '/scheduling/maxReadsInRow': { min: 1, max: 1_000_000 },
  '/scheduling/programBudgetDies': { min: 0, max: 512 },
  '/buffer/writeBytes': { min: 4096, max: 2 ** 32 },
  '/buffer/hitNs': time,
  '/buffer/writeBackDelayNs': time,
  '/slc/permille': { min: 0, max: 1000 },
  '/slc/sizeBytes': { min: 0, max: TERABYTE },
  '/slc/idleDelayNs': time,
  '/ftl/overprovisioningPermille': { min: 0, max: 10_000 },
  '/ftl/gcLowBlocks': { min: 2, max: 1000 },
  '/ftl/gcIdleBlocks': { min: 2, max: 1000 },
  '/ftl/mapCacheBytes': { min: 0, max: 4 * TERABYTE },
  '/ftl/discardNs': time,
  '/readAhead/windowBytes': { min: 0, max: 2 ** 26 },
  '/firmware/readCommandNs': time,
  '/firmware/writeCommandNs': time,
  '/firmware/cores': { min: 1, max: 64 },
};

const WORDS: Readonly<Record<string, readonly string[]>> = {
  '/slc/migrate': ['idle', 'exhausted'],
  '/ftl/precondition': ['none', 'sequential'],
};

/** A profile that cannot be: programmer's mistakes and user overrides alike, with every issue listed. */
export class ProfileError extends Error {
  readonly issues: readonly ProfileIssue[];

  constructor(name: string, issues: readonly ProfileIssue[]) {
    super(`media profile ${name}: ${issues.map((i) => `${i.path} ${i.message}`).join('; ')}`);
    this.name = 'ProfileError';
    this.issues = issues;
  }
}

/**
 * `profile` with the fields of `overrides` in place of its own.
 * @throws ProfileError listing every unknown field, wrong type and value out of range.
 */
export function overrideProfile(profile: MediaProfile, overrides: ProfileOverrides): MediaProfile {
  const issues: ProfileIssue[] = [];
  const result = merge(profile as unknown as Record<string, unknown>, overrides, '', issues) as unknown as MediaProfile;
  if (issues.length === 0) issues.push(...crossChecks(result));
  if (issues.length > 0) throw new ProfileError(profile.name, issues);
  return result;
}

/** Like `overrideProfile`, for editors: the problems as data, an empty list when there are none. */
export function checkOverrides(profile: MediaProfile, overrides: ProfileOverrides): readonly ProfileIssue[] {
  try {
    overrideProfile(profile, overrides);
    return [];
  } catch (error) {
    if (error instanceof ProfileError) return error.issues;
    throw error;
  }
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(
  base: Readonly<Record<string, unknown>>,
  overrides: Readonly<Record<string, unknown>>,
  path: string,
  issues: ProfileIssue[],
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(overrides)) {
    const field = `${path}/${key}`;
    if (value === undefined) continue;
    if (!Object.hasOwn(base, key)) {
      issues.push({ path: field, message: `is not a field; known here: ${Object.keys(base).join(', ')}` });
    } else if (isGroup(base[key])) {
      if (isGroup(value)) result[key] = merge(base[key], value, field, issues);
      else issues.push({ path: field, message: 'must be an object' });
    } else {
      const problem = problemOf(field, base[key], value);
      if (problem === '') result[key] = value;
      else issues.push({ path: field, message: problem });
    }
  }
  return result;
}

function problemOf(field: string, was: unknown, value: unknown): string {
  const words = WORDS[field];
  if (words !== undefined) {
    return typeof value === 'string' && words.includes(value) ? '' : `must be one of ${words.join(', ')}`;
  }
  if (typeof value !== typeof was) return `must be a ${typeof was}`;
  const range = RANGES[field];
  if (range === undefined) return '';
  const n = value as number;
  return Number.isInteger(n) && n >= range.min && n <= range.max
    ? ''
    : `must be an integer from ${range.min} to ${range.max}`;
}

function crossChecks(p: MediaProfile): ProfileIssue[] {
  const issues: ProfileIssue[] = [];
  if (p.geometry.pageBytes % 4096 !== 0) {
    issues.push({ path: '/geometry/pageBytes', message: 'must be a multiple of 4096' });
  }
  if (p.geometry.pagesPerBlock % p.geometry.pagesPerProgram !== 0) {
    issues.push({
      path: '/geometry/pagesPerBlock',
      message: `must be a multiple of pagesPerProgram (${p.geometry.pagesPerProgram})`,
    });
  }
  if (p.ftl.gcIdleBlocks < p.ftl.gcLowBlocks) {
    issues.push({ path: '/ftl/gcIdleBlocks', message: `must not be below gcLowBlocks (${p.ftl.gcLowBlocks})` });
  }
  return issues;
}

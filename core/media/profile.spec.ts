import { describe, expect, it } from 'vitest';
import { measure, type HarnessLink, type HarnessLoad, type HarnessResult } from './harness.ts';
import { checkOverrides, overrideProfile, ProfileError, type MediaProfile } from './profile.ts';
import { mediaProfile, mediaProfileNames } from './profiles/index.ts';

function shipped(name: string): MediaProfile {
  const profile = mediaProfile(name);
  if (profile === undefined) throw new Error(`no profile ${name}`);
  return profile;
}

/** Links: peers-and-calibration C.6 (90 % of the 8b/10b payload) and C.4 (HS400 at 93.5 %; four commands of 0.6 us per task, half duplex). */
const ufs = (payloadMBps: number): HarnessLink => ({
  bytesPerS: payloadMBps * 1e6 * 0.9,
  isHalfDuplex: false,
  commandNs: 300,
});
const HS400: HarnessLink = { bytesPerS: 400e6 * 0.935, isHalfDuplex: true, commandNs: 2_400 };

interface Published {
  readonly name: string;
  readonly link: HarnessLink;
  /** MB/s, MB/s, IOPS, IOPS as far as published (C.1). */
  readonly sequentialRead: number;
  readonly sequentialWrite: number;
  readonly randomRead?: number;
  readonly randomWrite?: number;
}

const C1: readonly Published[] = [
  { name: 'emmc-5.1-tlc', link: HS400, sequentialRead: 250, sequentialWrite: 125, randomRead: 11e3, randomWrite: 13e3 },
  {
    name: 'ufs-2.1-tlc',
    link: ufs(1166),
    sequentialRead: 1000,
    sequentialWrite: 260,
    randomRead: 58e3,
    randomWrite: 50e3,
  },
  {
    name: 'ufs-3.0-tlc',
    link: ufs(2332),
    sequentialRead: 2100,
    sequentialWrite: 410,
    randomRead: 63e3,
    randomWrite: 68e3,
  },
  {
    name: 'ufs-3.1-tlc',
    link: ufs(2332),
    sequentialRead: 2100,
    sequentialWrite: 1200,
    randomRead: 100e3,
    randomWrite: 70e3,
  },
  { name: 'ufs-4.0-tlc', link: ufs(4664), sequentialRead: 4200, sequentialWrite: 2800 },
];

const CAPACITY = 8 * 2 ** 30;

function load(profile: MediaProfile, link: HarnessLink, what: Partial<HarnessLoad>): HarnessResult {
  const sequential = what.pattern === 'sequential';
  const result = measure(profile, link, {
    op: 'read',
    pattern: 'random',
    blockBytes: sequential ? 2 ** 19 : 4096,
    queueDepth: 32,
    commands: sequential ? 600 : 10_000,
    capacityBytes: CAPACITY,
    ...what,
  });
  expect(result.areStagesExact).toBe(true);
  return result;
}

function expectWithin15Percent(ours: number, published: number): void {
  expect(ours).toBeGreaterThan(published * 0.85);
  expect(ours).toBeLessThan(published * 1.15);
}

describe.each(C1)('$name against the published figures (C.1, V10)', (published) => {
  const profile = shipped(published.name);
  const { link } = published;

  it('reads and writes sequentially within 15 %', () => {
    const reads = load(profile, link, { pattern: 'sequential' });
    const writes = load(profile, link, { pattern: 'sequential', op: 'write' });
    expectWithin15Percent(reads.bytesPerS / 1e6, published.sequentialRead);
    expectWithin15Percent(writes.bytesPerS / 1e6, published.sequentialWrite);
  });

  it('reads and writes at random within 15 % of what was published', () => {
    const reads = load(profile, link, {});
    const writes = load(profile, link, { op: 'write' });
    expectWithin15Percent(reads.iops, published.randomRead ?? reads.iops);
    expectWithin15Percent(writes.iops, published.randomWrite ?? writes.iops);
  });

  it('is slower at depth 1 than at depth 32', () => {
    const deep = load(profile, link, {});
    const shallow = load(profile, link, { queueDepth: 1, commands: 1_000 });
    expect(shallow.iops).toBeLessThan(deep.iops / 1.5);
  });
});

describe('WriteBooster (V9: 1,568 against 556 MiB/s, ratio 2.82)', () => {
  const profile = shipped('ufs-3.1-tlc');
  const rate = (overrides: object, commands: number): number =>
    load(overrideProfile(profile, { slc: overrides }), ufs(2332), {
      pattern: 'sequential',
      op: 'write',
      blockBytes: 2 ** 20,
      commands,
    }).bytesPerS;

  it('gains what was measured within 20 %, and when it is full the rate is that without it within 10 %', () => {
    const on = rate({ sizeBytes: 2 ** 30 }, 700);
    const off = rate({ enabled: false }, 700);
    const exhausted = rate({ sizeBytes: 64 * 2 ** 20 }, 1500);
    expect(on / off).toBeGreaterThan(2.82 * 0.8);
    expect(on / off).toBeLessThan(2.82 * 1.2);
    expect(Math.abs(exhausted / off - 1)).toBeLessThan(0.1);
  });
});

describe('HPB (C.3: about 30-70 % better random reads)', () => {
  it('gains that much at depth 1 on a device whose mapping cache covers a hundredth of it', () => {
    const whole = shipped('ufs-3.1-tlc');
    const cached = overrideProfile(whole, { ftl: { mapCacheBytes: CAPACITY / 128 } });
    const depth1 = { queueDepth: 1, commands: 2_000 };
    const gain = load(whole, ufs(2332), depth1).iops / load(cached, ufs(2332), depth1).iops;
    expect(gain).toBeGreaterThan(1.3);
    expect(gain).toBeLessThan(1.7);
  });
});

describe('profiles and overrides', () => {
  it('are found by the names that definitions use', () => {
    expect(mediaProfileNames()).toEqual(['emmc-5.1-tlc', 'ufs-2.1-tlc', 'ufs-3.0-tlc', 'ufs-3.1-tlc', 'ufs-4.0-tlc']);
    expect(mediaProfile('nvme')).toBeUndefined();
    for (const name of mediaProfileNames()) expect(checkOverrides(shipped(name), {})).toEqual([]);
  });

  it('replace single figures and leave the rest and the original alone', () => {
    const base = shipped('ufs-3.1-tlc');
    const changed = overrideProfile(base, { timing: { readNs: 1 }, firmware: { cores: 4 } });
    expect(changed.timing).toEqual({ ...base.timing, readNs: 1 });
    expect(changed.firmware.cores).toBe(4);
    expect(base.timing.readNs).toBe(58_000);
  });

  it('are refused with a message for every field that is wrong', () => {
    const base = shipped('ufs-3.1-tlc');
    const issues = checkOverrides(base, {
      timing: { readNs: -1, readUs: 5 },
      slc: { migrate: 'never', enabled: 1 },
      ftl: { gcLowBlocks: 2.5 },
      bus: 7,
      color: 'red',
    });
    expect(issues.map((i) => i.path)).toEqual([
      '/timing/readNs',
      '/timing/readUs',
      '/slc/migrate',
      '/slc/enabled',
      '/ftl/gcLowBlocks',
      '/bus',
      '/color',
    ]);
    expect(issues[0].message).toBe('must be an integer from 0 to 10000000000');
    expect(issues[2].message).toBe('must be one of idle, exhausted');
    expect(() => overrideProfile(base, { bus: 7 })).toThrow(ProfileError);
  });

  it('must fit together', () => {
    const base = shipped('ufs-3.1-tlc');
    expect(checkOverrides(base, { geometry: { pagesPerBlock: 100 } }).map((i) => i.path)).toEqual([
      '/geometry/pagesPerBlock',
    ]);
    expect(checkOverrides(base, { ftl: { gcIdleBlocks: 3 } }).map((i) => i.path)).toEqual(['/ftl/gcIdleBlocks']);
  });
});

import { describe, expect, it } from 'vitest';
import { type CryptoConfig, KeyTable } from '../../crypto/key.ts';
import {
  KEY_TYPE_HW_WRAPPED,
  KEY_TYPE_RAW,
  MODE_ADIANTUM,
  MODE_AES_128_CBC_ESSIV,
  MODE_AES_256_XTS,
} from '../../crypto/mode.ts';
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { KEYSLOT_LAWS } from '../../crypto/profile/contract.ts';
import { type MakeDriver, ScriptedOps, withFailures } from '../../crypto/profile/scripted-ops.ts';
import { CryptoProfile } from '../../crypto/profile/profile.ts';
import { EOPNOTSUPP, NO_KEY, OK } from '../../crypto/profile/types.ts';
import { RandomStream } from '../../engine/random.ts';
import { ST_FALLBACK_CPU, ST_FALLBACK_QUEUE, ST_KEYSLOT_PROGRAM, ST_WAIT_KEYSLOT } from '../../trace/stages.ts';
import { encrypted, plain } from '../crypto-testing.ts';
import { type BioSpec, Rig, type RigOptions, type Step } from '../testing.ts';
import { OP_DISCARD, OP_WRITE, REQ_FUA, STS_INVAL, STS_IOERR, STS_MEDIUM, STS_NOTSUPP, STS_OK } from '../types.ts';
import type { FallbackConfig } from './config.ts';
import { CryptoFallback, ENOPKG } from './fallback.ts';
import { FallbackOps } from './ops.ts';

const BYTES = Uint8Array.from({ length: 64 }, (_, i) => i + 1);
const XTS: CryptoConfig = { mode: MODE_AES_256_XTS, dataUnitSize: 4096, dunBytes: 8, keyType: KEY_TYPE_RAW };
const COSTS = { cipherUnitNs: 1_000, cipherKibNs: 500 };
/** Unit and 4 KiB. */
const UNIT_NS = 3_000;
/** Bookkeeping of a get that programs. */
const GET_NS = SERVER_X86.costs.keyslotLookupNs + SERVER_X86.costs.keyslotSlowPathNs;

interface FallbackRigOptions extends RigOptions {
  readonly fallback?: FallbackConfig;
  /** The device natively does AES-256-XTS with units of 512 bytes. */
  readonly native?: boolean;
}

class FallbackRig extends Rig {
  readonly keys = new KeyTable();
  readonly fallback: CryptoFallback;

  constructor(options: FallbackRigOptions = {}) {
    const { fallback, native, ...rest } = options;
    super({ costs: COSTS, cpus: 4, ...rest });
    const { engine, machine, workqueues, block, keys } = this;
    if (native === true) {
      const config = { slots: 2, maxDunBytes: 8, modes: { 'AES-256-XTS': 512 }, keyTypes: KEY_TYPE_RAW };
      block.attachProfile(new CryptoProfile({ engine, machine }, config, new ScriptedOps(engine, machine, 2)), keys);
    }
    this.fallback = new CryptoFallback({ engine, machine, workqueues, block, keys }, fallback);
  }

  key(config: Partial<CryptoConfig> = {}, start = true): number {
    const whole = { ...XTS, ...config };
    const sizes = { [MODE_AES_256_XTS]: 64, [MODE_AES_128_CBC_ESSIV]: 16, [MODE_ADIANTUM]: 32 };
    const keyId = this.keys.create(BYTES.subarray(0, sizes[whole.mode as keyof typeof sizes]), whole);
    if (start) this.fallback.startUsingKey(keyId);
    return keyId;
  }

  protected override submitBio(x: number, bio: number): void {
    this.fallback.submitBio(x, bio);
  }

  override finish(): this {
    super.finish();
    const left = this.fallback.checkEmpty();
    if (left.length > 0) throw new Error(left.join('; '));
    for (const bio of this.ended) expect(bio.totalNs).toBe(bio.endedNs - bio.queuedNs);
    return this;
  }
}

const write = (keyId: number, sector: number, more: BioSpec = {}): Step =>
  encrypted(keyId, sector, { op: OP_WRITE, ...more });

describe('a write that the device cannot encrypt', () => {
  it('I-25: is encrypted in the submitter and goes down as a plain bio', () => {
    const rig = new FallbackRig();
    const keyIds: number[] = [];
    rig.lld.answer = (rq) => {
      keyIds.push(rig.block.requests.keyId[rq]);
      return STS_OK;
    };
    rig.task([write(rig.key(), 80, { flags: REQ_FUA }), plain(800)]);
    rig.finish();
    expect(keyIds).toEqual([-1, -1]);
    expect(rig.lld.seen[0]).toMatchObject({ op: 'write', sector: 80, sectors: 8 });
    expect(rig.ended[0].stages[ST_FALLBACK_CPU]).toBe(UNIT_NS);
    expect(rig.ended[0].stages[ST_KEYSLOT_PROGRAM]).toBe(GET_NS + 500);
    expect(rig.fallback.counters).toMatchObject({ writes: 1, bytesEncrypted: 4096, cipherNs: UNIT_NS });
  });

  it('becomes one encrypted bio per 256 pages and ends once, with the last of them', () => {
    const rig = new FallbackRig();
    rig.task([write(rig.key(), 0, { bytes: 2.5 * 2 ** 20 })]);
    rig.finish();
    expect(rig.lld.seen.map((rq) => [rq.sector, rq.sectors])).toEqual([
      [0, 2048],
      [2048, 2048],
      [4096, 1024],
    ]);
    expect(rig.ended).toHaveLength(1);
    expect(rig.ended[0].endedNs).toBeGreaterThan(rig.lld.seen[2].atNs + 100_000);
    expect(rig.fallback.counters.bytesEncrypted).toBe(2.5 * 2 ** 20);
  });

  it('ends with the first error of its parts', () => {
    const rig = new FallbackRig();
    rig.lld.outcome = (rq) => (rig.block.requests.sector[rq] === 2048 ? STS_MEDIUM : STS_OK);
    rig.task([write(rig.key(), 0, { bytes: 3 * 2 ** 20 })]);
    rig.finish();
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_MEDIUM]);
  });

  it('waits for bounce pages in order of arrival when the pool runs out', () => {
    const rig = new FallbackRig({ fallback: { bouncePages: 2 } });
    const key = rig.key();
    rig.task([write(key, 0, { bytes: 8192 })], 0);
    rig.task([write(key, 800, { bytes: 8192 })], 1, 20_000);
    rig.task([write(key, 1600)], 2, 30_000);
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.sector)).toEqual([0, 800, 1600]);
    expect(rig.fallback.counters.pageWaits).toBe(2);
    expect(rig.ended[1].stages[ST_FALLBACK_QUEUE]).toBeGreaterThan(50_000);
  });

  it('lets its plug go before it sleeps for pages that are in the plug', () => {
    const rig = new FallbackRig({ fallback: { bouncePages: 2 } });
    const key = rig.key();
    rig.task([{ plug: 'start' }, write(key, 0, { bytes: 8192 }), write(key, 800, { bytes: 8192 }), { plug: 'finish' }]);
    rig.finish();
    expect(rig.log.count('UT')).toBe(1);
    expect(rig.ended).toHaveLength(2);
  });

  it('takes parts one after the other from a pool smaller than itself', () => {
    const rig = new FallbackRig({ fallback: { bouncePages: 4 } });
    rig.task([write(rig.key(), 0, { bytes: 10 * 4096 })]);
    rig.finish();
    expect(rig.lld.seen.map((rq) => rq.sectors)).toEqual([32, 32, 16]);
  });

  it("waits for one of the fallback's own slots while others use them", () => {
    const rig = new FallbackRig({ fallback: { slots: 1 } });
    rig.task([write(rig.key(), 0, { bytes: 2 ** 20 })], 0);
    rig.task([write(rig.key(), 8000)], 1, 10_000);
    rig.finish();
    expect(rig.fallback.profile.counters).toMatchObject({ programs: 2, waits: 1 });
    const second = rig.ended.find((bio) => bio.spec.sector === 8000);
    expect(second?.stages[ST_WAIT_KEYSLOT]).toBeGreaterThan(100_000);
  });
});

describe('a read that the device cannot decrypt', () => {
  it('is read as it is and decrypted by a worker', () => {
    const rig = new FallbackRig();
    rig.task([encrypted(rig.key(), 80)]);
    rig.finish();
    const [bio] = rig.ended;
    expect(bio.status).toBe(STS_OK);
    expect(bio.context).toContain('kworker');
    expect(bio.stages[ST_FALLBACK_CPU]).toBe(UNIT_NS);
    expect(bio.stages[ST_FALLBACK_QUEUE]).toBeGreaterThan(0);
    expect(bio.endedNs).toBeGreaterThan(rig.lld.seen[0].atNs + 100_000 + UNIT_NS);
    expect(rig.fallback.counters).toMatchObject({ reads: 1, bytesDecrypted: 4096 });
  });

  it('is decrypted whole although it was split on its way down', () => {
    const rig = new FallbackRig({ limits: { maxSectors: 16 } });
    rig.task([encrypted(rig.key(), 0, { bytes: 16 * 4096 })]);
    rig.finish();
    expect(rig.lld.seen).toHaveLength(8);
    expect(rig.ended[0].stages[ST_FALLBACK_CPU]).toBe(16 * UNIT_NS);
  });

  it('ends with the error of the device, not decrypted', () => {
    const rig = new FallbackRig();
    rig.lld.outcome = () => STS_MEDIUM;
    rig.task([encrypted(rig.key(), 0)]);
    rig.finish();
    expect(rig.ended[0].status).toBe(STS_MEDIUM);
    expect(rig.fallback.counters.bytesDecrypted).toBe(0);
  });

  it('is decrypted by no more workers than there are CPUs', () => {
    const rig = new FallbackRig({ cpus: 2, costs: { ...COSTS, cipherUnitNs: 1_000_000 } });
    const key = rig.key();
    for (let i = 0; i < 4; i++) rig.task([encrypted(key, 800 * i)], i % 2);
    rig.finish();
    const ends = rig.ended.map((bio) => bio.endedNs);
    expect(ends[2] - ends[0]).toBeGreaterThan(900_000);
  });
});

describe('the choice of the path (1.5)', () => {
  it('I-68: is the fallback for raw keys of started modes only', () => {
    const rig = new FallbackRig();
    const wrapped = rig.key({ keyType: KEY_TYPE_HW_WRAPPED });
    const never = rig.key({ mode: MODE_ADIANTUM, dunBytes: 8 }, false);
    rig.task([write(wrapped, 0), write(never, 800), write(rig.key(), 1600)]);
    rig.finish();
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_NOTSUPP, STS_IOERR, STS_OK]);
    expect(rig.fallback.profile.warnings).toEqual([`mode ${MODE_ADIANTUM} is used and was never started`]);
    expect(rig.fallback.counters.refused).toBe(2);
  });

  it('refuses everything when the fallback is off', () => {
    const rig = new FallbackRig({ fallback: { enabled: false } });
    rig.task([write(rig.key(), 0)]);
    rig.finish();
    expect(rig.ended[0].status).toBe(STS_NOTSUPP);
  });

  it('refuses part of a data unit, and a context without data', () => {
    const rig = new FallbackRig();
    const key = rig.key();
    rig.task([write(key, 0, { bytes: 2048 }), encrypted(key, 0, { op: OP_DISCARD, segments: 0 })]);
    rig.finish();
    expect(rig.ended.map((bio) => bio.status)).toEqual([STS_INVAL, STS_IOERR]);
  });

  it('is the device for what it supports', () => {
    const rig = new FallbackRig({ native: true });
    const native = rig.key({ dataUnitSize: 512 });
    rig.task([write(native, 0, { dataUnitSize: 512 }), write(rig.key(), 800)]);
    rig.finish();
    expect(rig.fallback.counters.writes).toBe(1);
    expect(rig.block.keyslots.gets).toBe(1);
  });

  it('is told by start-using-key, with its errors', () => {
    const rig = new FallbackRig({ native: true });
    const off = new FallbackRig({ fallback: { enabled: false } });
    expect(rig.fallback.startUsingKey(rig.key({ dataUnitSize: 512 }))).toBe(OK);
    expect(rig.fallback.startUsingKey(rig.key())).toBe(OK);
    expect(rig.fallback.startUsingKey(rig.key({ keyType: KEY_TYPE_HW_WRAPPED }))).toBe(EOPNOTSUPP);
    expect(off.fallback.startUsingKey(off.key())).toBe(ENOPKG);
  });

  it('costs by the mode: a slot that changes its mode is blanked first', () => {
    const rig = new FallbackRig({ fallback: { slots: 1 } });
    const essiv = rig.key({ mode: MODE_AES_128_CBC_ESSIV });
    rig.task([write(rig.key(), 0), { sleepNs: 500_000 }, write(essiv, 800)]);
    rig.finish();
    expect(rig.ended[1].stages[ST_KEYSLOT_PROGRAM]).toBe(GET_NS + 2 * 500);
    expect(rig.ended[1].stages[ST_FALLBACK_CPU]).toBe(1_000 + 2 * 4 * 500);
  });

  it('evicts a key where it was used', () => {
    const rig = new FallbackRig();
    const key = rig.key();
    rig.task([write(key, 0), { sleepNs: 500_000 }, { enter: (x) => rig.fallback.evictKey(x, key) }]);
    rig.finish();
    expect(rig.fallback.ops.key[0]).toBe(NO_KEY);
    expect(() => rig.keys.free(key)).not.toThrow();
  });
});

describe('storms through the fallback', () => {
  it.each([1, 2, 3, 4])('end whole, with every page and slot back (seed %i)', (seed) => {
    const random = new RandomStream(seed, 'fallback-storm');
    const rig = new FallbackRig({ fallback: { slots: 2, bouncePages: 8 }, limits: { maxSectors: 24 } });
    const keys = [rig.key(), rig.key(), rig.key()];
    for (let task = 0; task < 8; task++) {
      const steps = Array.from({ length: 8 }, (): Step => {
        const more = { op: random.below(2), bytes: 4096 * (1 + random.below(12)) };
        const sector = 8 * random.below(1000);
        return random.below(4) === 0 ? plain(sector, more) : encrypted(keys[random.below(3)], sector, more);
      });
      rig.task([{ plug: 'start' }, ...steps, { plug: 'finish' }], task % 4, random.below(50_000));
    }
    rig.finish();
    expect(rig.ended).toHaveLength(64);
    expect(rig.ended.every((bio) => bio.status === STS_OK)).toBe(true);
  });
});

/** The fallback's slots as a driver under test. */
const fallbackDriver: MakeDriver = (engine, machine, slots) => {
  const keys = { mode: new Uint8Array(4096).fill(MODE_AES_256_XTS) };
  const ops = new FallbackOps(engine, machine, keys, slots, 500);
  return withFailures(ops, { hardwareKey: (slot) => ops.key[slot], loseKeys: () => ops.key.fill(NO_KEY) });
};

describe('keyslots of the fallback', () => {
  it.each(KEYSLOT_LAWS.map((law) => [law.name, law] as const))('%s', (_name, law) => {
    law.check(fallbackDriver);
  });
});

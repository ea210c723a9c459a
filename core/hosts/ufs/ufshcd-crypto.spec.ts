/** The driver's side of inline encryption: probe, faults, and the engines without a configuration array. Clocks and resets: crypto-clocks.spec.ts, crypto-reset.spec.ts. */
import { describe, expect, it } from 'vitest';
import { OP_READ, OP_WRITE, STS_IOERR, STS_OK } from '../../block/types.ts';
import { EINVAL, EIO, OK } from '../../crypto/profile/types.ts';
import { iceOfHost } from '../../ice/testing.ts';
import { ST_INLINE } from '../../trace/stages.ts';
import { ufsQueueShape } from './build.ts';
import { defaultUfsConfig } from './config.ts';
import { cryptoBench, gating, keyIn, ORDER, registerLog, testKey, UNIT } from './crypto-testing.ts';
import * as d from './descriptors.ts';
import * as prdt from './prdt-keys.ts';
import * as r from './registers.ts';
import { PRDT_KEYS } from './slots.ts';
import { configOffset } from './ufshci-cryptocfg.ts';
import { STATE_OPERATIONAL } from './ufshcd.ts';

const US = 1_000;
const MS = 1_000_000;

describe('probe (inline-crypto.md 6.1)', () => {
  it('evicts every slot, then enables the host with CGE in the same write', () => {
    const { log, lines } = registerLog(ORDER);
    cryptoBench({ keyslots: 2 }, {}, { log });
    const evictions = ['CRYPTOCFG.16[0]=0', 'CRYPTOCFG.16[0]=0', 'CRYPTOCFG.16[1]=0', 'CRYPTOCFG.16[1]=0'];
    expect(lines.slice(0, 6)).toEqual([...evictions, 'HCE=2', 'HCE=3']);
  });

  it('Intel: CGE comes in a write of its own once the host is up', () => {
    const { log, lines } = registerLog(/^HCE/);
    cryptoBench({ generalEnable: 'after-hce' }, {}, { log });
    expect(lines).toEqual(['HCE=1', 'HCE=3']);
  });

  it('quirk BROKEN_CRYPTO_ENABLE: CGE is never written, encryption works, and a host enabled with CGE stays down', () => {
    const { log, lines } = registerLog(/^HCE/);
    const bench = cryptoBench({ generalEnable: 'broken' }, {}, { log });
    bench.get(0, 1);
    bench.block.submitAt(MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run();
    expect(lines).toEqual(['HCE=1']);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    const { hci } = bench.ufs.lld;
    hci.write(r.HCE, 0);
    hci.write(r.HCE, r.HCE_ENABLE | r.HCE_CGE);
    bench.run();
    expect(hci.read(r.HCE) & r.HCE_ENABLE).toBe(0);
  });

  it('takes its time for the evictions, with either engine', () => {
    const duration = (keyslots: number, engine: 'registers' | 'ice'): number => {
      const scm = { invalidateNs: 20 * US, jitterNs: 0, tailEvery: 0 };
      const bench = cryptoBench(
        { keyslots, engine },
        {},
        { probed: false, ...(engine === 'ice' ? { ice: iceOfHost({ scm }) } : {}) },
      );
      let upNs = NaN;
      bench.at(0, () => bench.ufs.lld.probe(-1));
      const look = bench.engine.register('test.look', () => {
        if (bench.ufs.lld.state === STATE_OPERATIONAL) upNs = bench.engine.now;
        else bench.engine.after(100, look, 0);
      });
      bench.engine.at(0, look, 0);
      bench.run();
      return upNs;
    };
    expect(duration(20, 'registers') - duration(10, 'registers')).toBe(10 * 19 * 100); // 19 writes of 100 ns a slot
    expect(duration(20, 'ice') - duration(10, 'ice')).toBe(10 * 20 * US);
  });
});

describe('faults', () => {
  it('S-5: a programming torn halfway is -EIO; the old key still maps to the slot, whose hardware refuses it', () => {
    const bench = cryptoBench({ keyslots: 1 });
    const statuses: number[] = [];
    bench.get(0, 1, (slot) => bench.profile.put(-1, slot));
    bench.at(1 * MS, () => bench.crypto.keyslots?.failNext.push('torn'));
    bench.get(2 * MS, 2, (_slot, status) => statuses.push(status));
    bench.get(3 * MS, 1, (slot, status) => {
      statuses.push(status);
      bench.block.submitAt(4 * MS, OP_READ, 0, UNIT, { keyslot: slot, keyId: 1 });
    });
    bench.run();
    expect(statuses).toEqual([EIO, OK]);
    expect(bench.profile.counters).toMatchObject({ programs: 1, programErrors: 1, hits: 1 });
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_IOERR]);
    expect(bench.ufs.statistics()).toMatchObject({ inlineRefused: 6, wrongKeyCommands: 6 });
  });

  it('I-30: a corrupted slot goes unnoticed by the host, and its commands are counted', () => {
    const bench = cryptoBench();
    bench.get(0, 1);
    bench.at(1 * MS, () => bench.ufs.lld.hci.crypto.corrupt(0));
    bench.block.submitAt(2 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    expect(keyIn(bench, 0)).not.toBe(1);
    expect(bench.ufs.statistics().wrongKeyCommands).toBe(1);
  });

  it('keys lost in hibern8 fail their commands until they are programmed again: nobody restores them', () => {
    const bench = cryptoBench({ keysLostOn: ['hibernate'] }, gating('blocking'));
    bench.get(0, 1);
    bench.block.submitAt(10 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_IOERR]);
    expect(bench.profile.table.key[0]).toBe(1);
    expect(bench.ufs.statistics().inlineRefused).toBe(6);
  });

  it('I-28: a slot that is written under a command in flight is reported', () => {
    const bench = cryptoBench({ keyslots: 1 });
    bench.media.readNs = 5 * MS;
    bench.get(0, 1, (slot) => bench.profile.put(-1, slot)); // given back too early
    bench.block.submitAt(1 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.get(2 * MS, 2);
    bench.run();
    expect(bench.laws()).toEqual(['keyslot-in-use', 'ufshci-misuse', 'ufshci-misuse']); // driver, and hardware at dword 16 twice
  });

  it('I-8: a request that arrives with another key than its slot holds is reported', () => {
    const bench = cryptoBench();
    bench.get(0, 1);
    bench.block.submitAt(1 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 2 });
    bench.run();
    expect(bench.laws()).toEqual(['keyslot-key']);
  });

  it('I-8: an encrypted request without a slot would reach the medium as it is, and is reported', () => {
    const bench = cryptoBench();
    bench.block.submitAt(0, OP_WRITE, 0, UNIT, { keyId: 2 });
    bench.run();
    expect(bench.machine.violations.map((v) => v.what)).toEqual(['request 0 with key 2 has no keyslot']);
  });

  it('I-9: a plain request with a slot is reported', () => {
    const bench = cryptoBench();
    bench.get(0, 1);
    bench.block.submitAt(1 * MS, OP_READ, 0, UNIT, { keyslot: 0 });
    bench.run();
    expect(bench.machine.violations.map((v) => v.what)).toEqual(['request 0 with key -1 uses a slot with key 1']);
  });

  it('I-17: a DUN that needs more than 64 bits, or whose last unit would, is reported; the last one that fits is not', () => {
    const submit = (dunLow: number, dunHigh: number, limb1 = 0): string[] => {
      const bench = cryptoBench();
      bench.get(0, 1);
      const rq = bench.block.submitAt(1 * MS, OP_READ, 0, 2 * UNIT, { keyslot: 0, keyId: 1, dunLow, dunHigh });
      bench.block.requests.dun[rq * 8 + 2] = limb1;
      bench.run();
      return bench.laws();
    };
    expect(submit(0xfffffffe, 0xffffffff)).toEqual([]);
    expect(submit(0xffffffff, 0xffffffff)).toEqual(['dun-width']);
    expect(submit(0, 0, 1)).toEqual(['dun-width']);
  });

  it('the snapshot shows who holds which slot', () => {
    const bench = cryptoBench();
    bench.get(0, 1);
    bench.get(0, 2, (slot) => bench.profile.put(-1, slot));
    bench.media.readNs = 5 * MS;
    bench.block.submitAt(1 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run(2 * MS);
    const { crypto, slots } = bench.ufs.snapshot();
    expect(crypto).toMatchObject({
      engine: 'registers',
      slots: [
        { slot: 0, keyId: 1, refs: 1, state: 'in_use', dataUnitSize: UNIT, inFlight: 1 },
        { slot: 1, keyId: 2, refs: 0, state: 'idle', dataUnitSize: UNIT, inFlight: 0 },
        { slot: 2, keyId: -1, refs: 0, state: 'idle', dataUnitSize: 0, inFlight: 0 },
        { slot: 3, keyId: -1 },
      ],
    });
    expect(slots[0]).toMatchObject({ request: 0, cci: 0 });
  });
});

describe("Qualcomm's engine (inline-crypto.md 5.4)", () => {
  it('slots are programmed by the secure monitor; commands carry the same fields and pay the engine’s latency', () => {
    const bench = cryptoBench({ engine: 'ice' }, {}, { ice: iceOfHost({ ice: { latencyNs: 700 } }) });
    bench.get(0, 1);
    bench.block.submitAt(1 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
    bench.run();
    expect(keyIn(bench, 0)).toBe(1);
    expect(bench.ufs.lld.hci.registers.get(configOffset(0, 16))).toBe(0);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    expect(bench.block.requests.rows.ns[ST_INLINE]).toBe(700);
  });

  it('a slot without a key is OCS 9 here too', () => {
    const bench = cryptoBench({ engine: 'ice' }, {}, { ice: iceOfHost() });
    bench.profile.table.key[2] = 1;
    bench.block.submitAt(0, OP_READ, 0, UNIT, { keyslot: 2, keyId: 1 });
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_IOERR]);
  });

  it('a reset programs every key again and enables the engine afterwards; with a suspend before it the engine has its clock', () => {
    for (const overrides of [{}, gating('blocking', 1 * MS)]) {
      const bench = cryptoBench({ engine: 'ice', keysLostOn: ['host-reset'] }, overrides, { ice: iceOfHost() });
      bench.get(0, 1);
      bench.at(50 * MS, () => bench.ufs.reset(-1));
      bench.block.submitAt(200 * MS, OP_READ, 0, UNIT, { keyslot: 0, keyId: 1 });
      bench.run();
      expect(keyIn(bench, 0)).toBe(1);
      expect(bench.profile.counters.restored).toBe(1);
      expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
      expect(bench.laws()).toEqual([]);
    }
  });

  it('runtime suspend stops its clock and resume starts it again; keys stay', () => {
    const bench = cryptoBench({ engine: 'ice' }, gating('blocking', 1 * MS), { ice: iceOfHost() });
    bench.get(0, 1, (slot) => bench.profile.put(-1, slot));
    bench.get(60 * MS, 2);
    bench.run();
    expect([keyIn(bench, 0), keyIn(bench, 1)]).toEqual([1, 2]);
    expect(bench.ufs.statistics().runtimeResumes).toBeGreaterThan(0);
    expect(bench.laws()).toEqual([]);
  });

  it('a busy secure monitor holds the programmer, and with it the profile, for 30 ms a try', () => {
    const bench = cryptoBench({ engine: 'ice' }, {}, { ice: iceOfHost() });
    bench.ice?.beBusy(3);
    const gotNs: number[] = [];
    bench.get(0, 1, () => gotNs.push(bench.engine.now));
    bench.get(1 * MS, 2, () => gotNs.push(bench.engine.now));
    bench.run();
    expect(gotNs[0]).toBeGreaterThan(90 * MS);
    expect(gotNs[1]).toBeGreaterThan(gotNs[0]);
  });

  it('I-67: a wrapped-key engine refuses raw keys', () => {
    const bench = cryptoBench({ engine: 'ice' }, {}, { ice: iceOfHost({ ice: { useWrappedKeys: true } }) });
    const statuses: number[] = [];
    bench.get(0, 1, (_slot, status) => statuses.push(status));
    bench.run();
    expect(statuses).toEqual([EINVAL]);
  });
});

describe('keys in the PRDT (inline-crypto.md 3.14)', () => {
  const crypto = { engine: 'prdt', keyslots: 0, capabilities: [] } as const;

  it('there are no keyslots and no CGE; requests are at most 128 data units in segments of one', () => {
    const { log, lines } = registerLog(/^HCE/);
    const bench = cryptoBench(crypto, {}, { log });
    expect(lines).toEqual(['HCE=1']);
    expect(bench.profile.slots).toBe(0);
    expect(bench.profile.sysfs()).toMatchObject({ max_dun_bits: '128', 'modes/AES-256-XTS': '0x1000' });
    const { limits } = ufsQueueShape({ ...defaultUfsConfig('ufs-3.1'), crypto });
    expect([limits.maxSegmentSize, limits.maxSectors]).toEqual([UNIT, 1024]);
  });

  it('every entry carries its IV and both key halves, bytes reversed; the table is zero when the command is over', () => {
    const bench = cryptoBench(crypto);
    bench.media.readNs = MS;
    const rq = bench.block.submitAt(0, OP_READ, 0, 3 * UNIT, { keyId: 4, dunLow: 0xffffffff, dunHigh: 0xffffffff });
    const { mem, hci } = bench.ufs.lld;
    const at = mem.prdtWord(0);
    bench.run(500 * US);
    const entry = (i: number): Uint8Array => d.dump(mem.memory, mem.memory.address(at + i * prdt.ENTRY_WORDS), 128);
    const key = testKey(4);
    expect([...entry(0).slice(16, 32)]).toEqual([...new Array(8).fill(0), ...new Array(8).fill(0xff)]);
    expect([...entry(1).slice(16, 32)]).toEqual([...new Array(7).fill(0), 1, ...new Array(8).fill(0)]);
    expect([...entry(2).slice(32, 64)]).toEqual([...key.slice(0, 32)].reverse());
    expect([...entry(2).slice(64, 96)]).toEqual([...key.slice(32)].reverse());
    expect(prdt.keyOf(mem.memory.words, at)).toEqual(key);
    expect([hci.slots.cci[0], hci.slots.dunLow[0], hci.slots.dunHigh[0]]).toEqual([PRDT_KEYS, 0xffffffff, 0xffffffff]);
    expect(mem.memory.words[mem.memory.word(mem.utrl)] & d.UTRD_CE).toBe(0);
    bench.run();
    expect([...entry(0), ...entry(2)].every((byte) => byte === 0)).toBe(true);
    expect(bench.block.completed).toMatchObject([{ rq, status: STS_OK }]);
    expect(bench.block.requests.rows.ns[ST_INLINE]).toBe(US);
  });

  it('plain requests pass without keys, also after an encrypted one in the same slot', () => {
    const bench = cryptoBench(crypto);
    bench.block.submitAt(0, OP_WRITE, 0, UNIT, { keyId: 4, tag: 0 });
    bench.block.submitAt(MS, OP_WRITE, 0, UNIT, { tag: 0 });
    bench.run();
    expect(bench.ufs.lld.hci.crypto.commands).toBe(1);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK, STS_OK]);
  });
});

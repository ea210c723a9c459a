/** The configuration array: how it is written, by the driver and by one that does it wrongly, and that no key comes out of it (inline-crypto.md 3.6; 7, I-26 to I-32, I-45). */
import { describe, expect, it } from 'vitest';
import { OP_READ } from '../../block/types.ts';
import type { DetailLog } from '../../trace/log.ts';
import { cryptoProblems, profileCapabilities } from './crypto-config.ts';
import {
  CAPABILITY,
  cryptoBench,
  type CryptoBench,
  encrypted,
  numberOf,
  programmed,
  type SeenWrite,
  testKey,
  UNIT,
  writesOf,
} from './crypto-testing.ts';
import { configOffset, configWord } from './ufshci-cryptocfg.ts';

const MS = 1_000_000;
const SLOT = 0;

/** The 19 writes of an entry, as the reference lists them. */
function entryWrites(key: Uint8Array, config: number): string[] {
  const view = new DataView(key.buffer);
  const words = Array.from({ length: 16 }, (_, i) => `${i}=${view.getUint32(4 * i, true).toString(16)}`);
  return ['16=0', ...words, '17=0', `16=${config.toString(16)}`];
}

/** The writes to the configuration of slot 0, as `dword=value`. */
function dwords(writes: readonly SeenWrite[]): string[] {
  return writes
    .filter(({ name }) => name.startsWith('CRYPTOCFG') && name.endsWith(`[${SLOT}]`))
    .map(({ name, value }) => `${name.split(/[.[]/)[1]}=${value.toString(16)}`);
}

/** The writes by which the driver programs key 3 and then evicts it again. */
function programAndEvict(): { programming: string[]; eviction: string[]; bench: CryptoBench } {
  const bench = cryptoBench();
  const writes = writesOf(bench);
  bench.get(0, 3, (slot) => bench.profile.put(-1, slot));
  bench.evict(2 * MS, 3);
  bench.run();
  const before = (w: SeenWrite): boolean => w.atNs < 2 * MS;
  return {
    programming: dwords(writes.filter(before)),
    eviction: dwords(writes.filter((w) => !before(w))),
    bench,
  };
}

/** What is reported when software writes these dwords of slot 1, which was programmed before. */
function misuses(...writes: readonly (readonly [dword: number, value: number])[]): string[] {
  const bench = cryptoBench();
  const { hci } = bench.ufs.lld;
  programmed(bench, 1);
  for (const [dword, value] of writes) hci.write(configOffset(1, dword), value);
  expect(new Set(bench.laws())).toEqual(new Set(bench.laws().length > 0 ? ['ufshci-misuse'] : []));
  return bench.machine.violations.map(({ what }) => what.replace(' of configuration 1 is written', ':'));
}

const KEYS = Array.from({ length: 16 }, (_, dword) => [dword, 1] as const);
const ENABLE = configWord(0, UNIT);

describe('programming a configuration', () => {
  it('I-26: key dwords are written only while CFGE is 0: dword 16 := 0 comes first, dword 17 behind them, dword 16 last', () => {
    const { programming, bench } = programAndEvict();
    expect(programming).toEqual(entryWrites(testKey(3), 0x80000008));
    expect(bench.laws()).toEqual([]);
  });

  it('I-26: a driver that does otherwise is reported', () => {
    expect(misuses([3, 5])).toEqual(['dword 3: without dword 16 := 0 before it']);
    expect(misuses([16, 0], ...KEYS, [16, ENABLE])).toEqual(['dword 16: before the others']);
    expect(misuses([16, ENABLE])).toEqual(['dword 16: before the others']);
    expect(misuses([16, 0], [17, 0])).toEqual(['dword 17: out of order']);
    expect(misuses([16, 0], ...KEYS, [17, 0], [16, ENABLE])).toEqual([]);
  });

  it('I-27: key dwords are written in order, as one uninterrupted set', () => {
    const { programming, eviction } = programAndEvict();
    for (const writes of [programming, eviction])
      expect(writes.map((line) => Number(line.split('=')[0]))).toEqual([16, ...KEYS.map(([dword]) => dword), 17, 16]);
  });

  it('I-27: a driver that skips, repeats or interleaves them is reported', () => {
    expect(misuses([16, 0], [0, 1], [2, 1])).toEqual(['dword 2: out of order']);
    expect(misuses([16, 0], [0, 1], [0, 1])).toEqual(['dword 0: out of order']);
    expect(misuses([16, 0], ...KEYS.slice(0, 15), [17, 0])).toEqual(['dword 17: out of order']);
    expect(misuses([16, 0], [0, 1], [16, 0], ...KEYS, [17, 0], [16, ENABLE])).toEqual([]); // begun anew
  });

  it('I-28: no configuration is written that a command in flight refers to; a driver that does is reported', () => {
    const bench = cryptoBench();
    programmed(bench, 1);
    bench.media.readNs = 5 * MS;
    bench.block.submitAt(0, OP_READ, 0, UNIT, encrypted(1));
    bench.get(1 * MS, 2); // into slot 0
    bench.at(2 * MS, () => {
      expect(bench.laws()).toEqual([]);
      bench.ufs.lld.hci.write(configOffset(1, 16), 0);
    });
    bench.run();
    expect(bench.machine.violations.map(({ what }) => what)).toEqual([
      'dword 16 of configuration 1 is written while commands use it',
    ]);
  });

  it('I-31: evicting writes an all-zero entry in the same order, after which the key is gone and CFGE is 0', () => {
    const { eviction, bench } = programAndEvict();
    expect(eviction).toEqual(entryWrites(new Uint8Array(64), 0));
    const { hci } = bench.ufs.lld;
    for (let dword = 0; dword < 32; dword++) expect(hci.registers.get(configOffset(0, dword))).toBe(0);
    expect(hci.crypto.array.enabled(0)).toBe(false);
    expect(hci.crypto.engine.keyOf(0)).toBeUndefined();
  });

  it('I-45: reserved bits and dwords 18 to 31 are never written, and stay 0 when a driver tries', () => {
    const { programming, eviction } = programAndEvict();
    for (const line of [...programming, ...eviction]) {
      const [dword, value] = [Number(line.split('=')[0]), parseInt(line.split('=')[1], 16)];
      expect(dword).toBeLessThan(18);
      if (dword === 16) expect(value & ~0x8000ffff).toBe(0);
      if (dword === 17) expect(value).toBe(0);
    }
    const { hci } = cryptoBench().ufs.lld;
    for (let dword = 16; dword < 32; dword++) hci.write(configOffset(1, dword), 0xffffffff);
    const values = Array.from({ length: 16 }, (_, i) => hci.registers.get(configOffset(1, 16 + i)));
    expect(values).toEqual([0x8000ffff, 0xffff00ff, ...(new Array(14).fill(0) as number[])]);
    expect(misuses([18, 1])).toEqual(['dword 18: though it is reserved']);
  });
});

describe('what comes out of the array', () => {
  it('I-32: keys cannot be read back, neither by software nor from log or snapshot', () => {
    const logged: unknown[] = [];
    const log: DetailLog = {
      on: true,
      event: (...event) => logged.push(event),
      span: () => undefined,
      register: (...line) => logged.push(line),
    };
    const bench = cryptoBench({}, {}, { log });
    programmed(bench);
    const { hci } = bench.ufs.lld;
    expect(Array.from({ length: 32 }, (_, i) => hci.read(configOffset(0, i)))).toEqual(new Array(32).fill(0));
    expect(numberOf(hci.crypto.engine.keyOf(0))).toBe(1);
    const view = new DataView(testKey(1).buffer);
    const words = new Set(Array.from({ length: 16 }, (_, i) => view.getUint32(4 * i, true)));
    words.delete(1); // small numbers occur everywhere
    const told = JSON.stringify([logged, bench.ufs.snapshot()]).match(/\d+/g)?.map(Number) ?? [];
    expect(told.length).toBeGreaterThan(1_000);
    expect(told.filter((number) => words.has(number))).toEqual([]);
  });

  it('dword 16 decodes by name', () => {
    const { hci } = cryptoBench().ufs.lld;
    expect(hci.registers.decode('CRYPTOCFG.16[2]', 0x80000108)).toEqual([
      { name: 'CFGE', bits: '[31]', value: 1 },
      { name: 'CAPIDX', bits: '[15:8]', value: 1 },
      { name: 'DUSIZE', bits: '[7:0]', value: 8 },
    ]);
  });
});

describe('capabilities', () => {
  it('a key is programmed with the first capability whose algorithm, key size and data unit size fit', () => {
    const capabilities = [0x00017f00, 0x00030100, 0x00037f00]; // XTS-128; XTS-256 with 512 only; XTS-256 with all
    const bench = cryptoBench({ capabilities });
    bench.get(0, 3);
    bench.run();
    expect(bench.ufs.lld.hci.registers.get(configOffset(0, 16))).toBe(0x80000208);
  });

  it('a key that no capability fits is refused by the driver and touches no register', () => {
    const bench = cryptoBench({ capabilities: [0x00030100] });
    const statuses: number[] = [];
    const writes = writesOf(bench);
    bench.get(0, 3, (_slot, status) => statuses.push(status));
    bench.run();
    expect(statuses).toEqual([-95]);
    expect(writes).toEqual([]);
  });

  it('I-65: the profile announces AES-256-XTS with the data unit sizes of the capability, and 64-bit DUNs', () => {
    expect(profileCapabilities({ capabilities: [0x00017f00, 0x00031800], keyslots: 4 })).toEqual({
      maxDunBytes: 8,
      modes: { 'AES-256-XTS': 0x3000 },
      keyTypes: 1,
    });
    expect(profileCapabilities({ capabilities: [0x00017f00], keyslots: 4 }).modes).toEqual({});
    expect(cryptoBench({ capabilities: [0x00031800] }).profile.sysfs()).toMatchObject({
      max_dun_bits: '64',
      num_keyslots: '4',
      'modes/AES-256-XTS': '0x3000',
    });
  });

  it.each([
    [{ keyslots: 65 }, 'crypto.keyslots: 65 is not in 0..64'],
    [{ keyslots: 4, engine: 'prdt' as const }, 'crypto.keyslots: must be 0 when keys travel in the PRDT'],
    [{ keyslots: 4, bytesPerUs: 0 }, 'crypto.bytesPerUs: 0 is not positive'],
  ])('a configuration that cannot work is told: %o', (crypto, problem) => {
    expect(cryptoProblems({ capabilities: [CAPABILITY], ...crypto })).toEqual([problem]);
  });
});

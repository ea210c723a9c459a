/** The controller's side of inline encryption, driven by registers and descriptors. */
import { describe, expect, it } from 'vitest';
import { OP_FLUSH, OP_READ, OP_WRITE, STS_IOERR, STS_OK } from '../../block/types.ts';
import { ST_INLINE, ST_LINK, STAGE_STRIDE } from '../../trace/stages.ts';
import { cryptoBench, type CryptoBench, encrypted, numberOf, ocsOf, programmed, UNIT } from './crypto-testing.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import { PLAIN } from './slots.ts';
import { makeBench } from './testing.ts';
import { configOffset, configWord } from './ufshci-cryptocfg.ts';

const US = 1_000;
const MS = 1_000_000;

describe('encrypted commands (inline-crypto.md 3.7, 3.9)', () => {
  it('the worked descriptor of 6.2: write, interrupt, slot 5, DUN 0x1_0000_0002', () => {
    const bench = cryptoBench({ keyslots: 8 });
    programmed(bench, 5, 2);
    bench.block.submitAt(0, OP_WRITE, 0, UNIT, { keyslot: 5, keyId: 2, dunLow: 2, dunHigh: 1 });
    let words: number[] = [];
    bench.media.writeNs = 50 * US;
    bench.at(40 * US, () => {
      const { mem } = bench.ufs.lld;
      const at = mem.memory.word(mem.utrl);
      words = [...mem.memory.words.slice(at, at + 4)];
    });
    bench.run();
    expect(words).toEqual([0x13800005, 2, 0xf, 1]);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
  });

  it('plain requests and flushes have CE, CCI and DUN 0', () => {
    const bench = cryptoBench();
    programmed(bench);
    bench.block.submitAt(0, OP_READ, 0, UNIT);
    bench.block.submitAt(0, OP_FLUSH, 0, 0);
    bench.run();
    const { mem, hci } = bench.ufs.lld;
    const words = mem.memory.words.slice(mem.memory.word(mem.utrl), mem.memory.word(mem.utrl) + 16);
    expect([0, 8].map((at) => [words[at] & 0x008000ff, words[at + 1], words[at + 3]])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(hci.crypto.commands).toBe(0);
  });

  it('submission queues carry the same fields', () => {
    const bench = cryptoBench({}, { mcqQueues: 2, mcqDepth: 8 });
    programmed(bench, 3, 1);
    bench.block.submitAt(0, OP_READ, 0, UNIT, { ...encrypted(3), hctx: 1 });
    bench.run();
    const { mem, hci } = bench.ufs.lld;
    const at = mem.memory.word(mem.sq[1]);
    expect([mem.memory.words[at] & 0x008000ff, mem.memory.words[at + 1]]).toEqual([0x00800003, 7]);
    expect(hci.crypto.commands).toBe(1);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    expect(hci.crypto.inFlight[3]).toBe(0);
  });

  const REFUSED: [string, (bench: CryptoBench) => void, number][] = [
    ['CGE = 0', (b) => b.ufs.lld.hci.write(r.HCE, r.HCE_ENABLE), UNIT],
    ['CFGE = 0', (b) => b.ufs.lld.hci.write(configOffset(0, 16), 0x00000008), UNIT],
    ['CAPIDX beyond CC', (b) => b.ufs.lld.hci.write(configOffset(0, 16), configWord(1, UNIT)), UNIT],
    ['no DUSIZE', (b) => b.ufs.lld.hci.write(configOffset(0, 16), 0x80000000), UNIT],
    ['a DUSIZE of two bits', (b) => b.ufs.lld.hci.write(configOffset(0, 16), 0x80000018), UNIT],
    ['a DUSIZE outside SDUSB', (b) => b.ufs.lld.hci.write(configOffset(0, 16), 0x80000080), UNIT],
    ['half a data unit', (b) => b.ufs.lld.hci.write(configOffset(0, 16), configWord(0, 2 * UNIT)), 3 * UNIT],
  ];

  it.each(REFUSED)('I-29: %s is OCS 9 and moves no data (I-36)', (_what, spoil, bytes) => {
    const bench = cryptoBench();
    programmed(bench);
    spoil(bench);
    const seen = ocsOf(bench);
    bench.block.submitAt(0, OP_WRITE, 0, bytes, encrypted());
    bench.run();
    expect(seen).toEqual(new Array(6).fill(d.OCS_INVALID_CRYPTO)); // five retries
    expect(bench.media.calls).toEqual([]);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_IOERR]);
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });

  it('I-29: CS = 0 is OCS 9, whatever the descriptor says', () => {
    const bench = makeBench();
    const { lld } = bench.ufs;
    const seen = ocsOf(bench);
    const compose = lld.compose.bind(lld);
    lld.compose = (rq, slot, utrd, interrupt) => {
      compose(rq, slot, utrd, interrupt);
      lld.mem.memory.words[utrd] |= d.UTRD_CE;
    };
    bench.block.submitAt(0, OP_READ, 0, UNIT);
    bench.run();
    expect(lld.hci.read(r.CAP) & (1 << 28)).toBe(0);
    expect(seen).toEqual(new Array(6).fill(d.OCS_INVALID_CRYPTO));
    expect(bench.media.calls).toEqual([]);
  });

  it('I-29: a slot beyond CFGC is OCS 9', () => {
    const bench = cryptoBench();
    const seen = ocsOf(bench);
    bench.profile.table.key[1] = 1;
    programmed(bench);
    bench.block.submitAt(0, OP_READ, 0, UNIT, encrypted());
    const { lld } = bench.ufs;
    const compose = lld.compose.bind(lld);
    lld.compose = (rq, slot, utrd, interrupt) => {
      compose(rq, slot, utrd, interrupt);
      lld.mem.memory.words[utrd] |= 0xff;
    };
    bench.run();
    expect(seen[0]).toBe(d.OCS_INVALID_CRYPTO);
  });

  it('a CFGE that a faulty driver clears under a command in flight fails the next one (S-10)', () => {
    const bench = cryptoBench();
    programmed(bench);
    const seen = ocsOf(bench);
    bench.block.submitAt(0, OP_READ, 0, UNIT, encrypted());
    bench.at(40 * US, () => bench.ufs.lld.hci.write(configOffset(0, 16), 0));
    bench.block.submitAt(MS, OP_READ, 8, UNIT, encrypted());
    bench.run();
    expect(seen.slice(0, 2)).toEqual([d.OCS_SUCCESS, d.OCS_INVALID_CRYPTO]);
  });

  it.each([
    ['read', OP_READ],
    ['write', OP_WRITE],
  ] as const)('I-36: a %s that is refused with OCS 9 moves no byte and does not reach the device', (_name, op) => {
    const bench = cryptoBench();
    programmed(bench);
    bench.ufs.lld.hci.write(configOffset(0, 16), 0);
    const before = [...bench.ufs.lld.hci.link.bytes];
    const seen = ocsOf(bench);
    bench.block.submitAt(0, op, 0, UNIT, encrypted());
    bench.run();
    expect(new Set(seen)).toEqual(new Set([d.OCS_INVALID_CRYPTO]));
    expect([...bench.ufs.lld.hci.link.bytes]).toEqual(before);
    expect(bench.media.calls).toEqual([]);
  });

  it.each([
    ['read', OP_READ, 2],
    ['write', OP_WRITE, 1],
  ] as const)('I-36: an engine error of a %s is OCS A, tried again, and leaves the medium alone', (_name, op, data) => {
    const bench = cryptoBench();
    programmed(bench);
    bench.ufs.lld.hci.crypto.failNext = 1;
    const seen = ocsOf(bench);
    bench.block.submitAt(0, op, 0, UNIT, encrypted());
    bench.run();
    expect(seen).toEqual([d.OCS_CRYPTO_ERROR, d.OCS_SUCCESS]);
    expect(bench.media.calls.filter((call) => call === 'data' || call.startsWith('read'))).toHaveLength(data);
    expect(bench.ufs.statistics()).toMatchObject({ inlineErrors: 1, hostResets: 0, retried: 1 });
  });

  it('a command that is cleared gives its slot free, and the next plain one under its tag stays plain', () => {
    const bench = cryptoBench();
    programmed(bench);
    const { hci } = bench.ufs.lld;
    hci.device.loseNext = 1;
    bench.block.submitAt(0, OP_READ, 0, UNIT, { ...encrypted(), tag: 0 });
    const seen: number[] = [];
    bench.at(MS, () => {
      seen.push(hci.crypto.inFlight[0]);
      hci.write(r.UTRLCLR, ~1 >>> 0);
      seen.push(hci.crypto.inFlight[0], hci.slots.cci[0]);
    });
    bench.run();
    expect(seen).toEqual([1, 0, PLAIN]);
  });

  it('a fatal engine error raises CEFES, and the host is reset with its keys restored', () => {
    const bench = cryptoBench();
    bench.get(0, 1);
    Object.assign(bench.ufs.lld.hci.crypto, { failNext: 1, failsFatally: true });
    bench.block.submitAt(MS, OP_WRITE, 0, UNIT, encrypted());
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
    expect(bench.ufs.statistics()).toMatchObject({ hostResets: 1, keyLosses: 2 });
    expect(numberOf(bench.ufs.lld.hci.crypto.engine.keyOf(0))).toBe(1);
    expect(bench.profile.counters.restored).toBe(1);
  });
});

describe('what the engine costs', () => {
  const timeOf = (bench: CryptoBench, op: number, bytes: number, options = {}): number => {
    bench.block.submitAt(0, op, 0, bytes, { segments: 1, ...options });
    bench.run();
    return bench.block.completed[0].atNs;
  };
  const plain = (op: number, bytes: number): number => timeOf(cryptoBench(), op, bytes);

  it.each([
    ['read', OP_READ],
    ['write', OP_WRITE],
  ] as const)(
    'at line rate a %s takes the latency longer, whatever its size, and all of it is `inline`',
    (_name, op) => {
      for (const bytes of [UNIT, 64 * UNIT]) {
        const bench = cryptoBench({ latencyNs: 1_300 });
        programmed(bench);
        expect(timeOf(bench, op, bytes, encrypted()) - plain(op, bytes)).toBe(1_300);
        const { rows } = bench.block.requests;
        expect(rows.ns[ST_INLINE]).toBe(1_300);
        expect(rows.total(0)).toBe(bench.block.completed[0].atNs);
      }
    },
  );

  it('an engine slower than the link bounds the rate', () => {
    const bench = cryptoBench({ latencyNs: 0, bytesPerUs: 100 });
    programmed(bench);
    timeOf(bench, OP_READ, 64 * UNIT, encrypted());
    const { rows } = bench.block.requests;
    const inData = rows.ns[ST_INLINE] + rows.ns[STAGE_STRIDE * 0 + ST_LINK];
    expect(inData).toBeGreaterThanOrEqual(64 * UNIT * 10); // 10 ns per byte
    expect(inData).toBeLessThan(64 * UNIT * 10 + 2 * US);
  });

  it('two transfers share an engine that is slower than the link', () => {
    const bench = cryptoBench({ latencyNs: 0, bytesPerUs: 100 });
    programmed(bench);
    bench.block.submitAt(0, OP_READ, 0, 16 * UNIT, { ...encrypted(), segments: 1 });
    bench.block.submitAt(0, OP_READ, 800, 16 * UNIT, { ...encrypted(), segments: 1 });
    bench.run();
    const [first, second] = bench.block.completed.map((c) => c.atNs);
    expect(second - first).toBeGreaterThan(16 * UNIT * 10 - 10 * US);
  });

  it('a read that comes in chunks passes the engine as it comes: the latency counts once', () => {
    const chunked = (crypto: boolean): number => {
      const bench = cryptoBench({ latencyNs: 1_300 });
      programmed(bench);
      bench.media.chunks = 4;
      return timeOf(bench, OP_READ, 16 * UNIT, crypto ? encrypted() : {});
    };
    expect(chunked(true) - chunked(false)).toBe(1_300);
  });

  it('a command that fails without data spends no time in the engine', () => {
    const bench = cryptoBench();
    programmed(bench);
    bench.media.failNext = true;
    bench.block.submitAt(0, OP_READ, 0, UNIT, encrypted());
    bench.run();
    expect(bench.block.requests.rows.ns[ST_INLINE]).toBe(0);
    expect(bench.block.requests.rows.total(0)).toBe(bench.block.completed[0].atNs);
  });
});

describe('what costs the keys (inline-crypto.md 3.5)', () => {
  const isKept = (bench: CryptoBench): boolean => bench.ufs.lld.hci.crypto.engine.keyOf(0) !== undefined;

  it('by default HCE 1→0 wipes the array and 0→1 does not', () => {
    const bench = cryptoBench();
    programmed(bench);
    const { hci } = bench.ufs.lld;
    hci.write(r.HCE, 0);
    expect(isKept(bench)).toBe(false);
    programmed(bench);
    hci.write(r.HCE, r.HCE_ENABLE | r.HCE_CGE);
    bench.run();
    expect(hci.read(r.HCE)).toBe(r.HCE_ENABLE | r.HCE_CGE);
    expect(isKept(bench)).toBe(true);
  });

  it('S-11: with retention HCE 1→0→1 keeps them', () => {
    const bench = cryptoBench({ keysLostOn: ['host-reset'] });
    programmed(bench);
    bench.ufs.lld.hci.write(r.HCE, 0);
    expect(isKept(bench)).toBe(true);
    bench.ufs.lld.hci.crypto.happened('host-reset');
    expect(isKept(bench)).toBe(false);
  });

  it('hibern8 costs them only where the configuration says so', () => {
    for (const [keysLostOn, kept] of [
      [['hibernate'], false],
      [['host-reset'], true],
    ] as const) {
      const bench = cryptoBench({ keysLostOn }, { autoHibern8Ns: 100 * US });
      programmed(bench);
      bench.block.submitAt(MS, OP_READ, 0, UNIT);
      bench.run();
      expect(isKept(bench)).toBe(kept);
    }
  });

  it('I-48: a configuration written without clocks has no effect, is counted and reported', () => {
    const bench = cryptoBench();
    bench.ufs.lld.hci.crypto.hasClocks = false;
    bench.ufs.lld.hci.write(configOffset(0, 16), configWord(0, UNIT));
    expect(bench.ufs.lld.hci.crypto.unclockedWrites).toBe(1);
    expect(bench.ufs.lld.hci.registers.get(configOffset(0, 16))).toBe(0);
    expect(bench.laws()).toEqual(['ufshci-misuse']);
  });
});

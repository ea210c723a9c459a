import { describe, expect, it } from 'vitest';
import { OP_READ, STS_OK } from '../../block/types.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';
import { makeBench, readAt, type Bench } from './testing.ts';
import * as uic from './ufshci-uic.ts';
import { STATE_OPERATIONAL, STATE_RESET } from './ufshcd.ts';

const MS = 1_000_000;
const hciOf = (bench: Bench): Bench['ufs']['lld']['hci'] => bench.ufs.lld.hci;

describe('registers (inline-crypto.md 3.1)', () => {
  it.each([
    ['CAP', 0x00],
    ['MCQCAP', 0x04],
    ['VER', 0x08],
    ['EXT_CAP', 0x0c],
    ['HCPID', 0x10],
    ['HCMID', 0x14],
    ['AHIT', 0x18],
    ['IS', 0x20],
    ['IE', 0x24],
    ['HCSEXT', 0x2c],
    ['HCS', 0x30],
    ['HCE', 0x34],
    ['UECPA', 0x38],
    ['UECDL', 0x3c],
    ['UECN', 0x40],
    ['UECT', 0x44],
    ['UECDME', 0x48],
    ['UTRIACR', 0x4c],
    ['UTRLBA', 0x50],
    ['UTRLBAU', 0x54],
    ['UTRLDBR', 0x58],
    ['UTRLCLR', 0x5c],
    ['UTRLRSR', 0x60],
    ['UTRLCNR', 0x64],
    ['UTMRLBA', 0x70],
    ['UTMRLBAU', 0x74],
    ['UTMRLDBR', 0x78],
    ['UTMRLCLR', 0x7c],
    ['UTMRLRSR', 0x80],
    ['UICCMD', 0x90],
    ['UCMDARG1', 0x94],
    ['UCMDARG2', 0x98],
    ['UCMDARG3', 0x9c],
    ['CCAP', 0x100],
    ['CRYPTOCAP[0]', 0x104],
    ['CONFIG', 0x300],
    ['MCQCONFIG', 0x380],
    ['ESILBA', 0x384],
    ['ESIUBA', 0x388],
  ])('%s stands at 0x%s', (name, offset) => {
    expect(hciOf(makeBench()).registers.offsetOf(name)).toBe(offset);
  });

  it('CAP of a 32-slot single doorbell host: 32 slots, 16 RTTs, 8 task slots, AUTOH8, 64AS, no crypto (3.2)', () => {
    const cap = hciOf(makeBench()).read(r.CAP);
    expect(cap & 0x1f).toBe(31);
    expect((cap >>> 8) & 0xff).toBe(15);
    expect((cap >>> 16) & 7).toBe(7);
    expect([cap >>> 23, cap >>> 24, cap >>> 28, cap >>> 30].map((v) => v & 1)).toEqual([1, 1, 0, 0]);
  });

  it('crypto capability of a 64-slot host reads as the sheet’s core: CCAP 0x10003F02, capabilities 0x00017F00 and 0x00037F00', () => {
    const bench = makeBench({ crypto: { capabilities: [0x00017f00, 0x00037f00], keyslots: 64 } });
    const hci = hciOf(bench);
    expect(hci.read(r.CCAP)).toBe(0x10003f02);
    expect([hci.read(r.CRYPTOCAP), hci.read(r.CRYPTOCAP + 4)]).toEqual([0x00017f00, 0x00037f00]);
    expect((hci.read(r.CAP) >>> 28) & 1).toBe(1);
    expect(hci.registers.decode('CRYPTOCAP[1]', 0x00037f00)).toEqual([
      { name: 'KS', bits: '[23:16]', value: 3, word: '256' },
      { name: 'SDUSB', bits: '[15:8]', value: 0x7f },
      { name: 'ALG', bits: '[7:0]', value: 0, word: 'AES-XTS' },
    ]);
  });

  it('CRYPTOCFG takes writes with HCE = 0, keeps them over 0→1 and forgets them over 1→0; keys cannot be read (3.5, 3.6)', () => {
    const bench = makeBench({ crypto: { capabilities: [0x00037f00], keyslots: 32 } }, { probed: false });
    const hci = hciOf(bench);
    const slot3 = r.CRYPTOCFG + 3 * r.CRYPTOCFG_BYTES;
    hci.write(slot3 + 4, 0xdeadbeef);
    expect(hci.read(slot3 + 4)).toBe(0);
    hci.write(r.HCE, r.HCE_ENABLE | r.HCE_CGE);
    bench.run();
    expect(hci.registers.get(slot3 + 4)).toBe(0xdeadbeef);
    hci.write(r.HCE, 0);
    expect(hci.registers.get(slot3 + 4)).toBe(0);
  });

  it('list bases keep their 1 KiB alignment: bits 9:0 do not take', () => {
    const hci = hciOf(makeBench());
    hci.write(r.UTRLBA, 0x800017ff);
    expect(hci.read(r.UTRLBA)).toBe(0x80001400);
  });
});

describe('host enable (inline-crypto.md 3.5)', () => {
  it('HCE reads 0 for a while after 1 was written, then 1, with UCRDY', () => {
    const bench = makeBench({}, { probed: false });
    const hci = hciOf(bench);
    hci.write(r.HCE, 1);
    expect(hci.read(r.HCE)).toBe(0);
    bench.run();
    expect(bench.engine.now).toBe(200_000);
    expect([hci.read(r.HCE), hci.read(r.HCS)]).toEqual([1, r.HCS_UCRDY]);
  });

  it('link start-up sets DP and both list-ready bits, and UCCS', () => {
    const bench = makeBench({}, { probed: false });
    const hci = hciOf(bench);
    hci.write(r.HCE, 1);
    bench.run();
    hci.write(r.UICCMD, uic.DME_LINK_STARTUP);
    expect(hci.read(r.HCS) & r.HCS_UCRDY).toBe(0);
    bench.run();
    expect(hci.read(r.HCS)).toBe(0xf);
    expect(hci.read(r.IS)).toBe(r.IS_UCCS);
    expect(hci.link.mode.gear).toBe(0);
  });

  it('the timed probe ends operational at its gear, after link start-up and device initialisation', () => {
    const bench = makeBench({}, { probed: false });
    expect(bench.ufs.lld.state).toBe(STATE_RESET);
    bench.ufs.lld.probe(-1);
    bench.run();
    expect(bench.ufs.lld.state).toBe(STATE_OPERATIONAL);
    expect(hciOf(bench).link.mode).toEqual({ gear: 4, lanes: 2, rate: 'B' });
    expect(bench.engine.now).toBeGreaterThan(25 * MS);
    expect(bench.engine.now).toBeLessThan(40 * MS);
    readAt(bench, bench.engine.now, 1);
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
  });

  it('bring-up before time starts leaves the same registers as the timed probe', () => {
    const instant = makeBench();
    const timed = makeBench({}, { probed: false });
    timed.ufs.lld.probe(-1);
    timed.run();
    expect(instant.engine.now).toBe(0);
    const values = (bench: Bench): unknown => bench.ufs.snapshot().registers.filter(({ name }) => name !== 'UTRLCNR');
    expect(values(instant)).toEqual(values(timed));
  });
});

describe('single doorbell (inline-crypto.md 3.10)', () => {
  it('sets the bit until completion, then OCS, UTRLCNR and UTRCS in one step', () => {
    const bench = makeBench();
    const hci = hciOf(bench);
    hci.write(r.IE, 0); // nobody acknowledges
    bench.block.submitAt(0, OP_READ, 0, 4096, { tag: 5 });
    bench.run(20_000);
    const utrd = bench.ufs.lld.mem.utrl + 5 * d.UTRD_BYTES;
    const ocs = (): number => bench.ufs.lld.mem.memory.bytes[bench.ufs.lld.mem.memory.byte(utrd) + 8];
    expect([hci.read(r.UTRLDBR), ocs(), hci.read(r.IS)]).toEqual([1 << 5, 0x0f, 0]);
    bench.run();
    expect([hci.read(r.UTRLDBR), ocs(), hci.read(r.IS)]).toEqual([0, 0, r.IS_UTRCS]);
    expect(hci.read(r.UTRLCNR) & (1 << 5)).toBe(1 << 5);
  });

  it.each([
    ['a command type other than UFS storage', 0, 0x0, d.OCS_INVALID_ATTRIBUTE],
    ['a nullified descriptor', 0, 0xf0000000, d.OCS_INVALID_ATTRIBUTE],
    ['a command descriptor that is not 128-byte aligned', 4, 0x80000040, d.OCS_INVALID_ATTRIBUTE],
    ['a command descriptor outside memory', 4, 0x10000000, d.OCS_INVALID_ATTRIBUTE],
    ['no room for the response', 6, 0x00800004, d.OCS_RESPONSE_SIZE],
  ])('%s is refused with its OCS and an interrupt even without I', (_what, word, value, ocs) => {
    const bench = makeBench();
    const { hci, mem } = bench.ufs.lld;
    const words = mem.memory.words;
    readAt(bench, 0, 1);
    bench.run();
    const utrd = mem.memory.word(mem.utrl);
    words[utrd] &= ~d.UTRD_I;
    words[utrd + 2] = d.OCS_PRESET;
    words[utrd + word] = value;
    hci.write(r.IE, 0);
    hci.write(r.UTRLDBR, 1);
    bench.run();
    expect([words[utrd + 2] & 0xff, hci.read(r.UTRLDBR), hci.read(r.IS)]).toEqual([ocs, 0, r.IS_UTRCS]);
  });

  it('a PRDT entry whose count is not a multiple of 4 is OCS 2', () => {
    const bench = makeBench();
    const { hci, mem } = bench.ufs.lld;
    readAt(bench, 0, 1);
    bench.run();
    mem.memory.words[mem.ucdWord(0) + d.UCD_PRDT / 4 + 3] = 4096 - 2;
    hci.write(r.IE, 0);
    hci.write(r.UTRLDBR, 1);
    bench.run();
    expect(mem.memory.words[mem.memory.word(mem.utrl) + 2] & 0xff).toBe(d.OCS_INVALID_PRDT);
  });

  it('one interrupt serves all commands that completed before its handler looked', () => {
    const bench = makeBench();
    for (let i = 0; i < 8; i++) readAt(bench, 0, i);
    bench.media.readNs = 1 * MS;
    bench.run();
    expect(bench.block.completed).toHaveLength(8);
    expect(bench.ufs.statistics().interrupts).toBeLessThan(8);
  });
});

describe('interrupt aggregation (inline-crypto.md 3.1 UTRIACR, 3.10)', () => {
  const on = { interruptAggregation: { on: true, counter: 4, timeoutUnits: 2 } };

  it('the counter: four completions raise one interrupt', () => {
    const bench = makeBench(on);
    bench.media.readNs = 100_000;
    for (let i = 0; i < 4; i++) readAt(bench, 0, i);
    bench.run();
    expect(bench.block.completed).toHaveLength(4);
    expect(bench.ufs.statistics().interrupts).toBe(1);
  });

  it('the timer: a single completion waits 2 × 40 µs', () => {
    const alone = makeBench();
    const rq = readAt(alone, 0, 1);
    alone.run();
    const bench = makeBench(on);
    readAt(bench, 0, 1);
    bench.run();
    const late = bench.block.completed[0].atNs - alone.block.completed.find((c) => c.rq === rq)!.atNs;
    expect(late).toBe(80_000);
    expect(bench.block.requests.rows.total(0)).toBe(bench.block.completed[0].atNs);
  });

  it('thresholds change only with the parameter write enable', () => {
    const hci = hciOf(makeBench(on));
    const before = hci.read(r.UTRIACR) & 0x1fff;
    hci.write(r.UTRIACR, (r.UTRIACR_IAEN | (9 << 8) | 7) >>> 0);
    expect(hci.read(r.UTRIACR) & 0x1fff).toBe(before);
    hci.write(r.UTRIACR, (r.UTRIACR_IAEN | r.UTRIACR_PWEN | (9 << 8) | 7) >>> 0);
    expect(hci.read(r.UTRIACR) & 0x1fff).toBe((9 << 8) | 7);
  });
});

describe('UIC commands (inline-crypto.md 3.3, 3.13)', () => {
  it('hibern8 enter ends with UHES and UPMCRS = 1, exit with UHXS', () => {
    const bench = makeBench();
    const hci = hciOf(bench);
    hci.write(r.IE, 0);
    hci.write(r.UICCMD, uic.DME_HIBERNATE_ENTER);
    bench.run();
    expect(hci.read(r.IS) & r.IS_UHES).toBe(r.IS_UHES);
    expect((hci.read(r.HCS) >>> 8) & 7).toBe(1);
    expect(hci.autoHibern8.isHibernating()).toBe(true);
    hci.write(r.UICCMD, uic.DME_HIBERNATE_EXIT);
    bench.run();
    expect(hci.read(r.IS) & r.IS_UHXS).toBe(r.IS_UHXS);
    expect(hci.autoHibern8.isHibernating()).toBe(false);
  });

  it('DME_SET and DME_GET keep attributes', () => {
    const bench = makeBench();
    const hci = hciOf(bench);
    hci.write(r.IE, 0);
    hci.write(r.UCMDARG1, (0x15a8 << 16) >>> 0);
    hci.write(r.UCMDARG3, 42);
    hci.write(r.UICCMD, uic.DME_SET);
    bench.run();
    hci.write(r.UCMDARG3, 0);
    hci.write(r.UICCMD, uic.DME_GET);
    bench.run();
    expect([hci.read(r.UCMDARG3), hci.read(r.UCMDARG2) & 0xff]).toEqual([42, 0]);
  });

  it('a doorbell in hibern8 without auto-hibern8 is a peer failure', () => {
    const bench = makeBench();
    const { hci, mem } = bench.ufs.lld;
    readAt(bench, 0, 1);
    bench.run();
    hci.write(r.IE, 0);
    hci.write(r.UICCMD, uic.DME_HIBERNATE_ENTER);
    bench.run();
    hci.write(r.UTRLDBR, 1);
    bench.run();
    expect(mem.memory.words[mem.memory.word(mem.utrl) + 2] & 0xff).toBe(d.OCS_PEER_FAILURE);
  });
});

describe('multi-circular queues (inline-crypto.md 3.11)', () => {
  const mcq = { mcqQueues: 4, mcqDepth: 63 };

  it('capabilities: MCQS and LSDBS set, MAXQ 0-based, QCFGPTR × 0x200 = 0x3000', () => {
    const hci = hciOf(makeBench(mcq));
    const cap = hci.read(r.CAP);
    expect([(cap >>> 30) & 1, (cap >>> 29) & 1, cap & 0xff]).toEqual([1, 1, 63]);
    const value = hci.read(r.MCQCAP);
    expect([value & 0xff, ((value >>> 16) & 0xff) * 0x200]).toEqual([3, 0x3000]);
    expect(hci.read(r.CONFIG)).toBe(1);
  });

  it('each queue has its interrupt, on the CPU that submits to it', () => {
    const bench = makeBench(mcq);
    for (let q = 0; q < 4; q++) bench.block.submitAt(0, OP_READ, q * 8, 4096, { hctx: q, tag: 10 + q });
    bench.run();
    expect(bench.block.completed).toHaveLength(4);
    expect([0, 1, 2, 3].map((q) => bench.machine.busyNs[3 * q] > 0)).toEqual([true, true, true, true]);
    for (const c of bench.block.completed) expect(bench.block.requests.rows.total(c.rq)).toBe(c.atNs);
    expect(bench.ufs.checkEmpty()).toEqual([]);
  });

  it('heads and tails are byte offsets and wrap with the ring', () => {
    const bench = makeBench({ ...mcq, mcqDepth: 4 });
    for (let i = 0; i < 20; i++) bench.block.submitAt(i * MS, OP_READ, 0, 4096, { hctx: 1, tag: i % 4 });
    bench.run();
    const hci = hciOf(bench);
    const at = r.QOP + r.QOP_STRIDE;
    const entries = 6; // depth, reserved, one empty
    expect(hci.read(at + r.SQTP)).toBe((20 % entries) * 32);
    expect([hci.read(at + r.SQHP), hci.read(at + r.CQTP), hci.read(at + r.CQHP)]).toEqual([64, 64, 64]);
  });

  it('a submission queue needs its completion queue; a completion queue in use cannot go', () => {
    const bench = makeBench(mcq);
    const hci = hciOf(bench);
    const q1 = r.QCFG + r.QCFG_STRIDE;
    hci.write(q1 + r.CQATTR, 0);
    expect(hci.read(q1 + r.CQATTR) >>> 31).toBe(1);
    hci.write(q1 + r.SQATTR, 0);
    hci.write(q1 + r.CQATTR, 0);
    expect(hci.read(q1 + r.CQATTR) >>> 31).toBe(0);
    hci.write(q1 + r.SQATTR, (r.QUEUE_ENABLE | (1 << 16) | 47) >>> 0);
    expect(hci.read(q1 + r.SQATTR) >>> 31).toBe(0);
    expect(hci.mcq.refused).toBe(2);
  });

  it('a stopped queue fetches nothing until it is started', () => {
    const bench = makeBench(mcq);
    const hci = hciOf(bench);
    hci.write(r.QOP + r.SQRTC, r.SQRTC_STOP);
    expect(hci.read(r.QOP + r.SQRTS) & r.SQRTS_STS).toBe(1);
    bench.block.submitAt(0, OP_READ, 0, 4096);
    bench.run();
    expect(bench.media.calls).toEqual([]);
    hci.write(r.QOP + r.SQRTC, 0);
    bench.run();
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK]);
  });

  it('cleaning up a command that is not there says so in SQRTS', () => {
    const hci = hciOf(makeBench(mcq));
    hci.write(r.QOP + r.SQRTC, r.SQRTC_STOP);
    hci.write(r.QOP + r.SQCTI, 9);
    hci.write(r.QOP + r.SQRTC, r.SQRTC_STOP | r.SQRTC_ICU);
    expect(hci.registers.decode('SQRTS[0]', hci.read(r.QOP + r.SQRTS))).toEqual([
      { name: 'RTC', bits: '[7:4]', value: 1, word: 'failed' },
      { name: 'CUS', bits: '[1]', value: 1 },
      { name: 'STS', bits: '[0]', value: 1 },
    ]);
  });

  it('a nullified entry is not fetched', () => {
    const bench = makeBench(mcq);
    const { hci, mem } = bench.ufs.lld;
    hci.write(r.QOP + r.SQRTC, r.SQRTC_STOP);
    bench.block.submitAt(0, OP_READ, 0, 4096);
    bench.run();
    const sqe = mem.memory.word(mem.sq[0]) + hci.read(r.QOP + r.SQHP) / 4;
    mem.memory.words[sqe] = (d.CT_NULLIFIED << d.UTRD_CT_SHIFT) >>> 0;
    hci.write(r.QOP + r.SQRTC, 0);
    bench.run();
    expect(bench.media.calls).toEqual([]);
    expect(hci.read(r.QOP + r.SQHP)).toBe(hci.read(r.QOP + r.SQTP));
  });

  it('a host reset sends commands of all queues back and sets the queues up anew', () => {
    const bench = makeBench(mcq);
    bench.media.readNs = 2 * MS;
    for (let q = 0; q < 4; q++) bench.block.submitAt(0, OP_READ, q * 8, 4096, { hctx: q, tag: q });
    bench.run(1 * MS);
    hciOf(bench).injectError(r.IS_HCFES);
    bench.run();
    expect(bench.block.requeued).toHaveLength(4);
    expect(bench.block.completed.map((c) => c.status)).toEqual([STS_OK, STS_OK, STS_OK, STS_OK]);
  });
});

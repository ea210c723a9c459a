import { describe, expect, it } from 'vitest';
import { OP_DISCARD, OP_READ, OP_WRITE, REQ_FUA } from '../../block/types.ts';
import { swap32 } from '../memory.ts';
import * as d from './descriptors.ts';
import { makeBench } from './testing.ts';
import * as u from './upiu.ts';

/** Fields of a decoded word by name. */
const fields = (word: d.DecodedWord): Record<string, number | string> =>
  Object.fromEntries(word.fields.map((f) => [f.name, f.word ?? f.value]));

describe('UTRD (inline-crypto.md 3.7)', () => {
  it('decodes the worked example bit by bit: write, interrupt, slot 5, DUN 0x1_0000_0002 (6.2)', () => {
    const bytes = new Uint8Array(32);
    new Uint32Array(bytes.buffer).set([0x13800005, 0x00000002, 0x0000000f, 0x00000001]);
    const words = d.decodeUtrd(bytes);
    expect(fields(words[0])).toEqual({ CT: 'UFS storage', DD: 'host to device', I: 1, CE: 1, EHSL: 0, CCI: 5 });
    expect([fields(words[1]), fields(words[3])]).toEqual([{ DUNL: 2 }, { DUNU: 1 }]);
    expect(fields(words[2])).toEqual({ LDBC: 0, CDS: 0, OCS: 'not yet written' });
  });

  it('of a 128 KiB read in 32 segments: offsets and lengths in dwords, PRDT in entries', () => {
    const bench = makeBench();
    const { hci, mem } = bench.ufs.lld;
    bench.block.submitAt(0, OP_READ, 8 * 0x12345, 128 * 1024, { tag: 7, segments: 32 });
    bench.run(10_000);
    const utrd = d.decodeUtrd(d.dump(mem.memory, mem.utrl + 7 * 32, 32));
    expect(fields(utrd[0])).toMatchObject({ CT: 'UFS storage', DD: 'device to host', I: 1, CE: 0, CCI: 0 });
    expect(fields(utrd[6])).toEqual({ RUO: 0x80, RUL: 0x80 });
    expect(fields(utrd[7])).toEqual({ PRDTO: 0x100, PRDTL: 32 });
    expect(utrd[4].value).toBe(mem.ucdOf(7));
    expect(mem.ucdOf(7) % 128).toBe(0);
    expect(d.prdtBytes(mem.memory.words, mem.ucdWord(7) + d.UCD_PRDT / 4, 32)).toBe(128 * 1024);
    expect(hci.slots.lba[7]).toBe(0x12345);
  });

  it('PRDT entries carry the byte count minus 1 with bits 1:0 set, 256 KiB at most', () => {
    const bench = makeBench();
    const { mem } = bench.ufs.lld;
    expect(mem.writePrdt(0, 1024 * 1024, 1)).toBe(4);
    const words = mem.memory.words;
    const at = mem.ucdWord(0) + d.UCD_PRDT / 4;
    expect([0, 1, 2, 3].map((i) => words[at + i * 4 + 3])).toEqual(Array(4).fill(0x3ffff));
    expect(words[at + 4 + 0] - words[at]).toBe(256 * 1024);
    encodeBad(words, at);
    expect(d.prdtBytes(words, at, 1)).toBe(-1);
  });

  function encodeBad(words: Uint32Array, at: number): void {
    words[at + 3] = 4095 + 1;
  }
});

describe('UPIUs (inline-crypto.md 3.8)', () => {
  const commandOf = (
    op: number,
    sector: number,
    bytes: number,
    flags = 0,
  ): { raw: Uint8Array; upiu: u.DecodedUpiu } => {
    const bench = makeBench({ capacityBytes: 2 ** 52 });
    bench.block.submitAt(0, op, sector, bytes, { tag: 9, flags });
    bench.run(10_000);
    const raw = d.dump(bench.ufs.lld.mem.memory, bench.ufs.lld.mem.ucdOf(9), 32);
    return { raw, upiu: u.decodeUpiu(raw) };
  };

  it('READ(10): big-endian address and length, transaction code 0x01, flag 0x40', () => {
    const { raw, upiu } = commandOf(OP_READ, 8 * 0x01020304, 4096 * 0x102);
    expect([...raw.subarray(0, 4)]).toEqual([0x01, 0x40, 0, 9]);
    expect([...raw.subarray(12, 16)]).toEqual([0x00, 0x10, 0x20, 0x00]);
    expect([...raw.subarray(16, 26)]).toEqual([0x28, 0, 1, 2, 3, 4, 0, 0x01, 0x02, 0]);
    expect(upiu.command).toEqual({ opcode: 0x28, lba: 0x01020304, blocks: 0x102, fua: false, expectedBytes: 0x102000 });
  });

  it('WRITE(10) with FUA: byte 1 bit 3, flag 0x20', () => {
    const { raw, upiu } = commandOf(OP_WRITE, 8, 4096, REQ_FUA);
    expect([raw[1], raw[16], raw[17]]).toEqual([0x20, 0x2a, 0x08]);
    expect(upiu.command?.fua).toBe(true);
  });

  it('READ(16) where 32 bits of address do not suffice', () => {
    const { raw, upiu } = commandOf(OP_READ, 8 * 0x1_0203_0405, 8192);
    expect([...raw.subarray(16, 30)]).toEqual([0x88, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 2]);
    expect(upiu.command).toMatchObject({ lba: 0x1_0203_0405, blocks: 2 });
  });

  it('UNMAP: 24 bytes of parameter list with one descriptor', () => {
    const bench = makeBench();
    bench.block.submitAt(0, OP_DISCARD, 8 * 77, 4096 * 5, { tag: 2 });
    bench.run();
    const { mem } = bench.ufs.lld;
    const raw = d.dump(mem.memory, mem.ucdOf(2), 32);
    expect([raw[16], raw[24]]).toEqual([0x42, 24]);
    const list = d.dump(mem.memory, mem.memory.words[mem.ucdWord(2) + d.UCD_PRDT / 4], 24);
    expect([...list]).toEqual([0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 0, 0, 0, 5, 0, 0, 0, 0]);
  });

  it('RESPONSE with sense: length 18 at bytes 32-33, key at 36, additional code at 46', () => {
    const words = new Uint32Array(16);
    u.encodeResponse(words, 0, 0, 9, u.SCSI_CHECK_CONDITION, u.SENSE_MEDIUM_ERROR, 0x11);
    const bytes = new Uint8Array(words.buffer);
    expect([bytes[0], bytes[7], bytes[11]]).toEqual([0x21, 0x02, 20]);
    expect([bytes[32], bytes[33], bytes[34], bytes[36], bytes[46]]).toEqual([0, 18, 0x70, 3, 0x11]);
    expect([u.responseStatus(words, 0), u.senseKey(words, 0)]).toEqual([2, 3]);
  });

  it('words swap to big-endian and back', () => {
    expect(swap32(0x01020304)).toBe(0x04030201);
    expect(swap32(swap32(0xfedcba98))).toBe(0xfedcba98);
  });
});

describe('completion queue entry (inline-crypto.md 3.11)', () => {
  it('names command descriptor, submission queue, OCS and task tag', () => {
    const words = new Uint32Array(8);
    d.encodeCqe(words, 0, 0x80001080, 3, 0x00800080, 0x01000004, d.OCS_ABORTED, 17, 0);
    const cqe = d.decodeCqe(new Uint8Array(words.buffer));
    expect(fields(cqe[0])).toEqual({ UCDBA: 0x80001080 >>> 7, SQID: 3 });
    expect([fields(cqe[2]), fields(cqe[3])]).toEqual([
      { RUO: 0x80, RUL: 0x80 },
      { PRDTO: 0x100, PRDTL: 4 },
    ]);
    expect([fields(cqe[4]).OCS, fields(cqe[5]).TAG]).toEqual(['aborted', 17]);
  });
});

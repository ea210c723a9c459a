import { describe, expect, it } from 'vitest';
import { NO_LOG, type DetailLog } from '../trace/log.ts';
import { field, fieldMask, RegisterFile, type RegisterDef } from './registers.ts';

const TABLE: readonly RegisterDef[] = [
  { name: 'ID', offset: 0x00, reset: 0x1234, access: 'ro', fields: [field('ID', 15, 0)] },
  {
    name: 'CTL',
    offset: 0x04,
    reset: 1,
    access: 'rw',
    writable: 0x0000ff0f,
    fields: [field('MODE', 9, 8, { 2: 'fast' }), field('EN', 0)],
    survives: ['soft'],
  },
  { name: 'STAT', offset: 0x08, reset: 0, access: 'w1c', fields: [field('B', 1), field('A', 0)] },
  { name: 'BELL', offset: 0x0c, reset: 0, access: 'w1s', fields: [field('BELL', 31, 0)] },
  { name: 'KEY', offset: 0x10, reset: 0, access: 'wo', fields: [field('KEY', 31, 0)], array: { count: 3, stride: 4 } },
];

const make = (log: DetailLog = NO_LOG, strict = true): RegisterFile =>
  new RegisterFile('test', TABLE, log, { strict, resets: { ID: 0x4321, 'KEY[1]': 7 } });

describe('a register file', () => {
  it('takes reset values from the table, and from the build where it depends on it', () => {
    const regs = make();
    expect([regs.read(0), regs.read(4), regs.get(0x14)]).toEqual([0x4321, 1, 7]);
  });

  it('ignores writes to read-only registers and to bits that are not writable', () => {
    const regs = make();
    regs.write(0, 0xffffffff);
    regs.write(4, 0xffffffff);
    expect([regs.read(0), regs.read(4)]).toEqual([0x4321, 0xff0f]);
  });

  it('clears with ones, sets with ones, hides what is write-only', () => {
    const regs = make();
    regs.set(8, 3);
    regs.write(8, 1);
    regs.write(12, 0x80000001);
    regs.write(12, 2);
    regs.write(0x18, 99);
    expect([regs.read(8), regs.read(12), regs.read(0x18), regs.get(0x18)]).toEqual([2, 0x80000003, 0, 99]);
  });

  it('resets everything but what survives this kind of reset', () => {
    const regs = make();
    regs.write(4, 0x200);
    regs.set(8, 3);
    regs.reset('soft');
    expect([regs.read(4), regs.read(8)]).toEqual([0x200, 0]);
    regs.reset('power-on');
    expect(regs.read(4)).toBe(1);
  });

  it('decodes a value field by field with words', () => {
    expect(make().decode('CTL', 0x201)).toEqual([
      { name: 'MODE', bits: '[9:8]', value: 2, word: 'fast' },
      { name: 'EN', bits: '[0]', value: 1 },
    ]);
    expect(fieldMask(field('X', 31, 0))).toBe(0xffffffff);
  });

  it('finds registers by name, array elements included', () => {
    expect(make().offsetOf('KEY[2]')).toBe(0x18);
    expect(() => make().offsetOf('NOPE')).toThrow('no register NOPE');
  });

  it('unknown offsets are an error in strict mode and a counted event otherwise', () => {
    expect(() => make().read(0x40)).toThrow('unknown register 0x40 read');
    const events: string[] = [];
    const log: DetailLog = { ...NO_LOG, on: true, event: (_room, kind) => events.push(kind) };
    const regs = make(log, false);
    expect(regs.write(0x40, 1)).toBe(false);
    expect(regs.read(0x02)).toBe(0); // not on a word
    expect([regs.unknownAccesses, events]).toEqual([2, ['register.unknown.written', 'register.unknown.read']]);
  });

  it('logs each change with before and after', () => {
    const lines: unknown[][] = [];
    const log: DetailLog = { ...NO_LOG, on: true, register: (...line) => lines.push(line) };
    const regs = make(log);
    regs.write(4, 0x101);
    regs.write(4, 0x101);
    expect(lines).toEqual([['test', 4, 'CTL', 1, 0x101, 'MODE=1 EN=1']]);
  });

  it('logs the fields that are or were set, all of them when none is, and nothing where the value says it all', () => {
    const texts: string[] = [];
    const log: DetailLog = { ...NO_LOG, on: true, register: (...line) => texts.push(line[5]) };
    const regs = make(log);
    for (const value of [0x200, 0, 1]) regs.write(4, value);
    regs.write(0xc, 1 << 7);
    expect(texts).toEqual(['MODE=2 (fast) EN=0', 'MODE=0', 'EN=1', '']);
    const blank: RegisterDef = { name: 'W', offset: 0, reset: 0, access: 'wo', fields: [field('A', 1), field('B', 0)] };
    new RegisterFile('test', [blank], log).write(0, 0);
    expect(texts.at(-1)).toBe('A=0 B=0');
  });

  it('tells that a register with key material was written, in log and snapshot, and not what', () => {
    const lines: unknown[][] = [];
    const log: DetailLog = { ...NO_LOG, on: true, register: (...line) => lines.push(line) };
    const key: RegisterDef = { ...TABLE[4], secret: true };
    const regs = new RegisterFile('test', [key], log);
    regs.write(0x14, 0xdeadbeef);
    regs.set(0x14, 0);
    regs.write(0x14, 0xdeadbeef);
    const line = ['test', 0x14, 'KEY[1]', NaN, NaN, 'KEY (hidden)'];
    expect(lines).toEqual([line, line, line]);
    expect(regs.get(0x14)).toBe(0xdeadbeef);
    expect(regs.snapshot().map(({ value }) => value)).toEqual([0, 0, 0]);
  });

  it('refuses a table with two registers at one offset', () => {
    expect(() => new RegisterFile('twice', [...TABLE, TABLE[0]], NO_LOG)).toThrow('two registers at 0x0');
  });
});

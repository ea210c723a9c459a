/**
 * The register file of an emulated host controller: a table of registers as data, and one class that gives every block the same reset, masking, logging and
 * decoding. Side effects of a write (doorbells, commands) are the block's own business.
 *
 * Modelled: 32-bit registers on 4-byte offsets, access kinds per register, writable bits per register, several kinds of reset, arrays of registers.
 * Not modelled: byte and 64-bit accesses, bus errors (an access to an unknown offset is an event, and an error in strict mode).
 */
import type { DetailLog } from '../trace/log.ts';

/** `w1c`: writing 1 clears; `w1s`: writing 1 sets; `wo`: reads as 0. */
export type Access = 'ro' | 'rw' | 'w1c' | 'w1s' | 'wo';

/** A field of a register: its bits, and words for some of its values. */
export interface RegisterField {
  readonly name: string;
  readonly high: number;
  readonly low: number;
  readonly words?: Readonly<Record<number, string>>;
}

export interface RegisterDef {
  readonly name: string;
  readonly offset: number;
  readonly reset: number;
  readonly access: Access;
  /** Bits that software can change (of `rw`, `w1c`, `w1s` registers); all of them when absent. */
  readonly writable?: number;
  readonly fields: readonly RegisterField[];
  /** Kinds of reset that leave the register as it is. */
  readonly survives?: readonly string[];
  /** The register is repeated: `NAME[0]`, `NAME[1]`, … at `offset + i * stride`. */
  readonly array?: { readonly count: number; readonly stride: number };
  /** Key material: log and snapshot tell that the register was written, not what. */
  readonly secret?: boolean;
  readonly note?: string;
}

/** One decoded field. */
export interface DecodedField {
  readonly name: string;
  readonly bits: string;
  readonly value: number;
  readonly word?: string;
}

export interface RegisterFileOptions {
  /** Values after reset that depend on what the block was built with (capabilities), by register name. */
  readonly resets?: Readonly<Record<string, number>>;
  /** Throw on unknown offsets instead of only logging them. */
  readonly strict?: boolean;
}

const RO = 0;
const RW = 1;
const W1C = 2;
const W1S = 3;
const WO = 4;
const ACCESS_CODES: Readonly<Record<Access, number>> = { ro: RO, rw: RW, w1c: W1C, w1s: W1S, wo: WO };

/** A field of one or more bits: `field('NUTRS', 4, 0)`. */
export function field(name: string, high: number, low = high, words?: Readonly<Record<number, string>>): RegisterField {
  return words === undefined ? { name, high, low } : { name, high, low, words };
}

/** The mask of a field's bits. */
export function fieldMask(f: RegisterField): number {
  const width = f.high - f.low + 1;
  return width === 32 ? 0xffffffff : (((1 << width) - 1) << f.low) >>> 0;
}

export class RegisterFile {
  /** Unknown offsets that were touched. */
  unknownAccesses = 0;
  private readonly block: string;
  private readonly log: DetailLog;
  private readonly strict: boolean;
  private readonly defs: RegisterDef[] = [];
  private readonly names: string[] = [];
  private readonly byName = new Map<string, number>();
  /** Register index by offset / 4, -1 where there is none. */
  private readonly byWord: Int32Array;
  private readonly offsets: Uint32Array;
  private readonly values: Uint32Array;
  private readonly resets: Uint32Array;
  private readonly writable: Uint32Array;
  private readonly access: Uint8Array;

  constructor(block: string, table: readonly RegisterDef[], log: DetailLog, options: RegisterFileOptions = {}) {
    this.block = block;
    this.log = log;
    this.strict = options.strict ?? false;
    const offsets: number[] = [];
    for (const def of table) {
      for (let i = 0; i < (def.array?.count ?? 1); i++) {
        this.byName.set(def.array ? `${def.name}[${i}]` : def.name, this.defs.length);
        this.names.push(def.array ? `${def.name}[${i}]` : def.name);
        this.defs.push(def);
        offsets.push(def.offset + i * (def.array?.stride ?? 0));
      }
    }
    const count = this.defs.length;
    this.offsets = Uint32Array.from(offsets);
    this.byWord = new Int32Array(Math.max(...offsets) / 4 + 1).fill(-1);
    this.values = new Uint32Array(count);
    this.resets = new Uint32Array(count);
    this.writable = new Uint32Array(count);
    this.access = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const def = this.defs[i];
      if (this.byWord[offsets[i] >> 2] !== -1)
        throw new Error(`${block}: two registers at 0x${offsets[i].toString(16)}`);
      this.byWord[offsets[i] >> 2] = i;
      this.resets[i] = options.resets?.[this.names[i]] ?? options.resets?.[def.name] ?? def.reset;
      this.writable[i] = def.writable ?? 0xffffffff;
      this.access[i] = ACCESS_CODES[def.access];
    }
    this.values.set(this.resets);
  }

  /** Puts every register back to its reset value, except those that survive this kind of reset. */
  reset(kind: string): void {
    for (let i = 0; i < this.defs.length; i++) {
      if (this.defs[i].survives?.includes(kind) !== true) this.store(i, this.resets[i]);
    }
  }

  /** Software writes: masked by the register's access kind. Returns false when the offset is unknown. */
  write(offset: number, value: number): boolean {
    const i = this.find(offset);
    if (i < 0) return this.unknown('written', offset);
    const mask = this.writable[i];
    const before = this.values[i];
    const access = this.access[i];
    if (access === RW) this.store(i, (before & ~mask) | (value & mask));
    else if (access === W1C) this.store(i, before & ~(value & mask));
    else if (access === W1S) this.store(i, before | (value & mask));
    else if (access === WO) this.storeUnseen(i, value & mask);
    return true;
  }

  /** Software reads. Unknown offsets read as 0, write-only registers too. */
  read(offset: number): number {
    const i = this.find(offset);
    if (i >= 0) return this.access[i] === WO ? 0 : this.values[i];
    this.unknown('read', offset);
    return 0;
  }

  /** The value as the hardware sees it. The offset must exist. */
  get(offset: number): number {
    return this.values[this.byWord[offset >> 2]];
  }

  /** The hardware changes a register, whatever software may do with it. */
  set(offset: number, value: number): void {
    this.store(this.byWord[offset >> 2], value);
  }

  /** Sets or clears bits from the hardware side. */
  setBits(offset: number, bits: number): void {
    const i = this.byWord[offset >> 2];
    this.store(i, this.values[i] | bits);
  }

  clearBits(offset: number, bits: number): void {
    const i = this.byWord[offset >> 2];
    this.store(i, this.values[i] & ~bits);
  }

  /** The offset of a register. Throws on an unknown name (a programmer's mistake). */
  offsetOf(name: string): number {
    const i = this.byName.get(name);
    if (i === undefined) throw new Error(`${this.block}: no register ${name}`);
    return this.offsets[i];
  }

  /** A value of the named register, field by field, highest bits first. */
  decode(name: string, value: number): readonly DecodedField[] {
    const i = this.byName.get(name);
    if (i === undefined) throw new Error(`${this.block}: no register ${name}`);
    return decodeFields(this.defs[i].fields, value);
  }

  /** Every register with its current value, for the inspector: write-only ones included, key material as 0. */
  snapshot(): readonly { readonly name: string; readonly offset: number; readonly value: number }[] {
    return this.names.map((name, i) => ({
      name,
      offset: this.offsets[i],
      value: this.defs[i].secret === true ? 0 : this.values[i],
    }));
  }

  private find(offset: number): number {
    const word = offset >> 2;
    return (offset & 3) === 0 && word < this.byWord.length ? this.byWord[word] : -1;
  }

  private store(i: number, value: number): void {
    const before = this.values[i];
    this.values[i] = value;
    if (this.log.on && before !== this.values[i]) this.record(i, before);
  }

  /** A write to a register that cannot be read: logged even when it changes nothing, because the write is all there is to see. */
  private storeUnseen(i: number, value: number): void {
    const before = this.values[i];
    this.values[i] = value;
    if (this.log.on) this.record(i, before);
  }

  private record(i: number, before: number): void {
    const { fields, secret } = this.defs[i];
    const after = this.values[i];
    if (secret === true)
      this.log.register(this.block, this.offsets[i], this.names[i], NaN, NaN, `${fields[0].name} (hidden)`);
    else
      this.log.register(this.block, this.offsets[i], this.names[i], before, after, fieldsText(fields, before, after));
  }

  private unknown(what: string, offset: number): boolean {
    this.unknownAccesses++;
    if (this.log.on) this.log.event(this.block, `register.unknown.${what}`, offset, NaN);
    if (this.strict) throw new Error(`${this.block}: unknown register 0x${offset.toString(16)} ${what}`);
    return false;
  }
}

/**
 * The fields of a change as a text: those that are or were set, or all of them when none is. Empty for a register of one field without words, whose value says
 * it all.
 */
function fieldsText(fields: readonly RegisterField[], before: number, after: number): string {
  if (fields.length === 1 && fields[0].words === undefined) return '';
  const touched = fields.filter((f) => ((before | after) & fieldMask(f)) !== 0);
  return decodeFields(touched.length === 0 ? fields : touched, after)
    .map(({ name, value, word }) => (word === undefined ? `${name}=${value}` : `${name}=${value} (${word})`))
    .join(' ');
}

/** A word decoded by a list of fields. */
export function decodeFields(fields: readonly RegisterField[], value: number): readonly DecodedField[] {
  return fields.map((f) => {
    const raw = (value & fieldMask(f)) >>> f.low;
    const word = f.words?.[raw];
    const bits = f.high === f.low ? `[${f.low}]` : `[${f.high}:${f.low}]`;
    return word === undefined ? { name: f.name, bits, value: raw } : { name: f.name, bits, value: raw, word };
  });
}

/**
 * The crypto configuration array of a UFS host controller: the registers that hold keys, and the engine behind them.
 *
 * Modelled: an entry is in use while CFGE is set and its CAPIDX and DUSIZE fit a capability; key dwords cannot be read back; entries can be written with the host
 * disabled. Writes out of the specified order take effect and are reported (`@assume`: the specification forbids them and says no more).
 * Not modelled: multi-host fields, vendor specific bits.
 *
 * @source UFSHCI 4.0, facts through inline-crypto.md 3.5, 3.6
 */
import { DATA_UNIT, dataUnitSizesOf, type UfsCryptoSettings } from './crypto-config.ts';
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';

/** What holds the keys and passes the data: the controller's own array, or an engine beside it (core/ice). */
export interface InlineEngine {
  /** Data passes unchanged, whatever a slot holds; absent: never. */
  readonly isBypassed?: boolean;
  /** The key bytes of a usable slot, undefined otherwise. No copy. */
  keyOf(slot: number): Uint8Array | undefined;
  /** Data unit size of a usable slot in bytes, 0 otherwise. */
  dataUnitSizeOf(slot: number): number;
  /** When the last byte of a transfer leaves the engine; direction 0 is to the medium, 1 from it. */
  leaveNs(direction: number, sizeBytes: number, startNs: number, endNs: number): number;
  loseKeys(): void;
  /** Fault: a bit of the slot's key flips. */
  corrupt(slot: number): void;
  /** A fault has changed what the slot holds; absent: whoever programs it knows (the controller's own array). */
  isCorrupt?(slot: number): boolean;
}

export const DWORDS = r.CRYPTOCFG_BYTES / 4;
export const KEY_DWORDS = r.KEY_DWORDS;
export const DW_CONFIG = 16;
export const DW_VENDOR = 17;
const CFGE = 1 << 31;

/** Offset of a dword of a slot's configuration. */
export function configOffset(slot: number, dword: number): number {
  return r.CRYPTOCFG + slot * r.CRYPTOCFG_BYTES + dword * 4;
}

/** Dword 16 of an enabled configuration. `dataUnitSize` in bytes. */
export function configWord(capabilityIndex: number, dataUnitSize: number): number {
  return (CFGE | (capabilityIndex << 8) | (dataUnitSize / DATA_UNIT)) >>> 0;
}

// Values of `nextDword` besides 0..16, the key dword (or dword 17) that comes next: dword 16 is to be cleared first, or to be written last.
const IN_USE = 255;
const DONE = 254;

export class CryptoConfigArray implements InlineEngine {
  private readonly hci: Ufshci;
  private readonly settings: UfsCryptoSettings;
  /** Data unit size by slot; 0: CFGE is clear, or the entry fits no capability. */
  private readonly unitBytes: Int32Array;
  private readonly isEnabled: Uint8Array;
  /** By which write the programming of each slot goes on. */
  private readonly nextDword: Uint8Array;
  private readonly keyWords: Uint32Array;
  private readonly keyBytes: Uint8Array;
  private readonly busyUntilNs = new Float64Array(2);

  constructor(hci: Ufshci, settings: UfsCryptoSettings) {
    this.hci = hci;
    this.settings = settings;
    this.unitBytes = new Int32Array(settings.keyslots);
    this.isEnabled = new Uint8Array(settings.keyslots);
    this.nextDword = new Uint8Array(settings.keyslots).fill(IN_USE);
    this.keyWords = new Uint32Array(settings.keyslots * KEY_DWORDS);
    this.keyBytes = new Uint8Array(this.keyWords.buffer);
  }

  /** A dword of the array was written; returns its slot. */
  written(offset: number): number {
    const at = (offset - r.CRYPTOCFG) >> 2;
    const slot = Math.floor(at / DWORDS);
    if (slot >= this.settings.keyslots) return slot; // a host without crypto
    const dword = at % DWORDS;
    const value = this.hci.registers.get(offset);
    this.checkOrder(slot, dword, value);
    if (dword < KEY_DWORDS) {
      this.keyWords[slot * KEY_DWORDS + dword] = value;
    } else if (dword === DW_CONFIG) {
      this.isEnabled[slot] = value >>> 31;
      this.unitBytes[slot] = this.unitOf(value);
    }
    return slot;
  }

  /** What software owes the array: dword 16 := 0, key dwords in order, dword 17, dword 16; nothing under a command; reserved dwords never (I-26 to I-28, I-45). */
  private checkOrder(slot: number, dword: number, value: number): void {
    const next = this.nextDword[slot];
    if (dword === DW_CONFIG) {
      if (this.hci.crypto.inFlight[slot] > 0) this.misused(slot, dword, 'while commands use it');
      if (value !== 0 && next !== DONE) this.misused(slot, dword, 'before the others');
      this.nextDword[slot] = value === 0 && next !== DONE ? 0 : IN_USE;
    } else if (dword > DW_VENDOR) this.misused(slot, dword, 'though it is reserved');
    else if (next === IN_USE) this.misused(slot, dword, 'without dword 16 := 0 before it');
    else if (next !== (dword === DW_VENDOR ? KEY_DWORDS : dword)) this.misused(slot, dword, 'out of order');
    else this.nextDword[slot] = dword === DW_VENDOR ? DONE : dword + 1;
  }

  private misused(slot: number, dword: number, how: string): void {
    this.hci.misused(`dword ${dword} of configuration ${slot} is written ${how}`);
  }

  /** Data unit size that dword 16 stands for; 0 when the entry cannot be used (inline-crypto.md 3.9). */
  private unitOf(config: number): number {
    const capability = (config >>> 8) & 0xff;
    const size = config & 0xff;
    const isOneHot = size !== 0 && (size & (size - 1)) === 0;
    if ((config & CFGE) === 0 || capability >= this.settings.capabilities.length || !isOneHot) return 0;
    return dataUnitSizesOf(this.settings.capabilities[capability]) & (size * DATA_UNIT);
  }

  /** CFGE of a slot. */
  enabled(slot: number): boolean {
    return this.isEnabled[slot] !== 0;
  }

  keyOf(slot: number): Uint8Array | undefined {
    if (this.dataUnitSizeOf(slot) === 0) return undefined;
    return this.keyBytes.subarray(slot * KEY_DWORDS * 4, (slot + 1) * KEY_DWORDS * 4);
  }

  dataUnitSizeOf(slot: number): number {
    return slot < this.unitBytes.length ? this.unitBytes[slot] : 0;
  }

  /** Directions do not disturb each other; an engine at line rate adds its latency alone. */
  leaveNs(direction: number, sizeBytes: number, startNs: number, endNs: number): number {
    const { latencyNs, bytesPerUs } = this.settings;
    if (bytesPerUs === Infinity) return endNs + latencyNs;
    const beginNs = Math.max(startNs, this.busyUntilNs[direction]);
    const doneNs = Math.max(endNs, beginNs + Math.ceil((sizeBytes * 1000) / bytesPerUs)); // bytes/µs → ns
    this.busyUntilNs[direction] = doneNs;
    return doneNs + latencyNs;
  }

  /** Transfers in progress are forgotten. */
  restart(): void {
    this.busyUntilNs.fill(0);
  }

  /** Every entry becomes zero. */
  loseKeys(): void {
    const { registers } = this.hci;
    for (let slot = 0; slot < this.settings.keyslots; slot++) {
      for (let dword = 0; dword <= DW_VENDOR; dword++) registers.set(configOffset(slot, dword), 0);
    }
    this.isEnabled.fill(0);
    this.unitBytes.fill(0);
    this.keyWords.fill(0);
  }

  corrupt(slot: number): void {
    const offset = configOffset(slot, 0);
    this.hci.registers.set(offset, this.hci.registers.get(offset) ^ 1);
    this.keyWords[slot * KEY_DWORDS] ^= 1;
  }
}

/**
 * The crypto configuration array of a UFS host controller: the registers that hold keys, and the engine behind them.
 *
 * Modelled: an entry is in use while CFGE is set and its CAPIDX and DUSIZE fit a capability; key dwords cannot be read back; entries can be written with the host
 * disabled. Key dwords written while CFGE is set take effect and are counted (`@assume`: the specification forbids it and says no more).
 * Not modelled: multi-host fields, vendor specific bits.
 *
 * @source UFSHCI 4.0, facts through inline-crypto.md 3.5, 3.6
 */
import { DATA_UNIT, dataUnitSizesOf, type UfsCryptoSettings } from './crypto-config.ts';
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';

/** What holds the keys and passes the data: the controller's own array, or an engine beside it (core/ice). */
export interface InlineEngine {
  /** The key bytes of a usable slot, undefined otherwise. No copy. */
  keyOf(slot: number): Uint8Array | undefined;
  /** Data unit size of a usable slot in bytes, 0 otherwise. */
  dataUnitSizeOf(slot: number): number;
  /** When the last byte of a transfer leaves the engine; direction 0 is to the medium, 1 from it. */
  leaveNs(direction: number, sizeBytes: number, startNs: number, endNs: number): number;
  loseKeys(): void;
  /** Fault: a bit of the slot's key flips. */
  corrupt(slot: number): void;
}

export const DWORDS = r.CRYPTOCFG_BYTES / 4;
export const KEY_DWORDS = 16;
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

export class CryptoConfigArray implements InlineEngine {
  /** Key dwords written while the entry was enabled. */
  keysWrittenWhileEnabled = 0;
  private readonly hci: Ufshci;
  private readonly settings: UfsCryptoSettings;
  /** Data unit size by slot; 0: CFGE is clear, or the entry fits no capability. */
  private readonly unitBytes: Int32Array;
  private readonly isEnabled: Uint8Array;
  private readonly keyWords: Uint32Array;
  private readonly keyBytes: Uint8Array;
  private readonly busyUntilNs = new Float64Array(2);

  constructor(hci: Ufshci, settings: UfsCryptoSettings) {
    this.hci = hci;
    this.settings = settings;
    this.unitBytes = new Int32Array(settings.keyslots);
    this.isEnabled = new Uint8Array(settings.keyslots);
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
    if (dword < KEY_DWORDS) {
      this.keyWords[slot * KEY_DWORDS + dword] = value;
      this.keysWrittenWhileEnabled += this.isEnabled[slot];
    } else if (dword === DW_CONFIG) {
      this.isEnabled[slot] = value >>> 31;
      this.unitBytes[slot] = this.unitOf(value);
    }
    return slot;
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

/**
 * The inline crypto engine itself: registers, key table, clock, power domain, self-test, and its place in the data path. It belongs to the storage host; what the kernel
 * may not do with it (write keys), the firmware does (`firmware.ts`).
 *
 * Modelled: bypass from power-on until the kernel enables the engine, keys lost with the power domain (or kept, as configured) but not with the clock, the
 * self-test after power-on, transfers that stream through at the engine's rate.
 * Not modelled: error interrupts, test bus, debug of streams; the engine's buffer (`@assume` it adds its latency and no more).
 *
 * @source inline-crypto.md 5.1, 5.3
 */
import type { AesEcbPort } from '../crypto/ports.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import { RegisterFile } from '../hosts/registers.ts';
import type { DetailLog } from '../trace/log.ts';
import { type IceConfig, SLOT_FACTOR, WRAPPED_KEY_BYTES } from './config.ts';
import { HwKeyManager } from './key-manager.ts';
import * as r from './registers.ts';

const KEY_BYTES = 64;
/** AES-256-XTS of the engine takes this unit of DUSIZE. */
const UNIT = 512;

export class IceEngine {
  readonly config: IceConfig;
  readonly registers: RegisterFile;
  readonly keyManager: HwKeyManager;
  clockOn = true;
  powered = true;
  /** Fault: the self-test never ends. */
  selfTestHangs = false;

  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly selfTestKind: number;
  /** Key table: entries of KEY_BYTES, and whether each holds a key. */
  private readonly keys: Uint8Array;
  private readonly loaded: Uint8Array;
  /** Entries whose key a fault has changed. */
  private readonly corrupted: Uint8Array;
  /** Up to when each direction of the data path is busy. */
  private readonly busyUntilNs = new Float64Array(2);

  constructor(engine: Engine, machine: Machine, config: IceConfig, log: DetailLog, aes: AesEcbPort) {
    this.engine = engine;
    this.machine = machine;
    this.config = config;
    const entries = config.slots * this.slotFactor;
    this.keys = new Uint8Array(entries * KEY_BYTES);
    this.loaded = new Uint8Array(entries);
    this.corrupted = new Uint8Array(entries);
    this.registers = new RegisterFile('ice', r.iceRegisters(config.slots), log, {
      resets: { VERSION: r.versionWord(config.useWrappedKeys, config.hwkm) },
    });
    this.keyManager = new HwKeyManager(aes, engine.stream('ice/hwkm'), WRAPPED_KEY_BYTES[config.hwkm]);
    this.selfTestKind = engine.register('ice.self-test', () => this.selfTestEnded());
  }

  /** Entries of the key table per slot. */
  get slotFactor(): number {
    return this.config.useWrappedKeys ? SLOT_FACTOR[this.config.hwkm] : 1;
  }

  // ------------------------------------------------------------------------------------------------ software's side

  /** The kernel writes a register; the CPU time is the caller's. Without clock or power that is a breach, and has no effect. */
  write(offset: number, value: number): void {
    if (!this.isReachable('written')) return;
    this.registers.write(offset, value);
    if (offset === r.ADVANCED_CONTROL) this.registers.set(r.BYPASS_STATUS, 0);
    this.updateKeyManager();
  }

  read(offset: number): number {
    return this.isReachable('read') ? this.registers.read(offset) : 0;
  }

  /** False, and reported, when somebody reaches for an engine that has no clock or no power. */
  isReachable(what: string): boolean {
    if (this.clockOn && this.powered) return true;
    this.machine.violate('ice-access', `the engine is ${what} without ${this.powered ? 'clock' : 'power'}`);
    return false;
  }

  /** Legacy mode takes raw keys; out of it the key manager takes wrapped ones. */
  get isInLegacyMode(): boolean {
    if (this.config.hwkm === 1) return (this.registers.get(r.TZ_KM_CTL) & r.TZ_KM_CTL_LEGACY_MODE) !== 0;
    return (this.registers.get(r.CONTROL) & r.CONTROL_LEGACY_MODE) !== 0;
  }

  private updateKeyManager(): void {
    const isReady = !this.isInLegacyMode && this.registers.get(r.BIST_STATUS) === 0;
    this.registers.set(r.TZ_KM_STATUS, isReady ? r.KM_READY[this.config.hwkm] : 0);
  }

  // ------------------------------------------------------------------------------------------------ the secure side

  /** Entry of a slot in the key table. */
  entryOf(slot: number): number {
    return slot * this.slotFactor;
  }

  get entries(): number {
    return this.loaded.length;
  }

  /** The firmware loads a key of 64 bytes into an entry. */
  loadKey(entry: number, key: Uint8Array): void {
    this.keys.set(key, entry * KEY_BYTES);
    this.loaded[entry] = 1;
    this.corrupted[entry] = 0;
  }

  /** The firmware empties an entry: its bytes are zero afterwards. */
  clearKey(entry: number): void {
    this.keys.fill(0, entry * KEY_BYTES, (entry + 1) * KEY_BYTES);
    this.loaded[entry] = 0;
    this.corrupted[entry] = 0;
    const slot = entry / this.slotFactor;
    if (Number.isInteger(slot)) this.setConfiguration(slot, 0);
  }

  /** CRYPTOCFG of a slot, as the firmware writes it. */
  setConfiguration(slot: number, word: number): void {
    this.registers.set(r.CRYPTOCFG + slot * r.CRYPTOCFG_STRIDE, word);
  }

  // ------------------------------------------------------------------------------------------------ clock, power, reset

  /** The power domain goes off: registers are lost, and the keys unless they are kept. */
  powerOff(): void {
    this.powered = false;
    if (!this.config.keepsKeysWithoutPower) this.loseKeys();
  }

  /** The power domain comes back: registers at reset, engine in bypass, self-test running. Kept slots stay configured. */
  powerOn(): void {
    const kept = this.config.keepsKeysWithoutPower ? this.configurations() : [];
    this.powered = true;
    this.registers.reset('power-on');
    kept.forEach((word, slot) => this.setConfiguration(slot, word));
    this.busyUntilNs.fill(0);
    this.registers.set(r.BIST_STATUS, r.BIST_RUNNING);
    if (!this.selfTestHangs) this.engine.after(this.config.selfTestNs, this.selfTestKind, 0);
  }

  /** All keys are gone, as in a reset of the engine. */
  loseKeys(): void {
    for (let entry = 0; entry < this.entries; entry++) this.clearKey(entry);
  }

  /** Fault: a bit of the key in a slot flips. */
  corrupt(slot: number): void {
    this.keys[this.entryOf(slot) * KEY_BYTES] ^= 1;
    this.corrupted[this.entryOf(slot)] = 1;
  }

  /** What a slot holds has been changed by a fault. */
  isCorrupt(slot: number): boolean {
    return this.corrupted[this.entryOf(slot)] !== 0;
  }

  /** Fault: the self-test runs, and never ends. */
  hangSelfTest(): void {
    this.selfTestHangs = true;
    this.registers.set(r.BIST_STATUS, r.BIST_RUNNING);
  }

  private configurations(): number[] {
    return Array.from({ length: this.config.slots }, (_, slot) =>
      this.registers.get(r.CRYPTOCFG + slot * r.CRYPTOCFG_STRIDE),
    );
  }

  private selfTestEnded(): void {
    this.registers.set(r.BIST_STATUS, 0);
    this.updateKeyManager();
  }

  // ------------------------------------------------------------------------------------------------ data path

  /** In bypass every transfer passes unchanged: from power-on until the kernel enables the engine. */
  get isBypassed(): boolean {
    return this.registers.get(r.BYPASS_STATUS) !== 0;
  }

  /** The 64 key bytes a transfer through `slot` is encrypted with (no copy); undefined when the slot is not enabled or has no key. */
  keyOf(slot: number): Uint8Array | undefined {
    const entry = this.entryOf(slot);
    if (this.dataUnitSizeOf(slot) === 0 || this.loaded[entry] === 0) return undefined;
    return this.keys.subarray(entry * KEY_BYTES, (entry + 1) * KEY_BYTES);
  }

  /** Data unit size that a slot is configured for, in bytes; 0 when it is not enabled. */
  dataUnitSizeOf(slot: number): number {
    const word = this.registers.get(r.CRYPTOCFG + slot * r.CRYPTOCFG_STRIDE);
    return (word & r.CFGE) === 0 ? 0 : (word & 0xff) * UNIT;
  }

  /**
   * A transfer of `sizeBytes` whose first byte reaches the engine at `startNs` and whose last would arrive at `endNs`: when the last byte leaves it. Directions (0 to the
   * medium, 1 from it) do not disturb each other; an engine at line rate adds its latency alone.
   */
  leaveNs(direction: number, sizeBytes: number, startNs: number, endNs: number): number {
    const { latencyNs, bytesPerUs } = this.config;
    if (bytesPerUs === Infinity) return endNs + latencyNs;
    const beginNs = Math.max(startNs, this.busyUntilNs[direction]);
    const doneNs = Math.max(endNs, beginNs + Math.ceil((sizeBytes * 1000) / bytesPerUs)); // bytes/µs → ns
    this.busyUntilNs[direction] = doneNs;
    return doneNs + latencyNs;
  }
}

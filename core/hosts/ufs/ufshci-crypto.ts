/**
 * Inline encryption in a UFS host controller's command path: whether an encrypted command may run, what the engine adds to its data phase, which commands use
 * which slot, and when keys are lost.
 *
 * Modelled: the checks at descriptor fetch and their OCS, engine errors with or without a fatal interrupt, loss of keys by reset and power state, accesses without clocks.
 * Not modelled here: the ciphers (data-phases.ts asks `engine.keyOf` and the slot columns for key and DUN). An engine error of a write strikes before its
 * first byte leaves (`@assume`), so that the medium never sees it (I-36).
 *
 * @source inline-crypto.md 3.5, 3.9 (decision order), 3.14
 */
import { cryptoSettings, type KeyLoss, type UfsCryptoSettings } from './crypto-config.ts';
import * as d from './descriptors.ts';
import * as prdt from './prdt-keys.ts';
import * as r from './registers.ts';
import { CMD_READ, CMD_WRITE, PLAIN, PRDT_KEYS } from './slots.ts';
import { CryptoConfigArray, type InlineEngine } from './ufshci-cryptocfg.ts';
import type { Ufshci } from './ufshci.ts';

/** What a slot is known to hold besides keys: nothing, or something that nobody wrote. */
export const HOLDS_NOTHING = -1;
export const HOLDS_GARBAGE = -2;

/** What the engine will do to a command. */
const FAILS = 1;
const FAILS_FATALLY = 2;

export class CryptoUnit {
  readonly settings: UfsCryptoSettings;
  readonly array: CryptoConfigArray;
  /** The controller's own array, unless another engine is connected. */
  engine: InlineEngine;
  /** Commands that passed the checks. */
  commands = 0;
  refused = 0;
  errors = 0;
  /** How often keys were lost. */
  losses = 0;
  /** Configuration writes that reached an engine without clocks, and did nothing (beside the breach that every such access is). */
  unclockedWrites = 0;
  /** The host's clocks run. */
  hasClocks = true;
  /** Fault hook: so many of the next encrypted commands meet an engine error; `failsFatally`: it is a fatal one (CEFES). */
  failNext = 0;
  failsFatally = false;
  /** Fault hook: so many of the next commands with a keyslot find it unusable (OCS 9). */
  refuseNext = 0;
  /** Fault hook: the keys are lost once more than the configuration says, when this happens next. */
  readonly loseNextOn: KeyLoss[] = [];
  /** Commands in progress by slot. */
  readonly inFlight: Int32Array;
  /** For accounting and checks only, as the driver binds requests to commands: the keyId that was programmed into each slot, or HOLDS_…. */
  readonly boundKey: Int32Array;
  /** Data unit size of the slot of each command as it was at the check, by tag. */
  readonly unitBytes: Int32Array;
  private readonly hci: Ufshci;
  private readonly fails: Uint8Array;

  constructor(hci: Ufshci) {
    this.hci = hci;
    this.settings = cryptoSettings(hci.config.crypto);
    this.array = new CryptoConfigArray(hci, this.settings);
    this.engine = this.array;
    this.inFlight = new Int32Array(this.settings.keyslots);
    this.boundKey = new Int32Array(this.settings.keyslots).fill(HOLDS_NOTHING);
    this.fails = new Uint8Array(hci.slots.count);
    this.unitBytes = new Int32Array(hci.slots.count);
  }

  // ------------------------------------------------------------------------------------------------ configuration

  /** Software writes a dword of the configuration array. */
  write(offset: number, value: number): void {
    if (!this.hasClocks) {
      this.unclockedWrites++;
      return;
    }
    if (!this.hci.registers.write(offset, value)) return;
    const slot = this.array.written(offset);
    if (slot < this.boundKey.length) this.boundKey[slot] = HOLDS_NOTHING;
  }

  /** Something happened that may cost the keys. */
  happened(what: KeyLoss): void {
    if (this.settings.engine === 'prdt') return;
    const planned = this.loseNextOn.indexOf(what);
    if (planned >= 0) this.loseNextOn.splice(planned, 1);
    if (planned >= 0 || this.settings.keysLostOn.includes(what)) this.loseKeys(what);
  }

  /** Every keyslot is empty from now on. `why` is for the log. */
  loseKeys(why: string): void {
    this.engine.loseKeys();
    this.boundKey.fill(HOLDS_NOTHING);
    this.losses++;
    if (this.hci.log.on) this.hci.log.event('ufshci', `crypto.keys_lost.${why}`, NaN, NaN);
  }

  /** Commands in progress are forgotten; what becomes of the keys `happened` says. */
  reset(): void {
    this.inFlight.fill(0);
    this.fails.fill(0);
    this.hci.slots.cci.fill(PLAIN);
    this.array.restart();
  }

  /** Fault: a slot's key changes under everybody's eyes. */
  corrupt(slot: number): void {
    this.engine.corrupt(slot);
    this.boundKey[slot] = HOLDS_GARBAGE;
  }

  /** CAP.CS and the general enable. */
  private get isOn(): boolean {
    const { keyslots, generalEnable } = this.settings;
    if (keyslots === 0) return false;
    return generalEnable === 'broken' || (this.hci.registers.get(r.HCE) & r.HCE_CGE) !== 0;
  }

  // ------------------------------------------------------------------------------------------------ commands

  /** A command with CE set: its OCS. Everything else about the descriptor is in order. */
  admit(tag: number, utrd: number): number {
    const { slots, memory, log } = this.hci;
    const command = slots.command[tag];
    if (command !== CMD_READ && command !== CMD_WRITE) return d.OCS_SUCCESS; // no data to encrypt
    const cci = memory.words[utrd] & 0xff;
    const unit = this.isOn && cci < this.settings.keyslots ? this.engine.dataUnitSizeOf(cci) : 0;
    if (unit === 0 || slots.bytes[tag] % unit !== 0 || this.isToRefuse()) {
      this.refused++;
      if (log.on) log.event('ufshci', 'crypto.refused', tag, cci);
      return d.OCS_INVALID_CRYPTO;
    }
    this.inFlight[cci]++;
    this.unitBytes[tag] = unit;
    slots.dunLow[tag] = memory.words[utrd + 1];
    slots.dunHigh[tag] = memory.words[utrd + 3];
    return this.start(tag, cci);
  }

  private isToRefuse(): boolean {
    if (this.refuseNext === 0) return false;
    this.refuseNext--;
    return true;
  }

  /** A command whose PRDT may carry keys: its OCS. */
  admitPrdt(tag: number, at: number, entries: number): number {
    const { slots, memory } = this.hci;
    const command = slots.command[tag];
    if ((command !== CMD_READ && command !== CMD_WRITE) || !prdt.hasKeys(memory.words, at)) return d.OCS_SUCCESS;
    if (slots.bytes[tag] !== entries * prdt.PRDT_DATA_UNIT) return d.OCS_INVALID_PRDT;
    slots.dunLow[tag] = prdt.ivWord(memory.words, at, 0);
    slots.dunHigh[tag] = prdt.ivWord(memory.words, at, 1);
    return this.start(tag, PRDT_KEYS);
  }

  private start(tag: number, cci: number): number {
    const { slots } = this.hci;
    slots.cci[tag] = cci;
    slots.inlineNs[tag] = 0;
    this.commands++;
    if (this.failNext === 0) return d.OCS_SUCCESS;
    this.failNext--;
    this.fails[tag] = this.failsFatally ? FAILS_FATALLY : FAILS;
    return slots.command[tag] === CMD_WRITE ? d.OCS_CRYPTO_ERROR : d.OCS_SUCCESS;
  }

  /** The engine errs in this command: none of its data reaches the other side (I-36). */
  hasFailed(tag: number): boolean {
    return this.fails[tag] !== 0;
  }

  /** A fault has changed what the slot of a command holds, whose key should be `keyId`. */
  isDamaged(cci: number, keyId: number): boolean {
    const { engine } = this;
    if (engine === this.array) return this.boundKey[cci] !== keyId;
    return engine.keyOf(cci) === undefined || engine.isCorrupt?.(cci) === true;
  }

  /** An encrypted command is over with `ocs`; returns the one it reports. */
  end(tag: number, ocs: number): number {
    const failure = this.fails[tag];
    this.release(tag);
    if (failure === 0 || (ocs !== d.OCS_SUCCESS && ocs !== d.OCS_CRYPTO_ERROR)) return ocs;
    this.errors++;
    if (failure === FAILS_FATALLY) this.hci.raise(r.IS_CEFES);
    return d.OCS_CRYPTO_ERROR;
  }

  /** An encrypted command is gone. */
  release(tag: number): void {
    const { cci } = this.hci.slots;
    if (cci[tag] < this.inFlight.length) this.inFlight[cci[tag]]--;
    cci[tag] = PLAIN;
    this.fails[tag] = 0;
  }

  /** When data of an encrypted command that is on the link from `startNs` to `endNs` has passed the engine too. */
  leaveNs(direction: number, tag: number, sizeBytes: number, startNs: number, endNs: number): number {
    const leftNs = this.engine.leaveNs(direction, sizeBytes, startNs, endNs);
    const { log, slots } = this.hci;
    if (log.on) log.span('inline', 'inline', endNs, leftNs, NaN, slots.ioOf(tag));
    return leftNs;
  }
}

/**
 * The driver operations by which a crypto profile uses the configuration array of a UFS host: what is written, in which order, and that the clocks run meanwhile.
 *
 * Order: dword 16 := 0 (the entry is out of use before its key changes), key dwords 0..15, dword 17, dword 16 with CFGE last. Evicting writes an all-zero entry in the
 * same order, so that the key is really gone.
 * Clocks are held around the writes. Submissions and evictions wait for them; a dispatcher of the `busy` generation, which must not sleep, asks for them and is told
 * -EBUSY (`@assume`: no kernel programs at dispatch).
 *
 * @kernel v6.12 drivers/ufs/core/ufshcd-crypto.c (facts); inline-crypto.md 3.6, 3.13
 */
import type { KeyTable } from '../../crypto/key.ts';
import { KEY_TYPE_RAW, MODE_AES_256_XTS } from '../../crypto/mode.ts';
import { type CryptoProfileOps, EBUSY, EIO, EOPNOTSUPP, OK, type OpOwner } from '../../crypto/profile/types.ts';
import { capabilityFor } from './crypto-config.ts';
import { HOLDS_NOTHING } from './ufshci-crypto.ts';
import { configOffset, configWord, DW_CONFIG, DW_VENDOR, KEY_DWORDS } from './ufshci-cryptocfg.ts';
import type { Ufshcd } from './ufshcd.ts';
import { HELD, SLEEPS } from './ufshcd-power.ts';

/** What the driver asks of a key. */
export type UfsKeys = Pick<KeyTable, 'bytes' | 'mode' | 'keyType' | 'dataUnitSize'>;

/** Register writes of one entry: dword 16 twice, sixteen key dwords, dword 17. */
const ENTRY_WRITES = KEY_DWORDS + 3;
/** Key dwords that are written before a torn programming stops. */
const TORN_DWORDS = 8;
const NONE = -1;

export class RegisterKeyslots implements CryptoProfileOps {
  /** Fault hook: how the next operations fail with -EIO: `refused` touches nothing, `torn` stops halfway through the key. */
  readonly failNext: ('refused' | 'torn')[] = [];
  /** Keys for which no capability entry was found. */
  unsupported = 0;
  private readonly hba: Ufshcd;
  private readonly keys: UfsKeys;
  private readonly heldKind: number;
  private readonly dueKind: number;
  private readonly clearedKind: number;
  private owner: OpOwner | undefined = undefined;
  // the operation in progress: a profile has one at a time
  private keyId = NONE;
  private slot = NONE;
  /** The entry to be written. */
  private readonly key = new Uint8Array(KEY_DWORDS * 4);
  private readonly keyWords = new DataView(this.key.buffer);
  private config = 0;

  constructor(hba: Ufshcd, keys: UfsKeys) {
    this.hba = hba;
    this.keys = keys;
    this.heldKind = hba.engine.register('ufshcd.keyslot-held', (x) => this.held(x));
    this.dueKind = hba.engine.register('ufshcd.keyslot-due', (x) => this.due(x));
    this.clearedKind = hba.engine.register('ufshcd.keyslots-cleared', (x) => {
      this.clearAllNow();
      hba.machine.ret(x);
    });
  }

  /** Hosts that save power and let their dispatchers sleep. */
  get maySleep(): boolean {
    const { clockGating, runtimePm } = this.hba.config;
    return clockGating.generation === 'blocking' && (clockGating.on || runtimePm.autosuspendNs > 0);
  }

  attach(owner: OpOwner): void {
    this.owner = owner;
  }

  keyslotProgram(x: number, keyId: number, slot: number): void {
    const { keys } = this;
    const isKnown = keys.mode[keyId] === MODE_AES_256_XTS && keys.keyType[keyId] === KEY_TYPE_RAW;
    const unit = keys.dataUnitSize(keyId);
    const capability = isKnown ? capabilityFor(this.hba.config.crypto.capabilities, unit) : NONE;
    if (capability === NONE) {
      this.unsupported++;
      this.owner?.opDone(x, EOPNOTSUPP);
      return;
    }
    this.key.set(keys.bytes(keyId));
    this.config = configWord(capability, unit);
    this.begin(x, keyId, slot);
  }

  keyslotEvict(x: number, _keyId: number, slot: number): void {
    this.config = 0;
    this.begin(x, NONE, slot);
  }

  private begin(x: number, keyId: number, slot: number): void {
    this.keyId = keyId;
    this.slot = slot;
    const { power, config } = this.hba;
    const mayWait = config.clockGating.generation === 'blocking' || power.hasResumed(x);
    const clocks = power.holdSync(x, this.heldKind, x, mayWait);
    if (clocks === HELD) this.held(x);
    else if (clocks !== SLEEPS) {
      power.hostBlocked = true; // the queues run as soon as the clocks do: later they may be off again
      this.end(x, EBUSY);
    }
  }

  /** The clocks run: the writes take their time, then they are there. */
  private held(x: number): void {
    const { machine, config } = this.hba;
    const costNs = config.crypto.programNs ?? ENTRY_WRITES * machine.costs.mmioWriteNs;
    machine.run(x, costNs, this.dueKind, x);
  }

  private due(x: number): void {
    const { hba, slot } = this;
    const { crypto } = hba.hci;
    if (crypto.inFlight[slot] > 0)
      hba.machine.violate('keyslot-in-use', `slot ${slot} is written under ${crypto.inFlight[slot]} commands`);
    const fault = this.failNext.shift();
    if (fault !== 'refused') this.writeEntry(fault === 'torn' ? TORN_DWORDS : KEY_DWORDS);
    const isWhole = fault === undefined;
    if (isWhole) crypto.boundKey[slot] = this.keyId === NONE ? HOLDS_NOTHING : this.keyId;
    hba.power.release();
    this.end(x, isWhole ? OK : EIO);
  }

  private end(x: number, status: number): void {
    this.key.fill(0);
    this.owner?.opDone(x, status);
  }

  /** The sequence; with fewer key dwords than there are it stops after them. */
  private writeEntry(keyDwords: number): void {
    const { hci } = this.hba;
    const { slot } = this;
    hci.write(configOffset(slot, DW_CONFIG), 0);
    for (let i = 0; i < keyDwords; i++) hci.write(configOffset(slot, i), this.keyWords.getUint32(4 * i, true));
    if (keyDwords < KEY_DWORDS) return;
    hci.write(configOffset(slot, DW_VENDOR), 0);
    hci.write(configOffset(slot, DW_CONFIG), this.config);
  }

  /** Evicts every slot, whatever it holds. Ends with `machine.ret(x)`. Context: a task. */
  clearAll(x: number): void {
    const { machine, config } = this.hba;
    const costNs = config.crypto.keyslots * ENTRY_WRITES * machine.costs.mmioWriteNs;
    machine.run(x, costNs, this.clearedKind, x);
  }

  /** The same before time starts. */
  clearAllNow(): void {
    this.config = 0;
    for (this.slot = 0; this.slot < this.hba.config.crypto.keyslots; this.slot++) this.writeEntry(KEY_DWORDS);
  }
}

/** Operations of a host whose keys travel in the PRDT: there is nothing to program, and nothing to evict. */
export const PRDT_OPS: CryptoProfileOps = {
  maySleep: false,
  attach: () => undefined,
  keyslotProgram: () => {
    throw new Error('ufshcd: a host without keyslots is told to program one');
  },
};

/** What a UFS host tells of its inline encryption: counters for the summary, slots for the inspector. */
import type { SlotState } from '../../crypto/profile/types.ts';
import type { Ufshcd } from './ufshcd.ts';

export interface UfsCryptoSnapshot {
  readonly engine: string;
  readonly slots: readonly {
    readonly slot: number;
    /** The key that the crypto profile has in the slot, -1 for none. */
    readonly keyId: number;
    readonly refs: number;
    readonly state: SlotState;
    /** Data unit size that the hardware uses the slot with; 0: it refuses the slot. */
    readonly dataUnitSize: number;
    /** Commands in the hardware that use it. */
    readonly inFlight: number;
  }[];
}

export function cryptoSnapshot(driver: Ufshcd): UfsCryptoSnapshot | undefined {
  const { crypto, hci } = driver;
  if (crypto === undefined) return undefined;
  const { table, hardware, slots } = crypto.profile;
  const stateOf = (slot: number): SlotState => {
    if (hardware.busy && hardware.slot === slot) return 'programming';
    return table.refs[slot] > 0 ? 'in_use' : 'idle';
  };
  return {
    engine: hci.crypto.settings.engine,
    slots: Array.from({ length: slots }, (_, slot) => ({
      slot,
      keyId: table.key[slot],
      refs: table.refs[slot],
      state: stateOf(slot),
      dataUnitSize: hci.crypto.engine.dataUnitSizeOf(slot),
      inFlight: hci.crypto.inFlight[slot],
    })),
  };
}

/** Empty for a host that does not encrypt. */
export function cryptoStatistics(driver: Ufshcd): Readonly<Record<string, number>> {
  const { crypto, hci } = driver;
  if (crypto === undefined) return {};
  return {
    inlineCommands: hci.crypto.commands,
    inlineRefused: hci.crypto.refused,
    inlineErrors: hci.crypto.errors,
    keyLosses: hci.crypto.losses,
    wrongKeyCommands: crypto.wrongKeys,
  };
}

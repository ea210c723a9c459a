/**
 * What a UFS host needs of Qualcomm's inline crypto engine, which is a room of its own (core/ice) and shared with eMMC: operations for the profile, its place in the data
 * path, and what the host tells it when it is enabled, suspended, resumed.
 *
 * @kernel v6.12 drivers/ufs/host/ufs-qcom.c (facts); inline-crypto.md 5.4
 */
import type { CryptoCapabilities } from '../../crypto/profile/capabilities.ts';
import type { CryptoProfileOps } from '../../crypto/profile/types.ts';
import type { InlineEngine } from './ufshci-cryptocfg.ts';

/** What the host does around programming and evicting: its clocks run. */
export interface HostClocks {
  /** `hold` may sleep. */
  readonly maySleep: boolean;
  /** Ends with `machine.ret(x)`. */
  hold(x: number): void;
  release(x: number): void;
}

export interface IcePort {
  readonly engine: InlineEngine & {
    clockOn: boolean;
    entryOf(slot: number): number;
    clearKey(entry: number): void;
  };
  readonly power: {
    /** Both end with `machine.ret(x)`. */
    enable(x: number): void;
    resume(x: number): void;
    suspend(): void;
    /** Enabled before time starts. */
    setUpNow(): void;
  };
  /** Calls of the secure monitor, whose effect is `kind(x)`; each ends with `machine.ret(x)`. */
  readonly monitor: { call(x: number, command: number, kind: number): void };
  operations(host: HostClocks): CryptoProfileOps;
  capabilities(maxDunBytes: number, dataUnitSizes: number): CryptoCapabilities;
}

/** Invalidate a key. @source inline-crypto.md 5.2 */
export const SCM_INVALIDATE_KEY = 0x03;

/**
 * What a crypto profile can do: modes with their data unit sizes, DUN width, kinds of keys; the support check of a config, and the view that sysfs gives
 * of it (`/sys/block/<disk>/queue/crypto/`).
 *
 * @kernel v6.12 block/blk-crypto-profile.c __blk_crypto_cfg_supported, blk_crypto_intersect_capabilities, block/blk-crypto-sysfs.c; inline-crypto.md 1.5, 1.10, 1.12
 */
import type { CryptoConfig } from '../key.ts';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MAX_IV_BYTES, modeById } from '../mode.ts';

export interface CryptoCapabilities {
  /** Widest DUN in bytes: 8 for UFS, 4 for CQHCI, 16 for Exynos FMP. */
  readonly maxDunBytes: number;
  /** Per mode (its sysfs name) the data unit sizes it works with, or-ed together: 512 and 4096 are 0x1200. */
  readonly modes: Readonly<Record<string, number>>;
  /** KEY_TYPE_* bits. */
  readonly keyTypes: number;
}

/** All data unit sizes or-ed: what a layered device starts from. @source block/blk-crypto-profile.c memset of modes_supported to 0xFF */
const ANY_DATA_UNIT_SIZE = 0xffffffff;

/** True when the hardware can do it natively; the order of the tests is that of the kernel and has no effect. */
export function supportsConfig(capabilities: CryptoCapabilities, config: CryptoConfig): boolean {
  const mode = modeById(config.mode);
  if (mode === undefined || ((capabilities.modes[mode.name] ?? 0) & config.dataUnitSize) === 0) return false;
  if (capabilities.maxDunBytes < config.dunBytes) return false;
  return (capabilities.keyTypes & config.keyType) !== 0;
}

/** A layered device can do what all its underlying devices can; without any, everything of `modes`. */
export function intersectCapabilities(
  modes: readonly string[],
  underlying: readonly CryptoCapabilities[],
): CryptoCapabilities {
  const common: Record<string, number> = {};
  for (const mode of modes) {
    let mask = ANY_DATA_UNIT_SIZE;
    for (const capabilities of underlying) mask = (mask & (capabilities.modes[mode] ?? 0)) >>> 0;
    if (mask !== 0) common[mode] = mask;
  }
  return {
    maxDunBytes: Math.min(MAX_IV_BYTES, ...underlying.map((u) => u.maxDunBytes)),
    modes: common,
    keyTypes: underlying.reduce((types, u) => types & u.keyTypes, KEY_TYPE_RAW | KEY_TYPE_HW_WRAPPED),
  };
}

/** True when a table with `next` may replace one with `now`: a device never loses a capability while it is used. */
export function hasCapabilitiesOf(next: CryptoCapabilities, now: CryptoCapabilities): boolean {
  for (const [mode, mask] of Object.entries(now.modes)) {
    if ((mask & ~(next.modes[mode] ?? 0)) !== 0) return false;
  }
  return next.maxDunBytes >= now.maxDunBytes && (now.keyTypes & ~next.keyTypes) === 0;
}

/** File name → content, as sysfs shows them. Files of modes and key types that are not supported do not exist. */
export function sysfsView(capabilities: CryptoCapabilities, slots: number): Readonly<Record<string, string>> {
  const files: Record<string, string> = {
    max_dun_bits: String(8 * capabilities.maxDunBytes),
    num_keyslots: String(slots),
  };
  for (const [mode, mask] of Object.entries(capabilities.modes)) {
    if (mask !== 0) files[`modes/${mode}`] = `0x${(mask >>> 0).toString(16)}`;
  }
  if ((capabilities.keyTypes & KEY_TYPE_RAW) !== 0) files.raw_keys = 'supported';
  if ((capabilities.keyTypes & KEY_TYPE_HW_WRAPPED) !== 0) files.hw_wrapped_keys = 'supported';
  return files;
}

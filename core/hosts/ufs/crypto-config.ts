/**
 * Inline encryption of a UFS host as configuration: which engine, its capability words, what it costs, when it forgets its keys; and the translation between
 * CRYPTOCAP words and what a crypto profile announces.
 *
 * Three kinds of engine: `registers` as the specification has it (keys in CRYPTOCFG), `ice` (Qualcomm: the same descriptors, keys through the secure monitor, core/ice), `prdt`
 * (Exynos: no keyslots, keys and IVs in 128-byte PRDT entries).
 *
 * @source inline-crypto.md 3.1, 3.5, 3.6, 3.14; peers-and-calibration.md C.9
 */
import { KEY_TYPE_RAW } from '../../crypto/mode.ts';
import type { CryptoCapabilities } from '../../crypto/profile/capabilities.ts';
import { PRDT_DATA_UNIT } from './prdt-keys.ts';

export { PRDT_DATA_UNIT };

export type UfsCryptoEngine = 'registers' | 'ice' | 'prdt';

/**
 * What makes the engine forget every key: the reset line of the host (`host-reset`), HCE going from 1 to 0 (`hce-disable`), hibern8 of the link in any way
 * (`hibernate`), runtime suspend (`runtime-suspend`). The driver restores keys in a host reset only.
 */
export type KeyLoss = 'host-reset' | 'hce-disable' | 'hibernate' | 'runtime-suspend';

/**
 * How the engine is switched on: `with-hce`, CGE in the write that enables the host (the kernel's way); `after-hce`, in a write of its own once the host is up (Intel);
 * `broken`, never: a host that is enabled with CGE does not come up, and its engine works without (quirk BROKEN_CRYPTO_ENABLE).
 */
export type GeneralEnable = 'with-hce' | 'after-hce' | 'broken';

export interface UfsCryptoConfig {
  /** CRYPTOCAP registers, as encoded words. */
  readonly capabilities: readonly number[];
  /** Configuration slots (CFGC + 1); 0: none (no crypto support, or `prdt`). */
  readonly keyslots: number;
  readonly engine?: UfsCryptoEngine;
  /** Writing one configuration, clocks held; default: 19 register writes of the machine. `registers` only. */
  readonly programNs?: number;
  /** Added to every encrypted transfer; with `ice`, the engine's own figure counts. */
  readonly latencyNs?: number;
  /** What the engine can stream; Infinity: the line rate, never the bottleneck. With `ice`, the engine's own figure counts. */
  readonly bytesPerUs?: number;
  readonly keysLostOn?: readonly KeyLoss[];
  readonly generalEnable?: GeneralEnable;
}

/** The same with every default filled in. */
export interface UfsCryptoSettings {
  readonly capabilities: readonly number[];
  readonly keyslots: number;
  readonly engine: UfsCryptoEngine;
  readonly programNs: number | undefined;
  readonly latencyNs: number;
  readonly bytesPerUs: number;
  readonly keysLostOn: readonly KeyLoss[];
  readonly generalEnable: GeneralEnable;
}

/** @source peers-and-calibration.md C.9: 0.5-2 µs fixed (assumed there), nothing per byte up to line rate */
const LATENCY_NS = 1_000;
/** @source inline-crypto.md 3.5: wiped by HCE 1→0 and by a platform reset; 5.3: ICE keeps keys as long as it has power */
const KEYS_LOST_ON: Readonly<Record<UfsCryptoEngine, readonly KeyLoss[]>> = {
  registers: ['host-reset', 'hce-disable'],
  ice: [],
  prdt: [],
};

export function cryptoSettings(config: UfsCryptoConfig): UfsCryptoSettings {
  const engine = config.engine ?? 'registers';
  return {
    capabilities: config.capabilities,
    keyslots: config.keyslots,
    engine,
    programNs: config.programNs,
    latencyNs: config.latencyNs ?? LATENCY_NS,
    bytesPerUs: config.bytesPerUs ?? Infinity,
    keysLostOn: config.keysLostOn ?? KEYS_LOST_ON[engine],
    generalEnable: config.generalEnable ?? 'with-hce',
  };
}

/** The host can encrypt at all. */
export function hasInlineCrypto(config: UfsCryptoConfig): boolean {
  return config.engine === 'prdt' || config.keyslots > 0;
}

/** Slots that fit between the configuration array and the queue configurations of this register map. */
const MOST_KEYSLOTS = 64;
/** Entries between CCAP and the next register. */
const MOST_CAPABILITIES = 127;

/** What cannot work, as sentences that name the field. */
export function cryptoProblems(config: UfsCryptoConfig): string[] {
  const { engine, keyslots, capabilities, latencyNs, bytesPerUs } = cryptoSettings(config);
  const problems: string[] = [];
  if (keyslots < 0 || keyslots > MOST_KEYSLOTS)
    problems.push(`crypto.keyslots: ${keyslots} is not in 0..${MOST_KEYSLOTS}`);
  if (capabilities.length > MOST_CAPABILITIES)
    problems.push(`crypto.capabilities: more than ${MOST_CAPABILITIES} entries`);
  if (engine === 'prdt' && keyslots !== 0) problems.push('crypto.keyslots: must be 0 when keys travel in the PRDT');
  if (latencyNs < 0) problems.push(`crypto.latencyNs: ${latencyNs} is negative`);
  if (!(bytesPerUs > 0)) problems.push(`crypto.bytesPerUs: ${bytesPerUs} is not positive`);
  return problems;
}

// ------------------------------------------------------------------------------------------------ CRYPTOCAP words

/** Algorithm and key size ids. @source inline-crypto.md 3.6 */
export const ALG_AES_XTS = 0;
export const KEY_SIZE_256 = 3;
/** Unit of DUSIZE and of the lowest bit of SDUSB. @source inline-crypto.md 3.6 */
export const DATA_UNIT = 512;
/** The only mode that Linux maps to a UFS capability. @source inline-crypto.md 1.2 */
export const UFS_MODE = 'AES-256-XTS';
/** Width of a DUN in a UTRD. @source inline-crypto.md 3.7 */
const UTRD_DUN_BYTES = 8;
/** Width of a DUN of the Exynos engine. @source inline-crypto.md 3.14 */
const PRDT_DUN_BYTES = 16;

/** Data unit sizes of a capability word, or-ed together. */
export function dataUnitSizesOf(capability: number): number {
  return ((capability >>> 8) & 0xff) * DATA_UNIT;
}

/** True for the capability that the kernel's AES-256-XTS maps to. */
function isAes256Xts(capability: number): boolean {
  return (capability & 0xff) === ALG_AES_XTS && ((capability >>> 16) & 0xff) === KEY_SIZE_256;
}

/** First capability for AES-256-XTS with this data unit size, or -1 (inline-crypto.md 3.6). */
export function capabilityFor(capabilities: readonly number[], dataUnitSize: number): number {
  return capabilities.findIndex((word) => isAes256Xts(word) && (dataUnitSizesOf(word) & dataUnitSize) !== 0);
}

/** What the crypto profile of such a host announces; entries that Linux does not know are skipped. */
export function profileCapabilities(config: UfsCryptoConfig): CryptoCapabilities {
  if (config.engine === 'prdt')
    return { maxDunBytes: PRDT_DUN_BYTES, modes: { [UFS_MODE]: PRDT_DATA_UNIT }, keyTypes: KEY_TYPE_RAW };
  const sizes = config.capabilities.filter(isAes256Xts).reduce((mask, word) => mask | dataUnitSizesOf(word), 0);
  return { maxDunBytes: UTRD_DUN_BYTES, modes: sizes === 0 ? {} : { [UFS_MODE]: sizes }, keyTypes: KEY_TYPE_RAW };
}

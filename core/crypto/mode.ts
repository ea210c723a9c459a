/**
 * The encryption modes of blk-crypto and the key types, as plain data: what a key must be long, how wide its IV is, what the mode is called.
 *
 * Mode numbers are the kernel's, so that they may stand in traces and in capability masks. Names: `name` is what sysfs and the experiment
 * definition say, `apiName` what the crypto API calls the same algorithm.
 *
 * @kernel v6.16 include/linux/blk-crypto.h (enum blk_crypto_mode_num, enum blk_crypto_key_type), block/blk-crypto.c (blk_crypto_modes)
 */

export const MODE_INVALID = 0;
export const MODE_AES_256_XTS = 1;
export const MODE_AES_128_CBC_ESSIV = 2;
export const MODE_ADIANTUM = 3;
export const MODE_SM4_XTS = 4;

/** Key types are bit flags: a profile says in one mask which it takes. */
export const KEY_TYPE_RAW = 1;
export const KEY_TYPE_HW_WRAPPED = 2;

/** Longest raw key. @kernel BLK_CRYPTO_MAX_RAW_KEY_SIZE */
export const MAX_RAW_KEY_BYTES = 64;
/** Longest hardware-wrapped key. @kernel BLK_CRYPTO_MAX_HW_WRAPPED_KEY_SIZE */
export const MAX_WRAPPED_KEY_BYTES = 128;
/** Longest IV, and so the width of a DUN. @kernel BLK_CRYPTO_MAX_IV_SIZE */
export const MAX_IV_BYTES = 32;

export interface CryptoMode {
  readonly id: number;
  readonly name: string;
  readonly apiName: string;
  readonly keyBytes: number;
  /** Shortest wrapped key that can carry the mode's strength. */
  readonly securityStrengthBytes: number;
  readonly ivBytes: number;
}

const mode = (
  id: number,
  name: string,
  apiName: string,
  keyBytes: number,
  securityStrengthBytes: number,
  ivBytes: number,
): CryptoMode => ({ id, name, apiName, keyBytes, securityStrengthBytes, ivBytes });

/** All modes, in the order of their numbers. @source the kernel's table `blk_crypto_modes`, every figure */
export const CRYPTO_MODES: readonly CryptoMode[] = [
  mode(MODE_AES_256_XTS, 'AES-256-XTS', 'xts(aes)', 64, 32, 16),
  mode(MODE_AES_128_CBC_ESSIV, 'AES-128-CBC-ESSIV', 'essiv(cbc(aes),sha256)', 16, 16, 16),
  mode(MODE_ADIANTUM, 'Adiantum', 'adiantum(xchacha12,aes)', 32, 32, 32),
  mode(MODE_SM4_XTS, 'SM4-XTS', 'xts(sm4)', 32, 16, 16),
];

/** The mode of that number, or undefined for `MODE_INVALID` and numbers nobody knows. */
export function modeById(id: number): CryptoMode | undefined {
  return CRYPTO_MODES.find((known) => known.id === id);
}

/** The mode of that sysfs name, upper and lower case as sysfs has it. */
export function modeByName(name: string): CryptoMode | undefined {
  return CRYPTO_MODES.find((known) => known.name === name);
}

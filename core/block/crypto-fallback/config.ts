/**
 * What the software fallback of blk-crypto is built from and what it counts: its slots, its pages, and what a cipher costs beyond the machine's AES-256-XTS.
 *
 * @kernel v6.16 block/blk-crypto-fallback.c; inline-crypto.md 1.9
 */
import { KEY_TYPE_RAW, MAX_IV_BYTES } from '../../crypto/mode.ts';
import type { ProfileConfig } from '../../crypto/profile/config.ts';

export interface FallbackConfig {
  /** CONFIG_BLK_INLINE_ENCRYPTION_FALLBACK; default true. */
  readonly enabled?: boolean;
  /** Module parameter num_keyslots. @source blk-crypto-fallback.c: default 100 */
  readonly slots?: number;
  /**
   * Bounce pages for the ciphertext of writes. @source blk-crypto-fallback.c: a pool of BIO_MAX_VECS (256), 32 before. `@assume` the pool is all there is: the
   * kernel asks the page allocator first and comes to the pool under memory pressure only.
   */
  readonly bouncePages?: number;
  /** Setting a key: two AES key schedules. `@assume` some 1,100 cycles. */
  readonly setKeyNs?: number;
}

export const DEFAULT_SLOTS = 100;
export const DEFAULT_BOUNCE_PAGES = 256;
export const DEFAULT_SET_KEY_NS = 500;
/** Most pages of one encrypted bio. @source include/linux/bio.h: BIO_MAX_VECS 256 */
export const MAX_BIO_PAGES = 256;
export const PAGE_BYTES = 4096;

/**
 * CPU time per byte as a multiple of AES-256-XTS. `@assume`: ESSIV has the CBC rate for both directions (calibration C.10: XTS is 1.5 to 2.5 times as fast);
 * Adiantum on a core with AES instructions three times as slow; SM4 without instructions of its own twelve times.
 */
export const MODE_FACTORS: Readonly<Record<string, number>> = {
  'AES-256-XTS': 1,
  'AES-128-CBC-ESSIV': 2,
  Adiantum: 3,
  'SM4-XTS': 12,
};

/** The fallback's own profile: every mode and data unit size, raw keys only. @source blk-crypto-fallback.c: max_dun_bytes_supported 32 */
export function profileConfigOf(config: FallbackConfig): ProfileConfig {
  const anySize = 0xffffffff;
  const modes = Object.fromEntries(Object.keys(MODE_FACTORS).map((name) => [name, anySize]));
  const slots = config.slots ?? DEFAULT_SLOTS;
  return { name: 'the crypto fallback', slots, maxDunBytes: MAX_IV_BYTES, keyTypes: KEY_TYPE_RAW, modes };
}

export interface FallbackCounters {
  /** Bios that took this path, and their bytes. */
  writes: number;
  reads: number;
  bytesEncrypted: number;
  bytesDecrypted: number;
  /** CPU time of the ciphers. */
  cipherNs: number;
  /** Submitters that slept for bounce pages. */
  pageWaits: number;
  /** Bios refused: fallback off, wrapped key, mode not started, part of a data unit, no data. */
  refused: number;
}

export function newFallbackCounters(): FallbackCounters {
  return {
    writes: 0,
    reads: 0,
    bytesEncrypted: 0,
    bytesDecrypted: 0,
    cipherNs: 0,
    pageWaits: 0,
    refused: 0,
  };
}

/**
 * What the trusted firmware does with the engine when the secure monitor calls it: load a key, invalidate it, and the operations on wrapped keys. Functions return the
 * firmware's answer (SCM_*), effects are in the engine.
 *
 * The calls name no engine: a chip is taken to have one that the kernel programs, shared by its UFS and eMMC hosts.
 *
 * @source inline-crypto.md 5.2, 5.3
 */
import type { IceEngine } from './engine.ts';
import { cryptocfgWord } from './registers.ts';
import { SCM_BAD_ARGUMENT, SCM_ERROR, SCM_OK } from './scm.ts';

/** Cipher numbers of the set-key call (not the index of a capability). @source inline-crypto.md 5.2 */
export const CIPHER_AES_256_XTS = 3;
const RAW_KEY_BYTES = 64;
const UNIT = 512;

/** Set key: `entry` of the key table, the buffer as the kernel filled it, cipher, data unit size in units of 512 bytes. */
export function setKey(ice: IceEngine, entry: number, buffer: Uint8Array, cipher: number, units: number): number {
  if (entry < 0 || entry >= ice.entries || cipher !== CIPHER_AES_256_XTS) return SCM_BAD_ARGUMENT;
  if (!ice.isReachable('given a key')) return SCM_ERROR;
  if (!ice.isInLegacyMode) {
    const key = ice.keyManager.inlineKey(buffer);
    if (key === undefined) return SCM_BAD_ARGUMENT;
    ice.loadKey(entry, key);
    return SCM_OK;
  }
  if (buffer.length !== RAW_KEY_BYTES) return SCM_BAD_ARGUMENT;
  ice.loadKey(entry, swapWords(buffer));
  ice.setConfiguration(entry, cryptocfgWord(units * UNIT));
  return SCM_OK;
}

/** Invalidate key. */
export function invalidateKey(ice: IceEngine, entry: number): number {
  if (entry < 0 || entry >= ice.entries) return SCM_BAD_ARGUMENT;
  if (!ice.isReachable('told to forget a key')) return SCM_ERROR;
  ice.clearKey(entry);
  return SCM_OK;
}

/** Reverses the bytes of every 32-bit word: the call takes keys as big-endian words. */
export function swapWords(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, i) => bytes[(i & ~3) | (3 - (i & 3))]);
}

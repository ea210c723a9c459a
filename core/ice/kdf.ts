/**
 * Key derivation as known hardware does it for wrapped keys: the counter mode of SP 800-108 over AES-256-CMAC.
 *
 * The labels are the hardware's secret; ours are our own (`@assume`), so derived keys differ from those of any real chip.
 *
 * @source NIST SP 800-38B (CMAC), NIST SP 800-108 section 4.1 (counter mode), inline-crypto.md 1.11
 */
import type { AesEcbPort, BlockCipher } from '../crypto/ports.ts';

const BLOCK = 16;
/** The polynomial of GF(2^128) that doubling reduces by. @source NIST SP 800-38B 5.3: R128 */
const R128 = 0x87;

/** AES-CMAC of `message` under a 16- or 32-byte key: 16 bytes. */
export function cmac(aes: AesEcbPort, key: Uint8Array, message: Uint8Array): Uint8Array {
  const cipher = aes.open(key);
  const subkey = doubled(encrypted(cipher, new Uint8Array(BLOCK)));
  const isWhole = message.length > 0 && message.length % BLOCK === 0;
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK));
  const padded = new Uint8Array(blocks * BLOCK);
  padded.set(message);
  if (!isWhole) padded[message.length] = 0x80;
  xorInto(padded.subarray(-BLOCK), isWhole ? subkey : doubled(subkey));
  let mac: Uint8Array = new Uint8Array(BLOCK);
  for (let i = 0; i < blocks; i++) {
    const block = mac.slice();
    xorInto(block, padded.subarray(i * BLOCK, (i + 1) * BLOCK));
    mac = encrypted(cipher, block);
  }
  cipher.wipe();
  return mac;
}

/** `bytes` of key material: CMAC(counter ‖ label ‖ 0 ‖ length in bits), counter and length as big-endian 32-bit words. */
export function deriveKey(aes: AesEcbPort, key: Uint8Array, label: string, bytes: number): Uint8Array {
  const output = new Uint8Array(Math.ceil(bytes / BLOCK) * BLOCK);
  const message = new Uint8Array(4 + label.length + 1 + 4);
  const view = new DataView(message.buffer);
  for (let i = 0; i < label.length; i++) message[4 + i] = label.charCodeAt(i);
  view.setUint32(message.length - 4, bytes * 8);
  for (let i = 0; i < output.length / BLOCK; i++) {
    view.setUint32(0, i + 1);
    output.set(cmac(aes, key, message), i * BLOCK);
  }
  return output.slice(0, bytes);
}

function encrypted(cipher: BlockCipher, block: Uint8Array): Uint8Array {
  return cipher.encrypt(block.slice());
}

function doubled(block: Uint8Array): Uint8Array {
  const out = new Uint8Array(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = (block[i] << 1) | (i + 1 < BLOCK ? block[i + 1] >> 7 : 0);
  if (block[0] >> 7 === 1) out[BLOCK - 1] ^= R128;
  return out;
}

function xorInto(to: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < to.length; i++) to[i] ^= other[i];
}

/**
 * The crypto ports over `node:crypto`, for every face alike.
 *
 * Only ciphers that Electron's BoringSSL has too: aes-128-ecb, aes-256-ecb, aes-128-cbc, sha256. A native context is made once per key and
 * direction and never finished: ECB has no state, and the state of CBC (the last ciphertext block) is XORed away with the next IV, which spares a
 * context per data unit. A few blocks (the tweak of one data unit, Adiantum's middle block) are not worth a native call and go through the AES in
 * TypeScript. Key bytes inside OpenSSL are out of reach: `wipe` forgets the contexts.
 */
import { createCipheriv, createDecipheriv, hash } from 'node:crypto';
import type { Cipheriv, Decipheriv } from 'node:crypto';
import { Aes } from '../../core/crypto/ciphers/aes.ts';
import type { BlockCipher, CbcEncryptor, CryptoPorts } from '../../core/crypto/ports.ts';

const BLOCK_BYTES = 16;
/** Up to here TypeScript is faster: a native call cost 0.6 µs before its first block, a block in TypeScript 0.12 µs. @assume both measured on one x86 machine */
const SHORT_BYTES = 4 * BLOCK_BYTES;

function ecbName(key: Uint8Array): string {
  if (key.length !== 16 && key.length !== 32) throw new RangeError(`an AES key has 16 or 32 bytes, not ${key.length}`);
  return `aes-${key.length * 8}-ecb`;
}

class NodeAesEcb implements BlockCipher {
  private readonly short: Aes;
  private encryptor: Cipheriv | undefined;
  private decryptor: Decipheriv | undefined;

  constructor(key: Uint8Array) {
    const name = ecbName(key);
    this.short = new Aes(key);
    this.encryptor = createCipheriv(name, key, null).setAutoPadding(false);
    this.decryptor = createDecipheriv(name, key, null).setAutoPadding(false);
  }

  encrypt(blocks: Uint8Array): Uint8Array {
    if (this.encryptor === undefined) throw new Error('an AES context is used after it was wiped');
    if (blocks.length <= SHORT_BYTES) return this.short.encrypt(blocks);
    return this.encryptor.update(blocks);
  }

  decrypt(blocks: Uint8Array): Uint8Array {
    if (this.decryptor === undefined) throw new Error('an AES context is used after it was wiped');
    if (blocks.length <= SHORT_BYTES) return this.short.decrypt(blocks);
    return this.decryptor.update(blocks);
  }

  wipe(): void {
    this.short.wipe();
    this.encryptor = undefined;
    this.decryptor = undefined;
  }
}

class NodeAesCbc implements CbcEncryptor {
  private encryptor: Cipheriv | undefined;
  /** What the context will XOR onto the next block: its last ciphertext block. */
  private readonly chained = new Uint8Array(BLOCK_BYTES);

  constructor(key: Uint8Array) {
    if (key.length !== BLOCK_BYTES) throw new RangeError(`an AES-128 key has 16 bytes, not ${key.length}`);
    this.encryptor = createCipheriv('aes-128-cbc', key, this.chained).setAutoPadding(false);
  }

  encrypt(iv: Uint8Array, data: Uint8Array): void {
    if (this.encryptor === undefined) throw new Error('an AES context is used after it was wiped');
    if (data.length === 0) return;
    for (let i = 0; i < BLOCK_BYTES; i++) data[i] ^= iv[i] ^ this.chained[i];
    const done = this.encryptor.update(data);
    data.set(done);
    this.chained.set(done.subarray(done.length - BLOCK_BYTES));
  }

  wipe(): void {
    this.encryptor = undefined;
    this.chained.fill(0);
  }
}

export const nodePorts: CryptoPorts = {
  aesEcb: { open: (key) => new NodeAesEcb(key) },
  aesCbc: { open: (key) => new NodeAesCbc(key) },
  sha256: { digest: (data) => hash('sha256', data, 'buffer') },
};

/**
 * The crypto ports fulfilled in TypeScript: for tests, and for a core that runs where nothing native is offered. About a tenth as fast.
 */
import type { BlockCipher, CbcEncryptor, CryptoPorts } from '../ports.ts';
import { Aes } from './aes.ts';
import { sha256 } from './sha256.ts';

/** CBC over any block cipher, a block at a time. */
class SoftwareCbc implements CbcEncryptor {
  private readonly cipher: BlockCipher;
  private readonly block = new Uint8Array(16);

  constructor(cipher: BlockCipher) {
    this.cipher = cipher;
  }

  encrypt(iv: Uint8Array, data: Uint8Array): void {
    let block: Uint8Array = this.block;
    block.set(iv);
    for (let at = 0; at < data.length; at += 16) {
      for (let i = 0; i < 16; i++) block[i] ^= data[at + i];
      block = this.cipher.encrypt(block);
      data.set(block, at);
    }
  }

  wipe(): void {
    this.cipher.wipe();
    this.block.fill(0);
  }
}

export const softwarePorts: CryptoPorts = {
  aesEcb: { open: (key) => new Aes(key) },
  aesCbc: { open: (key) => new SoftwareCbc(new Aes(key)) },
  sha256: { digest: sha256 },
};

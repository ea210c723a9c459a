/**
 * What the modes need from outside core: AES over many blocks at once, AES-CBC and SHA-256.
 *
 * The desktop application's runtime has no AES-XTS, so only ciphers that it does have are asked for: aes-128-ecb, aes-256-ecb, aes-128-cbc,
 * sha256. A context is opened once per key and used for every call, because setting up a native cipher costs more than a data unit does.
 * `ciphers/software-ports.ts` fulfils all of it in TypeScript.
 */

/** A block cipher with 16-byte blocks under one key, in ECB: blocks do not depend on each other. */
export interface BlockCipher {
  /**
   * Encrypts any number of whole blocks.
   * @returns the result: either a fresh array or `blocks` itself, overwritten; what `blocks` holds afterwards is undefined
   */
  encrypt(blocks: Uint8Array): Uint8Array;
  /** Decrypts; as `encrypt`. */
  decrypt(blocks: Uint8Array): Uint8Array;
  /** Overwrites what depends on the key, as far as the implementation can. The context is not used afterwards. */
  wipe(): void;
}

/** AES in CBC under one key, without padding. Only encryption: decryption is ECB with the blocks before XORed in. */
export interface CbcEncryptor {
  /** Encrypts whole blocks in place, chained from a 16-byte IV. */
  encrypt(iv: Uint8Array, data: Uint8Array): void;
  wipe(): void;
}

export interface AesEcbPort {
  /** @param key 16 or 32 bytes; copied or expanded, not kept */
  open(key: Uint8Array): BlockCipher;
}

export interface AesCbcPort {
  /** @param key 16 bytes */
  open(key: Uint8Array): CbcEncryptor;
}

export interface Sha256Port {
  /** @returns the 32 bytes of the digest */
  digest(data: Uint8Array): Uint8Array;
}

export interface CryptoPorts {
  readonly aesEcb: AesEcbPort;
  readonly aesCbc: AesCbcPort;
  readonly sha256: Sha256Port;
}

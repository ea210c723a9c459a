/**
 * The DUNs that a filesystem with fscrypt gives to the data of a file, by the kind of its policy: what upper layers feed into blk-crypto.
 *
 * Modelled: the four layouts, how wide their DUNs are (`dunBytes` of the key, and so which hosts can serve them), and where IV_INO_LBLK_32 wraps
 * inside a file. Not modelled: the derivation of keys and of the inode's hash; both are given. Names and nonces of files have no other use here.
 *
 * @kernel v6.12 fs/crypto/crypto.c (fscrypt_generate_iv), fs/crypto/inline_crypt.c (fscrypt_get_dun_bytes)
 */
import { dunOfIv } from './dun.ts';

export type IvLayout = 'per-file' | 'ino-lblk-64' | 'ino-lblk-32' | 'direct-key';

/** What of a file goes into its DUNs; a layout looks at one of the fields at most. */
export interface FileIdentity {
  /** Inode number, below 2^32 (IV_INO_LBLK_64 is refused on filesystems where it may be larger). */
  readonly inode: number;
  /** The inode number hashed with a key of the filesystem to 32 bits (IV_INO_LBLK_32). */
  readonly inodeHash: number;
  /** 16 bytes drawn when the file was made (DIRECT_KEY). */
  readonly nonce: Uint8Array;
}

const WORD_BITS = 32n;
const LIMB_BITS = 64n;

/** The DUN of data unit `index` of a file; for the LBLK layouts the index is below 2^32. */
export function dunOfFile(layout: IvLayout, file: FileIdentity, index: number): bigint {
  switch (layout) {
    case 'per-file':
      return BigInt(index);
    case 'ino-lblk-64':
      return (BigInt(file.inode) << WORD_BITS) | BigInt(index);
    case 'ino-lblk-32':
      return BigInt((file.inodeHash + index) % 2 ** 32);
    case 'direct-key':
      return BigInt(index) | (dunOfIv(file.nonce) << LIMB_BITS);
  }
}

/**
 * `dunBytes` of a key that serves the layout.
 * @param maxUnits data units of the largest file that the filesystem allows; counts for 'per-file' alone
 */
export function dunBytesOf(layout: IvLayout, maxUnits: number): number {
  switch (layout) {
    case 'per-file':
      return Math.max(1, Math.ceil(Math.log2(maxUnits) / 8));
    case 'ino-lblk-64':
      return 8;
    case 'ino-lblk-32':
      return 4;
    case 'direct-key':
      return 24; // @source fscrypt: 8 bytes of index, 16 of nonce
  }
}

/** Whether all files of a policy share one key: the layouts that tell files apart by DUN. */
export function sharesKey(layout: IvLayout): boolean {
  return layout !== 'per-file';
}

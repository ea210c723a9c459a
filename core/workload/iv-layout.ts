/**
 * Where data unit numbers (DUNs) come from: the IV layouts of file and disk encryption.
 *
 * Modelled: per-file numbering, the two layouts that put an inode number into the DUN so that one key serves a whole policy, and numbering by device block.
 * Not modelled: DIRECT_KEY (a 24-byte IV that no inline engine takes), the policy's derivation of keys.
 * `@assume` hashed inode numbers of IV_INO_LBLK_32 are drawn below the wrap by the size of the device, so that files wrap only where the definition asks for it (`inodeHash`).
 *
 * @kernel v6.12 fs/crypto/inline_crypt.c fscrypt_get_dun_bytes, drivers/md/dm-default-key (Android); inline-crypto.md 1.13
 */

/**
 * - `file-dun`: data unit index in the file; one key per file makes it unique (the default policy of fscrypt).
 * - `iv-ino-lblk-64`: inode number above bit 32, index below: one key per policy (UFS phones).
 * - `iv-ino-lblk-32`: hashed inode number plus index, in 32 bits: one key per policy (eMMC phones).
 * - `lba`: data unit index on the device: disk and metadata encryption.
 */
export type IvLayout = 'file-dun' | 'iv-ino-lblk-64' | 'iv-ino-lblk-32' | 'lba';

export const IV_LAYOUTS = ['file-dun', 'iv-ino-lblk-64', 'iv-ino-lblk-32', 'lba'] as const;

/** log2 of the largest file. @source ext4 and f2fs with 4 KiB blocks: 16 TiB */
const MAX_FILE_BITS = 44;

/** Bytes of DUN that a key of this layout asks for. */
export function dunBytesOf(layout: IvLayout, dataUnitSize: number, capacityBytes: number): number {
  switch (layout) {
    case 'file-dun':
      return Math.ceil((MAX_FILE_BITS - Math.log2(dataUnitSize)) / 8);
    case 'iv-ino-lblk-64':
      return 8;
    case 'iv-ino-lblk-32':
      return 4;
    case 'lba':
      return Math.max(1, Math.ceil(Math.log2(Math.ceil(capacityBytes / dataUnitSize)) / 8));
  }
}

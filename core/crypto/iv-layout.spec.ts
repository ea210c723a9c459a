import { describe, expect, it } from 'vitest';
import { incrementDun, isContiguous, ivOf, splitDun, unitsBeforeWrap } from './dun.ts';
import type { FileIdentity, IvLayout } from './iv-layout.ts';
import { dunBytesOf, dunOfFile, sharesKey } from './iv-layout.ts';

const FILE: FileIdentity = {
  inode: 0x1234,
  inodeHash: 0xfffffffe,
  nonce: Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i),
};
const LAYOUTS: IvLayout[] = ['per-file', 'ino-lblk-64', 'ino-lblk-32', 'direct-key'];

describe('what fscrypt feeds into blk-crypto (inline-crypto 1.13)', () => {
  it('per-file keys count data units from 0', () => {
    expect([0, 1, 2 ** 40].map((index) => dunOfFile('per-file', FILE, index))).toEqual([0n, 1n, 2n ** 40n]);
  });

  it('IV_INO_LBLK_64 has the index in the low and the inode in the high 32 bits', () => {
    expect(dunOfFile('ino-lblk-64', FILE, 7)).toBe(0x1234_0000_0007n);
    expect(splitDun(dunOfFile('ino-lblk-64', { ...FILE, inode: 2 ** 32 - 1 }, 2 ** 32 - 1))[0]).toBe(2n ** 64n - 1n);
  });

  it('IV_INO_LBLK_32 wraps inside a file, and a bio must stop there', () => {
    const duns = [0, 1, 2, 3].map((index) => dunOfFile('ino-lblk-32', FILE, index));
    expect(duns).toEqual([0xfffffffen, 0xffffffffn, 0n, 1n]);
    expect(isContiguous(duns[1], 4096, 12, duns[2])).toBe(false);
    expect(unitsBeforeWrap(duns[0], dunBytesOf('ino-lblk-32', 0), 256)).toBe(2);
  });

  it('DIRECT_KEY has the nonce behind eight bytes of index', () => {
    expect(Buffer.from(ivOf(dunOfFile('direct-key', FILE, 0x0102), 32)).toString('hex')).toBe(
      '0201000000000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf0000000000000000',
    );
  });

  it('fit or do not fit the 8 bytes of UFS and the 4 of CQHCI', () => {
    const fits = (width: number): IvLayout[] => LAYOUTS.filter((layout) => dunBytesOf(layout, 2 ** 32) <= width);
    expect(fits(8)).toEqual(['per-file', 'ino-lblk-64', 'ino-lblk-32']);
    expect(fits(4)).toEqual(['per-file', 'ino-lblk-32']);
    expect(dunBytesOf('per-file', 2 ** 32 + 1)).toBe(5);
    expect(dunBytesOf('per-file', 1)).toBe(1);
  });

  it('count on by one per data unit but for the wrap', () => {
    for (const layout of LAYOUTS) {
      const first = dunOfFile(layout, { ...FILE, inodeHash: 5 }, 100);
      expect(dunOfFile(layout, { ...FILE, inodeHash: 5 }, 164)).toBe(incrementDun(first, 64));
    }
  });

  it('share one key per policy but for per-file keys', () => {
    expect(LAYOUTS.filter(sharesKey)).toEqual(['ino-lblk-64', 'ino-lblk-32', 'direct-key']);
  });
});

/** Widths of data unit numbers (inline-crypto.md 1.13). */
import { describe, expect, it } from 'vitest';
import { dunBytesOf } from './iv-layout.ts';

describe('a data unit number needs', () => {
  const GIB = 2 ** 30;

  it('8 bytes with the inode in its upper half, 4 with a hashed one', () => {
    expect(dunBytesOf('iv-ino-lblk-64', 4096, GIB)).toBe(8);
    expect(dunBytesOf('iv-ino-lblk-32', 4096, GIB)).toBe(4);
  });

  it('enough bytes for the largest file: 4 with data units of 4 KiB, 5 with 512 bytes', () => {
    expect(dunBytesOf('file-dun', 4096, GIB)).toBe(4);
    expect(dunBytesOf('file-dun', 512, GIB)).toBe(5);
  });

  it('enough bytes for the last block of the device', () => {
    expect(dunBytesOf('lba', 4096, GIB)).toBe(3);
    expect(dunBytesOf('lba', 4096, 256 * 4096)).toBe(1);
    expect(dunBytesOf('lba', 4096, 257 * 4096)).toBe(2);
  });
});

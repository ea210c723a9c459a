import { describe, expect, it } from 'vitest';
import { Content } from './content.ts';

const filled = (content: Content, block: number, generation: number, words = 1024): Uint32Array => {
  const data = new Uint32Array(words).fill(0xdeadbeef);
  content.fill(data, block, generation);
  return data;
};

describe('content', () => {
  const content = new Content(5);

  it('is known again, and taken for no other block, generation or seed', () => {
    const data = filled(content, 2 ** 33 + 7, 12);
    expect(content.matches(data, 2 ** 33 + 7, 12)).toBe(true);
    expect(content.matches(data, 7, 12)).toBe(false);
    expect(content.matches(data, 2 ** 33 + 7, 13)).toBe(false);
    expect(new Content(6).matches(data, 2 ** 33 + 7, 12)).toBe(false);
    expect(new Content(5 + 2 ** 32).matches(data, 2 ** 33 + 7, 12)).toBe(false);
  });

  it('is broken by any changed bit, the last one too', () => {
    for (const word of [0, 1, 2, 3, 4, 500, 1023]) {
      const data = filled(content, 3, 4);
      data[word] ^= 0x8000_0000;
      expect(content.matches(data, 3, 4)).toBe(false);
    }
  });

  it('of generation 0 is zeros', () => {
    expect(filled(content, 3, 0).every((word) => word === 0)).toBe(true);
    expect(content.matches(new Uint32Array(128), 3, 0)).toBe(true);
    expect(content.matches(filled(content, 3, 1), 3, 0)).toBe(false);
  });

  it('shares no 16-byte block with other blocks and generations', () => {
    const seen = new Set<string>();
    for (let block = 0; block < 8; block++)
      for (let generation = 1; generation < 9; generation++) {
        const data = filled(content, block, generation, 128);
        for (let at = 0; at < 128; at += 4) seen.add(data.slice(at, at + 4).join());
      }
    expect(seen.size).toBe(8 * 8 * 32);
  });

  it('says of what it is', () => {
    expect(content.describe(filled(content, 9, 2))).toBe('write 2 of block 9');
    expect(content.describe(new Uint32Array(128))).toBe('zeros');
    expect(content.describe(new Uint32Array(128).fill(1))).toBe('garbage');
  });
});

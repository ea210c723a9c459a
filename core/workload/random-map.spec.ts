import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { RandomMap } from './random-map.ts';

function firstFree(visited: readonly boolean[], from: number): number {
  for (let i = 0; i < visited.length; i++) {
    const block = (from + i) % visited.length;
    if (!visited[block]) return block;
  }
  return -1;
}

describe('random map', () => {
  it.each([1, 2, 31, 32, 33, 63, 64, 1000, 1023, 1024, 1025, 32_768, 32_769])(
    'hands out every one of %i blocks exactly once',
    (blocks) => {
      const map = new RandomMap(blocks);
      const stream = new RandomStream(1, `map/${blocks}`);
      const seen = new Uint8Array(blocks);
      for (let i = 0; i < blocks; i++) {
        const block = map.nextFree(stream.below(blocks));
        expect(seen[block]).toBe(0);
        seen[block] = 1;
        map.visit(block);
      }
      expect(map.free).toBe(0);
      expect(map.nextFree(0)).toBe(-1);
    },
  );

  it('finds the next free block after the draw and wraps around, like a search block by block', () => {
    const blocks = 2_113;
    const map = new RandomMap(blocks);
    const stream = new RandomStream(7, 'map/search');
    const visited = Array.from({ length: blocks }, () => false);
    for (let i = 0; i < blocks; i++) {
      const from = stream.below(blocks);
      const block = map.nextFree(from);
      expect(block).toBe(firstFree(visited, from));
      visited[block] = true;
      map.visit(block);
    }
  });

  it('has every block free again after a reset', () => {
    const map = new RandomMap(100);
    for (let block = 0; block < 100; block++) map.visit(block);
    map.reset();
    expect(map.free).toBe(100);
    expect(map.nextFree(99)).toBe(99);
    expect(map.isVisited(0)).toBe(false);
  });

  it('never hands out a block beyond the end', () => {
    const map = new RandomMap(33);
    for (let block = 0; block < 33; block++) if (block !== 5) map.visit(block);
    expect(map.nextFree(32)).toBe(5);
  });
});

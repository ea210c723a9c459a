import { describe, expect, it } from 'vitest';
import { RandomStream } from './random.ts';
import { IntRing } from './ring.ts';

const contents = (ring: IntRing): number[] => Array.from({ length: ring.size }, (_, i) => ring.at(i));

describe('an integer ring', () => {
  it('agrees with an array over random operations at both ends, across growth', () => {
    const random = new RandomStream(1, 'ring');
    for (const capacity of [1, 3, 16]) {
      const ring = new IntRing(capacity);
      const model: number[] = [];
      for (let step = 0; step < 3000; step++) {
        const value = random.below(50) - 10;
        const choice = random.below(10);
        if (choice < 4) {
          ring.push(value);
          model.push(value);
        } else if (choice < 6) {
          ring.unshift(value);
          model.unshift(value);
        } else if (choice < 9) {
          if (model.length > 0) expect(ring.shift()).toBe(model.shift());
        } else {
          const at = model.indexOf(value);
          expect(ring.remove(value)).toBe(at >= 0);
          if (at >= 0) model.splice(at, 1);
        }
        if (step % 16 === 0) expect(contents(ring)).toEqual(model);
      }
    }
  });

  it('is empty and usable after clear', () => {
    const ring = new IntRing();
    for (let i = 0; i < 20; i++) ring.push(i);
    ring.clear();
    ring.push(7);
    expect(contents(ring)).toEqual([7]);
  });
});

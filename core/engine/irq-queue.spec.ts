import { describe, expect, it } from 'vitest';
import { IrqQueue } from './irq-queue.ts';
import { RandomStream } from './random.ts';

describe('the queue of an interrupt context', () => {
  it('agrees with an array over random operations, across growth', () => {
    const random = new RandomStream(1, 'irq-queue');
    const queue = new IrqQueue();
    const model: number[][] = [];
    for (let step = 0; step < 2000; step++) {
      if (model.length === 0 || random.below(100) < 55) {
        const item = [random.below(10_000), random.below(512), step];
        queue.push(item[0], item[1], item[2]);
        model.push(item);
      } else {
        expect([queue.costNs, queue.kind, queue.arg]).toEqual(model.shift());
        queue.drop();
      }
      expect(queue.size).toBe(model.length);
    }
    expect(model.length).toBeGreaterThan(100);
  });
});

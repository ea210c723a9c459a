import { describe, expect, it } from 'vitest';
import { EventHeap } from './heap.ts';
import { RandomStream } from './random.ts';

describe('the event heap', () => {
  it('returns events of one instant in the order in which they entered', () => {
    const heap = new EventHeap();
    for (let i = 0; i < 1000; i++) heap.push(5, i);
    expect(Array.from({ length: 1000 }, () => heap.pop())).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('agrees with a stably sorted list over random pushes and pops, across growth', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new RandomStream(seed, 'heap');
      const heap = new EventHeap(4);
      const model: { atNs: number; seq: number; payload: number }[] = [];
      for (let step = 0; step < 2000; step++) {
        if (model.length === 0 || random.below(100) < 55) {
          const atNs = random.below(seed % 2 === 0 ? 8 : 2 ** 45); // few or many equal times
          const seq = heap.push(atNs, step);
          model.push({ atNs, seq, payload: step });
        } else {
          model.sort((a, b) => a.atNs - b.atNs || a.seq - b.seq);
          const first = model.shift()!;
          expect(heap.peekAtNs()).toBe(first.atNs);
          expect(heap.pop()).toBe(first.payload);
          expect([heap.poppedAtNs, heap.poppedSeq]).toEqual([first.atNs, first.seq]);
        }
        expect(heap.size).toBe(model.length);
      }
    }
  });

  it('keeps a place in line that was taken before the event entered', () => {
    const heap = new EventHeap();
    const early = heap.takeSeq();
    heap.push(7, 2);
    heap.pushWithSeq(7, early, 1);
    expect([heap.pop(), heap.pop()]).toEqual([1, 2]);
  });

  it('says Infinity for the next time when it is empty', () => {
    const heap = new EventHeap();
    expect(heap.peekAtNs()).toBe(Infinity);
    heap.push(3, 0);
    heap.pop();
    expect([heap.size, heap.peekAtNs()]).toEqual([0, Infinity]);
  });
});

import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { EndSectorHash } from './end-sector-hash.ts';
import { RequestLists } from './request-lists.ts';
import { SectorIndex } from './sector-index.ts';

/** Requests of a naive list, sorted by sector, those of one sector in order of entry. */
interface Entry {
  readonly sector: number;
  readonly rq: number;
}

const firstFrom = (entries: readonly Entry[], sector: number): number =>
  entries.find((entry) => entry.sector >= sector)?.rq ?? -1;

describe('SectorIndex', () => {
  it('answers like a sorted list under random insertions and removals of up to 2048 requests', () => {
    const random = new RandomStream(1, 'sector-index');
    const index = new SectorIndex();
    let naive: Entry[] = [];
    const freeHandles = Array.from({ length: 2048 }, (_, rq) => rq);
    for (let step = 0; step < 6000; step++) {
      const mayInsert = freeHandles.length > 0 && (naive.length === 0 || random.below(100) < 60);
      if (mayInsert) {
        const entry = { sector: random.below(500) * 8, rq: freeHandles.splice(random.below(freeHandles.length), 1)[0] };
        index.insert(entry.sector, entry.rq);
        const behind = naive.findIndex((other) => other.sector > entry.sector);
        naive.splice(behind === -1 ? naive.length : behind, 0, entry);
      } else {
        const entry = naive[random.below(naive.length)];
        index.remove(entry.sector, entry.rq);
        naive = naive.filter((other) => other !== entry);
        freeHandles.push(entry.rq);
      }
      const probe = random.below(4100);
      expect(index.firstFrom(probe)).toBe(firstFrom(naive, probe));
      expect(index.size).toBe(naive.length);
    }
  });

  it('finds exact starts and neighbours, also among requests of one sector', () => {
    const index = new SectorIndex();
    for (const [rq, sector] of [80, 16, 80, 40].entries()) index.insert(sector, rq);
    expect(index.find(80)).toBe(0);
    expect(index.find(17)).toBe(-1);
    expect(index.latter(80, 0)).toBe(2);
    expect(index.former(80, 2)).toBe(0);
    expect(index.former(16, 1)).toBe(-1);
    expect(index.latter(80, 2)).toBe(-1);
  });

  it('refuses to remove what is not there', () => {
    const index = new SectorIndex();
    index.insert(8, 1);
    expect(() => index.remove(8, 2)).toThrow('request 2 is not sorted under sector 8');
  });
});

describe('RequestLists', () => {
  const contents = (lists: RequestLists, list: number): number[] => {
    const found: number[] = [];
    for (let rq = lists.first(list); rq !== -1; rq = lists.after(rq)) found.push(rq);
    return found;
  };

  it('keeps order through pushes at both ends, insertion and removal', () => {
    const lists = new RequestLists(2);
    lists.pushTail(0, 5);
    lists.pushTail(0, 200);
    lists.pushHead(0, 7);
    lists.insertAfter(0, 5, 9);
    expect(contents(lists, 0)).toEqual([7, 5, 9, 200]);
    lists.remove(5);
    lists.remove(5);
    lists.remove(200);
    expect(contents(lists, 0)).toEqual([7, 9]);
    expect(lists.last(0)).toBe(9);
    expect(lists.listOf(5)).toBe(-1);
  });

  it('splices one list behind another', () => {
    const lists = new RequestLists(2);
    for (const rq of [1, 2]) lists.pushTail(0, rq);
    for (const rq of [3, 4]) lists.pushTail(1, rq);
    lists.spliceTail(1, 0);
    expect(contents(lists, 0)).toEqual([1, 2, 3, 4]);
    expect(lists.isEmpty(1)).toBe(true);
    expect(lists.listOf(4)).toBe(0);
  });

  it('refuses a request that is on a list already', () => {
    const lists = new RequestLists(2);
    lists.pushTail(0, 3);
    expect(() => lists.pushTail(1, 3)).toThrow('request 3 is put on a second list');
  });
});

describe('EndSectorHash', () => {
  it('finds the newest request that ends at a sector, also beyond 32 bits', () => {
    const hash = new EndSectorHash();
    const far = 2 ** 40 + 8;
    hash.add(far, 1);
    hash.add(8, 2); // the same low 32 bits
    hash.add(far, 300);
    expect(hash.find(far)).toBe(300);
    hash.remove(300);
    expect(hash.find(far)).toBe(1);
    expect(hash.find(8)).toBe(2);
    hash.remove(1);
    expect(hash.find(far)).toBe(-1);
    expect(hash.has(1)).toBe(false);
    expect(hash.has(2)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { Waits, type WaitEdge } from './waits.ts';

function chainOf(...edges: WaitEdge[]): string[] {
  const waits = new Waits();
  // Two sources, as rooms are: the graph joins what they report.
  waits.register({ reportWaits: (add) => edges.slice(0, 1).forEach(add) });
  waits.register({ reportWaits: (add) => edges.slice(1).forEach(add) });
  return waits.chain();
}

const edge = (waiter: string, resource: string, ...holders: string[]): WaitEdge => ({ waiter, resource, holders });

describe('the wait-for graph', () => {
  it('is empty when nobody waits', () => {
    expect(new Waits().chain()).toEqual([]);
  });

  it('finds a cycle through rooms that do not know each other and shows nothing but the cycle', () => {
    expect(
      chainOf(
        edge('bio 7', 'tag of hctx 0', 'request 3'),
        edge('bio 12', 'tag of hctx 0', 'request 3', 'request 4'),
        edge('request 3', 'keyslot', 'request 4'),
        edge('request 4', 'bounce page', 'bio 12'),
      ),
    ).toEqual([
      'request 3 waits for keyslot, held by request 4',
      'request 4 waits for bounce page, held by bio 12',
      'bio 12 waits for tag of hctx 0, held by request 3 (and 1 more)',
      'cycle: back to request 3',
    ]);
  });

  it('finds a task that waits for itself', () => {
    expect(chainOf(edge('task a', 'mutex', 'task a'))).toEqual([
      'task a waits for mutex, held by task a',
      'cycle: back to task a',
    ]);
  });

  it('without a cycle shows the longest chain, to the one who waits for nothing known', () => {
    expect(
      chainOf(
        edge('bio 1', 'tag', 'request 9'),
        edge('bio 2', 'tag', 'request 8', 'request 5'),
        edge('request 5', 'keyslot', 'request 6'),
        edge('request 6', 'device', 'ufs device'),
      ),
    ).toEqual([
      'bio 2 waits for tag, held by request 5 (and 1 more)',
      'request 5 waits for keyslot, held by request 6',
      'request 6 waits for device, held by ufs device',
    ]);
  });

  it('says when a resource is held by nobody known', () => {
    expect(chainOf(edge('bio 1', 'mempool'))).toEqual(['bio 1 waits for mempool, held by nobody known']);
  });

  it('prefers the first reported among equals, so that equal runs report equal chains', () => {
    const edges = [edge('b', 'lock', 'x'), edge('a', 'lock', 'y')];
    expect(chainOf(...edges)).toEqual(['b waits for lock, held by x']);
    expect(chainOf(...edges)).toEqual(chainOf(...edges));
  });

  it('follows chains as long as there are bios', () => {
    const edges = Array.from({ length: 50_000 }, (_, i) => edge(`bio ${i}`, 'order', `bio ${i + 1}`));
    expect(chainOf(...edges)).toHaveLength(50_000);
    expect(chainOf(...edges, edge('bio 50000', 'order', 'bio 49990'))).toHaveLength(12);
  });
});

/** Order of jobs (blk-mq-and-formats.md 2.5.3 "stonewall", "wait_for", "startdelay"). */
import { describe, expect, it } from 'vitest';
import { StartOrder } from './starts.ts';
import { Bench, clones } from './testing.ts';

/** First submission and last completion of each clone (ns), by name. */
function spans(text: string): Record<string, { readonly from: number; readonly to: number }> {
  const bench = new Bench(text).run();
  expect(bench.problems()).toEqual([]);
  return Object.fromEntries(
    bench.workload.clones.map(({ name, index }) => {
      const ios = bench.of(index);
      return [
        name,
        { from: Math.min(...ios.map((io) => io.submitNs)), to: Math.max(...ios.map((io) => io.completeNs)) },
      ];
    }),
  );
}

describe('start of jobs', () => {
  it('is at once, together, without an option', () => {
    const { 'a.0': a, 'b.0': b } = spans('[a] rw=read size=64k [b] rw=read size=64k');
    expect(b.from).toBeLessThan(a.to);
  });

  it('waits at a stonewall for all clones of all jobs before it', () => {
    const s = spans(
      '[a] rw=read size=64k numjobs=2 [b] rw=read size=128k [c] stonewall=1 rw=read size=16k [d] rw=read size=16k',
    );
    const endOfFirst = Math.max(s['a.0'].to, s['a.1'].to, s['b.0'].to);
    expect(s['c.0'].from).toBeGreaterThanOrEqual(endOfFirst);
    expect(s['d.0'].from).toBeGreaterThanOrEqual(endOfFirst);
    expect(s['d.0'].from).toBeLessThan(s['c.0'].to);
  });

  it('waits at one stonewall after the other', () => {
    const s = spans('[a] rw=read size=16k [b] stonewall=1 rw=read size=16k [c] stonewall=1 rw=read size=16k');
    expect(s['b.0'].from).toBeGreaterThanOrEqual(s['a.0'].to);
    expect(s['c.0'].from).toBeGreaterThanOrEqual(s['b.0'].to);
  });

  it('does not wait at a stonewall of the first job', () => {
    expect(spans('[a] stonewall=1 rw=read size=16k [b] rw=read size=16k')['a.0'].from).toBeLessThan(1e6);
  });

  it('waits with wait_for for that job alone', () => {
    const s = spans('[a] rw=read size=16k [b] rw=read size=1m [c] wait_for=a rw=read size=16k');
    expect(s['c.0'].from).toBeGreaterThanOrEqual(s['a.0'].to);
    expect(s['c.0'].from).toBeLessThan(s['b.0'].to);
  });

  it('is delayed by startdelay, counted from when the job may start', () => {
    const s = spans('[a] rw=read size=16k startdelay=5ms [b] stonewall=1 rw=read size=16k startdelay=2ms');
    expect(s['a.0'].from).toBeGreaterThanOrEqual(5e6);
    expect(s['a.0'].from).toBeLessThan(5.1e6);
    expect(s['b.0'].from - s['a.0'].to).toBeGreaterThanOrEqual(2e6);
    expect(s['b.0'].from - s['a.0'].to).toBeLessThan(2.1e6);
  });

  it('is drawn for each clone from a range of startdelay', () => {
    const s = Object.values(spans('[a] rw=read size=4k numjobs=8 startdelay=1000-9000'));
    for (const { from } of s) {
      expect(from).toBeGreaterThanOrEqual(1e12);
      expect(from).toBeLessThan(9.001e12);
    }
    expect(new Set(s.map(({ from }) => from)).size).toBe(8);
  });

  it('costs no search over all clones, however many there are', () => {
    const many = clones('[a] rw=read size=4k numjobs=2000 [b] stonewall=1 rw=read size=4k');
    const order = new StartOrder(many);
    for (const clone of many.slice(0, 1999)) order.ended(clone);
    expect(order.mayStart(many[2000])).toBe(false);
    order.ended(many[1999]);
    expect(order.mayStart(many[2000])).toBe(true);
  });
});

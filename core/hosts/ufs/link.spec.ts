import { describe, expect, it } from 'vitest';
import { DOWN, Link, payloadBytesPerSecond, UP } from './link.ts';

describe('the link', () => {
  it.each([
    [1, 292],
    [2, 583],
    [3, 1166],
    [4, 2332],
    [5, 4664],
  ])('HS-G%i rate B with two lanes carries 90 %% of %i MB/s (peers-and-calibration.md C.6)', (gear, mbps) => {
    const rate = payloadBytesPerSecond({ gear, lanes: 2, rate: 'B' }) / 1e6;
    expect(Math.abs(rate / (0.9 * mbps) - 1)).toBeLessThan(0.002);
  });

  it('a second transfer in one direction waits for the first, the other direction does not', () => {
    const link = new Link({ gear: 4, lanes: 2, rate: 'B' }, 300);
    const took = link.transferNs(4096);
    expect(link.reserve(DOWN, 1, 4096, 1000)).toBe(1000 + took);
    expect(link.reserve(DOWN, 2, 4096, 1000)).toBe(1000 + 2 * took);
    expect(link.reserve(UP, 2, 4096, 1000)).toBe(1000 + took);
  });

  it('tells where an owner’s unbroken run began', () => {
    const link = new Link({ gear: 4, lanes: 2, rate: 'B' }, 300);
    const first = link.reserve(UP, 1, 4096, 0);
    link.reserve(UP, 1, 4096, 10); // queued behind its own
    expect(link.startNs).toBe(0);
    const other = link.reserve(UP, 2, 4096, first);
    expect(link.startNs).toBe(2 * first);
    link.reserve(UP, 2, 4096, other + 500);
    expect(link.startNs).toBe(other + 500);
  });

  it('a gear change holds for later transfers', () => {
    const link = new Link({ gear: 4, lanes: 2, rate: 'B' }, 300);
    const fast = link.transferNs(1 << 20);
    link.changeMode({ gear: 3, lanes: 2, rate: 'B' });
    expect(Math.abs(link.transferNs(1 << 20) - 2 * fast)).toBeLessThan(3);
  });
});

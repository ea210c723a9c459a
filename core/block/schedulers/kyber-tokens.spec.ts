import { describe, expect, it } from 'vitest';
import { DomainTokens } from './kyber-tokens.ts';

describe('DomainTokens', () => {
  it('hands out no more than the depth and makes a waiter of who comes too late', () => {
    const tokens = new DomainTokens(16, 2);
    const taken = Array.from({ length: 16 }, () => tokens.take(0));
    expect(new Set(taken).size).toBe(16);
    expect(tokens.isWaiter(0)).toBe(false);
    expect(tokens.take(0)).toBe(-1);
    expect(tokens.take(1)).toBe(-1);
    expect(tokens.waiters).toBe(2);
    expect(tokens.held).toBe(16);
  });

  it('wakes after depth / 8 tokens came back', () => {
    const tokens = new DomainTokens(16, 1);
    for (let i = 0; i < 16; i++) tokens.take(0);
    tokens.take(0);
    expect([tokens.put(3), tokens.put(4), tokens.put(5), tokens.put(6)]).toEqual([false, true, false, true]);
  });

  it('counts towards a wake-up only what comes back while somebody waits', () => {
    const tokens = new DomainTokens(16, 1);
    for (let i = 0; i < 16; i++) tokens.take(0);
    expect(tokens.put(0)).toBe(false);
    expect(tokens.take(0)).toBe(0);
    expect(tokens.take(0)).toBe(-1);
    expect(tokens.put(1)).toBe(false);
  });

  it('ends the waiting of a hardware queue that gets a token after all', () => {
    const tokens = new DomainTokens(1, 1);
    const token = tokens.take(0);
    tokens.take(0);
    expect(tokens.put(token)).toBe(true);
    expect(tokens.take(0)).toBe(0);
    expect(tokens.waiters).toBe(0);
  });

  it('clamps its depth to 1 … maximum, and lets tokens above a shrunk depth run out', () => {
    const tokens = new DomainTokens(8, 1);
    for (let i = 0; i < 8; i++) tokens.take(0);
    tokens.resize(2);
    expect(tokens.put(7)).toBe(false);
    expect(tokens.take(0)).toBe(-1);
    tokens.put(1);
    expect(tokens.take(0)).toBe(1);
    tokens.resize(0);
    expect(tokens.depth).toBe(1);
    tokens.resize(100);
    expect(tokens.depth).toBe(8);
  });
});

import { describe, expect, it } from 'vitest';
import { COSTS } from '../../engine/testing.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { NullKeyslots, type NullKeyslotsConfig } from './null-keyslots.ts';

const PROGRAM_NS = 15_000;

/** Programs key 7 into slot 0 and key 8 into slot 1, one after the other by one task from time 0; when each call came back, and the slots. */
function programTwo(programming: NullKeyslotsConfig['programming']): { backNs: number[]; keyslots: NullKeyslots } {
  const engine = new Engine(1);
  const machine = new Machine(engine, { ...COSTS, contextSwitchNs: 0, wakeNs: 0 }, 1);
  const keyslots = new NullKeyslots({ engine, machine }, { slots: 2, programNs: PROGRAM_NS, programming });
  const backNs: number[] = [];
  keyslots.attach({
    opDone: (x) => {
      backNs.push(engine.now);
      if (backNs.length === 1) keyslots.keyslotProgram(x, 8, 1);
      else machine.exit(x);
    },
  });
  const kind = engine.register('test.start', (x) => keyslots.keyslotProgram(x, 7, 0));
  machine.wake(-1, machine.createTask('writer', 0, kind));
  while (engine.runSlice(1000));
  return { backNs, keyslots };
}

describe('keyslots of the null device', () => {
  it.each(['spin', 'sleep'] as const)(
    '%s: programming takes its time, and the caller is back when the key is there',
    (how) => {
      const { backNs, keyslots } = programTwo(how);
      expect(backNs).toEqual([PROGRAM_NS, 2 * PROGRAM_NS]);
      expect([...keyslots.keyOf]).toEqual([7, 8]);
    },
  );

  it('post: the caller is back after a register write, and the keys come one after the other', () => {
    const { backNs, keyslots } = programTwo('post');
    expect(backNs).toEqual([COSTS.mmioWriteNs, 2 * COSTS.mmioWriteNs]);
    expect(keyslots.serviceFromNs(0)).toBe(PROGRAM_NS);
    expect(keyslots.serviceFromNs(1)).toBe(2 * PROGRAM_NS);
    expect(keyslots.maySleep).toBe(false);
  });
});

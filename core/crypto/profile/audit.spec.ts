/** What is reported when a law of slots is broken on purpose: by the audit of the tables, by the guards around driver operations, and at the end. */
import { describe, expect, it } from 'vitest';
import { NO_WAKER } from '../../engine/testing.ts';
import { auditProfile } from './audit.ts';
import { KeyslotRig, type Step, use } from './testing.ts';

const MS = 1_000_000;
const hold = (key: number): Step[] => use(key, 10 * MS);

/** A profile of `slots` slots with these keys held in the first of them, and what `breakIt` does to it at 1 ms. */
function broken(slots: number, keys: readonly number[], breakIt: (rig: KeyslotRig) => void): KeyslotRig {
  const rig = new KeyslotRig({ slots });
  keys.forEach((key, i) => rig.task(`holder ${key}`, i * 1_000, hold(key)));
  while (rig.engine.now < MS && rig.engine.runSlice(1, MS));
  expect([...rig.breaches, ...rig.machine.violations]).toEqual([]);
  breakIt(rig);
  return rig;
}

/** A task that programs a key into a slot of its choice, past the profile. */
function programPast(rig: KeyslotRig, keyId: number, slot: number): void {
  const { engine, machine, profile } = rig;
  const over = engine.register('test.programmed', () => {
    profile.hardware.dropLock(machine.current);
    machine.exit(machine.current);
  });
  const locked = engine.register('test.locked', (x) => profile.hardware.program(x, keyId, slot, over));
  const start = engine.register('test.past', () => {
    machine.pushReturn(machine.current, locked, machine.current);
    profile.hardware.takeLock(machine.current);
  });
  machine.wake(NO_WAKER, machine.createTask('intruder', 3, start));
  while (engine.now < 2 * MS && engine.runSlice(1, 2 * MS));
}

describe('a breach of the laws of slots is reported', () => {
  it('I-1: a slot that is programmed with another key while it is used', () => {
    const rig = broken(1, [1], (r) => programPast(r, 2, 0));
    expect(rig.machine.violations).toMatchObject([{ law: 'keyslot-in-use' }]);
  });

  it('I-2: more references than users, seen by who knows the users, and at the end', () => {
    const rig = broken(1, [1], ({ profile }) => profile.table.grab(0));
    rig.run();
    expect(rig.profile.checkEmpty()).toEqual(['crypto profile: slot 0 (key 1) has 1 references']);
  });

  it('I-3: a key in two slots', () => {
    const { profile } = broken(2, [1, 2], ({ profile: p }) => (p.table.key[1] = 1));
    expect(auditProfile(profile)).toContain('I-3: key 1 is in slots 0 and 1');
  });

  it('I-4: a slot on the idle list that somebody holds', () => {
    const { profile } = broken(2, [1], ({ profile: p }) => (p.table.refs[1] = 1));
    expect(auditProfile(profile)).toEqual(['I-4: slot 1 has 1 references and is on the idle list']);
  });

  it('I-6: a key that its slot has and the hash does not', () => {
    const { profile } = broken(2, [1], ({ profile: p }) => (p.table.key[0] = 2));
    expect(auditProfile(profile)).toEqual(['I-6: key 2 is in slot 0, found in -1']);
  });

  it('I-7: a slot whose key changes while it is held', () => {
    const rig = broken(1, [1], ({ profile }) => profile.setSlotKey(0, 9));
    rig.isIntact = false; // not I-30 is meant
    rig.run();
    expect(rig.breaches).toEqual(['I-7: slot 0 was got for key 1 and holds 9']);
  });

  it('I-10: a waiter that nobody wakes though a slot is idle', () => {
    const { profile } = broken(1, [1, 2], ({ profile: p }) => p.table.release(0));
    expect(auditProfile(profile)).toEqual([
      'I-10: a task sleeps for a keyslot though one is idle and nobody comes for it',
    ]);
  });

  it('I-12: a slot that is still in use when all is over', () => {
    const rig = new KeyslotRig({ slots: 2 });
    rig.task('task', 0, [{ do: 'get', key: 4 }]);
    rig.run();
    expect(rig.profile.checkEmpty()).toEqual(['crypto profile: slot 0 (key 4) has 1 references']);
    expect(rig.profile.table.idleSlots()).toEqual([1]);
  });

  it('I-30: a slot in use whose key in the hardware is another', () => {
    const rig = broken(1, [1], ({ scripted }) => (scripted.hardware[0] = 3));
    rig.run();
    expect(rig.breaches).toContain('I-30: slot 0 holds key 3, not 1');
  });

  it('I-55: an operation that begins while another is under way, or without the lock', () => {
    const rig = new KeyslotRig({ slots: 2 });
    rig.task('programmer', 0, use(1));
    rig.at(5_000, () => rig.profile.hardware.begin(rig.machine.softirqContext(0), 9, 1, -1, 'keyslot_program'));
    expect(() => rig.run()).toThrow('an operation ended that did not run'); // of the first one
    expect(rig.machine.violations.map((v) => v.what)).toEqual([
      'keyslot_program while another operation of lock of crypto profile is under way',
      'keyslot_program without the lock of crypto profile',
    ]);
  });
});

/** The keyslot laws that need a crowd: random tasks that get, hold, put, evict and restore at once, with every table looked at after every event. */
import { RandomStream } from '../../engine/random.ts';
import type { WakeUp } from './config.ts';
import type { KeyslotLaw } from './contract.ts';
import { same } from './contract-tools.ts';
import { KeyslotRig, type MakeDriver, type Step, use } from './testing.ts';
import { OK } from './types.ts';

const TASKS = 12;
/** Keys of one task alone, which it may evict, have numbers from here. */
const PRIVATE = 1_000;

function storm(driver: MakeDriver, seed: number, slots: number, wakeUp: WakeUp = 'one'): KeyslotRig {
  const r = new KeyslotRig({ slots, driver, config: { generation: { wakeUp } } });
  const random = new RandomStream(seed, 'keyslot-storm');
  for (let t = 0; t < TASKS; t++) {
    const steps: Step[] = [];
    for (let i = 0; i < 12; i++) {
      const dice = random.below(10);
      if (dice < 7) steps.push(...use(random.below(slots + 4), random.below(300_000)));
      else if (dice < 9) steps.push(...use(PRIVATE + t, random.below(50_000)), { do: 'evict', key: PRIVATE + t });
      else if (t === 0) steps.push({ do: 'restore' });
      else steps.push({ do: 'sleep', ns: random.below(500_000) });
    }
    r.task(`task ${t}`, random.below(1_000_000), steps);
  }
  return r.run();
}

export const STORM_LAWS: KeyslotLaw[] = [
  {
    name: 'I-30: in a crowd every slot in use has its key in the hardware, and the tables hold at every instant (I-1 to I-7, I-55)',
    check(driver) {
      for (const slots of [1, 3, 8]) {
        for (const wakeUp of ['one', 'all'] as const) {
          const r = storm(driver, slots, slots, wakeUp);
          same(r.problems(), [], `problems with ${slots} slots, waking ${wakeUp}`);
          same(r.outcomes.filter((o) => o.status !== OK).length, 0, `failures with ${slots} slots, waking ${wakeUp}`);
        }
      }
    },
  },
  {
    name: 'every get of a crowd is either a program or a hit',
    check(driver) {
      const r = storm(driver, 5, 3);
      const gets = r.outcomes.filter((o) => o.what === 'get').length;
      same(r.profile.counters.programs + r.profile.counters.hits, gets, 'programs and hits together');
    },
  },
  {
    name: 'I-12: after a crowd has ended every slot is idle and nobody sleeps',
    check(driver) {
      const r = storm(driver, 2, 4);
      same(r.profile.checkEmpty(), [], 'left');
      same(r.profile.table.idleSlots().length, 4, 'idle slots');
    },
  },
  {
    name: 'I-70: the same crowd gives the same outcomes at the same times',
    check(driver) {
      same(storm(driver, 3, 2).outcomes, storm(driver, 3, 2).outcomes, 'outcomes');
    },
  },
];

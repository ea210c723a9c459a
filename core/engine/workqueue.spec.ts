import { describe, expect, it } from 'vitest';
import { PHONE_A76 } from './costs/phone-a76.ts';
import type { MachineCosts } from './costs/costs.ts';
import { Engine } from './engine.ts';
import { Machine } from './machine.ts';
import { Workqueues } from './workqueue.ts';

/** Round numbers, so that expected times can be added up by eye. */
const COSTS: MachineCosts = {
  ...PHONE_A76.costs,
  idleStates: [],
  hardirqEntryNs: 10,
  softirqEntryNs: 10,
  contextSwitchNs: 100,
  wakeNs: 0,
  ipiSendNs: 0,
  ipiLatencyNs: 0,
  kworkerPickNs: 1,
  queueWorkNs: 0,
};

function bench(cpus = 2): {
  engine: Engine;
  machine: Machine;
  wqs: Workqueues;
  log: string[];
  /** A kind that burns `ns` and logs its start and end. */
  burner: (name: string, ns: number) => number;
  run: () => void;
} {
  const engine = new Engine(1);
  const machine = new Machine(engine, COSTS, cpus);
  const wqs = new Workqueues(engine, machine);
  const log: string[] = [];
  const burner = (name: string, ns: number): number => {
    const end = engine.register(`${name}.end`, (arg) => {
      log.push(`${engine.now} ${name}${arg} ends`);
    });
    return engine.register(name, (arg) => {
      log.push(`${engine.now} ${name}${arg} on ${machine.cpuOf(machine.current)} by ${machine.name(machine.current)}`);
      machine.run(machine.current, ns, end, arg);
    });
  };
  return { engine, machine, wqs, log, burner, run: () => engine.runSlice(1e6) };
}

describe('a bound work queue', () => {
  it('executes items of a CPU one after the other with one worker', () => {
    const { wqs, log, burner, run } = bench();
    const wq = wqs.create('events', { bound: true });
    const kind = burner('w', 1000);
    for (let i = 0; i < 3; i++) expect(wqs.queueWork(-1, wqs.createWork(wq, kind, i), 1)).toBe(true);
    run();
    expect(log).toEqual([
      '101 w0 on 1 by kworker/1:0',
      '1101 w0 ends',
      '1102 w1 on 1 by kworker/1:0',
      '2102 w1 ends',
      '2103 w2 on 1 by kworker/1:0',
      '3103 w2 ends',
    ]);
    expect(wqs.pools.workersCreated).toBe(1);
  });

  it('refuses to queue a pending item and takes it again once its handler has been called', () => {
    const { engine, wqs, run } = bench();
    const wq = wqs.create('events', { bound: true });
    const answers: boolean[] = [];
    let left = 3;
    const work: number = wqs.createWork(
      wq,
      engine.register('again', () => {
        if (left-- > 0) answers.push(wqs.queueWork(-1, work, 0), wqs.queueWork(-1, work, 0));
      }),
      0,
    );
    expect(wqs.queueWork(-1, work, 0)).toBe(true);
    expect(wqs.queueWork(-1, work, 0)).toBe(false);
    expect(wqs.isPending(work)).toBe(true);
    run();
    expect(answers).toEqual([true, false, true, false, true, false]);
    expect(wqs.isPending(work)).toBe(false);
    expect(wqs.worksExecuted).toBe(4);
  });
});

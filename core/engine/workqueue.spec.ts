import { describe, expect, it } from 'vitest';
import { PHONE_A76 } from './costs/phone-a76.ts';
import type { MachineCosts } from './costs/costs.ts';
import { Engine } from './engine.ts';
import { Machine } from './machine.ts';
import { Waits } from './waits.ts';
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

function bench(
  cpus = 2,
  costs: Partial<MachineCosts> = {},
): {
  engine: Engine;
  machine: Machine;
  wqs: Workqueues;
  log: string[];
  /** A kind that burns `ns` and logs its start and end. */
  burner: (name: string, ns: number) => number;
  run: () => void;
} {
  const engine = new Engine(1);
  const machine = new Machine(engine, { ...COSTS, ...costs }, cpus);
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

  it('runs items of different CPUs at the same time, each on its own', () => {
    const { wqs, log, burner, run } = bench();
    const wq = wqs.create('events', { bound: true });
    const kind = burner('w', 1000);
    for (const cpu of [0, 1]) wqs.queueWork(-1, wqs.createWork(wq, kind, cpu), cpu);
    run();
    expect(log.slice(0, 2)).toEqual(['101 w0 on 0 by kworker/0:0', '101 w1 on 1 by kworker/1:0']);
  });

  it('starts another worker when the running one sleeps, and lets only one go on when that one wakes (concurrency management)', () => {
    const { engine, machine, wqs, log, burner, run } = bench();
    const wq = wqs.create('events', { bound: true });
    const woken = burner('woken', 500);
    let sleeper = -1;
    const sleeps = engine.register('sleeps', (arg) => {
      sleeper = machine.current;
      log.push(`${engine.now} sleeps in ${machine.name(sleeper)}`);
      machine.sleep(sleeper, woken, arg);
    });
    const kind = burner('w', 1000);
    wqs.queueWork(-1, wqs.createWork(wq, sleeps, 0), 0);
    for (let i = 1; i <= 3; i++) wqs.queueWork(-1, wqs.createWork(wq, kind, i), 0);
    engine.at(
      700,
      engine.register('wake', () => {
        machine.wake(-1, sleeper);
      }),
      0,
    );
    run();
    expect(log).toEqual([
      '101 sleeps in kworker/0:0',
      '202 w1 on 0 by kworker/0:1',
      '1202 w1 ends', // the sleeper is runnable since 700 but does not run yet: it is not counted, so the other goes on
      '1203 w2 on 0 by kworker/0:1',
      '2203 w2 ends',
      '2204 w3 on 0 by kworker/0:1',
      '3204 w3 ends',
      '3304 woken0 on 0 by kworker/0:0',
      '3804 woken0 ends',
    ]);
    expect([wqs.pools.workersCreated, wqs.pools.sleepHandovers]).toEqual([2, 1]);
  });

  it('lets the worker that runs take all that is pending while others of its pool wait for the CPU', () => {
    const { engine, machine, wqs, log, burner, run } = bench(1);
    const wq = wqs.create('events', { bound: true });
    const woken = burner('woken', 1000);
    const sleepers: number[] = [];
    const sleeps = engine.register('sleeps', (arg) => {
      sleepers.push(machine.current);
      machine.sleep(machine.current, woken, arg);
    });
    const waker = engine.register('waker', () => {
      sleepers.forEach((x) => {
        machine.wake(machine.current, x);
      });
    });
    [sleeps, sleeps, waker].forEach((kind, i) => wqs.queueWork(-1, wqs.createWork(wq, kind, i), 0));
    const kind = burner('w', 1000);
    for (const i of [3, 4]) wqs.queueWork(-1, wqs.createWork(wq, kind, i), 0);
    run();
    expect(log.filter((line) => line.includes(' on '))).toEqual([
      '304 w3 on 0 by kworker/0:2',
      '1305 w4 on 0 by kworker/0:2',
      '2405 woken0 on 0 by kworker/0:0',
      '3505 woken1 on 0 by kworker/0:1',
    ]);
  });

  it('never runs the same item twice at once: queued again while it sleeps, it waits for its own worker', () => {
    const { engine, machine, wqs, log, run } = bench();
    const wq = wqs.create('events', { bound: true });
    let inside = 0;
    let executor = -1;
    const over = engine.register('over', () => {
      inside--;
      log.push(`${engine.now} over on ${machine.cpuOf(machine.current)}`);
    });
    const kind = engine.register('enter', () => {
      inside++;
      executor = machine.current;
      log.push(`${engine.now} enter on ${machine.cpuOf(machine.current)}, ${inside} inside`);
      machine.sleep(executor, over, 0);
    });
    const work = wqs.createWork(wq, kind, 0);
    wqs.queueWork(-1, work, 0);
    const at = (ns: number, what: () => void): void => {
      engine.at(ns, engine.register('at', what), 0);
    };
    at(300, () => expect(wqs.queueWork(-1, work, 1)).toBe(true)); // for another CPU, where it must not run now
    at(400, () => expect(wqs.isPending(work)).toBe(true));
    at(1000, () => {
      machine.wake(-1, executor);
    });
    at(3000, () => {
      machine.wake(-1, executor);
    });
    run();
    expect(log).toEqual(['101 enter on 0, 1 inside', '1100 over on 0', '1101 enter on 0, 1 inside', '3100 over on 0']);
    expect([wqs.worksExecuted, wqs.isPending(work), wqs.isExecuting(work)]).toEqual([2, false, false]);
  });

  it('charges the caller for queueing and, when a worker must be woken, for the wake', () => {
    const { engine, machine, wqs, burner, run } = bench(1, { queueWorkNs: 70, wakeNs: 5 });
    const work = wqs.createWork(wqs.create('q', { bound: true }), burner('w', 10), 0);
    const caller = machine.createTask(
      'caller',
      0,
      engine.register('caller', (x) => {
        wqs.queueWork(x, work, 0);
        wqs.queueWork(x, work, 0); // pending: free
        machine.exit(x);
      }),
    );
    machine.wake(-1, caller);
    run();
    const worker = 100 + 1 + 10;
    expect(machine.busyNs[2]).toBe(100 + 70 + 5 + worker);
  });
});

describe('max_active', () => {
  /** Highest number of items of `kind` inside at a time. */
  function concurrency(bound: boolean, maxActive: number, cpus: number): number {
    const { engine, machine, wqs, run } = bench(cpus);
    const wq = wqs.create('limited', { bound, maxActive });
    let inside = 0;
    let most = 0;
    const over = engine.register('over', () => {
      inside--;
    });
    const wake = engine.register('wake', (x) => {
      machine.wake(-1, x);
    });
    const kind = engine.register('enter', () => {
      most = Math.max(most, ++inside);
      engine.after(5000, wake, machine.current);
      machine.sleep(machine.current, over, 0);
    });
    for (let i = 0; i < 12; i++) wqs.queueWork(-1, wqs.createWork(wq, kind, i), i % cpus);
    run();
    expect(wqs.worksExecuted).toBe(12);
    expect(inside).toBe(0);
    return most;
  }

  it('limits items in execution per CPU of a bound queue, asleep ones included', () => {
    expect(concurrency(true, 1, 2)).toBe(2);
    expect(concurrency(true, 3, 2)).toBe(6);
    expect(concurrency(true, 256, 2)).toBe(12);
  });

  it('limits items in execution of an unbound queue in all', () => {
    expect(concurrency(false, 1, 4)).toBe(1);
    expect(concurrency(false, 3, 4)).toBe(3);
  });

  it('keeps the order of items that had to wait for it, and one queue does not hold up another', () => {
    const { wqs, log, burner, run } = bench(1);
    const ordered = wqs.create('ordered', { bound: true, maxActive: 1 });
    const other = wqs.create('other', { bound: true });
    const kind = burner('o', 10);
    for (let i = 0; i < 4; i++) wqs.queueWork(-1, wqs.createWork(ordered, kind, i), 0);
    wqs.queueWork(-1, wqs.createWork(other, burner('other', 10), 0), 0);
    run();
    expect(log.filter((line) => line.includes(' on ')).map((line) => line.split(' ')[1])).toEqual([
      'o0',
      'other0',
      'o1',
      'o2',
      'o3',
    ]);
  });

  it('that is exhausted shows in the wait-for graph', () => {
    const { engine, machine, wqs, run } = bench(1);
    const wq = wqs.create('kcryptd', { bound: true, maxActive: 1 });
    const kind = engine.register('stuck', () => {
      machine.sleep(machine.current, 0, 0);
    });
    for (const i of [0, 1]) wqs.queueWork(-1, wqs.createWork(wq, kind, i), 0);
    run();
    const waits = new Waits();
    waits.register(wqs);
    expect(waits.chain()).toEqual([
      'work stuck(1) of kcryptd waits for max_active of kcryptd, held by work stuck(0) of kcryptd',
      'work stuck(0) of kcryptd waits for its worker, held by kworker/0:0',
    ]);
  });
});

describe('a high-priority work queue', () => {
  it('has workers of its own that go before ordinary ones waiting for the CPU', () => {
    const { wqs, log, burner, run } = bench(1);
    const normal = wqs.create('normal', { bound: true });
    const high = wqs.create('high', { bound: true, highpri: true });
    const kind = burner('w', 100);
    wqs.queueWork(-1, wqs.createWork(normal, kind, 1), 0); // takes the idle CPU at once
    wqs.queueWork(-1, wqs.createWork(normal, kind, 2), 0);
    wqs.queueWork(-1, wqs.createWork(high, kind, 3), 0);
    run();
    expect(log.filter((line) => line.includes(' on '))).toEqual([
      '101 w1 on 0 by kworker/0:0',
      '202 w2 on 0 by kworker/0:0',
      '403 w3 on 0 by kworker/0:0H',
    ]);
  });
});

describe('an unbound work queue', () => {
  it('uses idle CPUs, one worker per item', () => {
    const { wqs, log, burner, run } = bench(3);
    const wq = wqs.create('u', { bound: false });
    const kind = burner('w', 1000);
    for (let i = 0; i < 3; i++) wqs.queueWork(-1, wqs.createWork(wq, kind, i), 0);
    run();
    // The first worker, once executing, has the next one started, and so on: one switch (100) and one pick (1) apart.
    expect(log.filter((line) => line.includes(' on '))).toEqual([
      '101 w0 on 0 by kworker/u:0',
      '202 w1 on 1 by kworker/u:1',
      '303 w2 on 2 by kworker/u:2',
    ]);
  });

  it('with every CPU busy goes to the one that the fewest tasks want', () => {
    const { engine, machine, wqs, log, burner, run } = bench(3);
    const done = engine.register('done', (x) => {
      machine.exit(x);
    });
    const busy = engine.register('busy', (x) => {
      machine.run(x, 5000, done, x);
    });
    for (const cpu of [0, 0, 1, 2, 2]) machine.wake(-1, machine.createTask(`busy/${cpu}`, cpu, busy));
    wqs.queueWork(-1, wqs.createWork(wqs.create('u', { bound: false }), burner('w', 10), 0), 0);
    run();
    expect(log[0]).toBe('5201 w0 on 1 by kworker/u:0');
  });

  it('lets a worker return to the CPU it ran on last while that is idle', () => {
    const { engine, wqs, log, burner, run } = bench(3);
    const wq = wqs.create('u', { bound: false });
    const work = wqs.createWork(wq, burner('w', 10), 0);
    const blocker = wqs.createWork(wqs.create('b', { bound: true }), burner('b', 500), 0);
    wqs.queueWork(-1, blocker, 0);
    wqs.queueWork(-1, work, 0);
    engine.at(
      10_000,
      engine.register('again', () => {
        wqs.queueWork(-1, work, 0);
      }),
      0,
    );
    run();
    expect(log.filter((line) => line.includes(' w0 on '))).toEqual([
      '101 w0 on 1 by kworker/u:0',
      '10101 w0 on 1 by kworker/u:0',
    ]);
  });
});

describe('delayed work', () => {
  const rig = (): ReturnType<typeof bench> & { work: number; at: (ns: number, what: () => void) => void } => {
    const b = bench();
    const work = b.wqs.createDelayedWork(b.wqs.create('events', { bound: true }), b.burner('w', 10), 0);
    return { ...b, work, at: (ns, what) => b.engine.at(ns, b.engine.register('at', what), 0) };
  };

  it('is queued by the timer softirq of its CPU after the delay', () => {
    const { wqs, machine, log, work, run } = rig();
    expect(wqs.queueDelayedWork(-1, work, 1, 1000)).toBe(true);
    expect(wqs.queueDelayedWork(-1, work, 1, 5)).toBe(false);
    expect(wqs.isPending(work)).toBe(true);
    run();
    // 1000 + interrupt 10 + softirq 10 + switch 100 + pick 1
    expect(log[0]).toBe('1121 w0 on 1 by kworker/1:0');
    expect([machine.interrupts, machine.softirqs]).toEqual([1, 1]);
  });

  it('with no delay is queued at once', () => {
    const { wqs, machine, log, work, run } = rig();
    wqs.queueDelayedWork(-1, work, 0, 0);
    run();
    expect([log[0], machine.interrupts]).toEqual(['101 w0 on 0 by kworker/0:0', 0]);
  });

  it('takes its new delay when modified, whether it was pending or not', () => {
    const { wqs, log, work, at, run } = rig();
    expect(wqs.modDelayedWork(-1, work, 0, 1000)).toBe(false);
    at(900, () => expect(wqs.modDelayedWork(-1, work, 0, 1000)).toBe(true));
    at(1800, () => expect(wqs.modDelayedWork(-1, work, 0, 50)).toBe(true));
    run();
    expect(log).toEqual(['1971 w0 on 0 by kworker/0:0', '1981 w0 ends']);
  });

  it('can be cancelled while its timer runs, while its softirq is on the way, and on the list of its pool', () => {
    for (const cancelNs of [500, 1005, 1015, 1100]) {
      const { wqs, engine, log, work, at, run } = rig();
      wqs.queueDelayedWork(-1, work, 0, 1000);
      at(cancelNs, () => {
        expect(wqs.cancelDelayedWork(work)).toBe(true);
        expect(wqs.isPending(work)).toBe(false);
        expect(wqs.cancelDelayedWork(work)).toBe(false);
      });
      run();
      expect(log, `cancelled at ${cancelNs}`).toEqual([]);
      expect(engine.isQuiet()).toBe(true);
      wqs.queueWork(-1, work, 0);
      run();
      expect(log).toHaveLength(2);
    }
  });

  it('cannot be cancelled any more once a worker has taken it, and leaves the counts of max_active right', () => {
    const { wqs, engine, log, burner, run } = bench(1, { kworkerPickNs: 50 });
    const wq = wqs.create('ordered', { bound: true, maxActive: 1 });
    const kind = burner('w', 10);
    const [first, second] = [0, 1].map((i) => wqs.createWork(wq, kind, i));
    const answers: boolean[] = [];
    wqs.queueWork(-1, first, 0);
    wqs.queueWork(-1, second, 0);
    engine.at(
      120, // taken at 100, executed at 150
      engine.register('cancel', () => {
        answers.push(wqs.isPending(first), wqs.cancelWork(first), wqs.queueWork(-1, first, 0));
      }),
      0,
    );
    run();
    expect(answers).toEqual([false, false, true]);
    expect(log.filter((line) => line.includes(' on ')).map((line) => line.split(' ')[1])).toEqual(['w0', 'w1', 'w0']);
    expect([wqs.worksQueued, wqs.worksExecuted]).toEqual([3, 3]);
  });

  it('cancelled behind max_active or in front of it lets the others through', () => {
    for (const victim of [0, 1]) {
      const { wqs, log, burner, run } = bench(1);
      const wq = wqs.create('ordered', { bound: true, maxActive: 1 });
      const kind = burner('w', 10);
      const works = [0, 1, 2].map((i) => wqs.createWork(wq, kind, i));
      for (const work of works) wqs.queueWork(-1, work, 0);
      expect(wqs.cancelWork(works[victim])).toBe(true);
      run();
      expect(log.filter((line) => line.includes(' on ')).map((line) => line.split(' ')[1])).toEqual(
        ['w0', 'w1', 'w2'].filter((_, i) => i !== victim),
      );
    }
  });
});

describe('a worker', () => {
  it('lets others run when an item queues itself again and again', () => {
    const { wqs, engine, machine, log, run } = bench(1);
    const wq = wqs.create('kblockd', { bound: true });
    let rounds = 0;
    const spin: number = engine.register('spin', () => {
      rounds++;
      if (log.length === 0) wqs.queueWork(machine.current, work, 0);
      machine.charge(machine.current, 1000);
    });
    const work = wqs.createWork(wq, spin, 0);
    const task = machine.createTask(
      'other',
      0,
      engine.register('other', (x) => {
        log.push(`ran at ${engine.now}`);
        machine.exit(x);
      }),
    );
    wqs.queueWork(-1, work, 0);
    engine.at(
      500,
      engine.register('wake', () => machine.wake(-1, task)),
      0,
    );
    run();
    expect(log).toHaveLength(1);
    const ranNs = Number(log[0].split(' ')[2]);
    expect(ranNs).toBeGreaterThanOrEqual(3_000_000);
    expect(ranNs).toBeLessThan(3_100_000);
    expect(rounds).toBeGreaterThan(1000);
  });
});

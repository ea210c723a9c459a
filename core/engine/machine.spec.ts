import { describe, expect, it } from 'vitest';
import type { IdleState } from './costs/costs.ts';
import { TASK_DEAD, TASK_RUNNABLE, TASK_SLEEPING } from './machine.ts';
import { NO_WAKER, Rig } from './testing.ts';

describe('tasks', () => {
  it('run after a context switch, one after the other in the order in which they were woken', () => {
    const rig = new Rig();
    rig.burner('a', 0, 1000);
    rig.burner('b', 0, 500);
    expect(rig.go()).toEqual(['100 a starts@a', '1100 a done@a', '1200 b starts@b', '1700 b done@b']);
    expect(rig.machine.contextSwitches).toBe(2);
  });

  it('on different CPUs run at the same time', () => {
    const rig = new Rig();
    rig.burner('a', 0, 1000);
    rig.burner('b', 1, 1000);
    expect(rig.go()).toEqual(['100 a starts@a', '100 b starts@b', '1100 a done@a', '1100 b done@b']);
  });

  it('that are urgent go before ordinary ones that wait, but not before the one that runs', () => {
    const rig = new Rig();
    rig.burner('running', 0, 1000);
    rig.burner('ordinary', 0, 10);
    const urgent = rig.machine.createTask('urgent', 0, rig.end('urgent runs'));
    rig.machine.setUrgent(urgent);
    rig.at(500, () => {
      rig.machine.wake(NO_WAKER, urgent);
    });
    expect(rig.go().slice(1)).toEqual([
      '1100 running done@running',
      '1200 urgent runs@urgent',
      '1300 ordinary starts@ordinary',
      '1310 ordinary done@ordinary',
    ]);
  });

  it('pay a context switch after the CPU idled, even if they were the last to run', () => {
    const rig = new Rig();
    const task = rig.machine.createTask(
      't',
      0,
      rig.kind('first', (x) => {
        rig.machine.sleep(x, rig.end('second'), 0);
      }),
    );
    rig.machine.wake(NO_WAKER, task);
    rig.at(1000, () => {
      rig.machine.wake(NO_WAKER, task);
    });
    expect(rig.go()).toEqual(['100 first@t', '1100 second@t']);
    expect(rig.machine.contextSwitches).toBe(2);
  });

  it('burn what they were charged with their next burst, or before they leave the CPU', () => {
    const rig = new Rig();
    const task = rig.machine.createTask(
      't',
      0,
      rig.kind('start', (x) => {
        rig.machine.charge(x, 30);
        rig.machine.run(
          x,
          50,
          rig.kind('middle', () => {
            rig.machine.charge(x, 70);
            rig.machine.sleep(x, rig.end('end'), 0);
          }),
          0,
        );
      }),
    );
    rig.machine.wake(NO_WAKER, task);
    rig.burner('next', 0, 1);
    rig.go();
    expect(rig.log).toEqual(['100 start@t', '180 middle@t', '350 next starts@next', '351 next done@next']);
  });

  it('know their states', () => {
    const rig = new Rig();
    const task = rig.burner('t', 0, 10);
    expect(rig.machine.taskState(task)).toBe(TASK_RUNNABLE);
    rig.go();
    expect(rig.machine.taskState(task)).toBe(TASK_DEAD);
    expect(rig.machine.taskState(rig.machine.createTask('new', 0, 0))).toBe(TASK_SLEEPING);
    rig.machine.wake(NO_WAKER, task);
    expect(rig.machine.taskState(task)).toBe(TASK_DEAD);
  });

  it('move to another CPU while they sleep, and only then', () => {
    const rig = new Rig();
    const task = rig.machine.createTask('t', 0, rig.end('runs'));
    rig.machine.migrate(task, 1);
    rig.machine.wake(NO_WAKER, task);
    expect(() => {
      rig.machine.migrate(task, 0);
    }).toThrow('moved while runnable');
    rig.go();
    expect(rig.machine.busyNs[3 * 1 + 2]).toBe(100);
  });

  it('number more than any column was made for at first', () => {
    const rig = new Rig();
    const done = rig.end('done');
    const start = rig.kind('start', (x) => {
      rig.machine.run(x, 1, done, 0);
    });
    for (let i = 0; i < 1000; i++) rig.machine.wake(NO_WAKER, rig.machine.createTask(`t${i}`, i % 2, start));
    expect(rig.go()).toHaveLength(2000);
    expect(rig.engine.now).toBe(500 * 101);
  });
});

describe('wake-up races', () => {
  const sleeper = (rig: Rig, trailingNs: number): number => {
    const task = rig.machine.createTask(
      's',
      0,
      rig.kind('sleeps', (x) => {
        rig.machine.charge(x, trailingNs);
        rig.machine.sleep(x, rig.end('again'), 0);
      }),
    );
    rig.machine.wake(NO_WAKER, task);
    return task;
  };

  it('a task that is woken while it burns its last charge goes on right after it, without a switch', () => {
    const rig = new Rig();
    const task = sleeper(rig, 50);
    rig.at(120, () => {
      rig.machine.wake(NO_WAKER, task);
      rig.machine.wake(NO_WAKER, task);
    });
    expect(rig.go()).toEqual(['100 sleeps@s', '150 again@s']);
    expect([rig.machine.contextSwitches, rig.machine.wakeups]).toEqual([1, 2]);
  });

  it('a task that is woken in the very handler in which it goes to sleep does not miss it', () => {
    const rig = new Rig();
    const task = rig.machine.createTask(
      's',
      0,
      rig.kind('sleeps', (x) => {
        rig.machine.sleep(x, rig.end('again'), 0);
        rig.machine.wake(NO_WAKER, x);
      }),
    );
    rig.machine.wake(NO_WAKER, task);
    expect(rig.go()).toEqual(['100 sleeps@s', '100 again@s']);
  });

  it('a task that is woken twice runs once', () => {
    const rig = new Rig();
    const task = sleeper(rig, 0);
    rig.at(500, () => {
      rig.machine.wake(NO_WAKER, task);
      rig.machine.wake(NO_WAKER, task);
    });
    expect(rig.go()).toEqual(['100 sleeps@s', '600 again@s']);
    expect(rig.machine.wakeups).toBe(2);
  });

  it('an interrupt that wakes the task it preempted on its way to sleep lets it finish first', () => {
    const rig = new Rig();
    const task = sleeper(rig, 50);
    const irq = rig.kind('irq', (x) => {
      rig.machine.wake(x, task);
    });
    rig.at(120, () => {
      rig.machine.raiseHardirq(0, 20, irq, 0);
    });
    // 120 + 10 entry + 20 handler, 3 charged for the wake, then the 30 that were left of the charge
    expect(rig.go()).toEqual(['100 sleeps@s', '150 irq@hardirq/0', '183 again@s']);
  });
});

describe('interrupts', () => {
  it('preempt a task, whose burst ends later by exactly as long', () => {
    const rig = new Rig();
    rig.burner('t', 0, 1000);
    rig.at(400, () => {
      rig.machine.raiseHardirq(0, 50, rig.kind('irq'), 0);
    });
    rig.at(700, () => {
      rig.machine.raiseHardirq(0, 7, rig.kind('irq'), 0);
    });
    expect(rig.go()).toEqual(['100 t starts@t', '460 irq@hardirq/0', '717 irq@hardirq/0', '1177 t done@t']);
    expect([...rig.machine.busyNs.subarray(0, 3)]).toEqual([77, 0, 1100]);
  });

  it('do not nest: the second waits for the first', () => {
    const rig = new Rig();
    rig.at(0, () => {
      rig.machine.raiseHardirq(0, 100, rig.kind('one'), 0);
    });
    rig.at(50, () => {
      rig.machine.raiseHardirq(0, 100, rig.kind('two'), 0);
    });
    expect(rig.go()).toEqual(['110 one@hardirq/0', '220 two@hardirq/0']);
    expect(rig.machine.interrupts).toBe(2);
  });

  it('that raise softirqs have them run afterwards, before any task, preempted by further interrupts', () => {
    const rig = new Rig();
    rig.burner('t', 0, 1000);
    const soft = rig.kind('soft');
    const irq = rig.kind('irq', () => {
      rig.machine.raiseSoftirq(0, 200, soft, 0);
    });
    rig.at(400, () => {
      rig.machine.raiseHardirq(0, 50, irq, 0);
    });
    rig.at(500, () => {
      rig.machine.raiseHardirq(0, 90, rig.kind('late'), 0);
    });
    // softirq from 460: 5 entry + 200; interrupted at 500 for 100
    expect(rig.go()).toEqual([
      '100 t starts@t',
      '460 irq@hardirq/0',
      '600 late@hardirq/0',
      '765 soft@softirq/0',
      '1465 t done@t',
    ]);
    expect([...rig.machine.busyNs.subarray(0, 3)]).toEqual([160, 205, 1100]);
  });

  it('may burn more in several bursts, and what they are charged at the end delays what comes next', () => {
    const rig = new Rig();
    const more = rig.kind('more', (x) => {
      rig.machine.charge(x, 33);
    });
    const irq = rig.kind('irq', (x) => {
      rig.machine.run(x, 40, more, 0);
    });
    rig.at(0, () => {
      rig.machine.raiseHardirq(0, 0, irq, 0);
      rig.machine.raiseHardirq(0, 0, rig.kind('next'), 0);
    });
    expect(rig.go()).toEqual(['10 irq@hardirq/0', '50 more@hardirq/0', '93 next@hardirq/0']);
  });

  it('between CPUs arrive after their latency, in order, in hardirq context of the target', () => {
    const rig = new Rig();
    const call = rig.kind('call');
    const second = rig.kind('second');
    rig.at(0, () => {
      rig.machine.raiseHardirq(
        0,
        0,
        rig.kind('sender', (x) => {
          rig.machine.sendIpi(x, 1, call, 0);
          rig.machine.sendIpi(x, 1, second, 0);
        }),
        0,
      );
    });
    // sent at 10; 40 latency, 10 entry, 20 handler; the second waits for the first
    expect(rig.go()).toEqual(['10 sender@hardirq/0', '80 call@hardirq/1', '110 second@hardirq/1']);
    expect(rig.machine.ipis).toBe(2);
    expect(rig.machine.busyNs[0]).toBe(10 + 2 * 2);
  });
});

describe('idle CPUs', () => {
  const states: IdleState[] = [
    { name: 'shallow', minResidencyNs: 1_000, exitNs: 200 },
    { name: 'deep', minResidencyNs: 10_000, exitNs: 5_000 },
  ];

  it('need the exit latency of the deepest state they have slept long enough for', () => {
    const rig = new Rig(1, { idleStates: states });
    const irq = rig.kind('irq');
    for (const atNs of [999, 3_000, 20_000]) {
      rig.at(atNs, () => {
        rig.machine.raiseHardirq(0, 0, irq, 0);
      });
    }
    // asleep for 999, for 1991 and for 16790 ns
    expect(rig.go()).toEqual(['1009 irq@hardirq/0', '3210 irq@hardirq/0', '25010 irq@hardirq/0']);
    expect(rig.machine.idleNs(0)).toBe(999 + (3_000 - 1_009) + (20_000 - 3_210));
    expect(rig.machine.idleExitNs(0)).toBe(200 + 5_000);
  });

  it('are woken for a task by an IPI from another CPU, which its sender pays for', () => {
    const rig = new Rig(2, { idleStates: states });
    const sleeper = rig.machine.createTask('sleeper', 1, rig.end('woken'));
    rig.at(5_000, () => {
      rig.machine.raiseHardirq(
        0,
        0,
        rig.kind('irq', (x) => {
          rig.machine.wake(x, sleeper);
        }),
        0,
      );
    });
    // CPU 0 up at 5200, handler at 5210; IPI 40, exit 200, switch 100
    expect(rig.go()).toEqual(['5210 irq@hardirq/0', '5550 woken@sleeper']);
    expect(rig.machine.busyNs[0]).toBe(10 + 3 + 2);
    expect(rig.machine.ipis).toBe(1);
  });

  it('are up sooner when a device interrupts them while that IPI is on its way', () => {
    const rig = new Rig(2, { idleStates: states });
    const sleeper = rig.machine.createTask('sleeper', 1, rig.end('woken'));
    const wake = rig.kind('wake', (x) => {
      rig.machine.wake(x, sleeper);
    });
    rig.at(5_000, () => {
      rig.machine.raiseHardirq(0, 0, wake, 0);
    });
    rig.at(5_230, () => {
      rig.machine.raiseHardirq(1, 0, rig.kind('device irq'), 0);
    });
    // signalled at 5230 instead of 5250; up at 5430
    expect(rig.go()).toEqual(['5210 wake@hardirq/0', '5440 device irq@hardirq/1', '5540 woken@sleeper']);
    expect(rig.machine.idleNs(1)).toBe(5_230 + (rig.engine.now - 5_540));
    expect(rig.machine.idleExitNs(1)).toBe(200);
  });

  it('take no IPI when the waker runs on them or when they are busy', () => {
    const rig = new Rig();
    const local = rig.machine.createTask('local', 0, rig.end('local runs'));
    const remote = rig.machine.createTask('remote', 1, rig.end('remote runs'));
    rig.burner('busy', 1, 1000);
    rig.at(300, () => {
      rig.machine.raiseHardirq(
        0,
        0,
        rig.kind('irq', (x) => {
          rig.machine.wake(x, local);
          rig.machine.wake(x, remote);
        }),
        0,
      );
    });
    rig.go();
    expect(rig.machine.ipis).toBe(0);
    expect(rig.log.slice(-2)).toEqual(['1100 busy done@busy', '1200 remote runs@remote']);
  });

  it('say that they are idle, and how many tasks want them', () => {
    const rig = new Rig();
    expect([rig.machine.isIdle(0), rig.machine.load(0)]).toEqual([true, 0]);
    rig.burner('a', 0, 10);
    rig.burner('b', 0, 10);
    expect([rig.machine.isIdle(0), rig.machine.load(0), rig.machine.runQueueLength(0)]).toEqual([false, 2, 1]);
    rig.go();
    expect([rig.machine.isIdle(0), rig.machine.load(0)]).toEqual([true, 0]);
  });
});

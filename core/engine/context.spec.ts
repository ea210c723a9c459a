import { describe, expect, it } from 'vitest';
import { NO_WAKER, Rig } from './testing.ts';

describe('the call stack of a context', () => {
  it('returns to the callers in reverse order', () => {
    const rig = new Rig();
    const machine = rig.machine;
    const outer = rig.end('outer');
    const inner = rig.kind('inner', (x) => {
      machine.ret(x);
    });
    const task = machine.createTask(
      't',
      0,
      rig.kind('start', (x) => {
        machine.pushReturn(x, outer, 0);
        machine.pushReturn(x, inner, 0);
        machine.run(
          x,
          10,
          rig.kind('work', () => {
            machine.ret(x);
          }),
          0,
        );
      }),
    );
    machine.wake(NO_WAKER, task);
    expect(rig.go()).toEqual(['100 start@t', '110 work@t', '110 inner@t', '110 outer@t']);
  });

  it('refuses to overflow and to return to nobody', () => {
    const { machine } = new Rig();
    expect(() => {
      machine.ret(0);
    }).toThrow('returns to nobody');
    expect(() => {
      for (let i = 0; i < 100; i++) machine.pushReturn(0, 0, 0);
    }).toThrow('call stack of hardirq/0 is full');
  });
});

describe('violations', () => {
  it('record sleeping in atomic context with its time and stop the run', () => {
    const rig = new Rig();
    rig.at(5, () => {
      rig.machine.raiseHardirq(
        0,
        0,
        rig.kind('irq', (x) => {
          rig.machine.sleep(x, 0, 0);
        }),
        0,
      );
    });
    expect(() => rig.go()).toThrow('sleep() in atomic context hardirq/0');
    expect(rig.machine.violations).toEqual([{ atNs: 15, law: 'atomic-sleep', what: 'sleep() in hardirq/0' }]);
  });

  it('record code that may sleep in atomic context but let the run go on', () => {
    const { machine } = new Rig();
    const task = machine.createTask('t', 0, 0);
    machine.assertMaySleep(task, 'kmalloc');
    machine.assertMaySleep(machine.softirqContext(1), 'mempool_alloc');
    expect(machine.violations).toEqual([
      { atNs: 0, law: 'atomic-sleep', what: 'mempool_alloc may sleep, called in softirq/1' },
    ]);
  });

  it('keep the first hundred', () => {
    const { machine } = new Rig();
    for (let i = 0; i < 150; i++) machine.violate('law', `${i}`);
    expect(machine.violations).toHaveLength(100);
    expect(machine.violations[99].what).toBe('99');
  });

  it('of the rules of this machine by its own rooms are errors', () => {
    const rig = new Rig();
    const { machine } = rig;
    expect(() => {
      machine.run(0, 1, 0, 0);
    }).toThrow('not executing');
    const twice = machine.createTask(
      'twice',
      0,
      rig.kind('twice', (x) => {
        machine.run(x, 1, 0, 0);
        machine.run(x, 1, 0, 0);
      }),
    );
    machine.wake(NO_WAKER, twice);
    expect(() => rig.go()).toThrow('continues twice');
    const other = new Rig();
    other.machine.wake(NO_WAKER, other.machine.createTask('lost', 0, other.kind('lost')));
    expect(() => other.go()).toThrow('returned without continuing');
  });
});

/**
 * Laws of the machine under a random mesh of tasks, interrupts, softirqs, IPIs and wake-ups: whatever is asked of it, every nanosecond of every CPU
 * is accounted for exactly once, and the same seed gives the same history.
 */
import { describe, expect, it } from 'vitest';
import { TraceHash } from '../trace/hash.ts';
import { PHONE_A76 } from './costs/phone-a76.ts';
import { SERVER_X86 } from './costs/server-x86.ts';
import { Engine } from './engine.ts';
import { Machine } from './machine.ts';
import type { RandomStream } from './random.ts';
import { Workqueues } from './workqueue.ts';

const CPUS = 3;
const TASKS = 12;

class Mesh {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly wqs: Workqueues;
  readonly hash = new TraceHash();
  /** CPU time asked for explicitly: bursts of tasks and irqs. */
  askedNs = 0;
  nested = 0;
  private readonly random: RandomStream;
  private readonly tasks: number[] = [];
  private readonly works: number[] = [];
  private readonly left: number[] = [];
  private readonly stepKind: number;
  private readonly irqKind: number;
  private readonly softKind: number;
  private readonly wakeKind: number;
  private readonly deviceKind: number;
  private depth = 0;

  constructor(seed: number, costs = SERVER_X86.costs) {
    this.engine = new Engine(seed);
    this.machine = new Machine(this.engine, costs, CPUS);
    this.wqs = new Workqueues(this.engine, this.machine);
    this.random = this.engine.stream('mesh');
    const observed = (label: string, then: (arg: number) => void): number =>
      this.engine.register(label, (arg) => {
        if (this.depth++ > 0) this.nested++;
        for (const n of [this.engine.now, arg, this.machine.current]) this.hash.add(n);
        this.hash.addText(label);
        then(arg);
        this.depth--;
      });
    this.stepKind = observed('step', (task) => {
      this.step(task);
    });
    this.irqKind = observed('irq', () => {
      this.disturb();
    });
    this.softKind = observed('soft', () => {
      this.machine.charge(this.machine.current, this.asked(this.random.below(50)));
      this.wakeSomebody();
    });
    this.wakeKind = observed('timeout', (task) => {
      this.machine.wake(-1, this.tasks[task]);
    });
    this.deviceKind = observed('device', (left) => {
      this.machine.raiseHardirq(this.random.below(CPUS), this.asked(this.random.below(500)), this.irqKind, left);
      if (left > 0) this.engine.after(this.random.below(30_000), this.deviceKind, left - 1);
    });
    const bound = this.wqs.create('bound', { bound: true, maxActive: 2 });
    const unbound = this.wqs.create('unbound', { bound: false, highpri: true });
    const workKind = observed('work', () => {
      const x = this.machine.current;
      if (this.random.below(2) === 0) this.machine.run(x, this.asked(this.random.below(3000)), this.softKind, 0);
    });
    for (let i = 0; i < 6; i++) this.works.push(this.wqs.createDelayedWork(i % 2 ? bound : unbound, workKind, i));
    for (let i = 0; i < TASKS; i++) {
      this.tasks.push(this.machine.createTask(`t${i}`, i % CPUS, this.stepKind, i));
      this.left.push(300);
      this.machine.wake(-1, this.tasks[i]);
    }
    this.engine.at(0, this.deviceKind, 400);
  }

  private asked(ns: number): number {
    this.askedNs += ns;
    return ns;
  }

  private wakeSomebody(): void {
    this.machine.wake(this.machine.current, this.tasks[this.random.below(TASKS)]);
  }

  private disturb(): void {
    const choice = this.random.below(5);
    const x = this.machine.current;
    const cpu = this.machine.cpuOf(x);
    if (choice === 0) this.machine.raiseSoftirq(cpu, this.asked(this.random.below(800)), this.softKind, 0);
    else if (choice === 1) this.machine.sendIpi(x, this.random.below(CPUS), this.softKind, 0);
    else if (choice === 2) this.wqs.queueWork(x, this.works[this.random.below(6)], this.random.below(CPUS));
    else if (choice === 3) {
      this.wqs.modDelayedWork(x, this.works[this.random.below(6)], this.random.below(CPUS), this.random.below(9000));
    } else this.wakeSomebody();
  }

  private step(task: number): void {
    const x = this.machine.current;
    this.disturb();
    if (--this.left[task] === 0) this.machine.exit(x);
    else if (this.random.below(3) === 0) {
      this.machine.sleep(x, this.stepKind, task);
      this.engine.after(this.random.below(20_000), this.wakeKind, task);
    } else this.machine.run(x, this.asked(this.random.below(2000)), this.stepKind, task);
  }

  run(): this {
    while (this.engine.runSlice(1000));
    return this;
  }
}

describe('a random mesh of tasks, irqs, IPIs, work items and wakes', () => {
  it('has the same history for the same seed, and another one for another', () => {
    const [a, again, b] = [new Mesh(1).run(), new Mesh(1).run(), new Mesh(2).run()];
    expect(a.engine.events).toBeGreaterThan(5_000);
    expect([again.hash.hex(), again.engine.events, again.engine.now]).toEqual([
      a.hash.hex(),
      a.engine.events,
      a.engine.now,
    ]);
    expect(b.hash.hex()).not.toBe(a.hash.hex());
  });

  it('has the same history in slices of any size', () => {
    const whole = new Mesh(3).run();
    const sliced = new Mesh(3);
    while (sliced.engine.runSlice(1, Infinity));
    expect(sliced.hash.hex()).toBe(whole.hash.hex());
  });

  it('accounts for every nanosecond of every CPU exactly once, at any moment', () => {
    for (const costs of [SERVER_X86.costs, PHONE_A76.costs]) {
      const mesh = new Mesh(4, costs);
      const { machine, engine } = mesh;
      let checks = 0;
      while (engine.runSlice(97)) {
        checks++;
        for (let cpu = 0; cpu < CPUS; cpu++) {
          expect(machine.busyUntilNow(cpu) + machine.idleNs(cpu) + machine.idleExitNs(cpu)).toBe(engine.now);
        }
      }
      expect(checks).toBeGreaterThan(50);
    }
  });

  it('burns exactly what was asked for, entries, switches, wakes and IPIs included', () => {
    for (let seed = 5; seed < 10; seed++) {
      const { machine, wqs, askedNs } = new Mesh(seed).run();
      const c = machine.costs;
      const busy = machine.busyNs.reduce((a, b) => a + b, 0);
      // An IPI that wakes an idle CPU costs its sender; one that calls a function is an interrupt with a handler besides.
      const resched = machine.ipis - machine.calls;
      const expected =
        askedNs +
        machine.interrupts * c.hardirqEntryNs +
        machine.softirqs * c.softirqEntryNs +
        machine.contextSwitches * c.contextSwitchNs +
        machine.calls * (c.ipiSendNs + c.ipiHandlerNs) +
        resched * c.ipiSendNs +
        wqs.worksExecuted * c.kworkerPickNs +
        wqs.worksQueued * c.queueWorkNs;
      const wakesPaid = busy - expected;
      expect(wakesPaid % c.wakeNs).toBe(0);
      expect(wakesPaid).toBeGreaterThan(0);
      expect(wakesPaid / c.wakeNs).toBeLessThanOrEqual(machine.wakeups);
    }
  });

  it('never runs a handler inside another one and leaves nothing pending', () => {
    const mesh = new Mesh(11).run();
    expect(mesh.nested).toBe(0);
    expect(mesh.engine.isQuiet()).toBe(true);
    for (let cpu = 0; cpu < CPUS; cpu++) {
      expect([mesh.machine.isIdle(cpu), mesh.machine.load(cpu)]).toEqual([true, 0]);
    }
    expect(mesh.machine.violations).toEqual([]);
  });
});

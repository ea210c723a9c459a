/** What the specs of the machine share: costs that can be added up by eye, and a machine whose handlers keep a log. */
import type { MachineCosts } from './costs/costs.ts';
import { PHONE_A76 } from './costs/phone-a76.ts';
import { Engine } from './engine.ts';
import { Machine } from './machine.ts';

/** Round numbers, so that expected times can be added up by eye. */
export const COSTS: MachineCosts = {
  ...PHONE_A76.costs,
  idleStates: [],
  hardirqEntryNs: 10,
  softirqEntryNs: 5,
  contextSwitchNs: 100,
  wakeNs: 3,
  ipiSendNs: 2,
  ipiLatencyNs: 40,
  ipiHandlerNs: 20,
};

/** `fromX` of a wake that nobody pays for. */
export const NO_WAKER = -1;

/** A machine with a log, and handlers given as functions of the executing context. */
export class Rig {
  readonly engine = new Engine(1);
  readonly machine: Machine;
  readonly log: string[] = [];
  private readonly kinds = new Map<string, number>();

  constructor(cpus = 2, costs: Partial<MachineCosts> = {}) {
    this.machine = new Machine(this.engine, { ...COSTS, ...costs }, cpus);
  }

  /** A kind that logs `time name@context` and then does `then`. */
  kind(name: string, then: (x: number) => void = () => undefined): number {
    const known = this.kinds.get(name);
    if (known !== undefined) return known;
    const kind = this.engine.register(name, () => {
      const x = this.machine.current;
      this.log.push(`${this.engine.now} ${name}@${x < 0 ? 'device' : this.machine.name(x)}`);
      then(x);
    });
    this.kinds.set(name, kind);
    return kind;
  }

  /** A kind that ends the task. */
  end(name: string): number {
    return this.kind(name, (x) => {
      this.machine.exit(x);
    });
  }

  /** A task that burns `ns` and ends, woken at once. */
  burner(name: string, cpu: number, ns: number): number {
    const done = this.end(`${name} done`);
    const task = this.machine.createTask(
      name,
      cpu,
      this.kind(`${name} starts`, (x) => {
        this.machine.run(x, ns, done, 0);
      }),
    );
    this.machine.wake(NO_WAKER, task);
    return task;
  }

  at(atNs: number, what: () => void): void {
    this.engine.at(atNs, this.engine.register('device', what), 0);
  }

  go(): string[] {
    this.engine.runSlice(100_000);
    return this.log;
  }
}

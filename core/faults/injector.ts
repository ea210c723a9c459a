/**
 * Carries out a fault plan: timers for what is due at a time, counting for what strikes an operation, and the record of what struck.
 *
 * Operations are listened to only while a fault waits for one. A fault that is still to come keeps a run alive that would otherwise be quiet (it may well be the
 * reset that rescues it); the end of the jobs ends the run whatever is still planned.
 */
import type { Engine } from '../engine/engine.ts';
import type { DetailLog } from '../trace/log.ts';
import { FAULT_KINDS } from './kinds.ts';
import type { FaultName, Operation, PlannedFault } from './plan.ts';
import type { FaultPort } from './port.ts';

/** What became of an entry of the plan. */
export interface InjectedFault {
  readonly fault: FaultName;
  /** When it struck first; null: never. */
  readonly atNs: number | null;
  /** How often it struck. */
  readonly count: number;
}

/** One strike that is due and waits for its operation. */
interface Shot {
  readonly entry: number;
  /** Operations of the entry's `after` still to be spared. */
  spares: number;
}

const NONE = -1;

export class FaultInjector {
  private readonly engine: Engine;
  private readonly log: DetailLog;
  private readonly plan: readonly PlannedFault[];
  private readonly port: FaultPort;
  private readonly timers: readonly number[];
  private readonly kinds: Readonly<Record<Operation, number>>;
  private readonly shots: Shot[] = [];
  /** Per entry: how often it was due, when it struck first, how often. */
  private readonly due: Int32Array;
  private readonly firstNs: Float64Array;
  private readonly struck: Int32Array;

  constructor(
    { engine, log }: { readonly engine: Engine; readonly log: DetailLog },
    plan: readonly PlannedFault[],
    port: FaultPort,
  ) {
    this.engine = engine;
    this.log = log;
    this.plan = plan;
    this.port = port;
    this.due = new Int32Array(plan.length);
    this.firstNs = new Float64Array(plan.length).fill(NaN);
    this.struck = new Int32Array(plan.length);
    const dueKind = engine.register('faults.due', (entry) => this.isDue(entry));
    this.timers = plan.map((_, entry) => engine.createTimer(dueKind, entry));
    this.kinds = {
      programs: engine.register('faults.program', (slot) => this.begins('programs', slot)),
      commands: engine.register('faults.command', (slot) => this.begins('commands', slot)),
    };
  }

  /** Arms the plan; once, before time starts. */
  start(): void {
    this.plan.forEach(({ atNs }, entry) => this.engine.armTimer(this.timers[entry], atNs));
  }

  /** Every entry of the plan, in its order. */
  injected(): InjectedFault[] {
    return this.plan.map(({ what }, entry) => ({
      fault: what.fault,
      atNs: Number.isNaN(this.firstNs[entry]) ? null : this.firstNs[entry],
      count: this.struck[entry],
    }));
  }

  private isDue(entry: number): void {
    const { what, after, count, everyNs } = this.plan[entry];
    const shots = everyNs === 0 ? count : 1;
    this.due[entry] += shots;
    if (this.due[entry] < count) this.engine.armTimer(this.timers[entry], this.engine.now + everyNs);
    const strikesAtOnce = after === undefined && FAULT_KINDS[what.fault].strikes === undefined;
    for (let i = 0; i < shots; i++) {
      if (strikesAtOnce) this.strike(entry, NONE);
      else this.shots.push({ entry, spares: after?.count ?? 0 });
    }
    this.listen();
  }

  /** The operations that some shot counts or waits for. */
  private listen(): void {
    for (const operation of ['programs', 'commands'] as const) {
      const isAwaited = this.shots.some(
        ({ entry }) => this.plan[entry].after?.operation === operation || this.strikesAt(entry) === operation,
      );
      this.port.listen(operation, isAwaited ? this.kinds[operation] : NONE);
    }
  }

  /** The operation at whose beginning the entry strikes. */
  private strikesAt(entry: number): Operation | undefined {
    const { what, after } = this.plan[entry];
    return FAULT_KINDS[what.fault].strikes ?? after?.operation;
  }

  /** An operation begins: each entry strikes it once at most. */
  private begins(operation: Operation, target: number): void {
    const served = new Set<number>();
    for (const shot of [...this.shots]) {
      const { entry } = shot;
      if (shot.spares > 0) {
        if (this.plan[entry].after?.operation === operation) shot.spares--;
        continue;
      }
      if (this.strikesAt(entry) !== operation || served.has(entry)) continue;
      if (!this.strike(entry, target)) continue;
      served.add(entry);
      this.shots.splice(this.shots.indexOf(shot), 1);
    }
    if (served.size > 0) this.listen();
  }

  private strike(entry: number, target: number): boolean {
    const { what } = this.plan[entry];
    if (!this.port.strike(what, target)) return false;
    if (this.struck[entry]++ === 0) this.firstNs[entry] = this.engine.now;
    if (this.log.on) this.log.event('faults', what.fault, entry, target === NONE ? NaN : target);
    return true;
  }
}

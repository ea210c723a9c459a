/**
 * For specs of keyslots: a machine with a profile over a driver, and tasks that get, hold, put and evict as listed. The tables are looked at after every event.
 */
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { COSTS, NO_WAKER } from '../../engine/testing.ts';
import { KEY_TYPE_RAW } from '../mode.ts';
import { auditProfile } from './audit.ts';
import type { ProfileConfig } from './config.ts';
import { CryptoProfile, type ProfileEnv } from './profile.ts';
import { type DriverUnderTest, type MakeDriver, ScriptedOps, withFailures } from './scripted-ops.ts';
import { NO_KEY, NO_SLOT, NULL_SLOT, OK, type RuntimePm } from './types.ts';

export { type DriverUnderTest, type MakeDriver, ScriptedOps, withFailures };

/** What a task of a test does next. */
export type Step =
  | { readonly do: 'get'; readonly key: number }
  | { readonly do: 'put'; readonly key: number }
  | { readonly do: 'evict'; readonly key: number }
  | { readonly do: 'restore' }
  | { readonly do: 'sleep'; readonly ns: number };

/** The outcome of a step, when it was over. */
export interface Outcome {
  readonly task: string;
  readonly what: string;
  readonly key: number;
  readonly slot: number;
  readonly status: number;
  readonly startedNs: number;
  readonly endedNs: number;
}

interface Client {
  readonly x: number;
  readonly name: string;
  readonly steps: Step[];
  at: number;
  startedNs: number;
  readonly held: Map<number, number>;
  readonly forgotten: Set<number>;
}

export const TEST_CONFIG: Omit<ProfileConfig, 'slots'> = {
  maxDunBytes: 8,
  modes: { 'AES-256-XTS': 0x1200 },
  keyTypes: KEY_TYPE_RAW,
};

/** Specs of the rules see the times of the driver alone. */
const FREE_BOOKKEEPING = { ...COSTS, keyslotLookupNs: 0, keyslotSlowPathNs: 0, keyslotPutNs: 0 };

export interface RigOptions {
  readonly slots: number;
  readonly driver?: MakeDriver;
  readonly config?: Partial<ProfileConfig>;
  readonly env?: Partial<ProfileEnv>;
  /** Made with the machine, before the profile. */
  readonly pm?: (engine: Engine, machine: Machine) => RuntimePm;
}

export class KeyslotRig {
  readonly engine = new Engine(1);
  readonly machine = new Machine(this.engine, FREE_BOOKKEEPING, 4);
  readonly driver: DriverUnderTest;
  readonly profile: CryptoProfile;
  readonly outcomes: Outcome[] = [];
  /** Breaches found after an event. */
  readonly breaches: string[] = [];
  private readonly clients: Client[] = [];
  private readonly nextKind: number;
  private readonly startKind: number;
  private readonly wakeKind: number;

  constructor(options: RigOptions) {
    const make = options.driver ?? ((engine, machine, slots) => new ScriptedOps(engine, machine, slots));
    this.driver = make(this.engine, this.machine, options.slots);
    const pm = options.pm?.(this.engine, this.machine);
    const config = { ...TEST_CONFIG, slots: options.slots, ...options.config, ...(pm && { runtimePm: pm }) };
    const env = { engine: this.engine, machine: this.machine, ...options.env };
    this.profile = new CryptoProfile(env, config, this.driver.ops);
    this.nextKind = this.engine.register('test.next', (c) => this.stepEnded(this.clients[c]));
    this.startKind = this.engine.register('test.start', (c) => this.step(this.clients[c]));
    this.wakeKind = this.engine.register('test.wake', (x) => this.machine.wake(NO_WAKER, x));
  }

  /** The scripted driver of a rig that was made with one. */
  get scripted(): ScriptedOps {
    if (!(this.driver instanceof ScriptedOps)) throw new Error('the rig has another driver');
    return this.driver;
  }

  /** A task that starts at `atNs` and does these steps. */
  task(name: string, atNs: number, steps: Step[], cpu = this.clients.length % 4): number {
    const c = this.clients.length;
    const x = this.machine.createTask(name, cpu, this.startKind, c);
    this.clients.push({ x, name, steps, at: 0, startedNs: 0, held: new Map(), forgotten: new Set() });
    this.engine.at(atNs, this.wakeKind, x);
    return x;
  }

  /** `what` happens outside any context at `atNs`. */
  at(atNs: number, what: () => void): void {
    this.engine.at(atNs, this.engine.register('test.at', what), 0);
  }

  /** The test itself gives back what `task` gets with `key` (the rig no longer counts it as held). */
  forget(task: string, key: number): void {
    const client = this.clients.find((c) => c.name === task);
    client?.forgotten.add(key);
  }

  /** Runs to the end, looking at the tables after every event. */
  run(): this {
    while (this.engine.runSlice(1)) this.audit();
    this.audit();
    return this;
  }

  /** `get A → 0` and the like, in order of their ends, of one task or of all. */
  got(task?: string): string[] {
    return this.outcomes
      .filter((o) => o.what === 'get' && (task === undefined || o.task === task))
      .map((o) => `${o.key} in ${o.slot}`);
  }

  /** Everything that is wrong at the end: breaches, violations of laws, and what is left. */
  problems(): string[] {
    const violations = this.machine.violations.map((v) => `${v.law}: ${v.what}`);
    return [...this.breaches, ...violations, ...this.profile.checkEmpty()];
  }

  private audit(): void {
    const { table, hardware, slots } = this.profile;
    this.breaches.push(...auditProfile(this.profile));
    const held = new Int32Array(slots);
    for (const client of this.clients) for (const slot of client.held.values()) if (slot >= 0) held[slot]++;
    for (let slot = 0; slot < slots; slot++) {
      if (this.machine.current < 0 && held[slot] > table.refs[slot]) {
        this.breaches.push(`I-2: slot ${slot} is held ${held[slot]} times with ${table.refs[slot]} references`);
      }
      const isSettled = held[slot] > 0 && table.key[slot] !== NO_KEY && !hardware.lock.isHeldForWriting;
      if (isSettled && this.isIntact && this.driver.hardwareKey(slot) !== table.key[slot]) {
        this.breaches.push(`I-30: slot ${slot} holds key ${this.driver.hardwareKey(slot)}, not ${table.key[slot]}`);
      }
    }
  }

  /** False while a test lets the hardware hold something else than the profile thinks. */
  isIntact = true;

  private step(client: Client): void {
    const { x, steps } = client;
    const { machine, profile } = this;
    if (client.at === steps.length) {
      machine.exit(x);
      return;
    }
    const step = steps[client.at];
    client.startedNs = this.engine.now;
    if (step.do === 'sleep') {
      this.engine.after(step.ns, this.wakeKind, x);
      machine.sleep(x, this.nextKind, this.clients.indexOf(client));
      return;
    }
    machine.pushReturn(x, this.nextKind, this.clients.indexOf(client));
    if (step.do === 'get') profile.get(x, step.key);
    else if (step.do === 'evict') profile.evict(x, step.key);
    else if (step.do === 'restore') profile.reprogramAll(x);
    else {
      this.putBack(client, step.key);
      machine.ret(x);
    }
  }

  private putBack(client: Client, key: number): void {
    const slot = client.held.get(key) ?? NO_SLOT;
    client.held.delete(key);
    if (slot === NO_SLOT) return; // the get failed
    const now = slot === NULL_SLOT ? key : this.profile.table.key[slot];
    if (now !== key && now !== NO_KEY) this.breaches.push(`I-7: slot ${slot} was got for key ${key} and holds ${now}`);
    this.profile.put(client.x, slot);
  }

  private stepEnded(client: Client): void {
    const { x } = client;
    const step = client.steps[client.at++];
    const key = 'key' in step ? step.key : NO_KEY;
    const slot = step.do === 'get' ? this.profile.gotSlot(x) : NO_SLOT;
    const status = step.do === 'get' || step.do === 'evict' ? this.profile.status(x) : OK;
    if (step.do === 'get' && !client.forgotten.has(key)) client.held.set(key, slot);
    this.outcomes.push({
      task: client.name,
      what: step.do,
      key,
      slot,
      status,
      startedNs: client.startedNs,
      endedNs: this.engine.now,
    });
    this.step(client);
  }
}

/** Steps that get a key, hold it and give it back. */
export function use(key: number, holdNs = 1_000): Step[] {
  return [
    { do: 'get', key },
    { do: 'sleep', ns: holdNs },
    { do: 'put', key },
  ];
}

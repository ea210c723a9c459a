/**
 * A crypto profile: the capabilities of one inline encryption device, and its keyslots: which key is in which slot, who uses it, who waits.
 *
 * Modelled: the fast path under the shared lock, the slow path (resume, exclusive lock, second look, wait for an idle slot, programming of the least recently
 * used one) with every sleep and every error path, put from any context, eviction and restoring of keys (`evict.ts`), operations on wrapped keys (`wrapped.ts`),
 * profiles without slots, and two calls for designs that take the slot at dispatch (`tryGet`, `tryProgram`), which no kernel has.
 * Not modelled: the spinlock of the idle list, the refcount's atomics (`@assume` part of the costs below), copies of keys inside slots
 * (generation `copied` tells keys apart by handle as well).
 *
 * @kernel v6.12 block/blk-crypto-profile.c; inline-crypto.md 1.6-1.8, 2
 */
import type { MachineCosts } from '../../engine/costs/costs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { WaitEdge, WaitSource } from '../../engine/waits.ts';
import type { DetailLog } from '../../trace/log.ts';
import { NO_LOG } from '../../trace/log.ts';
import { ST_KEYSLOT_PROGRAM, ST_WAIT_KEYSLOT } from '../../trace/stages.ts';
import type { CryptoConfig, KeyTable } from '../key.ts';
import { type CryptoCapabilities, supportsConfig, sysfsView } from './capabilities.ts';
import { DEFAULT_GENERATION, newCounters, type ProfileConfig, type ProfileCounters } from './config.ts';
import { holdersOfSlots, slotsInUse } from './audit.ts';
import { Evictor } from './evict.ts';
import { GetColumns } from './get-columns.ts';
import { Hardware } from './hardware.ts';
import { IdleWaiters } from './idle-waiters.ts';
import { SlotTable } from './slots.ts';
import { SlotSpans, SPAN_IDLE, SPAN_IN_USE, SPAN_PROGRAMMING } from './spans.ts';
import {
  type CryptoProfileOps,
  EBUSY,
  type GetMarks,
  type KeyslotSpans,
  NEEDS_PROGRAM,
  NO_KEY,
  NO_SLOT,
  NO_SPANS,
  NULL_SLOT,
  OK,
} from './types.ts';
import { WrappedKeys } from './wrapped.ts';

export interface ProfileEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly log?: DetailLog;
  readonly spans?: KeyslotSpans;
  readonly marks?: GetMarks;
  /** Told of every slot that points at a key, so that no such key is freed (I-61). */
  readonly keys?: Pick<KeyTable, 'hold' | 'drop'>;
  /** Called when a task is about to sleep for a slot or the lock: its plug is to be flushed, since plugged requests may hold what it waits for. Instantaneous. */
  readonly beforeSleep?: (x: number) => void;
  /** Names of those who hold a slot, for the report of a deadlock (`request 3`); default: the slot itself. */
  readonly holders?: (slot: number) => readonly string[];
}

export class CryptoProfile implements WaitSource {
  readonly name: string;
  readonly config: ProfileConfig;
  readonly counters: ProfileCounters = newCounters();
  readonly wrapped: WrappedKeys;
  /** Once-only kernel warnings that struck, in order. */
  readonly warnings: string[] = [];
  /**
   * Engine kind called (with 0) when a `tryGet` failed before and another try may succeed now; -1 for none. Called in any context, in the midst of a put or of
   * giving up the lock: it may schedule, not try.
   */
  onAvailable = -1;
  /** The state behind: for the room's own files, specs and inspectors. */
  readonly table: SlotTable;
  readonly hardware: Hardware;
  readonly spans: SlotSpans;

  private readonly env: ProfileEnv;
  private readonly log: DetailLog;
  private readonly costs: MachineCosts;
  private readonly evictor: Evictor;
  private readonly waiters: IdleWaiters;
  private readonly columns = new GetColumns();
  private readonly enteredKind: number;
  private readonly readLockedKind: number;
  private readonly programmedKind: number;
  /** A `tryGet` failed since the last call of `onAvailable`. */
  private missed = false;
  private registrations = 0;
  private slotCount: number;

  constructor(env: ProfileEnv, config: ProfileConfig, ops: CryptoProfileOps) {
    const { engine, machine } = env;
    this.env = env;
    this.config = config;
    this.name = config.name ?? 'crypto profile';
    this.log = env.log ?? NO_LOG;
    this.costs = machine.costs;
    this.slotCount = config.slots;
    this.table = new SlotTable(config.slots);
    this.spans = new SlotSpans(env.spans ?? NO_SPANS, config.slots);
    this.hardware = new Hardware(
      {
        engine,
        machine,
        table: this.table,
        pm: config.runtimePm,
        stage: (x, stage) => this.stage(x, stage),
        left: () => this.becameAvailable(),
        beforeSleep: (x) => env.beforeSleep?.(x),
      },
      ops,
      this.name,
    );
    const generation = { ...DEFAULT_GENERATION, ...config.generation };
    this.waiters = new IdleWaiters(engine, machine, generation.wakeUp, this.table, (x) => {
      this.stage(x, ST_WAIT_KEYSLOT);
      this.slowPath(x);
    });
    this.evictor = new Evictor(this, engine, machine, ops, generation.evict);
    this.wrapped = new WrappedKeys(this, engine, machine, ops);
    this.enteredKind = engine.register('crypto.get-entered', (x) => this.getEntered(x));
    this.readLockedKind = engine.register('crypto.get-read-locked', (x) => this.getReadLocked(x));
    this.programmedKind = engine.register('crypto.get-programmed', (x) => this.getProgrammed(x));
  }

  // ------------------------------------------------------------------------------------------------ capabilities

  /** Slots; 0 for a passthrough profile, and after `destroy`. */
  get slots(): number {
    return this.slotCount;
  }

  get capabilities(): CryptoCapabilities {
    return this.config;
  }

  /** True when the device does it natively. */
  supports(config: CryptoConfig): boolean {
    return supportsConfig(this.config, config);
  }

  /** The files of `/sys/block/<disk>/queue/crypto/`. */
  sysfs(): Readonly<Record<string, string>> {
    return sysfsView(this.config, this.slotCount);
  }

  // ------------------------------------------------------------------------------------------------ get

  /**
   * Gets a slot with the key: the one that has it, else the least recently used idle one, programmed; waits for one if none is idle. Ends with
   * `machine.ret(x)`, then `gotSlot(x)` and `status(x)`. Context: a task; may sleep.
   */
  get(x: number, keyId: number): void {
    this.env.machine.assertMaySleep(x, 'blk_crypto_get_keyslot');
    const slot = this.getFast(x, keyId);
    this.columns.begin(x, keyId, this.env.engine.now);
    if (slot !== NO_SLOT) this.finish(x, slot, OK);
    else if (this.hardware.lock.isReadable) this.slowPath(x);
    else {
      this.env.beforeSleep?.(x);
      this.hardware.lock.downRead(x, this.readLockedKind);
    }
  }

  /**
   * The fast path alone: the slot, NULL_SLOT of a profile without slots, or NO_SLOT when the key is in no slot or the lock is taken. Instantaneous; any
   * context. What it gives is put back like what `get` gives.
   */
  getFast(x: number, keyId: number): number {
    if (this.slotCount === 0) return NULL_SLOT;
    this.env.machine.charge(x, this.costs.keyslotLookupNs);
    if (!this.hardware.lock.isReadable) return NO_SLOT;
    const slot = this.table.find(keyId);
    if (slot === NO_SLOT) return NO_SLOT;
    this.counters.hits++;
    this.grab(slot);
    return slot;
  }

  /** What the last `get` or `tryProgram` of `x` got: a slot, NULL_SLOT, or NO_SLOT after an error. */
  gotSlot(x: number): number {
    return this.columns.slot[x];
  }

  /** Status of the last `get`, `tryProgram`, `evict` or wrapped-key operation of `x`: 0 or a negative errno. */
  status(x: number): number {
    return this.columns.status[x];
  }

  /**
   * For designs that take the slot at dispatch: the slot (a reference is taken), NULL_SLOT, NEEDS_PROGRAM, or NO_SLOT when none is idle or the hardware is
   * being programmed; `onAvailable` tells when to try again. `@assume` such a design looks keys up under a spinlock: a programming under way
   * hides only its own slot, restoring hides all. Instantaneous; any context.
   */
  tryGet(x: number, keyId: number): number {
    if (this.slotCount === 0) return NULL_SLOT;
    this.env.machine.charge(x, this.costs.keyslotLookupNs);
    const { table, hardware } = this;
    const slot = table.find(keyId);
    const isOffLimits = this.evictor.isRestoring || (hardware.busy && hardware.slot === slot);
    if (slot !== NO_SLOT && !isOffLimits) {
      this.counters.hits++;
      this.grab(slot);
      return slot;
    }
    if (table.idleCount > 0 && hardware.lock.isFree) return NEEDS_PROGRAM;
    this.missed = true;
    return NO_SLOT;
  }

  /**
   * After NEEDS_PROGRAM: programs the least recently used idle slot, without resuming the device (a request in dispatch keeps it awake). Ends with
   * `machine.ret(x)`; status -EBUSY when somebody else was quicker. Context: a task, or any if the driver's operations never sleep.
   */
  tryProgram(x: number, keyId: number): void {
    this.columns.begin(x, keyId, this.env.engine.now);
    this.columns.isTry[x] = 1;
    if (this.table.idleCount > 0 && this.hardware.lock.tryWrite(x)) this.getEntered(x);
    else {
      this.missed = true;
      this.finish(x, NO_SLOT, EBUSY);
    }
  }

  private getReadLocked(x: number): void {
    this.stage(x, ST_WAIT_KEYSLOT);
    const slot = this.table.find(this.columns.keyId[x]);
    if (slot !== NO_SLOT) {
      this.counters.hits++;
      this.grab(slot);
    }
    this.hardware.lock.upRead(x);
    if (slot === NO_SLOT) this.slowPath(x);
    else this.finish(x, slot, OK);
  }

  private slowPath(x: number): void {
    const { machine } = this.env;
    machine.charge(x, this.costs.keyslotSlowPathNs);
    machine.pushReturn(x, this.enteredKind, x);
    this.hardware.enter(x);
  }

  /** The device is awake and the lock held: look again, program, or wait. */
  private getEntered(x: number): void {
    const { table, counters } = this;
    const keyId = this.columns.keyId[x];
    const slot = table.find(keyId);
    if (slot !== NO_SLOT) {
      counters.hits++;
      this.grab(slot);
      this.leave(x);
      this.waiters.passOn(x); // it may have been woken for a slot that it leaves to the next
      this.finish(x, slot, OK);
    } else if (table.idleCount > 0) {
      const victim = table.idleHead;
      this.spans.change(victim, SPAN_PROGRAMMING, keyId, this.env.engine.now);
      this.hardware.program(x, keyId, victim, this.programmedKind);
    } else {
      this.leave(x);
      if (this.columns.waited[x] === 0) counters.waits++;
      this.columns.waited[x] = 1;
      this.env.beforeSleep?.(x);
      this.waiters.sleep(x);
    }
  }

  private getProgrammed(x: number): void {
    const { hardware, table, counters } = this;
    const { slot, keyId, status } = hardware;
    const nowNs = this.env.engine.now;
    this.stage(x, ST_KEYSLOT_PROGRAM);
    if (status !== OK) {
      // The slot stays as it was: idle, and with its old key as far as software knows, whatever the hardware holds now.
      counters.programErrors++;
      this.spans.change(slot, SPAN_IDLE, table.key[slot], nowNs);
      this.event('keyslot.program_failed', slot, keyId);
      this.waiters.wake(x);
      this.leave(x);
      this.finish(x, NO_SLOT, status);
      return;
    }
    counters.programs++;
    if (table.key[slot] >= 0) counters.replacements++;
    this.setSlotKey(slot, keyId);
    this.grab(slot);
    this.event('keyslot.programmed', slot, keyId);
    this.leave(x);
    this.finish(x, slot, OK);
  }

  private leave(x: number): void {
    if (this.columns.isTry[x] === 0) this.hardware.exit(x);
    else this.hardware.dropLock(x);
  }

  private grab(slot: number): void {
    if (this.table.grab(slot)) this.spans.change(slot, SPAN_IN_USE, this.table.key[slot], this.env.engine.now);
  }

  private finish(x: number, slot: number, status: number): void {
    this.columns.end(x, slot, status);
    this.env.machine.ret(x);
  }

  // ------------------------------------------------------------------------------------------------ put

  /** Gives a slot back; the key stays in it. With the last reference the slot is idle and a waiter is woken. Instantaneous; any context, never sleeps. */
  put(x: number, slot: number): void {
    if (slot === NULL_SLOT) return;
    this.env.machine.charge(x, this.costs.keyslotPutNs);
    if (!this.table.release(slot)) return;
    this.spans.change(slot, SPAN_IDLE, this.table.key[slot], this.env.engine.now);
    this.waiters.wake(x);
    this.becameAvailable();
  }

  private becameAvailable(): void {
    if (!this.missed || this.onAvailable < 0) return;
    this.missed = false;
    this.env.engine.call(this.onAvailable, 0);
  }

  // ------------------------------------------------------------------------------------------------ evict, restore

  /** Removes a key from the device. Ends with `machine.ret(x)`; `status(x)` as the generation has it (callers free the key whatever it is). Context: a task. */
  evict(x: number, keyId: number): void {
    this.evictor.evict(x, keyId);
  }

  /** Programs every key again that a slot is supposed to have; never resumes the device. Ends with `machine.ret(x)`. Context: a task. */
  reprogramAll(x: number): void {
    this.evictor.reprogramAll(x);
  }

  /** The slot points at another key from now on, or at none. */
  setSlotKey(slot: number, keyId: number): void {
    const { keys } = this.env;
    const old = this.table.key[slot];
    this.table.setKey(slot, keyId);
    if (keys === undefined) return;
    if (keyId !== NO_KEY) keys.hold(keyId);
    if (old !== NO_KEY) keys.drop(old);
  }

  /** The status of an operation that `status` shall tell. */
  setStatus(x: number, status: number): void {
    this.columns.end(x, NO_SLOT, status);
  }

  /** A kernel warning of the once-only kind. */
  warnOnce(text: string): void {
    if (!this.warnings.includes(text)) this.warnings.push(text);
  }

  /** An event of detail `full`. */
  event(kind: string, slot: number, keyId: number): void {
    if (this.log.on) this.log.event('crypto', kind, slot, keyId);
  }

  // ------------------------------------------------------------------------------------------------ lifetime

  /** A queue takes the profile; refused (false) when the queue does integrity: the two exclude each other. */
  register(hasIntegrity: boolean): boolean {
    if (hasIntegrity) {
      this.warnOnce('integrity and inline encryption exclude each other: inline encryption is off');
      return false;
    }
    this.registrations++;
    return true;
  }

  /** A queue that had taken the profile is gone. */
  unregister(): void {
    if (this.registrations === 0) throw new Error(`crypto: ${this.name} is not registered`);
    this.registrations--;
  }

  /** Zeroes the tables; afterwards there are no slots. No effect the second time. */
  destroy(): void {
    if (this.registrations > 0 || this.table.idleCount < this.slotCount) {
      this.env.machine.violate('keyslot-lifetime', `${this.name} is destroyed while it is used`);
    }
    for (let slot = 0; slot < this.slotCount; slot++) this.setSlotKey(slot, NO_KEY);
    this.table.zero();
    this.slotCount = 0;
  }

  // ------------------------------------------------------------------------------------------------ reports

  /** Time since the last stage of a `get` of `x` belongs to `stage`. */
  private stage(x: number, stage: number): void {
    const elapsedNs = this.columns.elapsed(x, this.env.engine.now);
    if (Number.isNaN(elapsedNs)) return; // not in a get
    if (stage === ST_WAIT_KEYSLOT) this.counters.waitNs += elapsedNs;
    else if (stage === ST_KEYSLOT_PROGRAM) this.counters.programNs += elapsedNs;
    this.env.marks?.mark(x, stage);
  }

  /** Who waits for a slot, and who for the lock. */
  reportWaits(add: (edge: WaitEdge) => void): void {
    const { machine, holders } = this.env;
    for (const x of this.waiters.sleepers()) {
      const resource = `an idle keyslot of ${this.name} (for key ${this.columns.keyId[x]})`;
      add({ waiter: machine.name(x), resource, holders: holdersOfSlots(this.table, holders) });
    }
    this.hardware.lock.reportWaits(add);
  }

  /** What is left at the end of a run that should not be: empty when all is well. */
  checkEmpty(): string[] {
    const asleep = this.waiters.sleepers().length;
    return [
      ...slotsInUse(this.table, this.name),
      ...(asleep > 0 ? [`${this.name}: ${asleep} tasks asleep for an idle keyslot`] : []),
      ...(this.hardware.lock.isFree ? [] : [`${this.name}: its lock is held`]),
    ];
  }

  /** A task sleeps for a slot, one is idle, and nobody who was woken or holds the lock comes for it: a lost wake-up. */
  get hasForgottenWaiters(): boolean {
    return this.waiters.isForgotten && this.hardware.lock.isFree;
  }

  /** Reports the open spans: at the end of a run. */
  finishSpans(): void {
    this.spans.finish(this.env.engine.now);
  }
}

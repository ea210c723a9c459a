/**
 * The discrete-event engine: virtual time in integer nanoseconds from 0, one heap of pending events, cancellable
 * timers, alarms, named random streams.
 *
 * An event is (kind, arg): `kind` names a handler that a room registered once, `arg` is an integer handle (a request, a
 * CPU, a timer) below 2^22. Nothing is allocated per event. Rooms keep their state in typed-array columns indexed by handle.
 *
 * The engine neither knows nor cares what the events mean. It does not look at a wall clock; the run worker calls
 * `runSlice` repeatedly and does its own housekeeping (progress, cancel) in between.
 */
import { Alarms } from './alarms.ts';
import { EventHeap } from './heap.ts';
import { RandomStream } from './random.ts';

/** What an event, a burst or a callback invokes: registered once, called with an integer handle. */
export type Handler = (arg: number) => void;

const KIND_BITS = 9;
const MAX_KINDS = 1 << KIND_BITS;
const KIND_MASK = MAX_KINDS - 1;
const ARG_BITS = 31 - KIND_BITS;
/** Handles carried by events are below this (a pooled handle is reused, so millions are plenty). */
export const MAX_ARG = 1 << ARG_BITS;

/** Events remembered for a deadlock report; a power of two. */
const HISTORY = 32;

const NONE = -1;
/** A timer that was cancelled or never armed. */
const NEVER = Infinity;

export class Engine {
  /** Current virtual time, integer ns. */
  now = 0;
  /** Sequence number of the event being dispatched; equals what `at` returned for it. */
  seq = -1;
  readonly seed: number;

  private halted = false;
  private readonly heap = new EventHeap();
  private readonly alarms = new Alarms();
  private alarmKind = NONE;
  private onAlarm: Handler = () => undefined;
  private readonly handlers: Handler[] = [];
  private readonly labels: string[] = [];
  private readonly timerKind: number;
  private timerCount = 0;
  private timerPayload = new Int32Array(64);
  /** When the timer is due; NEVER when disarmed. */
  private timerDueNs = new Float64Array(64).fill(NEVER);
  /** Place in line among events of the same instant, fixed when it was armed. */
  private timerSeq = new Float64Array(64);
  /** Time of the heap entry that stands for this timer; NEVER when there is none. */
  private timerEntryNs = new Float64Array(64).fill(NEVER);
  private timerEntrySeq = new Float64Array(64);
  private timerDaemon = new Uint8Array(64);
  private armedTimers = 0;
  private timerEntries = 0;
  /** Events begun, and those of them that were entries of timers which were not due. */
  private begun = 0;
  private lapsed = 0;
  private readonly historyNs = new Float64Array(HISTORY);
  private readonly historyPayload = new Int32Array(HISTORY);

  constructor(seed: number) {
    this.seed = seed;
    this.timerKind = this.register('timer', (id) => {
      this.timerEntryDue(id);
    });
  }

  /** Events dispatched so far (lapsed timers do not count). */
  get events(): number {
    return this.begun - this.lapsed;
  }

  /** Registers a handler under a label (shown in dumps) and returns its kind. Done while the stack is built, never in a run. */
  register(label: string, handler: Handler): number {
    if (this.handlers.length === MAX_KINDS) throw new Error(`engine: more than ${MAX_KINDS} event kinds (${label})`);
    this.handlers.push(handler);
    this.labels.push(label);
    return this.handlers.length - 1;
  }

  /** The label a kind was registered under. */
  label(kind: number): string {
    return this.labels[kind];
  }

  /** Schedules `kind(arg)` at the absolute time `atNs` (integer, not before now). Returns the event's sequence number. */
  at(atNs: number, kind: number, arg: number): number {
    if (!(atNs >= this.now)) throw new Error(`engine: ${this.labels[kind]} at ${atNs}, before now (${this.now})`);
    return this.heap.push(atNs, this.payload(kind, arg));
  }

  private payload(kind: number, arg: number): number {
    if (arg >>> ARG_BITS !== 0) throw new RangeError(`engine: argument ${arg} of ${this.labels[kind]}`);
    return (arg << KIND_BITS) | kind;
  }

  /** Schedules `kind(arg)` after `delayNs` (integer, ≥ 0). */
  after(delayNs: number, kind: number, arg: number): number {
    return this.at(this.now + delayNs, kind, arg);
  }

  /** Invokes a handler now, as a plain call (completion callbacks stored as (kind, arg) in columns). */
  call(kind: number, arg: number): void {
    const handler = this.handlers[kind]; // a call of a variable is cheaper than one of a member, which passes `this`
    handler(arg);
  }

  // ------------------------------------------------------------------------------------------------ alarms

  /**
   * Creates the engine's alarms 0 to `count - 1`: places for one pending event each that invokes `handler(alarm)`, cheap to take back. One room may have
   * them; they are for sources that are few and busy (CPUs).
   */
  createAlarms(label: string, count: number, handler: Handler): void {
    if (this.alarmKind !== NONE) throw new Error(`engine: alarms of ${this.labels[this.alarmKind]} and ${label}`);
    this.alarmKind = this.register(label, handler);
    this.alarms.create(count);
    this.onAlarm = handler;
  }

  /** Sets an alarm, which must not be set, for the absolute time `atNs`. */
  setAlarm(id: number, atNs: number): void {
    if (!(atNs >= this.now)) throw new Error(`engine: alarm set for ${atNs}, before now (${this.now})`);
    this.alarms.set(id, atNs, this.heap.takeSeq());
  }

  /** Takes an alarm back, which must be set. */
  clearAlarm(id: number): void {
    this.alarms.clear(id);
  }

  // ------------------------------------------------------------------------------------------------ timers

  /**
   * Creates a timer that invokes `kind(arg)` when due. A daemon timer (a gauge sampler, a poll loop) does not keep the run alive:
   * a run whose only pending events are daemon timers is over.
   */
  createTimer(kind: number, arg: number, daemon = false): number {
    if (this.timerCount === this.timerDueNs.length) this.growTimers();
    const id = this.timerCount++;
    this.timerPayload[id] = this.payload(kind, arg);
    this.timerDaemon[id] = daemon ? 1 : 0;
    return id;
  }

  /**
   * Arms or re-arms a timer for the absolute time `atNs`. Re-arming for a later time costs no heap work, which is what idle
   * timers do at every request.
   */
  armTimer(id: number, atNs: number): void {
    if (!(atNs >= this.now)) throw new Error(`engine: timer armed at ${atNs}, before now (${this.now})`);
    if (this.timerDueNs[id] === NEVER && this.timerDaemon[id] === 0) this.armedTimers++;
    this.timerDueNs[id] = atNs;
    this.timerSeq[id] = this.heap.takeSeq();
    if (this.timerEntryNs[id] > atNs) this.pushTimerEntry(id);
  }

  /** Disarms a timer; no effect when it is not armed. */
  cancelTimer(id: number): void {
    if (this.timerDueNs[id] === NEVER) return;
    this.timerDueNs[id] = NEVER;
    if (this.timerDaemon[id] === 0) this.armedTimers--;
  }

  /** When the timer is due (ns), or Infinity. */
  timerDue(id: number): number {
    return this.timerDueNs[id];
  }

  private pushTimerEntry(id: number): void {
    this.timerEntryNs[id] = this.timerDueNs[id];
    this.timerEntrySeq[id] = this.timerSeq[id];
    this.timerEntries++;
    this.heap.pushWithSeq(this.timerDueNs[id], this.timerSeq[id], (id << KIND_BITS) | this.timerKind);
  }

  private timerEntryDue(id: number): void {
    this.timerEntries--;
    this.lapsed++; // counted again below if it is a real expiry
    if (this.seq !== this.timerEntrySeq[id]) return; // an entry that a later, earlier-due one replaced
    this.timerEntryNs[id] = NEVER;
    const dueNs = this.timerDueNs[id];
    if (dueNs === NEVER) return;
    if (dueNs > this.now || this.timerSeq[id] !== this.seq) {
      this.pushTimerEntry(id); // armed for later since: the entry moves on, keeping the timer's own place in line
      return;
    }
    this.timerDueNs[id] = NEVER;
    if (this.timerDaemon[id] === 0) this.armedTimers--;
    this.lapsed--;
    const payload = this.timerPayload[id];
    this.call(payload & KIND_MASK, payload >>> KIND_BITS);
  }

  private growTimers(): void {
    const n = this.timerDueNs.length * 2;
    const grow = <T extends Float64Array | Int32Array | Uint8Array>(old: T, make: (n: number) => T): T => {
      const wider = make(n);
      wider.set(old);
      return wider;
    };
    this.timerPayload = grow(this.timerPayload, (k) => new Int32Array(k));
    this.timerDueNs = grow(this.timerDueNs, (k) => new Float64Array(k).fill(NEVER));
    this.timerSeq = grow(this.timerSeq, (k) => new Float64Array(k));
    this.timerEntryNs = grow(this.timerEntryNs, (k) => new Float64Array(k).fill(NEVER));
    this.timerEntrySeq = grow(this.timerEntrySeq, (k) => new Float64Array(k));
    this.timerDaemon = grow(this.timerDaemon, (k) => new Uint8Array(k));
  }

  // ------------------------------------------------------------------------------------------------ running

  /** True when nothing that could change the state of the run is pending (daemon timers and lapsed entries aside). */
  isQuiet(): boolean {
    return this.heap.size - this.timerEntries === 0 && this.armedTimers === 0 && this.alarms.pending === 0;
  }

  /** Ends the run after the event being dispatched: `runSlice` returns false from then on. */
  halt(): void {
    this.halted = true;
  }

  /** The last events dispatched, oldest first, as `ns label(arg)`: what a deadlock report shows. */
  lastEvents(): string[] {
    const lines: string[] = [];
    for (let i = Math.max(0, this.begun - HISTORY); i < this.begun; i++) {
      const payload = this.historyPayload[i % HISTORY];
      lines.push(`${this.historyNs[i % HISTORY]} ${this.labels[payload & KIND_MASK]}(${payload >>> KIND_BITS})`);
    }
    return lines;
  }

  /**
   * Dispatches up to `maxEvents` events, none later than `untilNs`. Returns false when the run was halted or is quiet or the next event is later
   * than `untilNs`, true when there is more to do.
   */
  runSlice(maxEvents: number, untilNs = Infinity): boolean {
    for (let i = 0; i < maxEvents; i++) {
      if (this.halted) return false;
      if (this.isAlarmNext()) {
        if (this.alarms.firstNs > untilNs) return false;
        this.dispatchAlarm();
      } else {
        if (this.isQuiet() || this.heap.peekAtNs() > untilNs) return false;
        this.dispatchEvent();
      }
    }
    return true;
  }

  private isAlarmNext(): boolean {
    const alarmNs = this.alarms.firstNs;
    const heapNs = this.heap.peekAtNs();
    return alarmNs < heapNs || (alarmNs === heapNs && this.alarms.firstSeq < this.heap.peekSeq());
  }

  private dispatchAlarm(): void {
    const { alarms } = this;
    const atNs = alarms.firstNs;
    this.seq = alarms.firstSeq;
    const id = alarms.takeFirst();
    this.begins(atNs, (id << KIND_BITS) | this.alarmKind);
    this.onAlarm(id);
  }

  private dispatchEvent(): void {
    const { heap } = this;
    const payload = heap.pop();
    this.seq = heap.poppedSeq;
    this.begins(heap.poppedAtNs, payload);
    this.call(payload & KIND_MASK, payload >>> KIND_BITS);
  }

  /** An event begins: the clock moves to it, and it is remembered. */
  private begins(atNs: number, payload: number): void {
    this.now = atNs;
    const at = this.begun++ & (HISTORY - 1);
    this.historyNs[at] = atNs;
    this.historyPayload[at] = payload;
  }

  /** The stream of this name; each call makes a fresh one, so a room asks once and keeps it. */
  stream(name: string): RandomStream {
    return new RandomStream(this.seed, name);
  }
}

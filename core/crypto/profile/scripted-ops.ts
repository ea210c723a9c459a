/** For specs of keyslots: a driver that does what it is told and remembers what its hardware would hold. */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import { NO_WAKER } from '../../engine/testing.ts';
import { type CryptoProfileOps, EIO, NO_KEY, OK, type OpOwner } from './types.ts';

/** A driver under test: its operations, and the test's hands on its hardware. */
export interface DriverUnderTest {
  readonly ops: CryptoProfileOps;
  /** The key that the hardware really holds in a slot; NO_KEY for none. */
  hardwareKey(slot: number): number;
  /** The next programming (or eviction) fails with -EIO and changes nothing. */
  failNext(): void;
  /** All keys are lost, as in a reset. */
  loseKeys(): void;
}

export type MakeDriver = (engine: Engine, machine: Machine, slots: number) => DriverUnderTest;

/** A driver that never fails by itself, made to fail on demand. */
export function withFailures(
  ops: CryptoProfileOps,
  hands: Pick<DriverUnderTest, 'hardwareKey' | 'loseKeys'>,
): DriverUnderTest {
  let owner: OpOwner | undefined;
  let fails = false;
  const unlessFailing = (x: number, operate: () => void): void => {
    const failsNow = fails;
    fails = false; // the end of one operation may begin the next
    if (failsNow) owner?.opDone(x, EIO);
    else operate();
  };
  return {
    ...hands,
    failNext: () => {
      fails = true;
    },
    ops: {
      maySleep: ops.maySleep,
      attach: (to) => {
        owner = to;
        ops.attach(to);
      },
      keyslotProgram: (x, keyId, slot) => unlessFailing(x, () => ops.keyslotProgram(x, keyId, slot)),
      keyslotEvict: (x, keyId, slot) => unlessFailing(x, () => ops.keyslotEvict?.(x, keyId, slot)),
    },
  };
}

/** One call of a driver operation. */
export interface SeenOp {
  readonly what: string;
  readonly slot: number;
  readonly keyId: number;
  readonly atNs: number;
}

/** How a scripted operation passes its time. */
export type ScriptedWay = 'at-once' | 'burn' | 'sleep';

export class ScriptedOps implements CryptoProfileOps, DriverUnderTest {
  readonly seen: SeenOp[] = [];
  readonly ops = this;
  maySleep: boolean;
  programNs: number;
  evictNs = 1_000;
  /** Status of the next operations, in order; OK when there are none left. */
  readonly statuses: number[] = [];
  readonly hardware: Int32Array;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly way: ScriptedWay;
  private readonly doneKind: number;
  private readonly wakeKind: number;
  private owner: OpOwner | undefined = undefined;
  private pending: { slot: number; keyId: number; output: Uint8Array | undefined } = {
    slot: -1,
    keyId: -1,
    output: undefined,
  };

  constructor(engine: Engine, machine: Machine, slots: number, way: ScriptedWay = 'burn', programNs = 10_000) {
    this.engine = engine;
    this.machine = machine;
    this.way = way;
    this.maySleep = way === 'sleep';
    this.programNs = programNs;
    this.hardware = new Int32Array(slots).fill(NO_KEY);
    this.doneKind = engine.register('test.op-done', (x) => this.done(x));
    this.wakeKind = engine.register('test.op-wake', (x) => machine.wake(NO_WAKER, x));
  }

  attach(owner: OpOwner): void {
    this.owner = owner;
  }

  hardwareKey(slot: number): number {
    return this.hardware[slot];
  }

  failNext(): void {
    this.statuses.push(EIO);
  }

  loseKeys(): void {
    this.hardware.fill(NO_KEY);
  }

  keyslotProgram(x: number, keyId: number, slot: number): void {
    this.begin('program', x, slot, keyId, this.programNs);
  }

  keyslotEvict(x: number, keyId: number, slot: number): void {
    this.begin('evict', x, slot, keyId, this.evictNs);
  }

  deriveSwSecret(x: number, ephemeral: Uint8Array): void {
    this.begin('derive', x, -1, -1, this.programNs, ephemeral.toReversed());
  }

  importKey(x: number, raw: Uint8Array): void {
    this.begin('import', x, -1, -1, this.programNs, raw.toReversed());
  }

  generateKey(x: number): void {
    this.begin('generate', x, -1, -1, this.programNs, Uint8Array.of(1, 2, 3));
  }

  prepareKey(x: number, longTerm: Uint8Array): void {
    this.begin('prepare', x, -1, -1, this.programNs, longTerm.toReversed());
  }

  /** The operations of one kind, as `slot=key`. */
  calls(what: string): string[] {
    return this.seen.filter((op) => op.what === what).map((op) => `${op.slot}=${op.keyId}`);
  }

  private begin(what: string, x: number, slot: number, keyId: number, ns: number, output?: Uint8Array): void {
    this.seen.push({ what, slot, keyId, atNs: this.engine.now });
    this.pending = { slot, keyId: what === 'evict' ? NO_KEY : keyId, output };
    if (this.way === 'at-once') this.done(x);
    else if (this.way === 'burn') this.machine.run(x, ns, this.doneKind, x);
    else {
      this.engine.after(ns, this.wakeKind, x);
      this.machine.sleep(x, this.doneKind, x);
    }
  }

  private done(x: number): void {
    const { slot, keyId, output } = this.pending;
    const status = this.statuses.shift() ?? OK;
    if (status === OK && slot >= 0) this.hardware[slot] = keyId;
    this.owner?.opDone(x, status, output);
  }
}

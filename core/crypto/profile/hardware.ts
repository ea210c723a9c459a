/**
 * The way to the hardware of a crypto profile: resume the device, take the lock for writing, run one driver operation after the other, and back.
 *
 * The order matters: the device is resumed before the lock is taken, because a resume may itself restore all keys, which takes the same lock. Restoring keys
 * therefore takes the lock alone.
 *
 * @kernel v6.12 block/blk-crypto-profile.c blk_crypto_hw_enter, blk_crypto_hw_exit
 */
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import { ST_WAIT_KEYSLOT, ST_WAIT_POWER } from '../../trace/stages.ts';
import { RwSem } from './rwsem.ts';
import type { SlotTable } from './slots.ts';
import { type CryptoProfileOps, OK, type OpOwner, type RuntimePm } from './types.ts';

const NONE = -1;

/** What the profile tells its hardware path. */
export interface HardwareEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly table: SlotTable;
  readonly pm: RuntimePm | undefined;
  /** A stage of `x` ended now. */
  stage(x: number, stage: number): void;
  /** The lock was given up by `x`. */
  left(x: number): void;
  /** `x` is about to sleep. */
  beforeSleep(x: number): void;
}

export class Hardware implements OpOwner {
  readonly lock: RwSem;
  /** The slot of the operation in progress or last ended; -1 for none. */
  slot = NONE;
  /** The key of that operation. */
  keyId = NONE;
  /** Engine kind called with the slot when a key is about to be programmed; -1 for none. For those who inject faults. */
  onProgram = NONE;
  /** An operation is in progress. */
  busy = false;
  /** Result of the last operation. */
  status = OK;
  output: Uint8Array | undefined = undefined;

  private readonly env: HardwareEnv;
  private readonly ops: CryptoProfileOps;
  private readonly resumedKind: number;
  private readonly lockedKind: number;
  private continueKind = NONE;
  private context = NONE;

  constructor(env: HardwareEnv, ops: CryptoProfileOps, name: string) {
    this.env = env;
    this.ops = ops;
    this.lock = new RwSem(env.machine, `lock of ${name}`);
    this.resumedKind = env.engine.register('crypto.resumed', (x) => {
      env.stage(x, ST_WAIT_POWER);
      this.takeLock(x);
    });
    this.lockedKind = env.engine.register('crypto.write-locked', (x) => {
      env.stage(x, ST_WAIT_KEYSLOT);
      env.machine.ret(x);
    });
    ops.attach(this);
  }

  /** Whether the driver's operations may sleep. */
  get maySleep(): boolean {
    return this.ops.maySleep;
  }

  /** Resumes the device and takes the lock. Ends with `machine.ret(x)`. Context: a task. */
  enter(x: number): void {
    const { machine, pm } = this.env;
    if (pm === undefined) {
      this.takeLock(x);
      return;
    }
    machine.pushReturn(x, this.resumedKind, x);
    pm.getSync(x);
  }

  /** Takes the lock without resuming the device. Ends with `machine.ret(x)`. Context: a task. */
  takeLock(x: number): void {
    if (this.lock.tryWrite(x)) this.env.machine.ret(x);
    else {
      this.env.beforeSleep(x);
      this.lock.downWrite(x, this.lockedKind);
    }
  }

  /** Gives up what `enter` took. Instantaneous. */
  exit(x: number): void {
    this.dropLock(x);
    this.env.pm?.putSync(x);
  }

  /** Gives up the lock alone. */
  dropLock(x: number): void {
    this.lock.upWrite(x);
    this.env.left(x);
  }

  /** Programs a key; goes on at `kind(x)` with `status`. */
  program(x: number, keyId: number, slot: number, kind: number): void {
    const { table } = this.env;
    if (table.refs[slot] > 0 && table.key[slot] !== keyId) this.inUse(slot, `programmed with key ${keyId}`);
    this.begin(x, keyId, slot, kind, 'keyslot_program');
    if (this.onProgram !== NONE) this.env.engine.call(this.onProgram, slot);
    this.ops.keyslotProgram(x, keyId, slot);
  }

  /** Evicts a key; `slot` -1 in a profile without slots. Goes on at `kind(x)` with `status`. */
  evict(x: number, keyId: number, slot: number, kind: number): void {
    if (slot >= 0 && this.env.table.refs[slot] > 0) this.inUse(slot, 'evicted');
    this.begin(x, keyId, slot, kind, 'keyslot_evict');
    if (this.ops.keyslotEvict === undefined) this.opDone(x, OK);
    else this.ops.keyslotEvict(x, keyId, slot);
  }

  /** Announces an operation without a slot (wrapped keys): its caller calls the driver right after. */
  begin(x: number, keyId: number, slot: number, kind: number, what: string): void {
    const { machine } = this.env;
    if (this.ops.maySleep) machine.assertMaySleep(x, what);
    if (this.busy) machine.violate('keyslot-op', `${what} while another operation of ${this.lock.name} is under way`);
    if (this.lock.writer !== x) machine.violate('keyslot-op', `${what} without the ${this.lock.name}`);
    this.busy = true;
    this.context = x;
    this.keyId = keyId;
    this.slot = slot;
    this.continueKind = kind;
    this.output = undefined;
  }

  opDone(x: number, status: number, output?: Uint8Array): void {
    if (!this.busy || this.context !== x)
      throw new Error(`crypto: ${this.lock.name}: an operation ended that did not run`);
    this.busy = false;
    this.status = status;
    this.output = output;
    this.env.engine.call(this.continueKind, x);
  }

  private inUse(slot: number, what: string): void {
    const { machine, table } = this.env;
    machine.violate(
      'keyslot-in-use',
      `slot ${slot} ${what} while ${table.refs[slot]} requests hold key ${table.key[slot]}`,
    );
  }
}

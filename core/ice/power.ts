/**
 * How the driver brings the engine up: enable (after each enable of the storage controller), suspend, resume; and the probe that decides whether it is used at all.
 *
 * A resume does not program the keys again: the engine keeps them while its power domain stays on. Key-manager mode is entered by enable and resume and left by
 * suspend; a key programmed in between is refused.
 * A key manager that is not ready, like a self-test that failed, is only warned of: it is too late to take the capability back.
 *
 * @kernel v6.16 drivers/soc/qcom/ice.c qcom_ice_enable, qcom_ice_resume, qcom_ice_suspend; inline-crypto.md 5.3
 */
import { EOPNOTSUPP, ETIMEDOUT, OK } from '../crypto/profile/types.ts';
import type { Engine } from '../engine/engine.ts';
import type { Machine } from '../engine/machine.ts';
import type { IceEngine } from './engine.ts';
import * as r from './registers.ts';

/** Busy waits before and after the optimisation bits. @source inline-crypto.md 5.3: 5 µs each */
const OPTIMISATION_DELAY_NS = 5_000;
/** @source inline-crypto.md 5.3: a look every 50 µs, 5 ms at most */
const SELF_TEST_POLL_NS = 50_000;
const SELF_TEST_POLLS = 100;
const NONE = -1;
const BANK0_BBACS = 5;

export class IcePower {
  /** The key manager was set up since the last suspend. */
  hwkmReady = false;
  readonly warnings: string[] = [];
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly ice: IceEngine;
  private readonly optimisedKind: number;
  private readonly pollKind: number;
  private readonly wakeKind: number;
  private readonly polls: number[] = [];
  private readonly statuses: number[] = [];

  constructor(engine: Engine, machine: Machine, ice: IceEngine) {
    this.engine = engine;
    this.machine = machine;
    this.ice = ice;
    this.optimisedKind = engine.register('ice.optimised', (x) => this.setUp(x));
    this.pollKind = engine.register('ice.poll', (x) => this.poll(x));
    this.wakeKind = engine.register('ice.wake', (x) => machine.wake(NONE, x));
  }

  /** 0, or -EOPNOTSUPP for an engine that cannot be used: the host goes on without crypto. */
  probe(): number {
    const major = this.ice.read(r.VERSION) >>> 24;
    if (major !== 3 && major !== 4) return EOPNOTSUPP; // @source inline-crypto.md 5.1: supported majors
    return this.ice.read(r.FUSE_SETTING) === 0 ? OK : EOPNOTSUPP;
  }

  /** Enables the engine: out of bypass. Ends with `machine.ret(x)`, then `status(x)`. Context: a task. */
  enable(x: number): void {
    const { ice, machine } = this;
    machine.assertMaySleep(x, 'qcom_ice_enable');
    this.set(x, r.ADVANCED_CONTROL, ice.read(r.ADVANCED_CONTROL) | r.LOW_POWER_BITS);
    this.set(x, r.ADVANCED_CONTROL, ice.read(r.ADVANCED_CONTROL) | r.OPTIMISATION_BITS);
    machine.run(x, 2 * (OPTIMISATION_DELAY_NS + machine.costs.mmioReadNs), this.optimisedKind, x);
  }

  /** Clock on, key manager, self-test. Ends with `machine.ret(x)`, then `status(x)`. Context: a task. */
  resume(x: number): void {
    this.machine.assertMaySleep(x, 'qcom_ice_resume');
    this.ice.clockOn = true;
    this.setUp(x);
  }

  /** Enabled without taking any time: for runs that begin with a host that is already up. */
  setUpNow(): void {
    this.ice.write(r.ADVANCED_CONTROL, r.LOW_POWER_BITS | r.OPTIMISATION_BITS);
    if (this.ice.config.useWrappedKeys) this.setUpKeyManager(NONE);
  }

  /** Clock off. Instantaneous. */
  suspend(): void {
    this.ice.clockOn = false;
    this.hwkmReady = false;
  }

  /** errno of the last enable or resume of `x`: -ETIMEDOUT when the self-test did not end. */
  status(x: number): number {
    return this.statuses[x];
  }

  private setUp(x: number): void {
    if (this.ice.config.useWrappedKeys) this.setUpKeyManager(x);
    this.polls[x] = 0;
    this.poll(x);
  }

  private setUpKeyManager(x: number): void {
    const { ice } = this;
    if (ice.config.hwkm === 2) this.set(x, r.CONTROL, ice.read(r.CONTROL) & ~r.CONTROL_LEGACY_MODE);
    const keep = ice.config.hwkm === 1 ? ~(r.TZ_KM_CTL_CRC_OFF | r.TZ_KM_CTL_LEGACY_MODE) : ~r.TZ_KM_CTL_CRC_OFF;
    this.set(x, r.TZ_KM_CTL, ice.read(r.TZ_KM_CTL) & keep);
    for (let i = 0; i < BANK0_BBACS; i++) this.set(x, r.BANK0_BBAC + 4 * i, 0xffffffff);
    this.set(x, r.BANK0_IRQ_STATUS, r.IRQ_STATUS_RESPONSE_FIFO);
    this.hwkmReady = true;
  }

  /** Looks whether the self-test is still running. Only that is an error; how it ended nobody asks. */
  private poll(x: number): void {
    const { machine, ice } = this;
    machine.charge(x, machine.costs.mmioReadNs);
    if (ice.read(r.BIST_STATUS) === 0) this.end(x, OK);
    else if (this.polls[x]++ === SELF_TEST_POLLS) this.end(x, ETIMEDOUT);
    else {
      this.engine.after(SELF_TEST_POLL_NS, this.wakeKind, x);
      machine.sleep(x, this.pollKind, x);
    }
  }

  private end(x: number, status: number): void {
    if (status === OK && this.hwkmReady && this.ice.read(r.TZ_KM_STATUS) !== r.KM_READY[this.ice.config.hwkm]) {
      this.warnings.push('the self-test of the key manager failed');
    }
    this.statuses[x] = status;
    this.machine.ret(x);
  }

  private set(x: number, offset: number, value: number): void {
    this.machine.charge(x, this.machine.costs.mmioWriteNs);
    this.ice.write(offset, value >>> 0);
  }
}

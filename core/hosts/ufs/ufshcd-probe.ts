/**
 * Bringing up host, link and device: as a list of steps that the probe takes its time over, that a host reset repeats, and that runs without time before the first
 * event of an experiment.
 *
 * Modelled: keys restored before the host is enabled (ufshcd-crypto.ts), host enable, link start-up, list bases and run-stop, NOP, fDeviceInit, power mode change, auto-hibern8, MCQ queues, unit attention.
 * Not modelled: reading every descriptor, well-known logical units, the LUN scan.
 *
 * @kernel v6.12 ufshcd_hba_enable, ufshcd_link_startup, ufshcd_make_hba_operational, ufshcd_device_init; order: inline-crypto.md 6.1, 6.3
 */
import { FLAG_DEVICE_INIT } from './device-management.ts';
import * as r from './registers.ts';
import { encodeAhit } from './ufshci-auto-hibern8.ts';
import * as uic from './ufshci-uic.ts';
import type { Ufshcd } from './ufshcd.ts';
import type { DevCommand } from './ufshcd-command.ts';
import { END, NEXT, type Step } from './ufshcd-scripts.ts';
import * as u from './upiu.ts';

/** Interrupts the driver enables. @kernel UFSHCD_ENABLE_INTRS */
export const ENABLED_INTERRUPTS =
  r.IS_UTRCS | r.IS_UTMRCS | r.IS_UCCS | r.IS_UPMS | r.IS_UHXS | r.IS_UHES | r.IS_UE | r.IS_FATAL;
/** Wait after HCE = 1 before the first look, and between looks. @source inline-crypto.md 3.5 */
const HCE_WAIT_NS = 1_000_000;
const HCE_LOOKS = 50;
/** Between two looks at fDeviceInit. @kernel ufshcd_complete_dev_init: 500 µs, then longer */
const INIT_POLL_NS = 1_000_000;
const INIT_POLLS = 1500;

/** @kernel NOP_OUT_RETRIES 10, QUERY_REQ_RETRIES 3 */
const NOP_TRIES = 10;
const QUERY_TRIES = 3;

export class Prober {
  /** The last bring-up failed at this step. */
  failedAt = '';
  readonly steps: readonly Step[];
  private readonly hba: Ufshcd;
  private looks = 0;

  constructor(hba: Ufshcd) {
    this.hba = hba;
    this.steps = this.buildSteps();
  }

  private buildSteps(): Step[] {
    return [
      (x) => this.hba.crypto?.reprogram(x) ?? NEXT,
      (x) => this.enableHost(x),
      (x) => this.waitEnabled(x),
      (x) => this.hba.crypto?.afterEnable(x) ?? NEXT,
      (x) => this.startLink(x),
      (x) => this.linkStarted(x),
      ...this.command('nop', { kind: 'nop', opcode: 0, idn: 0, value: 0 }, NOP_TRIES),
      ...this.command('set fDeviceInit', { kind: 'query', opcode: u.QUERY_SET_FLAG, idn: FLAG_DEVICE_INIT, value: 1 }),
      (x) => this.readInitFlag(x),
      (x) => this.deviceInitialised(x),
      ...this.powerModeSteps(),
      ...this.command('request sense', { kind: 'scsi', opcode: u.SCSI_REQUEST_SENSE, idn: 0, value: 0 }),
      (x) => this.makeReady(x),
    ];
  }

  /** A device management command, sent again until it succeeds or has been tried often enough. */
  private command(what: string, command: DevCommand, tries = QUERY_TRIES): Step[] {
    const { commands, scripts } = this.hba;
    let left = 0;
    return [
      (x) => {
        left = tries;
        return commands.send(x, command);
      },
      (x) => {
        if (commands.succeeded()) return NEXT;
        if (--left === 0) return this.check(what, false);
        commands.send(x, command);
        return scripts.repeatWhenSignalled();
      },
    ];
  }

  private check(what: string, ok: boolean): number {
    if (ok) return NEXT;
    this.failedAt = what;
    return END;
  }

  private write(x: number, offset: number, value: number): void {
    this.hba.machine.charge(x, this.hba.machine.costs.mmioWriteNs);
    this.hba.hci.write(offset, value);
  }

  private read(x: number, offset: number): number {
    this.hba.machine.charge(x, this.hba.machine.costs.mmioReadNs);
    return this.hba.hci.read(offset);
  }

  private enableHost(x: number): number {
    this.failedAt = '';
    this.looks = 0;
    this.write(x, r.HCE, r.HCE_ENABLE | (this.hba.crypto?.enableBits ?? 0));
    return HCE_WAIT_NS;
  }

  private waitEnabled(x: number): number {
    if ((this.read(x, r.HCE) & r.HCE_ENABLE) !== 0) return NEXT;
    if (++this.looks > HCE_LOOKS) return this.check('host enable', false);
    return this.hba.scripts.repeatAfter(HCE_WAIT_NS);
  }

  private startLink(x: number): number {
    this.write(x, r.IE, ENABLED_INTERRUPTS);
    return this.hba.commands.sendUic(x, uic.DME_LINK_STARTUP);
  }

  /** Link up: list bases, aggregation, run-stop; all three ready bits must stand (inline-crypto.md 3.4). */
  private linkStarted(x: number): number {
    const { hba } = this;
    const ready = r.HCS_DP | r.HCS_UCRDY | r.HCS_UTRLRDY | r.HCS_UTMRLRDY;
    const up = hba.commands.uicSucceeded(x, false) && (this.read(x, r.HCS) & ready) === ready;
    if (!up) return this.check('link start-up', false);
    this.write(x, r.UTRIACR, this.aggregationValue());
    this.write(x, r.UTRLBA, hba.mem.utrl);
    this.write(x, r.UTRLBAU, 0);
    this.write(x, r.UTMRLBA, hba.mem.utmrl);
    this.write(x, r.UTMRLBAU, 0);
    this.write(x, r.UTMRLRSR, 1);
    this.write(x, r.UTRLRSR, 1);
    if (hba.config.mcqQueues > 0) hba.mcq.setUpQueues(x);
    return NEXT;
  }

  private aggregationValue(): number {
    const { interruptAggregation, nutrs } = this.hba.config;
    if (!interruptAggregation.on) return 0;
    const counter = Math.min(interruptAggregation.counter === 0 ? nutrs - 1 : interruptAggregation.counter, 31);
    const value = r.UTRIACR_IAEN | r.UTRIACR_PWEN | r.UTRIACR_CTR | (counter << r.UTRIACR_COUNTER_SHIFT);
    return (value | interruptAggregation.timeoutUnits) >>> 0;
  }

  private readInitFlag(x: number): number {
    this.looks = 0;
    return this.hba.commands.send(x, { kind: 'query', opcode: u.QUERY_READ_FLAG, idn: FLAG_DEVICE_INIT, value: 0 });
  }

  /** fDeviceInit reads 0 when the device is initialised; until then it is read again every millisecond. */
  private deviceInitialised(x: number): number {
    const { commands, hci } = this.hba;
    if (commands.succeeded() && (commands.queryValue() === 0 || hci.instant)) return NEXT;
    if (++this.looks > INIT_POLLS) return this.check('fDeviceInit stays set', false);
    if (this.looks % 2 === 1) return this.hba.scripts.repeatAfter(INIT_POLL_NS);
    commands.send(x, { kind: 'query', opcode: u.QUERY_READ_FLAG, idn: FLAG_DEVICE_INIT, value: 0 });
    return this.hba.scripts.repeatWhenSignalled();
  }

  private powerModeSteps(): Step[] {
    const { hba } = this;
    const { gear, lanes, rate } = hba.config.link;
    const set = (attribute: number, value: number, power: boolean): Step[] => [
      (x) => hba.commands.sendUic(x, uic.DME_SET, attribute, value),
      (x) => this.check('power mode', hba.commands.uicSucceeded(x, power)),
    ];
    return [
      ...set(uic.PA_TX_GEAR, gear, false),
      ...set(uic.PA_RX_GEAR, gear, false),
      ...set(uic.PA_ACTIVE_TX_LANES, lanes, false),
      ...set(uic.PA_ACTIVE_RX_LANES, lanes, false),
      ...set(uic.PA_HS_SERIES, rate === 'B' ? 2 : 1, false),
      ...set(uic.PA_PWR_MODE, uic.PWR_MODE_FAST, true),
    ];
  }

  private makeReady(x: number): number {
    const { autoHibern8Ns } = this.hba.config;
    if (autoHibern8Ns > 0) this.write(x, r.AHIT, encodeAhit(autoHibern8Ns));
    return NEXT;
  }
}

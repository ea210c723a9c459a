/**
 * UIC commands of a UFS host controller: link start-up, attribute access, power mode change, hibern8. One at a time; each takes its time and ends with status bits.
 *
 * Modelled: the link state (off, active, hibern8, broken), gear and lanes as PA attributes, UPMCRS. Not modelled: attributes without effect here (kept as plain values),
 * test mode, end point reset of the device.
 *
 * @source UFSHCI 4.0 chapter 5.6 and 7.4; UniPro attribute numbers: MIPI UniPro 1.8; inline-crypto.md 3.1, 3.3, 3.12, 3.13
 */
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';

export const DME_GET = 0x01;
export const DME_SET = 0x02;
export const DME_PEER_GET = 0x03;
export const DME_PEER_SET = 0x04;
export const DME_LINK_STARTUP = 0x16;
export const DME_HIBERNATE_ENTER = 0x17;
export const DME_HIBERNATE_EXIT = 0x18;

// PA layer attributes. @source UniPro 1.8 table of PHY adapter attributes
export const PA_ACTIVE_TX_LANES = 0x1560;
export const PA_TX_GEAR = 0x1568;
export const PA_HS_SERIES = 0x156a;
export const PA_PWR_MODE = 0x1571;
export const PA_ACTIVE_RX_LANES = 0x1580;
export const PA_RX_GEAR = 0x1583;
/** FAST mode in both directions. */
export const PWR_MODE_FAST = 0x11;

export const LINK_OFF = 0;
export const LINK_ACTIVE = 1;
export const LINK_HIBERN8 = 2;
export const LINK_BROKEN = 3;
export const LINK_STATE_NAMES = ['off', 'active', 'hibern8', 'broken'] as const;

/** ConfigResultCode: attribute cannot be accessed, busy. @source UniPro 1.8 */
const RESULT_FAILURE = 0x0a;
const NONE = -1;

export class UicUnit {
  linkState = LINK_OFF;
  hibern8Enters = 0;
  hibern8Exits = 0;
  /** Fault hooks: the next hibern8 exit breaks the link; the next UIC command is never answered. */
  breakNextExit = false;
  loseNext = false;
  /** Fault hooks: link start-up fails, always or so many times. */
  neverStarts = false;
  failStarts = 0;
  private readonly hci: Ufshci;
  private readonly doneKind: number;
  private readonly attributes = new Map<number, number>();
  private pending = NONE;
  private seq = NONE;

  constructor(hci: Ufshci) {
    this.hci = hci;
    this.doneKind = hci.engine.register('ufshci.uic-done', (op) => this.done(op));
  }

  reset(): void {
    this.linkState = LINK_OFF;
    this.pending = NONE;
    this.seq = NONE;
    this.attributes.clear();
  }

  /** UICCMD was written. */
  start(op: number): void {
    const regs = this.hci.registers;
    if ((regs.get(r.HCS) & r.HCS_UCRDY) === 0 || this.pending !== NONE) return; // not ready: the command is not taken
    this.pending = op;
    regs.clearBits(r.HCS, r.HCS_UCRDY);
    if (this.loseNext) {
      this.loseNext = false;
      return;
    }
    if (this.hci.instant) this.done(op);
    else this.seq = this.hci.engine.after(this.latencyNs(op), this.doneKind, op);
  }

  private latencyNs(op: number): number {
    const { timing, hibern8 } = this.hci.config;
    if (op === DME_LINK_STARTUP) return timing.linkStartupNs;
    if (op === DME_HIBERNATE_ENTER) return hibern8.enterNs;
    if (op === DME_HIBERNATE_EXIT) return hibern8.exitNs;
    if (op === DME_SET && this.hci.registers.get(r.UCMDARG1) >>> 16 === PA_PWR_MODE) return timing.powerModeChangeNs;
    return op === DME_PEER_GET || op === DME_PEER_SET ? 2 * timing.dmeNs : timing.dmeNs;
  }

  private done(op: number): void {
    const { hci } = this;
    if (!hci.instant && this.seq !== hci.engine.seq) return;
    this.pending = NONE;
    hci.autoHibern8.linkUsed();
    hci.registers.setBits(r.HCS, r.HCS_UCRDY);
    if (op === DME_LINK_STARTUP) this.linkUp();
    else if (op === DME_HIBERNATE_ENTER) this.enterHibern8();
    else if (op === DME_HIBERNATE_EXIT) this.exitHibern8();
    else this.access(op);
  }

  private linkUp(): void {
    const { hci } = this;
    if (this.neverStarts || this.failStarts > 0) {
      if (this.failStarts > 0) this.failStarts--;
      this.finish(RESULT_FAILURE, r.IS_UCCS);
      return;
    }
    this.linkState = LINK_ACTIVE;
    hci.link.changeMode({ gear: 0, lanes: 1, rate: 'A' });
    hci.registers.setBits(r.HCS, r.HCS_DP | r.HCS_UTRLRDY | r.HCS_UTMRLRDY);
    this.finish(0, r.IS_UCCS);
  }

  private enterHibern8(): void {
    const can = this.linkState === LINK_ACTIVE && this.hci.outstanding === 0;
    if (can) {
      this.linkState = LINK_HIBERN8;
      this.hibern8Enters++;
      this.hci.crypto.happened('hibernate');
    }
    this.powerModeResult(can, r.IS_UHES);
  }

  private exitHibern8(): void {
    const can = this.linkState === LINK_HIBERN8 && !this.breakNextExit;
    this.breakNextExit = false;
    this.linkState = can ? LINK_ACTIVE : LINK_BROKEN;
    if (can) this.hibern8Exits++;
    this.powerModeResult(can, r.IS_UHXS);
  }

  private powerModeResult(ok: boolean, bit: number): void {
    const regs = this.hci.registers;
    regs.set(r.HCS, (regs.get(r.HCS) & ~0x700) | ((ok ? r.UPMCRS_LOCAL : r.UPMCRS_FATAL) << 8));
    this.finish(0, bit | r.IS_UCCS);
  }

  private access(op: number): void {
    const regs = this.hci.registers;
    const attribute = regs.get(r.UCMDARG1) >>> 16;
    if (op === DME_GET || op === DME_PEER_GET) {
      regs.set(r.UCMDARG3, this.attributes.get(attribute) ?? 0);
      this.finish(0, r.IS_UCCS);
    } else if (op === DME_SET || op === DME_PEER_SET) {
      this.attributes.set(attribute, regs.get(r.UCMDARG3));
      if (attribute === PA_PWR_MODE) this.changePowerMode();
      else this.finish(0, r.IS_UCCS);
    } else this.finish(RESULT_FAILURE, r.IS_UCCS);
  }

  /** Writing PA_PWRMode puts gears, lanes and series into effect. */
  private changePowerMode(): void {
    const gear = this.attributes.get(PA_TX_GEAR) ?? 1;
    const lanes = this.attributes.get(PA_ACTIVE_TX_LANES) ?? 1;
    const rate = this.attributes.get(PA_HS_SERIES) === 2 ? 'B' : 'A';
    this.hci.link.changeMode({ gear, lanes, rate });
    this.powerModeResult(true, r.IS_UPMS);
  }

  private finish(result: number, bits: number): void {
    const regs = this.hci.registers;
    regs.set(r.UCMDARG2, (regs.get(r.UCMDARG2) & ~0xff) | result);
    this.hci.raise(bits);
  }
}

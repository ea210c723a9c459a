/**
 * Interrupt aggregation of a UFS host controller: completions without their I bit are counted, and one interrupt stands for as many as the counter says or as
 * come within the timeout of the first.
 *
 * @source inline-crypto.md 3.1 (UTRIACR), 3.10
 */
import * as r from './registers.ts';
import type { Ufshci } from './ufshci.ts';

export class Aggregation {
  /** Completions that did not interrupt by themselves. */
  completions = 0;
  private readonly hci: Ufshci;
  private readonly timer: number;
  /** Completions since the last interrupt. */
  private count = 0;

  constructor(hci: Ufshci) {
    this.hci = hci;
    this.timer = hci.engine.createTimer(
      hci.engine.register('ufshci.aggregation', () => this.fires()),
      0,
    );
  }

  reset(): void {
    this.count = 0;
    this.hci.engine.cancelTimer(this.timer);
  }

  /** UTRIACR was written. */
  write(value: number): void {
    const regs = this.hci.registers;
    const old = regs.get(r.UTRIACR);
    const wanted = (value & r.UTRIACR_PWEN) !== 0 ? value : (value & ~0x1fff) | (old & 0x1fff);
    regs.write(r.UTRIACR, wanted);
    if ((value & r.UTRIACR_CTR) === 0) return;
    this.count = 0;
    this.hci.engine.cancelTimer(this.timer);
    regs.clearBits(r.UTRIACR, r.UTRIACR_IASB);
  }

  /** A completion without its I bit: counted; the interrupt comes with the counter or the timer. */
  completed(): void {
    const regs = this.hci.registers;
    const control = regs.get(r.UTRIACR);
    if ((control & r.UTRIACR_IAEN) === 0) return;
    this.completions++;
    const threshold = (control >>> r.UTRIACR_COUNTER_SHIFT) & 0x1f;
    if (++this.count === 1) {
      regs.setBits(r.UTRIACR, r.UTRIACR_IASB);
      const timeout = control & 0xff;
      if (timeout > 0) this.hci.engine.armTimer(this.timer, this.hci.engine.now + timeout * r.AGGREGATION_UNIT_NS);
    }
    if (threshold > 0 && this.count >= threshold) this.fires();
  }

  private fires(): void {
    this.count = 0;
    this.hci.engine.cancelTimer(this.timer);
    this.hci.registers.clearBits(r.UTRIACR, r.UTRIACR_IASB);
    this.hci.raise(r.IS_UTRCS);
  }
}

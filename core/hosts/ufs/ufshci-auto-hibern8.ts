/**
 * Auto-hibern8 of a UFS host controller: the link goes to sleep by itself after an idle time and wakes up with the next command, which pays for it.
 *
 * Modelled without events: when the idle timer ran out is worked out when somebody asks. Not modelled: failures of the automatic transitions.
 *
 * @source inline-crypto.md 3.1 (AHIT), 3.13
 */
import type { Ufshci } from './ufshci.ts';
import { LINK_ACTIVE, LINK_HIBERN8 } from './ufshci-uic.ts';

export class AutoHibern8 {
  enters = 0;
  private readonly hci: Ufshci;
  /** Idle time until the link sleeps; 0: off. */
  private timerNs = 0;
  private idleSinceNs = 0;

  constructor(hci: Ufshci) {
    this.hci = hci;
  }

  reset(): void {
    this.timerNs = 0;
  }

  /** AHIT was written. */
  setTimer(ahit: number): void {
    this.timerNs = autoHibern8Ns(ahit);
    this.idleSinceNs = this.hci.engine.now;
  }

  /**
   * When the link can carry a command that was rung now. Auto-hibern8 needs no event: whether the idle timer ran out is known only
   * when somebody asks.
   */
  linkReadyNs(now: number): number {
    if (this.timerNs === 0 || this.hci.outstanding !== 0 || this.hci.uic.linkState !== LINK_ACTIVE) return now;
    const enteredNs = this.idleSinceNs + this.timerNs;
    if (now < enteredNs) return now;
    this.enters++;
    this.hci.crypto.happened('hibernate');
    const { enterNs, exitNs } = this.hci.config.hibern8;
    if (this.hci.log.on) this.hci.log.event('ufshci', 'auto-hibern8.left', enteredNs, NaN);
    return Math.max(now, enteredNs + enterNs) + exitNs;
  }

  /** The link was used by a UIC command: the idle time of auto-hibern8 begins anew. */
  linkUsed(): void {
    if (this.timerNs > 0) this.idleSinceNs = this.hci.engine.now;
  }

  /** True while the link sleeps, by command or by the idle timer. */
  isHibernating(): boolean {
    if (this.hci.uic.linkState === LINK_HIBERN8) return true;
    return this.timerNs > 0 && this.hci.outstanding === 0 && this.hci.engine.now >= this.idleSinceNs + this.timerNs;
  }
}

/** Idle time that an AHIT value stands for (ns); 0 is off. @source inline-crypto.md 3.1, 3.13 */
export function autoHibern8Ns(ahit: number): number {
  const scale = Math.min((ahit >>> 10) & 7, 5);
  return (ahit & 0x3ff) * 10 ** scale * 1000;
}

/** AHIT value for an idle time: the finest scale that can express it. */
export function encodeAhit(idleNs: number): number {
  let units = Math.floor(idleNs / 1000);
  let scale = 0;
  while (units > 0x3ff && scale < 5) {
    units = Math.floor(units / 10);
    scale++;
  }
  return (scale << 10) | Math.min(units, 0x3ff);
}

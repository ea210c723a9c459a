/**
 * The M-PHY/UniPro link between host and device: gear, lanes, rate, two directions that work at the same time, each first-in-first-out.
 *
 * Modelled as reservation arithmetic: a transfer takes the direction from the end of the one before it, for its bytes at the payload bandwidth; no event
 * per byte or frame. A unit arrives a fixed latency after its last byte left. Not modelled: credits, replays, per-lane skew, frame interleaving.
 *
 * @source rates: M-PHY 4.x as in inline-crypto.md 3.12; ceiling of 90 % of the 8b/10b payload: peers-and-calibration.md C.6
 */

import { type DetailLog, NO_LOG } from '../../trace/log.ts';

/** Line rate of gear 1 rate B and rate A, Mbit/s per lane; each gear doubles it. @source inline-crypto.md 3.12 */
const RATE_B_MBPS = 1457.6;
const RATE_A_MBPS = 1248;
/** PWM-G1, the mode after link start-up: 0.9 MB/s. @source inline-crypto.md 3.12 */
const PWM_G1_BYTES_PER_SECOND = 900_000;
/** 8b/10b coding. */
const CODING = 0.8;
/** What UPIU headers and UniPro framing leave of the coded payload. @source peers-and-calibration.md C.6 (4,200 of 4,664; 2,100 of 2,332) */
const FRAMING = 0.9;

export interface LinkMode {
  /** 1–5; 0 stands for PWM-G1, the mode after link start-up. */
  readonly gear: number;
  readonly lanes: number;
  readonly rate: 'A' | 'B';
}

/** Bytes of payload per second and direction in this mode. */
export function payloadBytesPerSecond(mode: LinkMode): number {
  if (mode.gear === 0) return PWM_G1_BYTES_PER_SECOND * mode.lanes;
  const mbps = (mode.rate === 'B' ? RATE_B_MBPS : RATE_A_MBPS) * 2 ** (mode.gear - 1);
  return ((mbps * 1e6) / 8) * CODING * FRAMING * mode.lanes;
}

/** Host to device. */
export const DOWN = 0;
/** Device to host. */
export const UP = 1;

export class Link {
  mode: LinkMode;
  /** From a unit's last byte on the wire until the other side has it (ns). */
  readonly latencyNs: number;
  /** Start of the transfer reserved last. */
  startNs = 0;
  /** Payload bytes sent per direction, and ns for which it was busy. */
  readonly bytes = new Float64Array(2);
  readonly busyNs = new Float64Array(2);
  gearChanges = 0;
  /** Which I/O an owner's transfer is for; only asked for the log of detail `full`. */
  ioOf: (owner: number) => number = () => NaN;

  private readonly log: DetailLog;
  private nsPerByte = 0;
  private readonly freeNs = new Float64Array(2);
  /** Who sent last, and since when without a break. */
  private readonly owner = new Int32Array(2).fill(-1);
  private readonly runStartNs = new Float64Array(2);

  constructor(mode: LinkMode, latencyNs: number, log: DetailLog = NO_LOG) {
    this.mode = mode;
    this.log = log;
    this.latencyNs = latencyNs;
    this.changeMode(mode);
    this.gearChanges = 0;
  }

  /** Changes gear, lanes or rate; transfers reserved before keep their times. */
  changeMode(mode: LinkMode): void {
    this.mode = mode;
    this.nsPerByte = 1e9 / payloadBytesPerSecond(mode);
    this.gearChanges++;
  }

  /** How long so many bytes keep a direction busy (ns). */
  transferNs(bytes: number): number {
    return Math.ceil(bytes * this.nsPerByte);
  }

  /**
   * Reserves a direction for `bytes` of `owner`, from `fromNs` or when it is free. Returns when the last byte is out; `startNs` holds the start of the
   * unbroken run of transfers of this owner that ends with it.
   */
  reserve(direction: number, owner: number, bytes: number, fromNs: number): number {
    const free = this.freeNs[direction];
    const start = free > fromNs ? free : fromNs;
    const tookNs = Math.ceil(bytes * this.nsPerByte);
    if (owner !== this.owner[direction] || start !== free) {
      this.owner[direction] = owner;
      this.runStartNs[direction] = start;
    }
    this.startNs = this.runStartNs[direction];
    this.bytes[direction] += bytes;
    this.busyNs[direction] += tookNs;
    if (this.log.on) {
      const who = direction === DOWN ? 'link/down' : 'link/up';
      this.log.span(who, 'link', start, start + tookNs, NaN, this.ioOf(owner));
    }
    return (this.freeNs[direction] = start + tookNs);
  }

  /** Forgets what was reserved (link start-up, reset). */
  restart(): void {
    this.freeNs.fill(0);
    this.bytes.fill(0);
    this.busyNs.fill(0);
    this.owner.fill(-1);
  }
}

/** What each context is in the middle of, and what it got last: the columns of `CryptoProfile.get`, indexed by context. */
import { wider } from '../../engine/columns.ts';
import { NO_KEY, NO_SLOT } from './types.ts';

export class GetColumns {
  keyId = new Int32Array(256).fill(NO_KEY);
  slot = new Int32Array(256).fill(NO_SLOT);
  status = new Int32Array(256);
  /** It slept for an idle slot. */
  waited = new Uint8Array(256);
  /** It is a `tryProgram`. */
  isTry = new Uint8Array(256);
  /** Up to where its time is accounted; NaN outside a get. */
  private sinceNs = new Float64Array(256).fill(NaN);

  begin(x: number, keyId: number, nowNs: number): void {
    while (x >= this.keyId.length) this.grow();
    this.keyId[x] = keyId;
    this.waited[x] = 0;
    this.isTry[x] = 0;
    this.sinceNs[x] = nowNs;
  }

  end(x: number, slot: number, status: number): void {
    while (x >= this.keyId.length) this.grow();
    this.slot[x] = slot;
    this.status[x] = status;
    this.sinceNs[x] = NaN;
  }

  /** Ns since the last call (or `begin`); NaN outside a get. */
  elapsed(x: number, nowNs: number): number {
    const elapsedNs = nowNs - this.sinceNs[x];
    if (!Number.isNaN(elapsedNs)) this.sinceNs[x] = nowNs;
    return elapsedNs;
  }

  private grow(): void {
    const n = this.keyId.length * 2;
    this.keyId = wider(this.keyId, new Int32Array(n).fill(NO_KEY));
    this.slot = wider(this.slot, new Int32Array(n).fill(NO_SLOT));
    this.status = wider(this.status, new Int32Array(n));
    this.waited = wider(this.waited, new Uint8Array(n));
    this.isTry = wider(this.isTry, new Uint8Array(n));
    this.sinceNs = wider(this.sinceNs, new Float64Array(n).fill(NaN));
  }
}

/**
 * What each keyslot held, and when: the spans behind the occupancy chart and the table `keyslot_span`.
 *
 * A slot is `programming` while a key is written into it, `in_use` while requests hold it, `idle` while it keeps a key that nobody uses; an empty slot has no
 * span. A slot in use whose key is restored after a reset stays `in_use`: it does not change hands.
 */
import { type KeyslotSpans, NO_KEY, type SlotState } from './types.ts';

const STATES: readonly SlotState[] = ['programming', 'in_use', 'idle'];
export const SPAN_PROGRAMMING = 0;
export const SPAN_IN_USE = 1;
export const SPAN_IDLE = 2;
export const SPAN_EMPTY = 3;

export class SlotSpans {
  private readonly sink: KeyslotSpans;
  private readonly state: Uint8Array;
  private readonly keyId: Int32Array;
  private readonly sinceNs: Float64Array;

  constructor(sink: KeyslotSpans, slots: number) {
    this.sink = sink;
    this.state = new Uint8Array(slots).fill(SPAN_EMPTY);
    this.keyId = new Int32Array(slots).fill(NO_KEY);
    this.sinceNs = new Float64Array(slots);
  }

  /** From now on the slot is in `state` (SPAN_*) with `keyId`; without a key it is empty. */
  change(slot: number, state: number, keyId: number, nowNs: number): void {
    if (!this.sink.on) return;
    this.report(slot, nowNs);
    this.state[slot] = keyId === NO_KEY ? SPAN_EMPTY : state;
    this.keyId[slot] = keyId;
    this.sinceNs[slot] = nowNs;
  }

  /** Reports the open spans up to now: at the end of a run. They go on. */
  finish(nowNs: number): void {
    if (!this.sink.on) return;
    for (let slot = 0; slot < this.state.length; slot++) {
      this.report(slot, nowNs);
      this.sinceNs[slot] = nowNs;
    }
  }

  private report(slot: number, nowNs: number): void {
    const state = this.state[slot];
    if (state === SPAN_EMPTY || this.sinceNs[slot] === nowNs) return;
    this.sink.span(slot, this.keyId[slot], STATES[state], this.sinceNs[slot], nowNs);
  }
}

/**
 * The log of detail `full`: events, register accesses and spans. Rooms call it behind its `on` flag, so that a run at lower detail pays one predictable branch:
 *
 *     if (log.on) log.register('ufshci', offset, 'UTRLDBR', before, after, '');
 */
export interface DetailLog {
  /** False at detail `summary` and `requests`. */
  readonly on: boolean;
  /** Something happened: `kind` in past tense (`request.requeued`), with up to two ids of the room's own (NaN for none), now or at `atNs`. */
  event(room: string, kind: string, id1: number, id2: number, atNs?: number): void;
  /**
   * A register of a hardware block was written (or changed by hardware). Values are unsigned 32-bit, NaN where they are key material; `fields`: the new value decoded, empty
   * where the value says it all.
   */
  register(block: string, offset: number, name: string, before: number, after: number, fields: string): void;
  /** Something was busy from `startNs` to `endNs`: `who` (`die/3`, `link`, `cpu/0`), in which stage, on which CPU (NaN for none), for which I/O (NaN for none). */
  span(who: string, stage: string, startNs: number, endNs: number, cpu: number, ioId: number): void;
}

/** A log that is off: for tests and for detail below `full`. */
export const NO_LOG: DetailLog = {
  on: false,
  event: () => undefined,
  register: () => undefined,
  span: () => undefined,
};

/** Named values over time (queue depth, tags in use, power state): recorded when they change. */
export interface GaugeLog {
  readonly on: boolean;
  /** Registers a gauge and returns its id. Done while the stack is built. */
  define(name: string): number;
  set(gauge: number, value: number): void;
}

export const NO_GAUGES: GaugeLog = { on: false, define: () => 0, set: () => undefined };

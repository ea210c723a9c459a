/**
 * Service times of the null device: fixed, uniform or exponential, in integer nanoseconds of at least 1.
 *
 * Fixed times draw nothing, so a fixed device leaves its random stream untouched.
 */
import type { RandomStream } from '../../engine/random.ts';

export type ServiceTime =
  | { readonly kind: 'fixed'; readonly latencyNs: number }
  /** Every integer of [minNs, maxNs] is equally likely. */
  | { readonly kind: 'uniform'; readonly minNs: number; readonly maxNs: number }
  | { readonly kind: 'exponential'; readonly meanNs: number };

/** The mean in ns (the continuous one: rounding and the floor of 1 ns are left aside). */
export function meanServiceNs(time: ServiceTime): number {
  switch (time.kind) {
    case 'fixed':
      return time.latencyNs;
    case 'uniform':
      return (time.minNs + time.maxNs) / 2;
    case 'exponential':
      return time.meanNs;
  }
}

/** One draw: integer ns, at least 1. */
export function drawServiceNs(time: ServiceTime, stream: RandomStream): number {
  switch (time.kind) {
    case 'fixed':
      return Math.max(1, time.latencyNs);
    case 'uniform':
      return Math.max(1, time.minNs + stream.below(time.maxNs - time.minNs + 1));
    case 'exponential':
      return Math.max(1, Math.round(stream.exponential(time.meanNs)));
  }
}

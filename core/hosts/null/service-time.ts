/**
 * Service times of the null device: fixed, uniform or exponential, in integer nanoseconds of at least 1.
 *
 * Fixed times draw nothing, so a fixed device leaves its random stream untouched.
 */
import type { RandomStream } from '../../engine/random.ts';

export type ServiceTime =
  | { readonly distribution: 'fixed'; readonly ns: number }
  /** Every integer of [minNs, maxNs] is equally likely. */
  | { readonly distribution: 'uniform'; readonly minNs: number; readonly maxNs: number }
  | { readonly distribution: 'exponential'; readonly meanNs: number };

/** The mean in ns (the continuous one: rounding and the floor of 1 ns are left aside). */
export function meanServiceNs(time: ServiceTime): number {
  switch (time.distribution) {
    case 'fixed':
      return time.ns;
    case 'uniform':
      return (time.minNs + time.maxNs) / 2;
    case 'exponential':
      return time.meanNs;
  }
}

/** One draw: integer ns, at least 1. */
export function drawServiceNs(time: ServiceTime, stream: RandomStream): number {
  switch (time.distribution) {
    case 'fixed':
      return Math.max(1, time.ns);
    case 'uniform':
      return Math.max(1, time.minNs + stream.below(time.maxNs - time.minNs + 1));
    case 'exponential':
      return Math.max(1, Math.round(stream.exponential(time.meanNs)));
  }
}

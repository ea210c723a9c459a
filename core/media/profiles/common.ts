/** Figures that no maker publishes and that all shipped profiles share, each an assumption. */
import type { MediaProfile } from '../profile.ts';

/** Hosts' reads overtake programs; the order among the rest is first come, first served. */
export const commonScheduling: MediaProfile['scheduling'] = {
  readPriority: true, // @assume usual in mobile controllers
  maxReadsInRow: 16, // @assume no write starves behind reads
  programBudgetDies: 0,
};

export const commonFtl: MediaProfile['ftl'] = {
  precondition: 'sequential', // @assume a phone's device is in use, not fresh
  overprovisioningPermille: 73, // @assume the binary/decimal difference (2^30 / 10^9)
  gcLowBlocks: 4, // @assume
  gcIdleBlocks: 8, // @assume
  mapCacheBytes: 0,
  discardNs: 50_000, // @assume an UNMAP edits the map in memory; no published figure
};

export const commonSlc: MediaProfile['slc'] = {
  enabled: true,
  permille: 50, // @source peers-and-calibration C.3: 3-6 % of the user capacity, assumed there
  sizeBytes: 0,
  dynamic: false,
  migrate: 'idle', // @source C.3: flushed explicitly or during hibern8, not under load
  idleDelayNs: 100_000_000, // @assume
};

export const commonBuffer: MediaProfile['buffer'] = {
  writeBytes: 4_194_304, // @assume enough for every die to program natively while the next unit arrives
  hitNs: 1_000, // @assume SRAM look-up and copy of 4 KiB
  writeBackDelayNs: 2_000_000, // @assume
};

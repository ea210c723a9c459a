/**
 * eMMC 5.1, 64 GB class: 2 dies of TLC on one channel behind HS400, one firmware core, SLC cache.
 *
 * Targets it was checked against (C.1, vendor): 250 / 125 MB/s, 11,000 / 13,000 IOPS. Fitted: firmware times on the random rates, channel rate on sequential
 * reads, SLC program time on sequential writes (they are cache results, C.1).
 * Section numbers in the comments are those of peers-and-calibration (Part C).
 */
import type { MediaProfile } from '../profile.ts';
import { commonBuffer, commonFtl, commonScheduling, commonSlc } from './common.ts';

export const emmc51Tlc: MediaProfile = {
  name: 'emmc-5.1-tlc',
  capacityBytes: 64 * 2 ** 30, // @assume
  geometry: {
    channels: 1, // @assume
    diesPerChannel: 2, // @assume
    planesPerDie: 2, // @source C.5: 96-layer dies have two planes
    pageBytes: 16_384, // @source C.5
    pagesPerBlock: 1_152, // @assume 96 layers x 4 strings x 3 bits
    pagesPerProgram: 3, // @source C.5: one-pass TLC
  },
  timing: {
    readNs: 58_000, // @source C.5: 96-layer TLC, tR 58 us
    programNs: 1_730_000, // @source C.5: 96-layer TLC, 1.73 ms for three pages of two planes
    eraseNs: 4_000_000, // @source C.5: suggested 3-5 ms
    slcReadNs: 25_000, // @source C.5: suggested, assumed there
    slcProgramNs: 400_000, // @assume fitted: 2 dies x 63 MB/s for the 125 MB/s of C.1
    slcEraseNs: 3_000_000, // @source C.5: suggested, assumed there
    readJitterNs: 0,
    suspendNs: 0, // @assume low-cost controllers do not suspend
    maxSuspends: 0,
  },
  bus: {
    mtPerS: 266, // @assume ONFI NV-DDR2 mode class: fitted to the 250 MB/s of C.1
    overheadNs: 300, // @assume command, address and turn-around cycles
  },
  scheduling: commonScheduling,
  buffer: { ...commonBuffer, writeBytes: 1_048_576 /* @assume */ },
  slc: commonSlc,
  ftl: commonFtl,
  readAhead: { windowBytes: 0 },
  firmware: {
    cores: 1, // @assume
    readCommandNs: 89_000, // @assume fitted: 11.2 k/s (C.1: 11,000)
    writeCommandNs: 75_000, // @assume fitted: 13.3 k/s (C.1: 13,000)
  },
};

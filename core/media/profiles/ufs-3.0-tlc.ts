/**
 * UFS 3.0, 512 GB class of 2019: 8 dies of 96-layer TLC on two channels behind an HS-G4 x 2 interface, no WriteBooster (it came with UFS 3.1).
 *
 * Targets it was checked against (C.1, vendor): 2,100 / 410 MB/s, 63,000 / 68,000 IOPS. Fitted: the firmware times on the random rates. The write rate follows from the
 * die's 57 MB/s (C.5) alone.
 * Section numbers in the comments are those of peers-and-calibration (Part C).
 */
import type { MediaProfile } from '../profile.ts';
import { commonBuffer, commonFtl, commonScheduling, commonSlc } from './common.ts';

export const ufs30Tlc: MediaProfile = {
  name: 'ufs-3.0-tlc',
  capacityBytes: 64 * 2 ** 30, // @assume keeps runs small; the timing is that of the 512 GB part
  geometry: {
    channels: 2, // @source C.1: suggested starting geometry, 2 channels x 4-8 dies with 2-4 planes
    diesPerChannel: 4, // @source C.1
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
    slcProgramNs: 200_000, // @source C.5: suggested 200-300 us, assumed there
    slcEraseNs: 3_000_000, // @source C.5: suggested, assumed there
    readJitterNs: 0,
    suspendNs: 50_000, // @assume
    maxSuspends: 8, // @assume
  },
  bus: {
    mtPerS: 1_200, // @assume two channels must feed the 2,100 MB/s of C.1
    overheadNs: 300, // @assume command, address and turn-around cycles
  },
  scheduling: commonScheduling,
  buffer: commonBuffer,
  slc: { ...commonSlc, enabled: false },
  ftl: commonFtl,
  readAhead: { windowBytes: 0 },
  firmware: {
    cores: 2, // @assume
    readCommandNs: 31_000, // @assume fitted: 2 cores / 31 us = 65 k/s (C.1: 63,000)
    writeCommandNs: 29_000, // @assume fitted: 2 cores / 29 us = 69 k/s (C.1: 68,000)
  },
};

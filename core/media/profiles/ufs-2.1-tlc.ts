/**
 * UFS 2.1, 1 TB class of 2019: 16 dies of 96-layer TLC on two channels behind an HS-G3 x 2 interface, no WriteBooster (it came with UFS 2.2 and 3.1).
 *
 * Targets it was checked against (C.1, vendor): 1,000 / 260 MB/s, 58,000 / 50,000 IOPS. Fitted: the firmware times on the random rates. The write rate
 * is that of five dies, far below what 16 could do: the supply-current budget is the assumption that explains it.
 * Section numbers in the comments are those of peers-and-calibration (Part C).
 */
import type { MediaProfile } from '../profile.ts';
import { commonBuffer, commonFtl, commonScheduling, commonSlc } from './common.ts';

export const ufs21Tlc: MediaProfile = {
  name: 'ufs-2.1-tlc',
  capacityBytes: 64 * 2 ** 30, // @assume keeps runs small; the timing is that of the 1 TB part
  geometry: {
    channels: 2, // @source C.1: suggested starting geometry, 2 channels x 4-8 dies with 2-4 planes
    diesPerChannel: 8, // @assume 1 TB of 512 Gb dies
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
    mtPerS: 533, // @assume ONFI 3 / Toggle 2 class: two channels carry just the 1,000 MB/s of C.1
    overheadNs: 300, // @assume command, address and turn-around cycles
  },
  scheduling: { ...commonScheduling, programBudgetDies: 5 /* @assume 5 dies x 52 MB/s = 260 MB/s */ },
  buffer: commonBuffer,
  slc: { ...commonSlc, enabled: false },
  ftl: commonFtl,
  readAhead: { windowBytes: 0 },
  firmware: {
    cores: 2, // @assume
    readCommandNs: 34_000, // @assume fitted: 2 cores / 34 us = 59 k/s (C.1: 58,000)
    writeCommandNs: 39_500, // @assume fitted: 2 cores / 39.5 us = 51 k/s (C.1: 50,000)
  },
};

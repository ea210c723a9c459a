/**
 * UFS 4.0, 512 GB class of 2022: 8 four-plane dies of the 2021 generation on two channels behind an HS-G5 x 2 interface, with WriteBooster.
 *
 * Targets it was checked against (C.1, vendor): 4,200 / 2,800 MB/s; random rates were not published, so the firmware figures are assumptions and nothing else.
 * Section numbers in the comments are those of peers-and-calibration (Part C).
 */
import type { MediaProfile } from '../profile.ts';
import { commonBuffer, commonFtl, commonScheduling, commonSlc } from './common.ts';

export const ufs40Tlc: MediaProfile = {
  name: 'ufs-4.0-tlc',
  capacityBytes: 64 * 2 ** 30, // @assume keeps runs small; the timing is that of the 512 GB part
  geometry: {
    channels: 2, // @source C.1: suggested starting geometry, 2 channels x 4-8 dies with 2-4 planes
    diesPerChannel: 4, // @source C.1
    planesPerDie: 4, // @source C.5: Samsung 2021
    pageBytes: 16_384, // @source C.5
    pagesPerBlock: 2_112, // @assume 176 layers x 4 strings x 3 bits
    pagesPerProgram: 3, // @source C.5: one-pass TLC
  },
  timing: {
    readNs: 40_000, // @source C.5: Samsung 2021
    programNs: 1_070_000, // @source C.5: Samsung 2021, 184 MB/s per die
    eraseNs: 4_000_000, // @source C.5: suggested 3-5 ms
    slcReadNs: 25_000, // @source C.5: suggested, assumed there
    slcProgramNs: 160_000, // @assume between C.5's 200 us and 124 us, which is 200 us scaled like the native program (1.07 / 1.73)
    slcEraseNs: 3_000_000, // @source C.5: suggested, assumed there
    readJitterNs: 0,
    suspendNs: 50_000, // @assume
    maxSuspends: 8, // @assume
  },
  bus: {
    mtPerS: 2_400, // @assume ONFI 5 / Toggle 5 class, as 4,200 MB/s over two channels demand
    overheadNs: 300, // @assume command, address and turn-around cycles
  },
  scheduling: commonScheduling,
  buffer: { ...commonBuffer, writeBytes: 8_388_608 /* @assume twice the program unit of UFS 3.1 */ },
  slc: commonSlc,
  ftl: commonFtl,
  readAhead: { windowBytes: 0 },
  firmware: {
    cores: 4, // @assume multi-circular queues need more firmware threads
    readCommandNs: 20_000, // @assume C.5: 20-40 us
    writeCommandNs: 25_000, // @assume
  },
};

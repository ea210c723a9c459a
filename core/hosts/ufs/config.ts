/**
 * What a UFS host and device are built with: link, queue depth, power saving, firmware figures. Every value has a default with its source; a definition may override each.
 * Times are integer ns.
 */
import { cryptoProblems, type UfsCryptoConfig } from './crypto-config.ts';
import type { LinkMode } from './link.ts';

export type UfsGeneration = 'ufs-2.1' | 'ufs-3.0' | 'ufs-3.1' | 'ufs-4.0';

export interface ClockGating {
  readonly on: boolean;
  /** What a command meets when clocks are off: `busy` (kernels up to early 2023: host blocked, requeue) or `blocking` (the dispatcher sleeps). */
  readonly generation: 'busy' | 'blocking';
  /** From the release of the last reference until the clocks go off. */
  readonly gateAfterNs: number;
  /** Clocks and PHY back on. */
  readonly ungateNs: number;
}

export interface Hibern8 {
  readonly enterNs: number;
  readonly exitNs: number;
  /** Gating clocks also puts the link into hibern8. */
  readonly withClockGating: boolean;
}

export interface RuntimePm {
  /** Idle time until runtime suspend; 0 turns it off. */
  readonly autosuspendNs: number;
  /** Resume: regulators, link and device out of sleep. */
  readonly resumeNs: number;
}

export interface InterruptAggregation {
  readonly on: boolean;
  /** Completions per interrupt; 0 stands for the number of slots minus 1. */
  readonly counter: number;
  /** Timeout in units of 40 µs. */
  readonly timeoutUnits: number;
}

/** Figures of the device's firmware, from the media profile. */
export interface Firmware {
  readonly readCommandNs: number;
  readonly writeCommandNs: number;
  readonly cores: number;
}

export interface UfsConfig {
  readonly generation: UfsGeneration;
  readonly link: LinkMode;
  /** Slots of the controller (single doorbell: at most 32), one of which is reserved for device management. */
  readonly nutrs: number;
  /** 0: single doorbell; else multi-circular-queue mode with so many queues. */
  readonly mcqQueues: number;
  /** Commands in flight over all queues in MCQ mode (they share one set of tags), the reserved one not counted. */
  readonly mcqDepth: number;
  readonly clockGating: ClockGating;
  readonly hibern8: Hibern8;
  /** Idle time until the controller enters hibern8 by itself; 0: off. Rounded down to what AHIT can express. */
  readonly autoHibern8Ns: number;
  readonly runtimePm: RuntimePm;
  readonly interruptAggregation: InterruptAggregation;
  readonly firmware: Firmware;
  readonly crypto: UfsCryptoConfig;
  /** CPU that takes the interrupt of the single doorbell. */
  readonly irqCpu: number;
  readonly capacityBytes: number;
  readonly timing: UfsTiming;
  readonly retries: number;
  /** Throw on accesses to unknown registers (tests). */
  readonly strict: boolean;
}

/** Latencies of controller, link and device that no command pays twice. */
export interface UfsTiming {
  /** Doorbell to descriptors fetched: UTRD, command UPIU, PRDT by DMA. */
  readonly fetchNs: number;
  /** Response arrived to response UPIU, OCS and doorbell written. */
  readonly writeBackNs: number;
  /** Last byte of a unit sent until the other side acts on it. */
  readonly linkLatencyNs: number;
  /** Ready-to-transfer received until the first data of the host is ready for the link. */
  readonly dataFetchNs: number;
  /** HCE = 1 until it reads 1. */
  readonly enableNs: number;
  readonly linkStartupNs: number;
  /** DME_GET, DME_SET on this side; peer accesses take twice that. */
  readonly dmeNs: number;
  readonly powerModeChangeNs: number;
  /** Device: NOP, query, and commands without data. */
  readonly otherCommandNs: number;
  /** Device: fDeviceInit until the flag reads 0. */
  readonly deviceInitNs: number;
  /** Device reset line and its recovery. */
  readonly deviceResetNs: number;
  /** Driver gives up waiting for a UIC command. */
  readonly uicTimeoutNs: number;
  /** Driver gives up waiting for a task management answer. */
  readonly tmTimeoutNs: number;
  /** Driver gives up waiting for a NOP or query. */
  readonly devCommandTimeoutNs: number;
}

export const DEFAULT_TIMING: UfsTiming = {
  fetchNs: 500, // @assume three dependent DMA reads of about 170 ns in a phone's interconnect
  writeBackNs: 200, // @assume posted DMA writes, then the register
  linkLatencyNs: 300, // @assume serdes, UniPro layers and CRC of one hop
  dataFetchNs: 300, // @assume one DMA read before data can flow
  enableNs: 200_000, // @assume; Linux waits 1 ms before it looks
  linkStartupNs: 20_000_000, // @source inline-crypto.md 3.13 (emulator default)
  dmeNs: 5_000, // @assume a few PACP frames in PWM mode
  powerModeChangeNs: 500_000, // @assume
  otherCommandNs: 10_000, // @assume a firmware command without data
  deviceInitNs: 5_000_000, // @assume; Linux allows 1,500 ms
  deviceResetNs: 10_000, // @source kernel: RST_n held at least 1 µs, 10 µs recovery in ufs-qcom
  uicTimeoutNs: 500_000_000, // @source peers-and-calibration.md C.6: 500 ms
  tmTimeoutNs: 100_000_000, // @source kernel ufshcd TM_CMD_TIMEOUT 100 ms
  devCommandTimeoutNs: 1_500_000_000, // @source kernel ufshcd QUERY_REQ_TIMEOUT 1,500 ms
};

/** Gear a generation runs at with two lanes. @source peers-and-calibration.md C.6 */
const GEAR: Readonly<Record<UfsGeneration, number>> = { 'ufs-2.1': 3, 'ufs-3.0': 4, 'ufs-3.1': 4, 'ufs-4.0': 5 };
const DEFAULT_CAPACITY_BYTES = 64 * 1024 ** 3;

/** The defaults of a generation. */
export function defaultUfsConfig(generation: UfsGeneration): UfsConfig {
  return {
    generation,
    link: { gear: GEAR[generation], lanes: 2, rate: 'B' },
    nutrs: 32, // @source inline-crypto.md 3.2
    mcqQueues: 0,
    mcqDepth: 63, // @source inline-crypto.md 3.11: 64 commands, one of them reserved
    clockGating: {
      on: true,
      generation: 'blocking',
      gateAfterNs: 150_000_000, // @source peers-and-calibration.md C.6: 150 ms
      ungateNs: 200_000, // @source inline-crypto.md 3.13 (emulator default)
    },
    hibern8: { enterNs: 100_000, exitNs: 300_000, withClockGating: true }, // @source inline-crypto.md 3.13 (emulator defaults)
    autoHibern8Ns: 0,
    runtimePm: {
      autosuspendNs: 2_000_000_000, // @source peers-and-calibration.md C.6: 2,000 ms
      resumeNs: 10_000_000, // @assume peers-and-calibration.md C.6: 5–30 ms, no measurement found
    },
    interruptAggregation: { on: false, counter: 0, timeoutUnits: 2 }, // @source inline-crypto.md 3.10
    firmware: { readCommandNs: 8_000, writeCommandNs: 8_000, cores: 2 }, // @assume; the media profile replaces it
    crypto: { capabilities: [], keyslots: 0 },
    irqCpu: 0,
    capacityBytes: DEFAULT_CAPACITY_BYTES,
    timing: DEFAULT_TIMING,
    retries: 5, // @source kernel SD_MAX_RETRIES 5
    strict: false,
  };
}

/** Everything of a configuration that cannot work, as sentences that name the field. */
export function ufsConfigProblems(config: UfsConfig): string[] {
  const problems: string[] = [];
  const { link, nutrs, mcqQueues, mcqDepth } = config;
  if (link.gear < 0 || link.gear > 5) problems.push(`link.gear: ${link.gear} is not in 0..5`);
  if (link.lanes !== 1 && link.lanes !== 2) problems.push(`link.lanes: ${link.lanes} is neither 1 nor 2`);
  if (nutrs < 2 || nutrs > 32) problems.push(`nutrs: ${nutrs} is not in 2..32`);
  if (mcqQueues > 32) problems.push(`mcqQueues: ${mcqQueues} is above 32`);
  if (mcqDepth < 1 || mcqDepth > 255) problems.push(`mcqDepth: ${mcqDepth} is not in 1..255 (task tags have 8 bits)`);
  if (config.firmware.cores < 1) problems.push('firmware.cores: at least 1');
  return [...problems, ...cryptoProblems(config.crypto)];
}

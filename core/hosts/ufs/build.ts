/**
 * Puts controller, device and driver together: what the experiment's builder calls. The flash is attached afterwards, because it needs the device (its client) and the device
 * needs it.
 */
import type { QueueLimits } from '../../block/types.ts';
import type { CryptoProfile } from '../../crypto/profile/profile.ts';
import type { WaitEdge } from '../../engine/waits.ts';
import type { Media, MediaClient } from '../../media/types.ts';
import type { StageId } from '../../trace/stages.ts';
import type { UfsBlock } from './block-port.ts';
import { type UfsConfig, ufsConfigProblems } from './config.ts';
import { PRDT_DATA_UNIT } from './prdt-keys.ts';
import { PRDT_ENTRIES, PRDT_MAX_BYTES } from './descriptors.ts';
import { type DataParts, DataPhases } from './data-phases.ts';
import { BLOCK_BYTES } from './device.ts';
import { cryptoSnapshot, cryptoStatistics, type UfsCryptoSnapshot } from './crypto-report.ts';
import type { UfsCryptoParts } from './ufshcd-crypto.ts';
import type { UfsEnv } from './env.ts';
import * as r from './registers.ts';
import { LINK_STATE_NAMES } from './ufshci-uic.ts';
import { Ufshci } from './ufshci.ts';
import { HOST_STATE_NAMES, STATE_ERROR, STATE_OPERATIONAL, STATE_RESET, Ufshcd } from './ufshcd.ts';
import { UfshcdMemory } from './ufshcd-memory.ts';
import { CLOCK_STATE_NAMES } from './ufshcd-power.ts';

/** What the block layer's queue must be set up with for a UFS host. */
export interface UfsQueueShape {
  readonly limits: QueueLimits;
  /** Driver tags: of the one hardware queue, or shared by all (`hostTagset`). */
  readonly queueDepth: number;
  readonly hwQueues: number;
  /** BLK_MQ_F_TAG_HCTX_SHARED: as every SCSI host with several queues; a slot belongs to one tag. */
  readonly hostTagset: boolean;
  /** BLK_MQ_F_BLOCKING: queue_rq may sleep. */
  readonly blocking: boolean;
}

/** Largest request: 1 MiB. @source blk-mq-and-formats.md 1.1 (max_sectors of the host template) */
const MAX_SECTORS = 2048;
/** UNMAP of up to 1 GiB at a time. @assume bMaxUnmapLBACount differs per vendor */
const MAX_DISCARD_SECTORS = 2 * 1024 * 1024;

/** Limits, depth and flags of the request queue over a host of this configuration. */
export function ufsQueueShape(config: UfsConfig): UfsQueueShape {
  const sectorsPerBlock = BLOCK_BYTES / 512;
  const maxSegmentSize = config.crypto.engine === 'prdt' ? PRDT_DATA_UNIT : PRDT_MAX_BYTES;
  const maxSectors = Math.min(MAX_SECTORS, (PRDT_ENTRIES * maxSegmentSize) / 512);
  return {
    limits: {
      logicalBlockSize: BLOCK_BYTES,
      physicalBlockSize: BLOCK_BYTES,
      maxHwSectors: maxSectors,
      maxSectors,
      maxSegments: PRDT_ENTRIES,
      maxSegmentSize,
      chunkSectors: 0,
      maxDiscardSectors: MAX_DISCARD_SECTORS - (MAX_DISCARD_SECTORS % sectorsPerBlock),
      discardGranularity: BLOCK_BYTES,
      maxWriteZeroesSectors: 0,
      writeCache: true,
      fua: true,
    },
    queueDepth: config.mcqQueues > 0 ? config.mcqDepth : config.nutrs - 1,
    hwQueues: Math.max(config.mcqQueues, 1),
    hostTagset: config.mcqQueues > 0,
    blocking: mayBlock(config),
  };
}

/** Hosts that gate clocks (or suspend) in the current generation sleep in queue_rq. */
function mayBlock(config: UfsConfig): boolean {
  const sleeps = config.clockGating.on || config.runtimePm.autosuspendNs > 0;
  return sleeps && config.clockGating.generation === 'blocking';
}

/** Stages that requests to a UFS device can be in, beside those of submitter and block layer. */
export const UFS_STAGES: readonly StageId[] = [
  'wait.power',
  'host.cpu',
  'host.queue',
  'link',
  'wait.link',
  'device.wait',
  'device.cpu',
  'media.wait',
  'media',
  'complete.irq',
];

export interface Ufs {
  readonly stages: readonly StageId[];
  readonly lld: Ufshcd;
  /** For the request queue; undefined for a host that does not encrypt. */
  readonly profile: CryptoProfile | undefined;
  /** What the media talks to. */
  readonly client: MediaClient;
  attachMedia(media: Media): void;
  /** Data runs: the medium's bytes, the host's memory, the ciphers of the engine. */
  attachData(parts: DataParts): void;
  /** Brings everything up before time starts, by the same register writes as the probe; throws when it fails. */
  bringUp(): void;
  /** The driver lets go of the host: hardware off, profile destroyed. The queues that had it must be gone, and everything idle. */
  remove(): void;
  /** Asks for a host reset (a fault). Context: any; -1 outside contexts. */
  reset(x: number): void;
  reportWaits(add: (edge: WaitEdge) => void): void;
  /** What is left at the end of a run, as sentences. */
  checkEmpty(): string[];
  statistics(): Readonly<Record<string, number>>;
  /** What has become of the host that its user should know, as sentences. */
  warnings(): string[];
  /** Registers, states and descriptors for the inspector. */
  snapshot(): UfsSnapshot;
}

export interface UfsSnapshot {
  readonly hostState: string;
  readonly clocks: string;
  readonly link: { readonly state: string; readonly gear: number; readonly lanes: number; readonly rate: string };
  readonly registers: readonly { readonly name: string; readonly offset: number; readonly value: number }[];
  readonly slots: readonly {
    readonly slot: number;
    readonly request: number;
    readonly state: number;
    /** Keyslot of an encrypted command, PLAIN (-1) or PRDT_KEYS. */
    readonly cci: number;
  }[];
  /** Undefined for a host that does not encrypt. */
  readonly crypto: UfsCryptoSnapshot | undefined;
}

/** Builds a UFS host with its device. Throws when the configuration cannot work (the definition was not validated). */
export function buildUfs(env: UfsEnv, config: UfsConfig, block: UfsBlock, crypto?: UfsCryptoParts): Ufs {
  const problems = ufsConfigProblems(config);
  if (problems.length > 0) throw new Error(`ufs: ${problems.join('; ')}`);
  const mem = new UfshcdMemory(config);
  const ports = {
    irq: (vector: number) => driver.irq(vector),
    misuse: (what: string) => {
      env.machine.violate('ufshci-misuse', what);
    },
  };
  const hci = new Ufshci(env.engine, config, mem.memory, block.requests, env.log, ports);
  const driver = new Ufshcd(env, config, block, hci, mem, crypto);
  return {
    stages: driver.crypto === undefined ? UFS_STAGES : [...UFS_STAGES, 'inline'],
    lld: driver,
    client: hci.device,
    attachMedia: (media) => hci.device.attachMedia(media),
    attachData: (parts) => hci.device.attachData(new DataPhases(hci, parts)),
    bringUp: () => bringUp(driver),
    remove: () => remove(driver),
    reset: (x) => driver.eh.scheduleReset(x),
    profile: driver.crypto?.profile,
    reportWaits: (add) => {
      driver.power.reportWaits(add);
      driver.crypto?.profile.reportWaits(add);
    },
    checkEmpty: () => checkEmpty(driver),
    statistics: () => statistics(driver),
    warnings: () => warnings(driver),
    snapshot: () => snapshot(driver),
  };
}

function bringUp(driver: Ufshcd): void {
  const { hci } = driver;
  hci.instant = true;
  hci.device.instant = true;
  driver.scripts.runInstantly(driver.probeScript);
  hci.startOfTime();
  if (driver.state !== STATE_OPERATIONAL) throw new Error(`ufs: bring-up failed at ${driver.prober.failedAt}`);
}

/** The profile is part of the host: it ends after the hardware was stopped and before the host does. @kernel v6.15 ufshcd_remove, devres */
function remove(driver: Ufshcd): void {
  driver.power.forceOn();
  driver.state = STATE_RESET;
  driver.hci.write(r.HCE, 0);
  driver.crypto?.profile.destroy();
}

function checkEmpty(driver: Ufshcd): string[] {
  const left: string[] = [];
  driver.requestOf.forEach((rq, slot) => {
    if (rq >= 0) left.push(`ufs: slot ${slot} still carries request ${rq}`);
  });
  if (driver.hci.outstanding > 0) left.push(`ufs: ${driver.hci.outstanding} commands are left in the controller`);
  if (driver.power.refs !== 0) left.push(`ufs: ${driver.power.refs} clock references are left`);
  if (driver.crypto !== undefined) left.push(...driver.crypto.profile.checkEmpty());
  return left;
}

function warnings(driver: Ufshcd): string[] {
  const { state, eh, crypto } = driver;
  const gaveUp = `the UFS host is in its error state: ${eh.hostResets} host resets did not bring it up`;
  return [...(state === STATE_ERROR ? [gaveUp] : []), ...(crypto?.profile.warnings ?? [])];
}

function statistics(driver: Ufshcd): Readonly<Record<string, number>> {
  const { hci, power, eh } = driver;
  return {
    ...hci.device.statistics(),
    accepted: driver.accepted,
    completed: driver.completed,
    requeued: driver.requeued,
    retried: driver.retried,
    failed: driver.failed,
    interrupts: driver.interrupts,
    maxInFlight: driver.maxInFlight,
    refusedBusy: driver.refusedBusy,
    gates: power.gates,
    ungates: power.ungates,
    runtimeSuspends: power.suspends,
    runtimeResumes: power.resumes,
    powerWaits: power.waits,
    powerWaitNs: power.waitNs,
    hibern8Enters: hci.uic.hibern8Enters,
    hibern8Exits: hci.uic.hibern8Exits,
    autoHibern8Enters: hci.autoHibern8.enters,
    aborts: eh.aborts,
    hostResets: eh.hostResets,
    linkErrors: eh.linkErrors,
    taskManagement: hci.tasks.requests,
    linkDownBytes: hci.link.bytes[0],
    linkUpBytes: hci.link.bytes[1],
    linkDownBusyNs: hci.link.busyNs[0],
    linkUpBusyNs: hci.link.busyNs[1],
    ...cryptoStatistics(driver),
  };
}

function snapshot(driver: Ufshcd): UfsSnapshot {
  const { hci } = driver;
  return {
    hostState: HOST_STATE_NAMES[driver.state],
    clocks: CLOCK_STATE_NAMES[driver.power.clocks],
    link: { state: LINK_STATE_NAMES[hci.uic.linkState], ...hci.link.mode },
    registers: hci.registers.snapshot(),
    slots: Array.from(driver.requestOf, (request, slot) => ({
      slot,
      request,
      state: hci.slots.state[slot],
      cci: hci.slots.cci[slot],
    })),
    crypto: cryptoSnapshot(driver),
  };
}

/** A UFS device of a definition as the rooms build it: host configuration, flash behind it, crypto capability words. */
import type { Block } from '../block/block.ts';
import { softwarePorts } from '../crypto/ciphers/software-ports.ts';
import type { KeyTable } from '../crypto/key.ts';
import { UfsFaults } from '../faults/ufs-faults.ts';
import { buildUfs, ufsQueueShape as queueShapeOf } from '../hosts/ufs/build.ts';
import { defaultUfsConfig, ufsConfigProblems, type UfsConfig } from '../hosts/ufs/config.ts';
import { PRDT_DATA_UNIT, profileCapabilities, UFS_MODE } from '../hosts/ufs/crypto-config.ts';
import type { UfsCryptoParts } from '../hosts/ufs/ufshcd-crypto.ts';
import { type HwkmVersion, type IceConfig, WRAPPED_KEY_BYTES } from '../ice/config.ts';
import { Ice } from '../ice/ice.ts';
import { FlashMedia } from '../media/flash-media.ts';
import type { DeviceRoom, Env, QueueShape } from './build.ts';
import type { CryptoEnv } from './build-crypto.ts';
import type { DataRoom } from './build-data.ts';
import type { ValidUfs } from './definition.ts';
import type { DeviceCrypto } from './validate-encryption.ts';

const GEARS = ['HS-G1', 'HS-G2', 'HS-G3', 'HS-G4', 'HS-G5'] as const;
/** Algorithm id AES-XTS and key size id 256 bit. @source inline-crypto.md 3.6 */
const AES_XTS_256 = (3 << 16) | 0;

const HWKM: Readonly<Record<'v1' | 'v2', HwkmVersion>> = { v1: 1, v2: 2 };

/** As ufsConfigProblems allows. */
const MAX_MCQ_QUEUES = 32;

/** The host configuration that a definition asks for. */
export function ufsConfig(device: ValidUfs, cpus: number): UfsConfig {
  const { host, power } = device;
  const defaults = defaultUfsConfig(host.generation);
  const mcq = usesMcq(device);
  return {
    ...defaults,
    link: {
      ...defaults.link,
      lanes: host.lanes,
      ...(host.gear === undefined ? {} : { gear: GEARS.indexOf(host.gear) + 1 }),
    },
    nutrs: mcq ? defaults.nutrs : (device.queueDepth ?? defaults.nutrs),
    mcqQueues: mcq ? (device.hwQueues ?? Math.min(cpus, 8)) : 0,
    mcqDepth: mcq && device.queueDepth !== undefined ? device.queueDepth - 1 : defaults.mcqDepth,
    clockGating: {
      on: power.clockGating,
      generation: power.generation,
      gateAfterNs: power.gateAfter,
      ungateNs: power.ungate,
    },
    hibern8: { enterNs: power.hibern8Enter, exitNs: power.hibern8Exit, withClockGating: power.hibern8WithGating },
    autoHibern8Ns: power.autoHibern8,
    runtimePm: { autosuspendNs: power.runtimePm ? power.autosuspend : 0, resumeNs: power.resume },
    interruptAggregation: { ...defaults.interruptAggregation, on: host.interruptAggregation },
    firmware: device.media.firmware,
    crypto: cryptoConfig(device),
    capacityBytes: device.capacity,
  };
}

/** What of the host configuration cannot work, with a JSON pointer below `/device`; for validation. */
export function ufsProblems(device: ValidUfs, cpus: number): { readonly path: string; readonly message: string }[] {
  const { host, queueDepth, hwQueues } = device;
  const problems: { path: string; message: string }[] = [];
  const isMcq = usesMcq(device);
  const most = isMcq ? 256 : 32;
  if (queueDepth !== undefined && (queueDepth < 2 || queueDepth > most)) {
    const why = isMcq ? 'with MCQ (task tags have 8 bits)' : 'without MCQ (the doorbell has 32 bits)';
    problems.push({ path: '/queueDepth', message: `must be from 2 to ${most} ${why}; one entry is the driver's own` });
  }
  if (hwQueues !== undefined && hwQueues > (isMcq ? MAX_MCQ_QUEUES : 1))
    problems.push({
      path: '/hwQueues',
      message: isMcq ? `must be at most ${MAX_MCQ_QUEUES}` : 'must be 1 without MCQ (host.mcq)',
    });
  const fastest = defaultUfsConfig(host.generation).link.gear;
  if (host.gear !== undefined && GEARS.indexOf(host.gear) + 1 > fastest)
    problems.push({
      path: '/host/gear',
      message: `${host.gear} is faster than ${host.generation} allows; allowed: ${GEARS.slice(0, fastest).join(', ')}`,
    });
  const { crypto } = device;
  if (crypto?.keyManager !== undefined && crypto.engine !== 'qcom-ice')
    problems.push({ path: '/crypto/keyManager', message: `engine ${crypto.engine} has none; only qcom-ice does` });
  if (problems.length > 0) return problems;
  return ufsConfigProblems(ufsConfig(device, cpus)).map((message) => ({ path: '', message }));
}

function usesMcq({ host }: ValidUfs): boolean {
  return host.mcq ?? host.generation === 'ufs-4.0';
}

/** CRYPTOCAP words of the definition's algorithms, and the engine behind them. */
function cryptoConfig(device: ValidUfs): UfsConfig['crypto'] {
  const { crypto } = device;
  if (crypto === undefined || crypto.engine === 'none') return { capabilities: [], keyslots: 0 };
  const { engine, latency, lineRate, programTime, keysLostOn } = crypto;
  const capabilities = crypto.algorithms.map(({ dataUnitSizes }) => {
    const sizeMask = dataUnitSizes.reduce((mask, bytes) => mask | (bytes / 512), 0);
    return AES_XTS_256 | (sizeMask << 8);
  });
  return {
    capabilities,
    keyslots: engine === 'prdt' ? 0 : crypto.keyslots,
    engine: engine === 'qcom-ice' ? 'ice' : engine,
    latencyNs: latency,
    ...(lineRate === undefined ? {} : { bytesPerUs: lineRate / 1e6 }),
    ...(programTime === undefined ? {} : { programNs: programTime }),
    ...(keysLostOn === undefined ? {} : { keysLostOn }),
  };
}

/** How the block layer must be shaped for this device. */
export function ufsQueueShape(device: ValidUfs, cpus: number): QueueShape {
  return queueShapeOf(ufsConfig(device, cpus));
}

/** What the host's engine can do for validation; undefined: nothing. */
export function ufsDeviceCrypto(device: ValidUfs, cpus: number): DeviceCrypto | undefined {
  const { crypto, power } = device;
  if (crypto === undefined || crypto.engine === 'none') return undefined;
  const config = ufsConfig(device, cpus);
  const { maxDunBytes } = profileCapabilities(config.crypto);
  const mayClocksSleep = power.generation === 'blocking' && (power.clockGating || power.runtimePm);
  return {
    keyslots: config.crypto.keyslots,
    dunBytes: crypto.engine === 'prdt' ? maxDunBytes : Math.min(maxDunBytes, crypto.dunBytes),
    algorithms: crypto.engine === 'prdt' ? [{ mode: UFS_MODE, dataUnitSizes: [PRDT_DATA_UNIT] }] : crypto.algorithms,
    ...(crypto.keyManager === undefined
      ? { keyType: 'raw' }
      : { keyType: 'hw-wrapped', wrappedKeyBytes: WRAPPED_KEY_BYTES[HWKM[crypto.keyManager]] }),
    mayProgrammingSleep: mayClocksSleep || (crypto.engine === 'qcom-ice' && crypto.secureMonitor.calls === 'blocking'),
  };
}

/** Key manager or legacy mode, chosen at probe. */
function keyManagerOf({ keyManager }: { readonly keyManager?: 'v1' | 'v2' | undefined }): Partial<IceConfig> {
  return keyManager === undefined ? {} : { useWrappedKeys: true, hwkm: HWKM[keyManager] };
}

/** The parts by which the host encrypts with the keys of a run. */
function cryptoParts(
  env: Env,
  device: ValidUfs,
  keys: KeyTable,
  profile: CryptoEnv['profile'],
): UfsCryptoParts & { readonly ice?: Ice } {
  const { crypto } = device;
  if (crypto?.engine !== 'qcom-ice') return { keys, env: profile };
  const { programTime, secureMonitor: monitor } = crypto;
  const scm = {
    mode: monitor.calls,
    jitterNs: monitor.jitter,
    tailEvery: monitor.tailEvery,
    tailNs: monitor.tail,
    ...(programTime === undefined ? {} : { setKeyNs: programTime, invalidateNs: programTime }),
  };
  const bytesPerUs = crypto.lineRate === undefined ? Infinity : crypto.lineRate / 1e6;
  const ice = new Ice(
    { ...env, aes: softwarePorts.aesEcb, keys },
    { scm, ice: { slots: crypto.keyslots, latencyNs: crypto.latency, bytesPerUs, ...keyManagerOf(crypto) } },
  );
  return { keys, ice, env: profile };
}

/** Builds host, driver and flash, brought up and ready at time 0. With `crypto` the host encrypts, with `data` real bytes move. */
export function buildUfsDevice(
  env: Env,
  device: ValidUfs,
  block: Block,
  crypto: CryptoEnv | undefined,
  data: DataRoom | undefined,
): DeviceRoom {
  const parts = crypto && cryptoParts(env, device, crypto.keys, crypto.profile);
  const ufs = buildUfs(env, ufsConfig(device, env.machine.cpus), block, parts);
  const media = new FlashMedia(
    env.engine,
    device.media,
    device.capacity,
    ufs.client,
    block.requests.rows,
    env.log,
    env.gauges,
  );
  ufs.attachMedia(media);
  if (data !== undefined) {
    const { host, medium, ciphers } = data;
    ufs.attachData({ host, medium, ciphers, requests: block.requests });
  }
  ufs.bringUp();
  return {
    lld: ufs.lld,
    stages: ufs.stages,
    ...(ufs.profile === undefined ? {} : { profile: ufs.profile }),
    faults: new UfsFaults(ufs, parts?.ice),
    ...(parts?.ice && { inlineKey: parts.ice.inlineKey }),
    warnings: () => ufs.warnings(),
    statistics: () => ({ ...ufs.statistics(), ...media.statistics(), ...parts?.ice?.monitor.statistics() }),
    checkEmpty: () => ufs.checkEmpty(),
    reportWaits: (add) => {
      ufs.reportWaits(add);
    },
  };
}

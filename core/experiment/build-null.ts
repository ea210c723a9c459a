/** A null device of a definition as the rooms build it: pure latency, and keyslots when jobs encrypt. */
import type { Block } from '../block/block.ts';
import { KEY_TYPE_RAW } from '../crypto/mode.ts';
import { CryptoProfile } from '../crypto/profile/profile.ts';
import { NullFaults } from '../faults/null-faults.ts';
import { NullData } from '../hosts/null/null-data.ts';
import { NullDevice } from '../hosts/null/null-device.ts';
import { NullKeyslots } from '../hosts/null/null-keyslots.ts';
import type { CryptoEnv } from './build-crypto.ts';
import type { DataRoom } from './build-data.ts';
import type { DeviceRoom, Env, QueueShape } from './build.ts';
import type { ValidNullDevice } from './definition.ts';
import type { ValidNullCrypto } from './definition-crypto.ts';
import type { DeviceCrypto } from './validate-encryption.ts';

/** Limits of a device that sets none of its own. @kernel v6.12 block/blk-settings.c (BLK_DEF_MAX_SECTORS_CAP), null_blk */
export function nullQueueShape(device: ValidNullDevice): QueueShape {
  return {
    limits: {
      logicalBlockSize: device.logicalBlockSize,
      physicalBlockSize: device.logicalBlockSize,
      maxHwSectors: 2560,
      maxSectors: 2560,
      maxSegments: 128,
      maxSegmentSize: 65_536,
      chunkSectors: 0,
      maxDiscardSectors: 4_194_303,
      discardGranularity: device.logicalBlockSize,
      maxWriteZeroesSectors: 0,
      writeCache: true,
      fua: true,
    },
    queueDepth: device.queueDepth,
    hwQueues: device.hwQueues,
    hostTagset: false,
    blocking: false,
  };
}

/** What the device's engine can do for validation; undefined: nothing. */
export function nullDeviceCrypto({ crypto }: ValidNullDevice): DeviceCrypto | undefined {
  return crypto && { ...crypto, keyType: 'raw', mayProgrammingSleep: crypto.programming === 'sleep' };
}

/** The device's keyslots. */
function nullKeyslots(env: Env, crypto: ValidNullCrypto): NullKeyslots {
  const { keyslots: slots, programTime: programNs, programming } = crypto;
  return new NullKeyslots(env, { slots, programNs, programming });
}

/** The profile over them. */
function nullProfile(
  env: Env,
  { keyslots: slots, dunBytes, algorithms }: ValidNullCrypto,
  { keys, profile }: CryptoEnv,
  keyslots: NullKeyslots,
): CryptoProfile {
  const modes: Record<string, number> = {};
  for (const { mode, dataUnitSizes } of algorithms)
    modes[mode] = dataUnitSizes.reduce((mask, size) => mask | size, modes[mode] ?? 0);
  return new CryptoProfile(
    { ...env, ...profile, keys },
    { name: 'null', slots, maxDunBytes: dunBytes, modes, keyTypes: KEY_TYPE_RAW },
    keyslots,
  );
}

/** Builds the device. With `crypto` it has keyslots, with `data` it has a medium. */
export function buildNullDevice(
  env: Env,
  device: ValidNullDevice,
  block: Block,
  crypto: CryptoEnv | undefined,
  data: DataRoom | undefined,
): DeviceRoom {
  const { latency, crypto: engine } = device;
  const keyslots = crypto && engine && nullKeyslots(env, engine);
  const profile = keyslots && nullProfile(env, engine, crypto, keyslots);
  const lld = new NullDevice(
    { ...env, block, ...(keyslots && engine.programming === 'post' && { posted: keyslots }) },
    {
      latency:
        typeof latency === 'number'
          ? { kind: 'fixed', latencyNs: latency }
          : latency.distribution === 'uniform'
            ? { kind: 'uniform', minNs: latency.min, maxNs: latency.max }
            : { kind: 'exponential', meanNs: latency.mean },
      parallelism: device.parallelism,
      bandwidthBytesPerSecond: device.bandwidth,
    },
  );
  if (data !== undefined) {
    const { host, medium, ciphers } = data;
    const slotKeys = profile === undefined || profile.slots === 0 ? undefined : keyslots?.keyOf;
    lld.data = new NullData({ requests: block.requests, host, medium, ciphers, keys: crypto?.keys, slotKeys });
  }
  return {
    lld,
    ...(keyslots && profile && { profile, faults: new NullFaults(profile, keyslots) }),
    stages: lld.stages,
    statistics: () => lld.statistics(),
    checkEmpty: () => [...lld.checkEmpty(), ...(profile?.checkEmpty() ?? [])],
    reportWaits: (add) => {
      lld.reportWaits(add);
      profile?.reportWaits(add);
    },
  };
}

/** A null device of a definition as the rooms build it: pure latency, and keyslots when jobs encrypt. */
import type { Block } from '../block/block.ts';
import { KEY_TYPE_RAW } from '../crypto/mode.ts';
import { CryptoProfile } from '../crypto/profile/profile.ts';
import { NullFaults } from '../faults/null-faults.ts';
import { NullDevice } from '../hosts/null/null-device.ts';
import { NullKeyslots } from '../hosts/null/null-keyslots.ts';
import type { CryptoEnv } from './build-crypto.ts';
import type { DeviceRoom, Env, QueueShape } from './build.ts';
import type { ValidNullDevice } from './definition.ts';
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
  return crypto && { ...crypto, mayProgrammingSleep: crypto.programming === 'sleep' };
}

interface NullCrypto {
  readonly profile: CryptoProfile;
  readonly faults: NullFaults;
}

/** The profile over the device's keyslots. */
function nullProfile(env: Env, { crypto }: ValidNullDevice, { keys, profile }: CryptoEnv): NullCrypto | undefined {
  if (crypto === undefined) return undefined;
  const { keyslots: slots, dunBytes, algorithms, programTime, programming } = crypto;
  const modes: Record<string, number> = {};
  for (const { mode, dataUnitSizes } of algorithms)
    modes[mode] = dataUnitSizes.reduce((mask, size) => mask | size, modes[mode] ?? 0);
  const slotted = new NullKeyslots(env, { slots, programNs: programTime, sleeps: programming === 'sleep' });
  const config = { name: 'null', slots, maxDunBytes: dunBytes, modes, keyTypes: KEY_TYPE_RAW };
  const made = new CryptoProfile({ ...env, ...profile, keys }, config, slotted);
  return { profile: made, faults: new NullFaults(made, slotted) };
}

/** Builds the device. With `crypto` it has keyslots. */
export function buildNullDevice(env: Env, device: ValidNullDevice, block: Block, crypto?: CryptoEnv): DeviceRoom {
  const keyslots = crypto && nullProfile(env, device, crypto);
  const { latency } = device;
  const lld = new NullDevice(
    { ...env, block },
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
  return {
    lld,
    ...keyslots,
    stages: lld.stages,
    statistics: () => lld.statistics(),
    checkEmpty: () => [...lld.checkEmpty(), ...(keyslots?.profile.checkEmpty() ?? [])],
    reportWaits: (add) => {
      lld.reportWaits(add);
      keyslots?.profile.reportWaits(add);
    },
  };
}

/**
 * What an inline crypto engine is built from, with the figures of a phone.
 *
 * @source inline-crypto.md 5; peers-and-calibration.md C.9
 */

/** How the kernel calls the secure monitor for keys: with a mutex, sleeps and retries, or once and without any of them. */
export type ScmMode = 'blocking' | 'atomic';

/** Version of the hardware key manager; it decides the size of wrapped keys and the numbering of slots. */
export type HwkmVersion = 1 | 2;

export interface ScmConfig {
  readonly mode: ScmMode;
  /** Set-key and the calls on wrapped keys: world switch, key schedule, and what the trusted firmware does else. */
  readonly setKeyNs: number;
  readonly invalidateNs: number;
  /** Added to each: uniform in [0, jitterNs). */
  readonly jitterNs: number;
  /** One call in `tailEvery` takes `tailNs` instead; 0: none. */
  readonly tailEvery: number;
  readonly tailNs: number;
  /** Pause between two tries of a blocking call that the firmware was too busy for, and how many pauses it makes. */
  readonly busyPauseNs: number;
  readonly busyPauses: number;
}

export const DEFAULT_SCM: ScmConfig = {
  mode: 'blocking',
  setKeyNs: 80_000, // @source inline-crypto.md 5.2 (emulator default): no published figure
  invalidateNs: 80_000, // @source the same
  jitterNs: 40_000, // @source the same
  tailEvery: 100, // @source the same: 1 % at 1 ms
  tailNs: 1_000_000, // @source the same
  busyPauseNs: 30_000_000, // @source Linux drivers/firmware/qcom/qcom_scm.h: QCOM_SCM_EBUSY_WAIT_MS 30
  busyPauses: 21, // @source inline-crypto.md 5.2: 21 sleeps, 630 ms in all
};

export interface IceConfig {
  /** Slots of the key table. */
  readonly slots: number;
  /** Wrapped keys only (a mode chosen at probe); else raw keys only. */
  readonly useWrappedKeys: boolean;
  readonly hwkm: HwkmVersion;
  /** The keys stay while the power domain is off. */
  readonly keepsKeysWithoutPower: boolean;
  /** The built-in self-test after power-on. */
  readonly selfTestNs: number;
  /** Added to every transfer. */
  readonly latencyNs: number;
  /** What the engine can stream; Infinity: line rate, never the bottleneck. */
  readonly bytesPerUs: number;
}

export const DEFAULT_ICE: IceConfig = {
  slots: 32, // @source inline-crypto.md 5.1: documents of the older driver speak of 32
  useWrappedKeys: false,
  hwkm: 2,
  keepsKeysWithoutPower: false, // @source inline-crypto.md 5.3: keys stay while the power domain stays on (a clock that is off loses nothing)
  selfTestNs: 100_000, // @assume two polls of the driver
  latencyNs: 1_000, // @source peers-and-calibration.md C.9: 0.5-2 µs fixed (assumed there), nothing per byte up to line rate
  bytesPerUs: Infinity, // @source peers-and-calibration.md C.9: specified to keep the line rate
};

/** Size of a wrapped key, by version of the key manager. @source inline-crypto.md 5.3 */
export const WRAPPED_KEY_BYTES: Readonly<Record<HwkmVersion, number>> = { 1: 68, 2: 100 };
/** Key table entries per slot. @source inline-crypto.md 5.3 */
export const SLOT_FACTOR: Readonly<Record<HwkmVersion, number>> = { 1: 1, 2: 2 };

/**
 * The registers of the inline crypto engine that the kernel touches, as data. Offsets count from the base of the engine.
 *
 * Left out: parameters, error syndromes, test bus (nothing here reads them).
 *
 * @source inline-crypto.md 5.1; names as in drivers/soc/qcom/ice.c
 */
import { field, type RegisterDef } from '../hosts/registers.ts';
import { type HwkmVersion } from './config.ts';

export const CONTROL = 0x0000;
export const VERSION = 0x0008;
export const FUSE_SETTING = 0x0010;
export const BIST_STATUS = 0x0070;
export const BYPASS_STATUS = 0x0074;
export const ADVANCED_CONTROL = 0x1000;
export const CRYPTOCFG = 0x4040;
export const CRYPTOCFG_STRIDE = 0x80;
export const TZ_KM_CTL = 0x9000;
export const TZ_KM_STATUS = 0x9004;
export const BANK0_IRQ_STATUS = 0xa008;
export const BANK0_BBAC = 0xd000;

export const CONTROL_LEGACY_MODE = 1 << 0;
/** Any bit: the self-test runs. */
export const BIST_RUNNING = 0xf0000000;
export const LOW_POWER_BITS = 0x7000;
export const OPTIMISATION_BITS = 0xd807100;
export const TZ_KM_CTL_CRC_OFF = 0x6;
export const TZ_KM_CTL_LEGACY_MODE = 1 << 5;
export const IRQ_STATUS_RESPONSE_FIFO = 1 << 3;
export const CFGE = 0x80000000;
/** Index of AES-256-XTS among the engine's capabilities. @source inline-crypto.md 5.3 */
export const CAPIDX_AES_256_XTS = 3;
/** TZ_KM_STATUS of a key manager that is ready. @source inline-crypto.md 5.1 */
export const KM_READY: Readonly<Record<HwkmVersion, number>> = { 1: 0x14007, 2: 0x287 };

/** The word by which the kernel enables a slot in wrapped mode: DUSIZE, CAPIDX, CFGE. `dataUnitSize` in bytes. */
export function cryptocfgWord(dataUnitSize: number): number {
  return (CFGE | (CAPIDX_AES_256_XTS << 8) | (dataUnitSize / 512)) >>> 0; // 512: the unit of DUSIZE
}

/** Version 3.1.0 has no key manager, 3.2.0 its first and 3.2.1 its second version. @source inline-crypto.md 5.1, 5.3 */
export function versionWord(hasHwkm: boolean, hwkm: HwkmVersion): number {
  if (!hasHwkm) return 0x03010000;
  return hwkm === 1 ? 0x03020000 : 0x03020001;
}

/** The table for an engine of `slots` slots. */
export function iceRegisters(slots: number): readonly RegisterDef[] {
  return [
    { name: 'CONTROL', offset: CONTROL, reset: CONTROL_LEGACY_MODE, access: 'rw', fields: [field('LEGACY_MODE', 0)] },
    {
      name: 'VERSION',
      offset: VERSION,
      reset: 0,
      access: 'ro',
      fields: [field('MAJOR', 31, 24), field('MINOR', 23, 16), field('STEP', 15, 0)],
    },
    {
      name: 'FUSE_SETTING',
      offset: FUSE_SETTING,
      reset: 0,
      access: 'ro',
      fields: [field('FUSE', 0), field('FORCE_HW_KEY0', 1), field('FORCE_HW_KEY1', 2)],
    },
    { name: 'BIST_STATUS', offset: BIST_STATUS, reset: 0, access: 'ro', fields: [field('RUNNING', 31, 28)] },
    { name: 'BYPASS_STATUS', offset: BYPASS_STATUS, reset: 1, access: 'ro', fields: [field('BYPASS', 0)] },
    { name: 'ADVANCED_CONTROL', offset: ADVANCED_CONTROL, reset: 0, access: 'rw', fields: [] },
    {
      name: 'CRYPTOCFG',
      offset: CRYPTOCFG,
      reset: 0,
      access: 'rw',
      fields: [field('DUSIZE', 7, 0), field('CAPIDX', 15, 8), field('CFGE', 31)],
      array: { count: slots, stride: CRYPTOCFG_STRIDE },
    },
    {
      name: 'HWKM_TZ_KM_CTL',
      offset: TZ_KM_CTL,
      reset: TZ_KM_CTL_LEGACY_MODE | TZ_KM_CTL_CRC_OFF,
      access: 'rw',
      fields: [field('CRC_CHECK', 2, 1), field('LEGACY_MODE', 5)],
    },
    { name: 'HWKM_TZ_KM_STATUS', offset: TZ_KM_STATUS, reset: 0, access: 'ro', fields: [] },
    {
      name: 'HWKM_BANK0_IRQ_STATUS',
      offset: BANK0_IRQ_STATUS,
      reset: 0,
      access: 'w1c',
      fields: [field('RESPONSE_FIFO', 3)],
    },
    {
      name: 'HWKM_BANK0_BBAC',
      offset: BANK0_BBAC,
      reset: 0,
      access: 'rw',
      fields: [],
      array: { count: 5, stride: 4 },
    },
  ];
}

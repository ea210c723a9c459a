import { describe, expect, it } from 'vitest';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MODE_ADIANTUM, MODE_AES_256_XTS } from '../mode.ts';
import { hasCapabilitiesOf, intersectCapabilities, supportsConfig, sysfsView } from './capabilities.ts';

const UFS = { maxDunBytes: 8, modes: { 'AES-256-XTS': 0x1200 }, keyTypes: KEY_TYPE_RAW };
const key = { mode: MODE_AES_256_XTS, dataUnitSize: 4096, dunBytes: 8, keyType: KEY_TYPE_RAW };

describe('support of a key config (inline-crypto.md 1.5)', () => {
  it('is there when mode, data unit size, DUN width and key type all are', () => {
    expect(supportsConfig(UFS, key)).toBe(true);
    expect(supportsConfig(UFS, { ...key, dataUnitSize: 512, dunBytes: 4 })).toBe(true);
  });

  it.each([
    ['another mode', { mode: MODE_ADIANTUM }],
    ['another data unit size', { dataUnitSize: 1024 }],
    ['I-18: a DUN wider than the profile', { dunBytes: 16 }],
    ['another key type', { keyType: KEY_TYPE_HW_WRAPPED }],
  ])('is missing for %s', (_what, change) => {
    expect(supportsConfig(UFS, { ...key, ...change })).toBe(false);
  });
});

describe('the sysfs view (1.10)', () => {
  it('I-65: shows what the profile lists and has no files for the rest', () => {
    expect(sysfsView({ ...UFS, modes: { 'AES-256-XTS': 0x1200, Adiantum: 0 } }, 32)).toEqual({
      max_dun_bits: '64',
      num_keyslots: '32',
      'modes/AES-256-XTS': '0x1200',
      raw_keys: 'supported',
    });
  });

  it('shows hardware-wrapped keys by a file of their own', () => {
    expect(sysfsView({ ...UFS, maxDunBytes: 4, keyTypes: KEY_TYPE_HW_WRAPPED }, 0)).toMatchObject({
      max_dun_bits: '32',
      num_keyslots: '0',
      hw_wrapped_keys: 'supported',
    });
  });
});

describe('layered devices (1.12)', () => {
  const EMMC = { maxDunBytes: 4, modes: { 'AES-256-XTS': 0x1000, Adiantum: 0x1000 }, keyTypes: KEY_TYPE_RAW };

  it('can do what all of their underlying devices can', () => {
    expect(intersectCapabilities(['AES-256-XTS', 'Adiantum'], [UFS, EMMC])).toEqual({
      maxDunBytes: 4,
      modes: { 'AES-256-XTS': 0x1000 },
      keyTypes: KEY_TYPE_RAW,
    });
  });

  it('refuse a table that can do less than the one in use', () => {
    expect(hasCapabilitiesOf(UFS, intersectCapabilities(['AES-256-XTS'], [UFS, EMMC]))).toBe(true);
    expect(hasCapabilitiesOf(EMMC, UFS)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import type { CryptoConfig } from './key.ts';
import { checkKey, KeyRefusedError, KeyTable, sameConfig, unitBitsOf } from './key.ts';
import * as modes from './mode.ts';

const XTS: CryptoConfig = {
  mode: modes.MODE_AES_256_XTS,
  dataUnitSize: 4096,
  dunBytes: 8,
  keyType: modes.KEY_TYPE_RAW,
};
const wrapped = (mode: number): CryptoConfig => ({ ...XTS, mode, keyType: modes.KEY_TYPE_HW_WRAPPED });
const key = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, i) => i + 1);

describe('the modes (inline-crypto 1.2)', () => {
  it.each([
    [1, 'AES-256-XTS', 64, 32, 16],
    [2, 'AES-128-CBC-ESSIV', 16, 16, 16],
    [3, 'Adiantum', 32, 32, 32],
    [4, 'SM4-XTS', 32, 16, 16],
  ])('mode %i is %s', (id, name, keyBytes, strength, ivBytes) => {
    const mode = modes.modeById(id);
    expect(mode).toMatchObject({ name, keyBytes, securityStrengthBytes: strength, ivBytes });
    expect(modes.modeByName(name)).toBe(mode);
  });

  it('do not include number 0 or 5', () => {
    expect(modes.modeById(modes.MODE_INVALID)).toBeUndefined();
    expect(modes.modeById(5)).toBeUndefined();
    expect(modes.modeByName('aes-256-xts')).toBeUndefined();
  });
});

describe('the checks of a new key (inline-crypto 1.2)', () => {
  it('pass a raw key of the exact size', () => {
    expect(checkKey(64, XTS)).toBeUndefined();
    expect(checkKey(32, { ...XTS, mode: modes.MODE_ADIANTUM, dunBytes: 32 })).toBeUndefined();
  });

  it.each([
    ['mode', 64, { ...XTS, mode: 0 }],
    ['mode', 64, { ...XTS, mode: 5 }],
    ['key-type', 64, { ...XTS, keyType: 3 }],
    ['key-size', 63, XTS],
    ['key-size', 32, XTS],
    ['key-size', 31, wrapped(modes.MODE_AES_256_XTS)],
    ['key-size', 15, wrapped(modes.MODE_SM4_XTS)],
    ['key-size', 129, wrapped(modes.MODE_AES_256_XTS)],
    ['dun-bytes', 64, { ...XTS, dunBytes: 0 }],
    ['dun-bytes', 64, { ...XTS, dunBytes: 17 }],
    ['dun-bytes', 32, { ...XTS, mode: modes.MODE_ADIANTUM, dunBytes: 33 }],
    ['data-unit-size', 64, { ...XTS, dataUnitSize: 0 }],
    ['data-unit-size', 64, { ...XTS, dataUnitSize: 4097 }],
    ['data-unit-size', 64, { ...XTS, dataUnitSize: 2 ** 32 }],
  ] as [string, number, CryptoConfig][])('refuse a wrong %s with EINVAL (%i bytes)', (problem, sizeBytes, config) => {
    expect(checkKey(sizeBytes, config)).toMatchObject({ errno: 'EINVAL', problem });
  });

  it('take wrapped keys from the security strength up to 128 bytes', () => {
    for (const sizeBytes of [32, 33, 100, 128]) {
      expect(checkKey(sizeBytes, wrapped(modes.MODE_AES_256_XTS))).toBeUndefined();
    }
    expect(checkKey(16, wrapped(modes.MODE_SM4_XTS))).toBeUndefined();
  });

  it('report the first problem in the kernel’s order', () => {
    expect(checkKey(1, { mode: 9, dataUnitSize: 3, dunBytes: 99, keyType: 7 })).toMatchObject({ problem: 'mode' });
    expect(checkKey(1, { ...XTS, dunBytes: 99, dataUnitSize: 3 })).toMatchObject({ problem: 'key-size' });
    expect(checkKey(64, { ...XTS, dunBytes: 99, dataUnitSize: 3 })).toMatchObject({ problem: 'dun-bytes' });
  });

  it('know the logarithm of every power of two of a 32-bit mask', () => {
    expect(Array.from({ length: 32 }, (_, bits) => unitBitsOf(2 ** bits))).toEqual(
      Array.from({ length: 32 }, (_, bits) => bits),
    );
    expect([0, 3, 6, 511, 1.5, -4, NaN, 2 ** 31 + 2 ** 30].map(unitBitsOf)).toEqual(Array(8).fill(-1));
  });
});

describe('the key table', () => {
  it('gives numbers from 0 and keeps the configuration in columns', () => {
    const keys = new KeyTable();
    expect(keys.create(key(64), XTS)).toBe(0);
    expect(keys.create(key(32), { ...XTS, mode: modes.MODE_ADIANTUM, dunBytes: 24, dataUnitSize: 512 })).toBe(1);
    expect(keys.config(0)).toEqual(XTS);
    expect([keys.mode[1], keys.unitBits[1], keys.dunBytes[1], keys.dataUnitSize(1)]).toEqual([3, 9, 24, 512]);
  });

  it('refuses what the kernel refuses', () => {
    const keys = new KeyTable();
    expect(() => keys.create(key(16), XTS)).toThrow(KeyRefusedError);
    expect(keys.size).toBe(0);
  });

  it('keeps a copy: the owner’s bytes may be wiped at once', () => {
    const keys = new KeyTable();
    const bytes = key(64);
    const keyId = keys.create(bytes, XTS);
    bytes.fill(0);
    expect(keys.bytes(keyId)).toEqual(key(64));
  });

  it('tells keys of equal bytes apart and finds equal configurations', () => {
    const keys = new KeyTable();
    const a = keys.create(key(64), XTS);
    const b = keys.create(key(64), { ...XTS });
    const c = keys.create(key(64), { ...XTS, dunBytes: 4 });
    expect(a).not.toBe(b);
    expect([keys.haveSameConfig(a, b), keys.haveSameConfig(a, c)]).toEqual([true, false]);
    expect(sameConfig(keys.config(a), keys.config(b))).toBe(true);
    for (const other of [{ mode: 4 }, { dataUnitSize: 512 }, { dunBytes: 1 }, { keyType: 2 }]) {
      expect(sameConfig(XTS, { ...XTS, ...other })).toBe(false);
    }
  });

  it('overwrites the bytes of a freed key with zeroes and never uses its number again', () => {
    const keys = new KeyTable();
    const keyId = keys.create(key(64), XTS);
    const held = keys.bytes(keyId);
    keys.free(keyId);
    expect(held.every((byte) => byte === 0)).toBe(true);
    expect(keys.bytes(keyId)).toHaveLength(0);
    expect(keys.isLive(keyId)).toBe(false);
    expect(keys.create(key(64), XTS)).toBe(keyId + 1);
  });

  it('I-61: a key is not freed while a slot or a request points at it', () => {
    const keys = new KeyTable();
    const keyId = keys.create(key(64), XTS);
    keys.hold(keyId);
    keys.hold(keyId);
    keys.drop(keyId);
    expect(() => keys.free(keyId)).toThrow('1 users');
    expect(keys.bytes(keyId)).toEqual(key(64));
    keys.drop(keyId);
    keys.free(keyId);
    expect(() => keys.free(keyId)).toThrow('freed twice');
    expect(() => keys.hold(keyId)).toThrow('after it was freed');
    expect(() => keys.drop(keyId)).toThrow('more often than held');
  });

  it('grows', () => {
    const keys = new KeyTable();
    for (let i = 0; i < 1000; i++) keys.create(key(64), { ...XTS, dataUnitSize: 2 ** (i % 13) });
    expect(Array.from({ length: 1000 }, (_, i) => keys.unitBits[i])).toEqual(
      Array.from({ length: 1000 }, (_, i) => i % 13),
    );
    expect(keys.isLive(999)).toBe(true);
    expect(keys.isLive(1000)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { softwarePorts } from '../crypto/ciphers/software-ports.ts';
import { cmac, deriveKey } from './kdf.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
const text = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const aes = softwarePorts.aesEcb;
const MESSAGE = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411';

describe('AES-CMAC', () => {
  it.each([
    [0, 'bb1d6929e95937287fa37d129b756746'],
    [16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [40, 'dfa66747de9ae63030ca32611497c827'],
  ])('of %i bytes under 128 bits gives the vector of RFC 4493', (length, expected) => {
    const mac = cmac(aes, hex('2b7e151628aed2a6abf7158809cf4f3c'), hex(MESSAGE).subarray(0, length));
    expect(text(mac)).toBe(expected);
  });

  it.each([
    [0, '028962f61b7bf89efc6b551f4667d983'],
    [16, '28a7023f452e8f82bd4bf28d8c37c35c'],
    [40, 'aaf3d8f1de5640c232f5b169b9c911e6'],
  ])('of %i bytes under 256 bits gives the example of SP 800-38B', (length, expected) => {
    const key = hex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
    expect(text(cmac(aes, key, hex(MESSAGE).subarray(0, length)))).toBe(expected);
  });
});

describe('the counter-mode derivation (SP 800-108)', () => {
  const key = new Uint8Array(32).fill(7);

  it('is CMAC over counter, label, zero and length', () => {
    const input = Uint8Array.of(0, 0, 0, 1, 0x61, 0x62, 0, 0, 0, 0, 0x80);
    expect(deriveKey(aes, key, 'ab', 16)).toEqual(cmac(aes, key, input));
  });

  it('gives independent keys for other labels and other lengths', () => {
    const secret = text(deriveKey(aes, key, 'secret', 32));
    expect(secret).toHaveLength(64);
    expect(text(deriveKey(aes, key, 'inline', 32))).not.toBe(secret);
    expect(text(deriveKey(aes, key, 'secret', 64)).startsWith(secret)).toBe(false);
  });
});

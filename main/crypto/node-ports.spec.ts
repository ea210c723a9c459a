import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { softwarePorts } from '../../core/crypto/ciphers/software-ports.ts';
import { ivOf } from '../../core/crypto/dun.ts';
import { CRYPTO_MODES, MODE_AES_256_XTS } from '../../core/crypto/mode.ts';
import { createDataUnitCipher } from '../../core/crypto/modes/create.ts';
import { RandomStream } from '../../core/engine/random.ts';
import { nodePorts } from './node-ports.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const random = new RandomStream(1, 'spec/node-ports');
const draw = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));

describe('the native ports', () => {
  it.each([16, 32])('encrypt and decrypt blocks with %i-byte keys as the ciphers in TypeScript do', (keyBytes) => {
    const key = draw(keyBytes);
    const native = nodePorts.aesEcb.open(key);
    const software = softwarePorts.aesEcb.open(key);
    for (const sizeBytes of [16, 4096, 0, 64, 80]) {
      const plain = draw(sizeBytes);
      const data = Uint8Array.from(native.encrypt(plain.slice()));
      expect(hex(data)).toBe(hex(software.encrypt(plain.slice())));
      expect(hex(native.decrypt(data))).toBe(hex(plain));
    }
  });

  it('chain a call from its own IV, whatever was encrypted before', () => {
    const key = draw(16);
    const native = nodePorts.aesCbc.open(key);
    const software = softwarePorts.aesCbc.open(key);
    for (const sizeBytes of [512, 16, 0, 4096, 32]) {
      const iv = draw(16);
      const data = draw(sizeBytes);
      const want = data.slice();
      software.encrypt(iv, want);
      native.encrypt(iv, data);
      expect(hex(data)).toBe(hex(want));
    }
  });

  it('digest as SHA-256 in TypeScript does', () => {
    const data = draw(100);
    expect(hex(nodePorts.sha256.digest(data))).toBe(hex(softwarePorts.sha256.digest(data)));
  });

  it('refuse keys of sizes that Electron has no cipher for', () => {
    expect(() => nodePorts.aesEcb.open(new Uint8Array(24))).toThrow(RangeError);
    expect(() => nodePorts.aesCbc.open(new Uint8Array(32))).toThrow(RangeError);
  });

  it('do nothing more after they were wiped', () => {
    const ecb = nodePorts.aesEcb.open(draw(32));
    const cbc = nodePorts.aesCbc.open(draw(16));
    ecb.wipe();
    cbc.wipe();
    expect(() => ecb.encrypt(new Uint8Array(16))).toThrow('wiped');
    expect(() => ecb.decrypt(new Uint8Array(16))).toThrow('wiped');
    expect(() => cbc.encrypt(new Uint8Array(16), new Uint8Array(16))).toThrow('wiped');
  });
});

describe('the modes over the native ports', () => {
  it.each(CRYPTO_MODES)('$name gives what it gives over the ciphers in TypeScript', ({ id, keyBytes }) => {
    const key = draw(keyBytes);
    const native = createDataUnitCipher(id, key, nodePorts);
    const software = createDataUnitCipher(id, key, softwarePorts);
    for (const [units, unitBytes, dun] of [
      [1, 4096, 5n],
      [9, 512, 2n ** 32n - 3n],
      [20, 4096, 2n ** 64n - 3n],
    ] as const) {
      const plain = draw(units * unitBytes);
      const data = plain.slice();
      const want = plain.slice();
      native.encryptUnits(data, unitBytes, dun);
      software.encryptUnits(want, unitBytes, dun);
      expect(hex(data)).toBe(hex(want));
      native.decryptUnits(data, unitBytes, dun);
      expect(hex(data)).toBe(hex(plain));
    }
  });

  it('AES-256-XTS in batches is OpenSSL’s AES-256-XTS unit by unit, over a carry of 64 bits', () => {
    const key = draw(64);
    const first = 2n ** 64n - 17n;
    const plain = draw(40 * 4096);
    const data = plain.slice();
    createDataUnitCipher(MODE_AES_256_XTS, key, nodePorts).encryptUnits(data, 4096, first);
    for (let unit = 0; unit < 40; unit++) {
      const native = createCipheriv('aes-256-xts', key, ivOf(first + BigInt(unit), 16));
      const want = native.update(plain.subarray(unit * 4096, (unit + 1) * 4096));
      expect(hex(data.subarray(unit * 4096, (unit + 1) * 4096))).toBe(hex(want));
    }
  });
});

/** What holds for every mode alike: inverse, independence of units, batches, alignment, sizes. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../engine/random.ts';
import { softwarePorts } from '../ciphers/software-ports.ts';
import { incrementDun } from '../dun.ts';
import { CRYPTO_MODES } from '../mode.ts';
import { createDataUnitCipher } from './create.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const UNIT_SIZES = [16, 48, 512, 1040, 4096];
const STARTS = [0n, 2n ** 32n - 2n, 2n ** 64n - 2n, 2n ** 96n - 1n];

describe.each(CRYPTO_MODES)('$name', ({ id, keyBytes, ivBytes }) => {
  const random = new RandomStream(id, 'spec/units');
  const draw = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256));
  const cipher = createDataUnitCipher(id, draw(keyBytes), softwarePorts);
  const encrypted = (plain: Uint8Array, unitBytes: number, dun: bigint): Uint8Array => {
    const data = plain.slice();
    cipher.encryptUnits(data, unitBytes, dun);
    return data;
  };

  it('I-23: decryption with the same DUN gives the data back, and with another DUN or key it does not', () => {
    const other = createDataUnitCipher(id, draw(keyBytes), softwarePorts);
    for (const unitBytes of UNIT_SIZES) {
      const plain = draw(3 * unitBytes);
      const dun = STARTS[random.below(STARTS.length)];
      const data = encrypted(plain, unitBytes, dun);
      expect(hex(data)).not.toBe(hex(plain));
      for (const [by, at, same] of [
        [cipher, dun, true],
        [cipher, dun + 1n, false],
        [other, dun, false],
      ] as const) {
        const back = data.slice();
        by.decryptUnits(back, unitBytes, at);
        expect(hex(back) === hex(plain)).toBe(same);
      }
    }
  });

  it('I-14: many units in one call are the same units one by one, with carry over 32 and 64 bits', () => {
    for (const unitBytes of UNIT_SIZES) {
      for (const dun of STARTS) {
        const plain = draw(5 * unitBytes);
        const together = encrypted(plain, unitBytes, dun);
        for (let unit = 0; unit < 5; unit++) {
          const from = unit * unitBytes;
          const alone = encrypted(plain.slice(from, from + unitBytes), unitBytes, incrementDun(dun, unit));
          expect(hex(alone)).toBe(hex(together.subarray(from, from + unitBytes)));
        }
      }
    }
  });

  it('a change in one unit leaves the others alone', () => {
    const plain = draw(4 * 512);
    const before = encrypted(plain, 512, 7n);
    plain[700] ^= 1;
    const after = encrypted(plain, 512, 7n);
    const changed = [0, 1, 2, 3].filter(
      (unit) =>
        hex(before.subarray(512 * unit, 512 * (unit + 1))) !== hex(after.subarray(512 * unit, 512 * (unit + 1))),
    );
    expect(changed).toEqual([1]);
  });

  it('the same data under another DUN is other ciphertext, also where only the highest byte of the IV differs', () => {
    const plain = draw(512);
    const top = 1n << BigInt(8 * ivBytes - 1);
    expect(hex(encrypted(plain, 512, 0n))).not.toBe(hex(encrypted(plain, 512, top)));
    expect(hex(encrypted(plain, 512, 0n))).toBe(hex(encrypted(plain, 512, 1n << 256n)));
  });

  it('a DUN past the end of the IV wraps to zero', () => {
    const plain = draw(1024);
    const last = (1n << BigInt(8 * ivBytes)) - 1n;
    const wrapped = encrypted(plain, 512, last);
    expect(hex(wrapped.subarray(512))).toBe(hex(encrypted(plain.slice(512), 512, 0n)));
  });

  it('more than a batch of units, and a unit larger than a batch, are like any others', () => {
    const plain = draw(160 * 1024);
    const whole = encrypted(plain, 4096 * 2, 1n).subarray(72 * 1024, 80 * 1024);
    expect(hex(whole)).toBe(hex(encrypted(plain.slice(72 * 1024, 80 * 1024), 8192, 10n)));
    const large = encrypted(plain, plain.length / 2, 3n);
    expect(hex(large.subarray(80 * 1024))).toBe(hex(encrypted(plain.slice(80 * 1024), 80 * 1024, 4n)));
    cipher.decryptUnits(large, plain.length / 2, 3n);
    expect(hex(large)).toBe(hex(plain));
  });

  it('data may lie at any address', () => {
    const plain = draw(1024);
    const want = encrypted(plain, 512, 9n);
    for (let offset = 1; offset <= 8; offset++) {
      const memory = new Uint8Array(1024 + 16).fill(0xa5);
      const data = memory.subarray(offset, offset + 1024);
      data.set(plain);
      cipher.encryptUnits(data, 512, 9n);
      expect(hex(data)).toBe(hex(want));
      cipher.decryptUnits(data, 512, 9n);
      expect(hex(data)).toBe(hex(plain));
      expect([...memory.subarray(0, offset), ...memory.subarray(offset + 1024)].every((byte) => byte === 0xa5)).toBe(
        true,
      );
    }
  });

  it('no data is no work', () => {
    const data = new Uint8Array(0);
    cipher.encryptUnits(data, 4096, 0n);
    cipher.decryptUnits(data, 4096, 0n);
    expect(data).toHaveLength(0);
  });

  it('I-15: parts of data units and of blocks are refused', () => {
    const calls = [
      [1024, 0],
      [1024, 8],
      [1024, 24],
      [1000, 512],
      [512, 4096],
      [64, 16.5],
    ];
    for (const [sizeBytes, unitBytes] of calls) {
      const data = new Uint8Array(sizeBytes);
      expect(() => cipher.encryptUnits(data, unitBytes, 0n)).toThrow(RangeError);
      expect(() => cipher.decryptUnits(data, unitBytes, 0n)).toThrow(RangeError);
      expect(data.every((byte) => byte === 0)).toBe(true);
    }
  });

  it('outlives the bytes of its key, and forgets it when wiped', () => {
    const key = draw(keyBytes);
    const first = createDataUnitCipher(id, key, softwarePorts);
    const second = createDataUnitCipher(id, key, softwarePorts);
    key.fill(0);
    const a = new Uint8Array(512);
    const b = new Uint8Array(512);
    const c = new Uint8Array(512);
    first.encryptUnits(a, 512, 1n);
    second.encryptUnits(b, 512, 1n);
    expect(hex(a)).toBe(hex(b));
    second.wipe();
    second.encryptUnits(c, 512, 1n);
    expect(hex(c)).not.toBe(hex(a));
  });

  it('is not made of a key of another size', () => {
    expect(() => createDataUnitCipher(id, new Uint8Array(keyBytes - 1), softwarePorts)).toThrow(`${keyBytes} bytes`);
    expect(() => createDataUnitCipher(id, new Uint8Array(keyBytes + 16), softwarePorts)).toThrow(RangeError);
  });
});

describe('creating a cipher', () => {
  it('refuses mode numbers that nobody knows', () => {
    expect(() => createDataUnitCipher(0, new Uint8Array(64), softwarePorts)).toThrow('number 0');
    expect(() => createDataUnitCipher(5, new Uint8Array(64), softwarePorts)).toThrow('number 5');
  });
});

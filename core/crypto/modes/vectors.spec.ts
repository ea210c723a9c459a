/** Ciphertexts that others published or computed, for each mode. Every mode runs over the ciphers in TypeScript here. */
import { createCipheriv, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { softwarePorts } from '../ciphers/software-ports.ts';
import { dunOfIv } from '../dun.ts';
import * as modes from '../mode.ts';
import { createDataUnitCipher } from './create.ts';
import type { DataUnitCipher } from './units.ts';
import { CARRYING_UNITS, IEEE_KEY, IEEE_UNITS } from './xts-vectors.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const counting = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, i) => i & 0xff);
const cipherOf = (mode: number, key: Uint8Array): DataUnitCipher => createDataUnitCipher(mode, key, softwarePorts);

/** Encrypts a copy and checks that decryption gives the plaintext back. */
function encrypted(cipher: DataUnitCipher, plain: Uint8Array, unitBytes: number, dun: bigint): Uint8Array {
  const data = plain.slice();
  cipher.encryptUnits(data, unitBytes, dun);
  const back = data.slice();
  cipher.decryptUnits(back, unitBytes, dun);
  expect(hex(back)).toBe(hex(plain));
  return data;
}

describe('AES-256-XTS', () => {
  it.each(IEEE_UNITS)('encrypts data unit 0x%x of IEEE 1619 annex B', (dun, first, digest) => {
    const data = encrypted(cipherOf(modes.MODE_AES_256_XTS, IEEE_KEY), counting(512), 512, dun);
    expect(hex(data.subarray(0, 16))).toBe(first);
    expect(sha256(data)).toBe(digest);
  });

  it.each(CARRYING_UNITS)(
    'I-14: units of %i bytes from DUN %d on have consecutive DUNs',
    (unitBytes, dun, second, digest) => {
      const data = encrypted(cipherOf(modes.MODE_AES_256_XTS, counting(64)), new Uint8Array(8192), unitBytes, dun);
      expect(hex(data.subarray(unitBytes, unitBytes + 16))).toBe(second);
      expect(sha256(data)).toBe(digest);
    },
  );

  it('eight transfers of 512 bytes that each restart at DUN 0 are not one unit of 4096 (hazard S-8)', () => {
    const cipher = cipherOf(modes.MODE_AES_256_XTS, counting(64));
    const whole = encrypted(cipher, new Uint8Array(4096), 4096, 0n);
    expect(sha256(whole)).toBe('0836550e86225337ef77d4090922a59a09174e085feeff09f141a22f042c1c8a');
    expect(hex(whole.subarray(512, 528))).toBe('6036c367756219ef1820c225d9cc5424');
    const parts = new Uint8Array(4096);
    for (let at = 0; at < 4096; at += 512) cipher.encryptUnits(parts.subarray(at, at + 512), 512, 0n);
    expect(sha256(parts)).toBe('4abb3dd14a2fd4e995abb6295b71ec1d9dc4fcb51e227cbf057d48589327c24c');
  });

  it('agrees with OpenSSL for IVs that fill all 16 bytes', () => {
    const key = counting(64);
    const iv = bytes('fffffffffffffffff0f1f2f3f4f5f6f7');
    const want = createCipheriv('aes-256-xts', key, iv).update(counting(1024));
    const got = encrypted(cipherOf(modes.MODE_AES_256_XTS, key), counting(1024), 1024, dunOfIv(iv));
    expect(hex(got)).toBe(hex(want));
  });

  it('takes equal key halves, as an evicted slot of zeroes has', () => {
    const data = encrypted(cipherOf(modes.MODE_AES_256_XTS, new Uint8Array(64)), new Uint8Array(32), 16, 0n);
    const tweak = createCipheriv('aes-256-ecb', new Uint8Array(32), null).update(new Uint8Array(16));
    const block = createCipheriv('aes-256-ecb', new Uint8Array(32), null).update(tweak);
    expect(hex(data.subarray(0, 16))).toBe(hex(block.map((byte, i) => byte ^ tweak[i])));
  });
});

describe('AES-128-CBC-ESSIV', () => {
  // @source inline-crypto 8.4, computed with an independent library
  it.each([
    [0n, 'cfbcd8b00b97a2022be8bb75168c55cf', '203342131b6ce1df56b324a1c3480cb4aafc84531c87e50b3358135c2b9ca357'],
    [1n, 'fe58062f6a4a8afefc6fa80c447ff6d3', '35944cc60afd4fb4131ebd83deb65fe43bd6622c26e366e0f9972476ab0c20cd'],
    [
      0x123456789an,
      'c811368a31402cc44cc24943a725dca7',
      '3b550f51c891d9e582336a5596a42d969abe320e50a76f847d93e74d07957a38',
    ],
  ])('encrypts data unit %d', (dun, first, digest) => {
    const data = encrypted(cipherOf(modes.MODE_AES_128_CBC_ESSIV, counting(16)), new Uint8Array(512), 512, dun);
    expect(hex(data.subarray(0, 16))).toBe(first);
    expect(sha256(data)).toBe(digest);
  });

  // @source data of the kernel's self-test of essiv(cbc(aes),sha256), crypto/testmgr.h, the two entries with 16-byte keys
  it.each([
    [
      '06a9214036b8a15b512e03d534120006',
      '3dafba429d9eb4300000000000000000',
      hex(new TextEncoder().encode('Single block msg')),
      'fa59e75f415665c336ca6b72109f8cd4',
    ],
    [
      'c286696d887c9aa0611bbb3e2025a45a',
      '562e17996d093d280000000000000000',
      '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
      'c8599afe79e67b20067d550a5ec7b5a70b9c80d215a1b86dc6ab7b65d9fd88eb',
    ],
  ])('gives the kernel’s self-test data for the key %s', (key, iv, plain, want) => {
    const cipher = cipherOf(modes.MODE_AES_128_CBC_ESSIV, bytes(key));
    const data = bytes(plain);
    expect(hex(encrypted(cipher, data, data.length, dunOfIv(bytes(iv))))).toBe(want);
  });
});

describe('Adiantum', () => {
  // @source github.com/google/adiantum test_vectors/ours/Adiantum/Adiantum_XChaCha12_32_AES256.json: the first entries of
  // 16 and of 128 bytes with a 32-byte tweak (also data of the kernel's self-test of adiantum(xchacha12,aes))
  it.each([
    [
      '9eebb2493c1cf5f46a99c2c4dfb1f4dd752057ea2c4fcdb2a53d7b491eabfd0f',
      'df63d4abd249f3d8338137607dfa7308d8496d80e82f6254eb0ea9395b457f8a',
      '67c9f23084418e43fbf3b33e79367fe8',
      '6d32861867860f3f967c9d280d53ec9f',
    ],
    [
      'a52824341a3cd8f705918fee851f357f803dfc9b94f6fc9e190900a904314f11',
      'a1ba4995ff346db8cd875d5efdea85db8a7b5eb25d57dd62aca98c41429475b7',
      '69b4e88c37e86782f1ec5d04e5149113dff2871b69811d71709e9c3bde497011a0a3db0d544f6669d7db80a7709268ce' +
        '81042cc6abaee56015e96fefaa8fa7a7638ff2f077f1a8eae1b71f9eab9e4b3f07875b6fcda8afb9fa700b52b8a8a79e' +
        '075fa60eb39b791379c33e8d1c2c68c8511d3c7b7d79772a5665c5542328b003',
      '9e16abed4ba7425ac6fb4e76ffbe03a00fe3adbae4982b0e2148a0b865482748845454b29a947be64b29e9cf0591801a' +
        '3af34196851d9f74515663fa7c288549f72ff9f21846f53380a33cceb25793f5aebda9f57b30c49366e0307716e4a031' +
        'ba70bc6813f5b09ac1fc7efe55805c4874a6aaa3acdcc2f58dde34867860758d',
    ],
  ])('gives the vector of its authors for the key %s', (key, tweak, plain, want) => {
    const cipher = cipherOf(modes.MODE_ADIANTUM, bytes(key));
    const data = bytes(plain);
    expect(hex(encrypted(cipher, data, data.length, dunOfIv(bytes(tweak))))).toBe(want);
  });

  // Key 00..1f, plaintext 00..ff again and again. @source computed with the authors' reference implementation (google/adiantum, python/)
  it.each([
    [512, 0n, '0897ca71e8ed824ec0dcc00f6bbec9df', 'be7199ca152ebf5de42d417c943f31b5e205f152f73b343e2576ead34a77e384'],
    [
      512,
      2n ** 32n - 1n,
      '8e38e09eedb90ffa15bdc350d4e63c8b',
      '24732961c17e9b567b1df0b60227596a0b012a32d0bed5ba8b22ead9b0ef4521',
    ],
    [
      512,
      2n ** 64n - 1n,
      '45f9dfa05825fb05da2be95056ee4273',
      '8d713392ef611cc93a74bc35ebc1b44e3fcaf837f8765d36136364791267d0dd',
    ],
    [
      512,
      2n ** 128n - 1n,
      'b541a821c48e3b8a60a46ac9f1cf9d1f',
      'f2522ccc19eeda253e1d733ae0ba1d9aab38864c33ba7de788112b2bb6f6f3a5',
    ],
    [4096, 0n, '894a512c88e544ac0fe8aadee2cb03b4', 'f2b0985193d5cc2c22561274fccfefba40e3a8d97c33cee0579df6365e1c9821'],
    [4096, 1n, 'db1f2aacfe2f5e6b6c8ce15fe1167f1d', 'b0775fe8ec8fb773b66b6c2acd18f9a50826a513de2d33484f760345b7398120'],
    [
      4096,
      2n ** 255n + 5n,
      '9f3ec3774f3dcc04a6dc50ca56ecf4cb',
      '5e807797cf740d05a8281a3556e1a790add6333cc83dd383f0a2d82c2cc6f0bb',
    ],
  ])(
    'encrypts a unit of %i bytes with DUN %d as the reference implementation does',
    (unitBytes, dun, first, digest) => {
      const cipher = cipherOf(modes.MODE_ADIANTUM, counting(32));
      const data = encrypted(cipher, counting(unitBytes), unitBytes, dun);
      expect(hex(data.subarray(0, 16))).toBe(first);
      expect(sha256(data)).toBe(digest);
    },
  );

  it('is one wide block: a changed bit anywhere changes every block of the unit', () => {
    const cipher = cipherOf(modes.MODE_ADIANTUM, counting(32));
    const before = encrypted(cipher, counting(512), 512, 0n);
    for (const at of [0, 255, 511]) {
      const plain = counting(512);
      plain[at] ^= 0x80;
      const after = encrypted(cipher, plain, 512, 0n);
      for (let block = 0; block < 512; block += 16) {
        expect(hex(after.subarray(block, block + 16))).not.toBe(hex(before.subarray(block, block + 16)));
      }
    }
  });
});

describe('SM4-XTS', () => {
  const KEY = bytes('2b7e151628aed2a6abf7158809cf4f3c000102030405060708090a0b0c0d0e0f');

  it('gives the whole blocks of OpenSSL’s vector for XTS as IEEE 1619 has it (not as GB/T 17964 has it)', () => {
    // @source OpenSSL test/recipes/30-test_evp_data/evpciph_sm4.txt, XTSStandard = IEEE; the first two of three and a half blocks
    const dun = dunOfIv(bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'));
    const plain = bytes('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51');
    expect(hex(encrypted(cipherOf(modes.MODE_SM4_XTS, KEY), plain, 32, dun))).toBe(
      'e9538251c71d7b80bbe4483fef497bd1b3db1a3e60408c575d63ff7db39f8326',
    );
  });

  it('is XTS of IEEE 1619 written out over OpenSSL’s SM4', () => {
    const ecb = (key: Uint8Array, data: Uint8Array): Uint8Array =>
      createCipheriv('sm4-ecb', key, null).setAutoPadding(false).update(data);
    const dun = 2n ** 64n - 1n;
    const plain = counting(1024);
    const want = new Uint8Array(1024);
    for (let unit = 0; unit < 2; unit++) {
      const iv = new Uint8Array(16);
      for (let i = 0; i < 16; i++) iv[i] = Number(((dun + BigInt(unit)) >> BigInt(8 * i)) & 0xffn);
      let tweak = dunOfIv(ecb(KEY.subarray(16), iv));
      for (let at = 512 * unit; at < 512 * (unit + 1); at += 16) {
        const mask = (byte: number, i: number): number => byte ^ Number((tweak >> BigInt(8 * i)) & 0xffn);
        want.set(ecb(KEY.subarray(0, 16), plain.slice(at, at + 16).map(mask)).map(mask), at);
        tweak = BigInt.asUintN(128, tweak << 1n) ^ (tweak >> 127n === 1n ? 0x87n : 0n);
      }
    }
    expect(hex(encrypted(cipherOf(modes.MODE_SM4_XTS, KEY), plain, 512, dun))).toBe(hex(want));
  });
});

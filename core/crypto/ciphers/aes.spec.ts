import { createCipheriv, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Aes } from './aes.ts';
import { Sm4, SM4_SBOX } from './sm4.ts';
import { sha256 } from './sha256.ts';
import { softwarePorts } from './software-ports.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const pattern = (sizeBytes: number, factor: number): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, i) => (i * factor + (i >> 8)) & 0xff);

describe('AES', () => {
  it.each([
    ['128', '000102030405060708090a0b0c0d0e0f', '69c4e0d86a7b0430d8cdb78070b4c55a'],
    ['192', '000102030405060708090a0b0c0d0e0f1011121314151617', 'dda97ca4864cdfe06eaf70a0ec0d7191'],
    ['256', '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '8ea2b7ca516745bfeafc49904b496089'],
  ])('-%s gives the example of FIPS 197 appendix C, and back', (_, key, want) => {
    const aes = new Aes(bytes(key));
    const plain = '00112233445566778899aabbccddeeff';
    expect(hex(aes.encrypt(bytes(plain)))).toBe(want);
    expect(hex(aes.decrypt(bytes(want)))).toBe(plain);
  });

  it.each([16, 32])('agrees with OpenSSL over many blocks under a key of %i bytes', (keyBytes) => {
    const key = pattern(keyBytes, 37);
    const plain = pattern(4096, 91);
    const want = createCipheriv(`aes-${keyBytes * 8}-ecb`, key, null)
      .setAutoPadding(false)
      .update(plain);
    const aes = new Aes(key);
    expect(hex(aes.encrypt(plain.slice()))).toBe(hex(want));
    expect(hex(aes.decrypt(Uint8Array.from(want)))).toBe(hex(plain));
  });

  it('works in place', () => {
    const blocks = pattern(32, 3);
    expect(new Aes(pattern(16, 1)).encrypt(blocks)).toBe(blocks);
  });

  it('refuses keys of other sizes', () => {
    expect(() => new Aes(new Uint8Array(15))).toThrow(RangeError);
    expect(() => new Aes(new Uint8Array(64))).toThrow(RangeError);
  });

  it('forgets its key when wiped', () => {
    const aes = new Aes(pattern(32, 5));
    const before = hex(aes.encrypt(new Uint8Array(16)));
    aes.wipe();
    expect(hex(aes.encrypt(new Uint8Array(16)))).not.toBe(before);
  });

  it('in CBC agrees with OpenSSL and leaves the IV alone', () => {
    const key = pattern(16, 7);
    const iv = pattern(16, 11);
    const data = pattern(512, 13);
    const want = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false).update(data);
    const cbc = softwarePorts.aesCbc.open(key);
    for (let again = 0; again < 2; again++) {
      const work = data.slice();
      cbc.encrypt(iv, work);
      expect(hex(work)).toBe(hex(want));
    }
    expect(hex(iv)).toBe(hex(pattern(16, 11)));
  });
});

describe('SM4', () => {
  const KEY = '0123456789abcdeffedcba9876543210';

  it('computes the S-box of GB/T 32907 6.2.1', () => {
    expect(hex(SM4_SBOX.subarray(0, 16))).toBe('d690e9fecce13db716b614c228fb2c05');
    expect(SM4_SBOX[0xef]).toBe(0x84); // the example of the standard's text
    expect(new Set(SM4_SBOX).size).toBe(256);
  });

  it('gives the first example of GB/T 32907 appendix A, and back', () => {
    const sm4 = new Sm4(bytes(KEY));
    expect(hex(sm4.encrypt(bytes(KEY)))).toBe('681edf34d206965e86b3e94f536e4246');
    expect(hex(sm4.decrypt(bytes('681edf34d206965e86b3e94f536e4246')))).toBe(KEY);
  });

  it('gives the second example of GB/T 32907 appendix A: encrypted a million times', () => {
    const sm4 = new Sm4(bytes(KEY));
    const block = bytes(KEY);
    for (let i = 0; i < 1_000_000; i++) sm4.encrypt(block);
    expect(hex(block)).toBe('595298c7c6fd271f0402f804c33d3f66');
  });

  it('agrees with OpenSSL over many blocks', () => {
    const key = pattern(16, 29);
    const plain = pattern(4096, 17);
    const want = createCipheriv('sm4-ecb', key, null).setAutoPadding(false).update(plain);
    const sm4 = new Sm4(key);
    expect(hex(sm4.encrypt(plain.slice()))).toBe(hex(want));
    expect(hex(sm4.decrypt(Uint8Array.from(want)))).toBe(hex(plain));
  });

  it('refuses keys of other sizes and forgets its key when wiped', () => {
    expect(() => new Sm4(new Uint8Array(32))).toThrow(RangeError);
    const sm4 = new Sm4(bytes(KEY));
    sm4.wipe();
    expect(hex(sm4.encrypt(bytes(KEY)))).not.toBe('681edf34d206965e86b3e94f536e4246');
  });
});

describe('SHA-256', () => {
  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('of "%s" is the example of FIPS 180', (text, want) => {
    expect(hex(sha256(new TextEncoder().encode(text)))).toBe(want);
  });

  it('agrees with OpenSSL at every length around the padding', () => {
    for (let length = 0; length < 200; length++) {
      const data = pattern(length, 53);
      expect(hex(sha256(data))).toBe(createHash('sha256').update(data).digest('hex'));
    }
  });
});

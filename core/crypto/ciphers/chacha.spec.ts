import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ChaCha, hchacha, XChaCha } from './chacha.ts';
import { wordsIn } from './words.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const words = (hex: string): Uint32Array => wordsIn(bytes(hex));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';

describe('ChaCha20', () => {
  it('gives the keystream block of RFC 8439 2.3.2', () => {
    const stream = new Uint8Array(64);
    new ChaCha(20).xor(words(KEY), words('01000000000000090000004a00000000'), stream);
    expect(hex(stream)).toBe(
      '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e' +
        'd2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
    );
  });

  it('encrypts the text of RFC 8439 2.4.2, whose length is no multiple of a block', () => {
    const text = new TextEncoder().encode(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    new ChaCha(20).xor(words(KEY), words('01000000000000000000004a00000000'), text);
    expect(text).toHaveLength(114);
    expect(hex(text.subarray(0, 32))).toBe('6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b');
    expect(hex(text.subarray(96))).toBe('5af90bbf74a35be6b40b8eedf2785e42874d');
  });

  it('agrees with OpenSSL where the counter carries into its upper word, at any length and alignment', () => {
    const key = bytes(KEY);
    const iv = bytes('feffffff000000000102030405060708');
    for (const length of [0, 1, 63, 64, 65, 300, 4096]) {
      const want = createCipheriv('chacha20', key, iv).update(new Uint8Array(length));
      for (const offset of [0, 1, 4]) {
        const data = new Uint8Array(length + offset).subarray(offset);
        new ChaCha(20).xor(wordsIn(key), wordsIn(iv), data);
        expect(hex(data)).toBe(hex(want));
      }
    }
  });
});

describe('XChaCha', () => {
  it('derives the subkey of draft-irtf-cfrg-xchacha-03 2.2.1', () => {
    const subkey = hchacha(words(KEY), words('000000090000004a0000000031415927'), 20);
    expect(hex(new Uint8Array(subkey.buffer))).toBe('82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc');
  });

  it('with 12 rounds gives a vector of the authors of Adiantum', () => {
    // @source github.com/google/adiantum test_vectors/ours/XChaCha/XChaCha12_32.json, "Random ( 1)", blocks 0 and 1
    const key = bytes('8266851ec38621074f6f9e445e194d40147880fc21281e315d0b32dee24d8a1e');
    const stream = new Uint8Array(128);
    new XChaCha(key, 12).xor(words('c7cfe494e56c8f8cdf2c69a53e9e595393ca92cdadee0259'), stream);
    expect(hex(stream.subarray(0, 64))).toBe(
      'e3a9ae210654bb5a0ae7a15c85b53e9abb0cf950e2f09789c5093562b0ffecdb' +
        '2dac3aa06c90e6ac989ba24d78a96063991dbe8fe13426712cd74e28335c66a4',
    );
    expect(hex(stream.subarray(64))).toBe(
      '8da7c32259c934a84bc591f82974c58e43dcc4f2c20484e6e5a747d0ebe466fc' +
        'd58d174fa65f96e8c1a64a4019788eac31f5bd558747102fbccbb5afc2f20993',
    );
  });
});

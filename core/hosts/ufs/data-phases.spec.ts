/**
 * Ciphertext on the medium: given plaintext, key and DUN through block layer, UFS host and flash, against published vectors, for every engine and for the fallback; and what becomes of
 * data when keys are wrong, gone or the engine errs.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { STS_IOERR, STS_OK } from '../../block/types.ts';
import { dunOfIv } from '../../crypto/dun.ts';
import { MODE_ADIANTUM, MODE_AES_128_CBC_ESSIV, MODE_AES_256_XTS, MODE_SM4_XTS } from '../../crypto/mode.ts';
import { CARRYING_UNITS, IEEE_KEY, IEEE_UNITS } from '../../crypto/modes/xts-vectors.ts';
import { iceOfHost } from '../../ice/testing.ts';
import { DataRig, type DataRigOptions } from './data-testing.ts';
import { PRDT_KEYS } from './slots.ts';

const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const counting = (sizeBytes: number): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, i) => i & 0xff);

const AT = 40 * 4096;
const OWN_KEY = counting(64);
const OTHER_KEY = counting(64).map((byte) => byte ^ 0xff);

/** Hosts that encrypt with data units of 512 and 4096 bytes, and one that leaves it to the CPU. */
const HOSTS: readonly (readonly [string, DataRigOptions])[] = [
  ['keys in registers', { crypto: {} }],
  ["Qualcomm's engine", { crypto: { engine: 'ice' }, ice: iceOfHost() }],
  ['the fallback', {}],
];
const PRDT: readonly [string, DataRigOptions] = ['keys in the PRDT', { crypto: { engine: 'prdt', keyslots: 0 } }];

describe.each(HOSTS)('I-22: what lies on the medium, with %s', (_name, options) => {
  it.each(IEEE_UNITS)('is data unit 0x%x of IEEE 1619 annex B', (dun, first, digest) => {
    const rig = new DataRig(options);
    const keyId = rig.key(IEEE_KEY, 512);
    expect(rig.write({ offsetBytes: AT, keyId, dun }, counting(4096))).toBe(STS_OK);
    const unit = rig.onMedium(AT, 512);
    expect(hex(unit.subarray(0, 16))).toBe(first);
    expect(sha256(unit)).toBe(digest);
    expect(rig.read({ offsetBytes: AT, keyId, dun }, 4096)).toEqual({ status: STS_OK, data: counting(4096) });
  });

  // The last one carries over 64 bits, which is more than the descriptor holds.
  it.each(CARRYING_UNITS.slice(0, -1))(
    'I-14: has units of %i bytes with consecutive DUNs from %d on',
    (unitBytes, dun, second, digest) => {
      const rig = new DataRig(options);
      const keyId = rig.key(OWN_KEY, unitBytes);
      expect(rig.write({ offsetBytes: AT, keyId, dun }, new Uint8Array(8192))).toBe(STS_OK);
      const data = rig.onMedium(AT, 8192);
      expect(hex(data.subarray(unitBytes, unitBytes + 16))).toBe(second);
      expect(sha256(data)).toBe(digest);
    },
  );

  it('is the plaintext of a plain write, and zeros where nothing was written', () => {
    const rig = new DataRig(options);
    expect(rig.write({ offsetBytes: AT }, counting(4096))).toBe(STS_OK);
    expect(rig.onMedium(AT, 4096)).toEqual(counting(4096));
    expect(rig.read({ offsetBytes: 0 }, 4096)).toEqual({ status: STS_OK, data: new Uint8Array(4096) });
  });
});

describe(`with ${PRDT[0]}`, () => {
  it.each(CARRYING_UNITS.filter(([unitBytes]) => unitBytes === 4096))(
    'I-14, I-22: units of %i bytes: the medium holds the vector of DUN %d, carried over every limb',
    (_unitBytes, dun, _second, digest) => {
      const rig = new DataRig(PRDT[1]);
      const keyId = rig.key(OWN_KEY, 4096, MODE_AES_256_XTS, 16);
      expect(rig.write({ offsetBytes: AT, keyId, dun }, new Uint8Array(8192))).toBe(STS_OK);
      expect(sha256(rig.onMedium(AT, 8192))).toBe(digest);
      expect(rig.read({ offsetBytes: AT, keyId, dun }, 8192).data).toEqual(new Uint8Array(8192));
      expect(rig.ufs.snapshot().slots.some(({ cci }) => cci === PRDT_KEYS)).toBe(false);
    },
  );
});

describe('I-22: what only the fallback can do lies on the medium as published', () => {
  it('I-14: AES-256-XTS with DUNs that carry over 64 bits', () => {
    const rig = new DataRig({ crypto: {} });
    const keyId = rig.key(OWN_KEY, 4096, MODE_AES_256_XTS, 16);
    rig.write({ offsetBytes: AT, keyId, dun: 2n ** 64n - 1n }, new Uint8Array(8192));
    expect(sha256(rig.onMedium(AT, 8192))).toBe('76ebb8d6464f56e8e88b9a6f6df14c5c69bffafaf007ca765338582e6f7b43e9');
    expect(rig.fallback.counters.writes).toBe(1);
  });

  // @source inline-crypto 8.4
  it.each([
    [0n, '203342131b6ce1df56b324a1c3480cb4aafc84531c87e50b3358135c2b9ca357'],
    [1n, '35944cc60afd4fb4131ebd83deb65fe43bd6622c26e366e0f9972476ab0c20cd'],
    [0x123456789an, '3b550f51c891d9e582336a5596a42d969abe320e50a76f847d93e74d07957a38'],
  ])('AES-128-CBC-ESSIV, DUN %d', (dun, digest) => {
    const rig = new DataRig({ crypto: {} });
    const keyId = rig.key(counting(16), 512, MODE_AES_128_CBC_ESSIV);
    rig.write({ offsetBytes: AT, keyId, dun }, new Uint8Array(4096));
    expect(sha256(rig.onMedium(AT, 512))).toBe(digest);
    expect(rig.read({ offsetBytes: AT, keyId, dun }, 4096).data).toEqual(new Uint8Array(4096));
  });

  // @source the authors' reference implementation, as in core/crypto/modes/vectors.spec.ts
  it.each([
    [512, 2n ** 32n - 1n, '24732961c17e9b567b1df0b60227596a0b012a32d0bed5ba8b22ead9b0ef4521'],
    [512, 2n ** 64n - 1n, '8d713392ef611cc93a74bc35ebc1b44e3fcaf837f8765d36136364791267d0dd'],
    [512, 2n ** 128n - 1n, 'f2522ccc19eeda253e1d733ae0ba1d9aab38864c33ba7de788112b2bb6f6f3a5'],
    [4096, 0n, 'f2b0985193d5cc2c22561274fccfefba40e3a8d97c33cee0579df6365e1c9821'],
    [4096, 1n, 'b0775fe8ec8fb773b66b6c2acd18f9a50826a513de2d33484f760345b7398120'],
    [4096, 2n ** 255n + 5n, '5e807797cf740d05a8281a3556e1a790add6333cc83dd383f0a2d82c2cc6f0bb'],
  ])('Adiantum, units of %i bytes, DUN %d', (unitBytes, dun, digest) => {
    const rig = new DataRig({ crypto: {} });
    const keyId = rig.key(counting(32), unitBytes, MODE_ADIANTUM);
    rig.write({ offsetBytes: AT, keyId, dun }, counting(4096));
    expect(sha256(rig.onMedium(AT, unitBytes))).toBe(digest);
    expect(rig.read({ offsetBytes: AT, keyId, dun }, 4096).data).toEqual(counting(4096));
  });

  it('I-14: Adiantum, the unit after DUN 0 in one request', () => {
    const rig = new DataRig();
    const keyId = rig.key(counting(32), 4096, MODE_ADIANTUM);
    rig.write({ offsetBytes: AT, keyId, dun: 0n }, counting(8192));
    expect(sha256(rig.onMedium(AT + 4096, 4096))).toBe(
      'b0775fe8ec8fb773b66b6c2acd18f9a50826a513de2d33484f760345b7398120',
    );
  });

  it('SM4-XTS, the vector of OpenSSL', () => {
    // @source OpenSSL test/recipes/30-test_evp_data/evpciph_sm4.txt, XTSStandard = IEEE; its first two blocks begin a data unit as well as any
    const rig = new DataRig();
    const key = unhex('2b7e151628aed2a6abf7158809cf4f3c000102030405060708090a0b0c0d0e0f');
    const keyId = rig.key(key, 512, MODE_SM4_XTS);
    const data = new Uint8Array(4096);
    data.set(unhex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51'));
    rig.write({ offsetBytes: AT, keyId, dun: dunOfIv(unhex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff')) }, data);
    expect(hex(rig.onMedium(AT, 32))).toBe('e9538251c71d7b80bbe4483fef497bd1b3db1a3e60408c575d63ff7db39f8326');
  });
});

describe.each([...HOSTS, PRDT])('with %s', (_name, options) => {
  const data = counting(3 * 4096);

  it('I-23: a read gives back what was written under the same key and DUN, and under no other', () => {
    const rig = new DataRig(options);
    const [keyId, other] = [rig.key(OWN_KEY), rig.key(OTHER_KEY)];
    rig.write({ offsetBytes: AT, keyId, dun: 7n }, data);
    const read = (more: object): Uint8Array => rig.read({ offsetBytes: AT, ...more }, data.length).data;
    expect(read({ keyId, dun: 7n })).toEqual(data);
    expect(rig.fallback.counters.writes).toBe(options.crypto === undefined ? 1 : 0);
    for (const more of [{ keyId: other, dun: 7n }, { keyId, dun: 8n }, {}]) {
      const got = read(more);
      for (let at = 0; at < data.length; at += 16) {
        expect(hex(got.subarray(at, at + 16))).not.toBe(hex(data.subarray(at, at + 16)));
      }
    }
  });

  it('I-25: medium and device see no plaintext of an encrypted write', () => {
    const rig = new DataRig(options);
    const seen: Uint8Array[] = [];
    const write = rig.medium.write.bind(rig.medium);
    rig.medium.write = (at, bytes) => {
      seen.push(bytes.slice());
      write(at, bytes);
    };
    rig.write({ offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n }, data);
    const plain = new Set(Array.from({ length: data.length / 16 }, (_, i) => hex(data.subarray(16 * i, 16 * i + 16))));
    expect(seen.reduce((sum, { length }) => sum + length, 0)).toBe(data.length);
    for (const bytes of seen)
      for (let at = 0; at < bytes.length; at += 16) expect(plain.has(hex(bytes.subarray(at, at + 16)))).toBe(false);
  });

  it('the ciphertext is that of every other path', () => {
    const rig = new DataRig(options);
    rig.write({ offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 2n ** 32n - 2n }, data);
    const want = new Uint8Array(data.length);
    for (let unit = 0; unit < 3; unit++) {
      const iv = Buffer.alloc(16);
      iv.writeBigUInt64LE(2n ** 32n - 2n + BigInt(unit));
      const part = data.subarray(4096 * unit, 4096 * (unit + 1));
      want.set(createCipheriv('aes-256-xts', OWN_KEY, iv).update(part), 4096 * unit);
    }
    expect(rig.onMedium(AT, data.length)).toEqual(want);
  });
});

describe('I-24: the source pages of a write', () => {
  it.each([...HOSTS, PRDT])('are never written to, with %s', (_name, options) => {
    const rig = new DataRig(options);
    const large = counting(2 * 1024 ** 2); // several requests, several bounce bios
    expect(rig.write({ offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n }, large)).toBe(STS_OK); // compares the source
    expect(rig.onMedium(AT, large.length)).not.toEqual(large);
    expect(rig.buffers.inUse).toBe(0);
  });
});

describe('a key that is wrong or gone shows as garbage, or as an error', () => {
  const data = counting(8192);

  it('a corrupted slot decrypts to garbage, and the I/O is known to have met it', () => {
    const rig = new DataRig({ crypto: { keyslots: 1 } });
    const bio = { offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n };
    rig.write(bio, data);
    rig.ufs.lld.hci.crypto.corrupt(0);
    const { status, data: got } = rig.read(bio, 8192);
    expect(status).toBe(STS_OK);
    expect(rig.wrongKeys).toHaveLength(1);
    const flipped = OWN_KEY.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
    const again = new Uint8Array(8192);
    for (const unit of [0, 1]) {
      const iv = Buffer.alloc(16);
      iv.writeBigUInt64LE(BigInt(unit));
      again.set(
        createCipheriv('aes-256-xts', flipped, iv).update(got.subarray(4096 * unit, 4096 * (unit + 1))),
        4096 * unit,
      );
    }
    expect(again).toEqual(rig.onMedium(AT, 8192)); // garbage, but exactly that of the flipped bit
  });

  it('a slot that lost its key after the check of a command encrypts with zeros', () => {
    const rig = new DataRig({ crypto: { keyslots: 1 } });
    const bio = { offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n };
    const { crypto } = rig.ufs.lld.hci;
    const admit = crypto.admit.bind(crypto);
    crypto.admit = (tag, utrd) => {
      const ocs = admit(tag, utrd);
      crypto.engine.loseKeys();
      crypto.boundKey.fill(-1);
      return ocs;
    };
    expect(rig.write(bio, data)).toBe(STS_OK);
    expect(rig.wrongKeys).toHaveLength(1);
    const ecb = (block: Uint8Array): Uint8Array =>
      createCipheriv('aes-256-ecb', new Uint8Array(32), null).setAutoPadding(false).update(block);
    const tweak = ecb(new Uint8Array(16)); // XTS by hand: OpenSSL refuses equal key halves
    const first = ecb(data.slice(0, 16).map((byte, i) => byte ^ tweak[i])).map((byte, i) => byte ^ tweak[i]);
    expect(hex(rig.onMedium(AT, 16))).toBe(hex(first));
  });

  it('I-36: a slot without a key is refused with OCS 9, and nothing moves', () => {
    const rig = new DataRig({ crypto: { keyslots: 1 } });
    const bio = { offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n };
    rig.write(bio, data);
    const before = rig.onMedium(AT, 8192);
    rig.ufs.lld.hci.crypto.engine.loseKeys();
    expect(rig.write(bio, counting(8192).fill(1))).toBe(STS_IOERR);
    expect(rig.onMedium(AT, 8192)).toEqual(before);
    const read = rig.read(bio, 8192);
    expect(read).toEqual({ status: STS_IOERR, data: new Uint8Array(8192).fill(0xee) });
  });

  it('I-36: an engine error moves no data, in either direction', () => {
    const rig = new DataRig({ crypto: {} });
    const bio = { offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n };
    rig.write(bio, data);
    const before = rig.onMedium(AT, 8192);
    const { crypto } = rig.ufs.lld.hci;
    crypto.failNext = 100;
    expect(rig.write(bio, counting(8192).fill(1))).toBe(STS_IOERR);
    expect(rig.onMedium(AT, 8192)).toEqual(before);
    expect(rig.read(bio, 8192)).toEqual({ status: STS_IOERR, data: new Uint8Array(8192).fill(0xee) });
    crypto.failNext = 0;
    expect(rig.read(bio, 8192).data).toEqual(data);
  });

  it("Qualcomm's engine passes data unchanged while it is bypassed", () => {
    const rig = new DataRig({ crypto: { engine: 'ice' }, ice: iceOfHost() });
    const bio = { offsetBytes: AT, keyId: rig.key(OWN_KEY), dun: 0n };
    rig.write(bio, data);
    expect(rig.onMedium(AT, 8192)).not.toEqual(data);
    Object.defineProperty(rig.ufs.lld.hci.crypto.engine, 'isBypassed', { get: () => true });
    rig.write(bio, data);
    expect(rig.onMedium(AT, 8192)).toEqual(data);
  });
});

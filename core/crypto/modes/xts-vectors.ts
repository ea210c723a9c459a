/**
 * Test vectors of AES-256-XTS over data units, for the specs of everything that encrypts: the cipher, the engines, the fallback.
 *
 * @source IEEE 1619-2007 annex B, vectors 10 to 14; inline-crypto.md 8.2 and 8.3 (the digests, and vectors that carry, computed with two independent libraries)
 */

/** Key of the IEEE vectors, whose plaintext is the bytes 00 … ff twice. */
export const IEEE_KEY = Uint8Array.from(
  (
    '2718281828459045235360287471352662497757247093699959574966967627' +
    '3141592653589793238462643383279502884197169399375105820974944592'
  ).match(/../g) ?? [],
  (pair) => parseInt(pair, 16),
);

/** One data unit of 512 bytes: DUN, first 16 bytes, SHA-256 of the ciphertext. */
export const IEEE_UNITS: readonly (readonly [dun: bigint, first: string, digest: string])[] = [
  [0xffn, '1c3b3a102f770386e4836c99e370cf9b', 'e97e974fa393af794f7a4684395814cf820de60a01eaec677d87b452e316b364'],
  [0xffffn, '77a31251618a15e6b92d1d66dffe7b50', 'def4fad29e95dfe1a24b1ad4620f86d7be094cced5b19e0b121aa82d9e6baf98'],
  [0xffffffn, 'e387aaa58ba483afa7e8eb469778317e', '8bf44861a081dd660d91ce615b5cdfb4d5df9d72c3025c12e67cc0ae097fa5d5'],
  [0xffffffffn, 'bf53d2dade78e822a4d949a9bc6766b0', 'c706140a11affda7402234f5e6331eacbfeb687d8e80d83962691823bb3636f0'],
  [
    0xffffffffffn,
    '64497e5a831e4a932c09be3e5393376d',
    'afba71abc4e95b186d89a63a5437c1bafcfd1a18ca273970c534aba4f8d05282',
  ],
];

/**
 * 8192 zero bytes under the key 00 … 3f: size of a data unit, first DUN, first 16 bytes of the second unit, SHA-256 of all. The DUN carries over 8, 32 and 64 bits
 * between two units.
 */
export const CARRYING_UNITS: readonly (readonly [unitBytes: number, dun: bigint, second: string, digest: string])[] = [
  [4096, 0n, '0c22ed7e2168a8500b30154c2ec00d26', '3e8360ab68ca2fddfc1fc8b9e514c9383fe8a6b77db18b4c4e825a02a6c49746'],
  [512, 0n, '0c22ed7e2168a8500b30154c2ec00d26', 'e1034053b4c1f7e5295ec99fd880446255f8f109676b21cc9faa45352e0d2e89'],
  [4096, 1n, 'b4fa9263e3a79a62313b02487d06e35e', '4917e5ad656abec70c2c61df6ed39fe36a41a2c0c2c007c100006566697b064c'],
  [
    4096,
    2n ** 32n - 1n,
    'ce87c296405c679476713ff629f5827b',
    '26ae050d5ee9fcc79e30e6ab9ee108a9abb8536f05f8bca0860d7722a0fdf137',
  ],
  [
    4096,
    2n ** 32n,
    '56b0255f6482c9f03b0608a7ccb18012',
    'f089ce889732b0d72af1eb4c680aad49f1d4389b64f999b427bade920216fc25',
  ],
  [
    4096,
    2n ** 64n - 1n,
    '2aca9fa268f090c0fcfa1ae9c5b934e9',
    '76ebb8d6464f56e8e88b9a6f6df14c5c69bffafaf007ca765338582e6f7b43e9',
  ],
];

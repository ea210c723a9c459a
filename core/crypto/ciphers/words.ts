/**
 * Views of bytes as 32-bit words. The ciphers of this folder that speak of little-endian words read them through a `Uint32Array` over the same
 * memory, which is right on little-endian machines alone; every machine that Node and Electron run on today is one, and loading checks it.
 */
if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) throw new Error('core/crypto needs a little-endian machine');

/** Whether `wordsOver` can be made of these bytes. */
export function isWordAligned(bytes: Uint8Array): boolean {
  return (bytes.byteOffset & 3) === 0;
}

/** The bytes as little-endian words, over the same memory. The bytes must be word aligned; a remainder of 1 to 3 bytes is left out. */
export function wordsOver(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
}

/** The little-endian words in a copy of the bytes, whatever their alignment. */
export function wordsIn(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Uint8Array.from(bytes).buffer, 0, bytes.length >>> 2);
}

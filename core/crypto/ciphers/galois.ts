/**
 * Arithmetic in GF(2^8), from which the S-boxes and tables of AES and SM4 are computed when their modules load: fewer constants to get wrong,
 * and no copied tables.
 */

/** The product of two elements modulo a polynomial given with its x^8 term, such as 0x11b. */
export function gfMultiply(a: number, b: number, polynomial: number): number {
  let product = 0;
  let shifted = a;
  for (let rest = b; rest !== 0; rest >>>= 1) {
    if ((rest & 1) !== 0) product ^= shifted;
    shifted <<= 1;
    if (shifted > 0xff) shifted ^= polynomial;
  }
  return product;
}

/** The inverses of 0..255, with 0 for 0. */
export function gfInverses(polynomial: number): Uint8Array<ArrayBuffer> {
  const inverses = new Uint8Array(256);
  for (let a = 1; a < 256; a++) {
    let power = a; // a^254 = a^-1: 254 = 0b11111110
    for (let i = 0; i < 6; i++) power = gfMultiply(gfMultiply(power, power, polynomial), a, polynomial);
    inverses[a] = gfMultiply(power, power, polynomial);
  }
  return inverses;
}

/** A byte rotated left. */
export function rotateByte(byte: number, by: number): number {
  return ((byte << by) | (byte >>> (8 - by))) & 0xff;
}

/** `table` with every word rotated right by `by` bits. */
export function rotatedTable(table: Uint32Array, by: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(table, (word) => (word >>> by) | (word << (32 - by)));
}

/**
 * Poly1305 as a hash of whole 16-byte blocks: the polynomial at a clamped point r modulo 2^130 - 5. Adiantum uses it twice, without the
 * one-time number that RFC 8439 adds at the end; a caller who wants the authenticator adds it modulo 2^128.
 *
 * Numbers are six limbs of 22 bits. A product of two limbs is below 2^44 and a column of the product, with its wrapped part times 20
 * (2^132 = 4 * 2^130 = 20 modulo p), below 2^51: exact in doubles, so there is neither a bigint nor a 64-bit multiply.
 *
 * @source RFC 8439 2.5 (clamping, blocks with a one bit above them)
 */
const LIMBS = 6;
const LIMB_BITS = 22;
const LIMB_SPAN = 2 ** LIMB_BITS;
const LIMB_MASK = LIMB_SPAN - 1;
/** 2^130 as a value of the highest limb. */
const TOP_SPAN = 2 ** (130 - LIMB_BITS * (LIMBS - 1));
/** 2^132 modulo 2^130 - 5. */
const WRAP = 20;

/** The bytes of r with the bits cleared that RFC 8439 2.5 says. */
function clamped(bytes: Uint8Array): Uint8Array {
  const r = Uint8Array.from(bytes);
  for (const i of [3, 7, 11, 15]) r[i] &= 0x0f;
  for (const i of [4, 8, 12]) r[i] &= 0xfc;
  return r;
}

/** Limb `i` of a 16-byte little-endian number at `at`, without a bit above it. */
function limbOf(bytes: Uint8Array, at: number, i: number): number {
  const bit = LIMB_BITS * i;
  const byte = at + (bit >>> 3);
  const end = at + 16;
  let word = 0; // 22 bits from any bit of a byte on lie in four bytes
  for (let j = 0; j < 4 && byte + j < end; j++) word |= bytes[byte + j] << (8 * j);
  return (word >>> (bit & 7)) & LIMB_MASK;
}

/** The bit that stands above every whole block: 2^128 is bit 18 of limb 5. */
const BLOCK_BIT = 2 ** (128 - 5 * LIMB_BITS);

export class Poly1305 {
  private readonly r = new Float64Array(LIMBS);
  private readonly h = new Float64Array(LIMBS);
  private readonly product = new Float64Array(LIMBS);

  /** @param r 16 bytes; clamped here */
  constructor(r: Uint8Array) {
    const bytes = clamped(r);
    for (let i = 0; i < LIMBS; i++) this.r[i] = limbOf(bytes, 0, i);
    bytes.fill(0);
  }

  /** Begins a new message. */
  reset(): void {
    this.h.fill(0);
  }

  /** Takes in whole 16-byte blocks. */
  update(blocks: Uint8Array): void {
    for (let at = 0; at < blocks.length; at += 16) {
      for (let i = 0; i < LIMBS; i++) this.h[i] += limbOf(blocks, at, i);
      this.h[LIMBS - 1] += BLOCK_BIT;
      this.multiply();
    }
  }

  /** The message's hash modulo 2^128, little-endian, added to the 16 bytes of `sum` modulo 2^128. */
  addTo(sum: Uint8Array): void {
    this.reduce();
    const { h } = this;
    let carry = 0;
    let bits = 0; // what is left of the limbs taken so far, `left` bits of it
    let left = 0;
    for (let i = 0, limb = 0; i < 16; i++) {
      if (left < 8) {
        bits |= h[limb++] << left;
        left += LIMB_BITS;
      }
      carry += sum[i] + (bits & 0xff);
      sum[i] = carry;
      carry >>>= 8;
      bits >>>= 8;
      left -= 8;
    }
  }

  wipe(): void {
    this.r.fill(0);
    this.h.fill(0);
  }

  /** h = h * r, partly reduced: limbs end below 2^22 but for a little in the lowest. */
  private multiply(): void {
    const { h, r, product } = this;
    for (let i = 0; i < LIMBS; i++) {
      let column = 0;
      let wrapped = 0;
      for (let j = 0; j <= i; j++) column += h[j] * r[i - j];
      for (let j = i + 1; j < LIMBS; j++) wrapped += h[j] * r[LIMBS + i - j];
      product[i] = column + WRAP * wrapped;
    }
    let carry = this.carryFrom(product);
    const first = h[0] + WRAP * carry;
    carry = Math.floor(first / LIMB_SPAN);
    h[0] = first - carry * LIMB_SPAN;
    h[1] += carry;
  }

  /** h = limbs with every carry passed on. @returns what went out of the highest limb, of 2^132 */
  private carryFrom(limbs: Float64Array): number {
    let carry = 0;
    for (let i = 0; i < LIMBS; i++) {
      const limb = limbs[i] + carry;
      carry = Math.floor(limb / LIMB_SPAN);
      this.h[i] = limb - carry * LIMB_SPAN;
    }
    return carry;
  }

  /** h to its value below 2^130 - 5. */
  private reduce(): void {
    const { h } = this;
    const above = this.carryFrom(h);
    h[0] += WRAP * above;
    this.foldTop();
    this.foldTop();
    // Now below 2^130. At or above p, adding 5 goes past 2^130, and what is past it is the value.
    h[0] += 5;
    this.carryFrom(h);
    if (h[LIMBS - 1] >= TOP_SPAN) {
      h[LIMBS - 1] -= TOP_SPAN;
    } else {
      h[0] -= 5;
      this.carryFrom(h);
    }
  }

  /** Brings what is above 2^130 down as five times as much. */
  private foldTop(): void {
    const { h } = this;
    const above = Math.floor(h[LIMBS - 1] / TOP_SPAN);
    h[LIMBS - 1] -= above * TOP_SPAN;
    h[0] += 5 * above;
    this.carryFrom(h);
  }
}

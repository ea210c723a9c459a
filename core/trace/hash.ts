/**
 * The trace hash: a digest of a run's history, equal for equal runs on every machine (design, laws 8). The run feeds it the numbers that make up a
 * request's life (times, sizes, places) in the order in which they happen.
 *
 * Two 32-bit lanes of multiply-rotate mixing (the round of MurmurHash3, with constants of xxHash32; both public domain or BSD descriptions), each of which
 * absorbs both halves of a number, in different places. It detects differences between runs; it is no defence against somebody who builds
 * a collision. Only 32-bit integer operations, so the engine's rounding of doubles cannot matter.
 */

/** @source xxHash specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): PRIME32_1..5, odd 32-bit primes */
const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** What a missing value (NaN) stands for in the digest: a high half that no safe integer has. */
const MISSING_HIGH = 0x40000000;
const TWO_POW_32 = 0x1_0000_0000;

export class TraceHash {
  /** Lanes a and b. A typed array, so that a store is a plain 32-bit store. */
  private readonly lanes = Int32Array.of(PRIME_4 | 0, PRIME_5 | 0);
  private count = 0;
  private readonly single = new Float64Array(1);

  /** Absorbs a safe integer of either sign, or NaN for a missing value. */
  add(n: number): void {
    this.single[0] = n;
    this.addColumn(this.single, 1);
  }

  /** Absorbs the first `rows` numbers of a column. Hot path: the lanes stay in registers. */
  addColumn(column: Float64Array, rows: number): void {
    let laneA = this.lanes[0];
    let laneB = this.lanes[1];
    for (let i = 0; i < rows; i++) {
      const n = column[i];
      const low = n | 0; // modulo 2^32, also for large and negative numbers
      const high = n === low ? low >> 31 : n === n ? Math.floor(n / TWO_POW_32) | 0 : MISSING_HIGH;
      const a = laneA ^ Math.imul(low, PRIME_2);
      laneA = (Math.imul((a << 13) | (a >>> 19), PRIME_1) + high) | 0;
      const b = (laneB + Math.imul(low ^ Math.imul(high, PRIME_5), PRIME_3)) | 0;
      laneB = Math.imul((b << 17) | (b >>> 15), PRIME_4) ^ low;
    }
    this.lanes[0] = laneA;
    this.lanes[1] = laneB;
    this.count += rows;
  }

  /** Absorbs a text: its length and its UTF-16 units. */
  addText(text: string): void {
    this.add(text.length);
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i));
  }

  /** The digest so far, 16 hexadecimal digits. More may be added afterwards. */
  hex(): string {
    const a = finalMix(this.lanes[0] ^ this.count);
    const b = finalMix(this.lanes[1] + Math.imul(this.count, PRIME_3));
    return hex32(a ^ Math.imul(b, PRIME_1)) + hex32(b);
  }
}

/** The finaliser of MurmurHash3 (32 bit): every input bit reaches every output bit. */
function finalMix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

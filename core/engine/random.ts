/**
 * Named random streams. Every consumer of randomness owns a stream named after itself (`workload/app.0/offset`,
 * `media/tR`), seeded from (run seed, name), so that adding a part to a stack never disturbs the draws of the others:
 * this is what makes comparisons by paired seeds honest.
 *
 * Generator: xoshiro128** of Blackman and Vigna (public domain description at prng.di.unimi.it), seeded by SplitMix32-style mixing
 * of an FNV-1a hash of the name.
 */
export class RandomStream {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number, name: string) {
    const low = Math.imul(seed >>> 0, 0x9e3779b1);
    const high = Math.imul(Math.floor(seed / 0x1_0000_0000), 0x85ebca6b);
    const first = mixer(hashName(name, 0x811c9dc5) ^ low ^ high);
    const second = mixer(hashName(name, 0x01234567) + low + Math.imul(high, 3)); // 64 bits of state tell streams apart
    this.a = first();
    this.b = second();
    this.c = first();
    this.d = second() | 1; // the all-zero state is the one state the generator cannot leave
  }

  /** A uniform 32-bit unsigned integer. */
  u32(): number {
    const b5 = Math.imul(this.b, 5);
    const result = Math.imul((b5 << 7) | (b5 >>> 25), 9) >>> 0;
    const t = this.b << 9;
    this.c ^= this.a;
    this.d ^= this.b;
    this.b ^= this.c;
    this.a ^= this.d;
    this.c ^= t;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** Uniform in [0, 1) with 53 bits. */
  unit(): number {
    return ((this.u32() >>> 5) * 67108864 + (this.u32() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in [0, n), n ≥ 1 and ≤ 2^53. One draw where that favours no value by more than 2^-16, else 53 bits. */
  below(n: number): number {
    return n <= 0x1_0000 ? Math.floor((this.u32() * n) / 0x1_0000_0000) : Math.floor(this.unit() * n);
  }

  /** Exponentially distributed with the given mean. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }
}

/** A sequence of well-mixed 32-bit integers from one, in the manner of SplitMix32. */
function mixer(start: number): () => number {
  let h = start | 0;
  return () => {
    h = (h + 0x9e3779b9) | 0;
    let z = h;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

/** FNV-1a, 32 bit, from any starting value. */
function hashName(name: string, basis: number): number {
  let h = basis;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h;
}

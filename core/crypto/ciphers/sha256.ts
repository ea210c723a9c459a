/**
 * SHA-256 in TypeScript, as reference for the native port and for cores that have none.
 *
 * The constants are computed at load, exactly, from their definition: the first 32 bits of the fractional parts of the square and cube roots
 * of the first primes. Messages up to 2^32 - 1 bytes; not made for bulk data.
 *
 * @source FIPS 180-4 (4.1.2, 4.2.2, 5.1.1, 5.3.3, 6.2)
 */
const BLOCK_BYTES = 64;
const ROUNDS = 64;

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

/** The first 32 bits after the point of the `degree`-th root, by bisection on integers. */
function rootFraction(n: number, degree: bigint): number {
  const scaled = BigInt(n) << (32n * degree);
  let low = 0n;
  let high = 1n << 64n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= scaled) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
}

const K = Uint32Array.from(firstPrimes(ROUNDS), (prime) => rootFraction(prime, 3n));
const INITIAL = Uint32Array.from(firstPrimes(8), (prime) => rootFraction(prime, 2n));

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The message with its padding: a one bit, zeroes, its length in bits as a 64-bit number. */
function padded(data: Uint8Array): DataView {
  const blocks = Math.ceil((data.length + 9) / BLOCK_BYTES);
  const bytes = new Uint8Array(blocks * BLOCK_BYTES);
  bytes.set(data);
  bytes[data.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, Math.floor(data.length / 2 ** 29));
  view.setUint32(bytes.length - 4, data.length * 8);
  return view;
}

function expand(w: Uint32Array, message: DataView, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = message.getUint32(at + 4 * i);
  for (let i = 16; i < ROUNDS; i++) {
    const s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >>> 3);
    const s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
}

function compress(hash: Uint32Array, w: Uint32Array): void {
  let [a, b, c, d, e, f, g, h] = hash;
  for (let i = 0; i < ROUNDS; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i] += word));
}

/** The 32 bytes of the SHA-256 of some bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  const message = padded(data);
  const hash = INITIAL.slice();
  const w = new Uint32Array(ROUNDS);
  for (let at = 0; at < message.byteLength; at += BLOCK_BYTES) {
    expand(w, message, at);
    compress(hash, w);
  }
  const digest = new DataView(new ArrayBuffer(32));
  hash.forEach((word, i) => digest.setUint32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

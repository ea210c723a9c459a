/**
 * Real-byte ciphers: how many MB/s the modes reach over the native ports, beside tight loops over the native primitives.
 *
 * Two loops to compare with. `native xts` does the same work with OpenSSL's own aes-256-xts, a context per data unit from a prepared key object,
 * as tightly as Node allows; the target of design section 9 (at least 70 %) is taken against it. `bare ecb` only pushes as many bytes through
 * aes-256-ecb, the primitive that the batched XTS stands on (Electron has no aes-256-xts): a ceiling that no XTS in JavaScript reaches.
 * All variants take turns, round by round, so that whatever else the machine does hits all of them alike.
 *
 *   node bench/crypto.ts        prints medians over 151 rounds
 */
import { createCipheriv, createHash, createSecretKey, hash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { ivOf } from '../core/crypto/dun.ts';
import {
  MODE_ADIANTUM,
  MODE_AES_128_CBC_ESSIV,
  MODE_AES_256_XTS,
  MODE_SM4_XTS,
  modeById,
} from '../core/crypto/mode.ts';
import { createDataUnitCipher } from '../core/crypto/modes/create.ts';
import { nodePorts } from '../main/crypto/node-ports.ts';
import { median } from './measure.ts';

const ROUNDS = 151;
/** Rounds before the first that counts: V8 needs some until all is compiled. */
const WARM_UP_ROUNDS = 100;
/** Bytes of one measurement of one variant: a fraction of a millisecond, so that most of them are not interrupted by other processes. */
const MEASURED_BYTES = 512 * 1024;
const BATCH_BYTES = 65536;

/** One way to get bytes encrypted: a function over a buffer of `callBytes`. */
interface Variant {
  readonly name: string;
  readonly callBytes: number;
  readonly run: (data: Uint8Array) => void;
}

const keyOf = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => (i * 73) & 0xff);

function modeVariant(mode: number, callBytes: number, unitBytes: number, isDecrypting = false): Variant {
  const known = modeById(mode);
  if (known === undefined) throw new Error(`bench: no mode ${mode}`);
  const cipher = createDataUnitCipher(mode, keyOf(known.keyBytes), nodePorts);
  const direction = isDecrypting ? ', decrypt' : '';
  return {
    name: `${known.name}, ${unitBytes}-byte units, ${callBytes} a call${direction}`,
    callBytes,
    run: isDecrypting
      ? (data) => cipher.decryptUnits(data, unitBytes, 5n)
      : (data) => cipher.encryptUnits(data, unitBytes, 5n),
  };
}

/** OpenSSL's aes-256-xts unit by unit, in place. */
function nativeXts(unitBytes: number): Variant {
  const key = createSecretKey(keyOf(64));
  const iv = ivOf(5n, 16);
  return {
    name: `native xts, ${unitBytes}-byte units`,
    callBytes: BATCH_BYTES,
    run: (data) => {
      for (let at = 0; at < data.length; at += unitBytes) {
        iv[0]++;
        const cipher = createCipheriv('aes-256-xts', key, iv).setAutoPadding(false);
        data.set(cipher.update(data.subarray(at, at + unitBytes)), at);
      }
    },
  };
}

function bareEcb(callBytes: number): Variant {
  const cipher = createCipheriv('aes-256-ecb', keyOf(32), null).setAutoPadding(false);
  return { name: `bare ecb, ${callBytes} a call`, callBytes, run: (data) => void cipher.update(data) };
}

/** SHA-256 of 4 KiB, as the port does it and as Node's older interface does it. */
function digests(): Variant[] {
  return [
    { name: 'SHA-256 port, 4096 bytes', callBytes: 4096, run: (data) => void nodePorts.sha256.digest(data) },
    { name: 'native hash, 4096 bytes', callBytes: 4096, run: (data) => void hash('sha256', data, 'buffer') },
    {
      name: 'native createHash, 4096 bytes',
      callBytes: 4096,
      run: (data) => void createHash('sha256').update(data).digest(),
    },
  ];
}

export function variants(): Variant[] {
  return [
    nativeXts(4096),
    nativeXts(512),
    bareEcb(BATCH_BYTES),
    bareEcb(4096),
    modeVariant(MODE_AES_256_XTS, BATCH_BYTES, 4096),
    modeVariant(MODE_AES_256_XTS, BATCH_BYTES, 4096, true),
    modeVariant(MODE_AES_256_XTS, 16384, 4096),
    modeVariant(MODE_AES_256_XTS, 4096, 4096),
    modeVariant(MODE_AES_256_XTS, BATCH_BYTES, 512),
    modeVariant(MODE_AES_128_CBC_ESSIV, BATCH_BYTES, 4096),
    modeVariant(MODE_AES_128_CBC_ESSIV, BATCH_BYTES, 4096, true),
    modeVariant(MODE_ADIANTUM, BATCH_BYTES, 4096),
    modeVariant(MODE_SM4_XTS, BATCH_BYTES, 4096),
    ...digests(),
  ];
}

/** MB/s of one round of a variant. */
function rateOf({ callBytes, run }: Variant, data: Uint8Array): number {
  const calls = MEASURED_BYTES / callBytes;
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) run(data);
  return (calls * callBytes * 1e3) / Number(process.hrtime.bigint() - start);
}

/** MB/s by name, medians over rounds in which every variant runs once. */
export function measureCiphers(rounds = ROUNDS): Map<string, number> {
  const all = variants();
  const buffers = all.map(({ callBytes }) => new Uint8Array(callBytes));
  const rates = all.map((): number[] => []);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    all.forEach((variant, i) => {
      const rate = rateOf(variant, buffers[i]);
      if (round >= 0) rates[i].push(rate);
    });
  }
  return new Map(all.map(({ name }, i) => [name, median(rates[i])]));
}

function main(): void {
  const rates = measureCiphers();
  const native = (unitBytes: number): number => rates.get(`native xts, ${unitBytes}-byte units`) ?? Number.NaN;
  for (const [name, rate] of rates) {
    const isXts = name.startsWith('AES-256-XTS');
    const share = rate / native(name.includes('512-byte') ? 512 : 4096);
    const beside = isXts ? `${(100 * share).toFixed(0)} % of native xts, target 70 %` : '';
    console.log(`${name.padEnd(62)} ${rate.toFixed(0).padStart(6)} MB/s  ${beside}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();

/**
 * From a mode's number and a raw key to the cipher over data units: the one place that knows how each mode cuts up its key.
 *
 * @source IEEE 1619-2007 5.3.1 (XTS: data key first, tweak key second); inline encryption's hardware and the kernel take the halves in that order
 */
import { Sm4 } from '../ciphers/sm4.ts';
import { MODE_ADIANTUM, MODE_AES_128_CBC_ESSIV, MODE_AES_256_XTS, MODE_SM4_XTS, modeById } from '../mode.ts';
import type { CryptoPorts } from '../ports.ts';
import { Adiantum } from './adiantum.ts';
import { CbcEssiv } from './essiv.ts';
import type { DataUnitCipher } from './units.ts';
import { Xts } from './xts.ts';

/**
 * The cipher of a mode under a raw key. One cipher serves any number of calls, one at a time; the key's bytes may be wiped afterwards.
 * @throws RangeError if there is no such mode or the key has the wrong size
 */
export function createDataUnitCipher(mode: number, key: Uint8Array, ports: CryptoPorts): DataUnitCipher {
  const known = modeById(mode);
  if (known === undefined) throw new RangeError(`no encryption mode has the number ${mode}`);
  if (key.length !== known.keyBytes) {
    throw new RangeError(`a raw key of ${known.name} has ${known.keyBytes} bytes, not ${key.length}`);
  }
  const { aesEcb, aesCbc, sha256 } = ports;
  switch (mode) {
    case MODE_AES_256_XTS:
      return new Xts(aesEcb.open(key.subarray(0, 32)), aesEcb.open(key.subarray(32)));
    case MODE_SM4_XTS:
      return new Xts(new Sm4(key.subarray(0, 16)), new Sm4(key.subarray(16)));
    case MODE_AES_128_CBC_ESSIV:
      return new CbcEssiv(aesCbc.open(key), aesEcb.open(key), aesEcb.open(sha256.digest(key)));
    case MODE_ADIANTUM:
      return new Adiantum(key, aesEcb);
    default:
      throw new RangeError(`${known.name} has no cipher here`);
  }
}

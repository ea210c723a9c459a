/**
 * Ciphers by the bytes of their key: for hardware that takes a key from wherever it lies at the moment (a slot, an entry of a table, a descriptor), so that what is encrypted
 * with is always what is there, and not what somebody believes to be there.
 *
 * A cipher is made when a key is first met and kept while it is among the last `MOST` that were made.
 */
import type { CryptoPorts } from '../ports.ts';
import { createDataUnitCipher } from './create.ts';
import type { DataUnitCipher } from './units.ts';

/** @assume more than any engine has slots, few enough to look through */
const MOST = 128;

interface Keyed {
  readonly mode: number;
  readonly key: Uint8Array;
  readonly cipher: DataUnitCipher;
}

export class KeyedCiphers {
  private readonly ports: CryptoPorts;
  private readonly known: Keyed[] = [];
  private oldest = 0;
  private last: Keyed | undefined = undefined;

  constructor(ports: CryptoPorts) {
    this.ports = ports;
  }

  /** The cipher of a mode under a key of the mode's size. The bytes are compared, and copied when they are new. */
  of(mode: number, key: Uint8Array): DataUnitCipher {
    if (this.last === undefined || !isOf(this.last, mode, key))
      this.last = this.known.find((known) => isOf(known, mode, key)) ?? this.make(mode, key);
    return this.last.cipher;
  }

  private make(mode: number, key: Uint8Array): Keyed {
    const made = { mode, key: key.slice(), cipher: createDataUnitCipher(mode, key, this.ports) };
    if (this.known.length < MOST) this.known.push(made);
    else {
      const gone = this.known[this.oldest];
      gone.cipher.wipe();
      gone.key.fill(0);
      this.known[this.oldest] = made;
      this.oldest = (this.oldest + 1) % MOST;
    }
    return made;
  }
}

function isOf(known: Keyed, mode: number, key: Uint8Array): boolean {
  if (known.mode !== mode || known.key.length !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (known.key[i] !== key[i]) return false;
  return true;
}

/**
 * The bytes of data phases, in data runs: between the host's memory and the medium, through the inline engine.
 *
 * Modelled: DATA OUT of a write reaches the medium whole, at the instant it arrives at the device; the parameter list of UNMAP likewise. DATA IN of a read is taken from the medium
 * when its last chunk leaves the flash, and is in the host's memory then, which the driver may look at only once the command is complete. The engine encrypts and decrypts on the
 * way, data unit by data unit, with the key that is in the slot at that instant (or in the PRDT entry) and the DUN of the descriptor; a slot that has lost its key since the
 * command was checked encrypts with zeros. Commands without CE pass unchanged, commands with an engine error move nothing (I-36).
 *
 * Data lies at symbolic addresses (memory.ts); what lies there is asked of the request that the driver bound to the command. `@assume` a command's data moves at once although
 * it takes time on the link: nobody can see the difference but another command for the same block at the same time.
 *
 * @source inline-crypto.md 3.7, 3.9, 3.14
 */
import type { RequestBytes } from '../../block/buffers.ts';
import { MODE_AES_256_XTS } from '../../crypto/mode.ts';
import type { KeyedCiphers } from '../../crypto/modes/keyed-ciphers.ts';
import type { Medium } from '../../media/medium.ts';
import * as d from './descriptors.ts';
import { BLOCK_BYTES } from './device.ts';
import * as prdt from './prdt-keys.ts';
import { CMD_READ, CMD_UNMAP, CMD_WRITE, PLAIN, PRDT_KEYS } from './slots.ts';
import type { Ufshci } from './ufshci.ts';

const KEY_BYTES = 64;
const WORD_BITS = 32n;
/** What a slot without a key encrypts with. */
const NO_KEY = new Uint8Array(KEY_BYTES);

export interface DataParts {
  /** The host's memory, by request. */
  readonly host: RequestBytes;
  readonly medium: Medium;
  readonly ciphers: KeyedCiphers;
  /** Keys of requests, to tell a fault from a mistake. */
  readonly requests: { readonly keyId: ArrayLike<number> };
}

export class DataPhases {
  private readonly hci: Ufshci;
  private readonly parts: DataParts;

  constructor(hci: Ufshci, parts: DataParts) {
    this.hci = hci;
    this.parts = parts;
  }

  /** The data of a write, or the parameter list of UNMAP, is in the device. */
  out(tag: number): void {
    const { host, medium } = this.parts;
    const { slots } = this.hci;
    const at = slots.lba[tag] * BLOCK_BYTES;
    if (slots.command[tag] === CMD_UNMAP) medium.discard(at, slots.blocks[tag] * BLOCK_BYTES);
    if (slots.command[tag] !== CMD_WRITE) return;
    const data = host.gather(slots.request[tag]);
    this.crypt(tag, data, true);
    medium.write(at, data);
  }

  /** The data of a read has left the flash. */
  in(tag: number): void {
    const { host, medium } = this.parts;
    const { slots, crypto } = this.hci;
    if (slots.command[tag] !== CMD_READ || crypto.hasFailed(tag)) return;
    const data = host.room(slots.bytes[tag]);
    medium.read(slots.lba[tag] * BLOCK_BYTES, data);
    this.crypt(tag, data, false);
    host.scatter(slots.request[tag], data);
  }

  /** Passes the data of a command through the engine. */
  private crypt(tag: number, data: Uint8Array, isWrite: boolean): void {
    const { slots, crypto } = this.hci;
    const cci = slots.cci[tag];
    if (cci === PLAIN || crypto.engine.isBypassed === true) return;
    if (cci === PRDT_KEYS) {
      this.cryptByPrdt(tag, data, isWrite);
      return;
    }
    const { host, requests } = this.parts;
    const rq = slots.request[tag];
    if (crypto.isDamaged(cci, requests.keyId[rq])) host.wrongKey(rq);
    const dun = (BigInt(slots.dunHigh[tag]) << WORD_BITS) | BigInt(slots.dunLow[tag]);
    this.cryptUnits(crypto.engine.keyOf(cci) ?? NO_KEY, data, crypto.unitBytes[tag], dun, isWrite);
  }

  /** Every PRDT entry is one data unit with a key and an IV of its own. */
  private cryptByPrdt(tag: number, data: Uint8Array, isWrite: boolean): void {
    const { words } = this.hci.memory;
    const first = this.hci.slots.ucd[tag] + d.UCD_PRDT / 4;
    for (let at = 0; at < data.length; at += prdt.PRDT_DATA_UNIT) {
      const entry = first + (at / prdt.PRDT_DATA_UNIT) * prdt.ENTRY_WORDS;
      const unit = data.subarray(at, at + prdt.PRDT_DATA_UNIT);
      this.cryptUnits(prdt.keyOf(words, entry), unit, prdt.PRDT_DATA_UNIT, prdt.ivOf(words, entry), isWrite);
    }
  }

  private cryptUnits(key: Uint8Array, data: Uint8Array, unitBytes: number, dun: bigint, isWrite: boolean): void {
    const cipher = this.parts.ciphers.of(MODE_AES_256_XTS, key);
    if (isWrite) cipher.encryptUnits(data, unitBytes, dun);
    else cipher.decryptUnits(data, unitBytes, dun);
  }
}

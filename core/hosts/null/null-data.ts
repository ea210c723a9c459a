/**
 * The bytes of a null device, in data runs: a medium and an engine that does every mode, at the instant a request's service ends.
 *
 * The key is the one that was programmed into the request's slot, or without slots the one that travels with the request. A flush changes nothing: what was written is there.
 * Not modelled: errors, loss of keys.
 */
import { OP_DISCARD, OP_READ, OP_WRITE, SECTOR_BYTES } from '../../block/types.ts';
import type { RequestBytes } from '../../block/buffers.ts';
import type { RequestTable } from '../../block/request.ts';
import { loadDun } from '../../crypto/dun.ts';
import type { KeyTable } from '../../crypto/key.ts';
import type { KeyedCiphers } from '../../crypto/modes/keyed-ciphers.ts';
import type { Medium } from '../../media/medium.ts';

export interface NullDataParts {
  readonly requests: RequestTable;
  readonly host: RequestBytes;
  readonly medium: Medium;
  readonly ciphers: KeyedCiphers;
  /** Absent: nothing is encrypted. */
  readonly keys?: KeyTable | undefined;
  /** The key in each slot; absent: keys travel with the requests. */
  readonly slotKeys?: Int32Array | undefined;
}

export class NullData {
  private readonly parts: NullDataParts;

  constructor(parts: NullDataParts) {
    this.parts = parts;
  }

  /** The service of a request is over. */
  served(rq: number): void {
    const { requests, host, medium } = this.parts;
    const at = requests.sector[rq] * SECTOR_BYTES;
    const op = requests.op[rq];
    if (op === OP_WRITE) {
      const data = host.gather(rq);
      this.crypt(rq, data, true);
      medium.write(at, data);
    } else if (op === OP_READ) {
      const data = host.room(requests.bytes[rq]);
      medium.read(at, data);
      this.crypt(rq, data, false);
      host.scatter(rq, data);
    } else if (op === OP_DISCARD) medium.discard(at, requests.bytes[rq]);
  }

  private crypt(rq: number, data: Uint8Array, isWrite: boolean): void {
    const { requests, keys, slotKeys, ciphers } = this.parts;
    if (requests.keyId[rq] < 0 || keys === undefined) return;
    const keyId = slotKeys === undefined ? requests.keyId[rq] : slotKeys[requests.keyslot[rq]];
    const cipher = ciphers.of(keys.mode[keyId], keys.bytes(keyId));
    const dun = loadDun(requests.dun, rq);
    if (isWrite) cipher.encryptUnits(data, requests.dataUnitSize[rq], dun);
    else cipher.decryptUnits(data, requests.dataUnitSize[rq], dun);
  }
}

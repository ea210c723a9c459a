/**
 * Law 7: the bytes of a run's I/Os, and whether what is read is what may be read.
 *
 * Every write carries content of its own (content.ts), every read is compared block by block with the versions that it may see (versions.ts) when its submitter reaps it. What a version
 * looks like to a read is computed here from the keys that the workload asked for, with no knowledge of slots, engines or the medium: the same key and DUN give the content back; a block
 * written under another key, DUN or none is the decryption of what was written; a block that was never written or was trimmed holds zeros on the medium, so an encrypted
 * read of it gives the decryption of zeros.
 *
 * A block that is none of this breaks the law, unless a fault explains it: the engine met another key than the request's in the slot, in this read or in a write that it may see.
 * Such blocks are counted, and that is all.
 *
 * Not checked: reads that failed; data units larger than a block (validation refuses them in data runs).
 */
import type { BufferPool } from '../../block/buffers.ts';
import { SECTOR_BYTES, STS_OK } from '../../block/types.ts';
import { wordsOver } from '../../crypto/ciphers/words.ts';
import { DUN_WORDS, loadDun } from '../../crypto/dun.ts';
import { KeyedCiphers } from '../../crypto/modes/keyed-ciphers.ts';
import type { DataUnitCipher } from '../../crypto/modes/units.ts';
import type { CryptoPorts } from '../../crypto/ports.ts';
import { wider } from '../../engine/columns.ts';
import type { Machine } from '../../engine/machine.ts';
import type { IoKeys } from '../encryption.ts';
import { DDIR_READ, DDIR_SYNC, DDIR_TRIM, DDIR_WRITE, type IoTable } from '../io.ts';
import { Content } from './content.ts';
import { Versions } from './versions.ts';

/** What a read's buffer holds before: it must not look like an earlier read. */
const POISON = 0x5a;
/** Breaches told in words; the rest is counted. */
const MOST_TOLD = 8;
const NONE = -1;
// Rows of `duns`.
const OF_READ = 0;
const OF_WRITE = 1;

export interface DataConfig {
  readonly buffers: BufferPool;
  readonly ports: CryptoPorts;
  readonly seed: number;
  /** Logical block of the device: what versions are told apart by. */
  readonly blockBytes: number;
  /** The raw key that an engine makes of a hardware-wrapped one; undefined when it is none, absent where there are none. */
  readonly inlineKey?: ((keyBytes: Uint8Array) => Uint8Array | undefined) | undefined;
}

export class DataCheck {
  /** Blocks by what became of them. */
  readonly counts = {
    blocksWritten: 0,
    blocksTrimmed: 0,
    blocksRead: 0,
    /** Reads that agree with a version they may see. */
    blocksVerified: 0,
    /** Of these: read under another key or DUN than written, or through a key and never written. */
    blocksUnderOtherKey: 0,
    /** Reads that agree with none. */
    blocksMismatched: 0,
    /** Of these: explained by a fault. */
    blocksExplained: 0,
    /** Of reads that failed. */
    blocksUnread: 0,
  };
  private readonly config: DataConfig;
  private readonly machine: Machine;
  private readonly ios: IoTable;
  private readonly keys: IoKeys | undefined;
  private readonly content: Content;
  private readonly versions = new Versions();
  private readonly ciphers: KeyedCiphers;
  /** Copies of the keys that were used, which outlive them. */
  private readonly secrets: Uint8Array[] = [];
  private writes = 0;
  private told = 0;
  // by handle of the I/O
  private buffer = new Int32Array(64);
  private record = new Int32Array(64);
  private wrongKey = new Uint8Array(64);
  // scratch
  private readonly candidates: number[] = [];
  private readonly expected: Uint8Array;
  private readonly duns = new Uint32Array(2 * DUN_WORDS);

  constructor(machine: Machine, ios: IoTable, keys: IoKeys | undefined, config: DataConfig) {
    this.config = config;
    this.machine = machine;
    this.ios = ios;
    this.keys = keys;
    this.content = new Content(config.seed);
    this.ciphers = new KeyedCiphers(config.ports);
    this.expected = new Uint8Array(config.blockBytes);
  }

  /** The buffer of an I/O that has data. */
  bufferOf(io: number): number {
    return this.buffer[io];
  }

  /** The I/O met another key than its own, because of a fault. */
  metWrongKey(io: number): void {
    this.wrongKey[io] = 1;
    if (this.ios.ddir[io] === DDIR_WRITE) this.versions.records.isSpoiled[this.record[io]] = 1;
  }

  // ------------------------------------------------------------------------------------------------ the life of an I/O

  /** An I/O is about to be submitted: its columns are set, its key is known. */
  began(io: number): void {
    const { ios, config } = this;
    const ddir = ios.ddir[io];
    if (ddir === DDIR_SYNC) return;
    if (io >= this.buffer.length) this.grow(2 * io);
    this.wrongKey[io] = 0;
    if (ios.keyId[io] >= 0) this.remember(ios.keyId[io]);
    if (ddir !== DDIR_TRIM)
      this.buffer[io] = config.buffers.take(ios.sizeBytes[io], ios.offsetBytes[io] / SECTOR_BYTES);
    if (ddir === DDIR_READ) {
      this.bytesOf(io).fill(POISON);
      this.versions.readBegan(this.firstBlock(io), this.blocks(io));
    } else this.writeBegan(io, ddir);
  }

  /** An I/O is over: its columns are final. */
  ended(io: number): void {
    const { ios, config, counts } = this;
    const ddir = ios.ddir[io];
    if (ddir === DDIR_SYNC) return;
    const blocks = this.blocks(io);
    const isDone = ios.status[io] === STS_OK;
    if (ddir === DDIR_READ) {
      if (isDone) this.verify(io, blocks);
      else counts.blocksUnread += blocks;
      this.versions.readEnded(this.firstBlock(io), blocks);
    } else {
      this.versions.writeEnded(this.record[io], blocks, ios.submitNs[io], ios.completeNs[io], isDone);
      if (ddir === DDIR_WRITE) counts.blocksWritten += blocks;
      else counts.blocksTrimmed += blocks;
    }
    if (ddir !== DDIR_TRIM) config.buffers.put(this.buffer[io]);
  }

  private writeBegan(io: number, ddir: number): void {
    const { ios, keys } = this;
    const { records } = this.versions;
    const record = records.alloc();
    this.record[io] = record;
    records.firstBlock[record] = this.firstBlock(io);
    records.keyId[record] = ios.keyId[io];
    if (ios.keyId[io] >= 0 && keys !== undefined) {
      records.unitBytes[record] = keys.table.dataUnitSize(ios.keyId[io]);
      keys.storeDun(io, records.dun, record);
    }
    records.generation[record] = ddir === DDIR_WRITE ? ++this.writes : 0;
    this.versions.writeBegan(record, this.blocks(io));
    if (ddir === DDIR_WRITE) this.fill(io, record);
  }

  private fill(io: number, record: number): void {
    const words = wordsOver(this.bytesOf(io));
    const blockWords = this.config.blockBytes / 4;
    for (let b = 0; b < this.blocks(io); b++) {
      const own = words.subarray(b * blockWords, (b + 1) * blockWords);
      this.content.fill(own, this.firstBlock(io) + b, this.versions.records.generation[record]);
    }
  }

  private remember(keyId: number): void {
    const { keys, config, secrets } = this;
    if (keys === undefined || secrets[keyId] !== undefined) return;
    const bytes = keys.table.bytes(keyId);
    secrets[keyId] = (config.inlineKey?.(bytes) ?? bytes).slice();
  }

  private firstBlock(io: number): number {
    return this.ios.offsetBytes[io] / this.config.blockBytes;
  }

  private blocks(io: number): number {
    return this.ios.sizeBytes[io] / this.config.blockBytes;
  }

  private bytesOf(io: number): Uint8Array {
    const { ios, config } = this;
    return config.buffers.bytes(this.buffer[io], ios.offsetBytes[io] / SECTOR_BYTES, ios.sizeBytes[io]);
  }

  // ------------------------------------------------------------------------------------------------ verification

  private verify(io: number, blocks: number): void {
    const { counts } = this;
    const { blockBytes } = this.config;
    const bytes = this.bytesOf(io);
    counts.blocksRead += blocks;
    for (let b = 0; b < blocks; b++) {
      const words = wordsOver(bytes.subarray(b * blockBytes, (b + 1) * blockBytes));
      this.verifyBlock(io, b, words);
    }
  }

  private verifyBlock(io: number, b: number, words: Uint32Array): void {
    const { counts } = this;
    const { records } = this.versions;
    const block = this.firstBlock(io) + b;
    const found = this.versions.candidates(block, this.ios.submitNs[io], this.candidates);
    let isSpoiled = this.wrongKey[io] !== 0;
    for (let i = 0; i < found; i++) {
      const record = this.candidates[i];
      const isSame = this.hasSameContext(record, io, block);
      if (
        isSame
          ? this.content.matches(words, block, records.generation[record])
          : this.isForeign(words, record, io, block)
      ) {
        counts.blocksVerified++;
        if (!isSame) counts.blocksUnderOtherKey++;
        return;
      }
      isSpoiled ||= records.isSpoiled[record] !== 0;
    }
    counts.blocksMismatched++;
    if (isSpoiled) counts.blocksExplained++;
    else this.tell(io, block, words, found);
  }

  /** Whether a block was written as the read reads it: plain, or under the same key with the same DUN. Leaves both DUNs of the block in `duns`. */
  private hasSameContext(record: number, io: number, block: number): boolean {
    const { duns, keys } = this;
    const { records } = this.versions;
    const keyId = this.ios.keyId[io];
    if (keyId >= 0 && keys !== undefined) {
      keys.storeDun(io, duns, OF_READ);
      this.advance(keyId, OF_READ, block - this.firstBlock(io), keys.table.dataUnitSize(keyId));
    }
    if (records.keyId[record] >= 0) {
      duns.set(records.dun.subarray(record * DUN_WORDS, (record + 1) * DUN_WORDS), OF_WRITE * DUN_WORDS);
      this.advance(records.keyId[record], OF_WRITE, block - records.firstBlock[record], records.unitBytes[record]);
    }
    if (records.keyId[record] !== keyId) return false;
    if (keyId < 0) return true;
    for (let i = 0; i < DUN_WORDS; i++)
      if (duns[OF_READ * DUN_WORDS + i] !== duns[OF_WRITE * DUN_WORDS + i]) return false;
    return true;
  }

  private advance(keyId: number, row: number, blocks: number, unitBytes: number): void {
    this.keys?.advanceDun(keyId, this.duns, row, blocks * (this.config.blockBytes / unitBytes));
  }

  /** Whether the read got what another context makes of a version. After `hasSameContext` for the same. */
  private isForeign(words: Uint32Array, record: number, io: number, block: number): boolean {
    const { duns, expected, keys } = this;
    const { records } = this.versions;
    const keyId = this.ios.keyId[io];
    this.content.fill(wordsOver(expected), block, records.generation[record]);
    const written = records.keyId[record];
    if (written >= 0) this.cipherOf(written).encryptUnits(expected, records.unitBytes[record], loadDun(duns, OF_WRITE));
    if (keyId >= 0 && keys !== undefined)
      this.cipherOf(keyId).decryptUnits(expected, keys.table.dataUnitSize(keyId), loadDun(duns, OF_READ));
    return areEqual(words, wordsOver(expected));
  }

  private cipherOf(keyId: number): DataUnitCipher {
    const { keys } = this;
    if (keys === undefined) throw new Error('data: a key without keys');
    return this.ciphers.of(keys.table.mode[keyId], this.secrets[keyId]);
  }

  private tell(io: number, block: number, words: Uint32Array, found: number): void {
    if (this.told++ >= MOST_TOLD) return;
    const { generation } = this.versions.records;
    const allowed = this.candidates.slice(0, found).map((record) => {
      const what = generation[record] === 0 ? 'zeros' : `write ${generation[record]}`;
      return this.hasSameContext(record, io, block) ? what : `what another key makes of ${what}`;
    });
    const held = this.content.describe(words);
    this.machine.violate(
      'data',
      `I/O ${this.ios.id[io]} read ${held} in block ${block}, which may hold ${allowed.join(' or ')}`,
    );
  }

  private grow(n: number): void {
    this.buffer = wider(this.buffer, new Int32Array(n));
    this.record = wider(this.record, new Int32Array(n).fill(NONE));
    this.wrongKey = wider(this.wrongKey, new Uint8Array(n));
  }
}

/** A plain loop: `every` with a closure took a tenth of the time of a data run. */
function areEqual(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

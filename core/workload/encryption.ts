/**
 * Which key an I/O is encrypted with, and from which data unit number on: what a file system with inline encryption decides for each of its bios.
 *
 * A policy covers the jobs that share one entry of the definition. Its keys exist before the first I/O. One key may serve the whole policy, each job, each file, or be drawn anew
 * for each I/O, which no file system does: for queueing studies, where a random key stands for a random file. Files are told apart by where they lie on the device, so
 * clones that share a file share its inode number and key.
 *
 * The choice of unencrypted I/Os and of keys has random streams of its own: the accesses are those of the same job without encryption.
 *
 * @kernel v6.12 fs/crypto/inline_crypt.c fscrypt_set_bio_crypt_ctx; inline-crypto.md 1.3, 1.13
 */
import type { BioTable } from '../block/bio.ts';
import { DUN_WORDS, incrementRow } from '../crypto/dun.ts';
import type { CryptoConfig, KeyTable } from '../crypto/key.ts';
import type { Engine } from '../engine/engine.ts';
import type { RandomStream } from '../engine/random.ts';
import type { JobClone } from './clones.ts';
import { DDIR_READ, DDIR_WRITE, type IoTable } from './io.ts';
import type { IvLayout } from './iv-layout.ts';

export type KeyPer = 'policy' | 'job' | 'file' | 'io';

/** Keys that come and go while the workload runs: users log in and out, files of a package are removed. */
export interface KeyChurnConfig {
  /** Every so often the oldest key of the policy is replaced by a new one. */
  readonly periodNs: number;
  /** A replaced key is evicted this long after, and not before its last I/O has ended. */
  readonly evictAfterNs: number;
}

export interface EncryptionPolicy {
  readonly config: CryptoConfig;
  /** Length of a key. */
  readonly keyBytes: number;
  readonly keyPer: KeyPer;
  /** Different keys; 0: as many as there are jobs or files. */
  readonly keys: number;
  readonly ivLayout: IvLayout;
  /** Share of reads and writes that are not encrypted, 0..1. */
  readonly plainShare: number;
  readonly churn: KeyChurnConfig | undefined;
}

export interface Encryption {
  readonly policies: readonly EncryptionPolicy[];
  /** Per job of the job file: index of its policy, -1 for none. */
  readonly policyOfJob: readonly number[];
}

/** A policy with its keys. */
interface LivePolicy {
  readonly policy: EncryptionPolicy;
  /** The keys that new I/Os use. */
  readonly keyIds: number[];
  /** The next key to be replaced. */
  oldest: number;
}

/** What is known of a clone's files: DUN of their first byte (two halves), key by place in the policy's list. */
interface CloneKeys {
  readonly live: LivePolicy;
  readonly plain: RandomStream;
  readonly draw: RandomStream;
  readonly startBytes: Float64Array;
  readonly firstLow: Float64Array;
  readonly firstHigh: Float64Array;
  readonly keyIndex: Int32Array;
}

/** First inode number of ordinary files. @source ext4: the first non-reserved inode is 11, lost+found */
const FIRST_INODE = 12;
const WORD_SPAN = 2 ** 32;
const NONE = -1;

export class IoKeys {
  readonly table: KeyTable;
  /** Reads and writes that got a key, and those of encrypted jobs that did not. */
  encrypted = 0;
  plain = 0;
  /** I/Os in flight per key. */
  users: Int32Array;
  /** Called when the last I/O of a key has ended. */
  onIdle: ((keyId: number) => void) | undefined;

  private readonly engine: Engine;
  private readonly ios: IoTable;
  private readonly keyMade: ((keyId: number) => void) | undefined;
  private readonly material: RandomStream;
  private readonly policies: readonly LivePolicy[];
  private readonly clones: readonly (CloneKeys | undefined)[];
  // by handle of the I/O: its DUN, in two halves
  private low = new Float64Array(64);
  private high = new Float64Array(64);

  /** Makes all keys. */
  constructor(
    engine: Engine,
    ios: IoTable,
    encryption: Encryption & { readonly table: KeyTable; readonly keyMade?: (keyId: number) => void },
    clones: readonly JobClone[],
    capacityBytes: number,
  ) {
    this.engine = engine;
    this.ios = ios;
    this.table = encryption.table;
    this.keyMade = encryption.keyMade;
    this.material = engine.stream('workload/keys');
    this.users = new Int32Array(64);
    const inodes = new Inodes(engine.stream('workload/inodes'), capacityBytes);
    const policyOf = (clone: JobClone): number => encryption.policyOfJob[clone.jobIndex];
    this.policies = encryption.policies.map((policy, p) => {
      const own = clones.filter((clone) => policyOf(clone) === p);
      return { policy, keyIds: this.makeKeys(policy, keyCount(policy, own)), oldest: 0 };
    });
    const places = new KeyPlaces();
    this.clones = clones.map((clone) => {
      const p = policyOf(clone);
      return p === NONE ? undefined : this.cloneKeys(clone, this.policies[p], inodes, places);
    });
  }

  private makeKeys(policy: EncryptionPolicy, count: number): number[] {
    return Array.from({ length: count }, () => this.makeKey(policy));
  }

  private makeKey({ config, keyBytes }: EncryptionPolicy): number {
    const keyId = this.table.create(
      Uint8Array.from({ length: keyBytes }, () => this.material.below(256)),
      config,
    );
    if (keyId >= this.users.length) {
      const wider = new Int32Array(2 * keyId);
      wider.set(this.users);
      this.users = wider;
    }
    this.keyMade?.(keyId);
    return keyId;
  }

  private cloneKeys(clone: JobClone, live: LivePolicy, inodes: Inodes, places: KeyPlaces): CloneKeys {
    const { policy, keyIds } = live;
    const { files } = clone;
    const inodeOf = (i: number): number => inodes.of(files[i].fileStartBytes);
    const placeOf = (i: number): number => {
      if (policy.keyPer === 'file') return places.of(live, `file ${inodeOf(i)}`);
      return policy.keyPer === 'job' ? places.of(live, clone.name) : 0;
    };
    return {
      live,
      plain: this.engine.stream(`workload/${clone.name}/plain`),
      draw: this.engine.stream(`workload/${clone.name}/key`),
      startBytes: Float64Array.from(files, (f) => (policy.ivLayout === 'lba' ? 0 : f.fileStartBytes)),
      firstLow: Float64Array.from(files, (_, i) =>
        policy.ivLayout === 'iv-ino-lblk-32' ? inodes.hashed(inodeOf(i)) : 0,
      ),
      firstHigh: Float64Array.from(files, (_, i) => (policy.ivLayout === 'iv-ino-lblk-64' ? inodeOf(i) : 0)),
      keyIndex: Int32Array.from(files, (_, i) => placeOf(i) % keyIds.length),
    };
  }

  // ------------------------------------------------------------------------------------------------ hot path

  /** Gives an I/O that was just made its key and DUN, if it shall have one. */
  assign(io: number, cloneIndex: number, file: number): void {
    const own = this.clones[cloneIndex];
    const { ios } = this;
    const ddir = ios.ddir[io];
    if (own === undefined || (ddir !== DDIR_READ && ddir !== DDIR_WRITE)) return;
    const { policy, keyIds } = own.live;
    if (policy.plainShare > 0 && own.plain.unit() < policy.plainShare) {
      this.plain++;
      return;
    }
    this.encrypted++;
    const place = policy.keyPer === 'io' ? own.draw.below(keyIds.length) : own.keyIndex[file];
    const keyId = keyIds[place];
    ios.keyId[io] = keyId;
    this.users[keyId]++;
    if (io >= this.low.length) this.grow(io);
    const unit = (ios.offsetBytes[io] - own.startBytes[file]) / policy.config.dataUnitSize;
    this.low[io] = (unit % WORD_SPAN) + own.firstLow[file];
    this.high[io] = Math.floor(unit / WORD_SPAN) + own.firstHigh[file];
  }

  /** The encryption context of a bio that carries an encrypted I/O from `offsetBytes` on. */
  dress(bios: BioTable, bio: number, io: number, offsetBytes: number): void {
    const keyId = this.ios.keyId[io];
    const unitBytes = this.table.dataUnitSize(keyId);
    bios.keyId[bio] = keyId;
    bios.dataUnitSize[bio] = unitBytes;
    bios.segments[bio] = wholeUnitSegments(bios.bytes[bio] / unitBytes, bios.segments[bio]);
    this.storeDun(io, bios.dun, bio);
    if (offsetBytes > 0) incrementRow(bios.dun, bio, offsetBytes / unitBytes);
  }

  /** Writes the DUN of an encrypted I/O's first byte into a row. */
  storeDun(io: number, words: Uint32Array, row: number): void {
    const at = row * DUN_WORDS;
    words[at] = this.low[io];
    words[at + 1] = this.high[io];
    for (let i = at + 2; i < at + DUN_WORDS; i++) words[i] = 0;
  }

  /** An I/O is over. */
  ended(io: number): void {
    const keyId = this.ios.keyId[io];
    if (keyId >= 0 && --this.users[keyId] === 0) this.onIdle?.(keyId);
  }

  private grow(io: number): void {
    const low = new Float64Array(2 * io);
    const high = new Float64Array(2 * io);
    low.set(this.low);
    high.set(this.high);
    this.low = low;
    this.high = high;
  }

  // ------------------------------------------------------------------------------------------------ churn

  /** Policies whose keys come and go. */
  churning(): readonly { readonly index: number; readonly churn: KeyChurnConfig }[] {
    return this.policies.flatMap(({ policy: { churn } }, index) => (churn === undefined ? [] : [{ index, churn }]));
  }

  /** The oldest key of a policy makes way for a new one. Returns the old one: I/Os in flight may still use it. */
  replaceOldest(index: number): number {
    const live = this.policies[index];
    const old = live.keyIds[live.oldest];
    live.keyIds[live.oldest] = this.makeKey(live.policy);
    live.oldest = (live.oldest + 1) % live.keyIds.length;
    return old;
  }
}

/** `@assume` memory segments of one bio are equally long; those of an encrypted bio hold whole data units. */
function wholeUnitSegments(units: number, segments: number): number {
  let n = segments;
  while (units % n !== 0) n++;
  return n;
}

/** How many keys a policy has. */
function keyCount({ keyPer, keys }: EncryptionPolicy, clones: readonly JobClone[]): number {
  if (keyPer === 'policy') return 1;
  if (keys > 0) return keys;
  if (keyPer === 'job') return Math.max(1, clones.length);
  return Math.max(1, new Set(clones.flatMap(({ files }) => files.map((f) => f.fileStartBytes))).size);
}

/** Inode numbers of files, by where they begin on the device, in order of their first mention. */
class Inodes {
  private readonly known = new Map<number, number>();
  private readonly hashes = new Map<number, number>();
  private readonly stream: RandomStream;
  private readonly mostHash: number;

  constructor(stream: RandomStream, capacityBytes: number) {
    this.stream = stream;
    this.mostHash = Math.max(1, WORD_SPAN - Math.ceil(capacityBytes / 512));
  }

  of(startBytes: number): number {
    const number = this.known.get(startBytes) ?? FIRST_INODE + this.known.size;
    this.known.set(startBytes, number);
    return number;
  }

  /** A hash of the number, the same each time. */
  hashed(inode: number): number {
    const hash = this.hashes.get(inode) ?? this.stream.below(this.mostHash);
    this.hashes.set(inode, hash);
    return hash;
  }
}

/** Numbers the holders of keys of each policy, in order of their first mention. */
class KeyPlaces {
  private readonly known = new Map<LivePolicy, Map<string, number>>();

  of(live: LivePolicy, holder: string): number {
    const places = this.known.get(live) ?? new Map<string, number>();
    this.known.set(live, places);
    const place = places.get(holder) ?? places.size;
    places.set(holder, place);
    return place;
  }
}

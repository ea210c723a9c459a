/**
 * Keys of inline encryption: the configuration of a key, the checks when one is made, and the table of all keys of a run.
 *
 * Modelled: `blk_crypto_key` and `blk_crypto_config`. The stack sees a key as an integer `keyId`; what the hot path asks of it (mode, data
 * unit size, DUN width) lies in typed-array columns under that number, and two bios have "the same key object" when their numbers are equal.
 * Numbers are never used twice in a run, so a `key_id` in a trace means one key; the bytes of a freed key are overwritten with zeroes.
 * Not modelled: the address of a key object, and so the reuse of an address after a free.
 *
 * @kernel v6.16 block/blk-crypto.c (blk_crypto_init_key), include/linux/blk-crypto.h
 */
import { wider } from '../engine/columns.ts';
import { KEY_TYPE_HW_WRAPPED, KEY_TYPE_RAW, MAX_WRAPPED_KEY_BYTES, modeById } from './mode.ts';

/** A key without its bytes. */
export interface CryptoConfig {
  /** A mode number of mode.ts. */
  readonly mode: number;
  /** Bytes encrypted with one DUN; a power of two. */
  readonly dataUnitSize: number;
  /** The key's owner promises that no DUN needs more bytes than this. */
  readonly dunBytes: number;
  /** `KEY_TYPE_RAW` or `KEY_TYPE_HW_WRAPPED`. */
  readonly keyType: number;
}

export type KeyProblem = 'mode' | 'key-type' | 'key-size' | 'dun-bytes' | 'data-unit-size';

/** Why a key was refused. The kernel answers -EINVAL to all of them and says no more. */
export interface KeyRefusal {
  readonly errno: 'EINVAL';
  readonly problem: KeyProblem;
  readonly message: string;
}

const refusal = (problem: KeyProblem, message: string): KeyRefusal => ({ errno: 'EINVAL', problem, message });

/**
 * log2 of a data unit size, or -1 if it is no power of two below 2^32: a profile's masks of sizes are 32-bit words.
 * @kernel unsigned int modes_supported[]
 */
export function unitBitsOf(dataUnitSize: number): number {
  const bits = 31 - Math.clz32(dataUnitSize);
  return (1 << bits) >>> 0 === dataUnitSize ? bits : -1; // clz32 cuts to 32 bits; the comparison finds out
}

function keySizeProblem(sizeBytes: number, config: CryptoConfig): KeyRefusal | undefined {
  const mode = modeById(config.mode);
  if (mode === undefined) return refusal('mode', `no encryption mode has the number ${config.mode}`);
  switch (config.keyType) {
    case KEY_TYPE_RAW:
      if (sizeBytes === mode.keyBytes) return undefined;
      return refusal('key-size', `a raw key of ${mode.name} has ${mode.keyBytes} bytes, not ${sizeBytes}`);
    case KEY_TYPE_HW_WRAPPED: {
      const least = mode.securityStrengthBytes;
      if (sizeBytes >= least && sizeBytes <= MAX_WRAPPED_KEY_BYTES) return undefined;
      const allowed = `${least} to ${MAX_WRAPPED_KEY_BYTES} bytes`;
      return refusal('key-size', `a wrapped key of ${mode.name} has ${allowed}, not ${sizeBytes}`);
    }
    default:
      return refusal('key-type', `no key type has the number ${config.keyType}`);
  }
}

/**
 * Judges a key as `blk_crypto_init_key` does, in its order: mode, size by key type, `dunBytes`, data unit size.
 * @returns undefined if the key is good
 */
export function checkKey(sizeBytes: number, config: CryptoConfig): KeyRefusal | undefined {
  const wrong = keySizeProblem(sizeBytes, config);
  if (wrong !== undefined) return wrong;
  const ivBytes = modeById(config.mode)?.ivBytes ?? 0;
  const { dunBytes, dataUnitSize } = config;
  if (!Number.isInteger(dunBytes) || dunBytes < 1 || dunBytes > ivBytes) {
    return refusal('dun-bytes', `DUNs of this mode have 1 to ${ivBytes} bytes, not ${dunBytes}`);
  }
  if (unitBitsOf(dataUnitSize) < 0) {
    return refusal('data-unit-size', `a data unit size is a power of two, not ${dataUnitSize}`);
  }
  return undefined;
}

/** Two keys may share what depends on the configuration alone (support checks, fallback preparation). */
export function sameConfig(a: CryptoConfig, b: CryptoConfig): boolean {
  return a.mode === b.mode && a.dataUnitSize === b.dataUnitSize && a.dunBytes === b.dunBytes && a.keyType === b.keyType;
}

/** Thrown by `KeyTable.create`; who takes keys from users asks `checkKey` first. */
export class KeyRefusedError extends Error {
  readonly refusal: KeyRefusal;

  constructor(why: KeyRefusal) {
    super(`${why.errno}: ${why.message}`);
    this.name = 'KeyRefusedError';
    this.refusal = why;
  }
}

const FIRST_CAPACITY = 64;
const NO_BYTES = new Uint8Array(0);

/** All keys of a run by `keyId`, from 0 upwards. The columns are public to be read; only the table writes them. */
export class KeyTable {
  /** Keys ever made; the next `keyId`. */
  size = 0;
  mode = new Uint8Array(FIRST_CAPACITY);
  keyType = new Uint8Array(FIRST_CAPACITY);
  dunBytes = new Uint8Array(FIRST_CAPACITY);
  /** log2 of the data unit size. */
  unitBits = new Uint8Array(FIRST_CAPACITY);
  /** Who points at the key: slots, requests, bios. A key with users is not freed (invariant I-61). */
  users = new Int32Array(FIRST_CAPACITY);
  private live = new Uint8Array(FIRST_CAPACITY);
  private readonly witnesses: ((keyId: number) => readonly string[])[] = [];
  private readonly secrets: Uint8Array[] = [];

  /**
   * Makes a key with a copy of `bytes`. Context: task, allocates.
   * @returns its `keyId`
   * @throws KeyRefusedError where the kernel answers -EINVAL
   */
  create(bytes: Uint8Array, config: CryptoConfig): number {
    const why = checkKey(bytes.length, config);
    if (why !== undefined) throw new KeyRefusedError(why);
    const keyId = this.size++;
    if (keyId === this.mode.length) this.grow(2 * keyId);
    this.mode[keyId] = config.mode;
    this.keyType[keyId] = config.keyType;
    this.dunBytes[keyId] = config.dunBytes;
    this.unitBits[keyId] = unitBitsOf(config.dataUnitSize);
    this.live[keyId] = 1;
    this.secrets[keyId] = Uint8Array.from(bytes);
    return keyId;
  }

  /** Whether the key was made and not yet freed. */
  isLive(keyId: number): boolean {
    return keyId >= 0 && keyId < this.size && this.live[keyId] === 1;
  }

  /** Bytes encrypted with one DUN of this key. */
  dataUnitSize(keyId: number): number {
    return (1 << this.unitBits[keyId]) >>> 0;
  }

  /** The key's configuration as a value of its own. */
  config(keyId: number): CryptoConfig {
    return {
      mode: this.mode[keyId],
      dataUnitSize: this.dataUnitSize(keyId),
      dunBytes: this.dunBytes[keyId],
      keyType: this.keyType[keyId],
    };
  }

  /** Whether two keys have the same configuration. Hot path: compares columns. */
  haveSameConfig(a: number, b: number): boolean {
    return (
      this.mode[a] === this.mode[b] &&
      this.unitBits[a] === this.unitBits[b] &&
      this.dunBytes[a] === this.dunBytes[b] &&
      this.keyType[a] === this.keyType[b]
    );
  }

  /** The key's bytes themselves, not a copy: they become zero when the key is freed. Empty once it is. */
  bytes(keyId: number): Uint8Array {
    return this.secrets[keyId] ?? NO_BYTES;
  }

  /** Notes one more slot, request or bio that points at the key. */
  hold(keyId: number): void {
    if (!this.isLive(keyId)) throw new Error(`key ${keyId} is used after it was freed`);
    this.users[keyId]++;
  }

  /** Takes back one `hold`. */
  drop(keyId: number): void {
    if (this.users[keyId] <= 0) throw new Error(`key ${keyId} is dropped more often than held`);
    this.users[keyId]--;
  }

  /** Before a key is freed `witness` is asked who points at it beside its `users` (`request 3`); for those who are too many to count their every use. */
  askBeforeFree(witness: (keyId: number) => readonly string[]): void {
    this.witnesses.push(witness);
  }

  /**
   * Ends a key: its bytes are overwritten with zeroes and forgotten. The owner must have evicted it everywhere before.
   * @throws Error if something still points at it (I-61) or it was freed before
   */
  free(keyId: number): void {
    if (!this.isLive(keyId)) throw new Error(`key ${keyId} is freed twice`);
    if (this.users[keyId] > 0) throw new Error(`key ${keyId} is freed while ${this.users[keyId]} users point at it`);
    const others = this.witnesses.flatMap((witness) => witness(keyId));
    if (others.length > 0) throw new Error(`key ${keyId} is freed while it is used by ${others.join(', ')}`);
    this.secrets[keyId].fill(0);
    this.secrets[keyId] = NO_BYTES;
    this.live[keyId] = 0;
  }

  private grow(capacity: number): void {
    this.mode = wider(this.mode, new Uint8Array(capacity));
    this.keyType = wider(this.keyType, new Uint8Array(capacity));
    this.dunBytes = wider(this.dunBytes, new Uint8Array(capacity));
    this.unitBits = wider(this.unitBits, new Uint8Array(capacity));
    this.users = wider(this.users, new Int32Array(capacity));
    this.live = wider(this.live, new Uint8Array(capacity));
  }
}

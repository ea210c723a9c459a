/**
 * The hardware key manager: wraps keys so that software can store and program them without seeing them.
 *
 * Modelled: the two forms (long-term, and ephemeral for one boot), their sizes by version, refusal of anything that was not wrapped here or was wrapped in an
 * earlier boot, derivation of the inline-encryption key and of the software secret.
 * Not modelled: the wrapping cipher. A wrapped key is a random text that only the manager can look up (`@assume`: nobody attacks it here).
 *
 * @source inline-crypto.md 1.11, 5.3
 */
import type { AesEcbPort } from '../crypto/ports.ts';
import type { RandomStream } from '../engine/random.ts';
import { deriveKey } from './kdf.ts';

/** Length of a raw key that can be wrapped: the key of the derivation. */
export const WRAPPABLE_BYTES = 32;
const SECRET_BYTES = 32;
const INLINE_KEY_BYTES = 64;

interface Wrapped {
  readonly blob: Uint8Array;
  readonly raw: Uint8Array;
  /** Undefined: long-term. */
  readonly boot: number | undefined;
}

export class HwKeyManager {
  private readonly aes: AesEcbPort;
  private readonly random: RandomStream;
  private readonly blobBytes: number;
  private readonly known: Wrapped[] = [];
  private boot = 1;

  constructor(aes: AesEcbPort, random: RandomStream, blobBytes: number) {
    this.aes = aes;
    this.random = random;
    this.blobBytes = blobBytes;
  }

  /** A new boot: ephemeral keys of the last one are worthless. */
  reboot(): void {
    this.boot++;
  }

  /** Long-term form of a raw key, or undefined when it has a length that cannot be wrapped. */
  import(raw: Uint8Array): Uint8Array | undefined {
    return raw.length === WRAPPABLE_BYTES ? this.wrap(raw.slice(), undefined) : undefined;
  }

  /** Long-term form of a new key. */
  generate(): Uint8Array {
    return this.wrap(this.randomBytes(WRAPPABLE_BYTES), undefined);
  }

  /** Ephemeral form of a long-term key, or undefined when it is none. */
  prepare(longTerm: Uint8Array): Uint8Array | undefined {
    const found = this.find(longTerm);
    return found === undefined || found.boot !== undefined ? undefined : this.wrap(found.raw, this.boot);
  }

  /** The key that the engine encrypts with, or undefined when the blob is not an ephemeral key of this boot. */
  inlineKey(ephemeral: Uint8Array): Uint8Array | undefined {
    return this.derive(ephemeral, 'inline encryption key', INLINE_KEY_BYTES);
  }

  /** The secret given to software, which tells nothing about the inline key. */
  softwareSecret(ephemeral: Uint8Array): Uint8Array | undefined {
    return this.derive(ephemeral, 'software secret', SECRET_BYTES);
  }

  private derive(ephemeral: Uint8Array, label: string, bytes: number): Uint8Array | undefined {
    const found = this.find(ephemeral);
    return found?.boot === this.boot ? deriveKey(this.aes, found.raw, label, bytes) : undefined;
  }

  private wrap(raw: Uint8Array, boot: number | undefined): Uint8Array {
    const blob = this.randomBytes(this.blobBytes);
    this.known.push({ blob: blob.slice(), raw, boot });
    return blob;
  }

  private find(blob: Uint8Array): Wrapped | undefined {
    return this.known.find((w) => w.blob.length === blob.length && w.blob.every((byte, i) => byte === blob[i]));
  }

  private randomBytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.random.u32() & 0xff);
  }
}

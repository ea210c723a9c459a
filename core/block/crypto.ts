/**
 * Inline encryption in the block layer (blk-crypto): the profile of a queue, when its requests take their keyslot and give it back, and the checks of bios that
 * carry an encryption context. Taking the slot before or after the tag is in `crypto-submit.ts`, at dispatch in `crypto-dispatch.ts`.
 *
 * A slot is given back before the last bio of a request ends, because an upper layer may evict the key as soon as it has; also when a request is merged into
 * another, when its data step in a flush sequence is over, and under the dispatch policies whenever it leaves the driver. A request that is freed with a slot is
 * a bug: the slot is put and a law reported broken.
 *
 * Not modelled: the mempools of contexts (a context is three columns of a bio), layered queues.
 *
 * @kernel v6.16 block/blk-crypto.c, block/blk-crypto-internal.h, block/blk-mq.c blk_mq_submit_bio; inline-crypto.md 1.4-1.6, 2
 */
import type { KeyTable } from '../crypto/key.ts';
import type { CryptoProfile } from '../crypto/profile/profile.ts';
import { EBUSY, EINVAL, ENOMEM, EOPNOTSUPP, ETIMEDOUT, OK, type GetMarks } from '../crypto/profile/types.ts';
import type { RequestQueue } from './queue.ts';
import {
  OP_READ,
  OP_WRITE,
  STS_DEV_RESOURCE,
  STS_INVAL,
  STS_IOERR,
  STS_NOTSUPP,
  STS_OK,
  STS_RESOURCE,
  STS_TIMEOUT,
} from './types.ts';

const NONE = -1;

/**
 * Where a request waits for its keyslot:
 * - `submit`: in its submission, with the tag and before plug and scheduler; may sleep with the tag. Version 7 of the inline encryption series, and mainline since 5.8.
 * - `before-tag`: in its submission, slot first and then the tag. The order of version 6 of that series (slots per bio) with the life of version 7's.
 * - `dispatch-block`: at dispatch, like a driver tag; without a slot the whole hardware queue waits. The first answer to the review of version 6; never merged.
 * - `dispatch-hold-encrypted`: the same, but only encrypted requests wait. The refinement proposed in that discussion.
 * - `dispatch-hold-key`: only requests wait whose key has no slot; they are set aside in order of arrival. The per-key refinement; V12 calls it "wait aside".
 */
export type KeyslotPolicy =
  'submit' | 'before-tag' | 'dispatch-block' | 'dispatch-hold-encrypted' | 'dispatch-hold-key';

/** When requests of a queue take their slot. */
export const SLOT_NEVER = 0; // no profile, or one without slots
export const SLOT_AFTER_TAG = 1;
export const SLOT_BEFORE_TAG = 2;
export const SLOT_AT_DISPATCH = 3;

/** Who is held back when a request finds no slot at dispatch. */
export const HOLD_NOBODY = 0; // no slots are taken at dispatch
export const HOLD_ALL = 1;
export const HOLD_ENCRYPTED = 2;
export const HOLD_KEY = 3;

/** What is known of a key: not asked yet, the device does it natively, or not. */
const SUPPORT_UNKNOWN = 0;
const SUPPORT_NATIVE = 1;
const SUPPORT_NONE = 2;

/** What keyslots did to the requests of a queue; the profile counts programmings, hits and waits. */
export interface KeyslotCounters {
  /** Requests that got a slot (once per dispatch under the dispatch policies). */
  gets: number;
  /** Requests that ended because their key could not be programmed. */
  errors: number;
  /** Requests that found no slot at dispatch and were held, each time. */
  held: number;
  /** Times a hardware queue was blocked for want of a slot, and for how long in all (`dispatch-block`). */
  blocks: number;
  blockedNs: number;
  /** Time slots were held by requests, and the part of it after their last issue: its share is the slots' use. */
  heldNs: number;
  inFlightNs: number;
  /** Bios refused: not supported, misaligned, or without data. */
  refused: number;
}

export function newKeyslotCounters(): KeyslotCounters {
  return { gets: 0, errors: 0, held: 0, blocks: 0, blockedNs: 0, heldNs: 0, inFlightNs: 0, refused: 0 };
}

/** The encryption side of a request queue with a profile. */
export class QueueCrypto implements GetMarks {
  readonly profile: CryptoProfile;
  readonly keys: KeyTable | undefined;
  private support = new Uint8Array(64);
  private readonly q: RequestQueue;

  constructor(q: RequestQueue, profile: CryptoProfile, keys: KeyTable | undefined) {
    this.q = q;
    this.profile = profile;
    this.keys = keys;
  }

  /** Whether the device encrypts natively with this key; without a key table every key is supported. */
  isNative(keyId: number): boolean {
    if (this.keys === undefined) return true;
    if (keyId >= this.support.length) {
      const wider = new Uint8Array(2 * keyId);
      wider.set(this.support);
      this.support = wider;
    }
    if (this.support[keyId] === SUPPORT_UNKNOWN)
      this.support[keyId] = this.profile.supports(this.keys.config(keyId)) ? SUPPORT_NATIVE : SUPPORT_NONE;
    return this.support[keyId] === SUPPORT_NATIVE;
  }

  /** What `x` waited for on behalf of its request, or of its bio before it has one (see GetMarks). */
  mark(x: number, stage: number): void {
    const { q } = this;
    const t = q.task(x);
    if (t.keyRq !== NONE) q.mark(t.keyRq, stage);
    else if (t.bio !== NONE) q.bios.rows.mark(t.bio, stage, q.engine.now);
  }
}

/** What a bio with a context is refused for before Q: STS_OK for nothing. @kernel submit_bio_noacct, __blk_crypto_submit_bio */
export function contextRefusal(q: RequestQueue, bio: number): number {
  const { bios, crypto } = q;
  if (crypto === undefined) return STS_NOTSUPP;
  const op = bios.op[bio];
  const hasData = (op === OP_READ || op === OP_WRITE) && bios.bytes[bio] > 0;
  if (!hasData) {
    crypto.profile.warnOnce('a bio without data has an encryption context');
    return STS_IOERR;
  }
  return crypto.isNative(bios.keyId[bio]) ? STS_OK : STS_NOTSUPP;
}

/** Whether all segments are whole data units; looked at before the first split. `@assume` segments begin where the one before ended. */
export function hasWholeUnits(q: RequestQueue, bio: number): boolean {
  const { bios } = q;
  const unit = bios.dataUnitSize[bio];
  const bytes = bios.bytes[bio];
  const segments = bios.segments[bio];
  if (unit <= 0 || bytes % unit !== 0) return false;
  return segments <= 1 || (bytes / segments) % unit === 0;
}

/** The block status of a profile's errno. @kernel block/blk-core.c errno_to_blk_status */
export function statusOfErrno(errno: number): number {
  switch (errno) {
    case OK:
      return STS_OK;
    case EOPNOTSUPP:
      return STS_NOTSUPP;
    case ETIMEDOUT:
      return STS_TIMEOUT;
    case ENOMEM:
      return STS_RESOURCE;
    case EBUSY:
      return STS_DEV_RESOURCE;
    case EINVAL:
      return STS_INVAL;
    default:
      return STS_IOERR;
  }
}

/** The request has its slot from now on. */
export function setKeyslot(q: RequestQueue, rq: number, slot: number): void {
  const { requests } = q;
  requests.keyslot[rq] = slot;
  requests.lastKeyslot[rq] = slot;
  requests.keyslotNs[rq] = q.engine.now;
  q.keyslots.gets++;
}

/** Gives the slot of a request back, if it has one. Instantaneous; any context, -1 for none. */
export function putKeyslot(q: RequestQueue, x: number, rq: number): void {
  const { requests, keyslots } = q;
  const slot = requests.keyslot[rq];
  if (slot < 0) return;
  requests.keyslot[rq] = NONE;
  const nowNs = q.engine.now;
  keyslots.heldNs += nowNs - requests.keyslotNs[rq];
  if (requests.issuedNs[rq] >= requests.keyslotNs[rq]) keyslots.inFlightNs += nowNs - requests.issuedNs[rq];
  q.crypto?.profile.put(x, slot);
}

/** The safety net of freeing a request. */
export function putForgottenKeyslot(q: RequestQueue, rq: number): void {
  q.machine.violate('keyslot-leak', `${q.requestName(rq)} is freed with keyslot ${q.requests.keyslot[rq]}`);
  putKeyslot(q, q.machine.current, rq);
}

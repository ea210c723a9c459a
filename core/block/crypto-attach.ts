/** Connecting a crypto profile with a request queue: which policy takes the slots, and who hears when one comes free. */
import type { KeyTable } from '../crypto/key.ts';
import type { CryptoProfile } from '../crypto/profile/profile.ts';
import {
  HOLD_ALL,
  HOLD_ENCRYPTED,
  HOLD_KEY,
  type KeyslotPolicy,
  QueueCrypto,
  SLOT_AFTER_TAG,
  SLOT_AT_DISPATCH,
  SLOT_BEFORE_TAG,
  SLOT_NEVER,
} from './crypto.ts';
import { keyslotAvailable } from './crypto-dispatch.ts';
import type { RequestQueue } from './queue.ts';

const WHEN: Readonly<Record<KeyslotPolicy, number>> = {
  submit: SLOT_AFTER_TAG,
  'before-tag': SLOT_BEFORE_TAG,
  'dispatch-block': SLOT_AT_DISPATCH,
  'dispatch-hold-encrypted': SLOT_AT_DISPATCH,
  'dispatch-hold-key': SLOT_AT_DISPATCH,
};

/** See Block.attachProfile. */
export function attachProfile(q: RequestQueue, profile: CryptoProfile, keys: KeyTable | undefined): boolean {
  if (q.crypto !== undefined) throw new Error('block: a second crypto profile');
  const policy = q.config.keyslotPolicy ?? 'submit';
  const when = profile.slots === 0 ? SLOT_NEVER : WHEN[policy];
  if (!profile.register(q.config.integrity === true)) return false;
  q.crypto = new QueueCrypto(q, profile, keys);
  q.slotWhen = when;
  if (when !== SLOT_AT_DISPATCH) return true;
  if (policy === 'dispatch-block') q.holdClass = HOLD_ALL;
  else q.holdClass = policy === 'dispatch-hold-key' ? HOLD_KEY : HOLD_ENCRYPTED;
  const others = profile.onAvailable; // queues that share the slots, such as the logical units of one host
  profile.onAvailable = q.engine.register('block.keyslot-available', () => {
    if (others >= 0) q.engine.call(others, 0);
    keyslotAvailable(q);
  });
  return true;
}

/** Connecting a crypto profile with a request queue, and letting it go: which policy takes the slots, and who hears when one comes free. */
import type { KeyTable } from '../crypto/key.ts';
import type { CryptoProfile } from '../crypto/profile/profile.ts';
import {
  HOLD_ALL,
  HOLD_ENCRYPTED,
  HOLD_KEY,
  HOLD_NOBODY,
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
  keys?.askBeforeFree((keyId) => requestsOfKey(q, keyId));
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

/** See Block.detachProfile. */
export function detachProfile(q: RequestQueue): void {
  if (q.crypto === undefined) throw new Error('block: no crypto profile to let go');
  if (q.usage > 0) q.machine.violate('keyslot-lifetime', `a queue goes with ${q.usage} users inside`);
  q.crypto.profile.unregister();
  q.crypto = undefined;
  q.slotWhen = SLOT_NEVER;
  q.holdClass = HOLD_NOBODY;
}

/** Requests with bios under the key: their owner may not free it (I-61). Not a hot path. */
function requestsOfKey(q: RequestQueue, keyId: number): string[] {
  const { requests } = q;
  const names: string[] = [];
  for (let rq = 0; rq < requests.highWater; rq++) {
    const isAlive = requests.tag[rq] >= 0 || requests.schedTag[rq] >= 0;
    if (isAlive && requests.keyId[rq] === keyId && requests.bio[rq] >= 0) names.push(q.requestName(rq));
  }
  return names;
}

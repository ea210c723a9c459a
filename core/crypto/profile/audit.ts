/**
 * What must hold of a profile's tables at every instant between two events (inline-crypto.md 7, I-3 to I-6, I-10): for the checks of a run and for specs. Linear in
 * the slots; not for the hot path.
 */
import type { CryptoProfile } from './profile.ts';
import { NO_KEY } from './types.ts';

/** The breaches found, as sentences; empty when all is well. */
export function auditProfile(profile: CryptoProfile): string[] {
  const { table, slots } = profile;
  const breaches: string[] = [];
  const idle = table.idleSlots();
  if (idle.length !== table.idleCount || new Set(idle).size !== idle.length) {
    breaches.push(`I-4: idle list ${idle.join(' ')} does not have its ${table.idleCount} slots once each`);
  }
  const slotOfKey = new Map<number, number>();
  for (let slot = 0; slot < slots; slot++) {
    const keyId = table.key[slot];
    const isIdle = idle.includes(slot);
    if (isIdle !== (table.refs[slot] === 0)) {
      breaches.push(
        `I-4: slot ${slot} has ${table.refs[slot]} references and is ${isIdle ? '' : 'not '}on the idle list`,
      );
    }
    if (keyId === NO_KEY) continue;
    const other = slotOfKey.get(keyId);
    if (other !== undefined) breaches.push(`I-3: key ${keyId} is in slots ${other} and ${slot}`);
    slotOfKey.set(keyId, slot);
    if (table.find(keyId) !== slot)
      breaches.push(`I-6: key ${keyId} is in slot ${slot}, found in ${table.find(keyId)}`);
  }
  if (profile.hasForgottenWaiters)
    breaches.push('I-10: a task sleeps for a keyslot though one is idle and nobody comes for it');
  return breaches;
}

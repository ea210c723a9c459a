/**
 * What must hold of a profile's tables at every instant between two events (inline-crypto.md 7, I-3 to I-6, I-10): for the checks of a run and for specs. Linear in
 * the slots; not for the hot path.
 */
import type { CryptoProfile } from './profile.ts';
import type { SlotTable } from './slots.ts';
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

/** The slots in use, as sentences: references that were never given back, at the end of a run. */
export function slotsInUse(table: SlotTable, name: string): string[] {
  const left: string[] = [];
  table.refs.forEach((refs, slot) => {
    if (refs > 0) left.push(`${name}: slot ${slot} (key ${table.key[slot]}) has ${refs} references`);
  });
  return left;
}

/** Who holds the slots in use, by the names that `holders` knows or else the slots' own. */
export function holdersOfSlots(table: SlotTable, holders?: (slot: number) => readonly string[]): string[] {
  return Array.from(table.refs).flatMap((refs, slot) => (refs === 0 ? [] : (holders?.(slot) ?? [`keyslot ${slot}`])));
}

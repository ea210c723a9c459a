/** The machine profiles by name. */
import type { MachineProfile } from './costs.ts';
import { FREE } from './free.ts';
import { PHONE_A76 } from './phone-a76.ts';
import { SERVER_X86 } from './server-x86.ts';

export const MACHINE_PROFILES: readonly MachineProfile[] = [PHONE_A76, SERVER_X86, FREE];

/** The profile of this name, or undefined. */
export function machineProfile(name: string): MachineProfile | undefined {
  return MACHINE_PROFILES.find((p) => p.name === name);
}

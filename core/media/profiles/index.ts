/** The shipped flash profiles, by the names that definitions use. */
import type { MediaProfile } from '../profile.ts';
import { emmc51Tlc } from './emmc-5.1-tlc.ts';
import { ufs21Tlc } from './ufs-2.1-tlc.ts';
import { ufs30Tlc } from './ufs-3.0-tlc.ts';
import { ufs31Tlc } from './ufs-3.1-tlc.ts';
import { ufs40Tlc } from './ufs-4.0-tlc.ts';

const PROFILES: readonly MediaProfile[] = [emmc51Tlc, ufs21Tlc, ufs30Tlc, ufs31Tlc, ufs40Tlc];

/** Names of the shipped profiles, oldest device first. */
export function mediaProfileNames(): readonly string[] {
  return PROFILES.map((p) => p.name);
}

/** The profile of this name, or undefined. */
export function mediaProfile(name: string): MediaProfile | undefined {
  return PROFILES.find((p) => p.name === name);
}

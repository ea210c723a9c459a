/** The shipped flash profiles, by the names that definitions use. */
import type { MediaProfile } from '../profile.ts';
import { ufs31Tlc } from './ufs-3.1-tlc.ts';

const PROFILES: readonly MediaProfile[] = [ufs31Tlc];

/** Names of the shipped profiles, oldest device first. */
export function mediaProfileNames(): readonly string[] {
  return PROFILES.map((p) => p.name);
}

/** The profile of this name, or undefined. */
export function mediaProfile(name: string): MediaProfile | undefined {
  return PROFILES.find((p) => p.name === name);
}

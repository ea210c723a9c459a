/** The faults of a null device: its keyslots can be refused a key. Nothing else of it is real enough to fail. */
import type { CryptoProfile } from '../crypto/profile/profile.ts';
import type { NullKeyslots } from '../hosts/null/null-keyslots.ts';
import type { Fault, Operation } from './plan.ts';
import type { FaultPort } from './port.ts';

export class NullFaults implements FaultPort {
  private readonly profile: CryptoProfile;
  private readonly keyslots: NullKeyslots;

  constructor(profile: CryptoProfile, keyslots: NullKeyslots) {
    this.profile = profile;
    this.keyslots = keyslots;
  }

  listen(operation: Operation, kind: number): void {
    if (operation === 'programs') this.profile.hardware.onProgram = kind;
  }

  strike(fault: Fault): boolean {
    if (fault.fault !== 'keyslot-program-failure') return false;
    this.keyslots.failNext++;
    return true;
  }
}

/** What a device offers to those who make it fail: its hooks behind one call, and its operations to be counted. Made by `ufs-faults.ts` and `null-faults.ts`. */
import type { Fault, Operation } from './plan.ts';

export interface FaultPort {
  /**
   * Makes `fault` happen. `target`: of a fault that strikes an operation, the keyslot being programmed or the slot of the command being issued; else -1. False:
   * this operation cannot be struck (a write by a read error), another is to be waited for. Context: any, instantaneous.
   */
  strike(fault: Fault, target: number): boolean;
  /** From now on the engine kind is called with every operation's target as it begins; -1: no more. */
  listen(operation: Operation, kind: number): void;
}

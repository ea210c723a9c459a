/**
 * `free`: a machine whose CPUs take no time for anything and never idle deep: what remains of a run is waiting for tags, keyslots and the device. For comparison with
 * queueing models, which know no CPUs. No real machine.
 */
import type { MachineCosts, MachineProfile } from './costs.ts';
import { SERVER_X86 } from './server-x86.ts';

export const FREE: MachineProfile = {
  name: 'free',
  description: 'CPU time costs nothing: for comparison with queueing models',
  cpus: 1,
  costs: Object.fromEntries(
    Object.entries(SERVER_X86.costs).map(([name, cost]) => [name, typeof cost === 'number' ? 0 : []]),
  ) as unknown as MachineCosts,
};

/** `faults` of a definition against device and encryption: whether the device offers the fault, whether it can strike at all, and the plan in base units. */
import { FAULT_KINDS, faultsOfferedBy, type Offerer } from '../faults/kinds.ts';
import type { Fault, PlannedFault } from '../faults/plan.ts';
import type { ParsedFault } from './definition-faults.ts';
import type { ValidExperiment } from './definition.ts';
import type { Problem } from './problem.ts';

export interface FaultContext {
  readonly device: ValidExperiment['device'];
  /** Some job encrypts. */
  readonly encrypts: boolean;
  /** End of the run, when it is bounded by time. */
  readonly untilNs: number | undefined;
}

/** The plan; problems name the entry and what is allowed there. */
export function resolveFaults(
  faults: readonly ParsedFault[],
  context: FaultContext,
  problems: Problem[],
): readonly PlannedFault[] {
  faults.forEach((fault, i) => {
    const path = `/faults/${i}`;
    const unknown = offerProblem(fault, context, path);
    if (unknown === undefined) problems.push(...settingProblems(fault, context, path));
    else problems.push(unknown);
  });
  return faults.map(planned);
}

/** Parts of the device that offer faults in this run. */
function partsOf({ device, encrypts }: FaultContext): Offerer[] {
  const { crypto } = device;
  if (device.kind === 'null') return encrypts && keyslotsOf(device) > 0 ? ['null'] : [];
  const engine = device.crypto?.engine ?? 'none';
  return crypto === undefined || engine === 'none' || !encrypts ? ['ufs'] : ['ufs', engine];
}

function keyslotsOf({ crypto }: ValidExperiment['device']): number {
  return crypto?.keyslots ?? 0;
}

function error(path: string, code: string, message: string, hint?: string): Problem {
  return { severity: 'error', path, code, message, ...(hint === undefined ? {} : { hint }) };
}

function offerProblem({ fault }: ParsedFault, context: FaultContext, path: string): Problem | undefined {
  const parts = partsOf(context);
  const allowed = faultsOfferedBy(parts);
  if (allowed.includes(fault)) return undefined;
  const { device, encrypts } = context;
  const engine = device.kind === 'ufs' && encrypts ? ` with engine "${device.crypto?.engine ?? 'none'}"` : '';
  const what = `a ${device.kind} device${engine}`;
  const list = allowed.length === 0 ? 'it offers none' : `allowed: ${allowed.join(', ')}`;
  const needsKeys = !encrypts && !FAULT_KINDS[fault].offeredBy.includes('ufs');
  const hint = needsKeys ? 'no job encrypts: see /encryption and /device/crypto' : undefined;
  return error(`${path}/fault`, 'capability', `${what} does not offer ${fault}; ${list}`, hint);
}

function settingProblems(fault: ParsedFault, context: FaultContext, path: string): Problem[] {
  const { device, untilNs } = context;
  const problems: Problem[] = [];
  const slots = keyslotsOf(device);
  if (fault.fault === 'keyslot-corruption' && fault.slot >= slots)
    problems.push(error(`${path}/slot`, 'range', `the device has ${slots} keyslots; allowed: 0 to ${slots - 1}`));
  if (fault.fault === 'keyslot-program-failure' && fault.how === 'torn' && device.kind === 'null')
    problems.push(error(`${path}/how`, 'choice', 'the null device has no key material to tear; allowed: refused'));
  if (fault.fault === 'smc-wait' && device.kind === 'ufs' && device.crypto?.secureMonitor.calls === 'atomic')
    problems.push(error(`${path}/fault`, 'capability', 'atomic calls of the secure monitor never wait'));
  problems.push(...countProblems(fault, context, path));
  if (untilNs !== undefined && fault.at >= untilNs)
    problems.push({
      severity: 'warning',
      path: `${path}/at`,
      code: 'never',
      message: 'no I/O is submitted from /run/until on: the fault may never strike',
    });
  return problems;
}

/** What is counted must occur, and faults that strike at once cannot strike twice at one time. */
function countProblems({ fault, after, count, every }: ParsedFault, context: FaultContext, path: string): Problem[] {
  const problems: Problem[] = [];
  const hasKeyslots = context.encrypts && keyslotsOf(context.device) > 0 && !partsOf(context).includes('prdt');
  if (after?.programs !== undefined && !hasKeyslots)
    problems.push(error(`${path}/after/programs`, 'capability', 'no key is ever programmed in this run'));
  if (after?.commands !== undefined && context.device.kind === 'null')
    problems.push(error(`${path}/after/commands`, 'capability', 'a null device counts programs only'));
  const strikesAtOnce = FAULT_KINDS[fault].strikes === undefined && after === undefined;
  if (count > 1 && every === undefined && strikesAtOnce)
    problems.push(error(`${path}/every`, 'range', `is missing; must say how far apart the ${count} are`));
  if (count === 1 && every !== undefined)
    problems.push(error(`${path}/count`, 'range', 'must be at least 2 with "every": it says how many there are'));
  return problems;
}

/** The entry as the fault room takes it. */
function planned({ at, after, every, count, ...parameters }: ParsedFault): PlannedFault {
  return { what: whatOf(parameters), atNs: at, everyNs: every ?? 0, count, after: afterOf(after) };
}

function whatOf(parameters: Omit<ParsedFault, 'at' | 'after' | 'every' | 'count'>): Fault {
  const fault = parameters as DistributiveOmit<ParsedFault, 'at' | 'after' | 'every' | 'count'>;
  return fault.fault === 'smc-wait' ? { fault: fault.fault, durationNs: fault.duration } : fault;
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function afterOf(after: ParsedFault['after']): PlannedFault['after'] {
  if (after?.programs !== undefined) return { operation: 'programs', count: after.programs };
  if (after?.commands !== undefined) return { operation: 'commands', count: after.commands };
  return undefined;
}

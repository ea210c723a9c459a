/**
 * `faults` of a definition: what shall go wrong, and when. A fault is due at `at` (and again, `every` so often, `count` times); some strike an operation that begins
 * then, and `after` spares so many operations first. What each kind does and stands for: core/faults/kinds.ts.
 */
import * as z from 'zod';
import { FAULT_KINDS } from '../faults/kinds.ts';
import type { FaultName } from '../faults/plan.ts';
import { count, timeNs } from './quantities.ts';

const MOST = 1_000_000;
const ONE_OF_BOTH = 'must hold either "programs" or "commands"';

const after = z
  .strictObject({
    programs: count(0, MOST).optional().describe('keys programmed into slots, restored ones included'),
    commands: count(0, MOST).optional().describe('commands given to the device'),
  })
  .refine(({ programs, commands }) => (programs === undefined) !== (commands === undefined), { error: ONE_OF_BOTH })
  .describe('so many operations that begin after "at" are spared: the fault strikes as the next one begins')
  .optional();

const timing = {
  at: timeNs().prefault(0).describe('when it is due, in simulated time'),
  after,
  every: timeNs({ min: 1 }).optional().describe('time from one to the next, when "count" is more than 1'),
  count: count(1, MOST)
    .default(1)
    .describe('how often it strikes; without "every", faults that strike operations strike one after the other'),
};

/** One kind, with its parameters. */
function kind<N extends FaultName, S extends z.ZodRawShape>(name: N, parameters: S) {
  const { does, reality } = FAULT_KINDS[name];
  return z.strictObject({ fault: z.literal(name), ...timing, ...parameters }).describe(`${does} (${reality})`);
}

const SMC_RESULTS = ['error', 'invalid-argument', 'not-supported', 'no-memory'] as const;
const FATAL_CAUSES = ['link-lost', 'device', 'utp', 'host-controller', 'system-bus', 'crypto-engine'] as const;
const COMMAND_ERRORS = [
  'invalid-command-table',
  'invalid-prdt',
  'data-size-mismatch',
  'response-size-mismatch',
  'peer-communication-failure',
  'aborted',
  'fatal-error',
  'device-fatal-error',
] as const;

const KINDS = [
  kind('keyslot-program-failure', { how: z.enum(['refused', 'torn']).default('refused') }),
  kind('smc-busy', { tries: count(1, 1000).default(1).describe('tries that find the firmware busy') }),
  kind('smc-failure', { result: z.enum(SMC_RESULTS).default('error') }),
  kind('smc-wait', { duration: timeNs({ min: 1 }).prefault('10ms').describe('sleep on the wait queue') }),
  kind('ice-self-test-hang', {}),
  kind('keyslot-corruption', { slot: count(0, 255).default(0) }),
  kind('keys-lost', { when: z.enum(['now', 'hibernate', 'runtime-suspend']).default('now') }),
  kind('crypto-engine-error', { how: z.enum(['general', 'fatal', 'configuration']).default('general') }),
  kind('host-reset', {}),
  kind('fatal-error', { cause: z.enum(FATAL_CAUSES).default('device') }),
  kind('uic-error', { error: z.enum(['data-link', 'pa-init']).default('data-link') }),
  kind('uic-command-lost', {}),
  kind('hibern8-exit-failure', {}),
  kind('link-startup-failure', { times: count(1, 100).default(1) }),
  kind('command-lost', {}),
  kind('command-error', { ocs: z.enum(COMMAND_ERRORS).default('peer-communication-failure') }),
  kind('task-management-lost', {}),
  kind('media-read-error', {}),
  kind('unit-attention', {}),
] as const;

const names = KINDS.map(({ shape }) => shape.fault.value);

export const faults = z
  .array(z.discriminatedUnion('fault', KINDS, { error: `must have a "fault": one of ${names.join(', ')}` }))
  .default([])
  .describe('what shall go wrong, and when');

export type ParsedFault = z.output<typeof faults>[number];

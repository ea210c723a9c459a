/**
 * A fault plan as plain data, in base units: what shall go wrong in a run, and when. A definition's `faults` become this (core/experiment).
 *
 * An entry is due at a time, or again and again; once due it strikes at once, or (kinds that strike an operation, and entries with `after`) when the operation begins.
 */

/** What can be counted, and struck: keys being programmed into slots, commands given to the device. */
export type Operation = 'programs' | 'commands';

/** Answers of the secure monitor to a call that fails. */
export type SmcResult = 'error' | 'invalid-argument' | 'not-supported' | 'no-memory';
/** Status bits that end all work of a host until it is reset. */
export type FatalCause = 'link-lost' | 'device' | 'utp' | 'host-controller' | 'system-bus' | 'crypto-engine';
/** Codes of the overall command status that say an error, those of encryption aside. */
export type CommandError =
  | 'invalid-command-table'
  | 'invalid-prdt'
  | 'data-size-mismatch'
  | 'response-size-mismatch'
  | 'peer-communication-failure'
  | 'aborted'
  | 'fatal-error'
  | 'device-fatal-error';

/** A fault with its parameters. What each stands for: kinds.ts. */
export type Fault =
  | { readonly fault: 'keyslot-program-failure'; readonly how: 'refused' | 'torn' }
  | { readonly fault: 'smc-busy'; readonly tries: number }
  | { readonly fault: 'smc-failure'; readonly result: SmcResult }
  | { readonly fault: 'smc-wait'; readonly durationNs: number }
  | { readonly fault: 'ice-self-test-hang' }
  | { readonly fault: 'keyslot-corruption'; readonly slot: number }
  | { readonly fault: 'keys-lost'; readonly when: 'now' | 'hibernate' | 'runtime-suspend' }
  | { readonly fault: 'crypto-engine-error'; readonly how: 'general' | 'fatal' | 'configuration' }
  | { readonly fault: 'host-reset' }
  | { readonly fault: 'fatal-error'; readonly cause: FatalCause }
  | { readonly fault: 'uic-error'; readonly error: 'data-link' | 'pa-init' }
  | { readonly fault: 'uic-command-lost' }
  | { readonly fault: 'hibern8-exit-failure' }
  | { readonly fault: 'link-startup-failure'; readonly times: number }
  | { readonly fault: 'command-lost' }
  | { readonly fault: 'command-error'; readonly ocs: CommandError }
  | { readonly fault: 'task-management-lost' }
  | { readonly fault: 'media-read-error' }
  | { readonly fault: 'unit-attention' };

export type FaultName = Fault['fault'];

/** One entry of a plan. */
export interface PlannedFault {
  readonly what: Fault;
  /** When it is due for the first time. */
  readonly atNs: number;
  /** How often it strikes. */
  readonly count: number;
  /** Time from one to the next; 0: all are due at once, and strike one operation after the other. */
  readonly everyNs: number;
  /** So many operations that begin after it was due are spared. */
  readonly after: { readonly operation: Operation; readonly count: number } | undefined;
}

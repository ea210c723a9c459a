/** Errors that cross process borders, as data, and the one table of their words. */
export type { Problem } from '../experiment/problem.ts';

export type ErrorCode =
  | 'VALIDATION' // a definition or job file with problems: details = Problem[]
  | 'BAD_INPUT'
  | 'NO_SUCH' // experiment, run or file that is not there
  | 'PROJECT_NOT_OURS'
  | 'PROJECT_TOO_NEW'
  | 'PROJECT_DAMAGED'
  | 'PROJECT_READ_ONLY'
  | 'PROJECT_LOCKED'
  | 'DISK_FULL'
  | 'BUSY' // a run is in progress where it must not be
  | 'RUN_WORKER_DIED'
  | 'STORE'
  | 'CANCELLED'
  | 'NO_METHOD'
  | 'INTERNAL';

/** An error with a code, made of data, so that it survives every transport. */
export class BlklabError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = 'BlklabError';
    this.code = code;
    this.details = details;
  }
}

/** The error as plain data. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: unknown;
}

/** Any thrown value as wire data; unknown ones become INTERNAL. */
export function toWireError(error: unknown): WireError {
  if (error instanceof BlklabError) return { code: error.code, message: error.message, details: error.details };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}

export function fromWireError(error: WireError): BlklabError {
  return new BlklabError(error.code, error.message, error.details);
}

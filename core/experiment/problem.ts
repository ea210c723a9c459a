/** A problem of a definition as data: what validation answers with, and what the faces show. */

/** One problem of a definition: where it is (JSON pointer, or a line of the fio text), what is wrong, what is allowed. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** JSON pointer into the definition, e.g. `/device/crypto/keyslots`; for fio text `/workload/fio`. */
  readonly path: string;
  /** Line of the fio text, 1-based. */
  readonly line?: number;
  /** File the line is in, when the job file includes others. */
  readonly file?: string;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

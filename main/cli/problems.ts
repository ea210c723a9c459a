/** Problems and errors as the command line shows them: one line each, where first, as compilers do. */
import { BlklabError, type Problem } from '../../core/contract/errors.ts';

/** One line: `job.fio:7: error: unknown option "iodeph" (did you mean "iodepth"?)`. */
export function problemLine(file: string, problem: Problem): string {
  const hint = problem.hint === undefined || problem.hint === '' ? '' : ` (${problem.hint})`;
  return `${place(file, problem)}: ${problem.severity}: ${problem.message}${hint}`.replaceAll(/\s*\n\s*/g, ' ');
}

/** The line of a job file, or the JSON pointer into the definition; both for a job file that is written into the definition. */
function place(file: string, { path, line, file: jobFile }: Problem): string {
  const pointer = `${file}: ${path === '' ? '/' : path}`;
  if (line === undefined) return pointer;
  return path === '/workload/fio' ? `${pointer}, line ${line}` : `${jobFile ?? file}:${line}`;
}

/** Exit codes of the command line (design, section 8). */
export const EXIT = { done: 0, failed: 1, badInput: 2, deadlock: 3 } as const;

/** Codes for which the user's input is to blame. */
const BAD_INPUT = new Set([
  'VALIDATION',
  'BAD_INPUT',
  'NO_SUCH',
  'PROJECT_NOT_OURS',
  'PROJECT_TOO_NEW',
  'PROJECT_DAMAGED',
  'PROJECT_READ_ONLY',
  'PROJECT_LOCKED',
]);

/** The latest message: what follows from one trouble (a full disk, say) is told once. */
let told = '';

/** One line on stderr, unless it has just been said. */
export function tell(message: string): void {
  if (message !== told) process.stderr.write(`blklab: ${message}\n`);
  told = message;
}

/** What went wrong, as one line on stderr. Returns the exit code. A mistake of ours shows its stack only when DEBUG asks for it. */
export function reportError(error: unknown): number {
  const isKnown = error instanceof BlklabError;
  const message = error instanceof Error ? error.message : String(error);
  tell(isKnown ? message : `internal error: ${message}`);
  if (!isKnown && process.env['DEBUG'] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  return isKnown && BAD_INPUT.has(error.code) ? EXIT.badInput : EXIT.failed;
}

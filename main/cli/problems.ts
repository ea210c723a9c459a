/** Problems and errors as the command line shows them: one line each, where first, as compilers do. */
import { BlklabError, type Problem } from '../../core/contract/errors.ts';

/** One line: `job.fio:7: error: unknown option "iodeph" (did you mean "iodepth"?)`. */
export function problemLine(file: string, problem: Problem): string {
  const inText = problem.line !== undefined;
  const where = inText
    ? `${problem.file ?? file}:${problem.line}`
    : `${file}: ${problem.path === '' ? '/' : problem.path}`;
  const hint = problem.hint === undefined || problem.hint === '' ? '' : ` (${problem.hint})`;
  return `${where}: ${problem.severity}: ${problem.message}${hint}`.replaceAll(/\s*\n\s*/g, ' ');
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

/** What went wrong, as one line on stderr. Returns the exit code. A mistake of ours shows its stack only when DEBUG asks for it. */
export function reportError(error: unknown): number {
  const isKnown = error instanceof BlklabError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`blklab: ${isKnown ? message : `internal error: ${message}`}\n`);
  if (!isKnown && process.env['DEBUG'] !== undefined && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  return isKnown && BAD_INPUT.has(error.code) ? EXIT.badInput : EXIT.failed;
}

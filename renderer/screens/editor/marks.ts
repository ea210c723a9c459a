/** Marks on the lines of a text, from the problems that name lines: the worst of each line, all messages together. */
import type { Problem } from '../../../core/contract/errors.ts';
import { DEFAULT_FILE_NAME } from '../../../core/workload/fio/parse.ts';

export interface Mark {
  readonly severity: Problem['severity'];
  readonly message: string;
}

export function marksOf(problems: readonly Problem[]): ReadonlyMap<number, Mark> {
  const marks = new Map<number, Mark>();
  for (const { line, severity, message, file } of problems) {
    // a line of an included file is no line of this text
    if (line === undefined || (file !== undefined && file !== DEFAULT_FILE_NAME)) continue;
    const before = marks.get(line);
    marks.set(line, {
      severity: before?.severity === 'error' ? 'error' : severity,
      message: before === undefined ? message : `${before.message}\n${message}`,
    });
  }
  return marks;
}

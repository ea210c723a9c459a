/**
 * What can be wrong with a fio job file, as data.
 *
 * Errors stop the file from being used (no jobs come out); warnings say what the emulation leaves out or reads
 * differently from what the author may have meant. Every problem of a file is listed, in line order.
 */

/** Stable ids of the problems; messages may be reworded, codes may not. */
export type FioIssueCode =
  | 'section' // a section header or an option in the wrong place
  | 'include' // an include file that is missing, nested too deep, or holds sections
  | 'unknown-option' // fio 3.33 does not know the key either
  | 'wrong-engine' // the key belongs to another ioengine
  | 'value' // the value is not of the option's kind
  | 'range' // the value is outside what fio allows
  | 'misread' // fio accepts the text but reads something else than it says
  | 'not-emulated' // a valid job that the emulation cannot run
  | 'ignored' // a valid option without effect here
  | 'ambiguous' // accepted, but probably not what was meant
  | 'conflict' // options that exclude each other
  | 'no-jobs'; // nothing to run

/** One problem of a job file. `line` and `column` count from 1; `file` names the include file where it stands. */
export interface FioIssue {
  readonly line: number;
  readonly column?: number;
  readonly file: string;
  readonly severity: 'error' | 'warning';
  readonly code: FioIssueCode;
  readonly message: string;
  /** What to write instead. */
  readonly hint?: string;
}

/** Where something stands in the job file. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** Collects the issues of one file. */
export class IssueList {
  readonly issues: FioIssue[] = [];

  error(place: Place, code: FioIssueCode, message: string, hint?: string): void {
    this.add('error', place, code, message, hint);
  }

  warning(place: Place, code: FioIssueCode, message: string, hint?: string): void {
    this.add('warning', place, code, message, hint);
  }

  get hasErrors(): boolean {
    return this.issues.some((issue) => issue.severity === 'error');
  }

  /** The issues of the main file in line order, each include's at its own lines after them. */
  sorted(mainFile: string): FioIssue[] {
    const rank = (issue: FioIssue): number => (issue.file === mainFile ? 0 : 1);
    return [...this.issues].sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
        a.line - b.line ||
        (a.column ?? 0) - (b.column ?? 0),
    );
  }

  private add(
    severity: FioIssue['severity'],
    place: Place,
    code: FioIssueCode,
    message: string,
    hint: string | undefined,
  ): void {
    this.issues.push({
      file: place.file,
      line: place.line,
      ...(place.column === undefined ? {} : { column: place.column }),
      severity,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

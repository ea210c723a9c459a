/**
 * The grammar of a fio job file: comments, sections, include files, `key=value` lines. No option is understood here; every
 * line keeps its raw text, file, line and columns, so that later problems can point at it.
 *
 * As in fio: a line is a comment when `;` or `#` is its first visible character, and both truncate an option line anywhere;
 * `include` splices a file's options into the current section; sections whose name begins with `global` set
 * defaults for the jobs below them. Unlike fio (which cuts the last character of whatever follows `[`), a section header
 * must end with its `]`.
 *
 * @source fio 3.33 HOWTO "Job file format"; behaviour observed with fio 3.33
 */
import type { IssueList, Place } from './issues.ts';
import { DEFAULT_KEYWORDS, substitute, type FioKeywords } from './substitute.ts';

/** The outside world of a job file. */
export interface FioSources {
  /** Name shown in issues. */
  readonly fileName?: string;
  /** Environment for `${VAR}`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text of an include file, undefined when there is none. Asked with the name as written, then beside the including file. */
  readonly readInclude?: (name: string) => string | undefined;
  readonly keywords?: FioKeywords;
}

/** One option line, comments stripped and variables replaced. */
export interface FioLine extends Place {
  readonly key: string;
  /** Text after the first `=`, leading blanks kept (they matter to fio); undefined for a bare key. */
  readonly value: string | undefined;
  /** The line as it was written, without comment. */
  readonly raw: string;
  readonly column: number;
  readonly valueColumn: number;
}

/** A `[section]` with its lines in file order. */
export interface FioSection extends Place {
  readonly name: string;
  readonly isGlobal: boolean;
  readonly lines: FioLine[];
}

export const DEFAULT_FILE_NAME = 'job.fio';
/** @source fio 3.33: the section name buffer takes 255 characters */
const MAX_NAME_CHARS = 255;
/** @assume deeper nesting is a mistake; fio itself has no limit and overflows its stack */
const MAX_INCLUDE_DEPTH = 16;

/** Splits a job file into sections. Problems go to `issues`; what can be read is returned. */
export function parseSections(text: string, sources: FioSources, issues: IssueList): FioSection[] {
  const parser: Parser = {
    env: sources.env ?? {},
    keywords: sources.keywords ?? DEFAULT_KEYWORDS,
    readInclude: sources.readInclude ?? (() => undefined),
    issues,
    sections: [],
  };
  readFile(parser, text, sources.fileName ?? DEFAULT_FILE_NAME, []);
  return parser.sections;
}

interface Parser {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly keywords: FioKeywords;
  readonly readInclude: (name: string) => string | undefined;
  readonly issues: IssueList;
  readonly sections: FioSection[];
}

function readFile(parser: Parser, text: string, file: string, includedFrom: readonly string[]): void {
  let outsideReported = false;
  const lines = text.split('\n');
  for (const [index, whole] of lines.entries()) {
    const stripped = whole.replace(/[;#].*$/s, '').trimEnd();
    const raw = stripped.trimStart();
    if (raw === '') continue;
    const place = { file, line: index + 1, column: stripped.length - raw.length + 1 };
    if (raw.startsWith('[')) {
      if (includedFrom.length > 0) parser.issues.error(place, 'include', 'an included file cannot hold sections');
      else openSection(parser, raw, place);
      continue;
    }
    const section = parser.sections.at(-1);
    if (section === undefined) {
      // one report: every line up to the first section has the same cause
      if (!outsideReported) parser.issues.error(place, 'section', `option "${raw}" stands outside of any [section]`);
      outsideReported = true;
    } else if (/^include[\s=]/.test(raw)) {
      include(parser, raw, place, includedFrom);
    } else {
      addLine(parser, section, raw, place);
    }
  }
}

function openSection(parser: Parser, raw: string, place: Place): void {
  const name = raw.slice(1, -1);
  if (!raw.endsWith(']') || name.includes(']')) {
    parser.issues.error(
      place,
      'section',
      `section header "${raw}" does not end with its "]"`,
      'write [name] alone on the line',
    );
  } else if (name.trim() === '') {
    parser.issues.error(place, 'section', 'a section needs a name', 'write [name]');
  } else if (name.length > MAX_NAME_CHARS) {
    parser.issues.error(place, 'section', `section name longer than ${MAX_NAME_CHARS} characters`);
  }
  // opened even when its header is wrong, so that its options are still checked
  parser.sections.push({ ...place, name, isGlobal: name.startsWith('global'), lines: [] });
}

function include(parser: Parser, raw: string, place: Place, includedFrom: readonly string[]): void {
  const name = raw.slice('include'.length + 1).trim();
  const chain = [...includedFrom, place.file];
  // as written, else beside the file that includes it
  const folder = place.file.slice(0, place.file.lastIndexOf('/') + 1);
  const path = [name, folder + name].find((candidate) => parser.readInclude(candidate) !== undefined);
  const text = path === undefined ? undefined : parser.readInclude(path);
  if (path === undefined || text === undefined) {
    parser.issues.error(place, 'include', `include file "${name}" cannot be read`);
  } else if (chain.includes(path)) {
    parser.issues.error(place, 'include', `include file "${name}" includes itself`);
  } else if (chain.length > MAX_INCLUDE_DEPTH) {
    parser.issues.error(place, 'include', `include files nested deeper than ${MAX_INCLUDE_DEPTH}`);
  } else {
    readFile(parser, text, path, chain);
  }
}

function addLine(parser: Parser, section: FioSection, raw: string, place: Place & { readonly column: number }): void {
  const valueColumn = place.column + raw.indexOf('=') + 1;
  const result = substitute(raw, parser.env, parser.keywords);
  if ('problem' in result) {
    parser.issues.error({ ...place, column: valueColumn }, 'value', result.problem);
    return;
  }
  const equals = result.text.indexOf('=');
  const key = (equals < 0 ? result.text : result.text.slice(0, equals)).trimEnd();
  const value = equals < 0 ? undefined : result.text.slice(equals + 1);
  section.lines.push({ ...place, key, value, raw, valueColumn });
}

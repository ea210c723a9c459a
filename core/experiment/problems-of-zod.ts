/** Turns the schema's findings into problems: a JSON pointer, what is wrong, what is allowed, and a suggestion for a misspelt name. */
import type * as z from 'zod';
import type { Problem } from './problem.ts';
import { editDistance } from '../workload/fio/suggest.ts';

type Issue = z.core.$ZodIssue;

/** What the translation may ask of the definition and its schema. */
export interface Surroundings {
  /** The names allowed at a path. */
  readonly keysAt: (path: readonly PropertyKey[]) => readonly string[];
  readonly valueAt: (path: readonly PropertyKey[]) => unknown;
}

/** All findings as problems, unions resolved to the branch that came closest. */
export function problemsOfZod(issues: readonly Issue[], around: Surroundings): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, issue.path, around));
}

function problemsOf(issue: Issue, path: readonly PropertyKey[], around: Surroundings): Problem[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, around.keysAt(path)));
    case 'invalid_union':
      return unionProblems(issue, path, around);
    case 'invalid_value':
      return [problem(path, 'choice', missing(path, around) + choiceWords(issue))];
    case 'invalid_type':
      return [problem(path, 'type', missing(path, around) + typeWords(issue))];
    case 'too_small':
    case 'too_big':
      return [problem(path, 'range', sizeWords(issue))];
    case 'custom':
      return [problem(path, 'value', issue.message)];
    default:
      return [problem(path, issue.code, issue.message)];
  }
}

function unionProblems(
  issue: z.core.$ZodIssueInvalidUnion,
  path: readonly PropertyKey[],
  around: Surroundings,
): Problem[] {
  const closest = closestBranch(issue.errors);
  if (closest === undefined) return [problem(path, 'type', missing(path, around) + issue.message)];
  return closest.flatMap((inner) => problemsOf(inner, [...path, ...inner.path], around));
}

/** The branch of a union whose findings lie deepest: that is the one the user meant. Undefined when every branch fails at its root. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  let best: readonly Issue[] | undefined;
  let bestDepth = 0;
  for (const branch of branches) {
    const depth = Math.max(
      0,
      ...branch.map((i) => i.path.length + (i.code === 'custom' || i.code === 'unrecognized_keys' ? 1 : 0)),
    );
    if (depth <= bestDepth) continue;
    best = branch;
    bestDepth = depth;
  }
  return best;
}

/** Whether a message is the schema library's, not ours. */
function isStock(message: string): boolean {
  return /^(Invalid|Too|Unrecognized)/.test(message);
}

function missing(path: readonly PropertyKey[], around: Surroundings): string {
  return path.length > 0 && around.valueAt(path) === undefined ? 'is missing; ' : '';
}

function choiceWords({ message, values }: z.core.$ZodIssueInvalidValue): string {
  if (!isStock(message)) return message;
  const words = values.map((v) => JSON.stringify(v)).join(', ');
  return values.length === 1 ? `must be ${words}` : `must be one of ${words}`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'an object { … }',
  record: 'an object { … }',
  array: 'a list [ … ]',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

function typeWords({ message, expected }: z.core.$ZodIssueInvalidType): string {
  return isStock(message) ? `must be ${TYPE_WORDS[expected] ?? expected}` : message;
}

function sizeWords(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (!isStock(issue.message)) return issue.message;
  if (issue.code === 'too_small') return 'must not be empty';
  return `must have at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`;
}

function unknownKey(path: readonly PropertyKey[], key: string, allowed: readonly string[]): Problem {
  const near = nearest(key, allowed);
  const message = `unknown name "${key}"${allowed.length > 0 ? `; allowed here: ${allowed.join(', ')}` : ''}`;
  const found = problem([...path, key], 'unknown-name', message);
  return near === undefined ? found : { ...found, hint: `did you mean "${near}"?` };
}

function problem(path: readonly PropertyKey[], code: string, message: string): Problem {
  return { severity: 'error', path: pointer(path), code, message };
}

/** RFC 6901. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The allowed name closest to a misspelt one, when it is close enough to be meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

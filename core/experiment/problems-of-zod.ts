/** Turns the schema's findings into problems: a JSON pointer, what is wrong, what is allowed, and a suggestion for a misspelt name. */
import type * as z from 'zod';
import type { Problem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** All findings as problems, unions resolved to the branch that came closest. */
export function problemsOfZod(
  issues: readonly Issue[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, issue.path, keysAt));
}

function problemsOf(
  issue: Issue,
  path: readonly PropertyKey[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): Problem[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, keysAt(path)));
    case 'invalid_union': {
      const closest = closestBranch(issue.errors);
      if (closest === undefined) return [problem(path, 'type', issue.message)];
      return closest.flatMap((inner) => problemsOf(inner, [...path, ...inner.path], keysAt));
    }
    case 'invalid_value':
      return [problem(path, 'choice', `must be one of ${issue.values.map((v) => JSON.stringify(v)).join(', ')}`)];
    default:
      return [problem(path, issue.code, issue.message)];
  }
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
    if (depth > bestDepth) {
      best = branch;
      bestDepth = depth;
    }
  }
  return best;
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

/** Levenshtein distance, with a row of the matrix at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

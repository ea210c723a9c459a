/**
 * Text replacement in an option line, before it is split at its `=`: `${VAR}` from the environment, then the keywords
 * `$pagesize`, `$mb_memory` and `$ncpus`, and, where a keyword stood, the arithmetic around it.
 *
 * fio pipes such a value through `bc`; here integers with + - * / % ^ and parentheses are evaluated (division truncates, as
 * `bc` does at scale 0). A value with a keyword, an operator and anything else is an error in both.
 *
 * @source fio 3.33 HOWTO "Job file format", "Reserved keywords"
 */

/** What `$pagesize`, `$mb_memory` and `$ncpus` stand for: the emulated machine's, not the host's. */
export interface FioKeywords {
  readonly pagesize: number;
  readonly mbMemory: number;
  readonly ncpus: number;
}

/** @assume an arm64 phone with 4 KiB pages, 8 GiB of memory and the four CPUs of the default machine */
export const DEFAULT_KEYWORDS: FioKeywords = { pagesize: 4096, mbMemory: 8192, ncpus: 4 };

/** The replaced text, or why it cannot be computed. */
export type Substituted = { readonly text: string } | { readonly problem: string };

/** Replaces `${VAR}`: an undefined variable becomes nothing, an unclosed `${` stays as it is. */
export function expandVariables(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$\{([^}]*)\}/g, (_whole, name: string) => env[name] ?? '');
}

/** Both replacements, in fio's order. */
export function substitute(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  keywords: FioKeywords,
): Substituted {
  const expanded = expandVariables(text, env);
  const replaced = expanded
    .replaceAll('$pagesize', String(keywords.pagesize))
    .replaceAll('$mb_memory', String(keywords.mbMemory))
    .replaceAll('$ncpus', String(keywords.ncpus));
  const equals = replaced.indexOf('=');
  if (replaced === expanded || equals < 0 || !/[-+*/]/.test(replaced) || replaced.includes("'")) {
    return { text: replaced };
  }
  const expression = replaced.slice(equals + 1);
  const result = evaluate(expression);
  if (result === undefined)
    return { problem: `cannot compute "${expression.trim()}" (whole numbers and + - * / % ^ only)` };
  return { text: replaced.slice(0, equals + 1) + String(result) };
}

const OPERATORS: Readonly<Record<string, { readonly rank: number; readonly apply: (a: bigint, b: bigint) => bigint }>> =
  {
    '+': { rank: 1, apply: (a, b) => a + b },
    '-': { rank: 1, apply: (a, b) => a - b },
    '*': { rank: 2, apply: (a, b) => a * b },
    '/': { rank: 2, apply: (a, b) => a / b },
    '%': { rank: 2, apply: (a, b) => a % b },
    '^': { rank: 3, apply: (a, b) => a ** b },
  };

/** Exponents above this cannot belong to a size and would only burn time. */
const MAX_EXPONENT = 64n;
/** Nesting above this is no job file. */
const MAX_NESTING = 32;

/** Value of an integer expression, or undefined when it is not one, divides by zero or leaves the 128-bit range. */
export function evaluate(expression: string): bigint | undefined {
  const tokens = expression.match(/\d+|[-+*/%^()]|\S/g) ?? [];
  const reader = { tokens, at: 0 };
  const value = readSum(reader, 1, 0);
  return reader.at === tokens.length ? value : undefined;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

/** Precedence climbing: reads operators of at least `rank`. */
function readSum(reader: Reader, rank: number, nesting: number): bigint | undefined {
  let left = readOperand(reader, nesting);
  while (left !== undefined && reader.at < reader.tokens.length) {
    const symbol = reader.tokens[reader.at];
    if (!Object.hasOwn(OPERATORS, symbol)) break;
    const operator = OPERATORS[symbol];
    if (operator.rank < rank) break;
    reader.at++;
    // ^ binds to the right, the others to the left
    const right = readSum(reader, operator.rank + (symbol === '^' ? 0 : 1), nesting);
    if (right === undefined || !isDefined(symbol, left, right)) return undefined;
    left = operator.apply(left, right);
    if (left > 2n ** 127n || left < -(2n ** 127n)) return undefined;
  }
  return left;
}

function isDefined(symbol: string, left: bigint, right: bigint): boolean {
  if (symbol === '/' || symbol === '%') return right !== 0n;
  if (symbol === '^') return right >= 0n && right <= MAX_EXPONENT && left < 2n ** 64n;
  return true;
}

function readOperand(reader: Reader, nesting: number): bigint | undefined {
  const token = reader.tokens[reader.at++];
  if (token === undefined || nesting > MAX_NESTING) return undefined;
  if (/^\d+$/.test(token)) return token.length > 30 ? undefined : BigInt(token);
  if (token === '-') {
    const operand = readOperand(reader, nesting + 1);
    return operand === undefined ? undefined : -operand;
  }
  if (token !== '(') return undefined;
  const value = readSum(reader, 1, nesting + 1);
  return reader.tokens[reader.at++] === ')' ? value : undefined;
}

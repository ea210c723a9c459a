/** `--set path=value`: one value of a definition, addressed by JSON pointer (`/run/until`) or dotted path (`run.until`). */
import { BlklabError } from '../../core/contract/errors.ts';

type Json = Record<string, unknown>;

/** A copy of `definition` with one assignment made. Throws BAD_INPUT for text that is no assignment or a path that leads nowhere. */
export function withSetting(definition: unknown, assignment: string): unknown {
  const equals = assignment.indexOf('=');
  if (equals < 1)
    throw new BlklabError('BAD_INPUT', `--set ${assignment}: must be path=value, e.g. queue.scheduler=kyber`);
  const path = assignment.slice(0, equals);
  const keys = path.startsWith('/') ? path.slice(1).split('/').map(unescapePointer) : path.split('.');
  const result = structuredClone(definition);
  let node = result as Json;
  keys.forEach((key, i) => {
    if (key === '' || key === '__proto__') throw new BlklabError('BAD_INPUT', `--set ${path}: "${key}" is not a name`);
    if (typeof node !== 'object' || node === null)
      throw new BlklabError('BAD_INPUT', `--set ${path}: "${keys.slice(0, i).join('.')}" holds a value, not parts`);
    if (i === keys.length - 1) node[key] = valueOf(assignment.slice(equals + 1));
    else {
      if (!Object.hasOwn(node, key)) node[key] = {};
      node = node[key] as Json;
    }
  });
  return result;
}

/** RFC 6901: `~1` is a slash, `~0` a tilde. */
function unescapePointer(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** JSON when it is JSON (`16`, `true`, `{"…": …}`), else the text itself (`4k`, `mq-deadline`). */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

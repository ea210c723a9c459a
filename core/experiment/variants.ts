/**
 * Variants of a definition: named sets of changes, each a JSON pointer and the value that stands there instead. Pure; scenarios are kept this way.
 */

/** JSON pointer → new value; null takes the member away. */
export type VariantPatch = Readonly<Record<string, unknown>>;

type Json = Record<string, unknown>;

/** RFC 6901: `~1` is a slash, `~0` a tilde. */
function keysOf(pointer: string): string[] {
  if (!/^\/./.test(pointer)) throw new Error(`"${pointer}" is no JSON pointer to a member`);
  return pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A copy of `definition` with every change made; objects on the way are made where there are none. Throws on a pointer that leads through a value. */
export function applyVariant(definition: object, patch: VariantPatch): object {
  const result = structuredCopy(definition) as Json;
  for (const [pointer, value] of Object.entries(patch)) {
    const keys = keysOf(pointer);
    const last = keys.pop() ?? '';
    let node = result;
    for (const key of keys) {
      if (!Object.hasOwn(node, key)) node[key] = {};
      const next = node[key];
      if (typeof next !== 'object' || next === null) throw new Error(`"${pointer}" leads through a value`);
      node = next as Json;
    }
    if (value === null) Reflect.deleteProperty(node, last);
    else node[last] = structuredCopy(value);
  }
  return result;
}

/** A deep copy of JSON data. */
function structuredCopy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

/** JSON pointers (RFC 6901) into definitions: read, and write by copying what is on the way. */

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function partsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What a pointer names, undefined where there is nothing. */
export function valueAt(root: unknown, pointer: string): unknown {
  let node = root;
  for (const part of partsOf(pointer)) {
    if (!isRecord(node)) return undefined;
    node = node[part];
  }
  return node;
}

/** A copy with the value at a pointer replaced; `undefined` takes it away. Objects on the way are made as needed. */
export function withValueAt(root: unknown, pointer: string, value: unknown): unknown {
  return put(root, partsOf(pointer), value);
}

function put(node: unknown, parts: readonly string[], value: unknown): unknown {
  if (parts.length === 0) return value;
  const [part, ...rest] = parts;
  const record = isRecord(node) ? node : {};
  const next = put(record[part], rest, value);
  if (next !== undefined) return { ...record, [part]: next };
  const { [part]: _gone, ...others } = record;
  return others;
}

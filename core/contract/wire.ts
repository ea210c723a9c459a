/**
 * Messages as WebSocket frames: one text frame of JSON, then one binary frame per typed array in it, in order.
 *
 * The text says where in the message each array belongs (a path of keys), so no value of a message can be mistaken for a reference. Bytes are little-endian
 * on both sides (every platform that runs a browser or Node is). What JSON cannot say (NaN outside arrays, undefined) the contract does not send.
 */

const TYPES = {
  Uint8Array,
  Uint16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
} as const;

type TypeName = keyof typeof TYPES;
type Path = readonly (string | number)[];

interface ArrayPlace {
  readonly path: Path;
  readonly type: TypeName;
}

interface Head {
  readonly message: unknown;
  readonly arrays: readonly ArrayPlace[];
}

export type Frame = string | Uint8Array<ArrayBuffer>;

/** Arrays in one message at most. @assume several times what any answer of the contract holds. */
const MAX_ARRAYS = 64;

/** The frames of a message. */
export function encode(message: unknown): readonly Frame[] {
  const arrays: ArrayPlace[] = [];
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  const bare = extract(message, [], (value, path) => {
    const type = value.constructor.name;
    if (!isTypeName(type)) throw new TypeError(`${type} cannot be sent`);
    arrays.push({ path, type });
    bodies.push(new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength));
  });
  return [JSON.stringify({ message: bare, arrays } satisfies Head), ...bodies];
}

/** Puts messages together again from their frames. One per connection. */
export class FrameDecoder {
  private head: Head | undefined;
  private readonly bodies: Uint8Array[] = [];

  /** Takes the next frame. Returns the message that it completes, as a box, or undefined. Throws on frames out of order. */
  push(frame: string | Uint8Array): { readonly message: unknown } | undefined {
    if (typeof frame === 'string') {
      if (this.head !== undefined) throw new Error('a binary frame was expected');
      this.head = parseHead(frame);
    } else {
      if (this.head === undefined) throw new Error('a text frame was expected');
      this.bodies.push(frame);
    }
    if (this.bodies.length < this.head.arrays.length) return undefined;
    const { head } = this;
    const bodies = this.bodies.splice(0);
    this.head = undefined;
    head.arrays.forEach((place, i) => {
      put(head, ['message', ...place.path], typedArray(place.type, bodies[i]));
    });
    return { message: head.message };
  }
}

/** A copy of `value` with every typed array replaced by null and reported. What holds none is not copied. */
function extract(value: unknown, path: Path, found: (array: ArrayBufferView, path: Path) => void): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    found(value, path);
    return null;
  }
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as unknown;
      if (typeof item !== 'object' || item === null) continue;
      const bare = extract(item, [...path, i], found);
      if (bare !== item) (copy ??= value.slice() as unknown[])[i] = bare;
    }
    return copy ?? value;
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, item] of Object.entries(value)) {
    const bare = extract(item, [...path, key], found);
    if (bare !== item) (copy ??= { ...value } as Record<string, unknown>)[key] = bare;
  }
  return copy ?? value;
}

function isTypeName(name: unknown): name is TypeName {
  return typeof name === 'string' && Object.hasOwn(TYPES, name);
}

function parseHead(text: string): Head {
  const { message, arrays } = JSON.parse(text) as Partial<Head>;
  if (!Array.isArray(arrays) || arrays.length > MAX_ARRAYS) throw new Error('not a frame of ours');
  for (const place of arrays as readonly unknown[]) {
    const { path, type } = place as Partial<ArrayPlace>;
    if (!Array.isArray(path) || !isTypeName(type)) throw new Error('not a frame of ours');
  }
  return { message, arrays: arrays as readonly ArrayPlace[] };
}

/** Sets what a path names; every step must be there already (`encode` left a null). */
function put(root: object, path: Path, value: unknown): void {
  let node: unknown = root;
  path.forEach((key, i) => {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) throw new Error('not a frame of ours');
    if (i === path.length - 1) (node as Record<string | number, unknown>)[key] = value;
    else node = (node as Record<string | number, unknown>)[key];
  });
}

/** A view on the frame's bytes; a copy when they do not lie where the type needs them. */
function typedArray(type: TypeName, body: Uint8Array): unknown {
  const Type = TYPES[type];
  const size = Type.BYTES_PER_ELEMENT;
  if (body.byteLength % size !== 0) throw new Error('not a frame of ours');
  const aligned = body.byteOffset % size === 0 ? body : new Uint8Array(body);
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size);
}

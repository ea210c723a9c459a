/** Typed-array columns that grow: the new, wider array keeps what the old one held. */

type Column = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** `fresh` with the content of `old` at its start; beyond that it stays as it was made. */
export function wider<T extends Column>(old: T, fresh: T): T {
  fresh.set(old);
  return fresh;
}

/** Growing typed-array columns: a wider copy that keeps what is there and fills the rest. */

export function widerInt32(old: Int32Array, capacity: number, fill = 0): Int32Array<ArrayBuffer> {
  const wider = new Int32Array(capacity);
  wider.set(old);
  if (fill !== 0) wider.fill(fill, old.length);
  return wider;
}

export function widerFloat64(old: Float64Array, capacity: number, fill = 0): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(capacity);
  wider.set(old);
  if (fill !== 0) wider.fill(fill, old.length);
  return wider;
}

export function widerUint8(old: Uint8Array, capacity: number): Uint8Array<ArrayBuffer> {
  const wider = new Uint8Array(capacity);
  wider.set(old);
  return wider;
}

export function widerUint32(old: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(capacity);
  wider.set(old);
  return wider;
}

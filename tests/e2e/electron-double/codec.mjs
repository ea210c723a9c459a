// The structured clone as tagged JSON, for what blklab sends; throws, as Electron does, on what cannot be cloned. Runs in Node and inside the page.
export function makeCodec() {
  const ARRAYS = [Uint8Array, Uint16Array, Uint32Array, Int32Array, Float32Array, Float64Array];
  const CHUNK = 32_768;

  const toBase64 = (bytes) => {
    let text = '';
    for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode.apply(null, bytes.subarray(i, i + CHUNK));
    return btoa(text);
  };
  const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const refuse = () => {
    throw new Error('An object could not be cloned.');
  };

  const pack = (value) => {
    if (value === undefined) return { $undefined: 1 };
    if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return refuse();
    if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(pack);
    if (value instanceof Promise || value instanceof Map || value instanceof Set) return refuse();
    if (ArrayBuffer.isView(value)) {
      const type = ARRAYS.findIndex((Type) => value instanceof Type);
      return { $array: [type, toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))] };
    }
    return { $object: Object.keys(value).map((key) => [key, pack(value[key])]) };
  };
  const unpack = (value) => {
    if (value === null || typeof value !== 'object') return value;
    if (Array.isArray(value)) return value.map(unpack);
    if ('$undefined' in value) return undefined;
    if ('$number' in value) return Number(value.$number);
    if ('$array' in value) return new ARRAYS[value.$array[0]](fromBase64(value.$array[1]).buffer);
    return Object.fromEntries(value.$object.map(([key, item]) => [key, unpack(item)]));
  };
  return { encode: (value) => JSON.stringify(pack(value)), decode: (text) => unpack(JSON.parse(text)) };
}

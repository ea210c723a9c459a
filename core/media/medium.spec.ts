import { describe, expect, it } from 'vitest';
import { RandomStream } from '../engine/random.ts';
import { Medium, PAGE_BYTES } from './medium.ts';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const bytesOf = (sizeBytes: number, value: number): Uint8Array => new Uint8Array(sizeBytes).fill(value);

function read(medium: Medium, offsetBytes: number, sizeBytes: number): Uint8Array {
  const into = bytesOf(sizeBytes, 0xee);
  medium.read(offsetBytes, into);
  return into;
}

describe('a medium', () => {
  it('reads zeros where nothing was written, and costs nothing there', () => {
    const medium = new Medium(16 * 1024 * GIB, MIB);
    expect(read(medium, 15 * 1024 * GIB, 8192)).toEqual(new Uint8Array(8192));
    expect(medium.usedBytes).toBe(0);
  });

  it('gives back what was written, across pages and in parts of a page', () => {
    const medium = new Medium(GIB, MIB);
    medium.write(4096 + 512, bytesOf(8192, 7));
    const all = read(medium, 4096, 3 * 4096);
    expect(all.subarray(0, 512)).toEqual(new Uint8Array(512));
    expect(all.subarray(512, 512 + 8192)).toEqual(bytesOf(8192, 7));
    expect(all.subarray(512 + 8192)).toEqual(new Uint8Array(4096 - 512));
    expect(medium.usedBytes).toBe(3 * PAGE_BYTES);
  });

  it('reads zeros after a discard, gives whole pages back and uses their memory again, cleared', () => {
    const medium = new Medium(GIB, MIB);
    medium.write(0, bytesOf(4 * 4096, 9));
    medium.discard(4096, 2 * 4096 + 512);
    expect(medium.usedBytes).toBe(2 * PAGE_BYTES);
    expect(read(medium, 3 * 4096, 1024)).toEqual(Uint8Array.from([...bytesOf(512, 0), ...bytesOf(512, 9)]));
    medium.write(8192 + 512, bytesOf(512, 3));
    expect(read(medium, 8192, 512)).toEqual(new Uint8Array(512));
  });

  it('visits its pages in order of their place until it is told to stop', () => {
    const medium = new Medium(64 * GIB, MIB);
    for (const page of [5_000_000, 3, 9_999_999, 4]) medium.write(page * PAGE_BYTES, bytesOf(512, page & 0xff));
    const seen: number[] = [];
    medium.visitPages((offsetBytes, bytes) => {
      seen.push(offsetBytes / PAGE_BYTES);
      expect(bytes[0]).toBe((offsetBytes / PAGE_BYTES) & 0xff);
      return seen.length < 3;
    });
    expect(seen).toEqual([3, 4, 5_000_000]);
  });

  it('tells once when it is full, and goes on with what it has', () => {
    const medium = new Medium(GIB, 4 * PAGE_BYTES);
    let told = 0;
    medium.onFull = () => told++;
    medium.write(0, bytesOf(6 * PAGE_BYTES, 1));
    medium.write(0, bytesOf(PAGE_BYTES, 2));
    expect(told).toBe(1);
    expect(medium.usedBytes).toBe(4 * PAGE_BYTES);
    expect(read(medium, 0, 16)).toEqual(bytesOf(16, 2));
    expect(read(medium, 4 * PAGE_BYTES, 16)).toEqual(new Uint8Array(16));
  });

  it('is an array of bytes, whatever is done to it in whichever order', () => {
    const size = 64 * 4096;
    const medium = new Medium(size, GIB);
    const model = new Uint8Array(size);
    const random = new RandomStream(1, 'medium');
    for (let i = 0; i < 2000; i++) {
      const at = 512 * random.below(size / 512);
      const sizeBytes = Math.min(size - at, 512 * (1 + random.below(40)));
      const kind = random.below(4);
      if (kind === 0) {
        medium.discard(at, sizeBytes);
        model.fill(0, at, at + sizeBytes);
      } else if (kind === 1) expect(read(medium, at, sizeBytes)).toEqual(model.subarray(at, at + sizeBytes));
      else {
        medium.write(at, bytesOf(sizeBytes, i & 0xff));
        model.fill(i & 0xff, at, at + sizeBytes);
      }
    }
    expect(read(medium, 0, size)).toEqual(model);
  });
});

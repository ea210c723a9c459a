import { describe, expect, it } from 'vitest';
import { BioTable } from './bio.ts';
import { BufferPool, RequestBytes } from './buffers.ts';
import { RequestTable } from './request.ts';

const counting = (sizeBytes: number, from = 0): Uint8Array =>
  Uint8Array.from({ length: sizeBytes }, (_, i) => (from + (i >> 9)) & 0xff);

/** A request of two bios: 1 KiB in the middle of a buffer, 512 bytes at the start of another. */
function twoBios() {
  const bios = new BioTable();
  const requests = new RequestTable();
  const pool = new BufferPool();
  const rq = requests.alloc();
  const [a, b] = [bios.alloc(), bios.alloc()];
  bios.buffer[a] = pool.take(8192, 100);
  bios.sector[a] = 104;
  bios.bytes[a] = 1024;
  bios.io[a] = 7;
  bios.buffer[b] = pool.take(512, 106);
  bios.sector[b] = 106;
  bios.bytes[b] = 512;
  bios.io[b] = 9;
  bios.next[a] = b;
  requests.bio[rq] = a;
  requests.bytes[rq] = 1536;
  return { bios, requests, pool, rq, a, b, host: new RequestBytes({ bios, requests }, pool) };
}

describe('buffers', () => {
  it('are used again by size, and never by two at once', () => {
    const pool = new BufferPool();
    const [a, b, c] = [pool.take(4096, 0), pool.take(512, 0), pool.take(5000, 0)];
    expect(new Set([a, b, c]).size).toBe(3);
    pool.put(b);
    expect(pool.take(4000, 8)).toBe(b);
    pool.put(c);
    expect(pool.take(8192, 8)).toBe(c);
    expect(pool.inUse).toBe(3);
  });

  it('hold as many bytes as asked for, from the sector asked for', () => {
    const pool = new BufferPool();
    for (const sizeBytes of [512, 4096, 4608, 65_536, 3 * 1024 ** 2]) {
      const buffer = pool.take(sizeBytes, 800);
      expect(pool.bytes(buffer, 800, sizeBytes).length).toBe(sizeBytes);
      expect(pool.bytes(buffer, 801, 1).byteOffset).toBe(512);
    }
  });
});

describe('the data of a request', () => {
  it('is that of its bios in their order, as a copy', () => {
    const { pool, bios, a, b, rq, host } = twoBios();
    pool.ofBio(bios, a).set(counting(1024, 1));
    pool.ofBio(bios, b).set(counting(512, 3));
    const data = host.gather(rq);
    expect(data).toEqual(counting(1536, 1));
    data.fill(0);
    expect(pool.ofBio(bios, a)).toEqual(counting(1024, 1));
  });

  it('goes to its bios in their order, and nowhere else', () => {
    const { pool, bios, a, b, rq, host } = twoBios();
    pool.bytes(bios.buffer[a], 100, 8192).fill(0xee);
    host.scatter(rq, counting(1536, 1));
    expect(pool.ofBio(bios, a)).toEqual(counting(1024, 1));
    expect(pool.ofBio(bios, b)).toEqual(counting(512, 3));
    expect(pool.bytes(bios.buffer[a], 100, 2048).every((byte) => byte === 0xee)).toBe(true);
    expect(pool.bytes(bios.buffer[a], 106, 5120).every((byte) => byte === 0xee)).toBe(true);
  });

  it('follows a bio of which a part is done', () => {
    const { pool, bios, a, requests, rq, host } = twoBios();
    pool.ofBio(bios, a).set(counting(1024, 1));
    bios.sector[a] += 1;
    bios.bytes[a] -= 512;
    requests.bytes[rq] -= 512;
    expect(host.gather(rq).subarray(0, 512)).toEqual(counting(512, 2));
  });

  it('names the I/Os that met a wrong key', () => {
    const { rq, host } = twoBios();
    const ios: number[] = [];
    host.wrongKey(rq);
    host.onWrongKey = (io) => ios.push(io);
    host.wrongKey(rq);
    expect(ios).toEqual([7, 9]);
  });
});

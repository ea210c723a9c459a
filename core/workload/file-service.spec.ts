/** Order of files (fio 3.33, observed with `--write_iolog` on the null engine; blk-mq-and-formats.md 2.5.3 "file_service_type"). */
import { describe, expect, it } from 'vitest';
import { choices, sequence } from './testing.ts';

const FILES = 'rw=read bs=4k size=48k nrfiles=3';

/** Numbers of the 16 KiB files, in order of their I/Os. */
function files(text: string): string {
  return choices(text)
    .map(({ offsetBytes }) => Math.floor(offsetBytes / 16_384))
    .join('');
}

describe('file service', () => {
  it('goes round the files, one I/O each', () => {
    expect(sequence(FILES)).toBe('R0 R16 R32 R4 R20 R36 R8 R24 R40 R12 R28 R44');
  });

  it('roundrobin:2 gives each file two I/Os at a time', () => {
    expect(files(`${FILES} file_service_type=roundrobin:2`)).toBe('001122001122');
  });

  it('sequential finishes a file before the next', () => {
    expect(files(`${FILES} file_service_type=sequential`)).toBe('000011112222');
  });

  it('random gives every file its I/Os in some order', () => {
    const order = files(`${FILES} file_service_type=random`);
    expect(Array.from(order).sort().join('')).toBe('000011112222');
    expect(order).not.toBe('012012012012');
  });

  it('random:4 stays with a file for four I/Os', () => {
    expect(files(`${FILES} file_service_type=random:4`)).toMatch(/^(?:(\d)\1{3}){3}$/);
  });

  it('serves at most openfiles files at a time and opens the next when one is done', () => {
    expect(files(`${FILES} openfiles=2`)).toBe('010101012222');
  });

  it('skips files that are done', () => {
    const sizes = choices('rw=read bs=4k nrfiles=4 filesize=8k-24k');
    const offsets = sizes.map(({ offsetBytes }) => offsetBytes);
    expect(new Set(offsets).size).toBe(offsets.length);
    expect(offsets.length).toBeGreaterThanOrEqual(8);
    expect(offsets.length).toBeLessThanOrEqual(24);
  });

  it('skewed services favour one file and start it over in place', () => {
    const order = files('rw=randread bs=4k size=48k nrfiles=3 io_size=4m file_service_type=zipf:1.2');
    const counts = ['0', '1', '2']
      .map((file) => Array.from(order).filter((f) => f === file).length)
      .sort((a, b) => a - b);
    expect(order.length).toBe(1024);
    const weights = [1, 2 ** -1.2, 3 ** -1.2];
    const whole = weights[0] + weights[1] + weights[2];
    expect(counts[2] / 1024).toBeCloseTo(weights[0] / whole, 1);
  });
});

/** Where jobs lie on the device (fio 3.33, observed with `--write_iolog`; blk-mq-and-formats.md 2.5.3 "size", "filesize", "offset_increment"). */
import { describe, expect, it } from 'vitest';
import { CAPACITY_BYTES, clones } from './testing.ts';

const K = 1024;

/** Regions in KiB: `0+32 32+32`. */
function regions(text: string, capacityBytes?: number): string[] {
  return clones(text, undefined, capacityBytes).map(({ files }) =>
    files.map(({ startBytes, sizeBytes }) => `${startBytes / K}+${sizeBytes / K}`).join(' '),
  );
}

describe('clones', () => {
  it('have unique names, and a name that results are shown under', () => {
    const made = clones('[a] numjobs=2 size=8k [b] size=8k [a] size=8k');
    expect(made.map(({ name }) => name)).toEqual(['a.0', 'a.1', 'b.0', 'a #2.0']);
    expect(made.map(({ reportName }) => reportName)).toEqual(['a', 'a', 'b', 'a #2']);
    expect(made.map(({ index, subjob, jobIndex }) => [index, subjob, jobIndex])).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [2, 0, 1],
      [3, 0, 2],
    ]);
  });

  it('are spread over the CPUs, or over those they may use', () => {
    expect(clones('numjobs=6 size=8k').map(({ cpu }) => cpu)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(clones('numjobs=3 size=8k cpus_allowed=1,3').map(({ cpu }) => cpu)).toEqual([1, 3, 1]);
    expect(clones('numjobs=2 size=8k cpus_allowed=2,9').map(({ cpu }) => cpu)).toEqual([2, 2]);
  });
});

describe('layout', () => {
  it.each([
    ['gives every clone its own part', 'size=32k numjobs=2', ['0+32', '32+32']],
    ['gives all clones one part of a named file', 'filename=x size=32k numjobs=2', ['0+32', '0+32']],
    [
      'moves clones by offset_increment',
      'filename=x size=32k offset_increment=8k numjobs=3',
      ['0+32', '8+32', '16+32'],
    ],
    [
      'cuts them at the end of the file',
      'filename=x size=32k offset_increment=8k numjobs=3 filesize=32k',
      ['0+32', '8+24', '16+16'],
    ],
    ['divides size over the files', 'size=48k nrfiles=3', ['0+16 16+16 32+16']],
    ['gives each file its filesize', 'filesize=16k nrfiles=3', ['0+16 16+16 32+16']],
    ['leaves room before the offset in every file', 'size=32k offset=8k nrfiles=2', ['8+16 32+16']],
    ['takes a share of the file from the offset on', 'filename=x filesize=64k offset=16k size=25%', ['16+16']],
  ])('%s: %s', (_, text, expected) => {
    expect(regions(text)).toEqual(expected);
  });

  it('covers the device without size', () => {
    expect(regions('filename=x')).toEqual([`0+${CAPACITY_BYTES / K}`]);
    expect(regions('filename=x offset=1m')).toEqual([`1024+${CAPACITY_BYTES / K - 1024}`]);
    expect(regions('filename=x size=50%')).toEqual([`0+${CAPACITY_BYTES / K / 2}`]);
  });

  it('starts over at the beginning of a device that is full', () => {
    expect(regions('size=32k numjobs=3', 80 * K)).toEqual(['0+32', '32+32', '0+32']);
  });

  it('cuts what is larger than the device', () => {
    expect(regions('filename=x size=1m', 64 * K)).toEqual(['0+64']);
    expect(regions('size=1m nrfiles=2', 64 * K)).toEqual(['0+32 32+32']);
  });

  it('draws file sizes from their range, in multiples of the block', () => {
    const [{ files, ioBytes }] = clones('filesize=8k-24k nrfiles=50');
    const sizes = files.map(({ sizeBytes }) => sizeBytes);
    expect(sizes.every((size) => size >= 8 * K && size <= 24 * K && size % (4 * K) === 0)).toBe(true);
    expect(new Set(sizes).size).toBeGreaterThan(2);
    expect(ioBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    files.slice(1).forEach(({ startBytes }, i) => {
      expect(startBytes).toBe(files[i].startBytes + files[i].sizeBytes);
    });
  });

  it('does as much I/O as size or io_size says', () => {
    expect(clones('filesize=16k nrfiles=3 size=24k')[0].ioBytes).toBe(24 * K);
    expect(clones('filesize=16k nrfiles=3 size=96k')[0].ioBytes).toBe(48 * K);
    expect(clones('filesize=16k nrfiles=3 io_size=96k')[0].ioBytes).toBe(96 * K);
    expect(clones('size=16k io_size=50%')[0].ioBytes).toBe(8 * K);
  });
});

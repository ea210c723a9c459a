/** Sequences of I/Os, each as fio 3.33 writes it with `--ioengine=null --write_iolog` (blk-mq-and-formats.md 2.5.3 "Sequences"). */
import { describe, expect, it } from 'vitest';
import { DDIR_READ, DDIR_SYNC, DDIR_TRIM, DDIR_WRITE } from './io.ts';
import { choices, sequence } from './testing.ts';

const blocks = (text: string, most?: number): number[] =>
  choices(text, most).map(({ offsetBytes }) => offsetBytes / 4096);
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('sequential jobs', () => {
  it.each([
    ['ends with the region', 'rw=read size=16k', 'R0 R4 R8 R12'],
    ['does not issue a tail smaller than a block', 'rw=read size=10k', 'R0 R4'],
    ['leaves a gap after each I/O and wraps', 'rw=read:4k size=40k', 'R0 R8 R16 R24 R32 R0 R8 R16 R24 R32'],
    ['ends where a gap leads to a tail', 'rw=read:4k size=42k', 'R0 R8 R16 R24 R32'],
    ['goes backwards with a negative gap', 'rw=read:-8k size=40k', 'R0 R32 R28 R24 R20 R16 R12 R8 R4 R0'],
    ['stays where a step back equals the block', 'rw=write:-4k size=16k', 'W0 W0 W0 W0'],
    ['starts over for an io_size above size', 'rw=read size=16k io_size=24k', 'R0 R4 R8 R12 R0 R4'],
    ['stops at an io_size below size', 'rw=read size=16k io_size=8k', 'R0 R4'],
    ['takes io_size in percent of size', 'rw=read size=16k io_size=50%', 'R0 R4'],
    ['repeats with loops', 'rw=write size=10k loops=2', 'W0 W4 W0 W4'],
    ['stops after number_ios', 'rw=write size=40k number_ios=3', 'W0 W4 W8'],
    ['counts number_ios once per loop', 'rw=write size=40k number_ios=2 loops=2', 'W0 W4 W8 W12'],
    ['counts a trim and its write once', 'rw=trimwrite size=32k number_ios=2', 'T0 W0 T4 W4'],
    ['trims, then writes each block', 'rw=trimwrite size=12k', 'T0 W0 T4 W4 T8 W8'],
    ['begins at the offset', 'rw=read filename=a offset=6k size=12k', 'R6 R10 R14'],
    ['rounds an offset in percent up', 'rw=read filename=a offset=30% filesize=32k', 'R12 R16 R20 R24 R28'],
    ['rounds it to offset_align', 'rw=read filename=a offset=30% offset_align=1k filesize=32k', 'R10 R14 R18 R22 R26'],
  ])('%s: %s', (_, text, expected) => {
    expect(sequence(text)).toBe(expected);
  });

  it('goes on for ever with time_based, whatever number_ios says', () => {
    expect(blocks('rw=read size=16k time_based=1 runtime=1 number_ios=3', 10)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1]);
  });

  it('has a position for each direction of a mix and ends when the drawn one is through', () => {
    const ios = choices('rw=rw size=64k io_size=1m', 30);
    for (const ddir of [DDIR_READ, DDIR_WRITE]) {
      const own = ios.filter((io) => io.ddir === ddir && !io.drainsFirst).map(({ offsetBytes }) => offsetBytes / 4096);
      for (let i = 1; i < own.length; i++) expect([own[i - 1] + 1, 0, 1]).toContain(own[i]);
    }
  });

  it('moves strided zones on after zonesize bytes, wrapping at the end', () => {
    expect(sequence('rw=write size=256k zonemode=strided zonesize=8k zonerange=32k zoneskip=64k', 8)).toBe(
      'W0 W4 W96 W100 W192 W196 W0 W4',
    );
    expect(sequence('rw=write size=1m zonemode=strided zonesize=8k zoneskip=64k', 5)).toBe('W0 W4 W72 W76 W144');
  });

  it('begins a zone again when zonesize exceeds zonerange', () => {
    expect(sequence('rw=read size=256k zonemode=strided zonesize=16k zonerange=8k zoneskip=56k', 6)).toBe(
      'R0 R4 R0 R4 R64 R68',
    );
  });
});

describe('syncs', () => {
  it.each([
    ['after every fourth write, none for the last', 'rw=write size=32k fsync=4', 'W0 W4 W8 W12 S W16 W20 W24 W28'],
    ['none for an incomplete group', 'rw=write size=20k fsync=3', 'W0 W4 W8 S W12 W16'],
    ['fdatasync alike', 'rw=write size=20k fdatasync=3', 'W0 W4 W8 S W12 W16'],
    [
      'both at their own pace',
      'rw=write size=40k fsync=3 fdatasync=2',
      'W0 W4 S W8 S W12 S W16 W20 S W24 W28 S W32 S W36',
    ],
    ['counted over loops', 'rw=write size=16k loops=2 fsync=3', 'W0 W4 W8 S W12 W0 W4 S W8 W12'],
    ['one per file at the end of a pass', 'rw=write size=8k nrfiles=2 loops=2 end_fsync=1', 'W0 W4 S S W0 W4'],
    ['none for reads', 'rw=read size=16k fsync=1 end_fsync=1', 'R0 R4 R8 R12'],
    ['write_barrier issues none', 'rw=write size=16k write_barrier=2', 'W0 W4 W8 W12'],
  ])('%s: %s', (_, text, expected) => {
    expect(sequence(text)).toBe(expected);
  });

  it('repeats the sync of a mix until the next write', () => {
    const text = choices('rw=rw size=1m fsync=3', 200)
      .map(({ ddir }) => 'RWTS'[ddir])
      .join('');
    expect(text).not.toContain('SS');
    let writes = 0;
    for (let i = 1; i < text.length; i++) {
      if (text[i - 1] === 'W') writes++;
      const isDue = writes > 0 && writes % 3 === 0 && text[i - 1] !== 'S';
      expect(text[i] === 'S').toBe(isDue);
    }
  });
});

describe('random jobs', () => {
  it.each([
    'rw=randread size=1m',
    'rw=randrw size=1m',
    'rw=randtrim size=1m',
    'rw=randread size=1m random_generator=lfsr',
  ])('visit every block exactly once: %s', (text) => {
    expect(sorted(blocks(text))).toEqual(upTo(256));
  });

  it('cover every byte once with mixed sizes', () => {
    const seen = new Uint8Array(256);
    for (const { offsetBytes, sizeBytes } of choices('rw=randwrite bsrange=4k-16k size=1m')) {
      for (let block = offsetBytes / 4096; block < (offsetBytes + sizeBytes) / 4096; block++) seen[block]++;
    }
    expect(seen.every((n) => n === 1)).toBe(true);
  });

  it('draw independently with norandommap', () => {
    const drawn = blocks('rw=randread size=4m norandommap=1');
    expect(drawn.length).toBe(1024);
    // 1 - 1/e of the blocks are hit at least once
    expect(new Set(drawn).size / 1024).toBeCloseTo(0.632, 1);
  });

  it('see the same order again in the next pass while randrepeat is on', () => {
    const repeated = blocks('rw=randread size=64k loops=2');
    expect(repeated.slice(16)).toEqual(repeated.slice(0, 16));
    const fresh = blocks('rw=randread size=64k loops=2 randrepeat=0');
    expect(fresh.slice(16)).not.toEqual(fresh.slice(0, 16));
    expect(sorted(fresh.slice(16))).toEqual(upTo(16));
  });

  it('with time_based go on in a new order, every block once per pass', () => {
    const drawn = blocks('rw=randread size=64k time_based=1 runtime=1', 48);
    for (const pass of [0, 16, 32]) expect(sorted(drawn.slice(pass, pass + 16))).toEqual(upTo(16));
    expect(drawn.slice(16, 32)).not.toEqual(drawn.slice(0, 16));
  });

  it('are other ones for another seed and for another clone', () => {
    const one = choices('rw=randread size=256k', 64, 1);
    expect(choices('rw=randread size=256k', 64, 1)).toEqual(one);
    expect(choices('rw=randread size=256k', 64, 2)).not.toEqual(one);
  });

  it('follow a random offset with N - 1 sequential I/Os (rand*:N)', () => {
    const drawn = blocks('rw=randread:4 size=4m', 400);
    const follows = drawn.filter((block, i) => i > 0 && block === drawn[i - 1] + 1).length;
    expect(follows / drawn.length).toBeGreaterThan(0.7);
  });

  it('stay at the random offset with rw_sequencer=identical', () => {
    const drawn = blocks('rw=randread:4 size=4m rw_sequencer=identical', 400);
    for (let i = 0; i < drawn.length; i += 4) expect(new Set(drawn.slice(i, i + 4)).size).toBe(1);
  });

  it('are random for percentage_random of their I/Os', () => {
    const drawn = blocks('rw=randread size=64m percentage_random=30', 10_000);
    const follows = drawn.filter((block, i) => i > 0 && block === drawn[i - 1] + 1).length;
    expect(follows / drawn.length).toBeCloseTo(0.7, 1);
    expect(blocks('rw=randread size=16k percentage_random=0')).toEqual([0, 1, 2, 3]);
  });

  it('begin at multiples of blockalign, all of the I/O inside', () => {
    for (const { offsetBytes, sizeBytes } of choices('rw=randwrite bs=16k ba=4k size=64k io_size=4m')) {
      expect(offsetBytes % 4096).toBe(0);
      expect(offsetBytes + sizeBytes).toBeLessThanOrEqual(65_536);
    }
  });

  it('draw freely inside strided zones', () => {
    const ios = blocks('rw=randread size=256k zonemode=strided zonesize=16k zonerange=32k zoneskip=64k');
    ios.forEach((block, i) => {
      const zone = Math.floor(i / 4) % 3;
      expect(Math.floor(block / 24)).toBe(zone);
      expect(block % 24).toBeLessThan(8);
    });
  });
});

describe('mixes', () => {
  it.each([10, 50, 70, 99])('have %i percent reads within the binomial bounds (check 43)', (percent) => {
    const ios = choices(`rw=randrw rwmixread=${percent} size=64m`, 10_000);
    const reads = ios.filter(({ ddir }) => ddir === DDIR_READ).length;
    const sigma = Math.sqrt((10_000 * percent * (100 - percent)) / 1e4);
    expect(Math.abs(reads - 100 * percent)).toBeLessThan(4 * sigma);
  });

  it('have no write at rwmixread=100 and no read at 0', () => {
    expect(choices('rw=randrw rwmixread=100 size=1m').every(({ ddir }) => ddir === DDIR_READ)).toBe(true);
    expect(choices('rw=randrw rwmixread=0 size=1m').every(({ ddir }) => ddir === DDIR_WRITE)).toBe(true);
  });

  it('take sizes by direction', () => {
    for (const { ddir, sizeBytes, offsetBytes } of choices('rw=randrw bs=4k,8k size=1m')) {
      expect(sizeBytes).toBe(ddir === DDIR_READ ? 4096 : 8192);
      expect(offsetBytes % sizeBytes).toBe(0);
    }
  });
});

describe('passes', () => {
  it('ask for everything to come back before the next pass, and only then', () => {
    const ios = choices('rw=read size=16k loops=3');
    expect(ios.map(({ drainsFirst }) => drainsFirst)).toEqual(upTo(12).map((i) => i === 4 || i === 8));
  });

  it('ask for it before the syncs that end a pass', () => {
    const ios = choices('rw=write size=8k loops=2 end_fsync=1');
    expect(ios.filter(({ ddir }) => ddir === DDIR_SYNC).map(({ drainsFirst }) => drainsFirst)).toEqual([true]);
  });

  it('end when nothing fits the files', () => {
    expect(choices('rw=read size=4k bs=4k nrfiles=2 time_based=1 runtime=1')).toEqual([]);
    expect(choices('rw=trimwrite size=8k').map(({ ddir }) => ddir)).toEqual([
      DDIR_TRIM,
      DDIR_WRITE,
      DDIR_TRIM,
      DDIR_WRITE,
    ]);
  });
});

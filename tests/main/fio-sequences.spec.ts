/**
 * Sequences of I/Os beside fio's own: what our generator chooses equals, I/O by I/O, what fio 3.33 writes with `--write_iolog` on the null engine, for jobs
 * whose order no random draw decides; for random jobs without draws of their own (every block once) the set of blocks is equal.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequence } from '../../core/workload/testing.ts';

const fioVersion = spawnSync('fio', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const isTheVersion = fioVersion.startsWith('fio-3.33');
const withFio = isTheVersion ? 'beside fio' : 'beside fio (SKIPPED: fio 3.33 is not installed)';

const LETTERS: Readonly<Record<string, string>> = { read: 'R', write: 'W', trim: 'T', sync: 'S', datasync: 'S' };

let folder = '';

/** The I/Os of fio's log in the words of `sequence`; files count one after the other, `fileBytes` apart. */
function ofFio(options: string, fileBytes: number): string {
  const log = join(folder, 'log');
  rmSync(log, { force: true });
  const args = ['--name=j', '--ioengine=null', `--write_iolog=${log}`, ...options.split(' ').map((o) => `--${o}`)];
  const { stderr } = spawnSync('fio', args, { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  const ios: string[] = [];
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [, file, action, offset, bytes] = line.split(' ');
    const letter = LETTERS[action];
    if (letter === undefined) continue;
    const at = Number(/^j\.0\.(\d+)$/.exec(file)?.[1] ?? 0) * fileBytes + Number(offset);
    const size = Number(bytes) / 1024;
    ios.push(letter === 'S' ? 'S' : `${letter}${at / 1024}${size === 4 ? '' : `+${size}`}`);
  }
  return ios.join(' ');
}

const SAME_ORDER: readonly string[] = [
  'rw=read size=40k',
  'rw=read size=10k',
  'rw=read bs=16k size=100k',
  'rw=read:4k size=40k',
  'rw=read:4k size=42k',
  'rw=read:6k size=42k',
  'rw=read:-8k size=40k',
  'rw=write:-4k size=32k',
  'rw=write:1m size=8m',
  'rw=read size=32k io_size=80k',
  'rw=read size=32k io_size=12k',
  'rw=read size=10k io_size=20k',
  'rw=write size=10k loops=3',
  'rw=write size=16k loops=2 io_size=24k',
  'rw=write size=40k number_ios=4',
  'rw=write size=40k number_ios=4 loops=2',
  'rw=trim size=32k',
  'rw=trimwrite size=32k',
  'rw=trimwrite size=32k number_ios=5',
  'rw=write size=64k fsync=4',
  'rw=write size=40k fsync=4',
  'rw=write size=40k fdatasync=3',
  'rw=write size=40k fsync=3 fdatasync=2',
  'rw=write size=40k write_barrier=3',
  'rw=write size=16k loops=2 fsync=3',
  'rw=read size=32k fsync=2',
  'rw=rw rwmixread=100 size=32k fsync=2',
  'rw=rw rwmixread=0 size=32k fsync=3',
  'rw=randwrite percentage_random=0 size=40k',
  'rw=write size=1m zonemode=strided zonesize=16k zoneskip=64k io_size=96k',
  'rw=write size=256k zonemode=strided zonesize=16k zonerange=32k zoneskip=64k',
  'rw=read size=256k zonemode=strided zonesize=32k zonerange=16k zoneskip=48k',
  'rw=read size=32k filename=a offset=8k',
  'rw=read size=32k filename=a offset=8k filesize=32k',
  'rw=read size=32k filename=a offset=25% filesize=32k',
  'rw=read size=32k filename=a offset=30% offset_align=1k filesize=32k',
  'rw=read size=32k filename=a offset=30% filesize=32k',
  'rw=read size=20k filename=a offset=6k',
  'rw=read size=16k io_size=50% filesize=16k',
];

/** Three files of 16 KiB. */
const SAME_FILES: readonly string[] = [
  'rw=read size=48k nrfiles=3',
  'rw=read size=48k nrfiles=3 file_service_type=roundrobin:2',
  'rw=read size=48k nrfiles=3 file_service_type=roundrobin:3',
  'rw=read size=48k nrfiles=3 file_service_type=sequential',
  'rw=read size=48k nrfiles=3 openfiles=2',
  'rw=read size=48k nrfiles=3 openfiles=1',
  'rw=read size=48k nrfiles=3 openfiles=2 file_service_type=sequential',
  'rw=read filesize=16k nrfiles=3',
  'rw=read filesize=16k nrfiles=3 size=24k',
  'rw=read filesize=16k nrfiles=3 size=96k',
  'rw=read filesize=16k nrfiles=3 io_size=96k',
];

const SAME_SET: readonly string[] = [
  'rw=randread size=256k',
  'rw=randwrite bs=16k size=100k',
  'rw=randread size=32k loops=3',
  'rw=randread size=32k io_size=96k',
  'rw=randtrim size=64k',
  'rw=randtrimwrite size=64k',
  'rw=randread random_generator=lfsr size=40k io_size=80k',
  'rw=randread size=48k nrfiles=3',
];

const sorted = (text: string): string[] => text.split(' ').sort();

describe.runIf(isTheVersion)(withFio, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'blklab-fio-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(SAME_ORDER)('the same I/Os in the same order: %s', (options) => {
    expect(sequence(options, 10_000)).toBe(ofFio(options, 0));
  });

  it.each(SAME_FILES)('the same turns of files: %s', (options) => {
    expect(sequence(options, 10_000)).toBe(ofFio(options, 16_384));
  });

  it.each(SAME_SET)('the same I/Os in some order: %s', (options) => {
    expect(sorted(sequence(options, 10_000))).toEqual(sorted(ofFio(options, 16_384)));
  });
});

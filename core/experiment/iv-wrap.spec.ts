/** IV_INO_LBLK_32: data unit numbers that wrap inside a file (inline-crypto.md 1.13). */
import { describe, expect, it } from 'vitest';
import { definitionOf, problemsOf, runDefinition, type FinishedRun } from './testing.ts';

const WRAP = 2 ** 32;
const UNIT = 4096;

/** Writes 128 KiB at a time into one file whose numbers begin at `inodeHash`. */
function write(inodeHash: number | undefined, blockSize = '128k', depth = 1): FinishedRun {
  return runDefinition({
    format: 1,
    device: { kind: 'null', capacity: '1GiB', crypto: { keyslots: 2, dunBytes: 4 } },
    encryption: { jobs: { '*': { ivLayout: 'iv-ino-lblk-32', ...(inodeHash === undefined ? {} : { inodeHash }) } } },
    workload: {
      fio: `[w]\ndirect=1\nioengine=libaio\nrw=write\nbs=${blockSize}\nsize=256k\niodepth=${depth}\niodepth_batch=${depth}\n`,
    },
  });
}

/** DUN and units of every request, in order of the disk. */
function requestsOf({ request }: FinishedRun): (readonly [dun: number, units: number])[] {
  const [dun, bytes, sector] = ['dun', 'size_bytes', 'sector'].map((name) => request.column(name));
  const rows = Array.from(dun.keys()).sort((a, b) => sector[a] - sector[b]);
  return rows.map((row) => [dun[row], bytes[row] / UNIT]);
}

describe('numbers of IV_INO_LBLK_32', () => {
  it('that wrap inside an I/O end a bio there, and go on at 0', () => {
    const run = write(WRAP - 10);
    expect(run.summary.violations).toEqual([]);
    expect(requestsOf(run)).toEqual([
      [WRAP - 10, 10],
      [0, 22],
      [22, 32],
    ]);
  });

  it('that wrap between two I/Os keep them apart, though neighbours merge elsewhere', () => {
    const run = write(WRAP - 8, '4k', 64);
    expect(run.summary.violations).toEqual([]);
    expect(requestsOf(run)).toEqual([
      [WRAP - 8, 8],
      [0, 56],
    ]);
  });

  it('that wrap read back what was written, through the real cipher', () => {
    const { summary } = runDefinition({
      format: 1,
      device: { kind: 'ufs', capacity: '1GiB', crypto: {} },
      encryption: { jobs: { '*': { ivLayout: 'iv-ino-lblk-32', inodeHash: WRAP - 10 } } },
      workload: { fio: '[w]\ndirect=1\nioengine=libaio\nrw=randrw\nbs=64k\nsize=1m\niodepth=4\n' },
      run: { data: 'verify' },
    });
    expect({ status: summary.run.status, violations: summary.violations }).toEqual({ status: 'done', violations: [] });
  });

  it('do not wrap unless a definition says so', () => {
    const [first, ...others] = requestsOf(write(undefined, '4k', 64));
    expect(others).toEqual([]);
    expect(first[1]).toBe(64);
    expect(first[0] + 64).toBeLessThan(WRAP);
  });

  it('are refused a hash in another layout', () => {
    const definition = definitionOf({
      device: { kind: 'ufs', crypto: {} },
      encryption: { jobs: { read: { ivLayout: 'lba', inodeHash: 1 } } },
    });
    expect(problemsOf(definition).map((p) => `${p.path} ${p.message}`)).toEqual([
      '/encryption/jobs/read/inodeHash is of iv-ino-lblk-32; the layout here is lba',
    ]);
  });
});

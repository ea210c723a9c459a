/**
 * `blklab image medium`: the raw image of a data run, decrypted and encrypted again by OpenSSL. What OpenSSL is told (keys, data unit numbers) comes from the definition and from the seed,
 * not from what ran.
 */
import { spawnSync } from 'node:child_process';
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../core/contract/summary.ts';
import { RandomStream } from '../../core/engine/random.ts';
import { Content } from '../../core/workload/data/content.ts';
import { temporaryFolder } from './support/temporary.ts';

/** Each command is a process of its own, and the machine may be busy. */
const SEVERAL_RUNS_MS = 240_000;

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'main/cli.ts');
const MIB = 1024 ** 2;
const CAPACITY = 64 * MIB;
const SEED = 5;
const FIRST_MIB = 3;
const WRITTEN_MIB = 2;
/** Every block once, in order. */
const JOB = `[app]\nioengine=libaio\ndirect=1\nrw=write\nbs=16k\niodepth=4\noffset=${FIRST_MIB}m\nsize=${WRITTEN_MIB}m\nfilename=/dev/sda\n`;

function blklab(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: ROOT, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Runs a definition into an image; returns its bytes. */
function imageOf(more: object): Buffer {
  const folder = temporaryFolder();
  const [file, out] = [join(folder, 'e.json'), join(folder, 'm.img')];
  const device = { kind: 'ufs', capacity: CAPACITY };
  writeFileSync(file, JSON.stringify({ format: 1, seed: SEED, device, workload: { fio: JOB }, ...more }));
  const { status, stderr } = blklab(['image', 'medium', file, '--out', out, '--quiet', '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(readdirSync(folder).sort()).toEqual(['e.json', 'm.img']);
  return readFileSync(out);
}

/** The workload's first key: the bytes of its stream of that name. */
function firstKey(sizeBytes: number): Uint8Array {
  const stream = new RandomStream(SEED, 'workload/keys');
  return Uint8Array.from({ length: sizeBytes }, () => stream.below(256));
}

/** DUN of a block in the layout `lba`, as an IV. */
function ivOf(block: number): Buffer {
  const iv = Buffer.alloc(16);
  iv.writeBigUInt64LE(BigInt(block));
  return iv;
}

const blockAt = (image: Buffer, block: number): Uint8Array => image.subarray(4096 * block, 4096 * (block + 1));
const FIRST_BLOCK = (FIRST_MIB * MIB) / 4096;
const BLOCKS = (WRITTEN_MIB * MIB) / 4096;

/** Every written block of the image holds, in the clear, what the workload wrote to it; and nothing else is written. */
function expectContent(image: Buffer, decrypted: (data: Uint8Array, block: number) => Uint8Array): void {
  const content = new Content(SEED);
  expect(image.length).toBe(CAPACITY);
  for (let block = FIRST_BLOCK; block < FIRST_BLOCK + BLOCKS; block++) {
    const words = new Uint32Array(Uint8Array.from(decrypted(blockAt(image, block), block)).buffer);
    const write = 1 + Math.floor((block - FIRST_BLOCK) / 4); // 16 KiB each, in order
    expect(content.describe(words)).toBe(`write ${write} of block ${block}`);
  }
  expect(image.subarray(0, FIRST_MIB * MIB).every((byte) => byte === 0)).toBe(true);
  expect(image.subarray((FIRST_MIB + WRITTEN_MIB) * MIB).every((byte) => byte === 0)).toBe(true);
}

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const lba = (more: object = {}): object => ({ jobs: { app: { ivLayout: 'lba', ...more } } });

describe('the image of a medium', () => {
  test('is plain where nothing is encrypted', () => {
    expectContent(imageOf({}), (data) => data);
  });

  test(
    'I-22: is AES-256-XTS as OpenSSL computes it, the same from registers, ICE, PRDT and fallback',
    () => {
      const key = firstKey(64);
      const device = (crypto: object | undefined): object => ({
        kind: 'ufs',
        capacity: CAPACITY,
        ...(crypto && { crypto }),
      });
      const inline = imageOf({ device: device({}), encryption: lba() });
      expectContent(inline, (data, block) => {
        const plain = createDecipheriv('aes-256-xts', key, ivOf(block)).update(data);
        expect(createCipheriv('aes-256-xts', key, ivOf(block)).update(plain).equals(data)).toBe(true);
        return plain;
      });
      const prdt = { engine: 'prdt', algorithms: [{ mode: 'AES-256-XTS', dataUnitSizes: [4096] }] };
      const others = [
        imageOf({ device: device({ engine: 'qcom-ice' }), encryption: lba() }),
        imageOf({ device: device(prdt), encryption: lba() }),
        imageOf({ device: device(undefined), encryption: { ...lba(), fallback: {} } }),
        imageOf({ device: { kind: 'null', capacity: CAPACITY, crypto: {} }, encryption: lba() }),
      ];
      expect(others.map(sha256)).toEqual(others.map(() => sha256(inline)));
    },
    SEVERAL_RUNS_MS,
  );

  test('I-22: is AES-128-CBC-ESSIV as OpenSSL computes it', () => {
    const key = firstKey(16);
    const salt = createHash('sha256').update(key).digest();
    const encryption = { ...lba({ mode: 'AES-128-CBC-ESSIV' }), fallback: {} };
    expectContent(imageOf({ encryption }), (data, block) => {
      const iv = createCipheriv('aes-256-ecb', salt, null).setAutoPadding(false).update(ivOf(block));
      return createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false).update(data);
    });
  });

  test('I-14: counts data units of 512 bytes one by one', () => {
    const key = firstKey(64);
    const image = imageOf({
      device: { kind: 'ufs', capacity: CAPACITY, crypto: {} },
      encryption: lba({ dataUnitSize: 512 }),
    });
    expectContent(image, (data, block) =>
      Buffer.concat(
        Array.from({ length: 8 }, (_, unit) =>
          createDecipheriv('aes-256-xts', key, ivOf(8 * block + unit)).update(
            data.subarray(512 * unit, 512 * (unit + 1)),
          ),
        ),
      ),
    );
  });
});

describe('image medium', () => {
  test('prints what run prints, records what run records, and leaves the trace hash alone', () => {
    const folder = temporaryFolder();
    const [file, out, project] = ['job.fio', 'm.img', 'p.blklab'].map((name) => join(folder, name));
    writeFileSync(file, JOB);
    const { stdout } = blklab(['image', 'medium', file, '--out', out, '--project', project, '--json', '--quiet']);
    const summary = JSON.parse(stdout) as RunSummary;
    expect(summary.data).toMatchObject({ blocksWritten: BLOCKS, mediumBytes: WRITTEN_MIB * MIB });
    expect(existsSync(project)).toBe(true);
    const run = blklab(['run', file, '--json', '--quiet']);
    expect((JSON.parse(run.stdout) as RunSummary).run.traceHash).toBe(summary.run.traceHash);
    const size = statSync(out);
    expect(size.size).toBe(64 * 1024 * MIB);
    expect(size.blocks * 512).toBeLessThan(8 * MIB); // sparse
    const text = blklab(['image', 'medium', file, '--out', out]).stdout;
    expect(text).toContain('64 GiB, of which 2 MiB were written');
  });

  test('takes one variant of a scenario', () => {
    const out = join(temporaryFolder(), 'm.img');
    const all = blklab(['image', 'medium', 'inline-or-fallback', '--out', out]);
    expect(all.status).toBe(2);
    expect(all.stderr).toContain('name one as inline-or-fallback:VARIANT, of plain, inline');
    const one = blklab(['image', 'medium', 'inline-or-fallback:inline', '--out', out, '--quiet', '--json']);
    expect({ status: one.status, exists: existsSync(out) }).toEqual({ status: 0, exists: true });
  });

  test('leaves no file behind when the run fails or the place is no good', () => {
    const folder = temporaryFolder();
    const [file, out] = [join(folder, 'job.fio'), join(folder, 'm.img')];
    writeFileSync(file, JOB);
    const small = blklab(['image', 'medium', file, '--out', out, '--quiet', '--set', 'run.dataLimit=1MiB']);
    expect(small.status).toBe(1);
    expect(small.stderr).toContain('m.img was not written');
    expect(small.stdout).toContain('the data run would need more than 1 MiB of medium (run.dataLimit)');
    const nowhere = blklab(['image', 'medium', file, '--out', join(folder, 'no', 'm.img'), '--quiet']);
    expect(nowhere.status).toBe(2);
    expect(nowhere.stderr).toMatch(/--out .*cannot be written/);
    expect(blklab(['image', 'medium', file, '--out', folder, '--quiet'])).toMatchObject({ status: 2 });
    expect(blklab(['image', 'medium', file]).status).toBe(2);
    expect(readdirSync(folder)).toEqual(['job.fio']);
  });
});

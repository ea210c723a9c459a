/**
 * The numbered invariants of inline encryption (inline-crypto.md 7) as far as blk-crypto, UFS and ICE have them: each has a test named after it, beside the code that it
 * concerns. A name begins with its number (`I-26: …`), so that `npx vitest -t I-26` runs what stands for one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const INVARIANTS = 70;

/** Numbers without a test, with what they are about: those of the eMMC host alone, which is not built. Others have a half there and are tested by their UFS half. */
const UNTESTED = new Map([
  [16, 'DUNs of CQHCI have 32 bits'],
  [40, 'CQCFG'],
  [41, 'task descriptors of 64 bits'],
  [42, 'direct commands (DCMD)'],
  [43, 'task, transfer and link descriptors'],
  [66, 'the capability flag of an MMC host'],
]);

/** A test or a group of tests (with or without `each`), or a law of the contract suite, whose name begins with numbers. */
const NAMED = /(?:\b(?:describe|it|test)\(|\)\(|\bname:)\s*['"`](I-\d+)(?:, I-\d+)*:/g;
const SPEC = /\.spec\.ts$/;
const LAWS = /contract[\w-]*\.ts$/;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile() && (SPEC.test(entry.name) || LAWS.test(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Where each number has tests: `I-26` → files. */
function testsByNumber(files: readonly string[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of files) {
    for (const [, first] of readFileSync(file, 'utf8').matchAll(NAMED)) {
      found.set(first, (found.get(first) ?? new Set()).add(relative(ROOT, file)));
    }
  }
  return found;
}

const files = ['core', 'main', 'tests'].flatMap((folder) => filesBelow(join(ROOT, folder)));
const tests = testsByNumber(files);
const numbers = Array.from({ length: INVARIANTS }, (_, i) => i + 1);

describe('the invariants of inline encryption', () => {
  it('have a test named after their number, but for those of eMMC alone', () => {
    const missing = numbers.filter((n) => !tests.has(`I-${n}`));
    expect(missing.map((n) => `I-${n}`)).toEqual([...UNTESTED.keys()].toSorted((a, b) => a - b).map((n) => `I-${n}`));
  });

  it('are numbers that the reference has', () => {
    const unknown = [...tests.keys()].filter((name) => Number(name.slice(2)) > INVARIANTS);
    expect(unknown).toEqual([]);
  });

  it('stand as laws for every driver where they are laws of keyslots', () => {
    const laws = numbers.filter((n) => [...(tests.get(`I-${n}`) ?? [])].some((file) => LAWS.test(file)));
    expect(laws).toEqual([1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 30, 31, 57, 59, 60, 70]);
    const runsLaws = (file: string): boolean => readFileSync(file, 'utf8').includes('it.each(KEYSLOT_LAWS.map(');
    const suites = filesBelow(join(ROOT, 'core')).filter((file) => SPEC.test(file) && runsLaws(file));
    expect(suites.map((file) => relative(ROOT, file)).toSorted()).toEqual([
      'core/block/crypto-fallback/fallback.spec.ts',
      'core/crypto/profile/contract.spec.ts',
      'core/hosts/null/contract.spec.ts',
      'core/hosts/ufs/crypto-contract.spec.ts',
      'core/ice/contract.spec.ts',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import {
  besidePlainLoad,
  type BesidePlain,
  FEW_SLOTS,
  fewSlotsLoad,
  SEPARATE_POOLS,
  SHARED_TAGS,
} from './keyslot-claims.ts';
import { runKeyslotModel } from './keyslot-model.ts';

/** A tenth of what the validation targets run: the share of chance in a mean is about one percent, at few slots two. */
const READS = 12_000;
const BAND = 0.1;

function expectNear(ours: number, published: number): void {
  expect(ours / published).toBeGreaterThan(1 - BAND);
  expect(ours / published).toBeLessThan(1 + BAND);
}

function checkBesidePlain(row: BesidePlain): void {
  const result = runKeyslotModel(besidePlainLoad(row, READS));
  expect(result.problems).toEqual([]);
  expectNear(result.encrypted.iops, row.encryptedIops);
  expectNear(result.plain.iops, row.plainIops);
  expectNear(result.plain.meanNs, 1000 * row.plainMeanUs);
}

describe('claim 3: per-file keys with few slots (calibration D.1)', () => {
  it.each(FEW_SLOTS)('$slots slots, $keys keys, $programNs ns per programming: $iops IOPS', (row) => {
    const result = runKeyslotModel(fewSlotsLoad(row, READS));
    expect(result.problems).toEqual([]);
    expectNear(result.encrypted.iops, row.iops);
    if (row.meanUs !== undefined) expectNear(result.encrypted.meanNs, 1000 * row.meanUs);
    if (row.missRate !== undefined) expect(Math.abs(result.missRate - row.missRate)).toBeLessThan(0.03);
  });
});

describe('claim 4: blocking the whole hardware queue (calibration D.1, first table)', () => {
  it.each(SEPARATE_POOLS)('$slots slots, $policy: $encryptedIops encrypted, $plainIops plain', checkBesidePlain);
});

describe('claim 4: waiters that hold tags (calibration D.1, second table)', () => {
  it.each(SHARED_TAGS)('$encrypted outstanding, $slots slots, $policy: $plainIops plain IOPS', checkBesidePlain);

  it("starves plain reads also with the kernel's batched tag wake-ups and the profile locked while it programs", () => {
    const load = { ...besidePlainLoad(SHARED_TAGS[3], READS), real: true };
    expect(runKeyslotModel(load).plain.iops).toBeLessThan(30_000);
    expect(runKeyslotModel({ ...load, policy: 'before-tag' }).plain.iops).toBeGreaterThan(150_000);
  });
});

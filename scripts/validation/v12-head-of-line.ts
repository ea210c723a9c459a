/**
 * V12: who waits when an encrypted request finds no keyslot (claim 4 of calibration D.1). First table: the whole hardware queue, or the request alone. Second
 * table: with 31 tags, the slot before the tag or after it, which is the mainline order. The rows called "real" repeat the second table with the profile locked
 * while it programs and with tags woken in batches, as the kernel has both; the published model is taken to have neither (it says nothing of
 * tags and locks; with both, one row of ten is off by a factor of two), so they are shown and not judged. How tags are queued in the model of the second table was chosen
 * after seeing the published figures, so its rows are inputs.
 */
import { type BesidePlain, besidePlainLoad, SEPARATE_POOLS, SHARED_TAGS } from '../../core/block/keyslot-claims.ts';
import { type KeyslotResult, runKeyslotModel } from '../../core/block/keyslot-model.ts';
import type { Target, TargetRow } from './target.ts';

const READS = 120_000;
const SOURCE = 'D.1 claim 4';

function measured(row: BesidePlain, real: boolean): KeyslotResult {
  const result = runKeyslotModel({ ...besidePlainLoad(row, READS), real });
  if (result.problems.length > 0) throw new Error(result.problems.join('; '));
  return result;
}

function rowsOf(row: BesidePlain, basis: TargetRow['basis']): TargetRow[] {
  const { encrypted, plain } = measured(row, false);
  const name = `${row.encrypted} encrypted, ${row.slots} slots, ${row.policy}`;
  const common = { source: SOURCE, basis, band: { kind: 'relative', share: 0.1 } } as const;
  return [
    { ...common, what: `${name}: encrypted`, unit: 'IOPS', published: row.encryptedIops, ours: encrypted.iops },
    { ...common, what: `${name}: plain`, unit: 'IOPS', published: row.plainIops, ours: plain.iops },
    { ...common, what: `${name}: plain mean`, unit: 'µs', published: row.plainMeanUs, ours: plain.meanNs / 1000 },
    { ...common, what: `${name}: plain p99`, unit: 'µs', published: row.plainP99Us, ours: plain.p99Ns / 1000 },
  ];
}

/** Plain reads beside waiters that are set aside are as fast as alone. */
function unchangedRow(row: BesidePlain): TargetRow {
  const alone = runKeyslotModel({ ...besidePlainLoad(row, READS), encrypted: 0 });
  return {
    what: `${row.slots} slots, set aside: plain mean, against plain alone`,
    source: 'V12 itself',
    unit: 'µs',
    published: alone.plain.meanNs / 1000,
    ours: measured(row, false).plain.meanNs / 1000,
    band: { kind: 'relative', share: 0.03 },
    basis: 'predicted',
  };
}

function realRow(row: BesidePlain): TargetRow {
  return {
    what: `real: ${row.encrypted} encrypted, ${row.slots} slots, ${row.policy}: plain`,
    source: SOURCE,
    unit: 'IOPS',
    published: row.plainIops,
    ours: measured(row, true).plain.iops,
    band: { kind: 'context' },
    basis: 'predicted',
  };
}

export const headOfLine: Target = {
  id: 'V12',
  title: 'Who waits for a keyslot with whom',
  rows: () => [
    ...SEPARATE_POOLS.flatMap((row) => rowsOf(row, 'predicted')),
    ...SHARED_TAGS.flatMap((row) => rowsOf(row, 'input')),
    ...SEPARATE_POOLS.filter((row) => row.policy === 'dispatch-hold-key').map(unchangedRow),
    ...SHARED_TAGS.map(realRow),
  ],
};

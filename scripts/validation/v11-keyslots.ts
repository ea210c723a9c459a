/**
 * V11: per-file keys with few keyslots (claim 3 of calibration D.1). 32 encrypted reads outstanding on 64 keys; slots limit at first, then programming,
 * which more slots do not cure until every key has one; one key per policy removes both. Ours: the keyslot model (core/block/keyslot-model.ts), which
 * was not fitted: the device time, the keys and the programming time are the inputs of the published simulation.
 */
import { FEW_SLOTS, type FewSlots, fewSlotsLoad } from '../../core/block/keyslot-claims.ts';
import { runKeyslotModel } from '../../core/block/keyslot-model.ts';
import type { Target, TargetRow } from './target.ts';

const READS = 120_000;

function rowsOf(row: FewSlots): TargetRow[] {
  const { encrypted, missRate, problems } = runKeyslotModel(fewSlotsLoad(row, READS));
  if (problems.length > 0) throw new Error(problems.join('; '));
  const name = `${row.slots} slots, ${row.keys === 1 ? '1 key' : `${row.keys} keys`}, ${row.programNs / 1000} µs`;
  const common = { source: 'D.1 claim 3', basis: 'predicted', band: { kind: 'relative', share: 0.1 } } as const;
  const rows: TargetRow[] = [
    { ...common, what: `${name}: encrypted`, unit: 'IOPS', published: row.iops, ours: encrypted.iops },
  ];
  if (row.meanUs !== undefined) {
    rows.push({ ...common, what: `${name}: mean`, unit: 'µs', published: row.meanUs, ours: encrypted.meanNs / 1000 });
  }
  if (row.missRate !== undefined) rows.push(missRow(row.missRate, name, missRate));
  return rows;
}

/** With a slot for every key each key misses once, in the warm-up. */
function missRow(published: number, name: string, ours: number): TargetRow {
  const common = {
    source: 'D.1 claim 3',
    basis: 'predicted',
    what: `${name}: misses per read`,
    unit: '',
    ours,
  } as const;
  if (published > 0) return { ...common, published, band: { kind: 'relative', share: 0.1 } };
  return { ...common, published: 0.001, band: { kind: 'below' } };
}

export const keyslots: Target = {
  id: 'V11',
  title: 'Keyslots against keys',
  rows: () => FEW_SLOTS.flatMap(rowsOf),
};

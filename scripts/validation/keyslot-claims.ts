/**
 * Claims 3 and 4 about keyslots as figures of an independent queueing simulation (exponential device times of 100 µs, 64 keys drawn uniformly, 15 µs per programming, least
 * recently used slot, closed loops), by the variant of the scenario `keyslot-queueing` that is to give them: the validation targets V11 and V12, the scenario's `expected.json` and the user
 * guide all come from here.
 *
 * @source peers-and-calibration.md D.1, claim 3 and both tables of claim 4: every figure
 */
import type { RunSummary } from '../../core/experiment/summary.ts';
import type { TargetRow } from './target.ts';

export const SCENARIO = 'keyslot-queueing';

/** Variant, encrypted IOPS, their mean in µs, misses per read. */
type FewSlots = readonly [variant: string, iops: number, meanUs?: number, missRate?: number];

/** Claim 3: 32 encrypted reads outstanding; those that wait are set aside. */
export const FEW_SLOTS: readonly FewSlots[] = [
  ['slots-1', 11_530, 2776, 0.63],
  ['slots-2', 23_167, 1381, 0.62],
  ['slots-4', 45_647, 701, 0.61],
  ['slots-8', 86_305, 371, 0.61],
  ['slots-16', 112_875, 284, 0.59],
  ['slots-32', 133_390, 240, 0.5],
  ['slots-64', 320_727, 100, 0],
  ['one-key', 320_727, 100, 0],
  ['slots-4-free', 50_434],
  ['slots-32-free', 320_727],
];

/** Variant, encrypted and plain IOPS, mean and p99 of plain reads in µs. */
type BesidePlain = readonly [variant: string, encrypted: number, plain: number, meanUs: number, p99Us: number];

/** Claim 4, first table: 16 + 16 outstanding, tags for all. */
export const SEPARATE_POOLS: readonly BesidePlain[] = [
  ['pools-1-aside', 10_112, 159_832, 100, 466],
  ['pools-1-block', 8_840, 8_972, 1783, 2865],
  ['pools-2-aside', 20_014, 160_156, 100, 460],
  ['pools-2-block', 17_628, 18_072, 885, 1444],
  ['pools-4-aside', 39_768, 159_441, 100, 460],
  ['pools-4-block', 35_066, 36_826, 435, 835],
  ['pools-8-aside', 71_855, 159_266, 101, 462],
  ['pools-8-block', 65_805, 75_483, 212, 578],
  ['pools-16-aside', 88_586, 160_556, 100, 459],
  ['pools-16-block', 88_586, 160_556, 100, 459],
  ['pools-32-aside', 126_870, 159_369, 100, 462],
  ['pools-32-block', 126_870, 159_369, 100, 462],
];

/** Claim 4, second table: 31 tags for all; the slot before the tag or after it. */
export const SHARED_TAGS: readonly BesidePlain[] = [
  ['tags-16-2-before', 19_879, 159_567, 100, 461],
  ['tags-16-2-submit', 20_248, 150_992, 106, 468],
  ['tags-48-2-before', 25_092, 160_027, 100, 459],
  ['tags-48-2-submit', 22_455, 16_567, 966, 1558],
  ['tags-48-4-before', 50_005, 160_395, 100, 463],
  ['tags-48-4-submit', 44_174, 28_410, 563, 978],
  ['tags-48-8-before', 98_571, 159_631, 100, 457],
  ['tags-48-8-submit', 80_964, 43_238, 370, 738],
  ['tags-48-32-before', 147_160, 66_664, 240, 593],
  ['tags-48-32-submit', 133_978, 59_115, 271, 625],
];

const BAND = { kind: 'relative', share: 0.1 } as const;
const CONTEXT = { kind: 'context' } as const;
/** A miss rate that counts as none: every key misses once, in the warm-up or shortly after. */
const NO_MISSES = 0.001;

/** The published figures that a variant has, beside what its run gave; none for other scenarios and variants. */
export function claimRows(slug: string, variant: string, summary: RunSummary): TargetRow[] {
  if (slug !== SCENARIO) return [];
  const few = FEW_SLOTS.find(([name]) => name === variant);
  if (few !== undefined) return fewSlotsRows(few, summary);
  const pools = SEPARATE_POOLS.find(([name]) => name === variant);
  if (pools !== undefined) return besidePlainRows(pools, summary, 'predicted', BAND);
  const tags = SHARED_TAGS.find(([name]) => name === variant.replace(/^batched-/, 'tags-'));
  // How tags are queued was chosen after seeing the figures; with Linux's batches they are shown and not judged.
  return tags === undefined
    ? []
    : besidePlainRows(tags, summary, 'input', variant.startsWith('tags-') ? BAND : CONTEXT);
}

function read(summary: RunSummary, job: string): { iops: number; meanUs: number; p99Us: number } {
  const direction = summary.jobs[job]?.read;
  if (direction === undefined) throw new Error(`${summary.run.name}: no reads of job "${job}"`);
  const { iops, latNs } = direction;
  return { iops, meanUs: latNs.mean / 1000, p99Us: (latNs.p99 ?? NaN) / 1000 };
}

function fewSlotsRows([, iops, meanUs, missRate]: FewSlots, summary: RunSummary): TargetRow[] {
  const ours = read(summary, 'encrypted');
  const common = { source: 'D.1 claim 3', basis: 'predicted', band: BAND } as const;
  const rows: TargetRow[] = [{ ...common, what: 'encrypted', unit: 'IOPS', published: iops, ours: ours.iops }];
  if (meanUs !== undefined)
    rows.push({ ...common, what: 'encrypted mean', unit: 'µs', published: meanUs, ours: ours.meanUs });
  if (missRate !== undefined) {
    const { programs, hits } = summary.keyslots;
    const isNone = missRate === 0;
    rows.push({
      ...common,
      what: 'misses per read',
      unit: '',
      published: isNone ? NO_MISSES : missRate,
      ours: programs / (programs + hits),
      band: isNone ? { kind: 'below' } : BAND,
    });
  }
  return rows;
}

function besidePlainRows(
  [, encrypted, plain, meanUs, p99Us]: BesidePlain,
  summary: RunSummary,
  basis: TargetRow['basis'],
  band: TargetRow['band'],
): TargetRow[] {
  const ours = read(summary, 'plain');
  const common = { source: 'D.1 claim 4', basis, band } as const;
  return [
    {
      ...common,
      what: 'encrypted',
      unit: 'IOPS',
      published: encrypted,
      ours: read(summary, 'encrypted').iops,
    },
    { ...common, what: 'plain', unit: 'IOPS', published: plain, ours: ours.iops },
    { ...common, what: 'plain mean', unit: 'µs', published: meanUs, ours: ours.meanUs },
    { ...common, what: 'plain p99', unit: 'µs', published: p99Us, ours: ours.p99Us },
  ];
}

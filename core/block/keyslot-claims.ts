/**
 * Claims 3 and 4 about keyslots as figures of an independent queueing simulation (exponential device times of 100 µs, 64 keys drawn uniformly, 15 µs per
 * programming, least recently used slot, closed loops), and the loads of the keyslot model that they are compared with.
 *
 * @source peers-and-calibration.md D.1, claim 3 and both tables of claim 4: every figure
 */
import type { KeyslotPolicy } from './crypto.ts';
import type { KeyslotLoad } from './keyslot-model.ts';

const MANY_TAGS = 256; // separate pools: nobody ever waits for a tag
const COMMON = { keys: 64, programNs: 15_000, deviceNs: 100_000, seed: 1 };

/** Claim 3: per-file keys with few slots; 32 encrypted reads, those that wait are set aside. */
export interface FewSlots {
  readonly slots: number;
  readonly keys: number;
  readonly programNs: number;
  readonly iops: number;
  readonly meanUs: number | undefined;
  readonly missRate: number | undefined;
}

const fewSlots = (
  slots: number,
  iops: number,
  meanUs?: number,
  missRate?: number,
  other: { readonly keys?: number; readonly programNs?: number } = {},
): FewSlots => ({ keys: COMMON.keys, programNs: COMMON.programNs, ...other, slots, iops, meanUs, missRate });

export const FEW_SLOTS: readonly FewSlots[] = [
  fewSlots(1, 11_530, 2776, 0.63),
  fewSlots(2, 23_167, 1381, 0.62),
  fewSlots(4, 45_647, 701, 0.61),
  fewSlots(8, 86_305, 371, 0.61),
  fewSlots(16, 112_875, 284, 0.59),
  fewSlots(32, 133_390, 240, 0.5),
  fewSlots(64, 320_727, 100, 0),
  fewSlots(4, 320_727, 100, 0, { keys: 1 }), // one key per policy
  fewSlots(4, 50_434, undefined, undefined, { programNs: 0 }),
  fewSlots(32, 320_727, undefined, undefined, { programNs: 0 }),
];

export function fewSlotsLoad(row: FewSlots, reads: number): KeyslotLoad {
  const { slots, keys, programNs } = row;
  const policy = 'dispatch-hold-key';
  return { ...COMMON, policy, slots, keys, programNs, tags: MANY_TAGS, encrypted: 32, plain: 0, reads };
}

/** Claim 4: plain reads beside encrypted ones. */
export interface BesidePlain {
  readonly slots: number;
  readonly policy: KeyslotPolicy;
  readonly encrypted: number;
  readonly tags: number;
  readonly encryptedIops: number;
  readonly plainIops: number;
  readonly plainMeanUs: number;
  readonly plainP99Us: number;
}

const WAITING: Readonly<Record<string, KeyslotPolicy>> = { aside: 'dispatch-hold-key', block: 'dispatch-block' };

const pools = (
  slots: number,
  wait: 'aside' | 'block',
  figures: readonly [number, number, number, number],
): BesidePlain => {
  const [encryptedIops, plainIops, plainMeanUs, plainP99Us] = figures;
  const policy = WAITING[wait];
  return { slots, policy, encrypted: 16, tags: MANY_TAGS, encryptedIops, plainIops, plainMeanUs, plainP99Us };
};

/** First table: 16 + 16 outstanding, separate pools. */
export const SEPARATE_POOLS: readonly BesidePlain[] = [
  pools(1, 'aside', [10_112, 159_832, 100, 466]),
  pools(1, 'block', [8_840, 8_972, 1783, 2865]),
  pools(2, 'aside', [20_014, 160_156, 100, 460]),
  pools(2, 'block', [17_628, 18_072, 885, 1444]),
  pools(4, 'aside', [39_768, 159_441, 100, 460]),
  pools(4, 'block', [35_066, 36_826, 435, 835]),
  pools(8, 'aside', [71_855, 159_266, 101, 462]),
  pools(8, 'block', [65_805, 75_483, 212, 578]),
  pools(16, 'aside', [88_586, 160_556, 100, 459]),
  pools(16, 'block', [88_586, 160_556, 100, 459]),
  pools(32, 'aside', [126_870, 159_369, 100, 462]),
  pools(32, 'block', [126_870, 159_369, 100, 462]),
];

const shared = (
  encrypted: number,
  slots: number,
  policy: 'before-tag' | 'submit',
  figures: readonly [number, number, number, number],
): BesidePlain => {
  const [encryptedIops, plainIops, plainMeanUs, plainP99Us] = figures;
  return { slots, policy, encrypted, tags: 31, encryptedIops, plainIops, plainMeanUs, plainP99Us };
};

/** Second table: 31 tags for all, slot and tag in both orders. */
export const SHARED_TAGS: readonly BesidePlain[] = [
  shared(16, 2, 'before-tag', [19_879, 159_567, 100, 461]),
  shared(16, 2, 'submit', [20_248, 150_992, 106, 468]),
  shared(48, 2, 'before-tag', [25_092, 160_027, 100, 459]),
  shared(48, 2, 'submit', [22_455, 16_567, 966, 1558]),
  shared(48, 4, 'before-tag', [50_005, 160_395, 100, 463]),
  shared(48, 4, 'submit', [44_174, 28_410, 563, 978]),
  shared(48, 8, 'before-tag', [98_571, 159_631, 100, 457]),
  shared(48, 8, 'submit', [80_964, 43_238, 370, 738]),
  shared(48, 32, 'before-tag', [147_160, 66_664, 240, 593]),
  shared(48, 32, 'submit', [133_978, 59_115, 271, 625]),
];

export function besidePlainLoad(row: BesidePlain, reads: number): KeyslotLoad {
  const { policy, slots, tags, encrypted } = row;
  return { ...COMMON, policy, slots, tags, encrypted, plain: 16, reads };
}

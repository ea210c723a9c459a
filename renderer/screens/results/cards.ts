/** What the cards and the job table of a run say: pure functions from its summary and the percentiles of its rows. */
import type { DirectionSummary, RunSummary } from '../../../core/contract/summary.ts';
import { formatBandwidth, formatCount, formatExact, formatNs, formatShare } from '../../../core/units/format.ts';
import { t } from '../../locales/words.ts';
import { samplesNeeded } from '../../stores/percentile.ts';
import type { Percentile } from '../../stores/results.ts';

export interface Card {
  readonly id: string;
  readonly title: string;
  readonly value: string;
  /** The exact value, or why there is none. */
  readonly note: string;
  readonly isMissing: boolean;
}

export interface JobLine {
  readonly job: string;
  readonly op: string;
  readonly direction: DirectionSummary;
}

export function jobLines(summary: RunSummary): readonly JobLine[] {
  return Object.entries(summary.jobs).flatMap(([job, directions]) =>
    Object.entries(directions).map(([op, direction]) => ({ job, op, direction })),
  );
}

/** Throughput of the whole run; syncs move no data and are not counted. */
function throughputCards(summary: RunSummary): readonly Card[] {
  const lines = jobLines(summary).filter(({ op }) => op !== 'sync');
  const sum = (of: (direction: DirectionSummary) => number): number =>
    lines.reduce((total, { direction }) => total + of(direction), 0);
  const iops = sum((direction) => direction.iops);
  const bw = sum((direction) => direction.bwBytes);
  const ios = sum((direction) => direction.ios);
  const bytes = sum((direction) => direction.bytes);
  return [
    {
      id: 'iops',
      title: t('card.iops'),
      value: formatCount(iops),
      note: t('card.ios', { n: formatExact(ios) }),
      isMissing: false,
    },
    {
      id: 'bw',
      title: t('card.bw'),
      value: formatBandwidth(bw),
      note: t('card.bytes', { n: formatExact(bytes) }),
      isMissing: false,
    },
  ];
}

/** A percentile, or that there are too few samples for it. */
export function percentileCard({ percent, ns }: Percentile, n: number): Card {
  const title = t('card.percentile', { p: percent });
  const id = `p${percent}`;
  if (ns !== null)
    return { id, title, value: formatNs(ns), note: t('card.exactNs', { ns: formatExact(ns) }), isMissing: false };
  const note = t('card.needs', { n: formatExact(samplesNeeded(percent)), has: formatExact(n) });
  return { id, title, value: t('card.tooSmall'), note, isMissing: true };
}

/** The cards of a run; percentiles are those of the rows that the filter leaves, when there are rows. */
export function cardsOf(summary: RunSummary, percentiles: readonly Percentile[] | null, n: number): readonly Card[] {
  return [...throughputCards(summary), ...(percentiles ?? []).map((one) => percentileCard(one, n))];
}

/** What keyslots did in a run: programs, hits, evictions, waits. */
export function keyslotCards({ keyslots, run }: RunSummary): readonly Card[] {
  const { slots, programs, hits, evictions, waits, waitNs } = keyslots;
  const asked = programs + hits;
  const rate = run.simNs === 0 ? NaN : programs / (run.simNs / 1e9);
  const card = (id: string, title: string, value: string, note: string): Card => ({
    id,
    title,
    value,
    note,
    isMissing: false,
  });
  const rateText = t('card.programRate', { rate: formatCount(rate), n: slots });
  const hitText = t('card.hitShare', { share: formatShare(asked === 0 ? NaN : hits / asked), n: formatExact(asked) });
  return [
    card('programs', t('card.programs'), formatCount(programs), rateText),
    card('hits', t('card.hits'), formatCount(hits), hitText),
    card('evictions', t('card.evictions'), formatCount(evictions), t('card.evictionNote')),
    card('waits', t('card.waits'), formatCount(waits), t('card.waitSum', { time: formatNs(waitNs) })),
    // Over all that asked: the sum holds waiting for other slots' programming too, which is no wait for a free slot.
    card('mean-wait', t('card.meanWait'), formatNs(asked === 0 ? NaN : waitNs / asked), t('card.perAsked')),
  ];
}

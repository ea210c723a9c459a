/** How fast a run goes, from its progress messages; and its time to go as words. Pure. */
import type { RunProgress } from '../../../core/contract/summary.ts';
import { t } from '../../locales/words.ts';

/** Messages over which rates are taken: some three seconds, so that numbers can be read. */
const WINDOW = 30;
const SECOND_MS = 1000;

/** An estimate before this is guesswork. @source workbench conventions, run control */
const ETA_FROM_MS = 1000;

export interface Rates {
  readonly iosPerS: number;
  readonly eventsPerS: number;
  /** Wall time that a second of simulated time takes. */
  readonly wallNsPerSimS: number;
}

export function ratesOf(history: readonly RunProgress[]): Rates {
  const last = history.at(-1);
  const first = history.at(-WINDOW) ?? history[0];
  if (last === undefined || first === undefined || last.wallMs <= first.wallMs)
    return { iosPerS: NaN, eventsPerS: NaN, wallNsPerSimS: NaN };
  const seconds = (last.wallMs - first.wallMs) / SECOND_MS;
  const simS = (last.simNs - first.simNs) / 1e9;
  return {
    iosPerS: (last.ios - first.ios) / seconds,
    eventsPerS: (last.events - first.events) / seconds,
    wallNsPerSimS: simS > 0 ? Math.round((seconds / simS) * 1e9) : NaN,
  };
}

/** `0:41`, or "estimating" while it cannot be said. */
export function etaText(progress: RunProgress | null): string {
  if (progress === null || progress.etaMs === null || progress.wallMs < ETA_FROM_MS) return t('run.estimating');
  const seconds = Math.ceil(progress.etaMs / SECOND_MS);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** From what a run says between slices to the progress that faces show: fraction, time to go. */
import type { RunProgress } from '../../core/contract/summary.ts';
import type { RunSnapshot } from '../../core/experiment/run-port.ts';

/** Below this share of the run an estimate would jump about. */
const ESTIMATE_FROM = 0.01;

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Milliseconds to go, if the rest goes as fast as what is done; null while that cannot be said. */
export function etaMs(fraction: number | null, wallMs: number): number | null {
  if (fraction === null || fraction < ESTIMATE_FROM) return null;
  return Math.max(0, (wallMs * (1 - fraction)) / fraction);
}

/** The progress message of a run. */
export function progressOf(
  ids: { readonly runId: number; readonly experimentId: number },
  snapshot: RunSnapshot,
  wallMs: number,
  storedRows: number,
): RunProgress {
  const fraction = orNull(snapshot.fraction);
  return {
    ...ids,
    simNs: snapshot.simNs,
    fraction,
    events: snapshot.events,
    ios: snapshot.ios,
    requests: snapshot.requests,
    inFlight: snapshot.inFlight,
    wallMs,
    etaMs: etaMs(fraction, wallMs),
    storedRows,
    p50Ns: orNull(snapshot.p50Ns),
    p99Ns: orNull(snapshot.p99Ns),
  };
}

/** The double buffer of the flush machine (see flush.ts): what waits for the running flush, and what waits for the next one. */
import { IntRing } from '../engine/ring.ts';

export class FlushQueue {
  /** Requests that wait for a flush; one of the two is pending, after issue it is the running one. */
  readonly lists: readonly [IntRing, IntRing] = [new IntRing(), new IntRing()];
  pendingIndex = 0;
  runningIndex = 0;
  /** When the pending list became non-empty (ns). */
  pendingSinceNs = 0;
  /** Sequenced DATA requests that the flush has to wait for. */
  dataInFlight = 0;
  /** The dedicated flush request. */
  request = -1;
}

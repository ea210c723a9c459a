/**
 * Request timeouts: one lazy timer per queue, and the work that looks for expired requests.
 *
 * The timer is set about a second behind the deadline, never more than six ahead, and only moved forward by half a second or more; when it fires and something
 * is still in flight it is set to the earliest deadline exactly. So a timeout is noticed up to a second late, and long ones on time.
 * While nothing is in flight the engine's timer is off (an idle queue must not keep a run alive); the time it is due at is kept.
 *
 * Not modelled: the wait for dispatchers to leave before handlers are called, the idle mark of shared tags.
 *
 * @kernel v6.12 block/blk-timeout.c blk_add_timer, block/blk-mq.c blk_mq_timeout_work
 */
import type { RequestQueue } from './queue.ts';
import { RQ_IN_FLIGHT } from './request.ts';

/** @source blk-timeout.c: rounding pushes out by a power of two of jiffies, 256 at HZ=250 */
export const ROUNDING_NS = 1_024_000_000;
/** @source blk-timeout.c: BLK_MAX_TIMEOUT 5 s */
const FARTHEST_NS = 5_000_000_000;
/** @source blk-timeout.c: the timer moves only if it gains HZ / 2 */
const WORTHWHILE_NS = 500_000_000;

/** A request was started. */
export function flightBegan(q: RequestQueue): void {
  q.inFlight++;
  q.inFlightChanged();
  if (q.inFlight > 1 || q.timeoutDueNs === Infinity) return;
  if (q.timeoutDueNs > q.engine.now) q.engine.armTimer(q.timeoutTimer, q.timeoutDueNs);
  else q.timeoutDueNs = Infinity; // it would have fired meanwhile, and found nothing
}

/** A started request completed, or went back. */
export function flightEnded(q: RequestQueue): void {
  q.inFlight--;
  q.inFlightChanged();
  if (q.inFlight === 0) q.engine.cancelTimer(q.timeoutTimer);
}

/** Sets the request's deadline, and the timer if that is worthwhile. */
export function addTimer(q: RequestQueue, rq: number): void {
  const nowNs = q.engine.now;
  const deadlineNs = nowNs + q.timeoutNs;
  q.requests.deadlineNs[rq] = deadlineNs;
  const expiryNs = Math.min(deadlineNs + ROUNDING_NS, nowNs + FARTHEST_NS + ROUNDING_NS);
  if (q.timeoutDueNs - expiryNs >= WORTHWHILE_NS) setTimer(q, expiryNs);
}

function setTimer(q: RequestQueue, atNs: number): void {
  q.timeoutDueNs = atNs;
  q.engine.armTimer(q.timeoutTimer, atNs);
}

/** The timer fired. */
export function timeoutExpired(q: RequestQueue): void {
  q.timeoutDueNs = Infinity;
  q.workqueues.queueWork(-1, q.timeoutWork, 0);
}

/** kblockd: hands every expired request to the driver's timeout handler and sets the timer for the rest. */
export function timeoutWork(q: RequestQueue): void {
  const x = q.machine.current;
  const { requests } = q;
  let earliestNs = Infinity;
  for (let rq = 0; rq < requests.highWater; rq++) {
    if (requests.state[rq] !== RQ_IN_FLIGHT || requests.timedOut[rq] !== 0) continue;
    if (requests.deadlineNs[rq] > q.engine.now) earliestNs = Math.min(earliestNs, requests.deadlineNs[rq]);
    else expire(q, x, rq);
  }
  if (earliestNs < q.timeoutDueNs) setTimer(q, earliestNs);
}

function expire(q: RequestQueue, x: number, rq: number): void {
  const { requests } = q;
  requests.timedOut[rq] = 1;
  q.counters.timeouts++;
  if (q.log.on) q.event('request.timed_out', requests.serial[rq], requests.hctx[rq]);
  if (q.lld?.timeout(x, rq) !== false) return;
  requests.timedOut[rq] = 0;
  addTimer(q, rq);
}

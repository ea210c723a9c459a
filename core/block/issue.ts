/**
 * Issuing one request to the driver: the burst before queueRq, the D event, and what the driver's answer means.
 * @kernel v6.12 block/blk-mq.c __blk_mq_issue_directly, blk_mq_start_request, __blk_mq_requeue_request
 */
import { ST_SUBMIT } from '../trace/stages.ts';
import { endRefused } from './complete.ts';
import { putKeyslot, SLOT_AT_DISPATCH } from './crypto.ts';
import { issueWithKeyslot } from './crypto-dispatch.ts';
import { requestDispatched } from './dispatch.ts';
import type { Hctx } from './hctx.ts';
import { pluggedIssued } from './plug.ts';
import type { RequestQueue } from './queue.ts';
import { RQ_COMPLETE, RQ_IDLE, RQ_IN_FLIGHT } from './request.ts';
import { singleIssued } from './submit.ts';
import { ISSUER_DISPATCH, ISSUER_PLUG, type TaskState } from './task.ts';
import { addTimer, flightBegan, flightEnded } from './timeout.ts';
import { STS_DEV_RESOURCE, STS_OK, STS_RESOURCE } from './types.ts';

/** The driver did not accept the request, which goes back to a list. */
export function isBusyStatus(status: number): boolean {
  return status === STS_RESOURCE || status === STS_DEV_RESOURCE;
}

/** Whether requests of this hardware queue may be issued now, from this context. */
export function canIssue(q: RequestQueue, x: number, hctx: Hctx): boolean {
  return !hctx.stopped && !q.isQuiesced && !(q.blocking && q.machine.isAtomic(x));
}

/**
 * Burns `costNs` in the context of `t`, hands the request (which has its driver tag) to the driver and goes on with `issuer` (ISSUER_*), where `t.issueStatus` is
 * the driver's answer. `last`: no other request follows at once.
 */
export function issue(q: RequestQueue, t: TaskState, rq: number, last: boolean, costNs: number, issuer: number): void {
  t.issueRq = rq;
  t.issueHctx = q.requests.hctx[rq];
  t.issueLast = last;
  t.issuer = issuer;
  const { requests } = q;
  if (requests.keyId[rq] >= 0 && q.slotWhen === SLOT_AT_DISPATCH && requests.keyslot[rq] < 0)
    issueWithKeyslot(q, t, rq, costNs);
  else issueToDriver(q, t, rq, costNs);
}

/** The request has all it needs: the burst, then the driver. The rest of `issue` is set. */
export function issueToDriver(q: RequestQueue, t: TaskState, rq: number, costNs: number): void {
  q.dispatchers++;
  if (q.lld?.startsAtOnce?.(rq) === true) {
    t.issueLead = true;
    q.machine.lap(t.x, costNs);
    q.lld.queueRq(t.x, rq, t.issueLast);
  } else q.machine.run(t.x, costNs, q.kinds.issueBurst, t.x);
}

export function issueBurst(q: RequestQueue, x: number): void {
  const t = q.task(x);
  q.mark(t.issueRq, ST_SUBMIT);
  if (q.lld === undefined) throw new Error('block: no driver attached');
  q.lld.queueRq(x, t.issueRq, t.issueLast);
}

/** See Block.startRequest. */
export function startRequest(q: RequestQueue, rq: number): void {
  const { requests } = q;
  const x = q.machine.current;
  if (x >= 0 && q.task(x).issueLead) {
    q.task(x).issueLead = false;
    requests.rows.mark(rq, ST_SUBMIT, q.machine.lapEndNs(x, 0));
  }
  requests.issuedNs[rq] = q.engine.now;
  requests.attempts[rq]++;
  requests.state[rq] = RQ_IN_FLIGHT;
  requests.timedOut[rq] = 0;
  requests.doneBytes[rq] = 0;
  q.counters.issues++;
  flightBegan(q);
  addTimer(q, rq);
  if (q.log.on) q.event('request.issued', requests.serial[rq], requests.hctx[rq]);
}

/** See Block.queueRqDone. */
export function queueRqDone(q: RequestQueue, x: number, rq: number, status: number): void {
  const t = q.task(x);
  if (t.issueRq !== rq) throw new Error(`block: queueRqDone for request handle ${rq}, issued was ${t.issueRq}`);
  t.issueStatus = status;
  t.issueLead = false;
  if (isBusyStatus(status)) takeBack(q, rq);
  leaveDispatch(q);
  issueAnswered(q, t);
}

/** Whoever issued the request goes on, with `t.issueStatus`. */
export function issueAnswered(q: RequestQueue, t: TaskState): void {
  if (t.issuer === ISSUER_PLUG) pluggedIssued(q, t.x);
  else if (t.issuer === ISSUER_DISPATCH) requestDispatched(q, t.x);
  else singleIssued(q, t.x);
}

/** After a direct issue (not a dispatch): the moving average learns whether the driver was busy. */
export function noteDirectIssue(q: RequestQueue, t: TaskState): void {
  if (t.issueStatus === STS_OK) q.hctxs[t.issueHctx].updateBusy(false);
  else if (isBusyStatus(t.issueStatus)) q.hctxs[t.issueHctx].updateBusy(true);
}

/** The R event of a refused request: it loses its driver tag (if it has a scheduler tag to keep) and its start. */
export function takeBack(q: RequestQueue, rq: number): void {
  const { requests } = q;
  q.putDriverTag(rq);
  if (q.slotWhen === SLOT_AT_DISPATCH) putKeyslot(q, q.machine.current, rq);
  q.counters.requeues++;
  if (q.log.on) q.event('request.requeued', requests.serial[rq], requests.hctx[rq]);
  if (requests.state[rq] === RQ_IN_FLIGHT) flightEnded(q);
  requests.state[rq] = RQ_IDLE;
  requests.timedOut[rq] = 0;
  requests.deadlineNs[rq] = Infinity;
  requests.issuedNs[rq] = NaN; // it may end without being issued again
  requests.deviceNs[rq] = NaN;
}

/** A context left queueRq or a dispatch; the last one ends the wait of a quiesce. */
export function leaveDispatch(q: RequestQueue): void {
  if (--q.dispatchers > 0) return;
  while (q.quiescers.size > 0) q.machine.wake(q.machine.current, q.quiescers.shift());
}

/** The driver failed the request while it was being issued: it ends here, in the issuing context. */
export function endRequestInTask(q: RequestQueue, x: number, rq: number, status: number): void {
  const { costs } = q.machine;
  if (q.requests.state[rq] === RQ_IN_FLIGHT) flightEnded(q);
  q.requests.state[rq] = RQ_COMPLETE;
  q.machine.charge(x, costs.completeRequestNs + costs.endIoNs * q.requests.bios[rq]);
  endRefused(q, x, rq, status);
}

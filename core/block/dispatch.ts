/**
 * Running a hardware queue: from its dispatch list, then from the scheduler or the software queues, to the driver.
 *
 * A run is a state machine in the context that carries it out: each request costs one burst and one call of queueRq, which ends later; the run goes on at
 * `requestDispatched`. Runs that may not happen where they are asked for (asynchronous, atomic context, CPU outside the mask) are queued on kblockd.
 *
 * Not modelled: budgets of a middle layer, the reschedule after one second or need_resched, zone write lists. `@assume`: a delayed run never postpones one
 * that is already queued, nor an immediate run one that is queued (mod_delayed_work would requeue the item at the tail).
 *
 * @kernel v6.12 block/blk-mq-sched.c, block/blk-mq.c blk_mq_run_hw_queue, blk_mq_dispatch_rq_list
 */
import { ST_WAIT_DISPATCH, ST_WAIT_SCHED } from '../trace/stages.ts';
import { holdForKeyslot, takeKeyWaiters } from './crypto-dispatch.ts';
import type { Hctx } from './hctx.ts';
import { endRequestInTask, isBusyStatus, issue, leaveDispatch } from './issue.ts';
import type { RequestQueue } from './queue.ts';
import { ISSUER_DISPATCH, type TaskState } from './task.ts';
import { STS_NO_KEYSLOT, STS_OK, STS_RESOURCE } from './types.ts';

const NONE = -1;
/** Which list a run is working on. */
const PHASE_LEFTOVERS = 0; // hctx.dispatch
const PHASE_ALL = 1; // everything from the software queues
const PHASE_ONE = 2; // one request from the software queues
const PHASE_SCHED = 3; // what the scheduler gave

/** @source blk-mq: BLK_MQ_RESOURCE_DELAY and BLK_MQ_BUDGET_DELAY, 3 ms each */
const RESOURCE_DELAY_NS = 3_000_000;

// ------------------------------------------------------------------------------------------------ asking for a run

function hasPending(q: RequestQueue, hctx: Hctx): boolean {
  return (
    hctx.dispatch.size > 0 ||
    hctx.pendingInCtxs > 0 ||
    hctx.retryKeys ||
    (q.scheduler !== undefined && q.scheduler.hasWork(hctx.id))
  );
}

/** Has kblockd run the hardware queue after `delayNs`, if there is anything to run. Instantaneous; `x` (-1 for none) pays. */
export function kickHwQueue(q: RequestQueue, x: number, hctx: Hctx, delayNs: number): void {
  if (hctx.stopped || hctx.blockedBy !== NONE || q.isQuiesced || !hasPending(q, hctx)) return;
  if (q.workqueues.isPending(hctx.runWork)) {
    if (!hctx.runDelayed || delayNs > 0) return;
    q.workqueues.cancelDelayedWork(hctx.runWork);
  }
  // One hardware queue: the work stays on the CPU that asks for it.
  const cpu = q.hctxs.length > 1 ? hctx.takeNextCpu() : x >= 0 ? q.machine.cpuOf(x) : hctx.cpus[0];
  hctx.runDelayed = delayNs > 0;
  q.workqueues.queueDelayedWork(x, hctx.runWork, cpu, delayNs);
}

/** kblockd runs a hardware queue. */
export function runWork(q: RequestQueue, hctxId: number): void {
  const x = q.machine.current;
  const hctx = q.hctxs[hctxId];
  hctx.runDelayed = false;
  q.machine.pushReturn(x, q.kinds.workOver, 0);
  q.machine.charge(x, q.machine.costs.runQueueNs);
  dispatchHctx(q, q.task(x), hctx);
}

/** Runs the hardware queue in `x` if that is allowed there, else by kblockd. Ends with `machine.ret(x)`. */
export function runHwQueue(q: RequestQueue, x: number, hctx: Hctx): void {
  if (q.isQuiesced || !hasPending(q, hctx)) {
    q.machine.ret(x);
    return;
  }
  if (q.machine.isAtomic(x) || q.hctxOfCpu[q.machine.cpuOf(x)] !== hctx.id) {
    kickHwQueue(q, x, hctx, 0);
    q.machine.ret(x);
    return;
  }
  q.machine.charge(x, q.machine.costs.runQueueNs);
  dispatchHctx(q, q.task(x), hctx);
}

/** See Block.runHwQueues. */
export function runHwQueues(q: RequestQueue, x: number, async: boolean): void {
  if (!async) {
    q.task(x).nextHctx = 0;
    nextHwQueue(q, x);
    return;
  }
  for (const hctx of q.hctxs) if (wantsRun(q, x, hctx)) kickHwQueue(q, x, hctx, 0);
}

/** With a scheduler of one list for all, only the current CPU's hardware queue runs, and those with requests of their own to dispatch. */
function wantsRun(q: RequestQueue, x: number, hctx: Hctx): boolean {
  if (hctx.stopped) return false;
  if (q.scheduler?.singleQueue !== true || x < 0) return true;
  return q.hctxOfCpu[q.machine.cpuOf(x)] === hctx.id || hctx.dispatch.size > 0;
}

export function nextHwQueue(q: RequestQueue, x: number): void {
  const t = q.task(x);
  while (t.nextHctx < q.hctxs.length) {
    const hctx = q.hctxs[t.nextHctx++];
    if (!wantsRun(q, x, hctx)) continue;
    q.machine.pushReturn(x, q.kinds.nextHwQueue, x);
    runHwQueue(q, x, hctx);
    return;
  }
  q.machine.ret(x);
}

// ------------------------------------------------------------------------------------------------ one run

function dispatchHctx(q: RequestQueue, t: TaskState, hctx: Hctx): void {
  t.hctx = hctx.id;
  t.again = false;
  q.dispatchers++;
  dispatchOnce(q, t);
}

function dispatchOnce(q: RequestQueue, t: TaskState): void {
  const hctx = q.hctxs[t.hctx];
  if (hctx.stopped || hctx.blockedBy !== NONE || q.isQuiesced) {
    endRun(q, t);
    return;
  }
  if (hctx.retryKeys) takeKeyWaiters(q, t, hctx);
  if (hctx.dispatch.size > 0 || t.list.size > 0) {
    t.list.takeAll(hctx.dispatch);
    hctx.restart = true;
    beginList(q, t, hctx.id, PHASE_LEFTOVERS);
    return;
  }
  t.oneByOne = hctx.dispatchBusy > 0;
  afterLeftovers(q, t);
}

function afterLeftovers(q: RequestQueue, t: TaskState): void {
  if (q.scheduler !== undefined) pullScheduled(q, t);
  else if (t.oneByOne) pullOne(q, t);
  else pullAll(q, t);
}

/** Everything from all software queues, in their order. */
function pullAll(q: RequestQueue, t: TaskState): void {
  const hctx = q.hctxs[t.hctx];
  for (const ctx of hctx.ctxs) t.list.takeAll(ctx.list);
  hctx.pendingInCtxs = 0;
  beginList(q, t, hctx.id, PHASE_ALL);
}

/** One request, from the software queue after the one served last. */
function pullOne(q: RequestQueue, t: TaskState): void {
  const hctx = q.hctxs[t.hctx];
  if (hctx.dispatch.size > 0) {
    runAgain(q, t);
    return;
  }
  if (hctx.pendingInCtxs === 0) {
    endRun(q, t);
    return;
  }
  let at = hctx.dispatchFrom;
  while (hctx.ctxs[at].list.size === 0) at = (at + 1) % hctx.ctxs.length;
  t.list.pushTail(hctx.ctxs[at].list.shift());
  hctx.pendingInCtxs--;
  hctx.dispatchFrom = (at + 1) % hctx.ctxs.length;
  beginList(q, t, hctx.id, PHASE_ONE);
}

/** As many as the scheduler gives, while there are driver tags; one while the driver is busy. */
function pullScheduled(q: RequestQueue, t: TaskState): void {
  const hctx = q.hctxs[t.hctx];
  const { scheduler, requests } = q;
  if (scheduler === undefined) throw new Error('block: no scheduler');
  const most = hctx.dispatchBusy > 0 ? 1 : q.nrRequests;
  let isFlushWaiting = false;
  let isHeldBack = false;
  for (let count = 0; count < most; count++) {
    if (!scheduler.hasWork(hctx.id)) break;
    if (hctx.dispatch.size > 0) {
      isFlushWaiting = true;
      break;
    }
    const rq = scheduler.dispatch(hctx.id);
    if (rq === NONE) {
      isHeldBack = true;
      break;
    }
    t.pulled.pushTail(rq);
    if (!q.getDriverTag(rq)) break;
  }
  if (t.pulled.size === 0) {
    if (isHeldBack) rerunLater(q, t.x);
    if (isFlushWaiting) runAgain(q, t);
    else endRun(q, t);
    return;
  }
  t.anyDrained = false;
  beginGroup(q, t, requests.hctx[t.pulled.head]);
}

/** The scheduler has work but gave none (a higher priority is in the driver, a domain has no token): nobody else may come to run the queue. */
function rerunLater(q: RequestQueue, x: number): void {
  for (const hctx of q.hctxs) if (wantsRun(q, x, hctx)) kickHwQueue(q, x, hctx, RESOURCE_DELAY_NS);
}

/** Issues the pulled requests of one hardware queue; the others follow. */
function beginGroup(q: RequestQueue, t: TaskState, hctxId: number): void {
  if (q.hctxs.length === 1) t.list.takeAll(t.pulled);
  else {
    for (let rq = t.pulled.head; rq !== NONE;) {
      const next = q.requests.next[rq];
      if (q.requests.hctx[rq] === hctxId) {
        t.pulled.remove(rq);
        t.list.pushTail(rq);
      }
      rq = next;
    }
  }
  beginList(q, t, hctxId, PHASE_SCHED);
}

/** A flush request came in meanwhile and must not starve: start over, the second time by kblockd. */
function runAgain(q: RequestQueue, t: TaskState): void {
  if (!t.again) {
    t.again = true;
    dispatchOnce(q, t);
    return;
  }
  kickHwQueue(q, t.x, q.hctxs[t.hctx], 0);
  endRun(q, t);
}

function endRun(q: RequestQueue, t: TaskState): void {
  t.hctx = NONE;
  leaveDispatch(q);
  q.machine.ret(t.x);
}

// ------------------------------------------------------------------------------------------------ one list

function beginList(q: RequestQueue, t: TaskState, hctxId: number, phase: number): void {
  t.phase = phase;
  t.listHctx = hctxId;
  t.listQueued = 0;
  t.needsResource = false;
  t.issueStatus = STS_OK;
  issueNext(q, t);
}

function issueNext(q: RequestQueue, t: TaskState): void {
  if (t.list.size === 0) {
    if (t.issueStatus !== STS_OK) commitRqs(q, t.x, t.listHctx, t.listQueued);
    q.hctxs[t.listHctx].updateBusy(false);
    listDone(q, t, true);
    return;
  }
  const rq = t.list.head;
  if (!q.getDriverTag(rq)) {
    q.hctxs[t.listHctx].restart = true;
    listStopped(q, t);
    return;
  }
  t.list.shift();
  q.mark(rq, waitStage(t));
  const { costs } = q.machine;
  const pickNs = t.phase === PHASE_SCHED ? q.scheduler?.dispatchCostNs : undefined;
  const costNs = pickNs ?? costs.dispatchNoneNs;
  issue(q, t, rq, t.list.size === 0, costNs, ISSUER_DISPATCH);
}

function waitStage(t: TaskState): number {
  return t.phase === PHASE_LEFTOVERS ? ST_WAIT_DISPATCH : ST_WAIT_SCHED;
}

/** The driver answered to a request of the list. */
export function requestDispatched(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const status = t.issueStatus;
  if (status === STS_OK) t.listQueued++;
  else if (status === STS_NO_KEYSLOT) {
    if (!holdForKeyslot(q, t.issueRq)) {
      t.list.pushHead(t.issueRq);
      listStopped(q, t);
      return;
    }
  } else if (isBusyStatus(status)) {
    t.needsResource = status === STS_RESOURCE;
    t.list.pushHead(t.issueRq);
    listStopped(q, t);
    return;
  } else endRequestInTask(q, x, t.issueRq, status);
  issueNext(q, t);
}

/** No tag, or the driver is busy: what is left goes to the dispatch list, and somebody has to run it again. */
function listStopped(q: RequestQueue, t: TaskState): void {
  const hctx = q.hctxs[t.listHctx];
  commitRqs(q, t.x, t.listHctx, t.listQueued);
  const stage = waitStage(t);
  for (let rq = t.list.head; rq !== NONE; rq = q.requests.next[rq]) q.mark(rq, stage);
  hctx.dispatch.takeAll(t.list);
  if (!hctx.restart) kickHwQueue(q, t.x, hctx, 0);
  else if (t.needsResource) kickHwQueue(q, t.x, hctx, RESOURCE_DELAY_NS);
  hctx.updateBusy(true);
  listDone(q, t, false);
}

function listDone(q: RequestQueue, t: TaskState, drained: boolean): void {
  switch (t.phase) {
    case PHASE_LEFTOVERS:
      t.oneByOne = true;
      if (drained) afterLeftovers(q, t);
      else endRun(q, t);
      return;
    case PHASE_ONE:
      if (drained) pullOne(q, t);
      else endRun(q, t);
      return;
    case PHASE_SCHED:
      t.anyDrained = t.anyDrained || drained;
      if (t.pulled.size > 0) beginGroup(q, t, q.requests.hctx[t.pulled.head]);
      else if (t.anyDrained) pullScheduled(q, t);
      else endRun(q, t);
      return;
    default:
      endRun(q, t);
  }
}

/** Tells a driver that batches its doorbell that no more follows, if it took any and did not see `last`. */
export function commitRqs(q: RequestQueue, x: number, hctx: number, queued: number): void {
  if (queued === 0 || q.lld?.commitRqs === undefined) return;
  q.counters.unplugs++;
  if (q.log.on) q.event('plug.unplugged', queued, x);
  q.lld.commitRqs(x, hctx);
}

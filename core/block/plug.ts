/**
 * The plug: requests that a task keeps back so that they merge and go to the driver together.
 *
 * Modelled: nested plugs, the flush at 32 requests and behind a request of 128 KiB, direct issue of the whole plug (U) without a scheduler, insertion by
 * (hctx, ctx) groups otherwise, and the flush by a task that goes to sleep (UT), which leaves the work to kblockd. Requests leave in the order in which they came.
 *
 * Not modelled: several devices on one plug (so never 64 requests), queue_rqs (whole lists at once), pre-allocated requests.
 *
 * @kernel v6.12 block/blk-mq.c blk_mq_flush_plug_list, blk_mq_plug_issue_direct, blk_mq_dispatch_plug_list; block/blk-merge.c blk_attempt_plug_merge
 */
import { ST_SUBMIT, ST_WAIT_PLUG } from '../trace/stages.ts';
import { holdForKeyslot, mayPassDispatchList } from './crypto-dispatch.ts';
import { commitRqs, kickHwQueue, runHwQueue } from './dispatch.ts';
import { bypassInsert, insertRequest } from './insert.ts';
import { canIssue, endRequestInTask, isBusyStatus, issue, noteDirectIssue } from './issue.ts';
import { mergeBio, wouldMerge } from './merge.ts';
import type { RequestQueue } from './queue.ts';
import { MERGE_BACK, MERGE_FRONT } from './scheduler.ts';
import { partDone } from './submit.ts';
import { ISSUER_PLUG, type TaskState } from './task.ts';
import { REQ_PASSTHROUGH, STS_NO_KEYSLOT, STS_OK } from './types.ts';

const NONE = -1;
/** @source blk-mq: BLK_MAX_REQUEST_COUNT 32 */
const MAX_REQUESTS = 32;
/** @source blk-mq: BLK_PLUG_FLUSH_SIZE 128 KiB */
const BIG_REQUEST_BYTES = 128 * 1024;

/** See Block.startPlug. */
export function startPlug(q: RequestQueue, x: number): void {
  q.task(x).plugDepth++;
}

/** See Block.finishPlug. */
export function finishPlug(q: RequestQueue, x: number): void {
  const t = q.task(x);
  if (t.plugDepth === 0) throw new Error(`block: ${q.machine.name(x)} finishes a plug it did not start`);
  t.plugDepth--;
  if (t.plugDepth > 0 || t.plug.size === 0) q.machine.ret(x);
  else flushPlug(q, t);
}

/** Whether the newest plugged request would take the bio: tells the cost of the submission beforehand. */
export function wouldMergeIntoPlug(q: RequestQueue, t: TaskState, bio: number): boolean {
  return t.plug.size > 0 && q.nomerges !== 2 && wouldMerge(q, t.plug.tail, bio);
}

export function mergeIntoPlug(q: RequestQueue, t: TaskState, bio: number): boolean {
  if (t.plug.size === 0) return false;
  const outcome = mergeBio(q, t.plug.tail, bio, ST_WAIT_PLUG);
  return outcome === MERGE_BACK || outcome === MERGE_FRONT;
}

/** Plugs a new request, after flushing the plug if it is full or its newest request is big. Goes on at `partDone`. */
export function addToPlug(q: RequestQueue, t: TaskState, rq: number): void {
  const { plug } = t;
  const isBig = plug.size > 0 && q.nomerges !== 2 && q.requests.bytes[plug.tail] >= BIG_REQUEST_BYTES;
  if (plug.size >= MAX_REQUESTS || isBig) {
    t.rq = rq;
    q.machine.pushReturn(t.x, q.kinds.plugFlushed, t.x);
    flushPlug(q, t);
    return;
  }
  append(q, t, rq);
  partDone(q, t.x);
}

export function plugFlushedForRequest(q: RequestQueue, x: number): void {
  const t = q.task(x);
  q.mark(t.rq, ST_WAIT_PLUG);
  append(q, t, t.rq);
  partDone(q, x);
}

function append(q: RequestQueue, t: TaskState, rq: number): void {
  const { machine, requests } = q;
  if (t.plug.size === 0) {
    q.counters.plugs++;
    if (q.log.on) q.event('plug.plugged', requests.serial[rq], t.x);
  }
  t.plug.pushTail(rq);
  // The task burns this before it does anything else, so the accounting may run ahead of the clock.
  const costNs = machine.costs.requestInitNs + machine.costs.plugAddNs;
  machine.charge(t.x, costNs);
  requests.rows.mark(rq, ST_SUBMIT, Math.max(requests.rows.lastNs[rq], q.engine.now) + costNs);
}

// ------------------------------------------------------------------------------------------------ flushing

/** Flushes the plug in the task's own time. Ends with `machine.ret(x)`. */
export function flushPlug(q: RequestQueue, t: TaskState): void {
  t.flushing.takeAll(t.plug);
  q.machine.charge(t.x, q.machine.costs.unplugNs);
  if (q.scheduler !== undefined) {
    plugGroups(q, t.x);
    return;
  }
  unplugged(q, t.flushing.size, false);
  t.flushHctx = NONE;
  t.flushQueued = 0;
  t.issueStatus = STS_OK;
  issueNext(q, t);
}

function unplugged(q: RequestQueue, depth: number, fromSchedule: boolean): void {
  q.counters.unplugs++;
  if (q.log.on) q.event(fromSchedule ? 'plug.unplugged_from_schedule' : 'plug.unplugged', depth, q.machine.current);
}

function issueNext(q: RequestQueue, t: TaskState): void {
  if (t.flushing.size === 0) {
    if (t.issueStatus !== STS_OK) commitFlushed(q, t);
    q.machine.ret(t.x);
    return;
  }
  const rq = t.flushing.head;
  const hctxId = q.requests.hctx[rq];
  if (hctxId !== t.flushHctx) {
    commitFlushed(q, t);
    t.flushHctx = hctxId;
  }
  const hctx = q.hctxs[hctxId];
  if (!canIssue(q, t.x, hctx) || !mayPassDispatchList(q, hctx)) {
    commitFlushed(q, t);
    plugGroups(q, t.x); // stopped, quiesced or blocked: they wait in the software queue
    return;
  }
  t.flushing.shift();
  q.mark(rq, ST_WAIT_PLUG);
  q.getDriverTag(rq);
  issue(q, t, rq, t.flushing.size === 0, q.machine.costs.directIssueNs, ISSUER_PLUG);
}

/** The driver was promised more than came: tells it that there is no more. */
function commitFlushed(q: RequestQueue, t: TaskState): void {
  if (t.flushHctx !== NONE) commitRqs(q, t.x, t.flushHctx, t.flushQueued);
  t.flushQueued = 0;
}

/** The driver answered to a request of the plug. */
export function pluggedIssued(q: RequestQueue, x: number): void {
  const t = q.task(x);
  noteDirectIssue(q, t);
  if (t.issueStatus === STS_OK) t.flushQueued++;
  else if (t.issueStatus === STS_NO_KEYSLOT) {
    if (!holdForKeyslot(q, t.issueRq)) bypassInsert(q, t.issueRq);
  } else if (isBusyStatus(t.issueStatus)) {
    bypassInsert(q, t.issueRq);
    commitFlushed(q, t);
    q.machine.pushReturn(x, q.kinds.plugGroups, x);
    runHwQueue(q, x, q.hctxs[t.issueHctx]);
    return;
  } else endRequestInTask(q, x, t.issueRq, t.issueStatus);
  issueNext(q, t);
}

/** Inserts what the flush still holds, group by group, and runs each group's hardware queue. Ends with `machine.ret(x)`. */
export function plugGroups(q: RequestQueue, x: number): void {
  const t = q.task(x);
  if (t.flushing.size === 0) {
    q.machine.ret(x);
    return;
  }
  const hctx = insertGroup(q, t, false);
  q.machine.pushReturn(x, q.kinds.plugGroups, x);
  runHwQueue(q, x, q.hctxs[hctx]);
}

/** Takes the first request's group (same hctx, CPU and kind) out of the flush and inserts it; returns its hctx. */
function insertGroup(q: RequestQueue, t: TaskState, fromSchedule: boolean): number {
  const { requests } = q;
  const first = t.flushing.head;
  const hctx = requests.hctx[first];
  const cpu = requests.cpu[first];
  const passthrough = requests.flags[first] & REQ_PASSTHROUGH;
  let depth = 0;
  for (let rq = first; rq !== NONE;) {
    const next = requests.next[rq];
    if (
      requests.hctx[rq] === hctx &&
      requests.cpu[rq] === cpu &&
      (requests.flags[rq] & REQ_PASSTHROUGH) === passthrough
    ) {
      t.flushing.remove(rq);
      t.pulled.pushTail(rq);
      depth++;
    }
    rq = next;
  }
  unplugged(q, depth, fromSchedule);
  while (t.pulled.size > 0) insertRequest(q, t.x, t.pulled.shift(), false, ST_WAIT_PLUG);
  return hctx;
}

/** See Block.flushPlugFromSchedule. */
export function flushPlugFromSchedule(q: RequestQueue, x: number): void {
  const t = q.task(x);
  if (t.plug.size === 0) return;
  t.flushing.takeAll(t.plug);
  q.machine.charge(x, q.machine.costs.unplugNs);
  while (t.flushing.size > 0) kickHwQueue(q, x, q.hctxs[insertGroup(q, t, true)], 0);
}

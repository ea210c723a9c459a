/**
 * The submission of a bio: checks, Q, queue enter, split, merge, tag, G, and on to the flush machine, the plug, the scheduler or the driver.
 *
 * CPU time comes in as few bursts as order allows: one from Q to G (or to the merge), one from G to the driver. What the submitter's own task burns after G
 * when it plugs the request is charged to whatever the task does next, and accounted ahead of the clock.
 *
 * Not modelled: partitions (no A event), blk-throttle, rq-qos, pre-allocated requests of a plug, polled queues (REQ_POLLED ends with NOTSUPP).
 *
 * @kernel v6.12 block/blk-core.c submit_bio_noacct, block/blk-mq.c blk_mq_submit_bio, blk_mq_try_issue_directly
 */
import { ST_SUBMIT, ST_WAIT_QUEUE } from '../trace/stages.ts';
import { contextRefusal, hasWholeUnits, SLOT_AFTER_TAG, SLOT_BEFORE_TAG } from './crypto.ts';
import { holdForKeyslot, mayPassDispatchList } from './crypto-dispatch.ts';
import { dropKeyslot, getKeyslotAfterTag, getKeyslotBeforeTag } from './crypto-submit.ts';
import { kickHwQueue, runHwQueue } from './dispatch.ts';
import { insertFlush } from './flush.ts';
import { endBio, endBioUncounted, exitQueue } from './free.ts';
import { getRequest } from './get-request.ts';
import { bypassInsert, insertRequest } from './insert.ts';
import { canIssue, endRequestInTask, isBusyStatus, issue, noteDirectIssue } from './issue.ts';
import { isBioMergeable, mergeIntoList } from './merge.ts';
import { addToPlug, flushPlug, flushPlugFromSchedule, mergeIntoPlug, wouldMergeIntoPlug } from './plug.ts';
import type { RequestQueue } from './queue.ts';
import { MERGE_BACK, MERGE_FRONT } from './scheduler.ts';
import { frontBytes, splitFront } from './split.ts';
import { ISSUER_SINGLE, type TaskState } from './task.ts';
import {
  OP_DISCARD,
  OP_FLUSH,
  OP_READ,
  OP_WRITE_ZEROES,
  REQ_FUA,
  REQ_NOWAIT,
  REQ_PASSTHROUGH,
  REQ_POLLED,
  REQ_PREFLUSH,
  REQ_SYNC,
  SECTOR_BYTES,
  STS_AGAIN,
  STS_INVAL,
  STS_IOERR,
  STS_NO_KEYSLOT,
  STS_NOTSUPP,
  STS_OK,
} from './types.ts';

const NONE = -1;
const FLUSH_FLAGS = REQ_PREFLUSH | REQ_FUA;

/** See Block.submitBio. */
export function submitBio(q: RequestQueue, x: number, bio: number): void {
  const t = q.task(x);
  if (t.bio !== NONE) throw new Error(`block: ${q.machine.name(x)} submits a bio while it submits one`);
  if (!q.machine.hasLaps(x)) enter(q, t, bio);
  else if (isStraight(q, bio)) {
    t.hasLead = true;
    enter(q, t, bio);
  } else {
    t.bio = bio;
    q.machine.run(x, 0, q.kinds.leadOver, x);
  }
}

/** A bio that nothing but the tag can hold up or turn away: the time before its Q may be burnt together with the time after it. */
function isStraight(q: RequestQueue, bio: number): boolean {
  const { bios, limits } = q;
  const isFlushForNothing = (bios.flags[bio] & FLUSH_FLAGS) !== 0 && !limits.writeCache;
  if (q.freezeDepth > 0 || isFlushForNothing || refusal(q, bio) !== STS_OK) return false;
  if ((bios.flags[bio] & REQ_PASSTHROUGH) !== 0) return true;
  return isAligned(q, bio) && !isMisalignedForCrypto(q, bio) && frontBytes(q, bio) === 0;
}

/** The laps before a submission that is not straight are over: Q. */
export function leadOver(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const { bio } = t;
  t.bio = NONE;
  q.engine.call(q.bios.queuedKind[bio], bio);
  enter(q, t, bio);
}

function enter(q: RequestQueue, t: TaskState, bio: number): void {
  const { bios } = q;
  const { x } = t;
  bios.queuedNs[bio] = bios.rows.startNs[bio];
  if (!t.hasLead) {
    const status = refusal(q, bio);
    if (status !== STS_OK || isEmptyFlushForNothing(q, bio)) {
      if (bios.keyId[bio] >= 0) q.keyslots.refused++;
      bios.rows.mark(bio, ST_SUBMIT, q.engine.now);
      endBioUncounted(q, bio, status);
      q.machine.ret(x);
      return;
    }
  }
  bios.serial[bio] = q.takeBioSerial();
  bios.cpu[bio] = q.machine.cpuOf(x);
  q.counters.bios++;
  q.counters.bytesQueued += bios.bytes[bio];
  if (q.log.on && !t.hasLead) q.event('bio.queued', bios.serial[bio], bios.io[bio]);
  t.bio = bio;
  startPart(q, t);
}

/** The laps before the submission are over: what could not be known before they were. */
function takeLead(q: RequestQueue, t: TaskState): void {
  const { bios } = q;
  const { bio } = t;
  t.hasLead = false;
  q.engine.call(bios.queuedKind[bio], bio);
  bios.queuedNs[bio] = bios.rows.startNs[bio];
  if (q.log.on) q.event('bio.queued', bios.serial[bio], bios.io[bio], bios.queuedNs[bio]);
}

/** What submit_bio refuses before Q: STS_OK when nothing. */
function refusal(q: RequestQueue, bio: number): number {
  const { bios, limits } = q;
  const op = bios.op[bio];
  const flags = bios.flags[bio];
  if ((flags & REQ_PASSTHROUGH) !== 0) return STS_OK;
  if (bios.sector[bio] + bios.bytes[bio] / SECTOR_BYTES > (q.config.capacitySectors ?? Infinity)) return STS_IOERR;
  if (op === OP_FLUSH) return STS_NOTSUPP; // a flush is an empty write with PREFLUSH
  if (op === OP_DISCARD && limits.maxDiscardSectors === 0) return STS_NOTSUPP;
  if (op === OP_WRITE_ZEROES && limits.maxWriteZeroesSectors === 0) return STS_NOTSUPP;
  if ((flags & REQ_POLLED) !== 0) return STS_NOTSUPP;
  return bios.keyId[bio] >= 0 ? contextRefusal(q, bio) : STS_OK;
}

/** Without a write cache PREFLUSH and FUA mean nothing, and an empty flush is over at once. */
function isEmptyFlushForNothing(q: RequestQueue, bio: number): boolean {
  const { bios, limits } = q;
  if ((bios.flags[bio] & FLUSH_FLAGS) === 0 || limits.writeCache) return false;
  bios.flags[bio] &= ~FLUSH_FLAGS;
  return bios.bytes[bio] === 0;
}

/** One part: the whole bio, the front of a split one, or what was left of it. */
function startPart(q: RequestQueue, t: TaskState): void {
  if (q.freezeDepth > 0) {
    waitForThaw(q, t);
    return;
  }
  q.usage++;
  if (q.plugPerBio && t.plugDepth === 0 && !q.machine.isAtomic(t.x)) {
    t.plugDepth = 1;
    t.implicitPlug = true;
  }
  preparePart(q, t);
}

function waitForThaw(q: RequestQueue, t: TaskState): void {
  const { bios, machine } = q;
  bios.rows.mark(t.bio, ST_SUBMIT, q.engine.now);
  if ((bios.flags[t.bio] & REQ_NOWAIT) !== 0 || machine.isAtomic(t.x)) {
    if ((bios.flags[t.bio] & REQ_NOWAIT) === 0) machine.assertMaySleep(t.x, 'entering a frozen queue');
    q.usage++;
    failPart(q, t, STS_AGAIN);
    return;
  }
  flushPlugFromSchedule(q, t.x);
  q.frozenOut.push(t.x);
  machine.sleep(t.x, q.kinds.queueThawed, t.x);
}

/** Woken by an unfreeze. */
export function queueThawed(q: RequestQueue, x: number): void {
  const t = q.task(x);
  q.bios.rows.mark(t.bio, ST_WAIT_QUEUE, q.engine.now);
  startPart(q, t);
}

function preparePart(q: RequestQueue, t: TaskState): void {
  const { bios, machine } = q;
  const { costs } = machine;
  let { bio } = t;
  let costNs = 0;
  if ((bios.flags[bio] & REQ_PASSTHROUGH) === 0 && !t.hasLead) {
    if (!isAligned(q, bio)) {
      failPart(q, t, STS_IOERR);
      return;
    }
    if (isMisalignedForCrypto(q, bio)) {
      q.keyslots.refused++;
      failPart(q, t, STS_INVAL);
      return;
    }
    const front = frontBytes(q, bio);
    if (front > 0) {
      if ((bios.flags[bio] & REQ_NOWAIT) !== 0) {
        failPart(q, t, STS_AGAIN);
        return;
      }
      t.rest = bio;
      bio = splitFront(q, bio, front);
      t.bio = bio;
      costNs = costs.splitNs;
    }
  }
  costNs += wouldMergeIntoPlug(q, t, bio) ? costs.bioMergeNs : costs.bioQueueNs;
  machine.run(t.x, costNs, q.kinds.bioQueued, t.x);
}

/** Whole logical blocks. (By division: the remainder of two doubles is slow.) */
function isAligned(q: RequestQueue, bio: number): boolean {
  const firstBlock = (q.bios.sector[bio] * SECTOR_BYTES) / q.limits.logicalBlockSize;
  const blocks = q.bios.bytes[bio] / q.limits.logicalBlockSize;
  return Math.floor(firstBlock) === firstBlock && Math.floor(blocks) === blocks;
}

/** Part of a data unit in an encrypted bio; looked at once, before the first split. */
function isMisalignedForCrypto(q: RequestQueue, bio: number): boolean {
  if (q.bios.keyId[bio] < 0 || q.crypto === undefined) return false;
  return q.bios.remaining[bio] === 1 && !hasWholeUnits(q, bio);
}

/** The CPU time up to the merge or to G is burnt. */
export function bioQueued(q: RequestQueue, x: number): void {
  const t = q.task(x);
  if (t.hasLead) takeLead(q, t);
  if (q.nomerges !== 2 && isBioMergeable(q, t.bio) && mergeSomewhere(q, t)) {
    exitQueue(q);
    partDone(q, x);
    return;
  }
  if (q.slotWhen === SLOT_BEFORE_TAG && q.bios.keyId[t.bio] >= 0) getKeyslotBeforeTag(q, t);
  else getRequest(q, t);
}

function mergeSomewhere(q: RequestQueue, t: TaskState): boolean {
  if (mergeIntoPlug(q, t, t.bio)) return true;
  const cpu = q.machine.cpuOf(t.x);
  if (q.scheduler !== undefined) {
    const outcome = q.scheduler.bioMerge(t.bio, q.hctxOfCpu[cpu], cpu);
    return outcome === MERGE_BACK || outcome === MERGE_FRONT;
  }
  const { list } = q.ctxOfCpu[cpu];
  return list.size > 0 && mergeIntoList(q, list, t.bio);
}

/** The part fails without a request. */
export function failPart(q: RequestQueue, t: TaskState, status: number): void {
  q.bios.rows.mark(t.bio, ST_SUBMIT, q.engine.now);
  t.waitsForTag = false;
  t.sleptForTag = false;
  if (t.keyslot !== NONE) dropKeyslot(q, t);
  endBio(q, t.bio, status);
  exitQueue(q);
  partDone(q, t.x);
}

/** G has happened: the request gets its keyslot, if it needs one now. */
export function requestGot(q: RequestQueue, t: TaskState, rq: number): void {
  if (q.requests.keyId[rq] >= 0 && q.slotWhen === SLOT_AFTER_TAG) getKeyslotAfterTag(q, t, rq);
  else requestReady(q, t, rq);
}

/** The request has all it needs to be in the queue: where it goes now. */
export function requestReady(q: RequestQueue, t: TaskState, rq: number): void {
  const flags = q.requests.flags[rq];
  if ((flags & REQ_PASSTHROUGH) !== 0) {
    q.machine.charge(t.x, q.machine.costs.requestInitNs);
    insertAndRun(q, t, rq);
  } else if ((flags & FLUSH_FLAGS) !== 0 && insertFlush(q, t.x, rq)) partDone(q, t.x);
  else if (t.plugDepth > 0) addToPlug(q, t, rq);
  else issueUnplugged(q, t, rq);
}

function issueUnplugged(q: RequestQueue, t: TaskState, rq: number): void {
  const { machine, requests } = q;
  const hctx = q.hctxs[requests.hctx[rq]];
  const { costs } = machine;
  machine.charge(t.x, costs.requestInitNs);
  const isAsync = requests.op[rq] !== OP_READ && (requests.flags[rq] & (REQ_SYNC | FLUSH_FLAGS)) === 0;
  if (requests.useSched[rq] !== 0 || (hctx.dispatchBusy > 0 && (q.hctxs.length === 1 || isAsync))) {
    insertRequest(q, t.x, rq, false, ST_SUBMIT);
    kickHwQueue(q, t.x, hctx, 0);
    partDone(q, t.x);
  } else if (!canIssue(q, t.x, hctx) || !mayPassDispatchList(q, hctx) || !q.getDriverTag(rq)) insertAndRun(q, t, rq);
  else issue(q, t, rq, true, costs.directIssueNs, ISSUER_SINGLE);
}

function insertAndRun(q: RequestQueue, t: TaskState, rq: number): void {
  const hctx = q.hctxs[q.requests.hctx[rq]];
  insertRequest(q, t.x, rq, false, ST_SUBMIT);
  q.machine.pushReturn(t.x, q.kinds.partDone, t.x);
  runHwQueue(q, t.x, hctx);
}

/** The driver answered to a request issued on its own. */
export function singleIssued(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const status = t.issueStatus;
  noteDirectIssue(q, t);
  if (status === STS_NO_KEYSLOT) {
    if (!holdForKeyslot(q, t.issueRq)) bypassInsert(q, t.issueRq);
    partDone(q, x);
    return;
  }
  if (isBusyStatus(status)) {
    const rq = t.issueRq;
    const hctx = q.hctxs[q.requests.hctx[rq]];
    bypassInsert(q, rq);
    q.machine.pushReturn(x, q.kinds.partDone, x);
    runHwQueue(q, x, hctx);
    return;
  }
  if (status !== STS_OK) endRequestInTask(q, x, t.issueRq, status);
  partDone(q, x);
}

/** The part is on its way: close the plug that was opened for it, then go on with the rest, or back to the submitter. */
export function partDone(q: RequestQueue, x: number): void {
  const t = q.task(x);
  if (t.implicitPlug) {
    t.implicitPlug = false;
    t.plugDepth = 0;
    if (t.plug.size > 0) {
      q.machine.pushReturn(x, q.kinds.nextPart, x);
      flushPlug(q, t);
      return;
    }
  }
  nextPart(q, x);
}

export function nextPart(q: RequestQueue, x: number): void {
  const t = q.task(x);
  t.bio = t.rest;
  t.rest = NONE;
  if (t.bio === NONE) q.machine.ret(x);
  else startPart(q, t);
}

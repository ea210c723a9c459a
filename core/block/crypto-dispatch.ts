/**
 * Taking the keyslot at dispatch, like a driver tag: the designs that were discussed and not built. Nothing sleeps for a slot here; a request that finds none is
 * held, and tried again once the profile says that a slot may be had.
 *
 * `dispatch-block` gives the request back to the dispatch list and stops its hardware queue; the other two set it aside on a list of its hardware
 * queue, in order of arrival. Programming happens in the dispatching context: it burns CPU time there, or sleeps, which is a breach unless the tag set is BLOCKING. While
 * somebody programs, nobody else can, and a request that would have to is held as if there were no slot.
 *
 * `@assume` a refused or requeued request loses its slot as it loses its driver tag; requests that were set aside go before new ones that need an idle slot.
 *
 * @kernel none: after the discussion of versions 6 and 7 of the inline encryption series; inline-crypto.md 2 (b), (c)
 */
import { EBUSY, NEEDS_PROGRAM, NO_SLOT, OK } from '../crypto/profile/types.ts';
import { ST_WAIT_KEYSLOT } from '../trace/stages.ts';
import { HOLD_ALL, HOLD_ENCRYPTED, setKeyslot, statusOfErrno } from './crypto.ts';
import { kickHwQueue } from './dispatch.ts';
import { schedRestart } from './free.ts';
import type { Hctx } from './hctx.ts';
import { issueAnswered, issueToDriver, leaveDispatch, takeBack } from './issue.ts';
import type { RequestQueue } from './queue.ts';
import type { TaskState } from './task.ts';
import { STS_IOERR, STS_NO_KEYSLOT, STS_RESOURCE } from './types.ts';

const NONE = -1;

/** An encrypted request without a slot is to be issued: gets it one, then issues it; or goes on as after an issue, with a status that says why not. */
export function issueWithKeyslot(q: RequestQueue, t: TaskState, rq: number, costNs: number): void {
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  const keyId = q.requests.keyId[rq];
  const slot = mayTry(q, rq) ? profile.tryGet(t.x, keyId) : NO_SLOT;
  if (slot === NO_SLOT || (slot === NEEDS_PROGRAM && hasWaitersBefore(q, rq))) {
    answer(q, t, STS_NO_KEYSLOT);
  } else if (slot === NEEDS_PROGRAM) {
    t.keyRq = rq;
    t.issueCostNs = costNs;
    assertMayProgram(q, t.x, profile.hardware.maySleep);
    q.dispatchers++;
    q.machine.pushReturn(t.x, q.kinds.keyslotProgrammed, t.x);
    profile.tryProgram(t.x, keyId);
  } else {
    setKeyslot(q, rq, slot);
    issueToDriver(q, t, rq, costNs);
  }
}

/**
 * Only a BLOCKING tag set may sleep in its dispatch; any other is in an RCU read section there. Where the driver may, that is a breach, and the run goes on.
 * @kernel v6.12 block/blk-mq.h __blk_mq_run_dispatch_ops
 */
function assertMayProgram(q: RequestQueue, x: number, maySleep: boolean): void {
  if (!maySleep || q.blocking) return;
  const where = `in ${q.machine.name(x)}, in the dispatch of a queue that is not BLOCKING`;
  q.machine.violate('atomic-sleep', `programming a key may sleep, called ${where}`);
}

/** With `dispatch-hold-encrypted` nobody tries while others are held, not even one whose key is loaded. */
function mayTry(q: RequestQueue, rq: number): boolean {
  return q.holdClass !== HOLD_ENCRYPTED || !hasWaitersBefore(q, rq);
}

/** A request was set aside before this one. (When a run retries those that were, they are in its own list until they are held again.) */
function hasWaitersBefore(q: RequestQueue, rq: number): boolean {
  const { keyWaiters } = q.hctxs[q.requests.hctx[rq]];
  return keyWaiters.size > 0 && q.requests.heldAs[keyWaiters.head] < q.requests.heldAs[rq];
}

/** The profile has programmed the key, or could not. */
export function keyslotProgrammed(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  const rq = t.keyRq;
  t.keyRq = NONE;
  leaveDispatch(q);
  const status = profile.status(x);
  if (status === OK) {
    setKeyslot(q, rq, profile.gotSlot(x));
    issueToDriver(q, t, rq, t.issueCostNs);
  } else if (status === EBUSY) {
    tryLater(q, t, rq);
  } else {
    q.keyslots.errors++;
    const final = statusOfErrno(status);
    answer(q, t, final === STS_RESOURCE ? STS_IOERR : final); // no memory is no reason to try again for ever
  }
}

/** Somebody else was quicker, or the device is busy: then nobody would tell when it is not, and the queue runs again after a while. */
function tryLater(q: RequestQueue, t: TaskState, rq: number): void {
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  const slot = profile.tryGet(t.x, q.requests.keyId[rq]);
  if (slot === NO_SLOT) answer(q, t, STS_NO_KEYSLOT);
  else if (slot === NEEDS_PROGRAM) {
    takeBack(q, rq);
    answer(q, t, STS_RESOURCE);
  } else {
    setKeyslot(q, rq, slot);
    issueToDriver(q, t, rq, t.issueCostNs);
  }
}

function answer(q: RequestQueue, t: TaskState, status: number): void {
  t.issueStatus = status;
  issueAnswered(q, t);
}

/** The request found no slot (STS_NO_KEYSLOT). True: it was set aside. False: its hardware queue is blocked, and the caller puts it on the dispatch list. */
export function holdForKeyslot(q: RequestQueue, rq: number): boolean {
  const { requests } = q;
  const hctx = q.hctxs[requests.hctx[rq]];
  const hadTag = requests.tag[rq] >= 0;
  q.putDriverTag(rq);
  q.keyslots.held++;
  if (q.log.on) q.event('request.held', requests.serial[rq], requests.keyId[rq]);
  if (q.holdClass !== HOLD_ALL) setAside(q, hctx, rq);
  else if (hctx.blockedBy === NONE) {
    hctx.blockedBy = rq;
    hctx.blockedNs = q.engine.now;
    q.keyslots.blocks++;
  }
  if (hadTag && requests.tag[rq] < 0) schedRestart(q, hctx);
  return q.holdClass !== HOLD_ALL;
}

/** To its place: behind all that were held for the first time before it was. */
function setAside(q: RequestQueue, hctx: Hctx, rq: number): void {
  const { heldAs, prev } = q.requests;
  if (heldAs[rq] === Infinity) heldAs[rq] = ++q.heldSoFar;
  let before = hctx.keyWaiters.tail;
  while (before !== NONE && heldAs[before] > heldAs[rq]) before = prev[before];
  if (before === NONE) hctx.keyWaiters.pushHead(rq);
  else hctx.keyWaiters.insertAfter(rq, before);
}

/** The profile says that a slot may be had: kblockd runs every hardware queue that waits for one. Instantaneous; any context. */
export function keyslotAvailable(q: RequestQueue): void {
  const x = q.machine.current;
  for (const hctx of q.hctxs) {
    if (hctx.blockedBy !== NONE) unblock(q, hctx);
    else if (hctx.keyWaiters.size > 0) hctx.retryKeys = true;
    else continue;
    kickHwQueue(q, x, hctx, 0);
  }
}

function unblock(q: RequestQueue, hctx: Hctx): void {
  q.mark(hctx.blockedBy, ST_WAIT_KEYSLOT);
  q.keyslots.blockedNs += q.engine.now - hctx.blockedNs;
  hctx.blockedBy = NONE;
}

/** A run begins: requests that were set aside go first, in order of arrival, if a slot may be had. */
export function takeKeyWaiters(q: RequestQueue, t: TaskState, hctx: Hctx): void {
  hctx.retryKeys = false;
  for (let rq = hctx.keyWaiters.head; rq !== NONE; rq = q.requests.next[rq]) q.mark(rq, ST_WAIT_KEYSLOT);
  t.list.takeAll(hctx.keyWaiters);
}

/** Whether requests of this hardware queue may be issued directly: not past one that waits for its slot on the dispatch list. */
export function mayPassDispatchList(q: RequestQueue, hctx: Hctx): boolean {
  return q.holdClass !== HOLD_ALL || (hctx.blockedBy === NONE && hctx.dispatch.size === 0);
}

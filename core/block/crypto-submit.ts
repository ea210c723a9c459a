/**
 * Taking the keyslot in the submission: after the tag (`submit`) or before it (`before-tag`). Both may sleep; going to sleep lets the plug go, so that requests
 * parked there with slots of their own move on.
 *
 * The no-wait flag means nothing here, as in the kernel: a no-wait bio sleeps for its slot. `@assume` the device that was resumed when the bio entered the queue is
 * still awake, so that a resume inside the get does not sleep and does not flush the plug.
 *
 * @kernel v6.16 block/blk-mq.c blk_mq_submit_bio, block/blk-crypto.c __blk_crypto_rq_get_keyslot; inline-crypto.md 1.6, 2
 */
import { NO_SLOT, OK } from '../crypto/profile/types.ts';
import { ST_SUBMIT } from '../trace/stages.ts';
import { setKeyslot, statusOfErrno } from './crypto.ts';
import { getRequest } from './get-request.ts';
import { endRequestInTask } from './issue.ts';
import { flushPlugFromSchedule } from './plug.ts';
import type { RequestQueue } from './queue.ts';
import { failPart, partDone, requestReady } from './submit.ts';
import type { TaskState } from './task.ts';
import { STS_AGAIN } from './types.ts';

const NONE = -1;

/** `submit`: the request owns its tag and gets its slot; goes on at `requestReady`, or ends the request. */
export function getKeyslotAfterTag(q: RequestQueue, t: TaskState, rq: number): void {
  const slot = getAtOnce(q, t.x, q.requests.keyId[rq]);
  if (slot !== NO_SLOT) {
    setKeyslot(q, rq, slot);
    requestReady(q, t, rq);
    return;
  }
  t.keyRq = rq;
  if (q.machine.isAtomic(t.x)) {
    q.machine.assertMaySleep(t.x, 'blk_crypto_rq_get_keyslot');
    endWithoutSlot(q, t, STS_AGAIN);
    return;
  }
  getSlowly(q, t.x, q.requests.keyId[rq], q.kinds.keyslotGot);
}

/** The profile has answered to a request with a tag. */
export function keyslotGot(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  if (profile.status(x) !== OK) {
    endWithoutSlot(q, t, statusOfErrno(profile.status(x)));
    return;
  }
  const rq = t.keyRq;
  t.keyRq = NONE;
  setKeyslot(q, rq, profile.gotSlot(x));
  requestReady(q, t, rq);
}

/** The key could not be programmed: the bio ends with the status, request and tag are freed. */
function endWithoutSlot(q: RequestQueue, t: TaskState, status: number): void {
  const rq = t.keyRq;
  t.keyRq = NONE;
  q.keyslots.errors++;
  endRequestInTask(q, t.x, rq, status);
  partDone(q, t.x);
}

/** `before-tag`: the bio gets its slot and then its tag; goes on at `getRequest`, or fails the part. */
export function getKeyslotBeforeTag(q: RequestQueue, t: TaskState): void {
  const keyId = q.bios.keyId[t.bio];
  const slot = getAtOnce(q, t.x, keyId);
  if (slot !== NO_SLOT) {
    holdForTag(q, t, slot);
    return;
  }
  q.bios.rows.mark(t.bio, ST_SUBMIT, q.engine.now);
  if (q.machine.isAtomic(t.x)) {
    q.machine.assertMaySleep(t.x, 'blk_crypto_get_keyslot');
    failPart(q, t, STS_AGAIN);
    return;
  }
  getSlowly(q, t.x, keyId, q.kinds.keyslotGotFirst);
}

/** The profile has answered to a bio without a tag. */
export function keyslotGotFirst(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  if (profile.status(x) === OK) holdForTag(q, t, profile.gotSlot(x));
  else {
    q.keyslots.errors++;
    failPart(q, t, statusOfErrno(profile.status(x)));
  }
}

function holdForTag(q: RequestQueue, t: TaskState, slot: number): void {
  t.keyslot = slot;
  t.keyslotNs = q.engine.now;
  getRequest(q, t);
}

/** The request that the bio became takes its slot over. */
export function handOverKeyslot(q: RequestQueue, t: TaskState, rq: number): void {
  setKeyslot(q, rq, t.keyslot);
  q.requests.keyslotNs[rq] = t.keyslotNs;
  t.keyslot = NONE;
}

/** The bio failed for want of a tag: its slot is given back. */
export function dropKeyslot(q: RequestQueue, t: TaskState): void {
  q.keyslots.heldNs += q.engine.now - t.keyslotNs;
  q.crypto?.profile.put(t.x, t.keyslot);
  t.keyslot = NONE;
}

/** The slot that has the key already, without sleeping; NO_SLOT when `get` has to be asked, which looks again. */
function getAtOnce(q: RequestQueue, x: number, keyId: number): number {
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  const isLoaded = profile.hardware.lock.isReadable && profile.table.find(keyId) !== NO_SLOT;
  return isLoaded ? profile.getFast(x, keyId) : NO_SLOT;
}

function getSlowly(q: RequestQueue, x: number, keyId: number, kind: number): void {
  const profile = q.crypto?.profile;
  if (profile === undefined) throw new Error('block: a keyslot without a profile');
  const { hardware, table } = profile;
  if (table.idleCount === 0 || !hardware.lock.isFree || hardware.maySleep) flushPlugFromSchedule(q, x);
  q.machine.pushReturn(x, kind, x);
  profile.get(x, keyId);
}

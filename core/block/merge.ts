/**
 * Merging: whether a bio may join a request (or a request another), and doing it.
 *
 * All rules of one device's queue are here; where the candidates come from is the business of the plug, the software queue and the scheduler.
 *
 * Not modelled: cgroup policy, integrity, ATOMIC, zones. Discards never merge (`@assume`: no multi-range discard, max_discard_segments 1).
 *
 * @kernel v6.12 block/blk-merge.c (blk_rq_merge_ok, ll_back_merge_fn, ll_front_merge_fn, attempt_merge), block/blk-crypto.c
 */
import { copyDun, rowsAreContiguous } from '../crypto/dun.ts';
import { unitBitsOf } from '../crypto/key.ts';
import { ST_SUBMIT, ST_WAIT_SCHED } from '../trace/stages.ts';
import { putKeyslot } from './crypto.ts';
import { freeRequest } from './free.ts';
import type { RequestList } from './list.ts';
import type { RequestQueue } from './queue.ts';
import { RQ_IDLE } from './request.ts';
import { MERGE_BACK, MERGE_FAILED, MERGE_FRONT, MERGE_NONE, TOUCH_BACK, TOUCH_FRONT, TOUCH_NONE } from './scheduler.ts';
import { maxSectorsAt, physicalSegments } from './split.ts';
import { OP_READ, OP_WRITE, REQ_FUA, REQ_NOMERGE, REQ_PASSTHROUGH, REQ_PREFLUSH, SECTOR_BYTES } from './types.ts';

const NONE = -1;
const NEVER_MERGED = REQ_NOMERGE | REQ_PREFLUSH | REQ_FUA | REQ_PASSTHROUGH;
/** @source blk-merge: the newest 8 requests of a list are tried */
const SCAN_DEPTH = 8;

/** Whether this bio could ever be merged. */
export function isBioMergeable(q: RequestQueue, bio: number): boolean {
  return (q.bios.flags[bio] & NEVER_MERGED) === 0 && q.bios.op[bio] <= OP_WRITE && q.bios.bytes[bio] > 0;
}

function isRequestMergeable(q: RequestQueue, rq: number): boolean {
  const { requests } = q;
  return (
    (requests.op[rq] === OP_READ || requests.op[rq] === OP_WRITE) &&
    (requests.flags[rq] & NEVER_MERGED) === 0 &&
    requests.state[rq] === RQ_IDLE &&
    requests.attempts[rq] === 0 &&
    requests.flushSeq[rq] === 0 &&
    requests.dontprep[rq] === 0
  );
}

/** Everything but place and size. */
function mayJoin(q: RequestQueue, rq: number, bio: number): boolean {
  const { requests, bios } = q;
  return (
    isRequestMergeable(q, rq) &&
    isBioMergeable(q, bio) &&
    requests.op[rq] === bios.op[bio] &&
    requests.ioprio[rq] === bios.ioprio[bio] &&
    requests.writeHint[rq] === bios.writeHint[bio] &&
    requests.keyId[rq] === bios.keyId[bio] &&
    requests.dataUnitSize[rq] === bios.dataUnitSize[bio]
  );
}

/** Where the bio touches the request: TOUCH_*. */
export function touch(q: RequestQueue, rq: number, bio: number): number {
  const { requests, bios } = q;
  const sector = requests.sector[rq];
  const bioSector = bios.sector[bio];
  if (sector + requests.bytes[rq] / SECTOR_BYTES === bioSector) return TOUCH_BACK;
  if (bioSector + bios.bytes[bio] / SECTOR_BYTES === sector) return TOUCH_FRONT;
  return TOUCH_NONE;
}

/** Whether data unit numbers run on across the join (bio_crypt_ctx_mergeable). */
function cryptoAllows(q: RequestQueue, rq: number, bio: number, where: number): boolean {
  const { requests, bios } = q;
  if (requests.keyId[rq] < 0) return true;
  const unitBits = unitBitsOf(requests.dataUnitSize[rq]);
  return where === TOUCH_BACK
    ? rowsAreContiguous(requests.dun, rq, requests.bytes[rq], unitBits, bios.dun, bio)
    : rowsAreContiguous(bios.dun, bio, bios.bytes[bio], unitBits, requests.dun, rq);
}

function sizeAllows(q: RequestQueue, rq: number, bio: number, where: number): boolean {
  const { requests, bios } = q;
  const start = where === TOUCH_BACK ? requests.sector[rq] : bios.sector[bio];
  const sectors = (requests.bytes[rq] + bios.bytes[bio]) / SECTOR_BYTES;
  return (
    sectors <= maxSectorsAt(q, requests.op[rq], start) &&
    requests.segments[rq] + physicalSegments(q, bio) <= q.limits.maxSegments
  );
}

/** Whether a merge of the bio would succeed now (nothing is changed). */
export function wouldMerge(q: RequestQueue, rq: number, bio: number): boolean {
  if (!mayJoin(q, rq, bio)) return false;
  const where = touch(q, rq, bio);
  return where !== TOUCH_NONE && cryptoAllows(q, rq, bio, where) && sizeAllows(q, rq, bio, where);
}

/** Merges the bio into the request if every rule allows; `stage` is what the request has been waiting in. Returns MERGE_*. */
export function mergeBio(q: RequestQueue, rq: number, bio: number, stage: number): number {
  if (!mayJoin(q, rq, bio)) return MERGE_NONE;
  const where = touch(q, rq, bio);
  if (where === TOUCH_NONE) return MERGE_NONE;
  if (!cryptoAllows(q, rq, bio, where)) return MERGE_FAILED;
  if (!sizeAllows(q, rq, bio, where)) {
    q.requests.flags[rq] |= REQ_NOMERGE;
    return MERGE_FAILED;
  }
  joinRows(q, rq, bio, stage);
  attachBio(q, rq, bio, where);
  q.counters.merges++;
  if (q.log.on)
    q.event(where === TOUCH_BACK ? 'bio.back_merged' : 'bio.front_merged', q.bios.serial[bio], q.requests.serial[rq]);
  return where === TOUCH_BACK ? MERGE_BACK : MERGE_FRONT;
}

function joinRows(q: RequestQueue, rq: number, bio: number, stage: number): void {
  q.mark(rq, stage);
  const { rows } = q.bios;
  rows.mark(bio, ST_SUBMIT, q.requests.rows.lastNs[rq]); // now, or later if the request is accounted ahead of the clock
  rows.join(bio, q.requests.rows, rq);
}

function attachBio(q: RequestQueue, rq: number, bio: number, where: number): void {
  const { requests, bios } = q;
  if (where === TOUCH_BACK) {
    bios.next[requests.biotail[rq]] = bio;
    requests.biotail[rq] = bio;
  } else {
    bios.next[bio] = requests.bio[rq];
    requests.bio[rq] = bio;
    requests.sector[rq] = bios.sector[bio];
    if (bios.keyId[bio] >= 0) copyDun(bios.dun, bio, requests.dun, rq);
  }
  requests.bytes[rq] += bios.bytes[bio];
  requests.totalBytes[rq] += bios.bytes[bio];
  requests.segments[rq] += physicalSegments(q, bio);
  requests.bios[rq]++;
}

/** Tries the newest requests of a list; for the software queues. Returns whether the bio was merged. */
export function mergeIntoList(q: RequestQueue, list: RequestList, bio: number): boolean {
  let rq = list.tail;
  for (let tried = 0; rq !== NONE && tried < SCAN_DEPTH; tried++, rq = q.requests.prev[rq]) {
    const outcome = mergeBio(q, rq, bio, ST_WAIT_SCHED);
    if (outcome === MERGE_NONE) continue;
    return outcome !== MERGE_FAILED;
  }
  return false;
}

/** Whether `next` may be appended to `rq`. */
export function areRequestsMergeable(q: RequestQueue, rq: number, next: number): boolean {
  const { requests } = q;
  return (
    isRequestMergeable(q, rq) &&
    isRequestMergeable(q, next) &&
    requests.op[rq] === requests.op[next] &&
    requests.ioprio[rq] === requests.ioprio[next] &&
    requests.writeHint[rq] === requests.writeHint[next] &&
    requests.sector[rq] + requests.bytes[rq] / SECTOR_BYTES === requests.sector[next] &&
    requests.keyId[rq] === requests.keyId[next] &&
    requests.dataUnitSize[rq] === requests.dataUnitSize[next] &&
    (requests.keyId[rq] < 0 ||
      rowsAreContiguous(
        requests.dun,
        rq,
        requests.bytes[rq],
        unitBitsOf(requests.dataUnitSize[rq]),
        requests.dun,
        next,
      )) &&
    (requests.bytes[rq] + requests.bytes[next]) / SECTOR_BYTES <=
      maxSectorsAt(q, requests.op[rq], requests.sector[rq]) &&
    requests.segments[rq] + requests.segments[next] <= q.limits.maxSegments
  );
}

/** Appends `next` to `rq` and frees it. Both wait in the scheduler. The merged request keeps the earlier start time. */
export function mergeRequests(q: RequestQueue, rq: number, next: number): void {
  const { requests, bios } = q;
  q.mark(rq, ST_WAIT_SCHED);
  q.mark(next, ST_WAIT_SCHED);
  alignRows(q, rq, next);
  detachRows(q, next);
  if (requests.queuedNs[next] < requests.queuedNs[rq]) {
    detachRows(q, rq);
    requests.rows.copyFrom(rq, requests.rows, next);
    requests.io[rq] = requests.io[next]; // whose submission the stamps tell of
    requests.queuedNs[rq] = requests.queuedNs[next];
    requests.gotNs[rq] = requests.gotNs[next];
    requests.insertedNs[rq] = requests.insertedNs[next];
    for (let bio = requests.bio[rq]; bio !== NONE; bio = bios.next[bio]) bios.rows.join(bio, requests.rows, rq);
  }
  for (let bio = requests.bio[next]; bio !== NONE; bio = bios.next[bio]) bios.rows.join(bio, requests.rows, rq);
  bios.next[requests.biotail[rq]] = requests.bio[next];
  requests.biotail[rq] = requests.biotail[next];
  requests.bytes[rq] += requests.bytes[next];
  requests.totalBytes[rq] += requests.totalBytes[next];
  requests.segments[rq] += requests.segments[next];
  requests.bios[rq] += requests.bios[next];
  q.counters.requestMerges++;
  if (q.log.on) q.event('request.merged', requests.serial[next], requests.serial[rq]);
  if (requests.keyslot[next] >= 0) putKeyslot(q, q.machine.current, next);
  freeRequest(q, next);
}

/** Brings both rows to the same instant, when one is accounted ahead of the clock. */
function alignRows(q: RequestQueue, rq: number, next: number): void {
  const { rows } = q.requests;
  const untilNs = Math.max(rows.lastNs[rq], rows.lastNs[next]);
  rows.mark(rq, ST_WAIT_SCHED, untilNs);
  rows.mark(next, ST_WAIT_SCHED, untilNs);
}

/** Gives every bio of the request its own complete row back. */
function detachRows(q: RequestQueue, rq: number): void {
  const { requests, bios } = q;
  for (let bio = requests.bio[rq]; bio !== NONE; bio = bios.next[bio]) {
    if (bio === requests.ownerBio[rq]) bios.rows.copyFrom(bio, requests.rows, rq);
    else bios.rows.leave(bio, requests.rows, rq);
  }
  requests.ownerBio[rq] = NONE;
}

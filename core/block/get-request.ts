/**
 * Tag allocation of a submission, and the request it yields (G).
 *
 * Without a scheduler the tag is a driver tag, with one a scheduler tag. When none is free: NOWAIT fails; others run the hardware queue once, try again, join
 * a wait queue, let the plug go (UT) and sleep; after each wake-up they try again from the start.
 *
 * @kernel v6.12 block/blk-mq-tag.c blk_mq_get_tag, block/blk-mq.c __blk_mq_alloc_requests, blk_mq_bio_to_request
 */
import { copyDun } from '../crypto/dun.ts';
import { ST_SUBMIT, ST_WAIT_TAG } from '../trace/stages.ts';
import { handOverKeyslot } from './crypto-submit.ts';
import { runHwQueue } from './dispatch.ts';
import type { Hctx } from './hctx.ts';
import { flushPlugFromSchedule } from './plug.ts';
import type { RequestQueue } from './queue.ts';
import { physicalSegments } from './split.ts';
import { failPart, requestGot } from './submit.ts';
import type { Tags } from './tags.ts';
import type { TaskState } from './task.ts';
import { REQ_NOWAIT, REQ_PASSTHROUGH, STS_AGAIN } from './types.ts';

const NONE = -1;

function hctxOf(q: RequestQueue, t: TaskState): Hctx {
  return q.hctxs[q.hctxOfCpu[q.machine.cpuOf(t.x)]];
}

function tagsOf(hctx: Hctx): Tags {
  return hctx.schedTags ?? hctx.tags;
}

function takeTag(q: RequestQueue, t: TaskState): number {
  const tags = tagsOf(hctxOf(q, t));
  const flags = q.bios.flags[t.bio];
  const limit =
    q.scheduler === undefined || (flags & REQ_PASSTHROUGH) !== 0
      ? tags.depth
      : q.scheduler.limitDepth(q.bios.op[t.bio], flags);
  return tags.get(limit);
}

/** Allocates the request of `t.bio`; goes on at `requestGot`, or at `failPart`. */
export function getRequest(q: RequestQueue, t: TaskState): void {
  const tag = takeTag(q, t);
  if (tag >= 0) {
    makeRequest(q, t, tag);
    return;
  }
  if ((q.bios.flags[t.bio] & REQ_NOWAIT) !== 0) {
    failPart(q, t, STS_AGAIN);
    return;
  }
  q.bios.rows.mark(t.bio, ST_SUBMIT, q.engine.now);
  t.waitsForTag = true;
  runBeforeSleep(q, t);
}

function runBeforeSleep(q: RequestQueue, t: TaskState): void {
  q.machine.pushReturn(t.x, q.kinds.tagRetry, t.x);
  runHwQueue(q, t.x, hctxOf(q, t));
}

/** The hardware queue was run: the last try before sleeping. */
export function tagRetry(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const tag = takeTag(q, t);
  if (tag >= 0) {
    makeRequest(q, t, tag);
    return;
  }
  if (q.machine.isAtomic(x)) {
    q.machine.assertMaySleep(x, 'tag allocation');
    failPart(q, t, STS_AGAIN);
    return;
  }
  if (!t.sleptForTag) {
    t.sleptForTag = true;
    q.counters.tagWaits++;
  }
  if (q.log.on) q.event('bio.slept', q.bios.serial[t.bio], q.bios.io[t.bio]);
  tagsOf(hctxOf(q, t)).join(x);
  flushPlugFromSchedule(q, x);
  q.machine.sleep(x, q.kinds.tagWoken, x);
}

export function tagWoken(q: RequestQueue, x: number): void {
  const t = q.task(x);
  const tag = takeTag(q, t);
  if (tag >= 0) makeRequest(q, t, tag);
  else runBeforeSleep(q, t);
}

/** The G event: the bio becomes a request. */
function makeRequest(q: RequestQueue, t: TaskState, tag: number): void {
  const { bios, requests } = q;
  const { bio } = t;
  const hctx = hctxOf(q, t);
  const rq = requests.alloc();
  bios.rows.mark(bio, t.waitsForTag ? ST_WAIT_TAG : ST_SUBMIT, q.engine.now);
  t.waitsForTag = false;
  t.sleptForTag = false;
  requests.hctx[rq] = hctx.id;
  if (hctx.schedTags === undefined) {
    requests.tag[rq] = tag;
    requests.lastTag[rq] = tag;
    q.tagsChanged(hctx);
  } else {
    requests.schedTag[rq] = tag;
    requests.useSched[rq] = (bios.flags[bio] & REQ_PASSTHROUGH) === 0 ? 1 : 0;
  }
  requests.cpu[rq] = q.machine.cpuOf(t.x);
  copyBio(q, rq, bio);
  if (t.keyslot !== NONE) handOverKeyslot(q, t, rq);
  requests.gotNs[rq] = q.engine.now;
  q.counters.requests++;
  if (q.log.on) q.event('request.got', requests.serial[rq], bios.serial[bio]);
  requestGot(q, t, rq);
}

function copyBio(q: RequestQueue, rq: number, bio: number): void {
  const { bios, requests } = q;
  requests.op[rq] = bios.op[bio];
  requests.flags[rq] = bios.flags[bio];
  requests.sector[rq] = bios.sector[bio];
  requests.bytes[rq] = bios.bytes[bio];
  requests.totalBytes[rq] = bios.bytes[bio];
  requests.segments[rq] = physicalSegments(q, bio);
  requests.ioprio[rq] = bios.ioprio[bio];
  requests.writeHint[rq] = bios.writeHint[bio];
  requests.keyId[rq] = bios.keyId[bio];
  requests.dataUnitSize[rq] = bios.dataUnitSize[bio];
  if (bios.keyId[bio] >= 0) copyDun(bios.dun, bio, requests.dun, rq);
  requests.io[rq] = bios.io[bio];
  requests.queuedNs[rq] = bios.queuedNs[bio];
  requests.bios[rq] = 1;
  requests.bio[rq] = bio;
  requests.biotail[rq] = bio;
  requests.ownerBio[rq] = bio;
  requests.rows.copyFrom(rq, bios.rows, bio);
}

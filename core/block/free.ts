/** Ends of life: a bio's, a request's, and the queue reference that both hold while inside. @kernel v6.12 block/blk-mq.c blk_mq_free_request, block/bio.c */
import { putForgottenKeyslot } from './crypto.ts';
import { kickHwQueue } from './dispatch.ts';
import type { Hctx } from './hctx.ts';
import type { RequestQueue } from './queue.ts';
import { STS_OK } from './types.ts';

/**
 * Ends a bio, or one part of a split one. The submitted bio ends with the last of its parts, with the first error, and with the accounting of
 * the part that ended last.
 */
export function endBio(q: RequestQueue, bio: number, status: number): void {
  const { bios } = q;
  if (status === STS_OK) q.counters.bytesCompleted += bios.bytes[bio];
  else q.counters.bytesFailed += bios.bytes[bio];
  endBioUncounted(q, bio, status);
}

/** The same for a bio that never got its Q. */
export function endBioUncounted(q: RequestQueue, bio: number, status: number): void {
  const { bios } = q;
  const parent = bios.parent[bio];
  const whole = parent < 0 ? bio : parent;
  if (status !== STS_OK && bios.status[whole] === STS_OK) bios.status[whole] = status;
  const last = --bios.remaining[whole] === 0;
  if (parent >= 0) {
    if (last) bios.rows.copyFrom(whole, bios.rows, bio);
    bios.release(bio);
  }
  if (last) q.engine.call(bios.endKind[whole], whole);
}

/** Gives the request's tags back, lets its hardware queue go on if it was marked, and drops its queue reference. */
export function freeRequest(q: RequestQueue, rq: number): void {
  const { requests } = q;
  const hctx = q.hctxs[requests.hctx[rq]];
  if (q.scheduler !== undefined && requests.useSched[rq] !== 0) q.scheduler.finish(rq);
  if (requests.tag[rq] >= 0) {
    const tag = requests.tag[rq];
    requests.tag[rq] = -1;
    q.freeTag(hctx.tags, tag);
    q.tagsChanged(hctx);
  }
  if (requests.schedTag[rq] >= 0 && hctx.schedTags !== undefined) {
    const tag = requests.schedTag[rq];
    requests.schedTag[rq] = -1;
    q.freeTag(hctx.schedTags, tag);
  }
  if (requests.keyslot[rq] >= 0) putForgottenKeyslot(q, rq);
  requests.release(rq);
  schedRestart(q, hctx);
  exitQueue(q);
}

/** A tag or the device came free: runs the hardware queue if it is marked to be restarted; with a shared tag set, any marked one. */
export function schedRestart(q: RequestQueue, hctx: Hctx): void {
  if (q.config.hostTagset === true) {
    for (const other of q.hctxs) if (other.restart) takeRestart(q, other);
  } else if (hctx.restart) takeRestart(q, hctx);
}

function takeRestart(q: RequestQueue, hctx: Hctx): void {
  hctx.restart = false;
  q.counters.restarts++;
  kickHwQueue(q, q.machine.current, hctx, 0);
}

/** Drops a queue reference; the last one ends a freeze's wait. */
export function exitQueue(q: RequestQueue): void {
  if (--q.usage > 0) return;
  while (q.freezers.size > 0) q.machine.wake(q.machine.current, q.freezers.shift());
}

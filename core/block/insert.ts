/** Where a request goes that is not issued at once. @kernel v6.12 block/blk-mq.c blk_mq_insert_request, blk_mq_request_bypass_insert */
import type { RequestQueue } from './queue.ts';
import { REQ_PASSTHROUGH } from './types.ts';

/**
 * Inserts by kind: passthrough to the dispatch list, the flush command to its head, anything else to the scheduler or, without one, to the software queue
 * of its CPU. `stage` is what the request has been in until now. `x` is charged.
 */
export function insertRequest(q: RequestQueue, x: number, rq: number, atHead: boolean, stage: number): void {
  const { requests } = q;
  const hctx = q.hctxs[requests.hctx[rq]];
  q.mark(rq, stage);
  if ((requests.flags[rq] & REQ_PASSTHROUGH) !== 0) {
    if (atHead) hctx.dispatch.pushHead(rq);
    else hctx.dispatch.pushTail(rq);
    return;
  }
  if (requests.isFlushRq[rq] !== 0) {
    hctx.dispatch.pushHead(rq);
    return;
  }
  q.machine.charge(x, q.machine.costs.schedInsertNs);
  if (q.scheduler !== undefined) {
    q.scheduler.insert(rq, hctx.id, atHead);
    return;
  }
  requests.insertedNs[rq] = q.engine.now;
  if (q.log.on) q.event('request.inserted', requests.serial[rq], hctx.id);
  const { list } = q.ctxOfCpu[requests.cpu[rq]];
  if (atHead) list.pushHead(rq);
  else list.pushTail(rq);
  hctx.pendingInCtxs++;
}

/** A request that the driver refused, or that must not be touched by a scheduler: to the tail of the dispatch list. */
export function bypassInsert(q: RequestQueue, rq: number): void {
  q.hctxs[q.requests.hctx[rq]].dispatch.pushTail(rq);
}

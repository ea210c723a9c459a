/**
 * The requeue list: accepted requests that the driver gave back, and the flush machine's requests, until kblockd inserts them again.
 * `@assume`: requests requeued together keep their order at the head of where they are inserted.
 * @kernel v6.12 block/blk-mq.c blk_mq_requeue_request, blk_mq_requeue_work
 */
import { ST_WAIT_FLUSH, ST_WAIT_REQUEUE } from '../trace/stages.ts';
import { runHwQueues } from './dispatch.ts';
import { bypassInsert, insertRequest } from './insert.ts';
import { takeBack } from './issue.ts';
import type { RequestQueue } from './queue.ts';

const NONE = -1;

/** See Block.requeueRequest. */
export function requeueRequest(q: RequestQueue, x: number, rq: number, delayNs: number): void {
  q.machine.charge(x, q.machine.costs.requeueNs);
  takeBack(q, rq);
  if (q.scheduler !== undefined && q.requests.useSched[rq] !== 0) q.scheduler.requeue(rq);
  q.requeueList.pushTail(rq);
  kickRequeueList(q, x, rq, delayNs);
}

/** Has kblockd empty the requeue and flush lists after `delayNs`; a later call sets the time anew. */
export function kickRequeueList(q: RequestQueue, x: number, rq: number, delayNs: number): void {
  const cpu = x >= 0 ? q.machine.cpuOf(x) : q.requests.cpu[rq];
  q.workqueues.modDelayedWork(x, q.requeueWork, cpu, delayNs);
}

/** kblockd: inserts everything again, then runs all hardware queues. */
export function requeueWork(q: RequestQueue): void {
  const x = q.machine.current;
  const { requests, requeueList, flushList } = q;
  for (let rq = requeueList.head; rq !== NONE;) {
    const next = requests.next[rq];
    if (requests.dontprep[rq] !== 0) {
      requeueList.remove(rq);
      q.mark(rq, ST_WAIT_REQUEUE);
      bypassInsert(q, rq);
    }
    rq = next;
  }
  while (requeueList.size > 0) {
    const rq = requeueList.tail; // from the last on, each to the head
    requeueList.remove(rq);
    insertRequest(q, x, rq, true, ST_WAIT_REQUEUE);
  }
  while (flushList.size > 0) insertRequest(q, x, flushList.shift(), false, ST_WAIT_FLUSH);
  q.machine.pushReturn(x, q.kinds.workOver, 0);
  runHwQueues(q, x, false);
}

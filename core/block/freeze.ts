/**
 * Freeze (nothing enters, everything inside is finished) and quiesce (nothing is issued).
 * @kernel v6.12 block/blk-mq.c blk_mq_freeze_queue, blk_mq_unfreeze_queue, blk_mq_quiesce_queue, blk_mq_unquiesce_queue
 */
import { kickHwQueue, runHwQueues } from './dispatch.ts';
import type { RequestQueue } from './queue.ts';

/** See Block.freeze. */
export function freezeQueue(q: RequestQueue, x: number): void {
  if (q.freezeDepth++ === 0) runHwQueues(q, x, true);
  queueFrozen(q, x);
}

/** Frozen once the last reference is gone; until then the freezer sleeps. */
export function queueFrozen(q: RequestQueue, x: number): void {
  if (q.usage === 0) {
    q.machine.ret(x);
    return;
  }
  q.freezers.push(x);
  q.machine.sleep(x, q.kinds.frozen, x);
}

/** See Block.unfreeze. */
export function unfreezeQueue(q: RequestQueue, x: number): void {
  if (q.freezeDepth === 0) throw new Error('block: unfreeze of a queue that is not frozen');
  if (--q.freezeDepth > 0) return;
  while (q.frozenOut.size > 0) q.machine.wake(x, q.frozenOut.shift());
}

/** Quiesced once nobody is inside dispatch or queueRq any more; until then the caller sleeps. */
export function queueQuiesced(q: RequestQueue, x: number): void {
  if (q.dispatchers === 0) {
    q.machine.ret(x);
    return;
  }
  q.quiescers.push(x);
  q.machine.sleep(x, q.kinds.quiesced, x);
}

/** See Block.unquiesce. */
export function unquiesceQueue(q: RequestQueue, x: number): void {
  if (q.quiesceDepth === 0) throw new Error('block: unquiesce of a queue that is not quiesced');
  if (--q.quiesceDepth > 0) return;
  for (const hctx of q.hctxs) kickHwQueue(q, x, hctx, 0);
}

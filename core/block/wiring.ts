/**
 * The engine kinds of the block layer: every place at which a context, a work item or a timer continues. Registered once per queue.
 * Kinds whose argument is a context take it from the argument, not from `machine.current`: they may also be called through `machine.ret`.
 */
import { blockSoftirq, doneIpi } from './complete.ts';
import { nextHwQueue, requestDispatched, runWork } from './dispatch.ts';
import { queueFrozen, queueQuiesced } from './freeze.ts';
import { tagRetry, tagWoken } from './get-request.ts';
import { issueBurst } from './issue.ts';
import { plugFlushedForRequest, plugGroups, pluggedIssued } from './plug.ts';
import type { RequestQueue } from './queue.ts';
import { requeueWork } from './requeue.ts';
import { bioQueued, nextPart, partDone, queueThawed, singleIssued } from './submit.ts';
import { timeoutExpired, timeoutWork } from './timeout.ts';

export interface Kinds {
  bioQueued: number;
  queueThawed: number;
  tagRetry: number;
  tagWoken: number;
  partDone: number;
  nextPart: number;
  singleIssued: number;
  issueBurst: number;
  plugFlushed: number;
  plugGroups: number;
  pluggedIssued: number;
  requestDispatched: number;
  nextHwQueue: number;
  workOver: number;
  softirq: number;
  ipi: number;
  frozen: number;
  quiesced: number;
}

export function newKinds(): Kinds {
  return {
    bioQueued: -1,
    queueThawed: -1,
    tagRetry: -1,
    tagWoken: -1,
    partDone: -1,
    nextPart: -1,
    singleIssued: -1,
    issueBurst: -1,
    plugFlushed: -1,
    plugGroups: -1,
    pluggedIssued: -1,
    requestDispatched: -1,
    nextHwQueue: -1,
    workOver: -1,
    softirq: -1,
    ipi: -1,
    frozen: -1,
    quiesced: -1,
  };
}

/** Registers the kinds and creates the work items and the timeout timer. */
export function wireKinds(q: RequestQueue): void {
  const { engine, kinds, workqueues } = q;
  const register = (label: string, step: (q: RequestQueue, arg: number) => void): number =>
    engine.register(`block.${label}`, (arg) => step(q, arg));
  kinds.bioQueued = register('bio-queued', bioQueued);
  kinds.queueThawed = register('queue-thawed', queueThawed);
  kinds.tagRetry = register('tag-retry', tagRetry);
  kinds.tagWoken = register('tag-woken', tagWoken);
  kinds.partDone = register('part-done', partDone);
  kinds.nextPart = register('next-part', nextPart);
  kinds.singleIssued = register('single-issued', singleIssued);
  kinds.issueBurst = register('issue', issueBurst);
  kinds.plugFlushed = register('plug-flushed', plugFlushedForRequest);
  kinds.plugGroups = register('plug-groups', plugGroups);
  kinds.pluggedIssued = register('plugged-issued', pluggedIssued);
  kinds.requestDispatched = register('request-dispatched', requestDispatched);
  kinds.nextHwQueue = register('next-hw-queue', nextHwQueue);
  kinds.workOver = register('work-over', () => undefined);
  kinds.softirq = register('softirq', blockSoftirq);
  kinds.ipi = register('done-ipi', doneIpi);
  kinds.frozen = register('frozen', queueFrozen);
  kinds.quiesced = register('quiesced', queueQuiesced);

  const kblockd = workqueues.create('kblockd', { bound: true, highpri: true });
  const runKind = register('run-work', runWork);
  for (const hctx of q.hctxs) hctx.runWork = workqueues.createDelayedWork(kblockd, runKind, hctx.id);
  q.requeueWork = workqueues.createDelayedWork(kblockd, register('requeue-work', requeueWork), 0);
  q.timeoutWork = workqueues.createWork(kblockd, register('timeout-work', timeoutWork), 0);
  q.timeoutTimer = engine.createTimer(register('timeout', timeoutExpired), 0);
}

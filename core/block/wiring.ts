/**
 * The engine kinds of the block layer: every place at which a context, a work item or a timer continues. Registered once per queue.
 * Kinds whose argument is a context take it from the argument, not from `machine.current`: they may also be called through `machine.ret`.
 */
import { blockSoftirq, doneIpi } from './complete.ts';
import { keyslotProgrammed } from './crypto-dispatch.ts';
import { keyslotGot, keyslotGotFirst } from './crypto-submit.ts';
import { nextHwQueue, runWork } from './dispatch.ts';
import { queueFrozen, queueQuiesced } from './freeze.ts';
import { tagRetry, tagWoken } from './get-request.ts';
import { issueBurst } from './issue.ts';
import { plugFlushedForRequest, plugGroups } from './plug.ts';
import type { RequestQueue } from './queue.ts';
import { requeueWork } from './requeue.ts';
import { bioQueued, leadOver, nextPart, partDone, queueThawed } from './submit.ts';
import { timeoutExpired, timeoutWork } from './timeout.ts';

export interface Kinds {
  bioQueued: number;
  leadOver: number;
  queueThawed: number;
  keyslotGot: number;
  keyslotGotFirst: number;
  keyslotProgrammed: number;
  tagRetry: number;
  tagWoken: number;
  partDone: number;
  nextPart: number;
  issueBurst: number;
  plugFlushed: number;
  plugGroups: number;
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
    leadOver: -1,
    queueThawed: -1,
    keyslotGot: -1,
    keyslotGotFirst: -1,
    keyslotProgrammed: -1,
    tagRetry: -1,
    tagWoken: -1,
    partDone: -1,
    nextPart: -1,
    issueBurst: -1,
    plugFlushed: -1,
    plugGroups: -1,
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
  // A closure of its own for each: one shared wrapper would make every call in it megamorphic.
  kinds.bioQueued = engine.register('block.bio-queued', (x) => bioQueued(q, x));
  kinds.leadOver = engine.register('block.lead-over', (x) => leadOver(q, x));
  kinds.queueThawed = engine.register('block.queue-thawed', (x) => queueThawed(q, x));
  kinds.keyslotGot = engine.register('block.keyslot-got', (x) => keyslotGot(q, x));
  kinds.keyslotGotFirst = engine.register('block.keyslot-got-first', (x) => keyslotGotFirst(q, x));
  kinds.keyslotProgrammed = engine.register('block.keyslot-programmed', (x) => keyslotProgrammed(q, x));
  kinds.tagRetry = engine.register('block.tag-retry', (x) => tagRetry(q, x));
  kinds.tagWoken = engine.register('block.tag-woken', (x) => tagWoken(q, x));
  kinds.partDone = engine.register('block.part-done', (x) => partDone(q, x));
  kinds.nextPart = engine.register('block.next-part', (x) => nextPart(q, x));
  kinds.issueBurst = engine.register('block.issue', (x) => issueBurst(q, x));
  kinds.plugFlushed = engine.register('block.plug-flushed', (x) => plugFlushedForRequest(q, x));
  kinds.plugGroups = engine.register('block.plug-groups', (x) => plugGroups(q, x));
  kinds.nextHwQueue = engine.register('block.next-hw-queue', (x) => nextHwQueue(q, x));
  kinds.softirq = engine.register('block.softirq', (cpu) => blockSoftirq(q, cpu));
  kinds.ipi = engine.register('block.done-ipi', (cpu) => doneIpi(q, cpu));
  kinds.frozen = engine.register('block.frozen', (x) => queueFrozen(q, x));
  kinds.quiesced = engine.register('block.quiesced', (x) => queueQuiesced(q, x));
  kinds.workOver = engine.register('block.work-over', () => undefined);

  const kblockd = workqueues.create('kblockd', { bound: true, highpri: true });
  const runKind = engine.register('block.run-work', (hctx) => runWork(q, hctx));
  for (const hctx of q.hctxs) hctx.runWork = workqueues.createDelayedWork(kblockd, runKind, hctx.id);
  q.requeueWork = workqueues.createDelayedWork(
    kblockd,
    engine.register('block.requeue-work', () => requeueWork(q)),
    0,
  );
  q.timeoutWork = workqueues.createWork(
    kblockd,
    engine.register('block.timeout-work', () => timeoutWork(q)),
    0,
  );
  q.timeoutTimer = engine.createTimer(
    engine.register('block.timeout', () => timeoutExpired(q)),
    0,
  );
}

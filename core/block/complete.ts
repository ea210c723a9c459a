/**
 * Completion: from the driver's interrupt handler to the end of the bios.
 *
 * Modelled: the choice of where to complete (inline, the block softirq of this CPU, or by IPI that of the submitting CPU), the done list per CPU, one burst per
 * request in softirq, partial completion, the ends of the bios, and the freeing of the request.
 *
 * Not modelled: ksoftirqd, threaded interrupts, batched completion. `@assume`: an inline completion takes effect at once and its CPU time is burnt
 * right after (it belongs to a handler that goes on), which is early by at most that time.
 *
 * @kernel v6.12 block/blk-mq.c blk_mq_complete_request_remote, blk_done_softirq, blk_update_request, __blk_mq_end_request
 */
import { advanceRow, rowsAreContiguous } from '../crypto/dun.ts';
import { unitBitsOf } from '../crypto/key.ts';
import { ST_COMPLETE_CPU, ST_COMPLETE_SOFTIRQ } from '../trace/stages.ts';
import { putKeyslot } from './crypto.ts';
import { flushCommandDone, sequencedDataDone } from './flush.ts';
import { endBio, freeRequest } from './free.ts';
import type { RequestQueue } from './queue.ts';
import { RQ_COMPLETE, RQ_IN_FLIGHT } from './request.ts';
import { requeueRequest } from './requeue.ts';
import { physicalSegments } from './split.ts';
import { flightEnded } from './timeout.ts';
import { SECTOR_BYTES, STS_OK } from './types.ts';

const NONE = -1;

/** See Block.completeRequest. */
export function completeRequest(
  q: RequestQueue,
  x: number,
  rq: number,
  status: number,
  bytes: number | undefined,
): void {
  const { machine, requests } = q;
  if (requests.state[rq] !== RQ_IN_FLIGHT) {
    q.counters.lateCompletions++;
    return;
  }
  flightEnded(q);
  requests.state[rq] = RQ_COMPLETE;
  requests.deadlineNs[rq] = Infinity;
  requests.status[rq] = status;
  requests.doneBytes[rq] = bytes ?? requests.bytes[rq];
  const cpu = x >= 0 ? machine.cpuOf(x) : requests.cpu[rq];
  const submitCpu = requests.cpu[rq];
  if (q.hctxs[requests.hctx[rq]].cpus.length === 1 && submitCpu === cpu) completeInline(q, x, rq);
  else if (wantsSubmitCpu(q, cpu, submitCpu)) completeRemotely(q, x, rq, submitCpu);
  else if (q.hctxs.length === 1) {
    const list = q.doneLists[cpu];
    list.push(rq);
    if (list.size === 1) raise(q, cpu);
  } else completeInline(q, x, rq);
}

/** rq_affinity: whether a completion on `cpu` has to go to the submitting CPU. */
function wantsSubmitCpu(q: RequestQueue, cpu: number, submitCpu: number): boolean {
  const affinity = q.config.rqAffinity ?? 1;
  if (affinity === 0 || cpu === submitCpu) return false;
  if (affinity === 2) return true;
  const groups = q.config.cacheOfCpu;
  return groups !== undefined && groups[cpu] !== groups[submitCpu];
}

function completeRemotely(q: RequestQueue, x: number, rq: number, cpu: number): void {
  const list = q.doneLists[cpu];
  list.push(rq);
  if (list.size === 1) q.machine.sendIpi(x, cpu, q.kinds.ipi, cpu);
}

/** The IPI arrived at the submitting CPU. */
export function doneIpi(q: RequestQueue, cpu: number): void {
  raise(q, cpu);
}

function costOf(q: RequestQueue, rq: number): number {
  const { costs } = q.machine;
  return costs.completeRequestNs + costs.endIoNs * q.requests.bios[rq];
}

/**
 * Raises the block softirq, for as long as its first request takes. What the interrupt handler spends on handing the request over is burnt here
 * too (`@assume`: the softirq follows on the same CPU, and one burst is saved); it belongs to the time before the request's own.
 */
function raise(q: RequestQueue, cpu: number): void {
  q.machine.raiseSoftirq(cpu, softirqCost(q, cpu), q.kinds.softirq, cpu);
}

function softirqCost(q: RequestQueue, cpu: number): number {
  return q.machine.costs.completeIrqNs + costOf(q, q.doneLists[cpu].at(0));
}

/** One request of the done list has had its CPU time; the next one follows in the same softirq. */
export function blockSoftirq(q: RequestQueue, cpu: number): void {
  const { machine, requests } = q;
  const list = q.doneLists[cpu];
  const rq = list.shift();
  const { rows } = requests;
  rows.mark(rq, ST_COMPLETE_SOFTIRQ, Math.max(q.engine.now - costOf(q, rq), rows.lastNs[rq]));
  const x = machine.current;
  completeNow(q, x, rq);
  if (list.size > 0) machine.run(x, softirqCost(q, cpu), q.kinds.softirq, cpu);
}

function completeInline(q: RequestQueue, x: number, rq: number): void {
  q.machine.charge(x, q.machine.costs.completeIrqNs + costOf(q, rq));
  completeNow(q, x, rq);
}

/** The driver's part is over: the C event, and what is to be done with the request. */
function completeNow(q: RequestQueue, x: number, rq: number): void {
  const { requests } = q;
  const status = requests.status[rq];
  q.mark(rq, ST_COMPLETE_CPU);
  if (requests.isFlushRq[rq] !== 0) flushCommandDone(q, x, rq, status);
  else if (requests.flushSeq[rq] !== 0) {
    if (q.log.on) q.event('request.completed', requests.serial[rq], status);
    sequencedDataDone(q, x, rq, status);
  } else if (status === STS_OK && requests.doneBytes[rq] < requests.bytes[rq]) {
    if (q.log.on) q.event('request.completed', requests.serial[rq], status);
    advance(q, rq, requests.doneBytes[rq]);
    requeueRequest(q, x, rq, 0);
  } else finishRequest(q, rq, status);
}

/** Partial completion: the first `bytes` are done, their bios end, and the request shrinks. */
function advance(q: RequestQueue, rq: number, bytes: number): void {
  const { requests, bios } = q;
  let left = bytes;
  while (left > 0) {
    const bio = requests.bio[rq];
    const inBio = Math.min(left, bios.bytes[bio]);
    left -= inBio;
    if (inBio === bios.bytes[bio]) {
      requests.bio[rq] = bios.next[bio];
      requests.segments[rq] -= physicalSegments(q, bio);
      endBioOf(q, rq, bio, STS_OK);
    } else {
      q.counters.bytesCompleted += inBio;
      requests.segments[rq] -= physicalSegments(q, bio);
      const segmentBytes = Math.ceil(bios.bytes[bio] / Math.max(bios.segments[bio], 1));
      bios.segments[bio] -= Math.floor(inBio / segmentBytes);
      bios.bytes[bio] -= inBio;
      requests.segments[rq] += physicalSegments(q, bio);
      bios.sector[bio] += inBio / SECTOR_BYTES;
      if (bios.keyId[bio] >= 0) advanceRow(bios.dun, bio, inBio, unitBitsOf(bios.dataUnitSize[bio]));
    }
  }
  requests.sector[rq] += bytes / SECTOR_BYTES;
  requests.bytes[rq] -= bytes;
  if (requests.keyId[rq] >= 0) advanceDun(q, rq, bytes);
}

/** The DUN of what is left of a request, as the queue is configured; what it should be, its first bio knows (I-13). */
function advanceDun(q: RequestQueue, rq: number, bytes: number): void {
  const { requests, bios } = q;
  const unitBits = unitBitsOf(requests.dataUnitSize[rq]);
  if (q.config.partialDun !== 'kept') advanceRow(requests.dun, rq, bytes, unitBits);
  if (bytes % requests.dataUnitSize[rq] !== 0)
    q.machine.violate('dun-requeue', `${q.requestName(rq)} goes on in the midst of a data unit`);
  else if (!rowsAreContiguous(requests.dun, rq, 0, unitBits, bios.dun, requests.bio[rq]))
    q.machine.violate('dun-requeue', `${q.requestName(rq)} goes on with the DUN that it began with`);
}

/** Ends one bio of a request, with the accounting that the request gathered for it. */
function endBioOf(q: RequestQueue, rq: number, bio: number, status: number): void {
  const { requests, bios } = q;
  if (bio === requests.ownerBio[rq]) {
    bios.rows.copyFrom(bio, requests.rows, rq);
    requests.ownerBio[rq] = NONE;
  } else bios.rows.leave(bio, requests.rows, rq);
  bios.next[bio] = NONE;
  endBio(q, bio, status);
}

/** Ends a request that the driver refused for good: a flush command and its waiters, a step of a flush sequence, or the request itself. */
export function endRefused(q: RequestQueue, x: number, rq: number, status: number): void {
  q.mark(rq, ST_COMPLETE_CPU);
  if (q.requests.isFlushRq[rq] !== 0) flushCommandDone(q, x, rq, status);
  else if (q.requests.flushSeq[rq] !== 0) sequencedDataDone(q, x, rq, status);
  else finishRequest(q, rq, status);
}

/** The end of a request: its bios end with `status`, scheduler and observer are told, it is freed. Its CPU time is burnt or charged already. */
export function finishRequest(q: RequestQueue, rq: number, status: number): void {
  const { requests, bios } = q;
  q.mark(rq, ST_COMPLETE_CPU);
  requests.status[rq] = status;
  requests.completedNs[rq] = requests.rows.lastNs[rq];
  if (q.log.on) q.event('request.completed', requests.serial[rq], status);
  if (requests.keyslot[rq] >= 0) putKeyslot(q, q.machine.current, rq); // before the last bio ends
  for (let bio = requests.bio[rq]; bio !== NONE;) {
    const next = bios.next[bio];
    endBioOf(q, rq, bio, status);
    bio = next;
  }
  requests.bio[rq] = NONE;
  if (q.scheduler !== undefined && requests.useSched[rq] !== 0) q.scheduler.completed(rq);
  q.onRequestDone?.(rq);
  freeRequest(q, rq);
}

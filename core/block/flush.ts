/**
 * The flush machine: PREFLUSH and FUA as a sequence of PRE, DATA and POST, with one flush command for many requests.
 *
 * Modelled: the sequence by write cache and FUA support, the double buffer (requests that come while a flush runs wait for the next), the conditions C1 (none running),
 * C2 (no sequenced DATA in flight) and C3 (5 s of waiting override C2), the dedicated flush request that borrows the first waiter's tag and is issued by kblockd
 * from the head of the dispatch list, the error that ends a sequence. C3 is looked at when something else kicks the machine, as in the kernel: it has no timer.
 *
 * @kernel v6.12 block/blk-flush.c
 */
import { ST_SUBMIT, ST_WAIT_FLUSH } from '../trace/stages.ts';
import { finishRequest } from './complete.ts';
import { putKeyslot } from './crypto.ts';
import { schedRestart } from './free.ts';
import type { Hctx } from './hctx.ts';
import type { RequestQueue } from './queue.ts';
import { RQ_IDLE } from './request.ts';
import { kickRequeueList } from './requeue.ts';
import { OP_FLUSH, REQ_FUA, REQ_PREFLUSH, REQ_SYNC, STS_OK } from './types.ts';

const NONE = -1;
const FSEQ_PRE = 1;
const FSEQ_DATA = 2;
const FSEQ_POST = 4;
const FSEQ_ALL = FSEQ_PRE | FSEQ_DATA | FSEQ_POST;
const FSEQ_DONE = 8;
/** Set in `flushSeq` while the request is in a sequence at all. */
const FSEQ_ACTIVE = 16;

/** @source blk-flush.c: FLUSH_PENDING_TIMEOUT 5 s */
const PENDING_TIMEOUT_NS = 5_000_000_000;

/** Takes a PREFLUSH or FUA request. Returns false when it goes the normal way (perhaps with a flush after its completion). */
export function insertFlush(q: RequestQueue, x: number, rq: number): boolean {
  const { requests, limits } = q;
  const flags = requests.flags[rq];
  const needsPost = (flags & REQ_FUA) !== 0 && !limits.fua;
  const hasData = requests.bytes[rq] > 0;
  const steps = (hasData ? FSEQ_DATA : 0) | ((flags & REQ_PREFLUSH) !== 0 ? FSEQ_PRE : 0) | (needsPost ? FSEQ_POST : 0);
  requests.flags[rq] = (flags & ~REQ_PREFLUSH & (limits.fua ? ~0 : ~REQ_FUA)) | REQ_SYNC;
  if (steps === FSEQ_DATA) {
    // Native FUA, or nothing left of the flags: an ordinary write. FUA stays and forbids merging.
    return false;
  }
  const hctx = q.hctxs[requests.hctx[rq]];
  if (steps === (FSEQ_DATA | FSEQ_POST)) {
    requests.flushSeq[rq] = FSEQ_ACTIVE | FSEQ_PRE;
    hctx.flush.dataInFlight++;
    return false;
  }
  q.machine.charge(x, q.machine.costs.requestInitNs);
  q.mark(rq, ST_SUBMIT);
  requests.flushSeq[rq] = FSEQ_ACTIVE;
  stepDone(q, x, rq, FSEQ_ALL & ~steps, STS_OK);
  return true;
}

/** Marks `steps` as done and moves the request to its next step; then sees whether a flush can be issued. */
function stepDone(q: RequestQueue, x: number, rq: number, steps: number, status: number): void {
  const { requests } = q;
  const hctx = q.hctxs[requests.hctx[rq]];
  const { flush } = hctx;
  requests.flushSeq[rq] |= steps;
  const step = status === STS_OK ? nextStep(requests.flushSeq[rq]) : FSEQ_DONE;
  if (step === FSEQ_PRE || step === FSEQ_POST) {
    const pending = flush.lists[flush.pendingIndex];
    if (pending.size === 0) flush.pendingSinceNs = q.engine.now;
    pending.push(rq);
  } else if (step === FSEQ_DATA) {
    flush.dataInFlight++;
    q.requeueList.pushHead(rq);
    kickRequeueList(q, x, rq, 0);
  } else {
    requests.flushSeq[rq] = 0;
    finishRequest(q, rq, status);
  }
  kickFlush(q, x, hctx);
}

function nextStep(seq: number): number {
  if ((seq & FSEQ_PRE) === 0) return FSEQ_PRE;
  if ((seq & FSEQ_DATA) === 0) return FSEQ_DATA;
  return (seq & FSEQ_POST) === 0 ? FSEQ_POST : FSEQ_DONE;
}

/** Issues the flush command if C1 and (C2 or C3) hold. */
function kickFlush(q: RequestQueue, x: number, hctx: Hctx): void {
  const { flush } = hctx;
  const pending = flush.lists[flush.pendingIndex];
  if (flush.pendingIndex !== flush.runningIndex || pending.size === 0) return;
  if (flush.dataInFlight > 0 && q.engine.now < flush.pendingSinceNs + PENDING_TIMEOUT_NS) return;
  flush.pendingIndex ^= 1;
  prepareFlushRequest(q, flush.request, pending.at(0));
  q.counters.flushes++;
  q.flushList.pushTail(flush.request);
  kickRequeueList(q, x, flush.request, 0);
}

/** The dedicated request becomes a flush command with the tag of the first request that waits for it. */
function prepareFlushRequest(q: RequestQueue, flushRq: number, first: number): void {
  const { requests, engine } = q;
  requests.clear(flushRq);
  requests.isFlushRq[flushRq] = 1;
  requests.op[flushRq] = OP_FLUSH;
  requests.flags[flushRq] = REQ_PREFLUSH;
  requests.hctx[flushRq] = requests.hctx[first];
  requests.cpu[flushRq] = requests.cpu[first];
  if (requests.schedTag[first] < 0) {
    requests.tag[flushRq] = requests.tag[first];
    requests.lastTag[flushRq] = requests.tag[first];
  } else requests.schedTag[flushRq] = requests.schedTag[first];
  requests.sector[flushRq] = 0;
  requests.bytes[flushRq] = 0;
  requests.totalBytes[flushRq] = 0;
  requests.segments[flushRq] = 0;
  requests.ioprio[flushRq] = 0;
  requests.writeHint[flushRq] = 0;
  requests.keyId[flushRq] = NONE;
  requests.dataUnitSize[flushRq] = 0;
  requests.io[flushRq] = NONE;
  requests.bios[flushRq] = 0;
  requests.bio[flushRq] = NONE;
  requests.biotail[flushRq] = NONE;
  requests.ownerBio[flushRq] = NONE;
  requests.queuedNs[flushRq] = engine.now;
  requests.gotNs[flushRq] = engine.now;
  requests.rows.start(flushRq, engine.now);
}

/** The flush command completed: everybody who waited for it goes on (or ends with its error). */
export function flushCommandDone(q: RequestQueue, x: number, flushRq: number, status: number): void {
  const { requests } = q;
  const hctx = q.hctxs[requests.hctx[flushRq]];
  requests.completedNs[flushRq] = requests.rows.lastNs[flushRq];
  if (q.log.on) q.event('request.completed', requests.serial[flushRq], status);
  q.onRequestDone?.(flushRq);
  q.putDriverTag(flushRq);
  requests.tag[flushRq] = NONE;
  requests.schedTag[flushRq] = NONE;
  requests.state[flushRq] = RQ_IDLE;
  const { flush } = hctx;
  const running = flush.lists[flush.runningIndex];
  flush.runningIndex ^= 1;
  for (let left = running.size; left > 0; left--) {
    const rq = running.shift();
    q.mark(rq, ST_WAIT_FLUSH);
    stepDone(q, x, rq, nextStep(requests.flushSeq[rq]), status);
  }
  schedRestart(q, hctx);
}

/** The DATA step completed: its bio ends with the whole sequence only. */
export function sequencedDataDone(q: RequestQueue, x: number, rq: number, status: number): void {
  const { requests } = q;
  const hctx = q.hctxs[requests.hctx[rq]];
  q.putDriverTag(rq);
  if (requests.keyslot[rq] >= 0) putKeyslot(q, x, rq);
  requests.state[rq] = RQ_IDLE;
  hctx.flush.dataInFlight--;
  stepDone(q, x, rq, FSEQ_DATA, status);
  schedRestart(q, hctx);
}

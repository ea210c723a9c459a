/**
 * The block layer of one device: what submitters, drivers, schedulers and observers call.
 *
 * The real thing is a request_queue with its tag set. The life of a request is in files by subject: `submit.ts` (bio to request), `split.ts`, `merge.ts`,
 * `plug.ts`, `tags.ts`, `insert.ts`, `dispatch.ts`, `issue.ts`, `requeue.ts`, `flush.ts`, `timeout.ts`, `complete.ts`, `freeze.ts`; their common state is
 * `queue.ts`. Every function that may take virtual time runs in a context `x` (core/engine/machine.ts) and says how it ends.
 *
 * Not modelled: several devices on one plug or one tag set, budgets of a middle layer, polled queues, cgroup throttling, writeback throttling.
 *
 * @kernel v6.12 block/blk-core.c, block/blk-mq.c
 */
import type { WaitEdge, WaitSource } from '../engine/waits.ts';
import type { KeyTable } from '../crypto/key.ts';
import type { CryptoProfile } from '../crypto/profile/profile.ts';
import type { GetMarks } from '../crypto/profile/types.ts';
import type { BioTable } from './bio.ts';
import { completeRequest } from './complete.ts';
import type { BlockConfig, BlockCounters } from './config.ts';
import { attachProfile, detachProfile } from './crypto-attach.ts';
import type { KeyslotCounters } from './crypto.ts';
import { kickHwQueue, runHwQueues } from './dispatch.ts';
import { freezeQueue, queueQuiesced, unfreezeQueue, unquiesceQueue } from './freeze.ts';
import { queueRqDone, startRequest } from './issue.ts';
import { keyslotHolders, leftovers, reportWaits } from './leftovers.ts';
import { finishPlug, flushPlugFromSchedule, startPlug } from './plug.ts';
import { type BlockEnv, RequestQueue } from './queue.ts';
import type { RequestTable } from './request.ts';
import { requeueRequest } from './requeue.ts';
import type { Scheduler } from './scheduler.ts';
import { submitBio } from './submit.ts';
import type { Lld } from './types.ts';
import { wireKinds } from './wiring.ts';

export class Block implements WaitSource {
  readonly bios: BioTable;
  readonly requests: RequestTable;
  readonly counters: BlockCounters;
  /** The state behind; for the rooms' own specs and inspectors. */
  readonly queue: RequestQueue;

  constructor(env: BlockEnv, config: BlockConfig) {
    this.queue = new RequestQueue(env, config);
    wireKinds(this.queue);
    this.bios = this.queue.bios;
    this.requests = this.queue.requests;
    this.counters = this.queue.counters;
  }

  /** Connects the driver and, unless the scheduler is `none`, a scheduler. Once, before the first bio. */
  attach(lld: Lld, scheduler?: Scheduler): void {
    this.queue.attach(lld, scheduler);
  }

  /**
   * Connects an inline encryption device: encrypted bios take keyslots of its profile from now on, as `keyslotPolicy` says. With `keys` bios whose key the device
   * does not support end with NOTSUPP. Returns false when the queue does integrity, which excludes it. Once, before the first bio.
   */
  attachProfile(profile: CryptoProfile, keys?: KeyTable): boolean {
    return attachProfile(this.queue, profile, keys);
  }

  /** The queue is going: it lets go of its profile, which may be destroyed once all its queues have. Nothing may be inside any more. */
  detachProfile(): void {
    detachProfile(this.queue);
  }

  /** For the profile's environment (`marks`): accounts what a get waits for to the request or bio. */
  readonly keyslotMarks: GetMarks = { mark: (x, stage) => this.queue.crypto?.mark(x, stage) };

  /** What keyslots did to the requests. */
  get keyslots(): KeyslotCounters {
    return this.queue.keyslots;
  }

  /** Names of the requests that hold a slot: for the profile's environment (`holders`). */
  keyslotHolders(slot: number): string[] {
    return keyslotHolders(this.queue, slot);
  }

  /** Called with every request just before it is freed (the observer reads its columns). */
  get onRequestDone(): ((rq: number) => void) | undefined {
    return this.queue.onRequestDone;
  }

  set onRequestDone(call: ((rq: number) => void) | undefined) {
    this.queue.onRequestDone = call;
  }

  /** The hardware queue that a CPU submits to. */
  hctxOfCpu(cpu: number): number {
    return this.queue.hctxOfCpu[cpu];
  }

  // ------------------------------------------------------------------------------------------------ submitters

  /**
   * Submits a bio (columns set, row started). Ends with `machine.ret(x)` once the submission is over: the caller pushed where to go on.
   * May sleep for a tag or a frozen queue, unless the bio is REQ_NOWAIT. The bio may have ended before this returns.
   * Context: a task; atomic only if nothing can make it sleep.
   */
  submitBio(x: number, bio: number): void {
    submitBio(this.queue, x, bio);
  }

  /** Opens a plug in `x`: its requests are kept back until `finishPlug`. Nested plugs only count. */
  startPlug(x: number): void {
    startPlug(this.queue, x);
  }

  /** Closes the plug and, when it is the outermost, issues what it holds. Ends with `machine.ret(x)`. */
  finishPlug(x: number): void {
    finishPlug(this.queue, x);
  }

  /** To be called by a task that goes to sleep with its plug open: the requests are inserted and left to kblockd (UT). Instantaneous. */
  flushPlugFromSchedule(x: number): void {
    flushPlugFromSchedule(this.queue, x);
  }

  // ------------------------------------------------------------------------------------------------ the driver

  /** The driver accepts the request: the D event, its stamp and its timeout. Called within queueRq. */
  startRequest(rq: number): void {
    startRequest(this.queue, rq);
  }

  /** Ends queueRq, in the context it was called in. On STS_OK the request may be completed and gone already. */
  queueRqDone(x: number, rq: number, status: number): void {
    queueRqDone(this.queue, x, rq, status);
  }

  /**
   * The device is done with the request (or with its first `bytes`). Instantaneous: raises a softirq or an IPI, or completes inline; legal any number of
   * times in one handler. Ignored when the request is not in flight. Context: any; `x` -1 for none.
   */
  completeRequest(x: number, rq: number, status: number, bytes?: number): void {
    completeRequest(this.queue, x, rq, status, bytes);
  }

  /** The driver gives an accepted request back; it is inserted again after `delayNs` (0: at once) by kblockd. Instantaneous; any context. */
  requeueRequest(x: number, rq: number, delayNs: number): void {
    requeueRequest(this.queue, x, rq, delayNs);
  }

  /** Runs all hardware queues: by kblockd if `async` (instantaneous), else in `x`, a task, ending with `machine.ret(x)`. */
  runHwQueues(x: number, async: boolean): void {
    runHwQueues(this.queue, x, async);
  }

  /** Stops dispatch and direct issue of one hardware queue. */
  stopHwQueue(hctx: number): void {
    this.queue.hctxs[hctx].stopped = true;
  }

  /** Lets a stopped hardware queue go on, by kblockd. Instantaneous. */
  startHwQueue(x: number, hctx: number): void {
    this.queue.hctxs[hctx].stopped = false;
    kickHwQueue(this.queue, x, this.queue.hctxs[hctx], 0);
  }

  // ------------------------------------------------------------------------------------------------ freeze and quiesce

  /** New bios wait before G; waits until every request is freed. Ends with `machine.ret(x)`. Context: a task. */
  freeze(x: number): void {
    freezeQueue(this.queue, x);
  }

  /** Takes one freeze back; at the last one the waiting bios go on in order of arrival. Instantaneous. */
  unfreeze(x: number): void {
    unfreezeQueue(this.queue, x);
  }

  /** From now on nothing is issued; calls of queueRq under way go on. Instantaneous. */
  quiesce(): void {
    this.queue.quiesceDepth++;
  }

  /** Quiesces and waits for calls of queueRq under way. Ends with `machine.ret(x)`. Context: a task. */
  quiesceAndWait(x: number): void {
    this.queue.quiesceDepth++;
    queueQuiesced(this.queue, x);
  }

  /** Takes one quiesce back; at the last one all hardware queues run, by kblockd. Instantaneous. */
  unquiesce(x: number): void {
    unquiesceQueue(this.queue, x);
  }

  // ------------------------------------------------------------------------------------------------ observers

  /** Requests started and not yet completed. */
  get inFlight(): number {
    return this.queue.inFlight;
  }

  reportWaits(add: (edge: WaitEdge) => void): void {
    reportWaits(this.queue, add);
  }

  /** What is left (tags, plugged requests, lists, sleepers), as sentences; empty after a run that ended well. */
  checkEmpty(): string[] {
    return leftovers(this.queue);
  }
}

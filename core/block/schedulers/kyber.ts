/**
 * kyber: tokens per domain (reads, writes, discards, others) bound what is in the driver, and the bounds follow measured latencies.
 *
 * Modelled: lists per CPU and domain, the cyclic choice of domains with batches, device-wide tokens held from dispatch to finish or requeue, waiting for
 * tokens, histograms per CPU, the timer that adjusts the depths, merging into the newest requests of a CPU's list, the limit for asynchronous requests.
 * Not modelled: jiffies (`@assume` the timer is due exactly 100 ms after the completion that arms it).
 *
 * @kernel v6.12 block/kyber-iosched.c; blk-mq-and-formats.md 1.16
 */
import type { Engine } from '../../engine/engine.ts';
import { widerInt32 } from '../columns.ts';
import type { RequestTable } from '../request.ts';
import { MERGE_NONE, type Scheduler, type SchedulerEnv } from '../scheduler.ts';
import { OP_DISCARD, OP_READ, OP_WRITE } from '../types.ts';
import { KyberLatency } from './kyber-latency.ts';
import { DomainTokens } from './kyber-tokens.ts';
import { RequestLists } from './request-lists.ts';
import { isSync } from './sync.ts';
import { KYBER_DEFAULTS, type KyberTunables } from './tunables.ts';

const NONE = -1;

export const KYBER_READ = 0;
export const KYBER_WRITE = 1;
export const KYBER_DISCARD = 2;
export const KYBER_OTHER = 3;
const DOMAINS = 4;

/** @source block/kyber-iosched.c kyber_depth */
export const KYBER_DEPTH = [256, 128, 64, 16] as const;
/** @source block/kyber-iosched.c kyber_batch_size */
export const KYBER_BATCH = [16, 8, 1, 1] as const;
/** @source block/kyber-iosched.c kyber_latency_targets (discards, not tunable) */
const DISCARD_LAT_NS = 5_000_000_000;
/** @source block/kyber-iosched.c KYBER_ASYNC_PERCENT */
const ASYNC_PERCENT = 75;
/** @source block/kyber-iosched.c kyber_completed_request: HZ / 10 */
const TIMER_NS = 100_000_000;
/** @source block/blk-merge.c blk_bio_list_merge: newest requests of a list that are tried */
const MERGE_SCAN = 8;

export function kyberDomain(op: number): number {
  if (op === OP_READ) return KYBER_READ;
  if (op === OP_WRITE) return KYBER_WRITE;
  return op === OP_DISCARD ? KYBER_DISCARD : KYBER_OTHER;
}

export class Kyber implements Scheduler {
  readonly name = 'kyber';
  readonly singleQueue = false;
  dispatchCostNs = 0;
  tokens: readonly DomainTokens[] = [];

  private readonly latency: KyberTunables;
  private env!: SchedulerEnv;
  private engine!: Engine;
  private requests!: RequestTable;
  private stats!: KyberLatency;
  private lists!: RequestLists;
  private asyncDepth = 0;
  private timer = NONE;
  private cpus = 0;
  /** The CPUs of each hardware queue, in the order their lists are flushed. */
  private cpusOfHctx: number[][] = [];
  /** Requests in the lists of a hardware queue's CPUs, per (hctx, domain). */
  private inCtxLists = new Int32Array(0);
  /** Present domain and requests dispatched in its batch, per hctx. */
  private curDomain = new Int32Array(0);
  private batching = new Int32Array(0);
  /** Domain token a request holds, or -1. */
  private tokenOf = new Int32Array(64).fill(NONE);

  constructor(tunables: Partial<KyberTunables> = {}) {
    this.latency = { ...KYBER_DEFAULTS, ...tunables };
  }

  init(env: SchedulerEnv): void {
    const { readLatNs, writeLatNs } = this.latency;
    this.env = env;
    this.engine = env.engine;
    this.requests = env.requests;
    this.cpus = env.machine.cpus;
    this.dispatchCostNs = env.machine.costs.dispatchKyberNs;
    this.tokens = KYBER_DEPTH.map((depth) => new DomainTokens(depth, env.hwQueues));
    this.stats = new KyberLatency([readLatNs, writeLatNs, DISCARD_LAT_NS], this.cpus);
    this.lists = new RequestLists((this.cpus + env.hwQueues) * DOMAINS);
    this.asyncDepth = Math.max(1, Math.floor((env.nrRequests * ASYNC_PERCENT) / 100));
    this.cpusOfHctx = Array.from({ length: env.hwQueues }, () => []);
    for (let cpu = 0; cpu < this.cpus; cpu++) this.cpusOfHctx[env.hctxOfCpu(cpu)].push(cpu);
    this.inCtxLists = new Int32Array(env.hwQueues * DOMAINS);
    this.curDomain = new Int32Array(env.hwQueues);
    this.batching = new Int32Array(env.hwQueues);
    const timerKind = env.engine.register('kyber.timer', () => {
      this.adjust();
    });
    this.timer = env.engine.createTimer(timerKind, 0, true);
  }

  /** Asynchronous requests may use three quarters of the tags. */
  limitDepth(op: number, flags: number): number {
    return isSync(op, flags) ? this.env.nrRequests : this.asyncDepth;
  }

  // ------------------------------------------------------------------------------------------------ insert

  /** Tries the newest requests of the CPU's list. Returns MERGE_*. */
  bioMerge(bio: number, _hctx: number, cpu: number): number {
    const { env, lists } = this;
    if (env.nomerges === 2) return MERGE_NONE;
    let rq = lists.last(this.ctxList(cpu, kyberDomain(env.bios.op[bio])));
    for (let tried = 0; rq !== NONE && tried < MERGE_SCAN; tried++) {
      const outcome = env.mergeBio(rq, bio);
      if (outcome !== MERGE_NONE) return outcome;
      rq = lists.before(rq);
    }
    return MERGE_NONE;
  }

  insert(rq: number, _hctx: number, atHead: boolean): void {
    const domain = kyberDomain(this.requests.op[rq]);
    const cpu = this.requests.cpu[rq];
    if (rq >= this.tokenOf.length) this.tokenOf = widerInt32(this.tokenOf, this.requests.capacity, NONE);
    this.env.inserted(rq);
    if (atHead) this.lists.pushHead(this.ctxList(cpu, domain), rq);
    else this.lists.pushTail(this.ctxList(cpu, domain), rq);
    this.inCtxLists[this.env.hctxOfCpu(cpu) * DOMAINS + domain]++;
  }

  private ctxList(cpu: number, domain: number): number {
    return cpu * DOMAINS + domain;
  }

  private hctxList(hctx: number, domain: number): number {
    return (this.cpus + hctx) * DOMAINS + domain;
  }

  // ------------------------------------------------------------------------------------------------ dispatch

  dispatch(hctx: number): number {
    if (this.batching[hctx] < KYBER_BATCH[this.curDomain[hctx]]) {
      const rq = this.dispatchDomain(hctx, this.curDomain[hctx]);
      if (rq !== NONE) return rq;
    }
    this.batching[hctx] = 0;
    for (let turn = 0; turn < DOMAINS; turn++) {
      this.curDomain[hctx] = (this.curDomain[hctx] + 1) % DOMAINS;
      const rq = this.dispatchDomain(hctx, this.curDomain[hctx]);
      if (rq !== NONE) return rq;
    }
    return NONE;
  }

  /** The next request of a domain, with a token; CPU lists are flushed only when a token is at hand, so that their requests can still grow. */
  private dispatchDomain(hctx: number, domain: number): number {
    const list = this.hctxList(hctx, domain);
    const isFlushed = !this.lists.isEmpty(list);
    if (!isFlushed && this.inCtxLists[hctx * DOMAINS + domain] === 0) return NONE;
    const token = this.tokens[domain].take(hctx);
    if (token === NONE) return NONE;
    if (!isFlushed) this.flushCtxLists(hctx, domain, list);
    const rq = this.lists.first(list);
    this.lists.remove(rq);
    this.tokenOf[rq] = token;
    this.batching[hctx]++;
    return rq;
  }

  private flushCtxLists(hctx: number, domain: number, list: number): void {
    for (const cpu of this.cpusOfHctx[hctx]) this.lists.spliceTail(this.ctxList(cpu, domain), list);
    this.inCtxLists[hctx * DOMAINS + domain] = 0;
  }

  hasWork(hctx: number): boolean {
    for (let domain = 0; domain < DOMAINS; domain++) {
      if (this.inCtxLists[hctx * DOMAINS + domain] > 0) return true;
      if (!this.lists.isEmpty(this.hctxList(hctx, domain))) return true;
    }
    return false;
  }

  // ------------------------------------------------------------------------------------------------ completion

  /** Records latencies on the completing CPU and makes sure the timer runs. */
  completed(rq: number): void {
    const domain = kyberDomain(this.requests.op[rq]);
    const { completedNs, gotNs, issuedNs } = this.requests;
    if (domain === KYBER_OTHER || Number.isNaN(issuedNs[rq])) return; // failed before it was issued: says nothing about latency
    const { machine } = this.env;
    const cpu = machine.current === NONE ? this.requests.cpu[rq] : machine.cpuOf(machine.current);
    this.stats.addSample(cpu, domain, completedNs[rq] - gotNs[rq], completedNs[rq] - issuedNs[rq]);
    if (this.engine.timerDue(this.timer) === Infinity) this.engine.armTimer(this.timer, this.engine.now + TIMER_NS);
  }

  requeue(rq: number): void {
    this.dropToken(rq);
  }

  finish(rq: number): void {
    this.dropToken(rq);
  }

  private dropToken(rq: number): void {
    if (rq >= this.tokenOf.length) return;
    const token = this.tokenOf[rq];
    if (token === NONE) return;
    this.tokenOf[rq] = NONE;
    const tokens = this.tokens[kyberDomain(this.requests.op[rq])];
    if (!tokens.put(token)) return;
    for (let hctx = 0; hctx < this.env.hwQueues && tokens.waiters > 0; hctx++) {
      if (!tokens.isWaiter(hctx)) continue;
      tokens.stopWaiting(hctx);
      this.env.runHwQueue(hctx);
    }
  }

  /** The timer: new depths from the latencies since the last time. */
  private adjust(): void {
    this.stats.evaluate(
      this.engine.now,
      (domain) => this.tokens[domain].depth,
      (domain, depth) => {
        this.tokens[domain].resize(depth);
        if (this.env.log.on) this.env.log.event('block', 'kyber.depth_adjusted', domain, this.tokens[domain].depth);
      },
    );
  }

  checkEmpty(): string[] {
    const left: string[] = [];
    for (let domain = 0; domain < DOMAINS; domain++) {
      const { held } = this.tokens[domain];
      if (held > 0) left.push(`kyber: ${held} tokens of domain ${domain} held`);
    }
    for (let list = 0; list < (this.cpus + this.env.hwQueues) * DOMAINS; list++) {
      const rq = this.lists.first(list);
      if (rq !== NONE) left.push(`kyber: request ${this.requests.serial[rq]} queued`);
    }
    return left;
  }
}

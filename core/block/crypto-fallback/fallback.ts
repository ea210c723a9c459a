/**
 * blk-crypto-fallback: encryption by the CPU, above the block layer, for keys that the device does not support. The layers below see plain I/O.
 *
 * Modelled: the choice per bio, start of modes, the fallback's own keyslots, writes (in the submitter's context: bounce pages from a pool, one encrypted bio per 256
 * pages, data unit by data unit, completion of the source with the last of them), reads (context taken off, decrypted in place by a work queue of as many
 * workers as CPUs), misuse. Waiting for bounce pages and for the worker is `fallback.queue`, the cipher's CPU time `fallback.cpu`.
 *
 * The bytes themselves are in data.ts, in data runs. Not modelled: allocation failures, the page allocator behind the pool (config.ts).
 *
 * @kernel v6.16 block/blk-crypto.c __blk_crypto_submit_bio, block/blk-crypto-fallback.c; inline-crypto.md 1.5, 1.9
 */
import { KEY_TYPE_RAW } from '../../crypto/mode.ts';
import type { CryptoProfile } from '../../crypto/profile/profile.ts';
import { EOPNOTSUPP, OK } from '../../crypto/profile/types.ts';
import type { WaitEdge, WaitSource } from '../../engine/waits.ts';
import { ST_SUBMIT } from '../../trace/stages.ts';
import { hasWholeUnits } from '../crypto.ts';
import { OP_READ, OP_WRITE, STS_INVAL, STS_IOERR, STS_NOTSUPP, STS_OK } from '../types.ts';
import { DEFAULT_BOUNCE_PAGES, type FallbackConfig, type FallbackCounters } from './config.ts';
import type { FallbackOps } from './ops.ts';
import { BouncePages } from './pages.ts';
import { FallbackReads } from './reads.ts';
import { type FallbackEnv, FallbackState, type FallbackTask } from './state.ts';
import { FallbackWrites } from './writes.ts';

const NONE = -1;
/** @source Linux include/uapi/asm-generic/errno.h */
export const ENOPKG = -65;

export type { FallbackEnv };

export class CryptoFallback implements WaitSource {
  readonly pages: BouncePages;
  private readonly state: FallbackState;
  private readonly env: FallbackEnv;
  private readonly isEnabled: boolean;
  private readonly started = new Set<number>();
  private readonly writes: FallbackWrites;
  private readonly reads: FallbackReads;
  private readonly leadOverKind: number;

  constructor(env: FallbackEnv, config: FallbackConfig = {}) {
    this.env = env;
    this.isEnabled = config.enabled ?? true;
    this.state = new FallbackState(env, config);
    this.pages = new BouncePages(env.machine, config.bouncePages ?? DEFAULT_BOUNCE_PAGES);
    this.writes = new FallbackWrites(this.state, this.pages);
    this.reads = new FallbackReads(this.state);
    this.leadOverKind = env.engine.register('crypto-fallback.lead-over', (x) => this.leadOver(x));
  }

  get profile(): CryptoProfile {
    return this.state.profile;
  }

  get counters(): FallbackCounters {
    return this.state.counters;
  }

  /** The slots' cipher objects; for specs and inspectors. */
  get ops(): FallbackOps {
    return this.state.ops;
  }

  // ------------------------------------------------------------------------------------------------ setting up

  private isNative(keyId: number): boolean {
    return this.env.block.queue.crypto?.isNative(keyId) ?? false;
  }

  /**
   * To be called for a key before its first I/O (blk_crypto_start_using_key). Instantaneous (`@assume` set-up is no part of a run).
   * @returns 0, -EOPNOTSUPP for a wrapped key without hardware for it, -ENOPKG without fallback
   */
  startUsingKey(keyId: number): number {
    const { keys } = this.env;
    if (this.isNative(keyId)) return OK;
    if (keys.keyType[keyId] !== KEY_TYPE_RAW) return EOPNOTSUPP;
    if (!this.isEnabled) return ENOPKG;
    this.started.add(keys.mode[keyId]);
    return OK;
  }

  /** Forgets a key, here or in the device (blk_crypto_evict_key). Ends with `machine.ret(x)`. Context: a task. */
  evictKey(x: number, keyId: number): void {
    const native = this.env.block.queue.crypto?.profile;
    if (native !== undefined && this.isNative(keyId)) native.evict(x, keyId);
    else this.profile.evict(x, keyId);
  }

  /** What a bio that the device does not support is refused for: STS_OK for nothing. */
  private refusal(bio: number): number {
    const { bios } = this.state;
    const { keys } = this.env;
    const keyId = bios.keyId[bio];
    if (bios.bytes[bio] === 0 || (bios.op[bio] !== OP_READ && bios.op[bio] !== OP_WRITE)) return STS_IOERR;
    if (!this.isEnabled || keys.keyType[keyId] !== KEY_TYPE_RAW) return STS_NOTSUPP;
    if (!this.started.has(keys.mode[keyId])) {
      this.profile.warnOnce(`mode ${keys.mode[keyId]} is used and was never started`);
      return STS_IOERR;
    }
    return hasWholeUnits(this.env.block.queue, bio) ? STS_OK : STS_INVAL;
  }

  // ------------------------------------------------------------------------------------------------ submission

  /** Submits a bio as `Block.submitBio`, by way of the fallback if it has to (blk_crypto_submit_bio). Ends with `machine.ret(x)`. */
  submitBio(x: number, bio: number): void {
    const { bios } = this.state;
    if (bios.keyId[bio] < 0 || this.isNative(bios.keyId[bio])) {
      this.env.block.submitBio(x, bio);
      return;
    }
    const t = this.state.task(x);
    t.bio = bio;
    if (this.env.machine.hasLaps(x)) this.env.machine.run(x, 0, this.leadOverKind, x);
    else this.start(x, t);
  }

  /** The laps before the submission are over: the bio is queued now. */
  private leadOver(x: number): void {
    const { bios } = this.state;
    const t = this.state.task(x);
    this.env.engine.call(bios.queuedKind[t.bio], t.bio);
    bios.queuedKind[t.bio] = NONE;
    this.start(x, t);
  }

  private start(x: number, t: FallbackTask): void {
    const status = this.refusal(t.bio);
    if (status !== STS_OK) {
      this.counters.refused++;
      this.state.bios.rows.mark(t.bio, ST_SUBMIT, this.env.engine.now);
      this.state.endSource(t.bio, status);
      this.env.machine.ret(x);
    } else if (this.state.bios.op[t.bio] === OP_READ) this.reads.start(x, t);
    else this.writes.start(x, t);
  }

  // ------------------------------------------------------------------------------------------------ reports

  /** Who waits for bounce pages, and for the fallback's slots. */
  reportWaits(add: (edge: WaitEdge) => void): void {
    for (const x of this.pages.sleepers()) {
      const name = this.env.machine.name(x);
      add({ waiter: name, resource: 'bounce pages of the crypto fallback', holders: ['encrypted bios under way'] });
    }
    this.profile.reportWaits(add);
  }

  /** What is left at the end of a run; empty when all is well. */
  checkEmpty(): string[] {
    const left = this.profile.checkEmpty();
    if (this.pages.free < this.pages.size)
      left.push(`crypto fallback: ${this.pages.size - this.pages.free} pages in use`);
    if (this.pages.waiters > 0) left.push(`crypto fallback: ${this.pages.waiters} tasks asleep for pages`);
    if (this.reads.contexts.inUse > 0) left.push(`crypto fallback: ${this.reads.contexts.inUse} reads under way`);
    return left;
  }
}

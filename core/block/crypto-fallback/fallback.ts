/**
 * blk-crypto-fallback: encryption by the CPU, above the block layer, for keys that the device does not support. The layers below see plain I/O.
 *
 * Modelled: the choice per bio, start of modes, the fallback's own keyslots, writes (in the submitter's context: bounce pages from a pool, one encrypted bio per 256
 * pages, data unit by data unit, completion of the source with the last of them), reads (context taken off, decrypted in place by a work queue of as many
 * workers as CPUs), misuse. Waiting for bounce pages and for the worker is `fallback.queue`, the cipher's CPU time `fallback.cpu`.
 *
 * Not modelled: the data (a bio has none), allocation failures, the page allocator behind the pool (config.ts).
 *
 * @kernel v6.16 block/blk-crypto.c __blk_crypto_submit_bio, block/blk-crypto-fallback.c; inline-crypto.md 1.5, 1.9
 */
import { advanceRow } from '../../crypto/dun.ts';
import { type KeyTable, unitBitsOf } from '../../crypto/key.ts';
import { KEY_TYPE_RAW, modeById } from '../../crypto/mode.ts';
import { CryptoProfile } from '../../crypto/profile/profile.ts';
import { EOPNOTSUPP, OK } from '../../crypto/profile/types.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Machine } from '../../engine/machine.ts';
import type { WaitEdge, WaitSource } from '../../engine/waits.ts';
import type { Workqueues } from '../../engine/workqueue.ts';
import { ST_FALLBACK_CPU, ST_FALLBACK_QUEUE, ST_SUBMIT } from '../../trace/stages.ts';
import type { BioTable } from '../bio.ts';
import type { Block } from '../block.ts';
import { hasWholeUnits, statusOfErrno } from '../crypto.ts';
import { OP_READ, OP_WRITE, SECTOR_BYTES, STS_INVAL, STS_IOERR, STS_NOTSUPP, STS_OK } from '../types.ts';
import {
  DEFAULT_BOUNCE_PAGES,
  DEFAULT_SET_KEY_NS,
  type FallbackConfig,
  type FallbackCounters,
  MAX_BIO_PAGES,
  MODE_FACTORS,
  newFallbackCounters,
  PAGE_BYTES,
  profileConfigOf,
} from './config.ts';
import { FallbackOps } from './ops.ts';
import { BouncePages } from './pages.ts';
import { ReadContexts } from './reads.ts';

const NONE = -1;
/** @source Linux include/uapi/asm-generic/errno.h */
export const ENOPKG = -65;

export interface FallbackEnv {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly block: Block;
  readonly keys: KeyTable;
}

/** What a context is in the middle of: the bio whose waits are its own, and the write it encrypts. */
class FallbackTask {
  bio = NONE;
  slot = NONE;
  /** Bytes of the source not yet encrypted, and of the encrypted bio being made. */
  restBytes = 0;
  partBytes = 0;
}

export class CryptoFallback implements WaitSource {
  readonly profile: CryptoProfile;
  readonly counters: FallbackCounters = newFallbackCounters();
  readonly pages: BouncePages;
  readonly ops: FallbackOps;
  private readonly env: FallbackEnv;
  private readonly bios: BioTable;
  private readonly isEnabled: boolean;
  private readonly started = new Set<number>();
  private readonly reads = new ReadContexts();
  /** The work item of each read context. */
  private readonly works: number[] = [];
  private readonly workqueue: number;
  private readonly tasks: FallbackTask[] = [];
  /** Bounce pages of each encrypted bio. */
  private pagesOf = new Int32Array(0);
  private readonly kinds;

  constructor(env: FallbackEnv, config: FallbackConfig = {}) {
    const { engine, machine, workqueues, block, keys } = env;
    this.env = env;
    this.bios = block.bios;
    this.isEnabled = config.enabled ?? true;
    this.pages = new BouncePages(machine, config.bouncePages ?? DEFAULT_BOUNCE_PAGES);
    const profileConfig = profileConfigOf(config);
    this.ops = new FallbackOps(engine, machine, keys, profileConfig.slots, config.setKeyNs ?? DEFAULT_SET_KEY_NS);
    const marks = {
      mark: (x: number, stage: number) => this.bios.rows.mark(this.task(x).bio, stage, engine.now),
    };
    const beforeSleep = (x: number): void => block.flushPlugFromSchedule(x);
    this.profile = new CryptoProfile({ engine, machine, marks, beforeSleep, keys }, profileConfig, this.ops);
    this.workqueue = workqueues.create('blk_crypto_wq', { bound: false, highpri: true, maxActive: machine.cpus });
    this.kinds = {
      leadOver: engine.register('crypto-fallback.lead-over', (x) => this.leadOver(x)),
      writeSlot: engine.register('crypto-fallback.write-slot', (x) => this.writeSlotGot(x)),
      pagesGot: engine.register('crypto-fallback.pages-got', (x) => this.pagesGot(x)),
      encrypted: engine.register('crypto-fallback.encrypted', (x) => this.encrypted(x)),
      submitted: engine.register('crypto-fallback.submitted', (x) => this.submitted(x)),
      writeEnded: engine.register('crypto-fallback.write-ended', (bio) => this.writeEnded(bio)),
      readEnded: engine.register('crypto-fallback.read-ended', (bio) => this.readEnded(bio)),
      readWork: engine.register('crypto-fallback.read-work', (at) => this.readWork(at)),
      readSlot: engine.register('crypto-fallback.read-slot', (at) => this.readSlotGot(at)),
      decrypted: engine.register('crypto-fallback.decrypted', (at) => this.decrypted(at)),
    };
  }

  private task(x: number): FallbackTask {
    while (this.tasks.length <= x) this.tasks.push(new FallbackTask());
    return this.tasks[x];
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
    const { bios } = this;
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
    const { bios } = this;
    if (bios.keyId[bio] < 0 || this.isNative(bios.keyId[bio])) {
      this.env.block.submitBio(x, bio);
      return;
    }
    const t = this.task(x);
    t.bio = bio;
    if (this.env.machine.hasLaps(x)) this.env.machine.run(x, 0, this.kinds.leadOver, x);
    else this.start(x, t);
  }

  /** The laps before the submission are over: the bio is queued now. */
  private leadOver(x: number): void {
    const { bios } = this;
    const t = this.task(x);
    this.env.engine.call(bios.queuedKind[t.bio], t.bio);
    bios.queuedKind[t.bio] = NONE;
    this.start(x, t);
  }

  private start(x: number, t: FallbackTask): void {
    const { bios } = this;
    const status = this.refusal(t.bio);
    if (status !== STS_OK) {
      this.counters.refused++;
      this.endSource(t.bio, status);
      this.env.machine.ret(x);
    } else if (bios.op[t.bio] === OP_READ) {
      this.counters.reads++;
      const at = this.reads.strip(bios, t.bio, this.kinds.readEnded);
      while (this.works.length <= at)
        this.works.push(this.env.workqueues.createWork(this.workqueue, this.kinds.readWork, this.works.length));
      this.env.block.submitBio(x, t.bio);
    } else {
      this.counters.writes++;
      bios.rows.mark(t.bio, ST_SUBMIT, this.env.engine.now);
      t.restBytes = bios.bytes[t.bio];
      this.env.machine.pushReturn(x, this.kinds.writeSlot, x);
      this.profile.get(x, bios.keyId[t.bio]);
    }
  }

  /** A bio of the submitter's ends, or one of its encrypted parts does: with the last of them, with the first error. */
  private endSource(bio: number, status: number): void {
    const { bios } = this;
    if (status !== STS_OK && bios.status[bio] === STS_OK) bios.status[bio] = status;
    if (--bios.remaining[bio] === 0) this.env.engine.call(bios.endKind[bio], bio);
  }

  /** CPU time of the cipher over `bytes` under a key. */
  private cipherNs(keyId: number, bytes: number): number {
    const { keys, machine } = this.env;
    const { cipherUnitNs, cipherKibNs } = machine.costs;
    const factor = MODE_FACTORS[modeById(keys.mode[keyId])?.name ?? ''] ?? 1;
    const units = bytes / keys.dataUnitSize(keyId);
    const costNs = Math.round(units * cipherUnitNs + (bytes / 1024) * cipherKibNs * factor);
    this.counters.cipherNs += costNs;
    return costNs;
  }

  // ------------------------------------------------------------------------------------------------ writes

  private writeSlotGot(x: number): void {
    const t = this.task(x);
    if (this.profile.status(x) !== OK) {
      this.endSource(t.bio, statusOfErrno(this.profile.status(x)));
      this.env.machine.ret(x);
      return;
    }
    t.slot = this.profile.gotSlot(x);
    this.nextPart(x, t);
  }

  /** The next encrypted bio: its pages first. */
  private nextPart(x: number, t: FallbackTask): void {
    const most = Math.min(MAX_BIO_PAGES, this.pages.size);
    t.partBytes = Math.min(t.restBytes, most * PAGE_BYTES);
    const pages = Math.ceil(t.partBytes / PAGE_BYTES);
    if (this.pages.take(pages)) {
      this.encrypt(x, t);
      return;
    }
    this.counters.pageWaits++;
    this.env.block.flushPlugFromSchedule(x);
    this.pages.sleep(x, pages, this.kinds.pagesGot);
  }

  private pagesGot(x: number): void {
    const t = this.task(x);
    this.bios.rows.mark(t.bio, ST_FALLBACK_QUEUE, this.env.engine.now);
    this.encrypt(x, t);
  }

  private encrypt(x: number, t: FallbackTask): void {
    this.env.machine.run(x, this.cipherNs(this.bios.keyId[t.bio], t.partBytes), this.kinds.encrypted, x);
  }

  /** The ciphertext is in the bounce pages: they go down as a plain bio. */
  private encrypted(x: number): void {
    const { bios } = this;
    const t = this.task(x);
    const source = t.bio;
    bios.rows.mark(source, ST_FALLBACK_CPU, this.env.engine.now);
    this.counters.bytesEncrypted += t.partBytes;
    const part = this.makePart(source, t.partBytes);
    t.restBytes -= t.partBytes;
    if (t.restBytes > 0) bios.remaining[source]++;
    this.env.machine.pushReturn(x, this.kinds.submitted, x);
    this.env.block.submitBio(x, part);
  }

  private makePart(source: number, bytes: number): number {
    const { bios } = this;
    const part = bios.alloc();
    bios.op[part] = bios.op[source];
    bios.flags[part] = bios.flags[source];
    bios.sector[part] = bios.sector[source];
    bios.bytes[part] = bytes;
    bios.segments[part] = Math.ceil(bytes / PAGE_BYTES);
    bios.ioprio[part] = bios.ioprio[source];
    bios.writeHint[part] = bios.writeHint[source];
    bios.io[part] = bios.io[source];
    bios.endKind[part] = this.kinds.writeEnded;
    bios.endArg[part] = source;
    bios.rows.copyFrom(part, bios.rows, source);
    bios.sector[source] += bytes / SECTOR_BYTES;
    bios.bytes[source] -= bytes;
    advanceRow(bios.dun, source, bytes, unitBitsOf(bios.dataUnitSize[source]));
    if (this.pagesOf.length < bios.capacity) {
      const wider = new Int32Array(bios.capacity);
      wider.set(this.pagesOf);
      this.pagesOf = wider;
    }
    this.pagesOf[part] = bios.segments[part];
    return part;
  }

  private submitted(x: number): void {
    const t = this.task(x);
    if (t.restBytes > 0) {
      this.bios.rows.mark(t.bio, ST_SUBMIT, this.env.engine.now);
      this.nextPart(x, t);
      return;
    }
    this.profile.put(x, t.slot);
    t.slot = NONE;
    this.env.machine.ret(x);
  }

  private writeEnded(part: number): void {
    const { bios } = this;
    const source = bios.endArg[part];
    this.pages.put(this.env.machine.current, this.pagesOf[part]);
    if (bios.remaining[source] === 1) bios.rows.copyFrom(source, bios.rows, part);
    const status = bios.status[part];
    bios.release(part);
    this.endSource(source, status);
  }

  // ------------------------------------------------------------------------------------------------ reads

  /** The ciphertext has been read, in any context: a worker goes on, or the error is passed up. */
  private readEnded(bio: number): void {
    const { bios, reads } = this;
    const { engine, machine, workqueues } = this.env;
    const at = bios.endArg[bio];
    reads.restore(bios, at);
    if (bios.status[bio] !== STS_OK) {
      reads.release(at);
      engine.call(bios.endKind[bio], bio);
      return;
    }
    const x = machine.current;
    workqueues.queueWork(x, this.works[at], x >= 0 ? machine.cpuOf(x) : bios.cpu[bio]);
  }

  private readWork(at: number): void {
    const { reads } = this;
    const { engine, machine } = this.env;
    const x = machine.current;
    reads.x[at] = x;
    this.task(x).bio = reads.bio[at];
    this.bios.rows.mark(reads.bio[at], ST_FALLBACK_QUEUE, engine.now);
    machine.pushReturn(x, this.kinds.readSlot, at);
    this.profile.get(x, reads.keyId[at]);
  }

  private readSlotGot(at: number): void {
    const { reads } = this;
    const x = reads.x[at];
    if (this.profile.status(x) !== OK) {
      this.endRead(at, statusOfErrno(this.profile.status(x)));
      return;
    }
    this.task(x).slot = this.profile.gotSlot(x);
    this.env.machine.run(x, this.cipherNs(reads.keyId[at], reads.bytes[at]), this.kinds.decrypted, at);
  }

  private decrypted(at: number): void {
    const { reads } = this;
    const x = reads.x[at];
    this.bios.rows.mark(reads.bio[at], ST_FALLBACK_CPU, this.env.engine.now);
    this.counters.bytesDecrypted += reads.bytes[at];
    this.profile.put(x, this.task(x).slot);
    this.endRead(at, STS_OK);
  }

  private endRead(at: number, status: number): void {
    const bio = this.reads.bio[at];
    this.reads.release(at);
    this.bios.status[bio] = status;
    this.env.engine.call(this.bios.endKind[bio], bio);
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
    if (this.reads.inUse > 0) left.push(`crypto fallback: ${this.reads.inUse} reads under way`);
    return left;
  }
}

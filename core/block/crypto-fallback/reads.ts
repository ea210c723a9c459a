/**
 * Reads of the fallback: the context is taken off on the way down; once the ciphertext has been read a work queue decrypts it in place.
 *
 * @kernel v6.16 block/blk-crypto-fallback.c blk_crypto_fallback_decrypt_endio, blk_crypto_fallback_decrypt_bio; inline-crypto.md 1.9
 */
import { OK } from '../../crypto/profile/types.ts';
import { ST_FALLBACK_CPU, ST_FALLBACK_QUEUE } from '../../trace/stages.ts';
import { statusOfErrno } from '../crypto.ts';
import { STS_OK } from '../types.ts';
import { ReadContexts } from './read-contexts.ts';
import type { FallbackState, FallbackTask } from './state.ts';

export class FallbackReads {
  readonly contexts = new ReadContexts();
  private readonly state: FallbackState;
  private readonly workqueue: number;
  /** The work item of each context. */
  private readonly works: number[] = [];
  private readonly endedKind: number;
  private readonly workKind: number;
  private readonly slotKind: number;
  private readonly decryptedKind: number;

  constructor(state: FallbackState) {
    const { engine, machine, workqueues } = state.env;
    this.state = state;
    this.workqueue = workqueues.create('blk_crypto_wq', { bound: false, highpri: true, maxActive: machine.cpus });
    this.endedKind = engine.register('crypto-fallback.read-ended', (bio) => this.ended(bio));
    this.workKind = engine.register('crypto-fallback.read-work', (at) => this.work(at));
    this.slotKind = engine.register('crypto-fallback.read-slot', (at) => this.slotGot(at));
    this.decryptedKind = engine.register('crypto-fallback.decrypted', (at) => this.decrypted(at));
  }

  /** Submits the bio of `t` without its context. Ends with `machine.ret(x)`. */
  start(x: number, t: FallbackTask): void {
    const { bios, counters, env } = this.state;
    counters.reads++;
    const at = this.contexts.strip(bios, t.bio, this.endedKind);
    while (this.works.length <= at)
      this.works.push(env.workqueues.createWork(this.workqueue, this.workKind, this.works.length));
    env.block.submitBio(x, t.bio);
  }

  /** The ciphertext has been read, in any context: a worker goes on, or the error is passed up. */
  private ended(bio: number): void {
    const { contexts } = this;
    const { bios } = this.state;
    const { engine, machine, workqueues } = this.state.env;
    const at = bios.endArg[bio];
    contexts.restore(bios, at);
    if (bios.status[bio] !== STS_OK) {
      contexts.release(at);
      engine.call(bios.endKind[bio], bio);
      return;
    }
    const x = machine.current;
    workqueues.queueWork(x, this.works[at], x >= 0 ? machine.cpuOf(x) : bios.cpu[bio]);
  }

  private work(at: number): void {
    const { contexts } = this;
    const { engine, machine } = this.state.env;
    const x = machine.current;
    contexts.x[at] = x;
    this.state.task(x).bio = contexts.bio[at];
    this.state.bios.rows.mark(contexts.bio[at], ST_FALLBACK_QUEUE, engine.now);
    machine.pushReturn(x, this.slotKind, at);
    this.state.profile.get(x, contexts.keyId[at]);
  }

  private slotGot(at: number): void {
    const { contexts } = this;
    const x = contexts.x[at];
    if (this.state.profile.status(x) !== OK) {
      this.endRead(at, statusOfErrno(this.state.profile.status(x)));
      return;
    }
    this.state.task(x).slot = this.state.profile.gotSlot(x);
    this.state.env.machine.run(x, this.state.cipherNs(contexts.keyId[at], contexts.bytes[at]), this.decryptedKind, at);
  }

  private decrypted(at: number): void {
    const { contexts } = this;
    const x = contexts.x[at];
    this.state.bios.rows.mark(contexts.bio[at], ST_FALLBACK_CPU, this.state.env.engine.now);
    this.state.counters.bytesDecrypted += contexts.bytes[at];
    const { slot } = this.state.task(x);
    if (this.state.data !== undefined) this.state.data.decrypt(contexts.bio[at], slot);
    this.state.profile.put(x, slot);
    this.endRead(at, STS_OK);
  }

  private endRead(at: number, status: number): void {
    const bio = this.contexts.bio[at];
    this.contexts.release(at);
    this.state.bios.status[bio] = status;
    this.state.env.engine.call(this.state.bios.endKind[bio], bio);
  }
}

/**
 * Writes of the fallback, in the submitter's context: a keyslot of the fallback's, then one encrypted bio after the other, each in bounce pages. The source bio ends with
 * the last of them; its pages are never written to.
 *
 * @kernel v6.16 block/blk-crypto-fallback.c __blk_crypto_fallback_encrypt_bio; inline-crypto.md 1.9
 */
import { advanceRow } from '../../crypto/dun.ts';
import { unitBitsOf } from '../../crypto/key.ts';
import { OK } from '../../crypto/profile/types.ts';
import { ST_FALLBACK_CPU, ST_FALLBACK_QUEUE, ST_SUBMIT } from '../../trace/stages.ts';
import { statusOfErrno } from '../crypto.ts';
import { SECTOR_BYTES } from '../types.ts';
import { MAX_BIO_PAGES, PAGE_BYTES } from './config.ts';
import type { BouncePages } from './pages.ts';
import type { FallbackState, FallbackTask } from './state.ts';

const NONE = -1;

export class FallbackWrites {
  private readonly state: FallbackState;
  private readonly pages: BouncePages;
  /** Bounce pages of each encrypted bio. */
  private pagesOf = new Int32Array(0);
  private readonly slotKind: number;
  private readonly pagesKind: number;
  private readonly encryptedKind: number;
  private readonly submittedKind: number;
  private readonly endedKind: number;

  constructor(state: FallbackState, pages: BouncePages) {
    const { engine } = state.env;
    this.state = state;
    this.pages = pages;
    this.slotKind = engine.register('crypto-fallback.write-slot', (x) => this.slotGot(x));
    this.pagesKind = engine.register('crypto-fallback.pages-got', (x) => this.pagesGot(x));
    this.encryptedKind = engine.register('crypto-fallback.encrypted', (x) => this.encrypted(x));
    this.submittedKind = engine.register('crypto-fallback.submitted', (x) => this.submitted(x));
    this.endedKind = engine.register('crypto-fallback.write-ended', (part) => this.ended(part));
  }

  /** Encrypts and submits the bio of `t`. Ends with `machine.ret(x)`. Context: a task. */
  start(x: number, t: FallbackTask): void {
    const { bios, counters, profile, env } = this.state;
    counters.writes++;
    bios.rows.mark(t.bio, ST_SUBMIT, env.engine.now);
    t.restBytes = bios.bytes[t.bio];
    env.machine.pushReturn(x, this.slotKind, x);
    profile.get(x, bios.keyId[t.bio]);
  }

  private slotGot(x: number): void {
    const t = this.state.task(x);
    if (this.state.profile.status(x) !== OK) {
      this.state.endSource(t.bio, statusOfErrno(this.state.profile.status(x)));
      this.state.env.machine.ret(x);
      return;
    }
    t.slot = this.state.profile.gotSlot(x);
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
    this.state.counters.pageWaits++;
    this.state.env.block.flushPlugFromSchedule(x);
    this.pages.sleep(x, pages, this.pagesKind);
  }

  private pagesGot(x: number): void {
    const t = this.state.task(x);
    this.state.bios.rows.mark(t.bio, ST_FALLBACK_QUEUE, this.state.env.engine.now);
    this.encrypt(x, t);
  }

  private encrypt(x: number, t: FallbackTask): void {
    this.state.env.machine.run(
      x,
      this.state.cipherNs(this.state.bios.keyId[t.bio], t.partBytes),
      this.encryptedKind,
      x,
    );
  }

  /** The ciphertext is in the bounce pages: they go down as a plain bio. */
  private encrypted(x: number): void {
    const { bios } = this.state;
    const t = this.state.task(x);
    const source = t.bio;
    bios.rows.mark(source, ST_FALLBACK_CPU, this.state.env.engine.now);
    this.state.counters.bytesEncrypted += t.partBytes;
    const part = this.makePart(source, t.partBytes, t.slot);
    t.restBytes -= t.partBytes;
    if (t.restBytes > 0) bios.remaining[source]++;
    this.state.env.machine.pushReturn(x, this.submittedKind, x);
    this.state.env.block.submitBio(x, part);
  }

  private makePart(source: number, bytes: number, slot: number): number {
    const { bios, data } = this.state;
    const part = bios.alloc();
    bios.op[part] = bios.op[source];
    bios.flags[part] = bios.flags[source];
    bios.sector[part] = bios.sector[source];
    bios.bytes[part] = bytes;
    bios.segments[part] = Math.ceil(bytes / PAGE_BYTES);
    bios.ioprio[part] = bios.ioprio[source];
    bios.writeHint[part] = bios.writeHint[source];
    bios.io[part] = bios.io[source];
    bios.endKind[part] = this.endedKind;
    bios.endArg[part] = source;
    bios.rows.copyFrom(part, bios.rows, source);
    if (data !== undefined) bios.buffer[part] = data.encrypt(source, bytes, slot);
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
    const t = this.state.task(x);
    if (t.restBytes > 0) {
      this.state.bios.rows.mark(t.bio, ST_SUBMIT, this.state.env.engine.now);
      this.nextPart(x, t);
      return;
    }
    this.state.profile.put(x, t.slot);
    t.slot = NONE;
    this.state.env.machine.ret(x);
  }

  private ended(part: number): void {
    const { bios, data } = this.state;
    const source = bios.endArg[part];
    if (data !== undefined) data.release(part);
    this.pages.put(this.state.env.machine.current, this.pagesOf[part]);
    if (bios.remaining[source] === 1) bios.rows.copyFrom(source, bios.rows, part);
    const status = bios.status[part];
    bios.release(part);
    this.state.endSource(source, status);
  }
}

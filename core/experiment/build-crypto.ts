/**
 * Inline encryption of a run: keys, the record of what each keyslot held, the device's profile behind the request queue, and law 4.
 *
 * Law 4 is watched in two places that do not trust the profile: no request may hold a slot while it is programmed, and a request that reaches the driver must have the key, the data
 * unit size and the DUN of every one of its bios, no DUN wider than its key allows, and its key in its slot.
 */
import type { Block } from '../block/block.ts';
import { CryptoFallback, type FallbackEnv } from '../block/crypto-fallback/fallback.ts';
import type { Lld } from '../block/types.ts';
import { rowFitsDunBytes, rowsAreContiguous } from '../crypto/dun.ts';
import { KeyTable } from '../crypto/key.ts';
import { KEY_TYPE_HW_WRAPPED } from '../crypto/mode.ts';
import { KeyMaker } from '../crypto/profile/key-maker.ts';
import type { CryptoProfile, ProfileEnv } from '../crypto/profile/profile.ts';
import type { KeyslotSpans, SlotState } from '../crypto/profile/types.ts';
import type { Machine } from '../engine/machine.ts';
import type { WaitEdge, WaitSource } from '../engine/waits.ts';
import { TableWriter } from '../trace/recorder.ts';
import { type BatchSink, TABLES } from '../trace/schema.ts';
import type { StageId } from '../trace/stages.ts';
import type { Workload, WorkloadEncryption } from '../workload/workload.ts';
import type { ValidEncryption, ValidExperiment } from './definition.ts';
import type { RunSummary } from './summary.ts';

const NONE = -1;

/** What the device's builder is given when jobs encrypt. */
export interface CryptoEnv {
  readonly keys: KeyTable;
  readonly spans: SpanLog;
  readonly profile: Required<Pick<ProfileEnv, 'spans' | 'marks' | 'holders'>>;
}

export function cryptoEnv(
  { machine }: { readonly machine: Machine },
  block: Block,
  run: ValidExperiment['run'],
  sink: BatchSink,
): CryptoEnv {
  const spans = new SpanLog(machine, block, run.detail === 'summary' ? undefined : sink, run.check);
  const holders = (slot: number): readonly string[] => block.keyslotHolders(slot);
  return { keys: new KeyTable(), spans, profile: { spans, marks: block.keyslotMarks, holders } };
}

/** Rows of the table `keyslot_span`; and the first half of law 4. */
export class SpanLog implements KeyslotSpans {
  readonly on: boolean;
  private readonly machine: Machine;
  private readonly block: Block;
  private readonly check: boolean;
  private readonly writer: TableWriter | undefined;

  constructor(machine: Machine, block: Block, sink: BatchSink | undefined, check: boolean) {
    this.machine = machine;
    this.block = block;
    this.check = check;
    this.writer = sink && new TableWriter('keyslot_span', TABLES.keyslot_span, sink);
    this.on = check || sink !== undefined;
  }

  span(slot: number, keyId: number, state: SlotState, startNs: number, endNs: number): void {
    if (this.check && state === 'programming') this.checkUnused(slot);
    const w = this.writer;
    if (w === undefined) return;
    const row = w.next();
    const [slots, keys, states, starts, ends] = w.columns;
    slots[row] = slot;
    keys[row] = keyId;
    states[row] = w.text(state);
    starts[row] = startNs;
    ends[row] = endNs;
  }

  /** A slot has just been programmed, and nobody can have got it since: who holds it held it meanwhile. */
  private checkUnused(slot: number): void {
    const { requests } = this.block;
    for (let rq = 0; rq < requests.highWater; rq++) {
      if (requests.keyslot[rq] !== slot) continue;
      this.machine.violate(
        'keyslot-in-use',
        `slot ${slot} was programmed while request ${requests.serial[rq]} held it`,
      );
    }
  }

  flush(): void {
    this.writer?.flush();
  }
}

/** The encryption side of a built stack. */
export class CryptoRoom implements WaitSource {
  readonly keys: KeyTable;
  /** The device's; undefined: it cannot encrypt. */
  readonly profile: CryptoProfile | undefined;
  readonly fallback: CryptoFallback | undefined;
  /** Makes hardware-wrapped keys; undefined when the device takes none. */
  private readonly maker: KeyMaker | undefined;
  private readonly spans: SpanLog;
  private readonly block: Block;

  constructor(
    env: FallbackEnv,
    { spans }: CryptoEnv,
    profile: CryptoProfile | undefined,
    fallback: ValidEncryption['fallback'],
  ) {
    this.keys = env.keys;
    this.block = env.block;
    this.spans = spans;
    this.profile = profile;
    if (profile !== undefined && (profile.capabilities.keyTypes & KEY_TYPE_HW_WRAPPED) !== 0)
      this.maker = new KeyMaker(env, profile);
    if (fallback !== undefined) this.fallback = new CryptoFallback(env, fallback);
  }

  /** Connects the profile with the request queue, once the driver is. */
  attach(): void {
    if (this.profile !== undefined) this.block.attachProfile(this.profile, this.keys);
  }

  /** What the workload needs to encrypt. */
  forWorkload(encryption: ValidEncryption): WorkloadEncryption {
    const { profile, fallback, keys, maker } = this;
    const common = { ...encryption, table: keys, ...(maker && { wrapped: maker }) };
    if (fallback === undefined) return { ...common, evict: (x, keyId) => profile?.evict(x, keyId) };
    return {
      ...common,
      evict: (x, keyId) => fallback.evictKey(x, keyId),
      target: fallback,
      keyMade: (keyId) => fallback.startUsingKey(keyId),
    };
  }

  /** Stages that can occur because of keyslots and the fallback. */
  get stages(): readonly StageId[] {
    const hasSlots = this.fallback !== undefined || (this.profile?.slots ?? 0) > 0;
    return [
      ...(hasSlots ? (['wait.keyslot', 'keyslot.program'] as const) : []),
      ...(this.fallback === undefined ? [] : (['fallback.queue', 'fallback.cpu'] as const)),
    ];
  }

  reportWaits(add: (edge: WaitEdge) => void): void {
    this.fallback?.reportWaits(add);
  }

  /** Law 3: what the fallback has left (the device tells of its own profile). */
  checkEmpty(): readonly string[] {
    return this.fallback?.checkEmpty() ?? [];
  }

  /** The driver, with every request looked at on its way there. */
  watched(lld: Lld, machine: Machine): Lld {
    return {
      queueRq: (x, rq, last) => {
        const wrong = this.wrongContext(rq);
        if (wrong !== '') machine.violate('crypto-context', `request ${this.block.requests.serial[rq]}: ${wrong}`);
        lld.queueRq(x, rq, last);
      },
      timeout: (x, rq) => lld.timeout(x, rq),
      ...(lld.startsAtOnce && { startsAtOnce: (rq: number) => lld.startsAtOnce?.(rq) ?? false }),
      ...(lld.commitRqs && { commitRqs: (x: number, hctx: number) => lld.commitRqs?.(x, hctx) }),
    };
  }

  /** The second half of law 4; empty when all is well. */
  private wrongContext(rq: number): string {
    const { requests, bios } = this.block;
    const keyId = requests.keyId[rq];
    const unitBytes = requests.dataUnitSize[rq];
    const unitBits = keyId === NONE ? 0 : this.keys.unitBits[keyId];
    let bytes = 0;
    for (let bio = requests.bio[rq]; bio !== NONE; bio = bios.next[bio]) {
      if (bios.keyId[bio] !== keyId) return `its key is ${keyId}, that of a bio ${bios.keyId[bio]}`;
      if (keyId === NONE) continue;
      if (bios.dataUnitSize[bio] !== unitBytes) return 'a bio has another data unit size';
      if (!rowsAreContiguous(requests.dun, rq, bytes, unitBits, bios.dun, bio)) return 'a bio has another DUN';
      bytes += bios.bytes[bio];
    }
    if (keyId === NONE) return '';
    const units = bytes / this.keys.dataUnitSize(keyId);
    if (!rowFitsDunBytes(requests.dun, rq, units, this.keys.dunBytes[keyId]))
      return `its DUN needs more than the ${this.keys.dunBytes[keyId]} bytes of its key`;
    if (this.profile === undefined || this.profile.slots === 0) return '';
    const slot = requests.keyslot[rq];
    if (slot < 0) return 'it has no keyslot';
    const held = this.profile.table.key[slot];
    return held === keyId ? '' : `slot ${slot} holds key ${held}, not ${keyId}`;
  }

  // ------------------------------------------------------------------------------------------------ reports

  /** At the end of a run: the last spans. */
  finish(): void {
    this.profile?.finishSpans();
    this.spans.flush();
  }

  /** The `keyslots` part of the summary, of the device's slots. `waitNs`: what requests waited. */
  keyslots(waitNs: number): RunSummary['keyslots'] | undefined {
    if (this.profile === undefined) return undefined;
    const { programs, hits, evictions, waits } = this.profile.counters;
    return { slots: this.profile.slots, programs, hits, evictions, waits: waits + this.block.keyslots.held, waitNs };
  }

  /** The `crypto` part of the summary. */
  counters(workload: Workload): Readonly<Record<string, number>> {
    const { block, keys } = this;
    return {
      keys: keys.size,
      encryptedIos: workload.keys?.encrypted ?? 0,
      plainIos: workload.keys?.plain ?? 0,
      keysReplaced: workload.churn?.replaced ?? 0,
      keysEvicted: workload.churn?.evicted ?? 0,
      ...this.profileCounters(),
      ...this.maker?.counters,
      slotHeldNs: block.keyslots.heldNs,
      slotInFlightNs: block.keyslots.inFlightNs,
      queueBlocks: block.keyslots.blocks,
      queueBlockedNs: block.keyslots.blockedNs,
      failedRequests: block.keyslots.errors,
      refusedBios: block.keyslots.refused,
      ...this.fallbackCounters(),
    };
  }

  private profileCounters(): Readonly<Record<string, number>> {
    if (this.profile === undefined) return {};
    const { replacements, programNs, programErrors, restored } = this.profile.counters;
    return { replacements, programNs, programErrors, restored };
  }

  private fallbackCounters(): Readonly<Record<string, number>> {
    if (this.fallback === undefined) return {};
    const { writes, reads, cipherNs, pageWaits, refused } = this.fallback.counters;
    return {
      fallbackWrites: writes,
      fallbackReads: reads,
      fallbackCipherNs: cipherNs,
      fallbackPageWaits: pageWaits,
      fallbackRefused: refused,
      fallbackPrograms: this.fallback.profile.counters.programs,
    };
  }
}

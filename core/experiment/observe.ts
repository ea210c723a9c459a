/**
 * The observer: sees every I/O and every request once, when it is over, and turns it into trace rows, the trace hash, statistics, and checks of laws 1 and 2.
 *
 * The hash covers what happened, at every level of detail alike: a run has the same hash whether its rows were kept or not.
 */
import type { Block } from '../block/block.ts';
import { OP_NAMES, STATUS_NAMES } from '../block/types.ts';
import { loadDunAsNumber } from '../crypto/dun.ts';
import type { Machine } from '../engine/machine.ts';
import { TraceHash } from '../trace/hash.ts';
import { TableWriter } from '../trace/recorder.ts';
import { liveColumns, type BatchSink } from '../trace/schema.ts';
import { STAGE_IDS, STAGE_STRIDE, ST_WAIT_KEYSLOT, stageColumn, stageIndex, type StageId } from '../trace/stages.ts';
import { DDIR_NAMES, type IoTable } from '../workload/io.ts';
import { Statistics } from './statistics.ts';

export interface ObserverOptions {
  readonly stages: readonly StageId[];
  /** Name of every job clone, by index. */
  readonly jobNames: readonly string[];
  /** Rows are written to `sink`; without, only hash and statistics are kept. */
  readonly sink: BatchSink | undefined;
  readonly warmupNs: number;
  /** Since when I/Os of each job clone count (ramp_time, end of a latency_target search); may change while the clone runs. */
  readonly clones: readonly { readonly countFromNs: number }[];
  readonly check: boolean;
}

export class Observer {
  readonly statistics: Statistics;
  ios = 0;
  requests = 0;
  /** What encrypted requests waited for their keyslots. */
  keyslotWaitNs = 0;

  private readonly machine: Machine;
  private readonly block: Block;
  private readonly table: IoTable;
  private readonly warmupNs: number;
  private readonly clones: ObserverOptions['clones'];
  private readonly check: boolean;
  private readonly hash = new TraceHash();
  /** What the hash takes of one I/O or request. */
  private readonly facts = new Float64Array(8);
  private readonly ioWriter: IoWriter | undefined;
  private readonly requestWriter: RequestWriter | undefined;

  constructor(machine: Machine, block: Block, ios: IoTable, options: ObserverOptions) {
    this.machine = machine;
    this.block = block;
    this.table = ios;
    this.warmupNs = options.warmupNs;
    this.clones = options.clones;
    this.check = options.check;
    this.statistics = new Statistics(options.stages, options.jobNames);
    if (options.sink !== undefined) {
      this.ioWriter = new IoWriter(options.stages, options.jobNames, options.sink);
      this.requestWriter = new RequestWriter(options.stages, options.sink);
    }
  }

  /** An I/O was reaped by its submitter. */
  ioDone(io: number): void {
    const ios = this.table;
    this.ios++;
    const submitNs = ios.submitNs[io];
    const { facts } = this;
    facts[0] = ios.id[io];
    facts[1] = ios.job[io] * 4 + ios.ddir[io];
    facts[2] = ios.offsetBytes[io];
    facts[3] = ios.sizeBytes[io];
    facts[4] = submitNs;
    facts[5] = ios.completeNs[io];
    facts[6] = ios.status[io];
    this.hash.addColumn(facts, 7);
    if (this.check) this.checkIo(io);
    if (submitNs >= this.warmupNs && submitNs >= this.clones[ios.job[io]].countFromNs) this.statistics.count(ios, io);
    this.ioWriter?.write(ios, io);
  }

  /** A request is complete and about to be freed. */
  requestDone(rq: number): void {
    const requests = this.block.requests;
    this.requests++;
    const { facts } = this;
    facts[0] = requests.serial[rq];
    facts[1] = requests.sector[rq];
    facts[2] = requests.totalBytes[rq];
    facts[3] = requests.lastTag[rq];
    facts[4] = requests.issuedNs[rq];
    facts[5] = requests.completedNs[rq];
    const isEncrypted = requests.keyId[rq] >= 0;
    if (isEncrypted) {
      facts[6] = requests.keyId[rq];
      facts[7] = requests.lastKeyslot[rq];
      this.keyslotWaitNs += requests.rows.ns[rq * STAGE_STRIDE + ST_WAIT_KEYSLOT];
    }
    this.hash.addColumn(facts, isEncrypted ? 8 : 6);
    if (requests.io[rq] >= 0) this.table.requests[requests.io[rq]]++;
    if (this.check) this.checkRequest(rq);
    this.requestWriter?.write(this.block, this.table, rq);
  }

  /** Digest of everything seen so far. */
  traceHash(): string {
    return this.hash.hex();
  }

  /** Hands over what is left of the last batches. */
  flush(): void {
    this.ioWriter?.flush();
    this.requestWriter?.flush();
  }

  private checkIo(io: number): void {
    const ios = this.table;
    const totalNs = ios.completeNs[io] - ios.submitNs[io];
    const explainedNs = ios.rows.total(io);
    if (explainedNs !== totalNs) {
      this.machine.violate(
        'unexplained-time',
        `I/O ${ios.id[io]}: stages sum to ${explainedNs} ns, total is ${totalNs} ns`,
      );
    }
    if (ios.biosLeft[io] !== 0) {
      this.machine.violate('bio-ends-once', `I/O ${ios.id[io]} is complete with ${ios.biosLeft[io]} bios outstanding`);
    }
  }

  private checkRequest(rq: number): void {
    const r = this.block.requests;
    const totalNs = r.completedNs[rq] - r.queuedNs[rq];
    const explainedNs = r.rows.total(rq);
    if (explainedNs !== totalNs) {
      this.machine.violate(
        'unexplained-time',
        `request ${r.serial[rq]}: stages sum to ${explainedNs} ns, total is ${totalNs} ns`,
      );
    }
  }
}

/** Indexes of the live stages, and of their columns in a writer. */
class StageColumns {
  private readonly stages: Int32Array;
  private readonly columns: Int32Array;

  constructor(writer: TableWriter, stages: readonly StageId[]) {
    this.stages = Int32Array.from(stages, stageIndex);
    this.columns = Int32Array.from(stages, (id) => writer.index(stageColumn(id)));
  }

  write(writer: TableWriter, row: number, ns: Float64Array, handle: number): void {
    const base = handle * STAGE_STRIDE;
    for (let i = 0; i < this.stages.length; i++) writer.columns[this.columns[i]][row] = ns[base + this.stages[i]];
  }
}

/** Rows of the `io` table. The fixed columns come first, in the order of the schema. */
class IoWriter {
  private readonly writer: TableWriter;
  private readonly stages: StageColumns;
  private readonly jobTexts: Int32Array;
  private readonly opTexts: Int32Array;
  private readonly statusTexts: Int32Array;

  constructor(stages: readonly StageId[], jobNames: readonly string[], sink: BatchSink) {
    this.writer = new TableWriter('io', liveColumns('io', stages), sink);
    this.stages = new StageColumns(this.writer, stages);
    this.jobTexts = Int32Array.from(jobNames, (name) => this.writer.text(name));
    this.opTexts = Int32Array.from(DDIR_NAMES, (name) => this.writer.text(name));
    this.statusTexts = Int32Array.from(STATUS_NAMES, (name) => this.writer.text(name));
  }

  write(ios: IoTable, io: number): void {
    const w = this.writer;
    const row = w.next();
    const [id, job, op, offset, size, cpu, key, status, submit, complete, total, requests] = w.columns;
    id[row] = ios.id[io];
    job[row] = this.jobTexts[ios.job[io]];
    op[row] = this.opTexts[ios.ddir[io]];
    offset[row] = ios.offsetBytes[io];
    size[row] = ios.sizeBytes[io];
    cpu[row] = ios.cpu[io];
    if (ios.keyId[io] >= 0) key[row] = ios.keyId[io];
    status[row] = this.statusTexts[ios.status[io]];
    submit[row] = ios.submitNs[io];
    complete[row] = ios.completeNs[io];
    total[row] = ios.completeNs[io] - ios.submitNs[io];
    requests[row] = ios.requests[io];
    this.stages.write(w, row, ios.rows.ns, io);
  }

  flush(): void {
    this.writer.flush();
  }
}

/** Rows of the `request` table. */
class RequestWriter {
  private readonly writer: TableWriter;
  private readonly stages: StageColumns;
  private readonly opTexts: Int32Array;
  private readonly statusTexts: Int32Array;

  constructor(stages: readonly StageId[], sink: BatchSink) {
    this.writer = new TableWriter('request', liveColumns('request', stages), sink);
    this.stages = new StageColumns(this.writer, stages);
    this.opTexts = Int32Array.from(OP_NAMES, (name) => this.writer.text(name));
    this.statusTexts = Int32Array.from(STATUS_NAMES, (name) => this.writer.text(name));
  }

  write(block: Block, ios: IoTable, rq: number): void {
    const r = block.requests;
    const w = this.writer;
    const row = w.next();
    const [id, io, op, sector, size, cpu, hctx, tag, slot, key, dun, unit, bios, attempts, status] = w.columns;
    id[row] = r.serial[rq];
    if (r.io[rq] >= 0) io[row] = ios.id[r.io[rq]];
    op[row] = this.opTexts[r.op[rq]];
    sector[row] = r.sector[rq];
    size[row] = r.totalBytes[rq];
    cpu[row] = r.cpu[rq];
    hctx[row] = r.hctx[rq];
    tag[row] = r.lastTag[rq];
    if (r.keyId[rq] >= 0) {
      slot[row] = r.lastKeyslot[rq];
      key[row] = r.keyId[rq];
      dun[row] = loadDunAsNumber(r.dun, rq);
      unit[row] = r.dataUnitSize[rq];
    }
    bios[row] = r.bios[rq];
    attempts[row] = r.attempts[rq];
    status[row] = this.statusTexts[r.status[rq]];
    this.writeStamps(block, row, rq);
    this.stages.write(w, row, r.rows.ns, rq);
  }

  private writeStamps(block: Block, row: number, rq: number): void {
    const r = block.requests;
    const c = this.writer.columns;
    c[QUEUED][row] = r.queuedNs[rq];
    c[QUEUED + 1][row] = r.gotNs[rq];
    c[QUEUED + 2][row] = r.insertedNs[rq];
    c[QUEUED + 3][row] = r.issuedNs[rq];
    c[QUEUED + 4][row] = r.deviceNs[rq];
    c[QUEUED + 5][row] = r.completedNs[rq];
    c[QUEUED + 6][row] = r.completedNs[rq] - r.queuedNs[rq];
  }

  flush(): void {
    this.writer.flush();
  }
}

/** Index of `queued_ns` among the columns of `request`; the other stamps follow it. */
const QUEUED = liveColumns('request', []).findIndex((c) => c.name === 'queued_ns');

/** Stages in the order of the list, each once. */
export function inOrder(stages: Iterable<StageId>): StageId[] {
  const wanted = new Set(stages);
  return STAGE_IDS.filter((id) => wanted.has(id));
}

/**
 * A block layer and a flash for specs of this room: requests go straight to the driver, refused ones come back on a timer or when the queue is run; the flash answers
 * after fixed times. Test aid, not part of any run.
 */
import { OP_READ, STS_DEV_RESOURCE, STS_OK, STS_RESOURCE } from '../../block/types.ts';
import { DUN_WORDS } from '../../crypto/dun.ts';
import { MACHINE_PROFILES } from '../../engine/costs/index.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import type { Media, MediaClient } from '../../media/types.ts';
import { type DetailLog, NO_GAUGES, NO_LOG } from '../../trace/log.ts';
import { ST_MEDIA, ST_SUBMIT, ST_WAIT_DISPATCH, ST_WAIT_REQUEUE, StageRows } from '../../trace/stages.ts';
import type { UfsBlock, UfsRequests } from './block-port.ts';
import { buildUfs, type Ufs, ufsQueueShape } from './build.ts';
import type { UfsCryptoParts } from './ufshcd-crypto.ts';
import { defaultUfsConfig, type UfsConfig } from './config.ts';

const CAPACITY = 1024;
/** Rerun of a queue whose driver said "resource". @source blk-mq-and-formats.md 1.1 */
const RERUN_NS = 3_000_000;

/** Request columns of a fixed size. */
class Requests implements UfsRequests {
  readonly rows = new StageRows(CAPACITY);
  readonly op = new Int32Array(CAPACITY);
  readonly flags = new Int32Array(CAPACITY);
  readonly sector = new Float64Array(CAPACITY);
  readonly bytes = new Float64Array(CAPACITY);
  readonly segments = new Int32Array(CAPACITY);
  readonly hctx = new Int32Array(CAPACITY);
  readonly tag = new Int32Array(CAPACITY);
  readonly keyslot = new Int32Array(CAPACITY).fill(-1);
  readonly keyId = new Int32Array(CAPACITY).fill(-1);
  readonly dun = new Uint32Array(CAPACITY * DUN_WORDS);
  readonly dataUnitSize = new Int32Array(CAPACITY);
  readonly deviceNs = new Float64Array(CAPACITY);
  readonly io = new Int32Array(CAPACITY).fill(-1);
}

/** A block layer with one dispatching task per hardware queue and no more queueing than a list. */
export class ScriptedBlock implements UfsBlock {
  readonly requests = new Requests();
  readonly started: number[] = [];
  readonly refused: number[] = [];
  readonly requeued: number[] = [];
  readonly completed: { readonly rq: number; readonly status: number; readonly atNs: number }[] = [];
  /** Called with each completed request. */
  onComplete: (rq: number, status: number) => void = () => undefined;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly workers: number[] = [];
  private readonly lists: number[][] = [];
  private readonly busy: boolean[] = [];
  private readonly dispatchKind: number;
  private readonly rerunKind: number;
  private readonly submitKind: number;
  private ufs: Ufs | undefined;
  private count = 0;

  constructor(engine: Engine, machine: Machine, hwQueues: number) {
    this.engine = engine;
    this.machine = machine;
    this.dispatchKind = engine.register('test.dispatch', (q) => this.dispatch(q));
    this.rerunKind = engine.register('test.rerun', (q) => this.kick(q));
    this.submitKind = engine.register('test.submit', (rq) => this.insert(rq));
    for (let q = 0; q < hwQueues; q++) {
      this.workers.push(machine.createTask(`dispatch/${q}`, q % machine.cpus, this.dispatchKind, q));
      this.lists.push([]);
      this.busy.push(false);
    }
  }

  attach(ufs: Ufs): void {
    this.ufs = ufs;
  }

  /** A request at `atNs`; returns its handle. */
  submitAt(
    atNs: number,
    op: number,
    sector: number,
    bytes: number,
    options: Partial<
      Record<'flags' | 'hctx' | 'tag' | 'segments' | 'keyslot' | 'keyId' | 'dunLow' | 'dunHigh', number>
    > = {},
  ): number {
    const rq = this.count++;
    const r = this.requests;
    r.op[rq] = op;
    r.flags[rq] = options.flags ?? 0;
    r.sector[rq] = sector;
    r.bytes[rq] = bytes;
    r.segments[rq] = options.segments ?? Math.max(1, Math.ceil(bytes / 4096));
    r.hctx[rq] = options.hctx ?? 0;
    r.tag[rq] = options.tag ?? rq;
    r.keyslot[rq] = options.keyslot ?? -1;
    r.keyId[rq] = options.keyId ?? -1;
    r.dun[rq * DUN_WORDS] = options.dunLow ?? 0;
    r.dun[rq * DUN_WORDS + 1] = options.dunHigh ?? 0;
    r.dataUnitSize[rq] = options.keyId === undefined ? 0 : 4096;
    r.deviceNs[rq] = NaN;
    this.engine.at(atNs, this.submitKind, rq);
    return rq;
  }

  private insert(rq: number): void {
    this.requests.rows.start(rq, this.engine.now);
    this.requests.rows.mark(rq, ST_SUBMIT, this.engine.now);
    this.lists[this.requests.hctx[rq]].push(rq);
    this.kick(this.requests.hctx[rq]);
  }

  private kick(q: number): void {
    if (this.busy[q] || this.lists[q].length === 0) return;
    this.busy[q] = true;
    this.machine.wake(-1, this.workers[q]);
  }

  private dispatch(q: number): void {
    const rq = this.lists[q].shift();
    if (rq === undefined) {
      this.busy[q] = false;
      this.machine.sleep(this.workers[q], this.dispatchKind, q);
      return;
    }
    this.requests.rows.mark(rq, ST_WAIT_DISPATCH, this.engine.now);
    this.ufs?.lld.queueRq(this.machine.current, rq, this.lists[q].length === 0);
  }

  startRequest(rq: number): void {
    this.started.push(rq);
  }

  queueRqDone(x: number, rq: number, status: number): void {
    const q = this.requests.hctx[rq];
    if (status === STS_OK) {
      this.dispatch(q);
      return;
    }
    if (status !== STS_RESOURCE && status !== STS_DEV_RESOURCE) {
      this.completeRequest(x, rq, status);
      this.dispatch(q);
      return;
    }
    this.refused.push(rq);
    this.lists[q].unshift(rq);
    this.busy[q] = false;
    this.engine.after(RERUN_NS, this.rerunKind, q);
    this.machine.sleep(x, this.dispatchKind, q);
  }

  completeRequest(_x: number, rq: number, status: number): void {
    this.completed.push({ rq, status, atNs: this.engine.now });
    this.onComplete(rq, status);
  }

  requeueRequest(_x: number, rq: number, delayNs: number): void {
    this.requeued.push(rq);
    this.requests.rows.mark(rq, ST_WAIT_REQUEUE, this.engine.now);
    const q = this.requests.hctx[rq];
    this.lists[q].push(rq);
    this.engine.after(delayNs, this.rerunKind, q);
  }

  runHwQueues(): void {
    for (let q = 0; q < this.lists.length; q++) this.engine.after(0, this.rerunKind, q);
  }
}

/** A flash that takes `readNs`, `writeNs`, … for everything, without limit on parallelism. */
export class ScriptedMedia implements Media {
  readNs = 50_000;
  writeNs = 10_000;
  flushNs = 1_000_000;
  discardNs = 100_000;
  /** Reads become ready in so many equal chunks, `readNs` apart. */
  chunks = 1;
  /** The next operation fails. */
  failNext = false;
  aborted = 0;
  readonly calls: string[] = [];
  private readonly engine: Engine;
  private readonly client: MediaClient;
  private readonly rows: StageRows;
  private readonly blocksOf = new Map<number, number>();
  private readonly left = new Map<number, number>();
  private readonly kinds: {
    readonly read: number;
    readonly write: number;
    readonly flush: number;
    readonly discard: number;
  };
  private epoch = 0;
  private readonly epochOf = new Map<number, number>();

  constructor(engine: Engine, client: MediaClient, rows: StageRows) {
    this.engine = engine;
    this.client = client;
    this.rows = rows;
    const done = (then: (cmd: number, ok: boolean) => void) => (cmd: number) => {
      if (this.epochOf.get(cmd) !== this.epoch) return;
      const ok = !this.failNext;
      this.failNext = false;
      then(cmd, ok);
    };
    const ends = (report: (cmd: number, ok: boolean) => void): ((cmd: number) => void) =>
      done((cmd, ok) => {
        rows.mark(cmd, ST_MEDIA, engine.now);
        report(cmd, ok);
      });
    this.kinds = {
      read: engine.register(
        'test.read',
        done((cmd, ok) => this.chunkRead(cmd, ok)),
      ),
      write: engine.register(
        'test.write',
        ends((cmd, ok) => client.writeDone(cmd, ok)),
      ),
      flush: engine.register(
        'test.flush',
        ends((cmd) => client.flushDone(cmd)),
      ),
      discard: engine.register(
        'test.discard',
        ends((cmd) => client.discardDone(cmd)),
      ),
    };
  }

  private later(delayNs: number, kind: number, cmd: number): void {
    this.epochOf.set(cmd, this.epoch);
    this.engine.after(delayNs, kind, cmd);
  }

  read(cmd: number, lba: number, blocks: number): void {
    this.calls.push(`read ${lba}+${blocks}`);
    this.blocksOf.set(cmd, blocks);
    this.left.set(cmd, this.chunks);
    this.later(this.readNs, this.kinds.read, cmd);
  }

  private chunkRead(cmd: number, ok: boolean): void {
    const left = (this.left.get(cmd) ?? 1) - 1;
    this.left.set(cmd, left);
    const bytes = ((this.blocksOf.get(cmd) ?? 0) * 4096) / this.chunks;
    if (left === 0) this.rows.mark(cmd, ST_MEDIA, this.engine.now);
    else this.later(this.readNs, this.kinds.read, cmd);
    this.client.readReady(cmd, bytes, left === 0, ok);
  }

  requestWrite(cmd: number, lba: number, blocks: number): void {
    this.calls.push(`write ${lba}+${blocks}`);
    this.client.writeGranted(cmd);
  }

  write(cmd: number, fua: boolean): void {
    this.calls.push(fua ? 'data fua' : 'data');
    this.later(this.writeNs, this.kinds.write, cmd);
  }

  flush(cmd: number): void {
    this.calls.push('flush');
    this.later(this.flushNs, this.kinds.flush, cmd);
  }

  discard(cmd: number, lba: number, blocks: number): void {
    this.calls.push(`discard ${lba}+${blocks}`);
    this.later(this.discardNs, this.kinds.discard, cmd);
  }

  abortAll(): void {
    this.aborted++;
    this.epoch++;
  }

  isIdle(): boolean {
    return true;
  }

  statistics(): Readonly<Record<string, number>> {
    return {};
  }
}

/** Everything a spec needs, wired up. */
export interface Bench {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly block: ScriptedBlock;
  readonly media: ScriptedMedia;
  readonly ufs: Ufs;
  /** Runs until `untilNs` or until nothing is left to do. */
  run(untilNs?: number): void;
}

/** Makes what a host that encrypts needs, once engine and machine exist. */
export type MakeParts = (engine: Engine, machine: Machine) => UfsCryptoParts;

/** A host with power saving off unless the overrides say otherwise, brought up before time starts (`probed` false: not brought up). */
export function makeBench(
  overrides: Partial<UfsConfig> = {},
  options: { probed?: boolean; log?: DetailLog; crypto?: MakeParts } = {},
): Bench {
  const engine = new Engine(1);
  const machine = new Machine(engine, { ...MACHINE_PROFILES[0].costs, idleStates: [] }, 4);
  const workqueues = new Workqueues(engine, machine);
  const base = defaultUfsConfig('ufs-3.1');
  const config: UfsConfig = {
    ...base,
    clockGating: { ...base.clockGating, on: false },
    runtimePm: { ...base.runtimePm, autosuspendNs: 0 },
    strict: true,
    ...overrides,
  };
  const block = new ScriptedBlock(engine, machine, ufsQueueShape(config).hwQueues);
  const env = { engine, machine, workqueues, log: options.log ?? NO_LOG, gauges: NO_GAUGES };
  const ufs = buildUfs(env, config, block, options.crypto?.(engine, machine));
  const media = new ScriptedMedia(engine, ufs.client, block.requests.rows);
  ufs.attachMedia(media);
  block.attach(ufs);
  if (options.probed !== false) ufs.bringUp();
  const run = (untilNs = Infinity): void => {
    while (engine.runSlice(100_000, untilNs));
  };
  return { engine, machine, block, media, ufs, run };
}

/** A random read of 4 KiB at block `lba`, the commonest request. */
export function readAt(bench: Bench, atNs: number, lba: number): number {
  return bench.block.submitAt(atNs, OP_READ, lba * 8, 4096);
}

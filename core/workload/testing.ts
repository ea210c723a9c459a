/** What the specs of the workload share: jobs from option lists, the I/Os that a generator chooses, and the whole stack on a null device. */
import { Block } from '../block/block.ts';
import type { QueueLimits } from '../block/types.ts';
import type { MachineCosts } from '../engine/costs/costs.ts';
import { SERVER_X86 } from '../engine/costs/server-x86.ts';
import { Engine } from '../engine/engine.ts';
import { Machine } from '../engine/machine.ts';
import { Workqueues } from '../engine/workqueue.ts';
import { NullDevice, type NullDeviceConfig } from '../hosts/null/null-device.ts';
import { NO_GAUGES, NO_LOG } from '../trace/log.ts';
import { expandJobs, type JobClone } from './clones.ts';
import { parseFio, type FioJob } from './fio/index.ts';
import { Generator } from './generator.ts';
import { Pacing } from './pacing.ts';
import { Workload } from './workload.ts';

export const CAPACITY_BYTES = 1 << 30;

/** The jobs of a file whose lines are separated by blanks: `job('[a] rw=read bs=4k')`; without a section header there is one job, `j`. */
export function jobs(text: string): readonly FioJob[] {
  const lines = (text.startsWith('[') ? text : `[j] ${text}`).trim().replaceAll(/\s+/g, '\n');
  const { jobs: parsed, issues } = parseFio(lines);
  if (parsed.length === 0) throw new Error(issues.map(({ message }) => message).join('; '));
  return parsed;
}

export function clones(text: string, engine = new Engine(1), capacityBytes = CAPACITY_BYTES): JobClone[] {
  return expandJobs(jobs(text), 4, capacityBytes, (name) => engine.stream(name));
}

/** What a clone chooses, as far as `most` I/Os go. */
export interface Choice {
  readonly ddir: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly drainsFirst: boolean;
}

export function choices(text: string, most = 100_000, seed = 1): Choice[] {
  const engine = new Engine(seed);
  const [clone] = clones(text, engine);
  const generator = new Generator(engine, clone, new Pacing(engine, clone.name, clone.job));
  const all: Choice[] = [];
  while (all.length < most && generator.next()) {
    const { ddir, offsetBytes, sizeBytes, drainsFirst } = generator;
    all.push({ ddir, offsetBytes, sizeBytes, drainsFirst });
  }
  return all;
}

/** As fio's I/O log has it: `R0 W4+8 T12 S`: direction, offset in KiB, and the size in KiB where it is not 4. */
export function sequence(text: string, most = 200): string {
  return choices(text, most)
    .map(({ ddir, offsetBytes, sizeBytes }) =>
      ddir === 3 ? 'S' : `${'RWT'[ddir]}${offsetBytes / 1024}${sizeBytes === 4096 ? '' : `+${sizeBytes / 1024}`}`,
    )
    .join(' ');
}

const LIMITS: QueueLimits = {
  logicalBlockSize: 512,
  physicalBlockSize: 4096,
  maxHwSectors: 2048,
  maxSectors: 2048,
  maxSegments: 128,
  maxSegmentSize: 65_536,
  chunkSectors: 0,
  maxDiscardSectors: 1 << 21,
  discardGranularity: 4096,
  maxWriteZeroesSectors: 0,
  writeCache: true,
  fua: true,
};

/** One I/O as it was when it was complete. */
export interface DoneIo {
  readonly id: number;
  readonly clone: number;
  readonly ddir: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly status: number;
  readonly submitNs: number;
  readonly completeNs: number;
  /** Sum of its stages. */
  readonly stagesNs: number;
}

/** Workload, block layer and null device; every I/O is kept. */
export class Bench {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly block: Block;
  readonly device: NullDevice;
  readonly workload: Workload;
  readonly done: DoneIo[] = [];
  finishedAtNs = -1;

  constructor(text: string, device: Partial<NullDeviceConfig> = {}, costs: Partial<MachineCosts> = {}, seed = 1) {
    const engine = new Engine(seed);
    const machine = new Machine(engine, { ...SERVER_X86.costs, ...costs }, 4);
    const env = { engine, machine, workqueues: new Workqueues(engine, machine), log: NO_LOG, gauges: NO_GAUGES };
    this.engine = engine;
    this.machine = machine;
    this.block = new Block(env, { limits: LIMITS, queueDepth: 64, hwQueues: 1, plugPerBio: false, rqAffinity: 1 });
    this.device = new NullDevice({ engine, machine, block: this.block }, device);
    this.block.attach(this.device);
    this.workload = new Workload({ engine, machine, block: this.block }, jobs(text), {
      capacityBytes: CAPACITY_BYTES,
      logicalBlockSize: 512,
      cpus: 4,
    });
    this.workload.onIoDone = (io) => this.keep(io);
    this.workload.onFinished = () => {
      this.finishedAtNs = engine.now;
    };
  }

  /** Runs to the end; `stopAtNs`: stops then. */
  run(stopAtNs?: number): this {
    if (stopAtNs !== undefined) {
      this.engine.at(
        stopAtNs,
        this.engine.register('bench.stop', () => this.workload.stop()),
        0,
      );
    }
    this.workload.start();
    while (this.engine.runSlice(10_000)) {
      if (this.engine.events > 20_000_000) throw new Error('the run does not end');
    }
    return this;
  }

  /** I/Os of a clone, in order of submission. */
  of(clone: number): DoneIo[] {
    return this.done.filter((io) => io.clone === clone).sort((a, b) => a.id - b.id);
  }

  /** What must hold after every run, as sentences about what does not. */
  problems(): string[] {
    const found = [...this.workload.checkEmpty(), ...this.block.checkEmpty(), ...this.device.checkEmpty()];
    for (const { law, what } of this.machine.violations) found.push(`${law}: ${what}`);
    for (const io of this.done) {
      const totalNs = io.completeNs - io.submitNs;
      if (io.stagesNs !== totalNs) found.push(`I/O ${io.id}: ${io.stagesNs} ns in stages, ${totalNs} in all`);
    }
    if (!this.workload.finished) found.push('the workload has not finished');
    return found;
  }

  private keep(io: number): void {
    const { ios } = this.workload;
    this.done.push({
      id: ios.id[io],
      clone: ios.job[io],
      ddir: ios.ddir[io],
      offsetBytes: ios.offsetBytes[io],
      sizeBytes: ios.sizeBytes[io],
      status: ios.status[io],
      submitNs: ios.submitNs[io],
      completeNs: ios.completeNs[io],
      stagesNs: ios.rows.total(io),
    });
  }
}

/** Most I/Os in flight at one time among these. */
export function deepest(ios: readonly DoneIo[]): number {
  const edges = ios.flatMap(({ submitNs, completeNs }) => [
    { atNs: submitNs, step: 1 },
    { atNs: completeNs, step: -1 },
  ]);
  edges.sort((a, b) => a.atNs - b.atNs || a.step - b.step);
  let depth = 0;
  let most = 0;
  for (const { step } of edges) most = Math.max(most, (depth += step));
  return most;
}

/** The room between its real neighbours: the block layer above, flash media below, random I/O and random faults. */
import { describe, expect, it } from 'vitest';
import { Block } from '../../block/block.ts';
import { OP_DISCARD, OP_FLUSH, OP_READ, OP_WRITE, REQ_FUA, REQ_PREFLUSH, STS_OK } from '../../block/types.ts';
import { MACHINE_PROFILES } from '../../engine/costs/index.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import type { RandomStream } from '../../engine/random.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import { FlashMedia } from '../../media/flash-media.ts';
import { mediaProfile } from '../../media/profiles/index.ts';
import { NO_GAUGES, NO_LOG } from '../../trace/log.ts';
import { STAGE_IDS, STAGE_STRIDE } from '../../trace/stages.ts';
import { buildUfs, type Ufs, ufsQueueShape } from './build.ts';
import { defaultUfsConfig, type UfsConfig } from './config.ts';
import * as d from './descriptors.ts';
import * as r from './registers.ts';

const MS = 1_000_000;
const CAPACITY = 1024 ** 3;
const OPS = [OP_READ, OP_READ, OP_READ, OP_WRITE, OP_WRITE, OP_FLUSH, OP_DISCARD];

interface Outcome {
  readonly ended: number;
  readonly failed: number;
  readonly unexplainedNs: number;
  readonly negativeStages: string[];
  readonly left: readonly string[];
  readonly violations: readonly unknown[];
  readonly statistics: Readonly<Record<string, number>>;
  readonly endNs: number;
}

interface Plan {
  readonly config: Partial<UfsConfig>;
  readonly tasks: number;
  readonly iosPerTask: number;
  /** Longest pause of a task between two I/Os. */
  readonly pauseNs: number;
  readonly faults?: (ufs: Ufs, random: RandomStream) => void;
  readonly faultEveryNs?: number;
  /** So many faults and no more: what is tried five times in vain fails, rightly. */
  readonly faultCount?: number;
  readonly timeoutNs?: number;
}

/** Tasks that submit one random I/O at a time and pause in between. */
class Load {
  ended = 0;
  failed = 0;
  unexplainedNs = 0;
  readonly negativeStages: string[] = [];
  readonly tasks: number[] = [];
  private readonly done: number[] = [];
  private readonly halves: number[] = [];
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly block: Block;
  private readonly random: RandomStream;
  private readonly plan: Plan;
  private readonly kinds: {
    readonly next: number;
    readonly submitted: number;
    readonly wake: number;
    readonly ended: number;
  };

  constructor(engine: Engine, machine: Machine, block: Block, plan: Plan) {
    this.engine = engine;
    this.machine = machine;
    this.block = block;
    this.plan = plan;
    this.random = engine.stream('test/load');
    this.kinds = {
      next: engine.register('test.next', (task) => this.next(task)),
      submitted: engine.register('test.submitted', (task) => {
        machine.sleep(this.tasks[task], this.kinds.next, task);
        this.halfDone(task);
      }),
      wake: engine.register('test.wake', (task) => machine.wake(-1, this.tasks[task])),
      ended: engine.register('test.ended', (bio) => this.bioEnded(bio)),
    };
    for (let task = 0; task < plan.tasks; task++) {
      this.tasks.push(machine.createTask(`load/${task}`, task % machine.cpus, this.kinds.next, task));
      this.done.push(0);
      this.halves.push(0);
      engine.at(this.random.below(MS), this.kinds.wake, task);
    }
  }

  private next(task: number): void {
    const x = this.tasks[task];
    if (this.done[task]++ === this.plan.iosPerTask) {
      this.machine.exit(x);
      return;
    }
    const { bios } = this.block;
    const bio = bios.alloc();
    const op = OPS[this.random.below(OPS.length)];
    const blocks = op === OP_FLUSH ? 0 : 1 + this.random.below(64);
    bios.op[bio] = op === OP_FLUSH ? OP_WRITE : op; // a flush is submitted as an empty write with PREFLUSH
    bios.flags[bio] = op === OP_FLUSH ? REQ_PREFLUSH : op === OP_WRITE && this.random.below(4) === 0 ? REQ_FUA : 0;
    bios.sector[bio] = op === OP_FLUSH ? 0 : 8 * this.random.below(CAPACITY / 4096 - 64);
    bios.bytes[bio] = blocks * 4096;
    bios.segments[bio] = blocks;
    bios.keyId[bio] = -1;
    bios.endKind[bio] = this.kinds.ended;
    bios.endArg[bio] = task;
    bios.rows.start(bio, this.engine.now);
    this.machine.pushReturn(x, this.kinds.submitted, task);
    this.block.submitBio(x, bio);
  }

  private bioEnded(bio: number): void {
    const { bios } = this.block;
    const { rows } = bios;
    this.ended++;
    if (bios.status[bio] !== STS_OK) this.failed++;
    this.unexplainedNs += Math.abs(rows.total(bio) - (this.engine.now - rows.startNs[bio]));
    for (let s = 0; s < STAGE_IDS.length; s++) {
      if (rows.ns[bio * STAGE_STRIDE + s] < 0) this.negativeStages.push(STAGE_IDS[s]);
    }
    const task = bios.endArg[bio];
    bios.release(bio);
    this.halfDone(task);
  }

  /** Submission is over, or the bio is: with the second of the two the task pauses. */
  private halfDone(task: number): void {
    this.halves[task]++;
    if (this.halves[task] % 2 !== 0) return;
    this.engine.after(1 + this.random.below(this.plan.pauseNs), this.kinds.wake, task);
  }
}

function runPlan(plan: Plan): Outcome {
  const engine = new Engine(7);
  const machine = new Machine(engine, MACHINE_PROFILES[0].costs, 4);
  const workqueues = new Workqueues(engine, machine);
  const env = { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES };
  const config: UfsConfig = { ...defaultUfsConfig('ufs-3.1'), capacityBytes: CAPACITY, strict: true, ...plan.config };
  const timeout = plan.timeoutNs === undefined ? {} : { timeoutNs: plan.timeoutNs };
  const block = new Block(env, { ...ufsQueueShape(config), capacitySectors: CAPACITY / 512, ...timeout });
  const ufs = buildUfs(env, config, block);
  const profile = mediaProfile('ufs-3.1-tlc');
  if (profile === undefined) throw new Error('no such profile');
  ufs.attachMedia(new FlashMedia(engine, profile, CAPACITY, ufs.client, block.requests.rows, NO_LOG, NO_GAUGES));
  ufs.bringUp();
  block.attach(ufs.lld);
  const load = new Load(engine, machine, block, plan);
  const random = engine.stream('test/faults');
  const expected = plan.tasks * plan.iosPerTask;
  let faultsLeft = plan.faultCount ?? Infinity;
  const fault = engine.register('test.fault', () => {
    if (load.ended === expected || faultsLeft-- === 0) return;
    plan.faults?.(ufs, random);
    engine.after(1 + random.below(plan.faultEveryNs ?? MS), fault, 0);
  });
  if (plan.faults) engine.at(0, fault, 0);
  while (engine.runSlice(100_000, 600_000 * MS));
  return {
    ended: load.ended,
    failed: load.failed,
    unexplainedNs: load.unexplainedNs,
    negativeStages: load.negativeStages,
    left: [...ufs.checkEmpty(), ...block.checkEmpty()],
    violations: machine.violations,
    statistics: ufs.statistics(),
    endNs: engine.now,
  };
}

const CLEAN = { failed: 0, unexplainedNs: 0, negativeStages: [], left: [], violations: [] };
const noPower: Partial<UfsConfig> = {
  clockGating: { on: false, generation: 'blocking', gateAfterNs: 0, ungateNs: 0 },
  runtimePm: { autosuspendNs: 0, resumeNs: 0 },
};
const busyPower = (generation: 'busy' | 'blocking'): Partial<UfsConfig> => ({
  clockGating: { on: true, generation, gateAfterNs: 200_000, ungateNs: 50_000 },
  hibern8: { enterNs: 50_000, exitNs: 100_000, withClockGating: true },
  runtimePm: { autosuspendNs: 700_000, resumeNs: 1 * MS },
});

describe('between the block layer and flash media, every bio ends well and every nanosecond is explained', () => {
  it.each([
    ['single doorbell', noPower],
    ['interrupt aggregation', { ...noPower, interruptAggregation: { on: true, counter: 0, timeoutUnits: 2 } }],
    ['multi-circular queues', { ...noPower, mcqQueues: 4, mcqDepth: 31 }],
    ['more queues than needed on few tags', { ...noPower, mcqQueues: 3, mcqDepth: 5 }],
    ['a host of four slots', { ...noPower, nutrs: 4 }],
    ['auto-hibern8', { ...noPower, autoHibern8Ns: 300_000 }],
  ] as const)('%s', (_name, config) => {
    const outcome = runPlan({ config, tasks: 24, iosPerTask: 60, pauseNs: 400_000 });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 24 * 60 });
  });

  it.each(['busy', 'blocking'] as const)('gating and suspending all the time, generation %s', (generation) => {
    const outcome = runPlan({ config: busyPower(generation), tasks: 2, iosPerTask: 200, pauseNs: 2 * MS });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 400 });
    expect(outcome.statistics.gates).toBeGreaterThan(10);
    expect(outcome.statistics.runtimeSuspends).toBeGreaterThan(10);
  });

  it.each([
    ['single doorbell', noPower],
    ['multi-circular queues', { ...noPower, mcqQueues: 4, mcqDepth: 31 }],
    ['power saving, blocking', busyPower('blocking')],
    ['power saving, busy', busyPower('busy')],
  ] as const)('host resets at random times: %s', (_name, config) => {
    const faults = (ufs: Ufs, random: RandomStream): void => {
      ufs.lld.hci.injectError([r.IS_DFES, r.IS_HCFES, r.IS_SBFES, r.IS_ULLS][random.below(4)]);
    };
    const plan = { config, tasks: 16, iosPerTask: 40, pauseNs: 1 * MS, faults, faultEveryNs: 80 * MS };
    const outcome = runPlan(plan);
    expect(outcome).toMatchObject({ ...CLEAN, ended: 640 });
    expect(outcome.statistics.hostResets).toBeGreaterThan(0);
    expect(runPlan(plan).endNs).toBe(outcome.endNs);
  });

  it.each([
    ['single doorbell', noPower],
    ['multi-circular queues', { ...noPower, mcqQueues: 2, mcqDepth: 31 }],
    ['power saving', busyPower('blocking')],
  ] as const)('lost commands, errors and unit attentions: %s', (_name, config) => {
    const faults = (ufs: Ufs, random: RandomStream): void => {
      const { hci } = ufs.lld;
      const which = random.below(5);
      if (which === 0) hci.device.loseNext = 1;
      else if (which === 1) hci.forcedOcs = d.OCS_ABORTED;
      else if (which === 2) hci.device.unitAttention = true;
      else if (which === 3) hci.injectError(r.IS_UE, 1);
      else hci.tasks.loseNext = random.below(8) === 0 ? 1 : 0;
    };
    const outcome = runPlan({
      config,
      tasks: 12,
      iosPerTask: 60,
      pauseNs: 1 * MS,
      faults,
      faultEveryNs: 2 * MS,
      faultCount: 40,
      timeoutNs: 300 * MS,
    });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 720 });
    expect(outcome.statistics.aborts).toBeGreaterThan(0);
  });

  it('links that break on leaving hibern8', () => {
    const faults = (ufs: Ufs): void => {
      ufs.lld.hci.uic.breakNextExit = true;
    };
    const config = busyPower('blocking');
    const outcome = runPlan({ config, tasks: 2, iosPerTask: 60, pauseNs: 2 * MS, faults, faultEveryNs: 60 * MS });
    expect(outcome).toMatchObject({ ...CLEAN, ended: 120 });
    expect(outcome.statistics.linkErrors).toBeGreaterThan(0);
  });

  it('a host that cannot be brought up again fails everything, and nothing hangs', () => {
    const faults = (ufs: Ufs): void => {
      ufs.lld.hci.uic.neverStarts = true;
      ufs.lld.hci.injectError(r.IS_HCFES);
    };
    const outcome = runPlan({
      config: noPower,
      tasks: 12,
      iosPerTask: 20,
      pauseNs: 1 * MS,
      faults: (ufs) => {
        if (ufs.lld.completed > 50) faults(ufs);
      },
      faultEveryNs: 1 * MS,
    });
    expect(outcome).toMatchObject({ ended: 240, unexplainedNs: 0, negativeStages: [], violations: [] });
    expect(outcome.left).toEqual(['ufs: the host is in its error state']);
    expect(outcome.failed).toBeGreaterThan(100);
  });
});

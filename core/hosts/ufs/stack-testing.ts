/** The room between its real neighbours, for specs: the block layer above, flash media below, random I/O, plain or encrypted, and random faults. Test aid, not part of any run. */
import { Block } from '../../block/block.ts';
import type { KeyslotPolicy } from '../../block/crypto.ts';
import { DUN_WORDS } from '../../crypto/dun.ts';
import type { KeyTable } from '../../crypto/key.ts';
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
import type { UfsEnv } from './env.ts';
import { defaultUfsConfig, type UfsConfig } from './config.ts';
import type { UfsCryptoConfig } from './crypto-config.ts';
import { CAPABILITY, type MakeIce, numberOf, testKeys } from './crypto-testing.ts';

const MS = 1_000_000;
const CAPACITY = 1024 ** 3;
const OPS = [OP_READ, OP_READ, OP_READ, OP_WRITE, OP_WRITE, OP_FLUSH, OP_DISCARD];

export interface Outcome {
  readonly ended: number;
  readonly failed: number;
  readonly unexplainedNs: number;
  readonly negativeStages: string[];
  readonly left: readonly string[];
  readonly warnings: readonly string[];
  /** What was wrong at the hardware's door. */
  readonly breaches: readonly string[];
  readonly programs: number;
  readonly violations: readonly unknown[];
  readonly statistics: Readonly<Record<string, number>>;
  readonly endNs: number;
}

export interface Plan {
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
  /** The host encrypts: every I/O that carries data draws one of so many keys, or none. */
  readonly crypto?: Partial<UfsCryptoConfig> & { readonly keys: number; readonly policy?: KeyslotPolicy };
  readonly ice?: MakeIce;
  /** Looks over the shoulders of driver and hardware from before time starts. */
  readonly watch?: (ufs: Ufs, engine: Engine) => void;
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
    this.encrypt(bio, op, blocks);
    bios.endKind[bio] = this.kinds.ended;
    bios.endArg[bio] = task;
    bios.rows.start(bio, this.engine.now);
    this.machine.pushReturn(x, this.kinds.submitted, task);
    this.block.submitBio(x, bio);
  }

  /** One I/O in `keys + 1` stays plain; the DUN is the block number. */
  private encrypt(bio: number, op: number, blocks: number): void {
    const { bios } = this.block;
    const keys = this.plan.crypto?.keys ?? 0;
    const keyId = keys > 0 && blocks > 0 && op !== OP_DISCARD ? this.random.below(keys + 1) - 1 : -1;
    bios.keyId[bio] = keyId;
    if (keyId < 0) return;
    bios.dataUnitSize[bio] = 4096;
    bios.dun.fill(0, bio * DUN_WORDS, (bio + 1) * DUN_WORDS);
    bios.dun[bio * DUN_WORDS] = bios.sector[bio] / 8;
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

/** I-30: at every encrypted fetch the hardware slot holds the key of the request, and the DUN is that of its first sector. */
function watchFetches(ufs: Ufs, block: Block, breaches: string[]): void {
  const { crypto, slots } = ufs.lld.hci;
  const admit = crypto.admit.bind(crypto);
  crypto.admit = (tag, utrd) => {
    const ocs = admit(tag, utrd);
    const rq = slots.request[tag];
    const held = numberOf(crypto.engine.keyOf(slots.cci[tag]));
    if (ocs === 0 && held !== block.requests.keyId[rq]) breaches.push(`I-30: ${held} for ${block.requests.keyId[rq]}`);
    if (ocs === 0 && slots.dunLow[tag] !== block.requests.sector[rq] / 8) breaches.push(`DUN ${slots.dunLow[tag]}`);
    return ocs;
  };
}

function build(env: UfsEnv, plan: Plan, config: UfsConfig, breaches: string[]): { block: Block; ufs: Ufs } {
  const { timeoutNs, crypto } = plan;
  const block = new Block(env, {
    ...ufsQueueShape(config),
    capacitySectors: CAPACITY / 512,
    ...(timeoutNs === undefined ? {} : { timeoutNs }),
    ...(crypto?.policy === undefined ? {} : { keyslotPolicy: crypto.policy }),
  });
  if (crypto === undefined) return { block, ufs: buildUfs(env, config, block) };
  const keys: KeyTable = testKeys(crypto.keys);
  const marks = { marks: block.keyslotMarks, holders: (slot: number) => block.keyslotHolders(slot) };
  const ice = plan.ice?.(env.engine, env.machine, keys, config.crypto.keyslots).ice;
  const ufs = buildUfs(env, config, block, { keys, ice, env: marks });
  watchFetches(ufs, block, breaches);
  if (ufs.profile !== undefined) block.attachProfile(ufs.profile, keys);
  return { block, ufs };
}

export function runPlan(plan: Plan): Outcome {
  const engine = new Engine(7);
  const machine = new Machine(engine, MACHINE_PROFILES[0].costs, 4);
  const workqueues = new Workqueues(engine, machine);
  const env = { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES };
  const crypto = plan.crypto && { capabilities: [CAPABILITY], keyslots: 4, ...plan.crypto };
  const base = defaultUfsConfig('ufs-3.1');
  const config: UfsConfig = {
    ...base,
    capacityBytes: CAPACITY,
    strict: true,
    crypto: crypto ?? base.crypto,
    ...plan.config,
  };
  const breaches: string[] = [];
  const { block, ufs } = build(env, plan, config, breaches);
  const profile = mediaProfile('ufs-3.1-tlc');
  if (profile === undefined) throw new Error('no such profile');
  ufs.attachMedia(new FlashMedia(engine, profile, CAPACITY, ufs.client, block.requests.rows, NO_LOG, NO_GAUGES));
  plan.watch?.(ufs, engine);
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
    warnings: ufs.warnings(),
    breaches,
    programs: ufs.profile?.counters.programs ?? 0,
    violations: machine.violations,
    statistics: ufs.statistics(),
    endNs: engine.now,
  };
}

/** What every outcome must contain. */
export const CLEAN = { failed: 0, unexplainedNs: 0, negativeStages: [], left: [], breaches: [], violations: [] };
export const noPower: Partial<UfsConfig> = {
  clockGating: { on: false, generation: 'blocking', gateAfterNs: 0, ungateNs: 0 },
  runtimePm: { autosuspendNs: 0, resumeNs: 0 },
};
export const busyPower = (generation: 'busy' | 'blocking'): Partial<UfsConfig> => ({
  clockGating: { on: true, generation, gateAfterNs: 200_000, ungateNs: 50_000 },
  hibern8: { enterNs: 50_000, exitNs: 100_000, withClockGating: true },
  runtimePm: { autosuspendNs: 700_000, resumeNs: 1 * MS },
});

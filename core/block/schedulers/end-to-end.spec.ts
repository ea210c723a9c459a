/** Both schedulers under the real block layer, with a driver that refuses and requeues at random: nothing is lost, counts hold. */
import { describe, expect, it } from 'vitest';
import { SERVER_X86 } from '../../engine/costs/server-x86.ts';
import { Engine } from '../../engine/engine.ts';
import { Machine } from '../../engine/machine.ts';
import type { RandomStream } from '../../engine/random.ts';
import { Workqueues } from '../../engine/workqueue.ts';
import { NO_GAUGES, NO_LOG } from '../../trace/log.ts';
import { Block } from '../block.ts';
import type { BlockConfig } from '../config.ts';
import type { Scheduler } from '../scheduler.ts';
import {
  IOPRIO_CLASS_IDLE,
  IOPRIO_CLASS_RT,
  ioprio,
  type Lld,
  OP_DISCARD,
  OP_READ,
  OP_WRITE,
  type QueueLimits,
  REQ_SYNC,
  STS_DEV_RESOURCE,
  STS_OK,
  STS_RESOURCE,
} from '../types.ts';
import { Kyber, kyberDomain } from './kyber.ts';
import { MqDeadline } from './mq-deadline.ts';

const CPUS = 4;
const LIMITS: QueueLimits = {
  logicalBlockSize: 4096,
  physicalBlockSize: 4096,
  maxHwSectors: 256,
  maxSectors: 256,
  maxSegments: 32,
  maxSegmentSize: 65536,
  chunkSectors: 0,
  maxDiscardSectors: 1024,
  discardGranularity: 4096,
  maxWriteZeroesSectors: 0,
  writeCache: false,
  fua: false,
};

/** Takes 100 ns per command; refuses one in five, requeues one in ten, completes the rest after 50 to 150 µs. */
class MoodyDriver implements Lld {
  readonly inDriver = new Set<number>();
  /** Called with every request as it is accepted. */
  onAccepted: (rq: number) => void = () => undefined;
  private readonly engine: Engine;
  private readonly machine: Machine;
  private readonly block: Block;
  private readonly random: RandomStream;
  private readonly decideKind: number;
  private readonly deviceKind: number;
  private readonly irqKind: number;

  constructor(engine: Engine, machine: Machine, block: Block) {
    this.engine = engine;
    this.machine = machine;
    this.block = block;
    this.random = engine.stream('test/driver');
    this.decideKind = engine.register('driver.decide', (rq) => {
      this.decide(rq);
    });
    this.deviceKind = engine.register('driver.device', (rq) => {
      machine.raiseHardirq(this.random.below(CPUS), 100, this.irqKind, rq);
    });
    this.irqKind = engine.register('driver.irq', (rq) => {
      this.inDriver.delete(rq);
      if (this.random.below(10) === 0) block.requeueRequest(machine.current, rq, this.random.below(2) * 1_000_000);
      else block.completeRequest(machine.current, rq, STS_OK);
    });
  }

  queueRq(x: number, rq: number): void {
    this.machine.run(x, 100, this.decideKind, rq);
  }

  timeout(): boolean {
    return false;
  }

  private decide(rq: number): void {
    const x = this.machine.current;
    const mood = this.random.below(10);
    if (mood < 2) {
      this.block.queueRqDone(x, rq, mood === 0 || this.inDriver.size === 0 ? STS_RESOURCE : STS_DEV_RESOURCE);
      return;
    }
    this.block.startRequest(rq);
    this.inDriver.add(rq);
    this.onAccepted(rq);
    this.engine.after(50_000 + this.random.below(100_000), this.deviceKind, rq);
    this.block.queueRqDone(x, rq, STS_OK);
  }
}

/** Jobs that keep bios of all kinds in flight until they have submitted their share. */
class Load {
  ended = 0;
  readonly engine = new Engine(5);
  readonly machine = new Machine(this.engine, SERVER_X86.costs, CPUS);
  readonly block: Block;
  readonly driver: MoodyDriver;
  private readonly random = this.engine.stream('test/load');
  private readonly tasks: number[] = [];
  private readonly left: number[] = [];
  private readonly inFlight: number[] = [];
  private readonly isAsleep: boolean[] = [];
  private readonly stepKind: number;
  private readonly endKind: number;

  constructor(scheduler: Scheduler, config: Partial<BlockConfig>) {
    const { engine, machine } = this;
    const workqueues = new Workqueues(engine, machine);
    this.block = new Block(
      { engine, machine, workqueues, log: NO_LOG, gauges: NO_GAUGES },
      { limits: LIMITS, queueDepth: 16, hwQueues: 1, ...config },
    );
    this.driver = new MoodyDriver(engine, machine, this.block);
    this.block.attach(this.driver, scheduler);
    this.stepKind = engine.register('load.step', (job) => {
      this.step(job);
    });
    this.endKind = engine.register('load.end', (bio) => {
      this.bioEnded(bio);
    });
  }

  run(jobs: number, biosPerJob: number): void {
    for (let job = 0; job < jobs; job++) {
      this.tasks.push(this.machine.createTask(`load/${job}`, job % CPUS, this.stepKind, job));
      this.left.push(biosPerJob);
      this.inFlight.push(0);
      this.isAsleep.push(false);
      this.machine.wake(-1, this.tasks[job]);
    }
    while (this.engine.runSlice(100_000));
  }

  private step(job: number): void {
    const x = this.tasks[job];
    if (this.left[job] === 0) this.machine.exit(x);
    else if (this.inFlight[job] >= 6) {
      this.isAsleep[job] = true;
      this.machine.sleep(x, this.stepKind, job);
    } else this.submit(job, x);
  }

  private submit(job: number, x: number): void {
    const { random } = this;
    const { bios } = this.block;
    const bio = bios.alloc();
    const op = [OP_READ, OP_READ, OP_WRITE, OP_WRITE, OP_DISCARD][random.below(5)];
    bios.op[bio] = op;
    bios.flags[bio] = random.below(2) === 0 ? REQ_SYNC : 0;
    bios.sector[bio] = random.below(300) * 8;
    bios.bytes[bio] = (1 + random.below(4)) * 4096;
    bios.segments[bio] = op === OP_DISCARD ? 0 : bios.bytes[bio] / 4096;
    bios.ioprio[bio] = [0, 0, ioprio(IOPRIO_CLASS_RT, 0), ioprio(IOPRIO_CLASS_IDLE, 0)][random.below(4)];
    bios.endKind[bio] = this.endKind;
    bios.endArg[bio] = job;
    bios.rows.start(bio, this.engine.now);
    this.left[job]--;
    this.inFlight[job]++;
    this.machine.pushReturn(x, this.stepKind, job);
    this.block.submitBio(x, bio);
  }

  private bioEnded(bio: number): void {
    const { bios } = this.block;
    const job = bios.endArg[bio];
    if (bios.status[bio] === STS_OK) this.ended++;
    bios.release(bio);
    this.inFlight[job]--;
    if (!this.isAsleep[job]) return;
    this.isAsleep[job] = false;
    this.machine.wake(this.machine.current, this.tasks[job]);
  }
}

const CONFIGS: readonly (Partial<BlockConfig> & { readonly title: string })[] = [
  { title: 'one hardware queue' },
  { title: 'two hardware queues', hwQueues: 2, queueDepth: 8 },
  { title: 'a blocking driver', blocking: true },
  { title: 'few scheduler tags', queueDepth: 4, nrRequests: 8 },
];

describe.each(CONFIGS)('under a moody driver with $title', (config) => {
  it.each([
    [
      'mq-deadline',
      () => new MqDeadline({ readExpireNs: 1_000_000, writeExpireNs: 3_000_000, prioAgingExpireNs: 5_000_000 }),
    ],
    ['kyber', () => new Kyber()],
  ])('%s loses nothing', (_name, make) => {
    const scheduler = make();
    const load = new Load(scheduler, config);
    load.run(8, 400);
    expect(load.ended).toBe(3200);
    expect(load.block.counters.requeues).toBeGreaterThan(100);
    expect(load.block.checkEmpty()).toEqual([]);
    expect(scheduler.checkEmpty()).toEqual([]);
    expect(load.machine.violations).toEqual([]);
  });
});

describe('kyber', () => {
  it('has a token out for every request in the driver, also for those that were refused before', () => {
    const kyber = new Kyber();
    const load = new Load(kyber, {});
    let withoutToken = 0;
    load.driver.onAccepted = () => {
      const inDriver = [0, 0, 0, 0];
      for (const rq of load.driver.inDriver) inDriver[kyberDomain(load.block.requests.op[rq])]++;
      if (kyber.tokens.some((tokens, domain) => tokens.held < inDriver[domain])) withoutToken++;
    };
    load.run(8, 200);
    expect(withoutToken).toBe(0);
  });
});

/**
 * Builds the live stack of a run from a validated experiment: the only place that wires rooms together. The stack lives in the run worker alone.
 *
 * Order: engine and CPUs, block layer, device (host, driver, media), workload on top, observer last.
 */
import { Block } from '../block/block.ts';
import type { BlockConfig } from '../block/config.ts';
import type { Scheduler } from '../block/scheduler.ts';
import { Kyber } from '../block/schedulers/kyber.ts';
import { MqDeadline } from '../block/schedulers/mq-deadline.ts';
import type { Lld, QueueLimits } from '../block/types.ts';
import { Engine } from '../engine/engine.ts';
import { Machine } from '../engine/machine.ts';
import { Waits, type WaitSource } from '../engine/waits.ts';
import { Workqueues } from '../engine/workqueue.ts';
import { NullDevice } from '../hosts/null/null-device.ts';
import { NO_GAUGES, NO_LOG, type DetailLog, type GaugeLog } from '../trace/log.ts';
import { TraceLog } from '../trace/recorder.ts';
import type { BatchSink } from '../trace/schema.ts';
import type { StageId } from '../trace/stages.ts';
import { Workload } from '../workload/workload.ts';
import { buildUfsDevice, ufsQueueShape } from './build-ufs.ts';
import type { ValidExperiment, ValidNullDevice } from './definition.ts';
import { inOrder } from './observe.ts';

/** What every room of a stack is given. */
export interface Env {
  readonly engine: Engine;
  readonly machine: Machine;
  readonly workqueues: Workqueues;
  readonly log: DetailLog;
  readonly gauges: GaugeLog;
}

/** A device with its driver, as the run sees it. */
export interface DeviceRoom extends WaitSource {
  readonly lld: Lld;
  /** Stages that requests to this device can be in. */
  readonly stages: readonly StageId[];
  /** Counters for the summary's `device` part. */
  statistics(): Readonly<Record<string, number>>;
  /** Law 3: what is left at the end, as sentences. */
  checkEmpty(): readonly string[];
}

/** How the block layer must be shaped for a device. */
export interface QueueShape {
  readonly limits: QueueLimits;
  readonly queueDepth: number;
  readonly hwQueues: number;
  readonly blocking: boolean;
  /** All hardware queues share one set of tags; default false. */
  readonly hostTagset: boolean;
}

export interface Stack extends Env {
  readonly block: Block;
  readonly device: DeviceRoom;
  readonly workload: Workload;
  readonly waits: Waits;
  /** Present at detail `full`. */
  readonly traceLog: TraceLog | undefined;
  /** Every stage that this stack can produce, in the order of the stage list. */
  readonly stages: readonly StageId[];
}

/** Stages of the submitter and the block layer that occur with every device. */
const BLOCK_STAGES: readonly StageId[] = [
  'submit',
  'wait.queue',
  'wait.tag',
  'wait.plug',
  'wait.sched',
  'wait.dispatch',
  'wait.requeue',
  'wait.flush',
  'host.cpu',
  'complete.irq',
  'complete.softirq',
  'complete.cpu',
];

/** Builds the stack. `sink` receives trace batches at detail `full` (events, registers, spans, gauges). */
export function buildStack(experiment: ValidExperiment, sink: BatchSink): Stack {
  const engine = new Engine(experiment.seed);
  const machine = new Machine(engine, experiment.machine.costs, experiment.machine.cpus);
  const workqueues = new Workqueues(engine, machine);
  const traceLog = experiment.run.detail === 'full' ? new TraceLog(engine, sink) : undefined;
  const env: Env = { engine, machine, workqueues, log: traceLog ?? NO_LOG, gauges: traceLog ?? NO_GAUGES };
  const { block, device } = buildDevice(env, experiment);
  const workload = new Workload({ ...env, block }, experiment.jobs, {
    capacityBytes: experiment.device.capacity,
    logicalBlockSize: experiment.device.logicalBlockSize,
    cpus: experiment.machine.cpus,
  });
  const waits = new Waits();
  for (const source of [workload, block, device, workqueues]) waits.register(source);
  return { ...env, block, device, workload, waits, traceLog, stages: inOrder([...BLOCK_STAGES, ...device.stages]) };
}

function buildDevice(env: Env, experiment: ValidExperiment): { block: Block; device: DeviceRoom } {
  const { device } = experiment;
  const shape = device.kind === 'ufs' ? ufsQueueShape(device, env.machine.cpus) : nullQueueShape(device);
  const block = new Block(env, blockConfig(experiment, shape));
  const room = device.kind === 'ufs' ? buildUfsDevice(env, device, block) : buildNullDevice(env, device, block);
  const scheduler = schedulerOf(experiment.queue);
  if (scheduler === undefined) block.attach(room.lld);
  else block.attach(room.lld, scheduler);
  return { block, device: room };
}

function blockConfig(experiment: ValidExperiment, shape: QueueShape): BlockConfig {
  const { queue } = experiment;
  return {
    limits: shape.limits,
    queueDepth: shape.queueDepth,
    hwQueues: shape.hwQueues,
    hostTagset: shape.hostTagset,
    blocking: queue.blocking ?? shape.blocking,
    plugPerBio: queue.plugPerBio,
    rqAffinity: queue.rqAffinity as 0 | 1 | 2,
    nomerges: queue.nomerges as 0 | 1 | 2,
    timeoutNs: queue.timeout,
    capacitySectors: experiment.device.capacity / 512,
    ...(queue.nrRequests === undefined ? {} : { nrRequests: queue.nrRequests }),
  };
}

function schedulerOf(queue: ValidExperiment['queue']): Scheduler | undefined {
  const o = queue.schedulerOptions;
  switch (queue.scheduler) {
    case 'none':
      return undefined;
    case 'mq-deadline':
      return new MqDeadline({
        ...(o.readExpire === undefined ? {} : { readExpireNs: o.readExpire }),
        ...(o.writeExpire === undefined ? {} : { writeExpireNs: o.writeExpire }),
        ...(o.prioAgingExpire === undefined ? {} : { prioAgingExpireNs: o.prioAgingExpire }),
        ...(o.fifoBatch === undefined ? {} : { fifoBatch: o.fifoBatch }),
        ...(o.writesStarved === undefined ? {} : { writesStarved: o.writesStarved }),
        ...(o.frontMerges === undefined ? {} : { frontMerges: o.frontMerges }),
        ...(o.asyncDepth === undefined ? {} : { asyncDepth: o.asyncDepth }),
      });
    case 'kyber':
      return new Kyber({
        ...(o.readLat === undefined ? {} : { readLatNs: o.readLat }),
        ...(o.writeLat === undefined ? {} : { writeLatNs: o.writeLat }),
      });
  }
}

/** Limits of a device that sets none of its own. @kernel v6.12 block/blk-settings.c (BLK_DEF_MAX_SECTORS_CAP), null_blk */
function nullQueueShape(device: ValidNullDevice): QueueShape {
  return {
    limits: {
      logicalBlockSize: device.logicalBlockSize,
      physicalBlockSize: device.logicalBlockSize,
      maxHwSectors: 2560,
      maxSectors: 2560,
      maxSegments: 128,
      maxSegmentSize: 65_536,
      chunkSectors: 0,
      maxDiscardSectors: 4_194_303,
      discardGranularity: device.logicalBlockSize,
      maxWriteZeroesSectors: 0,
      writeCache: true,
      fua: true,
    },
    queueDepth: device.queueDepth,
    hwQueues: device.hwQueues,
    hostTagset: false,
    blocking: false,
  };
}

function buildNullDevice(env: Env, device: ValidNullDevice, block: Block): DeviceRoom {
  const { latency } = device;
  const lld = new NullDevice(
    { ...env, block },
    {
      latency:
        typeof latency === 'number'
          ? { kind: 'fixed', latencyNs: latency }
          : latency.distribution === 'uniform'
            ? { kind: 'uniform', minNs: latency.min, maxNs: latency.max }
            : { kind: 'exponential', meanNs: latency.mean },
      parallelism: device.parallelism,
      bandwidthBytesPerSecond: device.bandwidth,
    },
  );
  return {
    lld,
    stages: lld.stages,
    statistics: () => lld.statistics(),
    checkEmpty: () => lld.checkEmpty(),
    reportWaits: (add) => {
      lld.reportWaits(add);
    },
  };
}

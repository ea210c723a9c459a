/**
 * Builds the live stack of a run from a validated experiment: the only place that wires rooms together. The stack lives in the run worker alone.
 *
 * Order: engine and CPUs, block layer, device (host, driver, media), workload on top, planned faults, observer last.
 */
import { Block } from '../block/block.ts';
import type { BlockConfig } from '../block/config.ts';
import type { Scheduler } from '../block/scheduler.ts';
import { Kyber } from '../block/schedulers/kyber.ts';
import { MqDeadline } from '../block/schedulers/mq-deadline.ts';
import type { Lld, QueueLimits } from '../block/types.ts';
import { softwarePorts } from '../crypto/ciphers/software-ports.ts';
import type { CryptoPorts } from '../crypto/ports.ts';
import type { CryptoProfile } from '../crypto/profile/profile.ts';
import { Engine } from '../engine/engine.ts';
import { Machine } from '../engine/machine.ts';
import { Waits, type WaitSource } from '../engine/waits.ts';
import { Workqueues } from '../engine/workqueue.ts';
import { FaultInjector } from '../faults/injector.ts';
import type { FaultPort } from '../faults/port.ts';
import { NO_GAUGES, NO_LOG, type DetailLog, type GaugeLog } from '../trace/log.ts';
import { TraceLog } from '../trace/recorder.ts';
import type { BatchSink } from '../trace/schema.ts';
import type { StageId } from '../trace/stages.ts';
import { Workload, type WorkloadConfig } from '../workload/workload.ts';
import { type CryptoEnv, CryptoRoom, cryptoEnv } from './build-crypto.ts';
import { DataRoom } from './build-data.ts';
import { buildNullDevice, nullQueueShape } from './build-null.ts';
import { buildUfsDevice, ufsQueueShape } from './build-ufs.ts';
import type { ValidExperiment } from './definition.ts';
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
  /** Its keyslots, when jobs encrypt. */
  readonly profile?: CryptoProfile;
  /** Stages that requests to this device can be in. */
  readonly stages: readonly StageId[];
  /** Counters for the summary's `device` part. */
  statistics(): Readonly<Record<string, number>>;
  /** Law 3: what is left at the end, as sentences. */
  checkEmpty(): readonly string[];
  /** How it can be made to fail; absent: not at all. */
  readonly faults?: FaultPort;
  /** The raw key that the engine derives from a hardware-wrapped one; undefined when it is none. */
  readonly inlineKey?: (keyBytes: Uint8Array) => Uint8Array | undefined;
  /** What the user should know of its state at the end, as sentences. */
  warnings?(): readonly string[];
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
  /** Inline encryption; undefined when no job encrypts. */
  readonly crypto: CryptoRoom | undefined;
  /** Real bytes; undefined when only costs are modelled. */
  readonly data: DataRoom | undefined;
  readonly workload: Workload;
  /** Undefined when no fault is planned. */
  readonly faults: FaultInjector | undefined;
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

/**
 * Builds the stack. `sink` receives trace batches at detail `full` (events, registers, spans, gauges); `ports` are the ciphers that real bytes are encrypted with.
 */
export function buildStack(experiment: ValidExperiment, sink: BatchSink, ports: CryptoPorts = softwarePorts): Stack {
  const engine = new Engine(experiment.seed);
  const machine = new Machine(engine, experiment.machine.costs, experiment.machine.cpus);
  const workqueues = new Workqueues(engine, machine);
  const traceLog = experiment.run.detail === 'full' ? new TraceLog(engine, sink) : undefined;
  const env: Env = { engine, machine, workqueues, log: traceLog ?? NO_LOG, gauges: traceLog ?? NO_GAUGES };
  const { block, device, crypto, data } = buildDevice(env, experiment, sink, ports);
  const workload = new Workload({ ...env, block }, experiment.jobs, workloadConfig(experiment, device, crypto, data));
  data?.attach(workload);
  const waits = new Waits();
  for (const source of [workload, block, device, workqueues]) waits.register(source);
  if (crypto !== undefined) waits.register(crypto);
  const stages = inOrder([...BLOCK_STAGES, ...device.stages, ...(crypto?.stages ?? [])]);
  const plan = experiment.faults;
  const faults = plan.length > 0 && device.faults ? new FaultInjector(env, plan, device.faults) : undefined;
  return { ...env, block, device, crypto, data, workload, faults, waits, traceLog, stages };
}

function workloadConfig(
  experiment: ValidExperiment,
  room: DeviceRoom,
  crypto: CryptoRoom | undefined,
  data: DataRoom | undefined,
): WorkloadConfig {
  const { device, machine, encryption } = experiment;
  return {
    capacityBytes: device.capacity,
    logicalBlockSize: device.logicalBlockSize,
    cpus: machine.cpus,
    ...(encryption && crypto && { encryption: crypto.forWorkload(encryption) }),
    ...(data && { data: data.forWorkload(experiment, room.inlineKey) }),
  };
}

function buildDevice(
  env: Env,
  experiment: ValidExperiment,
  sink: BatchSink,
  ports: CryptoPorts,
): Pick<Stack, 'block' | 'device' | 'crypto' | 'data'> {
  const { device } = experiment;
  const shape = device.kind === 'ufs' ? ufsQueueShape(device, env.machine.cpus) : nullQueueShape(device);
  const block = new Block(env, blockConfig(experiment, shape));
  const { encryption } = experiment;
  const given = encryption && cryptoEnv(env, block, experiment.run, sink);
  const data = experiment.run.data === 'none' ? undefined : new DataRoom(env, block, experiment, ports);
  const room = deviceRoom(env, device, block, given, data);
  const parts = given && { ...env, block, keys: given.keys, data };
  const crypto = parts && new CryptoRoom(parts, given, room.profile, encryption?.fallback);
  const scheduler = schedulerOf(experiment.queue);
  const lld = crypto === undefined || !experiment.run.check ? room.lld : crypto.watched(room.lld, env.machine);
  if (scheduler === undefined) block.attach(lld);
  else block.attach(lld, scheduler);
  crypto?.attach();
  return { block, device: room, crypto, data };
}

function deviceRoom(
  env: Env,
  device: ValidExperiment['device'],
  block: Block,
  crypto: CryptoEnv | undefined,
  data: DataRoom | undefined,
): DeviceRoom {
  return device.kind === 'ufs'
    ? buildUfsDevice(env, device, block, crypto, data)
    : buildNullDevice(env, device, block, crypto, data);
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
    keyslotPolicy: queue.keyslotPolicy,
    capacitySectors: experiment.device.capacity / 512,
    ...(queue.nrRequests === undefined ? {} : { nrRequests: queue.nrRequests }),
    ...(queue.tagWakeBatch === undefined ? {} : { tagWakeBatch: queue.tagWakeBatch }),
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

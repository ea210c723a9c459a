/**
 * A run: drives a built stack from the first I/O to the last, in slices, and says how it ended.
 *
 * It ends `done` when every job has ended and everything in flight has come back; `deadlock` when nothing is pending any more although I/Os are
 * outstanding, or when for ten request timeouts nothing was issued and nothing completed while I/Os are in flight (a driver that lets lost requests time out again and again);
 * it is a result, reported with its wait-for chain; `failed` when a law was broken or a data run needs more memory than it may have; `stopped` when the user asked for it.
 */
import { ROUNDING_NS } from '../block/timeout.ts';
import { buildStack, type Stack } from './build.ts';
import type { ValidExperiment } from './definition.ts';
import { Observer } from './observe.ts';
import type { MediumPages, RunObject, RunOutcome, RunSnapshot } from './run-port.ts';
import type { RunStatus } from './summary.ts';
import type { BatchSink } from '../trace/schema.ts';
import type { StageId } from '../trace/stages.ts';

/** Request timeouts (each noticed up to a second late) without any progress after which a run is stuck. @assume ten: drivers that recover do so after one or two */
const STALL_TIMEOUTS = 10;

const NO_KEYSLOTS = { slots: 0, programs: 0, hits: 0, evictions: 0, waits: 0, waitNs: 0 };

/**
 * Builds and starts a run. Nothing has happened yet when this returns: the first `slice` begins at time 0. A `stack` built before with the same
 * experiment and sink may be given, by those who want to look into it.
 */
export function createRun(experiment: ValidExperiment, sink: BatchSink, stack?: Stack): RunObject {
  return new Run(experiment, sink, stack ?? buildStack(experiment, sink));
}

class Run implements RunObject {
  readonly stages: readonly StageId[];
  readonly medium?: MediumPages;
  private readonly experiment: ValidExperiment;
  private readonly stack: Stack;
  private readonly observer: Observer;
  private isOver = false;

  constructor(experiment: ValidExperiment, sink: BatchSink, stack: Stack) {
    this.experiment = experiment;
    this.stack = stack;
    this.stages = stack.stages;
    if (stack.data !== undefined) this.medium = stack.data.medium;
    const { engine, workload, block, faults } = stack;
    this.observer = new Observer(stack.machine, block, workload.ios, {
      stages: stack.stages,
      jobNames: workload.clones.map((clone) => clone.reportName),
      sink: experiment.run.detail === 'summary' ? undefined : sink,
      warmupNs: experiment.run.warmup,
      clones: workload.clones,
      check: experiment.run.check,
    });
    workload.onIoDone = (io) => {
      this.observer.ioDone(io);
    };
    block.onRequestDone = (rq) => {
      this.observer.requestDone(rq);
    };
    workload.onFinished = () => {
      engine.halt();
    };
    this.limitTime();
    this.watchProgress();
    faults?.start();
    workload.start();
  }

  slice(maxEvents: number): boolean {
    if (this.isOver) return false;
    this.isOver = !this.stack.engine.runSlice(maxEvents);
    return !this.isOver;
  }

  snapshot(): RunSnapshot {
    const { engine, workload } = this.stack;
    return {
      simNs: engine.now,
      fraction: this.fraction(),
      events: engine.events,
      ios: this.observer.ios,
      requests: this.observer.requests,
      inFlight: workload.inFlight,
      ...this.observer.statistics.takeRecent(),
    };
  }

  finish(stopped: boolean): RunOutcome {
    const { engine, machine, workload, device, traceLog, crypto, data, faults } = this.stack;
    const isStopped = stopped && !workload.finished;
    const isFull = data?.isFull ?? false;
    const isDeadlock = !isStopped && !isFull && !workload.finished;
    if (workload.finished && this.experiment.run.check) this.checkLaws();
    this.observer.flush();
    crypto?.finish();
    traceLog?.flush();
    const status: RunStatus = isStopped
      ? 'stopped'
      : isDeadlock
        ? 'deadlock'
        : machine.violations.length > 0
          ? 'failed'
          : 'done';
    return {
      run: {
        id: null,
        name: this.experiment.name,
        seed: this.experiment.seed,
        status,
        simNs: engine.now,
        wallMs: 0,
        events: engine.events,
        ios: this.observer.ios,
        requests: this.observer.requests,
        traceHash: this.observer.traceHash(),
      },
      jobs: this.observer.statistics.jobs(),
      stages: this.observer.statistics.stageSummaries(),
      keyslots: crypto?.keyslots(this.observer.keyslotWaitNs) ?? NO_KEYSLOTS,
      ...this.counters(),
      crypto: crypto?.counters(workload) ?? {},
      ...(crypto?.profile && { cryptoSysfs: crypto.profile.sysfs() }),
      dm: {},
      ...(data && { data: data.counters(workload) }),
      deadlock: isDeadlock ? { chain: this.stack.waits.chain(), lastEvents: engine.lastEvents() } : null,
      violations: machine.violations.map((v) => `${v.law} at ${v.atNs} ns: ${v.what}`),
      warnings: [...workload.errors(), ...(device.warnings?.() ?? [])],
      ...(faults && { faults: { injected: faults.injected() } }),
    };
  }

  /** `run.until`: no I/O is submitted from then on; what is in flight drains. */
  private limitTime(): void {
    const { engine, workload } = this.stack;
    const { until } = this.experiment.run;
    if (until === undefined) return;
    const kind = engine.register('run.until', () => {
      workload.stop();
    });
    engine.armTimer(engine.createTimer(kind, 0, true), until);
  }

  /** Ends a run in which only timeouts go on. The watch does not keep the run alive. */
  private watchProgress(): void {
    const { engine, workload, block } = this.stack;
    const periodNs = STALL_TIMEOUTS * (this.experiment.queue.timeout + ROUNDING_NS);
    let seen = -1;
    const timer = engine.createTimer(
      engine.register('run.watch', () => {
        const progress = this.observer.ios + this.observer.requests + block.counters.issues + workload.issued;
        if (workload.inFlight > 0 && progress === seen) {
          engine.halt();
          return;
        }
        seen = progress;
        engine.armTimer(timer, engine.now + periodNs);
      }),
      0,
      true,
    );
    engine.armTimer(timer, periodNs);
  }

  private fraction(): number {
    const { engine, workload } = this.stack;
    const byJobs = workload.fraction();
    const { until } = this.experiment.run;
    if (until === undefined) return byJobs;
    const byTime = Math.min(1, engine.now / until);
    return Number.isNaN(byJobs) ? byTime : Math.max(byJobs, byTime);
  }

  /** Laws 2 and 3 at the end: nothing is left, bytes in are bytes out. (Laws 1, 4, 5 and 6 are checked as the run goes.) */
  private checkLaws(): void {
    const { machine, block, device, workload, crypto, data } = this.stack;
    const rooms = [
      workload,
      block,
      device,
      ...(crypto === undefined ? [] : [crypto]),
      ...(data === undefined ? [] : [data]),
    ];
    for (const left of rooms.flatMap((room) => room.checkEmpty())) {
      machine.violate('left-over', left);
    }
    const { bytesQueued, bytesCompleted, bytesFailed } = block.counters;
    if (bytesQueued !== bytesCompleted + bytesFailed) {
      machine.violate('bytes', `${bytesQueued} bytes queued, ${bytesCompleted} completed, ${bytesFailed} failed`);
    }
  }

  private counters(): Pick<RunOutcome, 'block' | 'cpu' | 'device'> {
    const { engine, machine, block, device } = this.stack;
    const c = block.counters;
    const busyShare = Array.from({ length: machine.cpus }, (_, cpu) => {
      const busyNs = machine.busyNs[3 * cpu] + machine.busyNs[3 * cpu + 1] + machine.busyNs[3 * cpu + 2];
      return engine.now === 0 ? 0 : busyNs / engine.now;
    });
    return {
      block: {
        bios: c.bios,
        requests: c.requests,
        merges: c.merges + c.requestMerges,
        splits: c.splits,
        requeues: c.requeues,
        tagWaits: c.tagWaits,
        flushes: c.flushes,
      },
      cpu: {
        busyShare,
        contextSwitches: machine.contextSwitches,
        interrupts: machine.interrupts,
        softirqs: machine.softirqs,
        wakeups: machine.wakeups,
      },
      device: device.statistics(),
    };
  }
}

/**
 * The runs of an open project: one at a time, in the order asked for, each repeat a run of its own with the next seed.
 *
 * A run's row is there from the moment it is asked for; what becomes of the run is written when it ends. If the process dies in between, the
 * row says `running` and the next opening turns that into `interrupted`.
 */
import type { RunProgress, RunStatus } from '../../core/contract/summary.ts';
import type { ProjectStore } from '../project/project-store.ts';
import { startRun, type RunEnding, type RunningRun, type RunOptions } from './execute.ts';
import { progressOf } from './progress.ts';

/** What a run is made of, already validated. */
export interface RunPlan {
  readonly experimentId: number;
  /** The definition as written, kept with the run. */
  readonly definition: unknown;
  /** A `ValidExperiment`. */
  readonly experiment: { readonly seed: number; readonly run: { readonly repeats: number } };
}

export interface RunEnded {
  readonly runId: number;
  readonly experimentId: number;
  readonly status: RunStatus;
  readonly message: string | null;
}

export interface QueueEvents {
  readonly progress: (progress: RunProgress) => void;
  readonly ended: (end: RunEnded, ending: RunEnding) => void;
}

interface Entry {
  readonly plan: RunPlan;
  readonly runId: number;
  readonly repeat: number;
}

export class RunQueue {
  private readonly store: ProjectStore;
  private readonly appVersion: string;
  private readonly events: QueueEvents;
  private readonly options: RunOptions;
  private readonly waiting: Entry[] = [];
  private current: { readonly entry: Entry; readonly run: RunningRun } | undefined;
  private idle: Promise<void> = Promise.resolve();
  private isWorking = false;
  /** The run under way is to be the last of its plan. */
  private dropRepeats = false;

  constructor(store: ProjectStore, appVersion: string, events: QueueEvents, options: RunOptions = {}) {
    this.store = store;
    this.appVersion = appVersion;
    this.events = events;
    this.options = options;
  }

  get isBusy(): boolean {
    return this.isWorking;
  }

  /** Puts a plan into the queue. Returns the id of its first run. */
  async add(plan: RunPlan): Promise<number> {
    const entry = await this.makeEntry(plan, 1);
    this.waiting.push(entry);
    if (!this.isWorking) {
      this.isWorking = true;
      this.idle = this.work();
    }
    return entry.runId;
  }

  /** Stops a run, waiting or under way, and drops its further repeats. False when it is neither. */
  async stop(runId: number): Promise<boolean> {
    const { current } = this;
    if (current?.entry.runId === runId) {
      this.dropRepeats = true;
      current.run.stop();
      return true;
    }
    const index = this.waiting.findIndex((entry) => entry.runId === runId);
    if (index < 0) return false;
    const [entry] = this.waiting.splice(index, 1);
    await this.finish(entry, { status: 'stopped', summary: null, wallMs: 0, message: null });
    return true;
  }

  /** Stops everything and waits until it is written down. */
  async stopAll(): Promise<void> {
    while (this.waiting.length > 0) await this.stop(this.waiting[0].runId);
    if (this.current !== undefined) await this.stop(this.current.entry.runId);
    await this.idle;
  }

  /** Resolves when nothing is running or waiting. */
  async whenIdle(): Promise<void> {
    await this.idle;
  }

  private async work(): Promise<void> {
    try {
      for (let entry = this.waiting.shift(); entry !== undefined; entry = this.waiting.shift()) {
        const ending = await this.execute(entry);
        await this.finish(entry, ending);
        const isLast = entry.repeat >= entry.plan.experiment.run.repeats;
        if (!isLast && !this.dropRepeats && ending.status !== 'failed')
          this.waiting.unshift(await this.makeEntry(entry.plan, entry.repeat + 1));
      }
    } finally {
      this.isWorking = false;
    }
  }

  private async makeEntry(plan: RunPlan, repeat: number): Promise<Entry> {
    const runId = await this.store.writer.call('createRun', [
      {
        experimentId: plan.experimentId,
        seed: plan.experiment.seed + repeat - 1,
        repeat,
        definition: plan.definition,
        startedAt: new Date().toISOString(),
        appVersion: this.appVersion,
      },
    ]);
    return { plan, runId, repeat };
  }

  private async execute(entry: Entry): Promise<RunEnding> {
    const { plan, runId, repeat } = entry;
    const { writer } = this.store;
    const ids = { runId, experimentId: plan.experimentId };
    const seed = plan.experiment.seed + repeat - 1;
    let storedRows = 0;
    const run = startRun(
      { ...plan.experiment, seed },
      { writer, runId },
      (snapshot, wallMs) => {
        this.events.progress(progressOf(ids, snapshot, wallMs, storedRows));
        writer.call('storedRows', []).then(
          (rows) => (storedRows = rows),
          // The store died: the run's own ending says so.
          () => undefined,
        );
      },
      this.options,
    );
    this.dropRepeats = false;
    this.current = { entry, run };
    try {
      return await run.ending;
    } finally {
      this.current = undefined;
    }
  }

  /** Writes down how a run ended. A store that cannot take even that is told of in the run's ending. */
  private async finish(entry: Entry, ending: RunEnding): Promise<void> {
    const { runId } = entry;
    const { status, wallMs, summary } = ending;
    let { message } = ending;
    try {
      await this.store.writer.call('endRun', [{ runId, status, wallMs, summary, message }]);
    } catch (error) {
      message = `${message ?? ''} ${error instanceof Error ? error.message : String(error)}`.trim();
    }
    this.events.ended({ runId, experimentId: entry.plan.experimentId, status, message }, { ...ending, message });
  }
}

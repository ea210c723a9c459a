/**
 * What is there while the workbench is open: one project, its queue of runs, settings, and who listens. The services (services.ts) are questions and
 * orders to it; it does not know whether Electron, a browser or a test asks. What only a face can do comes in as `FacePorts`.
 */
import { join } from 'node:path';
import type { AppInfo, ProjectState, Topic, Topics } from '../core/contract/api.ts';
import { BlklabError } from '../core/contract/errors.ts';
import { validateDefinition, type Validated } from '../core/experiment/validate.ts';
import { CurrentProject } from './project/current-project.ts';
import { textsIn } from './project/read-text.ts';
import type { RunEnding, RunOptions } from './runs/execute.ts';
import { RunQueue, type RunEnded } from './runs/queue.ts';
import { SettingsFile } from './settings/settings-file.ts';
import { APP_VERSION } from './version.ts';

/** What a face can do for the services. */
export interface FacePorts {
  readonly kind: AppInfo['face'];
  pickOpen(): Promise<string | null>;
  pickSave(suggested: string): Promise<string | null>;
  pickDirectory(): Promise<string | null>;
  /** Closes the window; false in a face that has none to close. */
  closeWindow(): boolean;
}

export interface WorkbenchOptions {
  readonly face: FacePorts;
  readonly userFolder: string;
  /** Project to open; undefined: what was left unsaved, or a new one. */
  readonly project: string | undefined;
  readonly run?: RunOptions;
}

export type TopicListener = <T extends Topic>(topic: T, value: Topics[T]) => void;

export class Workbench {
  readonly face: FacePorts;
  readonly settings: SettingsFile;
  readonly project: CurrentProject;
  private readonly runOptions: RunOptions;
  private readonly listeners = new Set<TopicListener>();
  private currentQueue: RunQueue;

  private constructor(options: WorkbenchOptions, project: CurrentProject) {
    this.face = options.face;
    this.runOptions = options.run ?? {};
    this.settings = new SettingsFile(join(options.userFolder, 'settings.json'));
    this.project = project;
    this.currentQueue = this.makeQueue();
    this.remember();
  }

  /** Opens a project and stands ready. Rejects when the project cannot be opened. */
  static async start(options: WorkbenchOptions): Promise<Workbench> {
    return new Workbench(options, await CurrentProject.start(options.userFolder, options.project));
  }

  get queue(): RunQueue {
    return this.currentQueue;
  }

  get state(): ProjectState {
    return this.project.state;
  }

  /** Listens to every topic. Returns the function that ends it. */
  listen(listener: TopicListener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  emit<T extends Topic>(topic: T, value: Topics[T]): void {
    for (const listener of this.listeners) listener(topic, value);
  }

  /** Goes over to another project by `change`. Refused while a run is in progress. */
  async replaceProject(change: () => Promise<void>): Promise<ProjectState> {
    this.refuseWhileRunning();
    await change();
    this.currentQueue = this.makeQueue();
    this.remember();
    this.emit('explorer/changed', { experimentId: null });
    return this.changed();
  }

  /** Tells everybody that the project's state may have changed. Call after every change that can be saved or discarded. */
  async changed(): Promise<ProjectState> {
    await this.project.refresh();
    this.emit('project/changed', this.state);
    return this.state;
  }

  /** Throws BUSY while a run is in progress. */
  refuseWhileRunning(): void {
    if (this.queue.isBusy) throw new BlklabError('BUSY', 'A run is in progress: stop it first, or wait for its end.');
  }

  /** Checks a definition; job files are looked for beside the project. */
  validate(definition: unknown): Validated {
    return validateDefinition(definition, { readFile: textsIn(this.project.folder), env: process.env });
  }

  /** Stops runs and closes the project. What is unsaved is kept for the next start when `isKept`. */
  async close(isKept: boolean): Promise<void> {
    await this.queue.stopAll();
    await this.project.close(isKept);
  }

  private makeQueue(): RunQueue {
    return new RunQueue(
      this.project.store,
      APP_VERSION,
      {
        progress: (progress) => this.emit('run/progress', progress),
        ended: (end, ending) => void this.runEnded(end, ending),
      },
      this.runOptions,
    );
  }

  private async runEnded(end: RunEnded, ending: RunEnding): Promise<void> {
    this.emit('run/ended', end);
    this.emit('explorer/changed', { experimentId: end.experimentId });
    if (ending.message === null) await this.indexRun(end.runId);
  }

  /** Sorting works without the indexes, only slower: a disk that is full by now, or a project that is closed, is no reason to call the run failed. */
  private async indexRun(runId: number): Promise<void> {
    const { writer } = this.project.store;
    let hasMore = true;
    while (hasMore) hasMore = await writer.call('indexNext', [runId]).catch(() => false);
  }

  private remember(): void {
    const { path } = this.state;
    if (path !== null) this.settings.addRecent(path);
  }
}

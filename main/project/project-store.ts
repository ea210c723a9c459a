/**
 * An open project: its path and the store workers behind it: one writes, one answers questions for rows, one those of charts, which look at every row
 * and would keep a table waiting.
 */
import type { OpenedProject } from '../store/writer.ts';
import { WorkerCalls } from '../workers/calls.ts';
import { workerFile } from '../workers/locate.ts';
import type { ReaderService } from '../workers/reader-service.ts';
import type { StoreTask } from '../workers/store-worker.ts';
import type { WriterService } from '../workers/writer-service.ts';

export type Writer = WorkerCalls<WriterService>;
export type Reader = WorkerCalls<ReaderService>;

interface Workers {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly charts: Reader;
}

export class ProjectStore {
  readonly path: string;
  readonly writer: Writer;
  readonly reader: Reader;
  readonly charts: Reader;
  readonly opened: OpenedProject;

  private constructor(path: string, { writer, reader, charts }: Workers, opened: OpenedProject) {
    this.path = path;
    this.writer = writer;
    this.reader = reader;
    this.charts = charts;
    this.opened = opened;
  }

  /** A new project file; the path must be free. */
  static create(path: string): Promise<ProjectStore> {
    return start(path, (writer) => writer.call('create', [path]), ProjectStore.make);
  }

  /** An existing project file. Rejects with the typed errors of a file that cannot be opened. */
  static open(path: string): Promise<ProjectStore> {
    return start(path, (writer) => writer.call('open', [path]), ProjectStore.make);
  }

  private static readonly make = (path: string, workers: Workers, opened: OpenedProject): ProjectStore =>
    new ProjectStore(path, workers, opened);

  /** A worker of it broke down: the project must be opened again. */
  get isBroken(): boolean {
    return this.writer.isDead || this.reader.isDead || this.charts.isDead;
  }

  /** Folds everything into the one file and ends the workers. A broken one is only let go; what was committed is in the file. */
  async close(): Promise<void> {
    await Promise.all([this.reader.terminate(), this.charts.terminate()]);
    try {
      if (!this.writer.isDead) await this.writer.call('close', []);
    } finally {
      await this.writer.terminate();
    }
  }
}

/** A store worker in a role. */
export function storeWorker<T extends object>(role: StoreTask['role']): WorkerCalls<T> {
  return new WorkerCalls<T>(workerFile('store-worker'), `store ${role}`, { role } satisfies StoreTask);
}

async function start(
  path: string,
  open: (writer: Writer) => Promise<OpenedProject>,
  make: (path: string, workers: Workers, opened: OpenedProject) => ProjectStore,
): Promise<ProjectStore> {
  const workers: Workers = {
    writer: storeWorker('writer'),
    reader: storeWorker('reader'),
    charts: storeWorker('reader'),
  };
  const { writer, reader, charts } = workers;
  try {
    const opened = await open(writer);
    await Promise.all([reader.call('open', [path]), charts.call('open', [path])]);
    return make(path, workers, opened);
  } catch (error) {
    await Promise.all([reader.terminate(), charts.terminate()]);
    await writer.terminate();
    throw error;
  }
}

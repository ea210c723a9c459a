/**
 * The project that is open: new, open, save, save as, close, and whether it is dirty. There is always one; a new one lives in the recover place until
 * it is saved.
 *
 * Another project is opened before the present one is let go, so a failure leaves everything as it was.
 */
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { ProjectState } from '../../core/contract/api.ts';
import { BlklabError } from '../../core/contract/errors.ts';
import { ProjectStore } from './project-store.ts';
import { createUnsaved, recoverUnsaved, removeProject } from './recover.ts';

const EXTENSION = '.blklab';

export class CurrentProject {
  private readonly recoverFolder: string;
  private present: ProjectStore;
  private isUnsaved: boolean;
  private isDirty = false;

  private constructor(recoverFolder: string, store: ProjectStore, isUnsaved: boolean) {
    this.recoverFolder = recoverFolder;
    this.present = store;
    this.isUnsaved = isUnsaved;
  }

  /** Opens `path`, or what a crash left unsaved, or a new project. */
  static async start(userFolder: string, path: string | undefined): Promise<CurrentProject> {
    const recoverFolder = join(userFolder, 'recover');
    const store =
      path === undefined
        ? ((await recoverUnsaved(recoverFolder)) ?? (await createUnsaved(recoverFolder)))
        : await ProjectStore.open(resolve(path));
    const project = new CurrentProject(recoverFolder, store, path === undefined);
    await project.refresh();
    return project;
  }

  get store(): ProjectStore {
    return this.present;
  }

  get state(): ProjectState {
    const { path, opened } = this.present;
    return {
      path: this.isUnsaved ? null : path,
      name: this.isUnsaved ? 'Untitled' : basename(path, EXTENSION),
      dirty: this.isDirty,
      readOnly: opened.readOnly,
      recoveredRuns: opened.recoveredRuns,
    };
  }

  /** Where job files with relative paths are looked for. */
  get folder(): string {
    return this.isUnsaved ? homedir() : dirname(this.present.path);
  }

  /** Looks again whether there is anything to save. Call after every change. */
  async refresh(): Promise<void> {
    const { reader } = this.present;
    this.isDirty = this.isUnsaved
      ? (await reader.call('experiments', [])).length > 0
      : (await reader.call('draftCount', [])) > 0;
  }

  async new(): Promise<void> {
    await this.replace(await createUnsaved(this.recoverFolder), true);
  }

  async open(path: string): Promise<void> {
    if (this.isOpen(path)) {
      if (!this.present.isBroken) return;
      // the one case in which the present project goes first: it holds the file, and can do nothing any more
      await this.present.close();
    }
    await this.replace(await ProjectStore.open(resolve(path)), false);
  }

  async save(): Promise<void> {
    if (this.isUnsaved) throw new BlklabError('NO_SUCH', 'This project has no file yet: save it under a name.');
    await this.present.writer.call('saveDrafts', [new Date().toISOString()]);
    await this.refresh();
  }

  /** Saves under a name (`.blklab` is added when there is no extension) and goes on with that file. */
  async saveAs(given: string): Promise<void> {
    const path = withExtension(resolve(given));
    if (this.isOpen(path)) return this.save();
    await this.present.writer.call('backup', [path]);
    const store = await ProjectStore.open(path);
    await store.writer.call('saveDrafts', [new Date().toISOString()]);
    // The file we came from is left as it was last saved.
    if (!this.isUnsaved && !this.present.opened.readOnly) await this.present.writer.call('discardDrafts', []);
    await this.replace(store, false);
  }

  /** Forgets what was not saved. */
  async discard(): Promise<void> {
    if (!this.present.opened.readOnly) await this.present.writer.call('discardDrafts', []);
    await this.refresh();
  }

  /** Closes the file. An unsaved project is kept for the next start when `isKept`. */
  async close(isKept: boolean): Promise<void> {
    const { path } = this.present;
    await this.present.close();
    if (this.isUnsaved && !(isKept && this.isDirty)) removeProject(path);
  }

  private isOpen(path: string): boolean {
    return !this.isUnsaved && existsSync(path) && realpathSync(path) === realpathSync(this.present.path);
  }

  private async replace(store: ProjectStore, isUnsaved: boolean): Promise<void> {
    const before = this.present;
    const wasUnsaved = this.isUnsaved;
    this.present = store;
    this.isUnsaved = isUnsaved;
    await this.refresh();
    await before.close();
    if (wasUnsaved) removeProject(before.path);
  }
}

function withExtension(path: string): string {
  return basename(path).includes('.') ? path : `${path}${EXTENSION}`;
}

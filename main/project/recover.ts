/**
 * The recover place: projects that were never saved live here as ordinary project files. One that is found at start and in nobody's use is what a
 * crash (or the end of the browser host) left behind, and is opened again.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { BlklabError } from '../../core/contract/errors.ts';
import { ProjectStore } from './project-store.ts';

const EXTENSION = '.blklab';

/** A fresh, empty project in the recover place. */
export async function createUnsaved(folder: string): Promise<ProjectStore> {
  mkdirSync(folder, { recursive: true });
  return ProjectStore.create(join(folder, `untitled-${randomUUID()}${EXTENSION}`));
}

/** The first unsaved project with anything in it; empty ones are removed on the way. */
export async function recoverUnsaved(folder: string): Promise<ProjectStore | undefined> {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder).filter((file) => file.endsWith(EXTENSION))) {
    const store = await openUnlessBusy(join(folder, name));
    if (store === undefined) continue;
    const experiments = await store.reader.call('experiments', []);
    if (experiments.length > 0) return store;
    await store.close();
    removeProject(store.path);
  }
  return undefined;
}

/** Another instance may be using it, or the crash damaged it: then it stays where it is. */
async function openUnlessBusy(path: string): Promise<ProjectStore | undefined> {
  try {
    return await ProjectStore.open(path);
  } catch (error) {
    if (error instanceof BlklabError) return undefined;
    throw error;
  }
}

/** Removes a project file and what SQLite may have left beside it. */
export function removeProject(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal', '-lock']) rmSync(path + suffix, { force: true });
}
